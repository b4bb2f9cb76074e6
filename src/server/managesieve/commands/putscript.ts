import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { refused } from '#server/managesieve/responses.ts'
import { accepted, withText } from './checkscript.ts'

/** RFC 5804 §2.6: an active one that is put in its place stays active. */
export const putscript: ManageSieveHandler<'PUTSCRIPT'> = {
  verb: 'PUTSCRIPT',
  states: LOGGED_IN,
  run: (session, { name, script }) =>
    withText(script, async (text) => {
      const { scripts, accountId } = session
      const stored = await scripts.put({ accountId, name, text, activate: false })
      return stored.ok ? accepted(session, text) : refused(stored.error)
    }),
}
