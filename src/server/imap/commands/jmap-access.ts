import { quote } from '#codec/imap/render.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done, no } from '#server/imap/session/completion.ts'

/** RFC 9698 §3: where the same mail is to be had by JMAP, under the same ids, by the same login. */
export const getJmapAccess: ImapCommand<'GETJMAPACCESS'> = {
  name: 'GETJMAPACCESS',
  states: LOGGED_IN,
  run(session) {
    const url = session.room.jmapUrl?.()
    if (url === undefined) return Promise.resolve(no('UNAVAILABLE', 'No address of JMAP is set'))
    session.out.line(`* JMAPACCESS ${quote(url)}`)
    return Promise.resolve(done('Done'))
  },
}
