import { scramOffered } from '#store/directory/scram-exchange.ts'
import type { ImapSession } from './session.ts'

const ALWAYS = ['IMAP4rev1', 'IMAP4rev2', 'SASL-IR', 'ID', 'ENABLE']

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
  'REPLACE',
  'MULTIAPPEND',
  'BINARY',
  'UTF8=ACCEPT',
  'IDLE',
  'ESEARCH',
  'SEARCHRES',
  'PARTIAL',
  'SORT',
  'THREAD=ORDEREDSUBJECT',
  'THREAD=REFERENCES',
  'SORT=DISPLAY',
  'ESORT',
  'WITHIN',
  'CONDSTORE',
  'QRESYNC',
  'OBJECTID',
  'METADATA',
  'SAVEDATE',
  'PREVIEW',
  'INPROGRESS',
  'UNAUTHENTICATE',
  'QUOTA',
  'QUOTA=RES-STORAGE',
  'QUOTA=RES-MESSAGE',
  'QUOTA=RES-MAILBOX',
  'ACL',
  'RIGHTS=kxte', // RFC 4314 §2.2
  'LIST-MYRIGHTS',
]

/** What the session offers in its present state. */
export function capabilities(session: ImapSession): string {
  if (session.account !== undefined) {
    const limit = `APPENDLIMIT=${session.room.limits.messageBytesMax}` // RFC 7889 §2
    // RFC 4978 §3: not offered where it is active.
    const compress = session.connection.isCompressed ? [] : ['COMPRESS=DEFLATE']
    // RFC 9698 §2: offered where the address is known.
    const jmap = session.room.jmapUrl?.() === undefined ? [] : ['JMAPACCESS']
    // RFC 6785 §2.1: offered where scripts can be managed.
    const { sieveUrl } = session.room
    const scripts = sieveUrl === undefined ? [] : [`IMAPSIEVE=${sieveUrl}`]
    return [...ALWAYS, ...AFTER_LOGIN, ...jmap, ...compress, limit, ...scripts].join(' ')
  }
  const offered = [...ALWAYS, 'LITERAL-']
  if (!session.secure && session.door.identity !== undefined) offered.push('STARTTLS')
  if (loginAllowed(session)) {
    const scram = scramOffered(session.room.authenticator, session.connection.channel)
    offered.push(...['PLAIN', 'LOGIN', ...scram].map((mechanism) => `AUTH=${mechanism}`))
  } else offered.push('LOGINDISABLED') // RFC 9051 §6.2.3
  return offered.join(' ')
}

/** Passwords travel inside TLS only, unless the listener says otherwise. */
export const loginAllowed = (session: ImapSession): boolean =>
  session.secure || session.door.allowPlaintext
