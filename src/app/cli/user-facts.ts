import type { Command } from 'commander'
import type { UserBody } from '#contract/admin/directory.ts'
import { UsageError } from './io.ts'
import { changed, collect } from './lists.ts'

export interface FactsOptions {
  readonly reading?: string
  readonly formerName?: readonly string[]
  readonly tag?: readonly string[]
  readonly externalId?: string
  readonly startsOn?: string
  readonly expiresOn?: string
}

export interface FactsChangeOptions extends FactsOptions {
  readonly removeFormerName?: readonly string[]
  readonly removeTag?: readonly string[]
  readonly forwardAfter?: readonly string[]
  readonly forwardUntil?: string
}

/** What people are found by, gathered by and known by, of somebody new. */
export const withFacts = (command: Command): Command =>
  command
    .option('--reading <text>', 'how the name is said, in kana or letters')
    .option(
      '--former-name <name>',
      'a name borne before, to be found by; may be given again',
      collect,
    )
    .option('--tag <tag>', 'cohort, faculty, office …; may be given again', collect)
    .option('--external-id <id>', 'what another system calls this person')
    .option('--starts-on <day>', 'the first day of use, such as 2027-04-01')
    .option('--expires-on <day>', 'the last day of use, such as 2031-03-31')

/** The same of somebody who is there: an empty text takes one away. */
export const withFactsChange = (command: Command): Command =>
  withFacts(command)
    .option('--remove-former-name <name>', 'one of them; may be given again', collect)
    .option('--remove-tag <tag>', 'one of them; may be given again', collect)
    .option(
      '--forward-after <address>',
      'where mail goes after leaving; may be given again',
      collect,
    )
    .option('--forward-until <day>', 'the last day of that; an empty text: it goes nowhere')

export const factsOf = (options: FactsOptions) => ({
  ...(options.reading !== undefined && { reading: options.reading }),
  ...(options.formerName !== undefined && { formerNames: options.formerName }),
  ...(options.tag !== undefined && { tags: options.tag }),
  ...(options.externalId !== undefined && { externalId: options.externalId }),
  ...(options.startsOn !== undefined && { startsOn: options.startsOn }),
  ...(options.expiresOn !== undefined && { expiresOn: options.expiresOn }),
})

export const factsChangeOf = (before: UserBody, options: FactsChangeOptions) => {
  const { formerName, removeFormerName, tag, removeTag } = options
  if (options.forwardAfter !== undefined && options.forwardUntil === undefined)
    throw new UsageError('give the last day of it as well: --forward-until')
  return {
    ...factsOf(options),
    ...((formerName ?? removeFormerName) !== undefined && {
      formerNames: changed(before.formerNames ?? [], formerName, removeFormerName),
    }),
    ...(options.forwardUntil === '' && { afterLeaving: null }),
    ...((options.forwardUntil ?? '') !== '' && {
      afterLeaving: {
        to: options.forwardAfter ?? before.afterLeaving?.to ?? [],
        until: options.forwardUntil,
      },
    }),
    ...((tag ?? removeTag) !== undefined && { tags: changed(before.tags ?? [], tag, removeTag) }),
  }
}

export const factLines = (body: UserBody): [string, string | undefined][] => [
  ['reading', body.reading],
  ['former names', body.formerNames?.join(', ')],
  ['tags', body.tags?.join(', ')],
  ['external id', body.externalId],
  ['starts on', body.startsOn],
  ['expires on', body.expiresOn],
  [
    'former addresses',
    body.formerAddresses
      ?.map(({ address, keptUntil }) => `${address} (until ${keptUntil})`)
      .join(', '),
  ],
  [
    'mail after leaving',
    body.afterLeaving && `${body.afterLeaving.to.join(', ')} (until ${body.afterLeaving.until})`,
  ],
  ['state', body.state === 'active' ? undefined : body.state],
  ['deleted', body.deletedAt],
]
