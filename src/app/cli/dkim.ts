import type { Command } from 'commander'
import { page } from '#contract/admin/common.ts'
import { checkedDkim, dkimKey, dkimOfDomain, writtenDkim } from '#contract/admin/dkim.ts'
import type { CheckedDkimBody, DkimKeyBody } from '#contract/admin/dkim.ts'
import { part, verbOf } from './context.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'
import { lineOf, table } from './print.ts'

/** Keys that mail of our domains is signed by (RFC 6376). */
export function dkimCommands(program: Command, io: CliIo): void {
  const noun = program.command('dkim').description('keys that mail of our domains is signed by')
  noun
    .command('ls')
    .description('show all keys')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/dkim', page(dkimKey))
      verb.show(body, () => keyTable(body.items))
    })
  noun
    .command('create <domain>')
    .description('make a key, and print the record to publish; it signs nothing yet')
    .option('--ed25519', 'a short key, beside one of RSA: not all servers know it')
    .option('--selector <name>', 'what it is called in the name service; else by the day')
    .action(async (domain: string, options: CreateOptions, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/dkim/${part(domain)}`, writtenDkim, {
        algorithm: options.ed25519 === true ? 'ed25519' : 'rsa',
        ...(options.selector !== undefined && { selector: options.selector }),
      })
      verb.wrote(body, () => toPublish(body.domain, body.keys.slice(-1)))
    })
  noun
    .command('show <domain>')
    .description('show the keys of a domain with their records, ready for a zone file')
    .action(async (domain: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/dkim/${part(domain)}`, dkimOfDomain)
      verb.show(body, () => keyTable(body.keys) + recordLines(body.keys))
    })
  noun
    .command('check <domain>')
    .description(
      'ask the name service for the records; exit status 1 where one is not as it should be',
    )
    .action(async (domain: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/dkim/${part(domain)}/check`, checkedDkim, {})
      verb.wrote(body, () => checkedTable(body))
      const wrong = body.keys.filter(
        ({ state, found }) => state !== 'retired' && found !== 'published',
      )
      if (wrong.length > 0)
        throw new CliError(
          'conflict',
          `not as it should be in the name service: ${wrong.map(({ selector }) => selector).join(', ')}`,
          `Publish what watari dkim show ${body.domain} prints.`,
        )
    })
  noun
    .command('activate <domain> [selector]')
    .description('sign by the keys that wait, once their records are seen; those before retire')
    .option('--force', 'also where we do not see the record')
    .action(
      async (
        domain: string,
        selector: string | undefined,
        options: { force?: boolean },
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const body = await verb.api.post(`/dkim/${part(domain)}/activate`, writtenDkim, {
          ...(selector !== undefined && { selector }),
          force: options.force === true,
        })
        verb.wrote(body, () => keyTable(body.keys))
      },
    )
  noun
    .command('rotate <domain>')
    .description(
      'make the next keys; run once more when they are published: they sign from then on',
    )
    .action(async (domain: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/dkim/${part(domain)}/rotate`, writtenDkim, {})
      const made = body.keys.filter(({ state }) => state === 'made' || state === 'published')
      verb.wrote(body, () =>
        made.length > 0 ? toPublish(body.domain, made, 'rotate') : keyTable(body.keys),
      )
    })
  noun
    .command('retire <domain> <selector>')
    .description(
      'sign no more by a key; a retired one is forgotten when its record is needed no longer',
    )
    .action(async (domain: string, selector: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/dkim/${part(domain)}/retire`, writtenDkim, { selector })
      const until = body.keys.find((key) => key.selector === selector)?.publishUntil
      verb.wrote(body, () =>
        until === undefined
          ? lineOf(`forgot ${selector}`)
          : lineOf(`${selector} signs no more; leave its record until ${until}`),
      )
    })
}

const keyTable = (keys: readonly DkimKeyBody[]): string =>
  table(
    ['DOMAIN', 'SELECTOR', 'ALGORITHM', 'STATE', 'SINCE', 'PUBLISH UNTIL'],
    keys.map((key) => [
      key.domain,
      key.selector,
      key.algorithm,
      key.state,
      key.retiredAt ?? key.signsSince ?? key.seenAt ?? key.madeAt,
      key.publishUntil,
    ]),
  )

const checkedTable = (body: CheckedDkimBody): string =>
  table(
    ['SELECTOR', 'STATE', 'NAME SERVICE', 'RECORD THERE'],
    body.keys.map((key) => [key.selector, key.state, key.found, key.foundText?.slice(0, 80)]),
  )

const recordLines = (keys: readonly DkimKeyBody[]): string =>
  keys.map(({ record }) => `\n${lineOf(record.zone)}`).join('')

const toPublish = (
  domain: string,
  keys: readonly DkimKeyBody[],
  next: 'activate' | 'rotate' = 'activate',
): string =>
  `${keys.map(({ record }) => lineOf(record.zone)).join('\n')}\n` +
  `Publish this in the name service, then: watari dkim ${next} ${domain}\n`

interface CreateOptions {
  readonly ed25519?: boolean
  readonly selector?: string
}
