import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'

/**
 * RFC 6856 §2.1. It changes nothing that is sent: messages go out as they are stored, also to a
 * client that has not asked for UTF-8. §4 would let us refuse it those with UTF-8 in their header
 * ([UTF8]) or send it others instead; then whoever has an old program could not read that mail
 * at all, and no signature would hold. Programs of all ages show such a header, if need be askew.
 */
export const utf8: Pop3Handler = {
  verb: 'UTF8',
  states: AUTHORIZATION,
  async run(session, args) {
    if (args.length > 0) return session.error(session.words.unknownCommand)
    session.ok(session.words.utf8)
  },
}
