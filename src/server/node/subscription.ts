import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { sleep } from '#base/time.ts'
import { PING_MS, ROWS_PER_LINE } from '#contract/node/wire.ts'
import type { StreamLine } from '#contract/node/wire.ts'
import type { HubParts } from './hub-parts.ts'
import type { Line, SharedLines } from './shared-lines.ts'

/** One node's stream: brings it from what it has to what control has, then waits for more. */
export class Subscription {
  readonly #parts: HubParts
  readonly #response: ServerResponse
  readonly #lines: SharedLines
  readonly #gone = new AbortController()
  #hash: string
  #generation: number
  #seq: number
  #nodes = ''
  #woken = new AbortController()

  constructor(start: {
    readonly parts: HubParts
    readonly lines: SharedLines
    readonly response: ServerResponse
    readonly hash: string
    readonly generation: number
    readonly seq: number
  }) {
    this.#parts = start.parts
    this.#response = start.response
    this.#lines = start.lines
    this.#hash = start.hash
    this.#generation = start.generation
    this.#seq = start.seq
    start.response.once('close', () => this.end())
  }

  /** Looks again whether there is something to send. */
  wake(): void {
    this.#woken.abort()
  }

  end(): void {
    this.#gone.abort()
    this.#woken.abort()
    this.#response.destroy()
  }

  /** Ends when the node is gone, or `end` is called. */
  async run(): Promise<void> {
    this.#response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    this.#response.flushHeaders()
    await this.#ping()
    while (!this.#gone.signal.aborted) {
      this.#woken = new AbortController()
      await this.#sendNodes()
      await this.#sendSettings()
      await this.#sendRows()
      if (this.#gone.signal.aborted) return
      if (this.#woken.signal.aborted) continue
      await sleep(this.#parts.clock, PING_MS, this.#woken.signal)
      if (!this.#woken.signal.aborted) await this.#ping()
    }
  }

  #ping(): Promise<void> {
    const { calendar, clock } = this.#parts
    return this.#send({ kind: 'ping', atMs: calendar?.nowMs ?? clock.nowMs() })
  }

  async #sendNodes(): Promise<void> {
    const places = this.#parts.nodes?.places
    const text = JSON.stringify(places)
    if (places === undefined || text === this.#nodes) return
    await this.#send({ kind: 'nodes', nodes: [...places] })
    this.#nodes = text
  }

  async #sendSettings(): Promise<void> {
    const { snapshot } = this.#parts.settings
    if (snapshot.hash === this.#hash && snapshot.generation === this.#generation) return
    await this.#send({
      kind: 'settings',
      snapshot: snapshot as Extract<StreamLine, { kind: 'settings' }>['snapshot'],
    })
    this.#hash = snapshot.hash
    this.#generation = snapshot.generation
  }

  async #sendRows(): Promise<void> {
    if (this.#isFarBehind()) await this.#sendAll()
    while (!this.#gone.signal.aborted) {
      const now = this.#parts.directory.directory.seq
      if (this.#seq >= now) return
      const { octets, next, isCut } = await this.#lines.changes(this.#seq, now)
      if (isCut === true) {
        await this.#sendAll()
        continue
      }
      if (next === undefined) return
      await this.#write(octets)
      this.#seq = next
    }
  }

  /** Its way along the changes is longer than a whole new copy; or there is none. */
  #isFarBehind(): boolean {
    const { seq: head, size } = this.#parts.directory.directory
    // A node that is ahead has the copy of a control that is gone: it starts anew.
    if ((this.#seq === 0 && head > 0) || this.#seq > head) return true
    return head - this.#seq > Math.max(size, ROWS_PER_LINE)
  }

  /**
   * The copy as it stood when the first page was read, and what later pages know beyond that; the
   * changes since then follow and make it even.
   */
  async #sendAll(): Promise<void> {
    let after: number | undefined = 0
    let seq = this.#parts.directory.directory.seq
    while (after !== undefined && !this.#gone.signal.aborted) {
      const page: Line = await this.#lines.rows(after, seq)
      await this.#write(page.octets)
      if (after === 0) seq = page.seq
      after = page.next
    }
    if (this.#gone.signal.aborted) return
    await this.#send({ kind: 'replace', seq })
    this.#seq = seq
  }

  #send(line: StreamLine): Promise<void> {
    return this.#write(`${JSON.stringify(line)}\n`)
  }

  async #write(octets: string | Buffer): Promise<void> {
    if (this.#gone.signal.aborted || this.#response.destroyed) return
    if (this.#response.write(octets)) return
    await once(this.#response, 'drain', { signal: this.#gone.signal }).catch(() => undefined)
  }
}
