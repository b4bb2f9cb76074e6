import type { LifeRules } from '#model/account-life.ts'
import { SETTINGS } from './table.ts'
import type { Settings } from './table.ts'

/** What the settings say of when accounts begin and end; the defaults while there are none yet. */
export const lifeRulesOf = (settings: Settings | undefined): LifeRules => ({
  zone: settings?.['account.timeZone'] ?? SETTINGS['account.timeZone'].default,
  graceDays: settings?.['account.graceDays'] ?? SETTINGS['account.graceDays'].default,
  mailBeforeStart:
    settings?.['account.mailBeforeStart'] ?? SETTINGS['account.mailBeforeStart'].default,
})
