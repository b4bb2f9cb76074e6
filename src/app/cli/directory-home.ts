import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { home, homeServers, writtenHome } from '#contract/admin/home.ts'
import type { HomeBody, HomeServersBody } from '#contract/admin/home.ts'
import { verbOf } from './context.ts'
import type { Verb } from './context.ts'
import { passwordBase64, textOf } from './files.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { collect } from './lists.ts'
import { fields, table } from './print.ts'

const PATH = '/directory/home'
const LOOK_MS = 200

/** Where the directory's own rows have their home: here, or on LDAP servers. */
export function directoryHomeCommands(
  directory: Command,
  io: CliIo,
  ownBase: (verb: Verb) => Promise<string>,
): void {
  const noun = directory.command('home').description('where rows have their home, here or on LDAP')
  noun
    .command('show')
    .description(
      'show where it is, how its servers are, and what others made there and is not taken',
    )
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(PATH, home)
      const { servers } = await verb.api.get(`${PATH}/servers`, homeServers)
      verb.show({ ...body, servers }, () => homeText(body, servers))
    })
  noun
    .command('ldap')
    .description('copy all rows to LDAP servers that provision has set up, compare, and live there')
    .requiredOption('--url <url>', 'the provider: ldaps://HOST[:PORT] or ldap://HOST[:PORT]')
    .option('--replica <url>', 'again for each', collect, [])
    .option('--base <dn>', 'where rows lie; else ou=watari below the default domain')
    .option('--bind <dn>', 'the service account; else cn=watari below the base')
    .option('--password-stdin', 'read its password from standard input')
    .option('--ca <file>', 'certificates in PEM that alone are trusted')
    .option('--plain', 'without TLS, also to another machine')
    .option('--adopt', 'entries there that are nobody here become rows')
    .action(async (options: HomeOptions, command: Command) => {
      const verb = verbOf(command, io)
      if (options.passwordStdin !== true)
        throw new UsageError('give the password of the service account with --password-stdin')
      const base = options.base ?? `ou=watari,${await ownBase(verb)}`
      const { url, replica, bind, ca, plain, adopt } = options
      await verb.api.put(PATH, writtenHome, {
        provider: url,
        replicas: replica,
        base,
        bindPasswordBase64: await passwordBase64(io),
        ...(bind !== undefined && { bindDn: bind }),
        ...(ca !== undefined && { ca: await textOf(io, ca) }),
        ...(plain === true && { plain }),
        ...(adopt === true && { adopt }),
      })
      const body = await moved(verb)
      verb.show(body, () => homeText(body))
    })
  noun
    .command('embedded')
    .description('live here again; LDAP servers keep what they have, and nobody listens to them')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(PATH, writtenHome)
      verb.wrote(body, () => homeText(body))
    })
  noun
    .command('accept')
    .description('take what is held: removals that are many, or a provider of an older backup')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`${PATH}/accept`, writtenHome)
      verb.wrote(body, () => homeText(body))
    })
}

interface HomeOptions {
  readonly url: string
  readonly replica: readonly string[]
  readonly base?: string
  readonly bind?: string
  readonly passwordStdin?: boolean
  readonly ca?: string
  readonly plain?: boolean
  readonly adopt?: boolean
}

/** Waits for the copy; however long it takes, it goes on without us. */
async function moved(verb: Verb): Promise<HomeBody> {
  let told = 0
  for (;;) {
    const body = await verb.api.get(PATH, home)
    if (body.kind === 'embedded')
      throw new CliError(
        'unavailable',
        body.error ?? 'the rows could not be copied',
        'The home is here as before. Run this again when that is mended: what is there already is not copied anew.',
      )
    if (body.state !== 'copying' && body.state !== 'starting') return body
    if (body.copied !== undefined && body.copied >= told + 10_000) {
      told = body.copied
      verb.progress(`${told.toLocaleString('en')} rows compared`)
    }
    // A wait that keeps the process: nothing else does.
    await sleep(LOOK_MS)
  }
}

function scriptsText({ scripts }: HomeBody): string | undefined {
  if (scripts === undefined) return undefined
  const { state, copied, waiting, error } = scripts
  return [
    state,
    ...(copied === undefined ? [] : [`${copied} accounts compared`]),
    ...(waiting > 0 ? [`${waiting} accounts wait`] : []),
    ...(error === undefined ? [] : [error]),
  ].join(', ')
}

const homeText = (body: HomeBody, servers: HomeServersBody['servers'] = []): string =>
  [
    fields([
      ['home', body.kind === 'embedded' ? 'here' : body.provider],
      ['replicas', body.replicas?.join(' ')],
      ['base', body.base],
      ['state', body.state],
      ['follows', body.follows],
      ['error', body.error],
      ['since', body.since],
      ['set by', body.by],
      ['last edit', body.wroteAt],
      ['last news', body.newsAt],
      ['waiting', body.waiting],
      ['scripts', scriptsText(body)],
    ]),
    servers.length === 0
      ? ''
      : `\n${table(
          ['SERVER', 'PART', 'STATE', 'LAG', 'CONTEXTCSN', ''],
          servers.map(({ url, part, state, followed, lagSeconds, contextCsn, error }) => [
            url,
            part,
            followed ? `${state}, followed` : state,
            lagSeconds === undefined ? undefined : `${lagSeconds} s`,
            contextCsn,
            error,
          ]),
        )}`,
    (body.notes ?? []).length === 0
      ? ''
      : `\n${table(
          ['ROW', 'NOT TAKEN'],
          body.notes!.map(({ key, text }) => [key, text]),
        )}`,
  ].join('')
