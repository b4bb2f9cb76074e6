import type { Command } from 'commander'
import { LF } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { counted } from '#base/text.ts'
import { systemClock } from '#base/time.ts'
import type { LdapIdentity } from '#client/ldap/bind.ts'
import { serverName } from '#client/ldap/server.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { baseEntries, replicatorPassword } from '#engine/home/base-entries.ts'
import { NotReady, asInstalled, ldifOf, planServer } from '#engine/home/provision-plan.ts'
import type { Intent } from '#engine/home/provision-plan.ts'
import { checkServers, provision } from '#engine/home/provision.ts'
import type { CheckedHost, Provisioned } from '#engine/home/provision.ts'
import { formatSourceUrl, parseSourceUrl } from '#model/source.ts'
import { verbOf } from './context.ts'
import type { Verb } from './context.ts'
import { octetsOf, passwordBase64, textOf } from './files.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'
import { collect } from './lists.ts'

/** Servers of OpenLDAP made ready to be the home of mail data. */
export function directoryProvisionCommand(
  directory: Command,
  io: CliIo,
  ownBase: (verb: Verb) => Promise<string>,
): void {
  directory
    .command('provision')
    .description(
      "set up OpenLDAP servers (Debian's slapd) as the home of mail data, and check them",
    )
    .requiredOption('--provider <host>', 'HOST, ldap(s)://HOST[:PORT] or ldapi:///[PATH]')
    .option('--replica <host>', 'again for each', collect, [])
    .option('--base <dn>', 'where rows lie; else ou=watari below the default domain')
    .option('--password-stdin', 'read the password of the service account from standard input')
    .option('--admin <dn>', 'who may change cn=config; else who root is on the socket (ldapi)')
    .option('--admin-password-file <file>', 'the password of --admin')
    .option('--ca <file>', 'certificates in PEM that alone are trusted here')
    .option('--follow <url>', 'how replicas reach the provider; else as it is reached from here')
    .option('--replica-ca <path>', 'the file of trusted certificates on the replicas', SYSTEM_CA)
    .option('--plain', 'without TLS, also to another machine')
    .option('--print', 'write LDIF for Debian as it is installed, and touch no server')
    .option('--check', 'only look how the servers are')
    .action(async (options: ProvisionOptions, command: Command) => {
      const verb = verbOf(command, io)
      const base = options.base ?? `ou=watari,${await ownBase(verb)}`
      await run(verb, { options, base, password: await passwordOf(verb, options) })
    })
}

const SYSTEM_CA = '/etc/ssl/certs/ca-certificates.crt'

interface ProvisionOptions {
  readonly provider: string
  readonly replica: readonly string[]
  readonly base?: string
  readonly passwordStdin?: boolean
  readonly admin?: string
  readonly adminPasswordFile?: string
  readonly ca?: string
  readonly follow?: string
  readonly replicaCa: string
  readonly plain?: boolean
  readonly print?: boolean
  readonly check?: boolean
}

interface Plan {
  readonly options: ProvisionOptions
  readonly base: string
  readonly password: Octets
}

async function run(verb: Verb, plan: Plan): Promise<void> {
  const { options, base, password } = plan
  if (!/^ou=[^,]+,./i.test(base) || /["\n\r]/.test(base))
    throw new UsageError('--base is an organizational unit: ou=watari,dc=campus,dc=example')
  if (options.print === true) return print(verb, plan)
  const ca = options.ca === undefined ? undefined : await textOf(verb.io, options.ca)
  const serverOf = (text: string): LdapServer => serverAt(text, { ...options, ca })
  const provider = serverOf(options.provider)
  const replicas = options.replica.map(serverOf)
  try {
    const done =
      options.check === true
        ? []
        : await provision({
            provider: { server: provider, admin: await adminOf(verb, options, provider) },
            replicas: await Promise.all(
              replicas.map(async (server) => ({
                server,
                admin: await adminOf(verb, options, server),
              })),
            ),
            base,
            password,
            follows: followsOf(plan),
            clock: systemClock,
          })
    const checked = await checkServers({ provider, replicas, base, password, clock: systemClock })
    tell(verb, { base, done, checked })
  } catch (thrown) {
    if (thrown instanceof NotReady)
      throw new CliError('invalid', thrown.message, 'Do that on the server, then run this again.')
    if (!isFault(thrown)) throw thrown
    throw new CliError(
      thrown.code,
      thrown.message,
      'What was done stays; run this again when that is mended, or give the LDIF of --print to whoever runs the server.',
    )
  }
}

function tell(
  verb: Verb,
  {
    base,
    done,
    checked,
  }: {
    readonly base: string
    readonly done: readonly Provisioned[]
    readonly checked: readonly CheckedHost[]
  },
): void {
  const stepsOf = (server: LdapServer): number =>
    done.find((each) => each.server === server)?.steps.length ?? 0
  const hosts = checked.map(({ server, ...rest }) => ({
    host: serverName(server),
    steps: stepsOf(server),
    ...rest,
  }))
  verb.show({ base, hosts }, () =>
    table(
      ['HOST', 'DONE', 'STATE', 'LAG', 'CONTEXTCSN', ''],
      hosts.map(({ host, steps, isThere, lagMs, contextCsn, error }) => [
        host,
        counted(steps, 'step'),
        isThere ? 'well' : 'away',
        lagMs === undefined ? undefined : `${Math.round(lagMs)} ms`,
        contextCsn,
        error,
      ]),
    ),
  )
  const [provider, ...replicas] = checked
  const lagging = replicas.find(({ lagMs }) => lagMs === undefined)
  if (provider?.isThere === false)
    throw new CliError(
      'unavailable',
      `the provider is away, and ${counted(replicas.filter(({ isThere }) => isThere).length, 'replica')} of ${replicas.length} can be read`,
      'Nothing can be changed until it is back.',
    )
  if (lagging !== undefined)
    throw new CliError(
      'unavailable',
      `${serverName(lagging.server)} does not follow the provider`,
      `Look into its log for do_syncrepl: it has to reach the provider, and to trust its certificate.`,
    )
}

async function passwordOf(verb: Verb, options: ProvisionOptions): Promise<Octets> {
  if (options.passwordStdin !== true)
    throw new UsageError('give the password of the service account with --password-stdin')
  const password = Buffer.from(await passwordBase64(verb.io), 'base64')
  if (password.length === 0) throw new UsageError('the password of the service account is empty')
  return password
}

async function adminOf(
  verb: Verb,
  { admin, adminPasswordFile }: ProvisionOptions,
  server: LdapServer,
): Promise<LdapIdentity> {
  if (server.path !== undefined) return { kind: 'external' }
  if (admin === undefined || adminPasswordFile === undefined)
    throw new UsageError(
      `${serverName(server)} is another machine: give --admin DN with --admin-password-file FILE, or --print`,
    )
  const octets = await octetsOf(verb.io, adminPasswordFile)
  const password = octets.at(-1) === LF ? octets.subarray(0, -1) : octets
  return { kind: 'simple', dn: admin, password }
}

const DEFAULT_SOCKET = '/var/run/slapd/ldapi'

function serverAt(
  text: string,
  { ca, plain }: { readonly ca: string | undefined; readonly plain?: boolean },
): LdapServer {
  const local = /^ldapi:\/\/([^/]*)\/?(.*)$/i.exec(text)
  if (local !== null) {
    const path =
      decodeURIComponent(local[1]!) || (local[2] === '' ? DEFAULT_SOCKET : `/${local[2]}`)
    return { host: 'localhost', port: 0, tls: 'none', path }
  }
  const server = parseSourceUrl(text.includes('://') ? text : `ldap://${text}`)
  if (server === undefined)
    throw new UsageError(`${text} is no host: give HOST, ldaps://HOST[:PORT] or ldapi:///`)
  return {
    ...server,
    ...(plain === true && server.tls === 'starttls' && { tls: 'none' as const }),
    ...(ca !== undefined && { ca }),
  }
}

/** As replicas see the provider. */
function followsOf({ options, password }: Plan): NonNullable<Intent['follows']> {
  const { follow, provider, replicaCa, plain } = options
  if (follow === undefined && /^ldapi:/i.test(provider) && options.replica.length > 0)
    throw new UsageError('give --follow URL: replicas cannot use the socket of the provider')
  const text = follow ?? provider
  const server = parseSourceUrl(text.includes('://') ? text : `ldap://${text}`)
  if (server === undefined && options.replica.length > 0)
    throw new UsageError(`${text} is no place of a directory: give --follow ldap://HOST`)
  const trust = `tls_cacert=${replicaCa} tls_reqcert=demand`
  // This machine is reached without TLS, unless a way for replicas is given, which has to be safe.
  const tls = server?.tls === 'implicit' ? trust : `starttls=critical ${trust}`
  return {
    url: server === undefined ? '' : formatSourceUrl(server),
    password: replicatorPassword(password),
    tls: plain === true || (follow === undefined && server?.tls === 'none') ? '' : tls,
  }
}

const EXTERNAL = 'gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth'

async function print(verb: Verb, plan: Plan): Promise<void> {
  const { base, password } = plan
  const config = asInstalled(base.slice(base.indexOf(',') + 1))
  const provider = ldifOf([
    ...planServer(config, { base, admin: EXTERNAL }),
    ...(await baseEntries(base, password)).map((entry) => ({ kind: 'add', entry }) as const),
  ])
  const replica =
    plan.options.replica.length === 0
      ? undefined
      : ldifOf(planServer(config, { base, admin: EXTERNAL, follows: followsOf(plan) }))
  verb.show({ base, provider, ...(replica !== undefined && { replica }) }, () =>
    [
      `# On ${plan.options.provider}, as root: ldapmodify -Y EXTERNAL -H ldapi:/// -f FILE\n\n${provider}`,
      ...(replica === undefined
        ? []
        : [
            `# On ${plan.options.replica.join(', ')}, each with a database of the same suffix\n\n${replica}`,
          ]),
    ].join(''),
  )
}
