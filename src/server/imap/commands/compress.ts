import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { bad, done, no } from '#server/imap/session/completion.ts'

/** RFC 4978 §3; the session compresses from behind this answer on. */
export const compress: ImapCommand<'COMPRESS'> = {
  name: 'COMPRESS',
  states: LOGGED_IN,
  run(session, { mechanism }) {
    if (mechanism !== 'DEFLATE') return Promise.resolve(bad('Unknown compression'))
    if (session.connection.isCompressed)
      return Promise.resolve(no('COMPRESSIONACTIVE', 'Compression is active already'))
    return Promise.resolve(done('Compression is active'))
  },
}
