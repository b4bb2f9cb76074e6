/** What `require` may name, with what it brings. The one list for checking, running and capability lines. */
export const SIEVE_EXTENSIONS = {
  fileinto: 'RFC 5228 §4.1',
  envelope: 'RFC 5228 §5.4',
  'encoded-character': 'RFC 5228 §2.4.2.4',
  'comparator-i;octet': 'RFC 5228 §2.7.3',
  'comparator-i;ascii-casemap': 'RFC 5228 §2.7.3',
  'comparator-i;ascii-numeric': 'RFC 4790 §9.1',
  reject: 'RFC 5429 §2.2',
  ereject: 'RFC 5429 §2.1',
  copy: 'RFC 3894',
  mailbox: 'RFC 5490 §3',
  relational: 'RFC 5231',
  spamtest: 'RFC 5235 §3.1',
  subaddress: 'RFC 5233',
  imap4flags: 'RFC 5232',
} as const
export type SieveExtension = keyof typeof SIEVE_EXTENSIONS

export const isSieveExtension = (name: string): name is SieveExtension =>
  Object.hasOwn(SIEVE_EXTENSIONS, name)
