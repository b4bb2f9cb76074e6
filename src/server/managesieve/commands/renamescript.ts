import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, refused } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.11. */
export const renamescript: ManageSieveHandler<'RENAMESCRIPT'> = {
  verb: 'RENAMESCRIPT',
  states: LOGGED_IN,
  async run({ scripts, accountId }, { name, to }) {
    const renamed = await scripts.rename({ accountId, name, to })
    return renamed.ok ? done('Renamed') : refused(renamed.error)
  },
}
