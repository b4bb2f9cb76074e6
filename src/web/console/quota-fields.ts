import type { TFunction } from 'i18next'

import type { OwnQuotaBody } from '#contract/admin/directory.ts'
import { readSize, writeSize } from '#model/storage-size.ts'

import { ApiFailure } from '#web/parts/api.ts'
import type { EditField, Values } from './edit-row.tsx'

/** Empty: as the wider place says. */
export const quotaFields = (t: TFunction): readonly EditField[] => [
  { name: 'quota', label: t('quota.bytes'), hint: t('quota.bytesHint'), isOptional: true },
  { name: 'quotaMessages', label: t('quota.messages'), hint: t('quota.hint'), isOptional: true },
  {
    name: 'quotaMailboxes',
    label: t('quota.mailboxes'),
    hint: t('quota.mailboxesHint'),
    isOptional: true,
  },
]

const NONE = 'none'

export const quotaValues = ({ bytes, messages, mailboxes }: OwnQuotaBody = {}): Values => ({
  quota: bytes === undefined ? '' : bytes === 0 ? NONE : writeSize(bytes),
  quotaMessages: countValue(messages),
  quotaMailboxes: countValue(mailboxes),
})

/** As a change of the row; throws ApiFailure where a text is no limit. */
export const quotaChange = (t: TFunction, values: Values) => ({
  bytes: limitOf(t, values['quota'], readSize),
  messages: limitOf(t, values['quotaMessages'], numberOf),
  mailboxes: limitOf(t, values['quotaMailboxes'], numberOf),
})

const countValue = (count: number | undefined): string =>
  count === undefined ? '' : count === 0 ? NONE : String(count)

const numberOf = (text: string): number | undefined =>
  /^\d{1,15}$/.test(text) ? Number(text) : undefined

function limitOf(
  t: TFunction,
  written: string | undefined,
  read: (text: string) => number | undefined,
): number | null {
  const text = (written ?? '').normalize('NFKC').replaceAll(',', '').trim()
  if (text === '') return null
  if (text.toLowerCase() === NONE || text === 'なし') return 0
  const limit = read(text)
  if (limit !== undefined && limit > 0 && Number.isSafeInteger(limit)) return limit
  throw new ApiFailure(400, { code: 'invalid', message: t('quota.wrong', { text }), remedy: '' })
}
