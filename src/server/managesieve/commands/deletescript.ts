import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, refused } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.10: the active one cannot be deleted. */
export const deletescript: ManageSieveHandler<'DELETESCRIPT'> = {
  verb: 'DELETESCRIPT',
  states: LOGGED_IN,
  async run({ scripts, accountId }, { name }) {
    const removed = await scripts.remove({ accountId, name })
    return removed.ok ? done('Deleted') : refused(removed.error)
  },
}
