import { isDay } from '#model/person-facts.ts'
import type { DatedPlan } from '#model/plan.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'

const NAME_LENGTH_MAX = 256
const PLANS_USERS_MAX = 100_000

/** Undefined where the plan may be written. Its change is checked when it is planned and again when it is made, with each account. */
export function checkPlan({ title, on, where, change }: DatedPlan): DirectoryRefusal | undefined {
  if (title.trim() === '' || title.length > NAME_LENGTH_MAX)
    return refuse('invalid', 'the plan has no title, or too long a one', 'Give it a short title.')
  if (!isDay(on)) return refuse('invalid', `${on} is no day`, 'Give one such as 2027-04-01.')
  const { tags = [], users } = where
  if (tags.length === 0 && users === undefined)
    return refuse('invalid', 'it names nobody', 'Give a tag, or users.')
  if ((users?.length ?? 0) > PLANS_USERS_MAX)
    return refuse('limit', `more than ${PLANS_USERS_MAX} users`, 'Give them a tag, and name that.')
  if (Object.values(change).every((each) => each === undefined))
    return refuse('invalid', 'it changes nothing', 'Say what is to change.')
  return undefined
}
