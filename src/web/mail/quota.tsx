import type { ReactNode } from 'react'

import { fullest } from '#web/parts/fullness.ts'
import type { FullestLimit } from '#web/parts/fullness.ts'
import { useWords } from '#web/parts/language.ts'
import { Meter } from '#web/parts/meter.tsx'

import type { Quota } from './nouns.ts'

const fullestOf = (quotas: readonly Quota[]): FullestLimit | undefined =>
  fullest(
    quotas.map(({ used, hardLimit, warnLimit, resourceType }) => ({
      used,
      limit: hardLimit,
      warnAt: warnLimit ?? hardLimit,
      isOctets: resourceType === 'octets',
    })),
  )

/** How full the account is; nothing where it may hold whatever it likes. */
export function QuotaMeter({ quotas }: { readonly quotas: readonly Quota[] }): ReactNode {
  const found = fullestOf(quotas)
  return found && <Meter found={found} />
}

/** What that means, and what helps. Quiet while the meter beside it says it is nearly full. */
export function QuotaNotice({ quotas }: { readonly quotas: readonly Quota[] }): ReactNode {
  const { t } = useWords()
  const fullness = fullestOf(quotas)?.fullness ?? 'free'
  return (
    <div role="status" className={`quota-notice quota-notice-${fullness}`}>
      {fullness !== 'free' && t(`quota.${fullness}`)}
    </div>
  )
}
