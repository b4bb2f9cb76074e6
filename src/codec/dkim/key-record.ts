import { asciiLower } from '#base/text.ts'

/** What a key record in the name service says (RFC 6376 §3.6.1). */
export interface KeyRecord {
  readonly keyType: string
  /** Base64 without blanks; empty: the key was revoked. */
  readonly publicKey: string
  /** Hashes that it may be used with; absent: all. */
  readonly hashes?: readonly string[]
  /** What it may sign; absent: all. */
  readonly services?: readonly string[]
  readonly flags: readonly string[]
}

/** Characters of one string of a TXT record. */
const STRING_LENGTH_MAX = 255
/** Longer than any record that a name server answers with. */
const RECORD_LENGTH_MAX = 65_535

export const renderKeyRecord = (key: Pick<KeyRecord, 'keyType' | 'publicKey'>): string =>
  `v=DKIM1; k=${key.keyType}; p=${key.publicKey}`

/** The strings that a record is published as, each in quotes, as files of zones have them. */
export const zoneStrings = (record: string): string =>
  (record.match(new RegExp(`.{1,${STRING_LENGTH_MAX}}`, 'g')) ?? [])
    .map((part) => `"${part}"`)
    .join(' ')

/** Undefined for a text that is no key record. */
export function parseKeyRecord(text: string): KeyRecord | undefined {
  if (text.length > RECORD_LENGTH_MAX) return undefined
  const tags = new Map<string, string>()
  for (const [at, part] of text.split(';').entries()) {
    const equals = part.indexOf('=')
    if (equals < 0) {
      if (part.trim() !== '') return undefined
      continue
    }
    const name = part.slice(0, equals).trim()
    const value = part.slice(equals + 1).trim()
    // RFC 6376 §3.2: no tag twice; §3.6.1: v is the first, where it is there.
    if (tags.has(name) || (name === 'v' && (at > 0 || value !== 'DKIM1'))) return undefined
    tags.set(name, value)
  }
  const publicKey = tags.get('p')
  if (publicKey === undefined) return undefined
  const hashes = listOf(tags.get('h'))
  const services = listOf(tags.get('s'))
  return {
    keyType: asciiLower(tags.get('k') ?? 'rsa'),
    publicKey: publicKey.replaceAll(/[ \t\r\n]+/g, ''),
    ...(hashes && { hashes }),
    ...(services && { services }),
    flags: listOf(tags.get('t')) ?? [],
  }
}

const listOf = (text: string | undefined): readonly string[] | undefined =>
  text?.split(':').map((each) => asciiLower(each.trim()))
