import type { QueueMessageBody } from '#contract/admin/mail.ts'
import type { MarkKind } from '#web/parts/mark.tsx'

type State = QueueMessageBody['recipients'][number]['state']

/** What an administrator wants to see first where recipients differ. */
const ORDER: readonly State[] = ['held', 'claimed', 'ready', 'failed', 'dropped', 'delivered']

export const STATE_MARKS: Readonly<Record<State, MarkKind>> = {
  ready: 'plain',
  claimed: 'good',
  held: 'warn',
  delivered: 'good',
  failed: 'bad',
  dropped: 'bad',
}

export const stateOf = ({ recipients }: QueueMessageBody): State =>
  ORDER.find((state) => recipients.some((each) => each.state === state)) ?? 'ready'
