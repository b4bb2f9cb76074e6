import type { Octets } from '#base/octets.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import type { LdapIdentity } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { ENTRY_EXISTS, resultFault } from '#client/ldap/results.ts'
import { search } from '#client/ldap/search.ts'
import { serverName } from '#client/ldap/server.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import { baseEntries, replicatorPassword } from './base-entries.ts'
import { planServer, replicatorDn, serviceDn } from './provision-plan.ts'
import { made } from './entry.ts'
import type { Intent, Step } from './provision-plan.ts'

/** One server to set up, and who may change its configuration. */
export interface ProvisionedHost {
  readonly server: LdapServer
  readonly admin: LdapIdentity
}

/** A change of a configuration may have indexes made of all that lies there. */
const TIMES = { connectMs: 5_000, answerMs: 60_000, besideMs: 5_000 }
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3'

/** What was done to a server; nothing where it was set up already. */
export interface Provisioned {
  readonly server: LdapServer
  readonly steps: readonly Step[]
}

/**
 * Sets up a provider and its replicas, the provider first; run again it does what is left. Throws
 * NotReady, and the connection's faults.
 */
export async function provision(plan: {
  readonly provider: ProvisionedHost
  readonly replicas: readonly ProvisionedHost[]
  readonly base: string
  /** Of the service account. */
  readonly password: Octets
  readonly follows: NonNullable<Intent['follows']>
  readonly clock: Clock
}): Promise<readonly Provisioned[]> {
  const { base, password, clock } = plan
  const provider = await withAdmin(
    plan.provider,
    clock,
    async (connection, admin): Promise<readonly Step[]> => [
      ...(await configured(connection, { base, admin })),
      ...(await foldersMade(connection, base, password)),
    ],
  )
  await passwordsSet(plan.provider, plan)
  const done: Provisioned[] = [{ server: plan.provider.server, steps: provider }]
  for (const replica of plan.replicas) {
    const steps = await withAdmin(replica, clock, (connection, admin) =>
      configured(connection, { base, admin, follows: plan.follows }),
    )
    done.push({ server: replica.server, steps })
  }
  return done
}

async function withAdmin<T>(
  { server, admin }: ProvisionedHost,
  clock: Clock,
  work: (connection: LdapConnection, dn: string) => Promise<T>,
): Promise<T> {
  const connection = await LdapConnection.open(server, { clock, times: TIMES })
  try {
    if (!(await bind(connection, admin)))
      throw new Fault(
        'invalid',
        `${serverName(server)}: the name or password to bind with is wrong`,
      )
    const { value } = await connection.ask({ op: 'extended', oid: WHO_AM_I }) // RFC 4532
    return await work(connection, value === undefined ? '' : toUtf8(value).replace(/^dn:/, ''))
  } finally {
    connection.close()
  }
}

async function configured(connection: LdapConnection, intent: Intent): Promise<readonly Step[]> {
  const config: DirectoryEntry[] = []
  const ask = {
    base: 'cn=config',
    scope: 'subtree',
    filter: { kind: 'present', type: 'objectClass' },
    attributes: [],
  } as const
  for await (const entry of search(connection, ask)) config.push(entry)
  const steps = planServer(config, intent)
  for (const step of steps) await take(connection, step)
  return steps
}

async function foldersMade(
  connection: LdapConnection,
  base: string,
  password: Octets,
): Promise<readonly Step[]> {
  const steps: Step[] = []
  for (const entry of await baseEntries(base, password)) {
    const step = { kind: 'add', entry } as const
    if (await take(connection, step)) steps.push(step)
  }
  return steps
}

/** False where it is there already. */
async function take(connection: LdapConnection, step: Step): Promise<boolean> {
  const { result } =
    step.kind === 'add'
      ? await connection.ask({ op: 'add', ...step.entry })
      : await connection.ask({ op: 'modify', dn: step.dn, changes: step.changes })
  if (result.code === 0) return true
  if (step.kind === 'add' && result.code === ENTRY_EXISTS) return false
  const fault = resultFault(connection.server, result)
  const dn = step.kind === 'add' ? step.entry.dn : step.dn
  throw new Fault(fault.code, `${fault.message} (${dn})`)
}

/** Accounts that were there before have these passwords from now on. */
async function passwordsSet(
  host: ProvisionedHost,
  plan: { readonly base: string; readonly password: Octets; readonly clock: Clock },
): Promise<void> {
  const { base, password, clock } = plan
  const logins = [
    [serviceDn(base), password],
    [replicatorDn(base), fromUtf8(replicatorPassword(password))],
  ] as const
  const entries = await baseEntries(base, password)
  for (const [dn, secret] of logins) {
    const connection = await LdapConnection.open(host.server, { clock, times: TIMES })
    const isRight = await bind(connection, { kind: 'simple', dn, password: secret }).finally(() =>
      connection.close(),
    )
    if (isRight) continue
    const hash = entries
      .find((entry) => entry.dn === dn)!
      .attributes.filter(({ type }) => type === 'userPassword')
    await withAdmin(host, clock, (admin) =>
      take(admin, {
        kind: 'modify',
        dn,
        changes: hash.map((each) => ({ kind: 'replace', ...each })),
      }),
    )
  }
}

/** How a server of a home is, seen by the service account. */
export interface CheckedHost {
  readonly server: LdapServer
  readonly isThere: boolean
  readonly error?: string
  /** How far its copy goes. */
  readonly contextCsn?: string
  /** How long an entry took from the provider to here; absent: it has not come, or there is no provider. */
  readonly lagMs?: number
}

const CHECK_TIMES = { connectMs: 3_000, answerMs: 5_000, besideMs: 3_000 }
const LAG_MAX_MS = 15_000
const LOOK_EVERY_MS = 50

/**
 * Writes an entry to the provider, waits for it at each replica, and takes it away. Where the provider
 * is away it tells so and looks whether the replicas answer: that is what people live on then.
 */
export async function checkServers(plan: {
  readonly provider: LdapServer
  readonly replicas: readonly LdapServer[]
  readonly base: string
  readonly password: Octets
  readonly clock: Clock
}): Promise<readonly CheckedHost[]> {
  const { base, password, clock } = plan
  const as = { kind: 'simple', dn: serviceDn(base), password } as const
  const startMs = clock.monotonicMs()
  const opened = async (server: LdapServer): Promise<Opened> => {
    try {
      const connection = await LdapConnection.open(server, { clock, times: CHECK_TIMES })
      // A replica that was just set up has nobody yet.
      for (;;) {
        if (await bind(connection, as)) return { server, connection }
        if (server === plan.provider || clock.monotonicMs() - startMs > LAG_MAX_MS) break
        await pause(clock)
      }
      connection.close()
      return { server, error: 'the service account is not known there, or has another password' }
    } catch (thrown) {
      if (thrown instanceof Fault) return { server, error: thrown.message }
      throw thrown
    }
  }
  const hosts = await Promise.all([plan.provider, ...plan.replicas].map(opened))
  try {
    const [provider, ...replicas] = hosts as [Opened, ...Opened[]]
    const key = `check:${clock.nowMs()}`
    const dn = `watariKey=${key},${base}`
    const writer = provider.connection
    if (writer !== undefined)
      await take(writer, {
        kind: 'add',
        entry: made(dn, { objectClass: ['watariObject'], watariKey: [key] }),
      })
    const sinceMs = clock.monotonicMs()
    const lags = await Promise.all(
      replicas.map(async ({ connection }) =>
        writer === undefined || connection === undefined
          ? undefined
          : arrival(connection, dn, { clock, startMs: sinceMs }),
      ),
    )
    if (writer !== undefined) {
      const { result } = await writer.ask({ op: 'delete', dn })
      if (result.code !== 0) throw resultFault(writer.server, result)
    }
    return await Promise.all(
      hosts.map(async ({ server, connection, error }, at) => {
        const csn = connection === undefined ? undefined : await contextCsn(connection, base)
        const lagMs = lags[at - 1]
        return {
          server,
          isThere: connection !== undefined,
          ...(error !== undefined && { error }),
          ...(csn !== undefined && { contextCsn: csn }),
          ...(lagMs !== undefined && { lagMs }),
        }
      }),
    )
  } finally {
    for (const { connection } of hosts) connection?.close()
  }
}

interface Opened {
  readonly server: LdapServer
  readonly connection?: LdapConnection
  readonly error?: string
}

async function arrival(
  connection: LdapConnection,
  dn: string,
  { clock, startMs }: { readonly clock: Clock; readonly startMs: number },
): Promise<number | undefined> {
  for (;;) {
    if ((await entryAt(connection, dn, [])) !== undefined) return clock.monotonicMs() - startMs
    if (clock.monotonicMs() - startMs > LAG_MAX_MS) return undefined
    await pause(clock)
  }
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => void clock.after(LOOK_EVERY_MS, resolve))

/** The number of the last change: at the entry that the database begins with. */
export async function contextCsn(
  connection: LdapConnection,
  base: string,
): Promise<string | undefined> {
  for (let dn = base; dn !== ''; dn = dn.replace(/^(?:\\.|[^,\\])*,?/s, '')) {
    const entry = await entryAt(connection, dn, ['contextCSN'])
    const values = entry?.attributes.find(({ type }) => type === 'contextCSN')?.values ?? []
    if (values.length > 0) return values.map(toUtf8).toSorted().at(-1)
  }
  return undefined
}

async function entryAt(
  connection: LdapConnection,
  base: string,
  attributes: readonly string[],
): Promise<DirectoryEntry | undefined> {
  const filter = { kind: 'present', type: 'objectClass' } as const
  try {
    for await (const entry of search(connection, { base, scope: 'base', filter, attributes }))
      return entry
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'notFound') throw thrown
  }
  return undefined
}
