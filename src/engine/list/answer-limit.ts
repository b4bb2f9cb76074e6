import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

import type { ListStore } from './list-store.ts'

/** Answers that one address gets of one list on one day, and all addresses of whom nothing proves that they asked. */
const PER_ADDRESS = 5
/** Of what somebody has answered, or decided: each has cost them a mail of their own. */
const CONFIRMED_PER_ADDRESS = 50
const UNPROVED_PER_DAY = 200

/** Whether one more answer goes there today; `changes` count it, in the commit that sends it. */
export async function countedAnswer(
  store: ListStore,
  {
    to,
    isProved,
    isConfirmed,
    today,
  }: {
    readonly to: Address
    readonly isProved: boolean
    /** A mark of ours has come back: nobody gets it who has not read a mail of ours. */
    readonly isConfirmed: boolean
    readonly today: string
  },
): Promise<{ readonly isAllowed: boolean; readonly changes: readonly MailboxChange[] }> {
  // Whoever sends in many names has none of them written to by us without end.
  const id = addressKey(to).slice(0, 400)
  const counts = isConfirmed
    ? [{ id: `${id} confirmed`, max: CONFIRMED_PER_ADDRESS }]
    : [{ id, max: PER_ADDRESS }, ...(isProved ? [] : [{ id: 'unproved', max: UNPROVED_PER_DAY }])]
  const kept = await store.objects('ListAnswer', [id, ...counts.map((each) => each.id)])
  const known = (of: string): number => {
    const value = kept.get(of)?.value
    return value?.['day'] === today ? Number(value['count']) : 0
  }
  if (counts.some((each) => known(each.id) >= each.max)) return { isAllowed: false, changes: [] }
  const keep = (of: string, count: number): MailboxChange => ({
    kind: 'keep',
    object: 'ListAnswer',
    id: of,
    value: { day: today, count },
  })
  return {
    isAllowed: true,
    changes: [
      ...counts.map((each) => keep(each.id, known(each.id) + 1)),
      // A question that was answered was one to somebody who had asked.
      ...(isConfirmed && known(id) > 0 ? [keep(id, known(id) - 1)] : []),
    ],
  }
}
