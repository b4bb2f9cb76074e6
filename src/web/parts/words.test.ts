import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { WORDS } from '#web/console/words/all.ts'
import { WORDS as LISTS } from '#web/lists/words/all.ts'
import { EN as MAIL_EN } from '#web/mail/words-en.ts'
import { JA as MAIL_JA } from '#web/mail/words-ja.ts'
import { EN as SETTINGS_EN } from '#web/settings/words-en.ts'
import { JA as SETTINGS_JA } from '#web/settings/words-ja.ts'
import { EN as PARTS_EN } from './words-en.ts'
import { JA as PARTS_JA } from './words-ja.ts'
import type { Sentences } from './words.ts'

const ROOMS: Readonly<Record<string, Sentences>> = {
  parts: { en: PARTS_EN, ja: PARTS_JA },
  console: WORDS,
  lists: LISTS,
  mail: { en: MAIL_EN, ja: MAIL_JA },
  // What the settings borrow of the webmail they say in its words.
  settings: { en: { ...MAIL_EN, ...SETTINGS_EN }, ja: { ...MAIL_JA, ...SETTINGS_JA } },
}

const WEB = join(import.meta.dirname, '..')

/** Japanese has one form for any number. */
const noun = (key: string): string => key.replace(/_(one|other)$/, '')
const nouns = (words: object): string[] => [...new Set(Object.keys(words).map(noun))].toSorted()
const namesIn = (text: string): string[] =>
  [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name!).toSorted()

/** Keys that the room's own files ask for: whole ones, and the beginnings of those that are put together. */
function asked(room: string): { readonly keys: Set<string>; readonly starts: Set<string> } {
  const keys = new Set<string>()
  const starts = new Set<string>()
  for (const file of globSync('**/*.{ts,tsx}', { cwd: join(WEB, room) })) {
    if (file.includes('.test.') || file.includes('words')) continue
    const source = readFileSync(join(WEB, room, file), 'utf8')
    for (const [, key] of source.matchAll(/\bt\(\s*'([\w.]+)'/g)) keys.add(key!)
    for (const [, start] of source.matchAll(/\bt\(\s*`([\w.]+)\$\{/g)) starts.add(start!)
  }
  return { keys, starts }
}

for (const [room, { en, ja }] of Object.entries(ROOMS))
  describe(`the sentences of web/${room}`, () => {
    test('are the same in both languages, with the same values in them', () => {
      assert.deepEqual(nouns(ja), nouns(en))
      for (const [key, text] of Object.entries(ja)) {
        const ours = en[key] ?? en[noun(key)] ?? en[`${noun(key)}_other`]
        assert.ok(ours !== undefined && ours !== '' && text !== '', key)
        assert.deepEqual(namesIn(text), namesIn(ours), `${key}: ${text}`)
      }
    })

    test('have many where they have one in English, and one form in Japanese', () => {
      for (const key of Object.keys(en))
        if (key.endsWith('_one')) assert.ok(`${noun(key)}_other` in en, key)
      assert.deepEqual(
        Object.keys(ja).filter((key) => key.endsWith('_one')),
        [],
      )
    })

    test('are there for each key that a page asks for', () => {
      const { keys, starts } = asked(room)
      const known = new Set([...nouns(en), ...nouns(PARTS_EN)])
      assert.ok(keys.size > 5, 'looked at nothing')
      assert.deepEqual(
        [...keys].filter((key) => !known.has(key)),
        [],
      )
      assert.deepEqual(
        [...starts].filter((start) => ![...known].some((key) => key.startsWith(start))),
        [],
      )
    })
  })

for (const [room, { en }] of [
  ['console', WORDS],
  ['lists', LISTS],
] as const)
  test(`a key of web/${room} stands in one of its files only`, () => {
    const seen = new Map<string, string>()
    const files = globSync('*.ts', { cwd: join(WEB, room, 'words') })
    assert.ok(files.length > 5)
    for (const file of files) {
      const source = readFileSync(join(WEB, room, 'words', file), 'utf8')
      for (const [, key] of source
        .slice(0, source.indexOf('  ja: {'))
        .matchAll(/^ {4}'?([\w.-]+)'?:/gm)) {
        assert.equal(seen.get(key!), undefined, `${key} in ${file} too`)
        seen.set(key!, file)
      }
    }
    assert.equal(seen.size, Object.keys(en).length)
  })
