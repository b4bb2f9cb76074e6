import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { ScriptChange } from '#model/script-change.ts'
import { hanako, taro } from './contract-bench.ts'

type Kept = Pick<MailboxStore, 'scripts' | 'script' | 'changeScript'>

/** What holds of scripts wherever they have their home; each test begins with none of hanako's. */
export function scriptsContract(open: () => Promise<Kept>): void {
  const opened = async () => {
    const store = await open()
    const change = async (what: ScriptChange) =>
      (await store.changeScript({ accountId: hanako, change: what })).refusal
    return {
      store,
      change,
      put: (name: string, activate: boolean, script = 'keep;') =>
        change({ kind: 'put', name, text: script, activate }),
      read: async (name?: string) => {
        const ask = { accountId: hanako, ...(name !== undefined && { name }) }
        return (await store.script(ask)).script
      },
      list: async () =>
        (await store.scripts({ accountId: hanako })).scripts.map(
          ({ name, active, sizeBytes }) => `${name} ${active} ${sizeBytes}`,
        ),
    }
  }

  it('at most one is active; one put in its place stays so (RFC 5804 §1.4, §2.6)', async () => {
    const { store, change, put, read, list } = await opened()
    assert.equal(await read(), undefined)
    await put('一', true)
    await put('二', true, '# 転送\r\n')
    assert.deepEqual(await list(), ['一 false 5', '二 true 10'])
    await put('二', false, '# 新しい二')
    assert.deepEqual(await read(), { name: '二', active: true, text: '# 新しい二' })
    assert.deepEqual(await read('一'), { name: '一', active: false, text: 'keep;' })
    assert.equal(await read('無い'), undefined)
    assert.equal(await change({ kind: 'activate', name: '一' }), undefined)
    assert.equal((await read())?.name, '一')
    assert.equal(await change({ kind: 'activate', name: null }), undefined)
    assert.equal(await read(), undefined)
    assert.deepEqual((await store.scripts({ accountId: taro })).scripts, [])
  })

  it('one that must not filter never takes the place of the active one', async () => {
    const { change, put, read } = await opened()
    const keep = (name: string, text: string) =>
      change({ kind: 'put', name, text, activate: false, inactiveOnly: true })
    await put('一', true)
    assert.equal(await keep('一', '壊れた'), 'active')
    assert.equal(await keep('二', '壊れた'), undefined)
    assert.equal(await keep('二', 'もっと'), undefined)
    assert.deepEqual(await read('二'), { name: '二', active: false, text: 'もっと' })
    assert.equal((await read())?.text, 'keep;')
  })

  it('a renamed one keeps its text, and stays active (RFC 5804 §2.11)', async () => {
    const { change, put, read, list } = await opened()
    await put('一', true, '# 会議')
    await put('二', false)
    assert.equal(await change({ kind: 'rename', name: '一', to: '改めた一' }), undefined)
    assert.deepEqual(await list(), ['二 false 5', '改めた一 true 8'])
    assert.deepEqual(await read(), { name: '改めた一', active: true, text: '# 会議' })
    assert.equal(await change({ kind: 'rename', name: '一', to: '三' }), 'notFound')
    assert.equal(await change({ kind: 'rename', name: '二', to: '改めた一' }), 'exists')
    assert.equal(await change({ kind: 'rename', name: '二', to: '二' }), 'exists')
    assert.deepEqual(await list(), ['二 false 5', '改めた一 true 8'])
  })

  it('a refused change changes nothing (RFC 5804 §2.8, §2.10)', async () => {
    const { change, put, read, list } = await opened()
    await put('一', false)
    await put('二', true)
    assert.equal(await change({ kind: 'remove', name: '二' }), 'active')
    assert.equal(await change({ kind: 'remove', name: '三' }), 'notFound')
    assert.equal(await change({ kind: 'activate', name: '三' }), 'notFound')
    assert.equal((await read())?.name, '二')
    assert.equal(await change({ kind: 'remove', name: '一' }), undefined)
    assert.deepEqual(await list(), ['二 true 5'])
    for (let i = 1; i < SCRIPTS_PER_ACCOUNT_MAX; i++) await put(`n${i}`, false)
    assert.equal(await put('過', true), 'limit')
    assert.equal(await put('二', false, 'stop;'), undefined)
    assert.equal((await list()).length, SCRIPTS_PER_ACCOUNT_MAX)
    assert.equal((await read())?.text, 'stop;')
  })
}
