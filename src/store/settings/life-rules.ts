import { LIFE_RULES } from '#model/account-life.ts'
import type { LifeRules } from '#model/account-life.ts'
import type { Settings } from './table.ts'

/** What the settings say of when accounts begin and end; the defaults while there are none yet. */
export const lifeRulesOf = (settings: Settings | undefined): LifeRules =>
  settings === undefined
    ? LIFE_RULES
    : {
        zone: settings['account.timeZone'],
        graceDays: settings['account.graceDays'],
        mailBeforeStart: settings['account.mailBeforeStart'],
        formerAddressDays: settings['account.formerAddressDays'],
        addressReservedMonths: settings['account.addressReservedMonths'],
        undeleteDays: settings['account.undeleteDays'],
        listHistoryDays: settings['list.historyDays'],
      }
