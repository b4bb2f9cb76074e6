import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** What each capability that can be enabled does to the session. */
const ENABLING: ReadonlyMap<string, (session: ImapSession) => void> = new Map<
  string,
  (session: ImapSession) => void
>([
  [
    'CONDSTORE',
    (session) => {
      session.useCondStore()
    },
  ],
  [
    'QRESYNC',
    (session) => {
      session.useCondStore() // RFC 7162 §3.2.3
      session.qresync = true
    },
  ],
  [
    'IMAP4REV2',
    (session) => {
      session.useRev2()
    },
  ],
  [
    'UTF8=ACCEPT',
    (session) => {
      session.utf8Accepted = true
    },
  ],
])

/** Capabilities as they are spelt where that is not in capitals. */
const SPELT: Readonly<Record<string, string>> = { IMAP4REV2: 'IMAP4rev2' }

/** RFC 5161 §3.1: unknown capabilities are passed over. */
export const enable: ImapCommand<'ENABLE'> = {
  name: 'ENABLE',
  states: LOGGED_IN,
  run(session, command) {
    const enabled = new Set<string>()
    for (const name of command.capabilities) {
      const enabling = ENABLING.get(name)
      if (enabling === undefined) continue
      enabling(session)
      enabled.add(SPELT[name] ?? name)
    }
    session.out.line(['* ENABLED', ...enabled].join(' '))
    return Promise.resolve(done('Done'))
  },
}
