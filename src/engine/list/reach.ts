import { DAY_MS } from '#base/time.ts'
import type { Address } from '#model/address.ts'
import { formatAddress } from '#model/address.ts'
import { isInAt, refKey } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'

import { resolveMembers } from './resolve.ts'
import type { Unresolved, UnresolvedMember } from './resolve.ts'

/** Whom a list reaches, each once, and what its owners should know of that. */
export interface Reach {
  /** Who gets each post. */
  readonly each: readonly Address[]
  /** Who gets digests. */
  readonly digest: readonly Address[]
  /** Members that lead to nobody, in words. */
  readonly unresolved: readonly string[]
  /** Members that are known as of before, since what their directory says now is not known, or not believed; in words. */
  readonly stale: readonly string[]
}

/** Whatever a filter's row says: control itself may be gone. */
const STALE_MS = DAY_MS
/** Lines of a notice; more help nobody. */
const SHOWN_MAX = 100
/** Those that mend themselves are no news. */
const TOLD: ReadonlySet<Unresolved> = new Set([
  'gone',
  'deleted',
  'left',
  'unknown',
  'empty',
  'tooMany',
])

export async function reachOf(
  list: MailingList,
  directory: Directory,
  atMs: number,
): Promise<Reach> {
  const { recipients, unresolved } = await resolveMembers(list.id, directory, atMs)
  const by = (delivery: string): Address[] =>
    recipients.filter((each) => each.delivery === delivery).map(({ address }) => address)
  return {
    each: by('each'),
    digest: by('digest'),
    unresolved: unresolved
      .filter(({ why, member }) => TOLD.has(why) || (why === 'notAsked' && member.trouble))
      .slice(0, SHOWN_MAX)
      .map((one) => `${nameOf(one, directory)}: ${one.member.trouble?.text ?? one.why}`),
    stale: directory
      .membersOfMany(list.id)
      .filter(({ who, terms }) => who.kind === 'filter' && isInAt(terms, atMs))
      .filter(
        ({ resolved, trouble }) =>
          resolved !== undefined &&
          (trouble !== undefined || atMs - Date.parse(resolved.asOf) > STALE_MS),
      )
      .map(({ who, resolved, trouble }) =>
        [`${refKey(who)}: ${resolved!.asOf}`, ...(trouble ? [`(${trouble.text})`] : [])].join(' '),
      )
      .take(SHOWN_MAX)
      .toArray(),
  }
}

function nameOf({ member: { who }, accountId }: UnresolvedMember, directory: Directory): string {
  if (who.kind === 'group' || who.kind === 'address') return formatAddress(who.address)
  if (who.kind === 'filter') return who.filter
  const list = who.kind === 'list' ? directory.list(who.id) : undefined
  if (list !== undefined) return formatAddress(list.address)
  const account = directory.account(accountId ?? who.id)
  return account === undefined ? (accountId ?? who.id) : `${account.username}@${account.domain}`
}
