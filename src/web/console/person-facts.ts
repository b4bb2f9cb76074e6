import type { TFunction } from 'i18next'

import type { UserBody } from '#contract/admin/directory.ts'

import type { EditField, Values } from './edit-row.tsx'

const ONES = ['reading', 'externalId', 'startsOn', 'expiresOn'] as const
const LISTS = ['formerNames', 'tags'] as const

/** What people are found, gathered and known by, as it is edited. */
export const factFields = (t: TFunction): readonly EditField[] => [
  { name: 'reading', label: t('people.reading'), isOptional: true },
  {
    name: 'formerNames',
    label: t('people.formerNames'),
    hint: t('people.formerNamesHint'),
    isOptional: true,
  },
  { name: 'tags', label: t('people.tags'), hint: t('people.tagsHint'), isOptional: true },
  { name: 'externalId', label: t('people.externalId'), isOptional: true },
  { name: 'startsOn', label: t('people.startsOn'), isOptional: true, isDay: true },
  { name: 'expiresOn', label: t('people.expiresOn'), isOptional: true, isDay: true },
  {
    name: 'leavingTo',
    label: t('people.leavingTo'),
    hint: t('people.leavingToHint'),
    isOptional: true,
  },
  { name: 'leavingUntil', label: t('people.leavingUntil'), isOptional: true, isDay: true },
]

export const factValues = (person: UserBody): Values => ({
  ...Object.fromEntries(ONES.map((name) => [name, person[name] ?? ''])),
  ...Object.fromEntries(LISTS.map((name) => [name, person[name]?.join(', ') ?? ''])),
  leavingTo: person.afterLeaving?.to.join(', ') ?? '',
  leavingUntil: person.afterLeaving?.until ?? '',
})

/** What the API is told: what is empty is taken away. */
export const factChange = (values: Values): object => ({
  ...Object.fromEntries(ONES.map((name) => [name, values[name]?.trim() || null])),
  ...Object.fromEntries(LISTS.map((name) => [name, partsOf(values[name])])),
  afterLeaving:
    partsOf(values['leavingTo']).length === 0
      ? null
      : { to: partsOf(values['leavingTo']), until: values['leavingUntil'] ?? '' },
})

/** Names and tags have blanks in them. */
export const partsOf = (text = ''): readonly string[] =>
  text
    .split(/[,;、，]/)
    .map((each) => each.trim())
    .filter(Boolean)
