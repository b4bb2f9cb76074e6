import { timeOf } from '#base/id.ts'
import { ENTERPRISE_USER, USER, WATARI_USER } from '#codec/scim/user-schema.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId, Alias } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { roleOf } from '#model/role.ts'
import { groupId, groupName } from './group-shown.ts'
import type { View } from './resource-kind.ts'

/** An account as SCIM shows it (RFC 7643 §4.1); hashes of its password never are. */
export function shownUser(
  account: Account,
  groups: readonly Alias[],
  { now, base }: View,
): JsonObject {
  const { profile = {}, name, externalId } = account
  const created = timeOf(account.id)
  const enterprise = shownEnterprise(account, now.account.bind(now), base)
  return {
    schemas: [USER, ...(enterprise === undefined ? [] : [ENTERPRISE_USER]), WATARI_USER],
    id: account.id,
    ...(externalId !== undefined && { externalId }),
    userName: formatAddress(mainAddressOf(account)),
    ...shownName(account),
    ...(name !== undefined && { displayName: name }),
    ...(profile.title !== undefined && { title: profile.title }),
    ...(profile.language !== undefined && { preferredLanguage: profile.language }),
    active: !account.disabled,
    emails: shownEmails(account),
    ...(groups.length > 0 && {
      groups: groups.map((group) => ({
        value: groupId(group),
        $ref: `${base}/Groups/${encodeURIComponent(groupId(group))}`,
        display: groupName(group),
        type: 'direct',
      })),
    }),
    ...(roleOf(account) !== 'user' && { roles: [{ value: roleOf(account) }] }),
    ...(enterprise !== undefined && { [ENTERPRISE_USER]: enterprise }),
    [WATARI_USER]: shownOurs(account, now.forward(account.id)),
    meta: {
      resourceType: 'User',
      ...(created !== undefined && { created: new Date(created).toISOString() }),
      location: `${base}/Users/${account.id}`,
    },
  }
}

function shownName({ name, profile: { familyName, givenName } = {} }: Account): {
  readonly name?: JsonObject
} {
  const whole = {
    ...(name !== undefined && { formatted: name }),
    ...(familyName !== undefined && { familyName }),
    ...(givenName !== undefined && { givenName }),
  }
  return Object.keys(whole).length === 0 ? {} : { name: whole }
}

/** The primary one first; userName's is always one of them. */
function shownEmails(account: Account): readonly Json[] {
  const main = formatAddress(mainAddressOf(account))
  const all = [main, ...account.addresses.map(formatAddress)]
  const shown = account.profile?.shownAddress ?? main
  const primary = all.includes(shown) ? shown : main
  return [primary, ...all.filter((each) => each !== primary)].map((value) =>
    value === primary
      ? { value, display: value, type: 'work', primary: true }
      : { value, display: value, type: 'other' },
  )
}

function shownEnterprise(
  { profile = {} }: Account,
  find: (id: AccountId) => Account | undefined,
  base: string,
): JsonObject | undefined {
  const { employeeNumber, costCenter, organization, division, department, manager } = profile
  const chief = manager === undefined ? undefined : find(manager as AccountId)
  const shown = {
    ...(employeeNumber !== undefined && { employeeNumber }),
    ...(costCenter !== undefined && { costCenter }),
    ...(organization !== undefined && { organization }),
    ...(division !== undefined && { division }),
    ...(department !== undefined && { department }),
    ...(manager !== undefined && {
      manager: {
        value: manager,
        ...(chief !== undefined && { $ref: `${base}/Users/${chief.id}` }),
        ...(chief?.name !== undefined && { displayName: chief.name }),
      },
    }),
  }
  return Object.keys(shown).length === 0 ? undefined : shown
}

function shownOurs(
  account: Account,
  forward: { readonly to: Account['addresses']; readonly keep: boolean } | undefined,
): JsonObject {
  const { quota, reading, formerNames, tags, startsOn, expiresOn, origins } = account
  return {
    ...(quota?.bytes !== undefined && { quotaBytes: quota.bytes }),
    ...(quota?.messages !== undefined && { quotaMessages: quota.messages }),
    ...(forward !== undefined && {
      forwardTo: forward.to.map(formatAddress),
      forwardKeep: forward.keep,
    }),
    ...(account.delegated.length > 0 && { delegated: account.delegated.map(formatAddress) }),
    ...(reading !== undefined && { reading }),
    ...(formerNames !== undefined && { formerNames }),
    ...(tags !== undefined && { tags }),
    ...(startsOn !== undefined && { startsOn }),
    ...(expiresOn !== undefined && { expiresOn }),
    ...(origins !== undefined &&
      account.isGone !== true && { sources: origins.map(({ source }) => source) }),
  }
}
