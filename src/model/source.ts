import type { ClientIdentity } from './client-identity.ts'

/** A directory of others whose people are ours: where it is, how it is read, and who checks passwords. */
export interface DirectorySource {
  /** A word in lower case. */
  readonly name: string
  /** Sources are asked in this order, lower first; what is in our own directory comes before them all. */
  readonly order: number
  readonly servers: readonly SourceServer[]
  /** Certificates in PEM that alone are trusted. */
  readonly ca?: string
  readonly base: string
  /** Text of RFC 4515; absent: entries of people and groups. */
  readonly filter?: string
  /** How entries are read; absent: each by its object classes. */
  readonly map?: string
  /** The attribute by which somebody is known under every name. */
  readonly key: string
  readonly bind?: {
    readonly dn: string
    /** Octets in base64. Secret: it never leaves the nodes. */
    readonly passwordBase64: string
  }
  /** Shown to every server of it; where `bind` is absent, it says who reads (SASL EXTERNAL, RFC 4422 appendix A). */
  readonly identity?: ClientIdentity
  /** Who says whether a password is right: the source itself, or a hash of it that stands there. */
  readonly auth: 'bind' | 'hash'
  /** A password that was right by bind is kept here for good, and the source not asked about it again. */
  readonly adoptPasswords?: true
  /** Its groups are ours as well: addresses that lead to their members. */
  readonly groups?: true
}

export interface SourceServer {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
}

/** What a source says of an account of ours, and by which entry. */
export interface Origin {
  readonly source: string
  /** `attribute=value` of what the entry is known by. */
  readonly key: string
  readonly dn: string
  /** The last change of the entry that changed something here, where the source numbers them (entryCSN). */
  readonly csn?: string
  /** Tells a hash that stood there from another, where it became the password. */
  readonly hashMark?: string
  /** The password that is right there has become one of ours. */
  readonly isAdopted?: true
}

const PORTS = { ldap: 389, ldaps: 636 } as const
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/

/**
 * `ldaps://HOST[:PORT]`, or `ldap://HOST[:PORT]`, which goes on by STARTTLS except on this machine
 * itself. Undefined for any other text.
 */
export function parseSourceUrl(text: string): SourceServer | undefined {
  const match = /^(ldaps?):\/\/(?:\[([0-9a-f:.]+)\]|([^\s:/?#[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text)
  if (match === null) return undefined
  const scheme = match[1]!.toLowerCase() as keyof typeof PORTS
  const host = (match[2] ?? match[3]!).toLowerCase()
  const port = match[4] === undefined ? PORTS[scheme] : Number(match[4])
  if (port < 1 || port > 65_535) return undefined
  if (scheme === 'ldaps') return { host, port, tls: 'implicit' }
  return { host, port, tls: LOOPBACK.test(host) ? 'none' : 'starttls' }
}

export const formatSourceUrl = ({ host, port, tls }: SourceServer): string =>
  `${tls === 'implicit' ? 'ldaps' : 'ldap'}://${host.includes(':') ? `[${host}]` : host}:${port}`
