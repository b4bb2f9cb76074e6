import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { search } from '#client/ldap/search.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { equal } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import { replicatorPassword } from '#engine/home/base-entries.ts'
import type { HomePlace } from '#engine/home/ldap-home.ts'
import { serviceDn } from '#engine/home/provision-plan.ts'
import { provision } from '#engine/home/provision.ts'
import { rowOf } from '#engine/home/row-entry.ts'
import { SCRIPT_CLASS } from '#engine/home/schema.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { startDebianSlapd } from './slapd-debian.ts'
import type { DebianSlapd } from './slapd-debian.ts'

/** A provider and a replica of Debian, set up to be a home. */
export interface LdapServers {
  readonly provider: DebianSlapd
  readonly replica: DebianSlapd
  readonly place: HomePlace
  readonly password: string
  stop(): Promise<void>
}

const SUFFIX = 'dc=campus,dc=example'
export const HOME_BASE = `ou=watari,${SUFFIX}`
const PASSWORD = 'サービス & "秘密"'

const atHost = ({ port, ca }: DebianSlapd): LdapServer => ({
  host: 'localhost',
  port,
  tls: 'starttls',
  ca,
})

export async function startLdapServers(): Promise<LdapServers> {
  const [provider, replica] = await Promise.all([
    startDebianSlapd(SUFFIX),
    startDebianSlapd(SUFFIX),
  ])
  const password = fromUtf8(PASSWORD)
  const local = (slapd: DebianSlapd) => ({
    server: { ...atHost(slapd), tls: 'none' as const, path: slapd.socket },
    admin: { kind: 'external' } as const,
  })
  await provision({
    provider: local(provider),
    replicas: [local(replica)],
    base: HOME_BASE,
    password,
    follows: {
      url: provider.url,
      password: replicatorPassword(password),
      tls: `starttls=critical tls_cacert=${provider.caFile} tls_reqcert=demand`,
    },
    clock: systemClock,
  })
  return {
    provider,
    replica,
    password: PASSWORD,
    place: {
      provider: atHost(provider),
      replicas: [atHost(replica)],
      base: HOME_BASE,
      bind: {
        dn: serviceDn(HOME_BASE),
        passwordBase64: Buffer.from(password).toString('base64'),
      },
    },
    stop: async () => {
      await Promise.all([provider.stop(), replica.stop()])
    },
  }
}

const TIMES = { connectMs: 5_000, answerMs: 20_000, besideMs: 5_000 }

/** As whoever changes rows there without us: root on the machine of the server. */
export async function asRoot<T>(
  slapd: DebianSlapd,
  work: (connection: LdapConnection) => Promise<T>,
): Promise<T> {
  const server = { ...atHost(slapd), tls: 'none' as const, path: slapd.socket }
  const connection = await LdapConnection.open(server, { clock: systemClock, times: TIMES })
  try {
    await bind(connection, { kind: 'external' })
    return await work(connection)
  } finally {
    connection.close()
  }
}

/** All entries of rows below the base, and what is under way. */
export const entriesOf = (slapd: DebianSlapd): Promise<readonly DirectoryEntry[]> =>
  found(slapd, { kind: 'present', type: 'watariKey' })

/** As a program that knows groups looks for them. */
export const groupsOf = (slapd: DebianSlapd): Promise<readonly DirectoryEntry[]> =>
  found(slapd, equal('objectClass', 'groupOfNames'))

/** Scripts of an account, as they lie below it. */
export const scriptEntriesOf = async (
  slapd: DebianSlapd,
  accountId: string,
): Promise<readonly DirectoryEntry[]> =>
  (await found(slapd, equal('objectClass', SCRIPT_CLASS))).filter(({ dn }) =>
    dn.includes(`watariKey=account:${accountId},`),
  )

async function found(slapd: DebianSlapd, filter: Filter): Promise<readonly DirectoryEntry[]> {
  return asRoot(slapd, async (connection) => {
    const found: DirectoryEntry[] = []
    const ask = { base: HOME_BASE, scope: 'subtree', filter, attributes: ['*'] } as const
    for await (const entry of search(connection, ask)) found.push(entry)
    return found
  })
}

export async function rowsOf(slapd: DebianSlapd): Promise<ReadonlyMap<string, DirectoryRow>> {
  const rows = new Map<string, DirectoryRow>()
  for (const entry of await entriesOf(slapd)) {
    const read = rowOf(entry)
    if (!read.ok) throw new Error(`${entry.dn}: ${read.error}`)
    rows.set(read.value.key, read.value.row)
  }
  return rows
}
