import { X509Certificate } from 'node:crypto'
import type { Command } from 'commander'
import type { z } from 'zod'
import { done } from '#contract/admin/common.ts'
import {
  explained,
  overlaps,
  source,
  sources,
  sourceTrial,
  writtenSource,
} from '#contract/admin/sources.ts'
import type { SourceBody } from '#contract/admin/sources.ts'
import { part, verbOf } from './context.ts'
import { passwordBase64, textOf } from './files.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { fields, table } from './print.ts'
import { collect } from './lists.ts'

/** Other directories whose people are ours. */
export function directorySourceCommands(directory: Command, io: CliIo): void {
  const noun = directory.command('sources').description('other directories whose people are ours')
  noun
    .command('add <name>')
    .description('add a source, or set one anew that is there')
    .requiredOption(
      '--url <url>',
      'ldaps://HOST[:PORT] or ldap://HOST[:PORT]; again for each host',
      collect,
    )
    .requiredOption('--base <dn>', 'where its people lie')
    .option('--filter <filter>', 'which entries are people (RFC 4515)')
    .option('--map <preset>', 'how entries are read; else by their classes')
    .option('--key <attribute>', 'by which somebody is known under every name (entryUUID)')
    .option('--bind <dn>', 'whom to bind as for reading')
    .option('--password-stdin', 'read the password of --bind from standard input')
    .option('--bind-cert <file>', 'certificate (PEM) to show; without --bind it says who reads')
    .option('--bind-key <file>', 'its key (PEM)')
    .option(
      '--auth <way>',
      'bind: the source checks passwords; hash: it has hashes to check (bind)',
    )
    .option('--adopt-passwords', 'keep a password for good once it was right there by bind')
    .option('--order <n>', 'lower is asked first')
    .option('--ca <file>', 'certificates in PEM that alone are trusted')
    .option('--plain', 'without TLS, also to another machine')
    .option('--groups', 'its groups, too: addresses that lead to their members')
    .option('--no-groups', 'people alone (as it is; of a new source)')
    .action(async (name: string, options: AddOptions, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.put(
        `/directory/sources/${part(name)}`,
        writtenSource,
        await sourceOf(io, options),
      )
      verb.wrote(
        body,
        () => `${body.name} is source ${body.order}, read from ${body.urls.join(', ')}\n`,
      )
    })
  noun
    .command('ls')
    .description('show the sources in their order, and how they are')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/directory/sources', sources)
      verb.show(body, () =>
        table(
          ['ORDER', 'NAME', 'STATE', 'MODE', 'PEOPLE', 'NEWS', 'LAG', 'AUTH', 'WHERE', ''],
          body.items.map((row) => [
            row.order,
            row.name,
            row.state,
            row.mode,
            row.people,
            row.newsAt ?? row.readAt,
            lagOf(row),
            row.auth,
            row.urls.join(' '),
            row.error,
          ]),
        ),
      )
    })
  noun
    .command('show <name>')
    .description('show one source, its hosts, and what of it is not taken')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/directory/sources/${part(name)}`, source)
      verb.show(body, () => sourceText(body))
    })
  noun
    .command('test <name>')
    .description('read a source once, and take nothing of it')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const path = `/directory/sources/${part(name)}/test`
      const body = await verb.api.post(path, sourceTrial)
      verb.show(body, () => trialText(body))
    })
  noun
    .command('read <name>')
    .description('read a source now, and take what it says')
    .option('--accept', 'however many people it has lost')
    .action(async (name: string, options: { accept?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      const path = `/directory/sources/${part(name)}/read`
      const body = await verb.api.post(path, source, { accept: options.accept === true })
      verb.show(body, () => sourceText(body))
    })
  noun
    .command('rm <name>')
    .description('remove a source; who came from it alone lets nobody in any more')
    .option('--keep-people', 'who came from it alone stays, as one of ours')
    .action(async (name: string, options: { keepPeople?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      const query = options.keepPeople === true ? '?keepPeople=true' : ''
      const body = await verb.api.delete(`/directory/sources/${part(name)}${query}`, done)
      verb.wrote(body, () => `removed ${name}\n`)
    })
  directory
    .command('overlaps')
    .description('show who is in several directories, who is believed, and what the others say')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/directory/overlaps', overlaps)
      verb.show(body, () => overlapsText(body.items))
    })
  directory
    .command('explain <address>')
    .description('who says what of an address, and who is believed')
    .action(async (address: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/directory/explain/${part(address)}`, explained)
      verb.show(body, () => explainedText(body))
    })
}

interface AddOptions {
  readonly url: readonly string[]
  readonly base: string
  readonly filter?: string
  readonly map?: string
  readonly key?: string
  readonly bind?: string
  readonly passwordStdin?: boolean
  readonly bindCert?: string
  readonly bindKey?: string
  readonly auth?: string
  readonly adoptPasswords?: boolean
  readonly order?: string
  readonly ca?: string
  readonly plain?: boolean
  readonly groups?: boolean
}

async function sourceOf(io: CliIo, options: AddOptions): Promise<unknown> {
  const { url, base, filter, map, key, bind, auth, adoptPasswords, order, ca, plain } = options
  if (auth !== undefined && auth !== 'bind' && auth !== 'hash')
    throw new UsageError('--auth is bind or hash')
  if (order !== undefined && !/^[1-9]\d{0,5}$/.test(order))
    throw new UsageError('--order is a number from 1 on')
  if ((bind === undefined) !== (options.passwordStdin !== true))
    throw new UsageError('give --bind DN with --password-stdin, or neither')
  return {
    urls: url,
    base,
    ...(filter !== undefined && { filter }),
    ...(map !== undefined && { map }),
    ...(key !== undefined && { key }),
    ...(bind !== undefined && { bindDn: bind, bindPasswordBase64: await passwordBase64(io) }),
    ...(options.bindCert !== undefined && { bindCertificate: await textOf(io, options.bindCert) }),
    ...(options.bindKey !== undefined && { bindKey: await textOf(io, options.bindKey) }),
    ...(auth !== undefined && { auth }),
    ...(adoptPasswords === true && { adoptPasswords }),
    ...(order !== undefined && { order: Number(order) }),
    ...(ca !== undefined && { ca: await textOf(io, ca) }),
    ...(plain === true && { plain }),
    ...(options.groups !== undefined && { groups: options.groups }),
  }
}

const sourceText = (body: SourceBody): string =>
  [
    fields([
      ['name', body.name],
      ['order', body.order],
      ['state', body.state],
      ['error', body.error],
      ['people', body.people],
      ['groups', body.groupCount],
      ['mode', body.mode],
      ['read', body.readAt],
      ['news', body.newsAt],
      ['base', body.base],
      ['filter', body.filter],
      ['map', body.map],
      ['key', body.key],
      ['bind', body.bindDn],
      ['certificate', certificateText(body.bindCertificate)],
      ['auth', body.auth],
      ['adopted', body.adopted],
      ['to adopt', body.toAdopt],
    ]),
    hostsText(body.hosts),
    notesText(body.notes),
  ].join('')

const certificateText = (pem: string | undefined): string | undefined => {
  if (pem === undefined) return undefined
  const { subject, validTo } = new X509Certificate(pem)
  return `${subject.replaceAll('\n', ', ')}, until ${validTo}`
}

const hostsText = (hosts: SourceBody['hosts']): string =>
  hosts.length === 0
    ? ''
    : `\n${table(
        ['HOST', 'STATE', 'NEWS', 'LAG', ''],
        hosts.map(({ url, state, followed, lagSeconds, error }) => [
          url,
          state,
          followed === true ? 'followed' : '',
          lagText(lagSeconds),
          error,
        ]),
      )}`

const lagText = (seconds: number | undefined): string =>
  seconds === undefined ? '' : `${seconds.toFixed(1)} s`

/** That of the host that is furthest behind. */
const lagOf = ({ hosts }: SourceBody): string =>
  lagText(
    hosts.reduce<number | undefined>(
      (most, { lagSeconds }) => (lagSeconds === undefined ? most : Math.max(most ?? 0, lagSeconds)),
      undefined,
    ),
  )

const notesText = (notes: SourceBody['notes']): string =>
  notes.length === 0
    ? ''
    : `\n${table(
        ['WHO', 'NOT TAKEN'],
        notes.map(({ source: who, text }) => [who, text]),
      )}`

const trialText = (body: z.infer<typeof sourceTrial>): string =>
  [
    `${body.people} people${body.groupCount === undefined ? '' : `, ${body.groupCount} groups`}\n\n`,
    table(
      ['ADDRESS', 'NAME', 'DN'],
      body.sample.map(({ address, name, dn }) => [address, name, dn]),
    ),
    hostsText(body.hosts),
    notesText(body.exceptions),
  ].join('')

const overlapsText = (items: z.infer<typeof overlaps>['items']): string =>
  table(
    ['ADDRESS', 'IN', 'WHAT', 'BELIEVED', 'VALUE', 'NOT BELIEVED'],
    items.flatMap(({ address, sources: from, rows }) => {
      const who = [address, from.join(' ')]
      if (rows.length === 0) return [[...who, '', '', '', '']]
      return rows.map(({ what, value, by, losers }) => [
        ...who,
        what,
        by,
        value,
        losers.map((each) => `${each.source}: ${each.value}`).join('; '),
      ])
    }),
  )

function explainedText(body: z.infer<typeof explained>): string {
  if (body.account === undefined) return `${body.address} is nobody's\n`
  return [
    fields([
      ['address', body.address],
      ['account', body.account],
      ['made here', body.isOwn],
      ['disabled', body.disabled],
      ['password', body.password],
    ]),
    body.rows.length === 0
      ? ''
      : `\n${table(
          ['WHAT', 'VALUE', 'SAID BY'],
          body.rows.map(({ what, value, by }) => [what, value, by]),
        )}`,
    body.origins.length === 0
      ? ''
      : `\n${table(
          ['SOURCE', 'NAME', 'ADDRESSES', 'DN'],
          body.origins.map(({ source: from, name, addresses, dn }) => [
            from,
            name,
            addresses.join(' '),
            dn,
          ]),
        )}`,
  ].join('')
}
