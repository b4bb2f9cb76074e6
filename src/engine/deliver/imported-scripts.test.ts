import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId } from '#model/account.ts'
import type { ForeignScript } from '#model/script.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { importScripts } from './imported-scripts.ts'
import type { ScriptImport } from './imported-scripts.ts'
import { scriptsOf } from './scripts.ts'

const accountId = 'account-hanako' as AccountId

const room = () => {
  const mailboxes = new FakeMailboxStore()
  const scripts = scriptsOf(mailboxes)
  return {
    scripts,
    bring: async (given: readonly Partial<ForeignScript>[], more: Partial<ScriptImport> = {}) => {
      const all = given.map((one) => ({ name: '一', text: 'keep;', active: false, ...one }))
      const ask = { accountId, scripts: all, replace: false, dryRun: false, ...more }
      return importScripts(ask, { scripts, mailboxes })
    },
    list: async () =>
      (await scripts.list({ accountId })).map(({ name, active }) => `${name} ${active}`),
  }
}

const FILING = `require ["fileinto", "vnd.cyrus.foo"];
fileinto "INBOX.Junk.SPAM";
fileinto "INBOX.会議";
`

test('a preview changes nothing; then scripts are stored, the broken one inactive with its reason', async () => {
  const { bring, list, scripts } = room()
  const good = FILING.replace(', "vnd.cyrus.foo"', '')
  const given = [
    { name: '振り分け', text: good, active: true },
    { name: '古い', text: FILING },
  ]
  const preview = await bring(given, { dryRun: true })
  assert.deepEqual(await list(), [])
  const done = await bring(given)
  assert.deepEqual(done, preview)
  assert.deepEqual(done.naming, { separator: '.', prefix: 'INBOX.' })
  const [filter, old] = done.scripts
  assert.deepEqual([filter?.outcome, filter?.active, filter?.reason], ['stored', true, undefined])
  assert.deepEqual(filter?.names, [
    { line: 2, before: 'INBOX.Junk.SPAM', after: 'Junk/SPAM' },
    { line: 3, before: 'INBOX.会議', after: '会議' },
  ])
  assert.deepEqual(
    filter?.warnings.map(({ line }) => line),
    [3],
  )
  assert.deepEqual([old?.outcome, old?.active], ['kept', false])
  assert.deepEqual(old?.unknownExtensions, ['vnd.cyrus.foo'])
  assert.match(old?.reason ?? '', /line 1: .*vnd\.cyrus\.foo/)
  assert.deepEqual(await list(), ['古い false', '振り分け true'])
  const kept = await scripts.get({ accountId, name: '古い' })
  assert.equal(kept.ok && kept.value.text, FILING.replaceAll('INBOX.', '').replace('k.S', 'k/S'))
  const activated = await scripts.activate({ accountId, name: '古い' })
  assert.equal(!activated.ok && activated.error.code, 'invalid')
  assert.deepEqual(await list(), ['古い false', '振り分け true'])

  const again = await bring(given)
  assert.deepEqual(
    again.scripts.map(({ outcome, active }) => [outcome, active]),
    [
      ['unchanged', true],
      ['kept', false],
    ],
  )
})

test('what somebody has chosen here goes on, unless it is to be replaced', async () => {
  const { bring, list, scripts } = room()
  await scripts.put({ accountId, name: '自分', text: 'stop;', activate: true })
  const given = [{ name: '自分' }, { name: '前の', active: true }]
  const shown = async (more = {}) =>
    (await bring(given, more)).scripts.map(({ outcome, active, reason }) => [
      outcome,
      active,
      reason,
    ])
  assert.deepEqual(await shown(), [
    ['exists', true, 'there is another script of that name'],
    ['stored', false, 'another script filters here'],
  ])
  assert.deepEqual(await list(), ['前の false', '自分 true'])
  assert.deepEqual(await shown({ replace: true }), [
    ['stored', false, undefined],
    ['unchanged', true, undefined],
  ])
  assert.deepEqual(await list(), ['前の true', '自分 false'])
})

test('names and texts that cannot be kept are told; dots that nobody explains stay', async () => {
  const { bring, list } = room()
  const { naming, scripts } = await bring([
    { name: 'a\u0001' },
    { name: '大', text: `#${'x'.repeat(1_048_576)}` },
    { name: '点', text: 'require "fileinto"; fileinto "v1.2";' },
  ])
  assert.equal(naming, undefined)
  assert.deepEqual(
    scripts.map(({ outcome }) => outcome),
    ['refused', 'refused', 'stored'],
  )
  assert.deepEqual(scripts[2]?.names, [])
  assert.deepEqual(await list(), ['点 false'])
})
