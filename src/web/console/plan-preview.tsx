import type { ReactNode } from 'react'

import type { BulkDone, PlanBody } from '#contract/admin/bulk.ts'
import { useWords } from '#web/parts/language.ts'
import { numberText } from '#web/parts/times.ts'

import { BulkReport } from './bulk-report.tsx'

/** Whom a plan would change now, and who would be refused. */
export function PlanPreview({ done }: { readonly done: Omit<BulkDone, 'pending'> }): ReactNode {
  const { t, language } = useWords()
  return (
    <>
      <p role="status">
        {t('bulk.would', {
          changed: numberText(language, done.changed),
          same: numberText(language, done.same),
          refused: numberText(language, done.refused),
        })}
      </p>
      <BulkReport rows={done.rows} />
    </>
  )
}

/** What a change of many says, in a line. */
export function useChangeText(): (change: PlanBody['change']) => string {
  const { t, language } = useWords()
  const list = new Intl.ListFormat(language, { type: 'unit', style: 'short' })
  return (change) => {
    const { addTags = [], removeTags = [], startsOn, expiresOn, disabled } = change
    return list.format([
      ...(addTags.length > 0 ? [t('plan.addTags', { tags: addTags.join(', ') })] : []),
      ...(removeTags.length > 0 ? [t('plan.removeTags', { tags: removeTags.join(', ') })] : []),
      ...(startsOn === undefined ? [] : [t('plan.startsOn', { day: startsOn ?? '–' })]),
      ...(expiresOn === undefined ? [] : [t('plan.expiresOn', { day: expiresOn ?? '–' })]),
      ...(disabled === undefined ? [] : [t(disabled ? 'plan.disable' : 'plan.enable')]),
      ...(change.delete === true ? [t('plan.delete')] : []),
    ])
  }
}
