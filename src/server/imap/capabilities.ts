import type { ImapSession } from './session.ts'

const ALWAYS = ['IMAP4rev1', 'SASL-IR', 'ID', 'ENABLE']

const AFTER_LOGIN = [
  'LITERAL+',
  'NAMESPACE',
  'CHILDREN',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'STATUS=SIZE',
  'UNSELECT',
  'UIDPLUS',
  'MOVE',
  'IDLE',
  'ESEARCH',
  'SORT',
  'THREAD=ORDEREDSUBJECT',
  'THREAD=REFERENCES',
  'WITHIN',
  'CONDSTORE',
  'QRESYNC',
  'OBJECTID',
]

/** What the session offers in its present state. */
export function capabilities(session: ImapSession): string {
  if (session.account !== undefined) return [...ALWAYS, ...AFTER_LOGIN].join(' ')
  const offered = [...ALWAYS, 'LITERAL-']
  if (!session.secure && session.door.identity !== undefined) offered.push('STARTTLS')
  if (loginAllowed(session)) offered.push('AUTH=PLAIN', 'AUTH=LOGIN')
  else offered.push('LOGINDISABLED') // RFC 9051 §6.2.3
  return offered.join(' ')
}

/** Passwords travel inside TLS only, unless the listener says otherwise. */
export const loginAllowed = (session: ImapSession): boolean =>
  session.secure || session.door.allowPlaintext
