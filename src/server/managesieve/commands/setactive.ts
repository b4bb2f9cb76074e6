import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, refused } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.8: the empty name is none. */
export const setactive: ManageSieveHandler<'SETACTIVE'> = {
  verb: 'SETACTIVE',
  states: LOGGED_IN,
  async run({ scripts, accountId }, { name }) {
    const set = await scripts.activate({ accountId, name: name === '' ? null : name })
    if (!set.ok) return refused(set.error)
    return done(set.value === null ? 'No script is active' : 'Active')
  },
}
