import type { Account, AccountId } from '#model/account.ts'
import { addressKey, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory, DirectoryRow } from '#store/directory/directory.ts'

/** The address in `text`; throws where it is none. */
export function addr(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error}`)
  return parsed.value
}

export function fakeAccount(text: string, further: readonly string[] = []): Account {
  const { localpart, domain } = addr(text)
  return {
    id: `id-${text}` as AccountId,
    username: localpart,
    domain,
    admin: false,
    disabled: false,
    credentialVersion: 1,
    addresses: further.map(addr),
    delegated: [],
  }
}

/** A Directory of the given rows, for tests. */
export function fakeDirectory(rows: readonly DirectoryRow[]): Directory {
  const of = <K extends DirectoryRow['kind']>(kind: K) =>
    rows.filter((row): row is Extract<DirectoryRow, { kind: K }> => row.kind === kind)
  const domains = of('domain').map((row) => row.domain)
  const accounts = of('account').map((row) => row.account)
  const aliases = of('alias').map((row) => row.alias)
  const forwards = of('forward').map((row) => row.forward)
  const routes = of('route').map((row) => row.route)
  const byAddress = (address: Address) => {
    const key = addressKey(address)
    return accounts.find((account) =>
      [{ localpart: account.username, domain: account.domain }, ...account.addresses].some(
        (own) => addressKey(own) === key,
      ),
    )
  }
  return {
    seq: rows.length,
    defaultDomain: domains[0]?.name,
    scram: { lacking: accounts.length, iterations: new Map() },
    domain: (name) => domains.find((domain) => domain.name === name),
    domains: () => domains,
    account: (id) => accounts.find((account) => account.id === id),
    accounts: () => accounts,
    byLogin: (login) =>
      accounts.find((account) => account.username === login) ??
      (login.includes('@') ? byAddress(addr(login)) : undefined),
    byAddress,
    byExternalId: (id) => accounts.find(({ externalId }) => externalId === id),
    alias: (address) => aliases.find((alias) => addressKey(alias.from) === addressKey(address)),
    aliases: () => aliases,
    forward: (id) => forwards.find((forward) => forward.accountId === id),
    forwards: () => forwards,
    route: (match) => routes.find((route) => route.match === match),
    routes: () => routes,
    source: (name) => of('source').find((row) => row.source.name === name)?.source,
    sources: () => of('source').map((row) => row.source),
  }
}
