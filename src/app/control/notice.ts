import { Readable } from 'node:stream'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { NodeCallers } from '#app/nodes/node-callers.ts'

/** A mail of our own, into the first queue that takes it. */
export async function sendNotice(
  callers: Pick<NodeCallers, 'queues'>,
  mail: { readonly id: string; readonly to: Address; readonly octets: Octets },
): Promise<void> {
  const { id, to, octets } = mail
  const [queue] = callers.queues()
  if (queue === undefined) throw new Fault('unavailable', 'no node with a queue has joined yet')
  await queue.caller.outbox(
    {
      id,
      kind: 'reject', // like a rejection it is written here, and needs no judge
      reversePath: null,
      recipients: [to],
      body: '7bit',
      smtpUtf8: needsSmtpUtf8(to),
      sizeBytes: octets.byteLength,
    },
    Readable.from([octets]),
  )
}
