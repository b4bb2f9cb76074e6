import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { sleep } from '#base/time.ts'
import { PING_MS, ROWS_PER_LINE } from '#contract/node/wire.ts'
import type { StreamLine } from '#contract/node/wire.ts'
import { rowKey } from '#store/directory/row-key.ts'
import type { HubParts } from './node-hub.ts'

/** One node's stream: brings it from what it has to what control has, then waits for more. */
export class Subscription {
  readonly #parts: HubParts
  readonly #response: ServerResponse
  readonly #gone = new AbortController()
  #hash: string
  #generation: number
  #seq: number
  #nodes = ''
  #woken = new AbortController()

  constructor(start: {
    readonly parts: HubParts
    readonly response: ServerResponse
    readonly hash: string
    readonly generation: number
    readonly seq: number
  }) {
    this.#parts = start.parts
    this.#response = start.response
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
    while (!this.#gone.signal.aborted) {
      this.#woken = new AbortController()
      await this.#sendNodes()
      await this.#sendSettings()
      await this.#sendRows()
      if (this.#gone.signal.aborted) return
      if (this.#woken.signal.aborted) continue
      await sleep(this.#parts.clock, PING_MS, this.#woken.signal)
      if (!this.#woken.signal.aborted) await this.#send({ kind: 'ping' })
    }
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
    const head = this.#parts.directory.directory.seq
    // A node that is ahead has the copy of a control that is gone: it starts anew.
    if ((this.#seq === 0 && head > 0) || this.#seq > head) await this.#sendAll()
    while (this.#seq < this.#parts.directory.directory.seq && !this.#gone.signal.aborted) {
      const { changes } = await this.#parts.log.changes({ since: this.#seq, limit: ROWS_PER_LINE })
      if (changes.length === 0) return
      await this.#send({ kind: 'changes', changes: [...changes] })
      this.#seq = changes.at(-1)!.seq
    }
  }

  /**
   * The copy as it stood when the first page was read, and what later pages know beyond that; the
   * changes since then follow and make it even.
   */
  async #sendAll(): Promise<void> {
    let after: number | undefined = 0
    let seq: number | undefined
    while (after !== undefined && !this.#gone.signal.aborted) {
      const page = await this.#parts.log.rows({ after, limit: ROWS_PER_LINE })
      await this.#send({
        kind: 'gather',
        first: seq === undefined,
        rows: page.rows.map((row) => ({ key: rowKey(row), row })),
      })
      seq ??= page.seq
      after = page.next
    }
    if (this.#gone.signal.aborted) return
    await this.#send({ kind: 'replace', seq: seq ?? 0 })
    this.#seq = seq ?? 0
  }

  async #send(line: StreamLine): Promise<void> {
    if (this.#gone.signal.aborted || this.#response.destroyed) return
    if (this.#response.write(`${JSON.stringify(line)}\n`)) return
    await once(this.#response, 'drain', { signal: this.#gone.signal }).catch(() => undefined)
  }
}
