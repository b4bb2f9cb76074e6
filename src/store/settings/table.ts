import type { Option, Values } from './option.ts'
import { ACCESS } from '#store/settings/table/access.ts'
import { JUDGING } from '#store/settings/table/judging.ts'
import { LISTS } from '#store/settings/table/lists.ts'
import { LOGIN } from '#store/settings/table/login.ts'
import { MAILBOX } from '#store/settings/table/mailbox.ts'
import { PEOPLE } from '#store/settings/table/people.ts'
import { RECEPTION } from '#store/settings/table/reception.ts'
import { SIEVE } from '#store/settings/table/sieve.ts'
import { SIGNING } from '#store/settings/table/signing.ts'

/** The one table of settings: validator, manual and command line are made from it. */
export const SETTINGS = {
  ...RECEPTION,
  ...MAILBOX,
  ...JUDGING,
  ...SIGNING,
  ...SIEVE,
  ...LOGIN,
  ...ACCESS,
  ...PEOPLE,
  ...LISTS,
} as const satisfies Readonly<Record<string, Option>>

export type SettingKey = keyof typeof SETTINGS

/** Every setting with its value in force, typed by key. */
export type Settings = {
  readonly [K in SettingKey]: Values[(typeof SETTINGS)[K]['type']]
}

export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key)

/** The option of a key, with the type that all options share. */
export const optionOf = (key: SettingKey): Option => SETTINGS[key]

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[]
