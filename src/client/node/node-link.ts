import type { IncomingMessage } from 'node:http'
import type { Log } from '#base/log.ts'
import { Fault, messageOf } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import {
  appPasswordEnd,
  appPasswordUses,
  BODY_BYTES_MAX,
  eventAck,
  NODE_HEADER,
  NODE_PATHS,
  PING_MS,
  ROLE_HEADER,
  streamLine,
} from '#contract/node/wire.ts'
import type {
  Ack,
  HeartbeatBody,
  NewCredential,
  StreamLine,
  WireEvent,
  WireSnapshot,
} from '#contract/node/wire.ts'
import { ownEnd } from '#contract/admin/choices.ts'
import type { OwnActBody, OwnEnd } from '#contract/admin/choices.ts'
import { membershipEnd } from '#contract/node/membership.ts'
import type { MembershipActBody, MembershipEnd } from '#contract/node/membership.ts'
import { scriptWritten } from '#contract/node/scripts.ts'
import type { ScriptWritesBody } from '#contract/node/scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { AppPasswordChange, AppPasswordUse } from '#model/app-password.ts'
import type { NodePlace } from '#model/node.ts'
import { Acks } from './acks.ts'
import { askJson, askText, open } from './request.ts'
import type { Ask, Dial } from './request.ts'

const BACKOFF_MS = [100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const
const REQUEST_MS = 10 * SECOND_MS
const BEAT_MS = 2 * SECOND_MS
const EVENTS_POLL_MS = SECOND_MS
const EVENTS_PER_BATCH = 500

/** What a node does with what comes down, and what it sends up. All of it works on the node's own copies. */
export interface LinkParts {
  readonly dial: Dial
  readonly clock: Clock
  readonly log: Log
  readonly node: string
  readonly role: string
  /** What is in force now; told to control when the link is made. */
  has(): { readonly generation: number; readonly hash: string; readonly seq: number }
  beat(): Pick<HeartbeatBody, 'state' | 'reason' | 'version' | 'pid' | 'listens'>
  /** Puts a generation into force and keeps it; the error is told to control, and the old one stays. */
  settings(
    snapshot: WireSnapshot,
    fetchTable: (hash: string) => Promise<string>,
  ): Promise<Outcome<void, string>>
  /** Takes rows; durable when it resolves. */
  rows(line: Extract<StreamLine, { kind: 'gather' | 'replace' | 'changes' }>): Promise<void>
  /** What time it is at control, told at first and again and again. */
  time(controlMs: number): void
  /** Takes the joined nodes; durable when it resolves. */
  nodes(places: readonly NodePlace[]): Promise<void>
  /** The node's own records that control does not have yet. */
  readonly events: {
    since(ask: { after: number; limit: number }): Promise<{
      readonly epoch: string
      readonly records: readonly WireEvent[]
    }>
    ack(done: { epoch: string; seq: number }): Promise<void>
  }
}

/**
 * A node's link to control: made again with back-off for as long as it runs. Nothing waits for it;
 * while control is away the node lives on its copies.
 */
export class NodeLink {
  readonly #parts: LinkParts
  readonly #stop = new AbortController()
  #refused: Ack['settings']
  #eventsWoken = new AbortController()
  #isUp = false

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** True while control's stream is open. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** Runs until `stop`; each loop keeps itself alive over every failure. */
  async run(): Promise<void> {
    await Promise.all([this.#streams(), this.#beats(), this.#ships()])
  }

  stop(): void {
    this.#stop.abort()
    this.#eventsWoken.abort()
  }

  /** Hands up a new hash of a password that was right. Throws where control is away. */
  async credential(made: NewCredential): Promise<void> {
    await askJson(this.#ask('POST', NODE_PATHS.credentials, made))
  }

  /** Hands up what somebody has made, or takes back, on a page. Throws where control is away. */
  async appPassword(change: AppPasswordChange): Promise<'done' | 'limit' | 'notFound'> {
    return appPasswordEnd.parse(await askJson(this.#ask('POST', NODE_PATHS.appPasswords, change)))
      .end
  }

  /** Hands up when app passwords were used last. Throws where control is away. */
  async used(uses: readonly AppPasswordUse[]): Promise<void> {
    await askJson(this.#ask('POST', NODE_PATHS.uses, { uses }))
  }

  /** When those of an account were used last, wherever that was. Throws where control is away. */
  async usesOf(accountId: AccountId): Promise<readonly AppPasswordUse[]> {
    const query = new URLSearchParams({ account: accountId })
    const answer = await askJson(this.#ask('GET', `${NODE_PATHS.uses}?${query.toString()}`))
    return appPasswordUses.parse(answer).uses as unknown as readonly AppPasswordUse[]
  }

  /** Hands up what somebody does with the own choices. Throws where control is away. */
  async choices(accountId: AccountId, act: OwnActBody): Promise<OwnEnd> {
    const answer = await askJson(this.#ask('POST', NODE_PATHS.choices, { accountId, act }))
    return ownEnd.parse(answer)
  }

  /** Hands up what somebody does with the own place in a mailing list. Throws where control is away. */
  async membership(act: MembershipActBody): Promise<MembershipEnd> {
    return membershipEnd.parse(await askJson(this.#ask('POST', NODE_PATHS.membership, act))).end
  }

  /** Hands up a change of scripts, durable in their home when it is `written`. Throws where that is away. */
  async scripts(change: ScriptWritesBody): Promise<'written' | 'here'> {
    return scriptWritten.parse(await askJson(this.#ask('POST', NODE_PATHS.scripts, change))).end
  }

  /** There are new records: ships them without waiting for the next look. */
  poke(): void {
    this.#eventsWoken.abort()
  }

  async #streams(): Promise<void> {
    let failures = 0
    while (!this.#stop.signal.aborted) {
      try {
        await this.#stream(() => {
          failures = 0
        })
      } catch (cause) {
        if (this.#stop.signal.aborted) return
        if (failures === 0) this.#parts.log.warn('control.away', { reason: messageOf(cause) })
      }
      const pauseMs = BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)]!
      await sleep(this.#parts.clock, pauseMs, this.#stop.signal)
    }
  }

  async #stream(onUp: () => void): Promise<void> {
    const has = this.#parts.has()
    const query = new URLSearchParams({
      generation: String(has.generation),
      hash: has.hash,
      seq: String(has.seq),
    })
    const response = await open(this.#ask('GET', `${NODE_PATHS.subscribe}?${query.toString()}`))
    const abort = (): void => void response.destroy()
    this.#stop.signal.addEventListener('abort', abort, { once: true })
    let isHeard = false
    let cancel = this.#parts.clock.after(0, () => undefined)
    const watch = (): void => {
      cancel()
      // Silence past three pings: the connection is dead, whatever the socket believes.
      cancel = this.#parts.clock.after(3 * PING_MS, () =>
        response.destroy(new Fault('timeout', 'control has fallen silent')),
      )
    }
    watch()
    try {
      this.#isUp = true
      this.#parts.log.info('control.connected')
      await this.#tell()
      const acks = new Acks(
        () => this.#tell(),
        (cause) => response.destroy(cause),
      )
      for await (const line of linesOf(response)) {
        watch()
        if (await this.#take(line)) acks.due()
        watch()
        if (!isHeard) onUp()
        isHeard = true
      }
      throw new Fault('closed', 'control has closed the stream')
    } finally {
      this.#isUp = false
      cancel()
      this.#stop.signal.removeEventListener('abort', abort)
      response.destroy()
    }
  }

  /** True where something has come into force, or was refused. */
  async #take(line: StreamLine): Promise<boolean> {
    switch (line.kind) {
      case 'ping':
        if (line.atMs !== undefined) this.#parts.time(line.atMs)
        return false
      case 'gather':
        await this.#parts.rows(line)
        return false
      case 'nodes':
        await this.#parts.nodes(line.nodes)
        return false
      case 'changes':
      case 'replace':
        await this.#parts.rows(line)
        return true
      case 'settings': {
        const { generation, hash } = line.snapshot
        const done = await this.#parts.settings(line.snapshot, (table) => this.#fetchTable(table))
        this.#refused = done.ok
          ? undefined
          : { generation, hash, status: 'error', error: done.error.slice(0, 2_000) }
        if (!done.ok) this.#parts.log.error('settings.refused', { generation, reason: done.error })
        return true
      }
    }
  }

  #settingsAck(): NonNullable<Ack['settings']> {
    const { generation, hash } = this.#parts.has()
    return this.#refused ?? { generation, hash, status: 'applied' }
  }

  #fetchTable(hash: string): Promise<string> {
    return askText(this.#ask('GET', `${NODE_PATHS.tables}${hash}`))
  }

  async #tell(): Promise<void> {
    const ack: Ack = { settings: this.#settingsAck(), seq: this.#parts.has().seq }
    await askJson(this.#ask('POST', NODE_PATHS.acks, ack))
  }

  async #beats(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const body: HeartbeatBody = {
        ...this.#parts.beat(),
        atMs: this.#parts.clock.nowMs(),
        settings: this.#settingsAck(),
        seq: this.#parts.has().seq,
      }
      // Control may be away: the stream tells of it, once.
      await askJson(this.#ask('POST', NODE_PATHS.heartbeat, body)).catch(() => undefined)
      await sleep(this.#parts.clock, BEAT_MS, this.#stop.signal)
    }
  }

  async #ships(): Promise<void> {
    let failures = 0
    while (!this.#stop.signal.aborted) {
      this.#eventsWoken = new AbortController()
      let pauseMs = EVENTS_POLL_MS
      try {
        if (await this.#ship()) continue
        failures = 0
      } catch {
        pauseMs = BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)]!
      }
      await sleep(
        this.#parts.clock,
        pauseMs,
        failures === 0 ? this.#eventsWoken.signal : this.#stop.signal,
      )
    }
  }

  /** One batch up; true where there may be more. */
  async #ship(): Promise<boolean> {
    const { events } = this.#parts
    const { epoch, records } = await events.since({ after: 0, limit: EVENTS_PER_BATCH })
    if (records.length === 0) return false
    const { acked } = eventAck.parse(
      await askJson(this.#ask('POST', NODE_PATHS.events, { epoch, records })),
    )
    await events.ack({ epoch, seq: acked })
    return records.length === EVENTS_PER_BATCH
  }

  #ask(method: Ask['method'], path: string, body?: unknown): Ask {
    const { dial, clock, node, role } = this.#parts
    return {
      dial,
      clock,
      method,
      path,
      headers: { [NODE_HEADER]: node, [ROLE_HEADER]: role },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs: REQUEST_MS,
    }
  }
}

/** The lines of the stream, each checked; a page of rows is one line, and comes in many chunks. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<StreamLine> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      parts.push(chunk.subarray(from, end))
      yield parseLine(Buffer.concat(parts).toString('utf8'))
      from = end + 1
      parts = []
      bytes = 0
    }
    parts.push(chunk.subarray(from))
    bytes += chunk.byteLength - from
    if (bytes > 8 * BODY_BYTES_MAX) throw new Fault('limit', 'a line of the stream is too long')
  }
}

function parseLine(text: string): StreamLine {
  try {
    return streamLine.parse(JSON.parse(text))
  } catch (cause) {
    throw new Fault('protocol', 'a line of the stream cannot be read', { cause })
  }
}
