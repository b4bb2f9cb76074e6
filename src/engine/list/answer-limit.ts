import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

import type { ListStore } from './list-store.ts'

/** Answers that one address gets of one list on one day, and all addresses of whom nothing proves that they asked. */
const PER_ADDRESS = 5
const UNPROVED_PER_DAY = 200

/** Whether one more answer goes there today; `changes` count it, in the commit that sends it. */
export async function countedAnswer(
  store: ListStore,
  {
    to,
    isProved,
    today,
  }: { readonly to: Address; readonly isProved: boolean; readonly today: string },
): Promise<{ readonly isAllowed: boolean; readonly changes: readonly MailboxChange[] }> {
  // Whoever sends in many names has none of them written to by us without end.
  const counts = [
    { id: addressKey(to).slice(0, 400), max: PER_ADDRESS },
    ...(isProved ? [] : [{ id: 'unproved', max: UNPROVED_PER_DAY }]),
  ]
  const kept = await store.objects(
    'ListAnswer',
    counts.map(({ id }) => id),
  )
  const known = (id: string): number => {
    const value = kept.get(id)?.value
    return value?.['day'] === today ? Number(value['count']) : 0
  }
  if (counts.some(({ id, max }) => known(id) >= max)) return { isAllowed: false, changes: [] }
  return {
    isAllowed: true,
    changes: counts.map(({ id }) => ({
      kind: 'keep',
      object: 'ListAnswer',
      id,
      value: { day: today, count: known(id) + 1 },
    })),
  }
}
