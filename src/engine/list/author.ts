import { fromLatin1, toUtf8 } from '#base/octets.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import type { AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Verdict } from '#model/verdict.ts'

/**
 * Who wrote a mail, and how sure that is. proved: by a login, or by a domain that vouches for its own
 * mail · claimed: nobody speaks for it or against it · failed: it may be anybody.
 */
export interface PostAuthor {
  readonly address: Address
  readonly name?: string
  readonly standing: 'proved' | 'claimed' | 'failed'
  /** Who logged in. */
  readonly accountId?: AccountId
}

/** Authors that a From field may name; posts of several have one of them, which nobody can choose. */
const AUTHORS_MAX = 10

/**
 * The author by From (RFC 5322 §3.6.2); undefined where it names none. `isOurs`: a domain of ours, whose
 * people log in to send: mail in their names that comes in from outside is nobody's word.
 */
export function postAuthor(
  fields: readonly HeaderField[],
  verdict: Verdict | undefined,
  isOurs: (domain: string) => boolean,
): PostAuthor | undefined {
  const from = fields.filter(({ key }) => key === 'from')
  const named = from.flatMap(({ value }) =>
    parseAddressList(toUtf8(fromLatin1(value)), AUTHORS_MAX).flatMap(({ name, mailbox, host }) => {
      const address = parseAddress(`${mailbox ?? ''}@${host ?? ''}`)
      return address.ok ? [{ address: address.value, name: shown(name) }] : []
    }),
  )
  const [first] = named
  if (first === undefined) return undefined
  const { address, name } = first
  const accountId = verdict?.submittedBy
  return {
    address,
    ...(name !== '' && { name }),
    ...(accountId !== undefined && { accountId }),
    standing:
      named.length > 1 || from.length > 1 ? severalOf(verdict) : standing(address, verdict, isOurs),
  }
}

/** The doors have looked at each of them where somebody logged in; else one may hide another. */
const severalOf = (verdict: Verdict | undefined): PostAuthor['standing'] =>
  verdict?.submittedBy === undefined ? 'failed' : 'proved'

function standing(
  { domain }: Address,
  verdict: Verdict | undefined,
  isOurs: (domain: string) => boolean,
): PostAuthor['standing'] {
  // A gateway of others, which the settings name, has judged it: its word is that it came through.
  if (verdict === undefined) return 'claimed'
  if (verdict.submittedBy !== undefined) return 'proved'
  const dmarc = verdict.auth.find(({ method }) => method === 'dmarc')?.result
  if (dmarc === 'pass') return 'proved'
  if (isOurs(domain) || (dmarc !== undefined && dmarc !== 'none')) return 'failed'
  // What was not asked says nothing: neither for it nor, where judging is off, against it.
  return verdict.degraded.some((what) => what === 'dns' || what === 'sender') ? 'failed' : 'claimed'
}

const shown = (name: string | undefined): string =>
  decodeWords(name ?? '')
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, 200)
