import { Fault } from '#base/outcome.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { NODE_PATHS } from '#contract/node/wire.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import { askJson } from './request.ts'
import type { Dial } from './request.ts'

const CALL_MS = 5 * SECOND_MS
/** Content of 50 MiB over a slow line, and the commit at its end. */
const OUTBOX_MS = 120 * SECOND_MS

/** Asks one node for what it does for the others; each failure is a Fault. */
export class NodeCaller {
  readonly #dial: Dial
  readonly #clock: Clock

  constructor(parts: { readonly dial: Dial; readonly clock: Clock }) {
    this.#dial = parts.dial
    this.#clock = parts.clock
  }

  /** A named call: `queue.list`, `queue.act` … */
  async call(name: string, argument: unknown): Promise<unknown> {
    const answer = await askJson({
      dial: this.#dial,
      clock: this.#clock,
      method: 'POST',
      path: `${NODE_PATHS.calls}${name}`,
      body: JSON.stringify({ argument }),
      timeoutMs: CALL_MS,
    })
    if (typeof answer !== 'object' || answer === null)
      throw new Fault('protocol', `${name}: the answer is no object`)
    return (answer as { readonly result?: unknown }).result
  }

  /** Hands an entry of the outbox to the node's queue; durable there when it resolves, and safe to repeat. */
  async outbox(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<void> {
    await askJson({
      dial: this.#dial,
      clock: this.#clock,
      method: 'POST',
      path: NODE_PATHS.outbox,
      body: framed(head, octets),
      timeoutMs: OUTBOX_MS,
    })
  }
}

async function* framed(head: OutboxHead, octets: AsyncIterable<Octets>): AsyncGenerator<Octets> {
  yield fromUtf8(`${JSON.stringify(head)}\n`)
  yield* octets
}
