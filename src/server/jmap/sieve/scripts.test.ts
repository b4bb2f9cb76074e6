import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import { SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

async function room(t: TestContext) {
  const jmap = await jmapRoom(t)
  const upload = async (octets: string | Buffer<ArrayBuffer>, as = 'hanako'): Promise<string> => {
    const path = `/jmap/upload/${jmap.accounts.get(as)?.id ?? HANAKO.id}`
    const response = await jmap.fetch(path, { method: 'POST', body: octets, as })
    return ((await response.json()) as { blobId: string }).blobId
  }
  const set = (args: Record<string, unknown>) => jmap.call('SieveScript/set', args)
  const make = async (name: string, text = 'keep;'): Promise<string> => {
    const done = await set({ create: { a: { name, blobId: await upload(text) } } })
    return done.created.a.id
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
  const all = async (): Promise<any[]> => (await jmap.call('SieveScript/get', { ids: null })).list
  const textOf = async (blobId: string): Promise<string> =>
    (await jmap.fetch(`/jmap/download/${HANAKO.id}/${blobId}/x.sieve`, { as: 'hanako' })).text()
  return { jmap, upload, set, make, all, textOf }
}

describe('Sieve scripts over JMAP (RFC 9661)', () => {
  it('tell their limits with the capability (§1.2.1)', async (t) => {
    const { jmap } = await room(t)
    // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
    const session: any = await (await jmap.fetch('/jmap/session', { as: 'hanako' })).json()
    const sieve = 'urn:ietf:params:jmap:sieve'
    assert.deepEqual(session.capabilities[sieve], { implementation: 'Watari' })
    const { sieveExtensions, ...limits } = session.accounts[HANAKO.id].accountCapabilities[sieve]
    assert.deepEqual(limits, {
      maxSizeScriptName: 512,
      maxSizeScript: SCRIPT_BYTES_MAX,
      maxNumberScripts: SCRIPTS_PER_ACCOUNT_MAX,
      maxNumberRedirects: 5,
      notificationMethods: ['mailto'],
      externalLists: null,
    })
    assert.ok(sieveExtensions.includes('fileinto'))
    assert.equal(session.primaryAccounts[sieve], HANAKO.id)
  })

  it('are made, read as blobs, renamed, changed and destroyed; ids stay, blobs name one text', async (t) => {
    const { jmap, upload, set, all, textOf } = await room(t)
    const text = 'require "fileinto";\r\nfileinto "会議";\r\n'
    const given = { name: '会議か\u3099', blobId: await upload(text) }
    const made = await set({ create: { a: given } })
    const { id, name, blobId, isActive } = made.created.a
    assert.deepEqual([name, isActive], ['会議が', false]) // RFC 5198 §3
    assert.deepEqual(await all(), [{ id, name, blobId, isActive }])
    assert.equal(await textOf(blobId), text)

    const changed = await set({
      ifInState: made.newState,
      update: { [id]: { name: '二', blobId: await upload('keep;') } },
    })
    const next = changed.updated[id].blobId
    assert.notEqual(next, blobId)
    assert.deepEqual(await all(), [{ id, name: '二', blobId: next, isActive: false }])
    assert.equal(await textOf(next), 'keep;')
    assert.match(await textOf(blobId), /No such blob/)

    // A blob of a script makes another script.
    const copy = await set({ create: { b: { blobId: next } } })
    assert.equal(copy.created.b.name, 'script-1')
    assert.equal(copy.created.b.blobId, undefined)
    const gone = await set({ destroy: [id, 'nothing'] })
    assert.deepEqual(gone.destroyed, [id])
    assert.equal(gone.notDestroyed.nothing.type, 'notFound')
    assert.notEqual(gone.oldState, gone.newState)
    assert.deepEqual(
      jmap.events.flatMap(({ name, fields }) =>
        name === 'store.script' ? [`${String(fields['act'])} ${String(fields['script'])}`] : [],
      ),
      ['put 会議が', 'rename 会議が', 'put 二', 'put script-1', 'remove 二'],
    )
  })

  it('are activated and deactivated once all else has come about (§2.4)', async (t) => {
    const { upload, set, make, all } = await room(t)
    const first = await make('一')
    const on = await set({ onSuccessActivateScript: first })
    assert.deepEqual(on.updated, { [first]: { isActive: true } })
    // In the place of the first, made by the same call.
    const made = await set({
      create: { a: { name: '二', blobId: await upload('discard;') } },
      onSuccessActivateScript: '#a',
    })
    const second = made.created.a.id
    assert.equal(made.created.a.isActive, true)
    assert.deepEqual(made.updated, { [first]: { isActive: false } })
    // What failed leaves it as it was; so does an id that is none.
    const failed = await set({ destroy: ['nothing'], onSuccessActivateScript: first })
    assert.equal(failed.updated, null)
    for (const id of ['nothing', '#b', '', 'あ', 7])
      assert.equal((await set({ onSuccessActivateScript: id })).updated, null)
    assert.deepEqual(
      (await all()).filter(({ isActive }) => isActive).map(({ id }) => id),
      [second],
    )
    const kept = await set({ destroy: [second] })
    assert.equal(kept.notDestroyed[second].type, 'sieveIsActive')
    const off = await set({ onSuccessDeactivateScript: true })
    assert.deepEqual(off.updated, { [second]: { isActive: false } })
    assert.deepEqual((await set({ destroy: [second] })).destroyed, [second])
  })

  it('stay as they are where something is wrong', async (t) => {
    const { jmap, upload, set, make, all } = await room(t)
    const id = await make('一')
    const keep = await upload('keep;')
    const before = await all()
    const refused = async (properties: Record<string, unknown>): Promise<string> =>
      (await set({ create: { a: properties } })).notCreated.a.type
    const wrong = await set({
      create: { a: { name: 'x', blobId: await upload('keep;\nfileinto "x";') } },
    })
    assert.equal(wrong.notCreated.a.type, 'invalidSieve')
    assert.match(wrong.notCreated.a.description, /line 2/)
    assert.equal(await refused({ blobId: await upload(Buffer.from([0xff])) }), 'invalidSieve')
    const large = `keep;#${'x'.repeat(SCRIPT_BYTES_MAX)}`
    assert.equal(await refused({ blobId: await upload(large) }), 'tooLarge')
    assert.equal(await refused({ blobId: await upload(large.repeat(3)) }), 'tooLarge')
    assert.equal(await refused({ blobId: 'Unothing' }), 'blobNotFound')
    assert.equal(await refused({ name: 'x' }), 'blobNotFound')
    for (const name of ['', 'a\u0000', '\ud800', 'x'.repeat(129), 7])
      assert.equal(await refused({ name, blobId: keep }), 'invalidProperties')
    for (const more of [{ isActive: true }, { id: 'x' }, { color: 'red' }])
      assert.equal(await refused({ blobId: keep, ...more }), 'invalidProperties')
    const twice = await set({ create: { a: { name: '一', blobId: keep } } })
    assert.deepEqual(
      [twice.notCreated.a.type, twice.notCreated.a.existingId],
      ['alreadyExists', id],
    )
    const other = await make('二')
    const update = async (patch: Record<string, unknown>): Promise<string> =>
      (await set({ update: { [other]: patch } })).notUpdated[other].type
    assert.equal(await update({ name: '一' }), 'alreadyExists')
    assert.equal(await update({ name: '三', blobId: await upload('no') }), 'invalidSieve')
    assert.equal(await update({ name: null }), 'invalidProperties')
    assert.equal(await update({ isActive: true }), 'invalidProperties')
    assert.equal((await set({ update: { [other]: { isActive: false } } })).notUpdated, null)
    await set({ destroy: [other] })
    assert.deepEqual(await all(), before)
    assert.equal(await jmap.error('SieveScript/set', { ifInState: 'x' }), 'stateMismatch')
    const many = Object.fromEntries(
      Array.from({ length: SCRIPTS_PER_ACCOUNT_MAX }, (_, n) => [`c${n}`, { blobId: keep }]),
    )
    const full = await set({ create: many })
    assert.deepEqual(
      Object.values(full.notCreated).map((error) => (error as { type: string }).type),
      ['overQuota'],
    )
  })

  it('are found by name and by whether they filter (§2.5)', async (t) => {
    const { jmap, make, set } = await room(t)
    const ids = [await make('会議 B'), await make('会議 A'), await make('旅行')]
    await set({ onSuccessActivateScript: ids[2] })
    const query = async (args: Record<string, unknown>): Promise<unknown> => {
      const { ids: found } = await jmap.call('SieveScript/query', args)
      return (found as string[]).map((id) => ids.indexOf(id))
    }
    assert.deepEqual(await query({ sort: [{ property: 'name' }] }), [1, 0, 2])
    assert.deepEqual(await query({ filter: { name: '会議' } }), [1, 0])
    assert.deepEqual(await query({ filter: { isActive: true } }), [2])
    const sort = [{ property: 'isActive', isAscending: false }, { property: 'name' }]
    assert.deepEqual(await query({ sort, limit: 2 }), [2, 1])
    const args = { calculateTotal: true, position: 1, limit: 1 }
    const got = await jmap.call('SieveScript/query', args)
    assert.deepEqual([got.total, got.position, got.canCalculateChanges], [3, 1, false])
    assert.equal(
      await jmap.error('SieveScript/query', { filter: { text: 'x' } }),
      'unsupportedFilter',
    )
    assert.equal(
      await jmap.error('SieveScript/query', { filter: { isActive: 1 } }),
      'invalidArguments',
    )
  })

  it('are checked without being stored (§2.6)', async (t) => {
    const { jmap, upload, all } = await room(t)
    const check = async (text: string) =>
      (await jmap.call('SieveScript/validate', { blobId: await upload(text) })).error
    assert.equal(await check('keep;'), null)
    const error = await check('keep;\nkeep')
    assert.equal(error.type, 'invalidSieve')
    assert.match(error.description, /^line \d+: /)
    assert.equal((await check(`#${'x'.repeat(SCRIPT_BYTES_MAX)}`)).type, 'tooLarge')
    assert.equal(await jmap.error('SieveScript/validate', { blobId: 'Ux' }), 'blobNotFound')
    assert.equal(await jmap.error('SieveScript/validate'), 'invalidArguments')
    assert.deepEqual(await all(), [])
  })

  it('of before they had ids have one that stays', async (t) => {
    const { jmap, make, set, all, textOf } = await room(t)
    await make('古', 'keep; # 古い')
    jmap.store.spoil('UPDATE script SET id = NULL, digest = NULL')
    const [{ id, blobId }] = await all()
    assert.equal(await textOf(blobId), 'keep; # 古い')
    await set({ update: { [id]: { name: '新' } } })
    await make('古')
    const now = await all()
    assert.deepEqual(now.find(({ name }) => name === '新').id, id)
    assert.notEqual(now.find(({ name }) => name === '古').id, id)
  })

  it('are nobody else’s: neither listed nor read', async (t) => {
    const { jmap, make, all } = await room(t)
    await make('一', 'keep; # 秘密')
    const [{ blobId }] = await all()
    const taro = jmap.accounts.get('taro')
    const paths = [HANAKO.id, taro?.id ?? ''].map((id) => `/jmap/download/${id}/${blobId}/x`)
    for (const path of paths) assert.equal((await jmap.fetch(path, { as: 'taro' })).status, 404)
    const events = jmap.events.flatMap(({ fields }) => String(fields['by']))
    assert.match(events[0]!, /^hanako by jmap 127\.0\.0\.1$/)
  })

  it('tell of their changes (RFC 8620 §7.1)', async (t) => {
    const { jmap, make } = await room(t)
    const response = await jmap.fetch(
      '/jmap/eventsource?types=SieveScript&closeafter=state&ping=0',
      {
        as: 'hanako',
      },
    )
    await make('一')
    const { state } = await jmap.call('SieveScript/get')
    const told = await response.text()
    assert.match(told, new RegExp(`"SieveScript":"${state}"`))
  })
})
