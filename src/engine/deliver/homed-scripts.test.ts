import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Fault, isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import type { ScriptWrite } from '#contract/node/scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { HomedScripts } from './homed-scripts.ts'
import { scriptsOf } from './scripts.ts'

const accountId = '花子' as AccountId

/** A store whose scripts have another home, which does what it is told to with what is written. */
function bench() {
  const mailboxes = new FakeMailboxStore()
  const events: NewEvent[] = []
  const written: ScriptWrite[][] = []
  const at = { isElsewhere: true, write: async (): Promise<void> => undefined }
  const homed = new HomedScripts({
    mailboxes,
    home: {
      isElsewhere: () => at.isElsewhere,
      write: async ({ writes }) => {
        written.push([...writes])
        await at.write()
      },
    },
    events: { emit: (event) => void events.push(event) },
    clock: systemClock,
  })
  const scripts = scriptsOf(homed)
  const put = (name: string, text: string, activate = false) =>
    scripts.put({ accountId, name, text, activate })
  const list = async () =>
    (await mailboxes.scripts({ accountId })).scripts.map(
      ({ name, active }) => `${name}${active ? '*' : ''}`,
    )
  return { at, homed, scripts, written, events, put, list }
}

it('a change is made there first, whole; what filters comes before what does no more', async () => {
  const { scripts, written, put, list } = bench()
  const first = await put('一', 'keep;', true)
  const second = await put('二', '# 会議', true)
  assert.ok(first.ok && second.ok)
  const [a, b] = [first.value.id, second.value.id]
  assert.deepEqual(written.splice(0), [
    [{ id: a, name: '一', text: 'keep;', active: true }],
    [
      { id: b, name: '二', text: '# 会議', active: true },
      { id: a, name: '一', active: false },
    ],
  ])
  await scripts.activate({ accountId, name: '一' })
  await scripts.rename({ accountId, name: '二', to: '新二' })
  await scripts.activate({ accountId, name: null })
  await scripts.remove({ accountId, name: '一' })
  assert.deepEqual(written.splice(0), [
    [
      { id: a, name: '一', active: true, text: 'keep;' },
      { id: b, name: '二', active: false },
    ],
    [{ id: b, name: '新二', active: false, text: '# 会議' }],
    [{ id: a, name: '一', active: false }],
    [{ id: a, gone: true }],
  ])
  assert.deepEqual(await list(), ['新二'])
})

it('what is refused here is not written there, and what is refused there is not made here', async () => {
  const { at, scripts, written, put, list } = bench()
  await put('一', 'keep;', true)
  written.length = 0
  const refusals = [
    await scripts.remove({ accountId, name: '一' }),
    await scripts.activate({ accountId, name: '無' }),
    await scripts.rename({ accountId, name: '一', to: '一' }),
    await put('二', 'kepe;'),
  ]
  assert.ok(refusals.every(({ ok }) => !ok))
  assert.deepEqual(written, [])
  at.write = () => Promise.reject(new Fault('unavailable', 'away'))
  await assert.rejects(put('二', 'keep;'), (thrown) => isFault(thrown, 'unavailable'))
  assert.deepEqual(await list(), ['一*'])
  // Where the store alone is their home nobody is asked.
  at.isElsewhere = false
  assert.ok((await put('二', 'keep;')).ok)
})

it('what others changed there is taken between changes, by the state that was looked at', async () => {
  const { at, homed, events, put, list } = bench()
  await put('一', 'keep;', true)
  const before = await homed.stand({ accountId })
  const { id = '' } = before.scripts[0] ?? {}
  const take = (state: string, change: Parameters<HomedScripts['take']>[0]['change']) =>
    homed.take({ accountId, state, change, by: '外' })
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>()
  const { promise: goesOn, resolve: goOn } = Promise.withResolvers<void>()
  at.write = () => {
    asked()
    return goesOn
  }
  const saving = put('一', 'stop;')
  await isAsked
  const taking = take(before.state, { kind: 'remove', id })
  const looking = homed.stand({ accountId })
  goOn()
  assert.deepEqual(await taking, { kind: 'changed' })
  const now = await looking
  assert.ok((await saving).ok)
  assert.notEqual(now.scripts[0]?.digest, before.scripts[0]?.digest)
  // As they were before, and changed all the same: something there may have been read in between.
  assert.ok((await put('一', 'keep;')).ok)
  const again = await homed.stand({ accountId })
  assert.deepEqual(again.scripts, before.scripts)
  assert.deepEqual(await take(before.state, { kind: 'remove', id }), { kind: 'changed' })
  events.length = 0
  const put2 = { kind: 'put', id: 'by-hand', name: '二', text: 'discard;' } as const
  const first = await take(again.state, put2)
  assert.ok(first.kind === 'taken')
  const second = await take(first.state, { kind: 'rename', id, name: '改' })
  assert.ok(second.kind === 'taken')
  const third = await take(second.state, { kind: 'activate', id: 'by-hand' })
  assert.deepEqual(await list(), ['二*', '改'])
  assert.ok(third.kind === 'taken')
  const clash = { kind: 'rename', id, name: '二' } as const
  assert.deepEqual(await take(third.state, clash), { kind: 'refused', message: 'exists' })
  assert.equal((await take(third.state, { kind: 'remove', id: 'by-hand' })).kind, 'taken')
  assert.deepEqual(await list(), ['改'])
  assert.deepEqual(
    events.map(
      ({ name, fields }) => `${name} ${fields['act']} ${fields['script']} ${fields['by']}`,
    ),
    [
      'store.script put 二 外',
      'store.script rename 一 外',
      'store.script activate 二 外',
      'store.script activate null 外',
      'store.script remove 二 外',
    ],
  )
})
