import { renderString } from '#codec/managesieve/words.ts'
import { LOGGED_IN } from '#server/managesieve/command.ts'
import type { ManageSieveHandler } from '#server/managesieve/command.ts'
import { done } from '#server/managesieve/responses.ts'

/** RFC 5804 §2.7. */
export const listscripts: ManageSieveHandler<'LISTSCRIPTS'> = {
  verb: 'LISTSCRIPTS',
  states: LOGGED_IN,
  async run(session) {
    const { scripts, accountId } = session
    for (const { name, active } of await scripts.list({ accountId })) {
      session.put(renderString(name, 'server'))
      session.put(active ? ' ACTIVE\r\n' : '\r\n')
    }
    return done('Done')
  },
}
