import type { TFunction } from 'i18next'

import { ApiFailure } from './api.ts'

/** Whether nobody has answered, or something of ours failed: nothing that the asker can mend. */
export const isAway = (thrown: unknown): boolean =>
  !(thrown instanceof ApiFailure) || thrown.status === 0 || thrown.status >= 500

/** Why something was not done, in a sentence of the page's language; what the API says more is English. */
export const failureText = (t: TFunction, thrown: unknown): string =>
  isAway(thrown)
    ? t('trouble.away')
    : t(`trouble.code.${(thrown as ApiFailure).code}`, { defaultValue: t('trouble.refused') })
