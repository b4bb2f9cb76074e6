import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { UserBody } from '#contract/admin/directory.ts'
import type { mailboxes } from '#contract/admin/mailboxes.ts'
import { fullest } from '#web/parts/fullness.ts'
import type { Limited } from '#web/parts/fullness.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { Meter } from '#web/parts/meter.tsx'
import { storageText } from '#web/parts/storage.ts'
import { numberText } from '#web/parts/times.ts'

import { ask, part } from '#web/parts/api.ts'
import { useMay } from './may.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

type Mailboxes = typeof mailboxes._zod.output
type Held = Pick<Mailboxes, 'used' | 'quota'>

/** Until the setting is known, its default. */
const NEAR_PERCENT = 90

/** From this share on an account is nearly full: where its owner is warned (`mailbox.quotaWarnPercent`). */
export function useNearPercent(): number {
  const may = useMay()
  const found = useQuery({
    enabled: may('settings.read'),
    queryKey: ['settings', 'mailbox.quotaWarnPercent'],
    queryFn: ({ signal }) =>
      ask<{ readonly value: unknown }>('GET', '/settings/mailbox.quotaWarnPercent', { signal }),
  })
  return typeof found.data?.value === 'number' ? found.data.value : NEAR_PERCENT
}

const limitsOf = ({ used, quota }: Held, nearPercent: number): readonly Limited[] =>
  (['bytes', 'messages'] as const).flatMap((kind) =>
    quota[kind] === 0
      ? []
      : [
          {
            used: used[kind],
            limit: quota[kind],
            warnAt: (quota[kind] * nearPercent) / 100,
            isOctets: kind === 'bytes',
          },
        ],
  )

/** In a row of a table: what the account holds, and how much of its limit that is. */
export function StorageCell({ person }: { readonly person: UserBody }): ReactNode {
  const { language } = useWords()
  const nearPercent = useNearPercent()
  const { used, effectiveQuota: quota } = person
  if (used === undefined) return '–'
  const found = fullest(limitsOf({ used, quota }, nearPercent))
  const text = storageText(language, used.bytes)
  if (found === undefined) return text
  const percent = `${found.percent} %`
  if (found.fullness === 'free') return `${text} (${percent})`
  return (
    <>
      {text} <Mark kind={found.fullness === 'full' ? 'bad' : 'warn'}>{percent}</Mark>
    </>
  )
}

/** What an account holds of what it may, and who says so. */
export function PersonStorage({ person }: { readonly person: UserBody }): ReactNode {
  const { t, language } = useWords()
  const nearPercent = useNearPercent()
  const found = useQuery({
    // The limits are the person's: another version has others.
    queryKey: ['/users', 'mailboxes', person.id, person.version],
    queryFn: ({ signal }) =>
      ask<Mailboxes>('GET', `/users/${part(person.id)}/mailboxes`, { signal }),
  })
  const held = found.data
  const isOwn = person.quota !== undefined
  return (
    <>
      <h3>{t('quota.title')}</h3>
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {held !== undefined && (
        <>
          {limitsOf(held, nearPercent).map((limit) => (
            <Meter key={String(limit.isOctets)} found={fullest([limit])!} />
          ))}
          <p className="faint">
            {t('quota.holds', {
              size: storageText(language, held.used.bytes),
              count: held.used.messages,
              number: numberText(language, held.used.messages),
            })}{' '}
            {t(
              limitsOf(held, nearPercent).length === 0
                ? 'quota.unlimited'
                : isOwn
                  ? 'quota.own'
                  : 'quota.wider',
            )}
          </p>
        </>
      )}
    </>
  )
}
