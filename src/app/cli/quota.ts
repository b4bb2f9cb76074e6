import type { OwnQuotaBody } from '#contract/admin/directory.ts'
import { readSize } from '#model/storage-size.ts'
import { UsageError } from './io.ts'
import { size } from './print.ts'

export const QUOTA = [
  '--quota <size>',
  'what it may hold, such as 2GiB; none: no limit; default: as domain and settings say',
] as const
export const QUOTA_MESSAGES = ['--quota-messages <number>', 'the same in messages'] as const
export const QUOTA_MAILBOXES = [
  '--quota-mailboxes <number>',
  'the same in mailboxes that are made',
] as const

export interface QuotaOptions {
  readonly quota?: string
  readonly quotaMessages?: string
  readonly quotaMailboxes?: string
}

/** What the options change; null: what wider places say. */
export function quotaChange(options: QuotaOptions): {
  quota?: { bytes?: number | null; messages?: number | null; mailboxes?: number | null }
} {
  const { quota, quotaMessages, quotaMailboxes } = options
  const change = {
    ...(quota !== undefined && { bytes: limitOf(quota, readSize) }),
    ...(quotaMessages !== undefined && { messages: limitOf(quotaMessages, numberOf) }),
    ...(quotaMailboxes !== undefined && { mailboxes: limitOf(quotaMailboxes, numberOf) }),
  }
  return Object.keys(change).length === 0 ? {} : { quota: change }
}

/** The same of what is new: nothing wider has to be asked for. */
export function newQuota(options: QuotaOptions): { quota?: OwnQuotaBody } {
  const { bytes, messages, mailboxes } = quotaChange(options).quota ?? {}
  const quota = {
    ...(typeof bytes === 'number' && { bytes }),
    ...(typeof messages === 'number' && { messages }),
    ...(typeof mailboxes === 'number' && { mailboxes }),
  }
  return Object.keys(quota).length === 0 ? {} : { quota }
}

function limitOf(text: string, read: (text: string) => number | undefined): number | null {
  if (text === 'default') return null
  if (text === 'none') return 0
  const limit = read(text)
  if (limit !== undefined && limit > 0 && Number.isSafeInteger(limit)) return limit
  throw new UsageError(`${text}: give a limit such as 2GiB or 10000, none or default`)
}

const numberOf = (text: string): number | undefined =>
  /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** `2.0 GiB, 10000 messages`; undefined where nothing is limited. */
export function quotaText({ bytes, messages, mailboxes }: OwnQuotaBody): string | undefined {
  const texts = [
    ...(bytes === undefined ? [] : [bytes === 0 ? 'any size' : size(bytes)]),
    ...(messages === undefined ? [] : [messages === 0 ? 'any number' : `${messages} messages`]),
    ...(mailboxes === undefined
      ? []
      : [mailboxes === 0 ? 'any number of mailboxes' : `${mailboxes} mailboxes`]),
  ]
  return texts.length === 0 ? undefined : texts.join(', ')
}
