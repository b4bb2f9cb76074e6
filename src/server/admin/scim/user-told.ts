import { isDeepStrictEqual } from 'node:util'
import { isObject, listOf } from '#codec/scim/json.ts'
import type { JsonObject } from '#codec/scim/json.ts'
import { Refused } from '#codec/scim/problem.ts'
import { ENTERPRISE_USER, WATARI_USER } from '#codec/scim/user-schema.ts'
import { renamed } from '#engine/people/account-change.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId, Forward } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { factsAfter, withoutFacts } from '#model/person-facts.ts'
import type { PersonFacts } from '#model/person-facts.ts'
import type { Profile } from '#model/profile.ts'
import type { Directory } from '#store/directory/directory.ts'
import { lower } from '#server/admin/lookup.ts'
import type { Secrets, Write } from './resource-kind.ts'
import { addressTold, compact, countIn, ownAddressTold, partOf, textIn, textsIn } from './told.ts'

/** The account and its forward as a client tells them; what SCIM does not know of stays. */
export function toldUser(
  { now, before, shown, told, secrets }: Omit<Write<Account>, 'request'>,
  newId: () => AccountId,
): { readonly account: Account; readonly forward: Forward | undefined } {
  const id = before?.id ?? newId()
  const main = mainTold(now, told)
  const emails = emailsTold({ now, before, shown, told, main })
  const name = nameTold(before, shown, told)
  const profile = profileTold(told, emails.shown)
  const ours = partOf(told, WATARI_USER)
  const quota = compact({
    bytes: countIn(ours, 'quotaBytes'),
    messages: countIn(ours, 'quotaMessages'),
    mailboxes: before?.quota?.mailboxes,
  })
  const active = typeof told['active'] === 'boolean' ? told['active'] : undefined
  const account: Account = {
    ...(before === undefined ? NEW : withoutTold(renamed(before, main, now.moment))),
    id,
    username: main.localpart,
    domain: main.domain,
    ...(name !== undefined && { name }),
    ...factsTold(told, ours),
    disabled: active === undefined ? (before?.disabled ?? false) : !active,
    ...secretsAfter(before, secrets),
    addresses: emails.addresses,
    delegated: textsIn(ours, 'delegated').map((text) => addressTold(now, text, 'delegated')),
    ...(profile !== undefined && { profile }),
    ...(quota !== undefined && { quota }),
  }
  return { account, forward: forwardTold(now, id, ours) }
}

const NEW = { admin: false } as const

/** What a client cannot tell anything of. */
function withoutTold(before: Account): Account {
  const { name: _, profile: __, quota: ___, credential: ____, scram: _____, ...rest } = before
  return withoutFacts(rest) as Account
}

function mainTold(now: Directory, told: JsonObject): Address {
  const userName = textIn(told, 'userName')
  if (userName === undefined) throw new Refused('invalidValue', 'a user has a userName')
  return ownAddressTold(now, lower(userName), 'userName')
}

/** One name is shown as two attributes: of the two, that which has changed counts. */
function nameTold(
  before: Account | undefined,
  shown: JsonObject | undefined,
  told: JsonObject,
): string | undefined {
  const display = textIn(told, 'displayName')
  const formatted = textIn(told['name'], 'formatted')
  if (display !== undefined && display !== textIn(shown, 'displayName')) return display
  if (formatted !== undefined && formatted !== textIn(shown?.['name'], 'formatted'))
    return formatted
  const made = composed(told)
  if (before === undefined || (display === undefined && formatted === undefined)) return made
  // A name that was put together of its parts changes with them.
  const isComposed = shown !== undefined && before.name === composed(shown)
  return isComposed && made !== undefined ? made : before.name
}

function composed({ name }: JsonObject): string | undefined {
  const family = textIn(name, 'familyName')
  const given = textIn(name, 'givenName')
  const parts = isFamilyFirst(family, given) ? [family, given] : [given, family]
  const whole = parts.filter((part) => part !== undefined).join(' ')
  return whole === '' ? undefined : whole
}

const isFamilyFirst = (...names: readonly (string | undefined)[]): boolean =>
  names.some(
    (name) =>
      name !== undefined &&
      /[\p{Script=Han}\p{Script=Hira}\p{Script=Kana}\p{Script=Hang}]/u.test(name),
  )

function emailsTold({
  now,
  before,
  shown,
  told,
  main,
}: Pick<Write<Account>, 'now' | 'before' | 'shown' | 'told'> & { readonly main: Address }): {
  readonly addresses: readonly Address[]
  readonly shown: string | undefined
} {
  const emails = listOf(told['emails']).map((email) => (isObject(email) ? email : {}))
  const former = before && mainAddressOf(before)
  const isMoved = former !== undefined && addressKey(former) !== addressKey(main)
  const isAsShown = isDeepStrictEqual(shown?.['emails'] ?? [], told['emails'] ?? [])
  const addresses = new Map<string, Address>()
  for (const email of emails) {
    const text = textIn(email, 'value')
    if (text === undefined) continue
    const address = ownAddressTold(now, text, 'emails')
    // Where userName alone was changed, the address that it was is not told anew.
    const isLeft = isMoved && isAsShown && addressKey(address) === addressKey(former)
    if (!isLeft && addressKey(address) !== addressKey(main))
      addresses.set(addressKey(address), address)
  }
  const primary = textIn(
    emails.find((email) => email['primary'] === true) ??
      emails.find((email) => textIn(email, 'type')?.toLowerCase() === 'work'),
    'value',
  )
  const chosen =
    primary === undefined
      ? undefined
      : addresses.get(addressKey(addressTold(now, primary, 'emails')))
  return { addresses: [...addresses.values()], shown: chosen && formatAddress(chosen) }
}

function profileTold(told: JsonObject, shownAddress: string | undefined): Profile | undefined {
  const { name, [ENTERPRISE_USER]: enterprise } = told
  return compact({
    familyName: textIn(name, 'familyName'),
    givenName: textIn(name, 'givenName'),
    title: textIn(told, 'title'),
    language: textIn(told, 'preferredLanguage'),
    employeeNumber: textIn(enterprise, 'employeeNumber'),
    costCenter: textIn(enterprise, 'costCenter'),
    organization: textIn(enterprise, 'organization'),
    division: textIn(enterprise, 'division'),
    department: textIn(enterprise, 'department'),
    manager: textIn(partOf(isObject(enterprise) ? enterprise : {}, 'manager'), 'value'),
    shownAddress,
  })
}

const factsTold = (told: JsonObject, ours: JsonObject): PersonFacts =>
  factsAfter(
    {},
    {
      externalId: textIn(told, 'externalId'),
      reading: textIn(ours, 'reading'),
      formerNames: textsIn(ours, 'formerNames'),
      tags: textsIn(ours, 'tags'),
      startsOn: textIn(ours, 'startsOn'),
      expiresOn: textIn(ours, 'expiresOn'),
    },
  )

function secretsAfter(
  before: Account | undefined,
  secrets: Secrets | undefined,
): Pick<Account, 'credential' | 'scram' | 'credentialVersion'> {
  if (secrets !== undefined)
    return { ...secrets, credentialVersion: (before?.credentialVersion ?? 0) + 1 }
  const { credential, scram, credentialVersion = 1 } = before ?? {}
  return {
    ...(credential !== undefined && { credential }),
    ...(scram !== undefined && { scram }),
    credentialVersion,
  }
}

function forwardTold(now: Directory, accountId: AccountId, ours: JsonObject): Forward | undefined {
  const to = textsIn(ours, 'forwardTo').map((text) => addressTold(now, text, 'forwardTo'))
  if (to.length === 0) return undefined
  return { accountId, to, keep: ours['forwardKeep'] !== false }
}
