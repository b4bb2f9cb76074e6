import type { TFunction } from 'i18next'

import { ApiFailure } from '#web/parts/api.ts'

/** What happened, and the remedy: in the page's language where it has words for it, else in the API's. */
export function reasonOf(t: TFunction, thrown: unknown): string | undefined {
  if (!(thrown instanceof ApiFailure) || thrown.message === '') return undefined
  const ours = t(`refused.${thrown.code}`, { defaultValue: '' })
  if (ours !== '') return ours
  return thrown.remedy === '' ? thrown.message : `${thrown.message} — ${thrown.remedy}`
}
