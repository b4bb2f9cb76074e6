import { fromUtf8 } from '#base/octets.ts'
import { renderLiteral } from '#codec/managesieve/words.ts'
import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done, refused } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.9. */
export const getscript: ManageSieveHandler<'GETSCRIPT'> = {
  verb: 'GETSCRIPT',
  states: LOGGED_IN,
  async run(session, { name }) {
    const { scripts, accountId } = session
    const found = await scripts.get({ accountId, name })
    if (!found.ok) return refused(found.error)
    session.put(renderLiteral(fromUtf8(found.value.text), 'server'))
    session.put('\r\n')
    return done('Done')
  },
}
