import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DAY_MS, HOUR_MS } from '#base/time.ts'
import { hanako, taro, text } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'
import { annotationId } from '#store/mailbox/kept-object.ts'
import { OBJECT_KINDS } from '#store/mailbox/kept-object.ts'
import type { ObjectChange, ObjectKind } from '#store/mailbox/kept-object.ts'

const submission = (id: string, entry?: string): ObjectChange => ({
  kind: 'keep',
  object: 'EmailSubmission',
  id,
  value: { 件名: id },
  ...(entry === undefined ? {} : { entry }),
})

const entry = (id: string, releaseAtMs?: number): OutboxEntry => ({
  id,
  kind: 'submission',
  reversePath: { localpart: 'hanako', domain: 'campus.example' },
  recipients: [{ localpart: 'taro', domain: 'campus.example' }],
  body: '7bit',
  smtpUtf8: false,
  ...(releaseAtMs === undefined ? {} : { releaseAtMs }),
  content: 0,
})

/** What JMAP keeps beside mail: objects and their changes, mail that is sent later, uploads. */
export function objectsContract(bench: () => Bench): void {
  const list = async (at: Bench, kind: ObjectKind = 'EmailSubmission', accountId = hanako) =>
    at.store.objects({ accountId, kind })
  const changes = async (at: Bench, since: number, limit = 100) => {
    const ask = { accountId: hanako, kind: 'EmailSubmission' as const, since, limit }
    const found = await at.store.objectChanges(ask)
    return (
      found && {
        more: found.more,
        told: found.changes.map(
          ({ id, isNew, isGone }) => `${id}${isNew ? '+' : ''}${isGone ? '-' : ''}`,
        ),
      }
    )
  }
  const keepUpload = async (at: Bench, id: string, octets: string, bytesMax = 1_000) => {
    const { handle } = await at.store.openLarge()
    await at.store.appendLarge({ handle, octets: fromUtf8(octets) })
    const ask = { accountId: hanako, id, type: 'text/plain', large: handle, bytesMax }
    return (await at.store.keepUpload(ask)).isKept
  }
  const upload = async (at: Bench, id: string, accountId = hanako) => {
    const ask = { accountId, id, offset: 0, length: 1_000 }
    const { octets } = await at.store.readUpload(ask)
    return octets && toUtf8(octets)
  }

  describe('objects', () => {
    it('are kept in order, replaced and forgotten, each kind and account for itself', async () => {
      const at = bench()
      assert.deepEqual(await list(at), { state: 0, objects: [] })
      await at.done([submission('S1'), submission('S2')])
      await at.done([submission('S1')], { accountId: taro })
      const first = await list(at)
      assert.deepEqual(
        first.objects.map(({ id, value, waits }) => [id, value, waits]),
        [
          ['S1', { 件名: 'S1' }, false],
          ['S2', { 件名: 'S2' }, false],
        ],
      )
      const changed = { ...submission('S1'), value: { 件名: '新' } } as ObjectChange
      await at.done([changed, { kind: 'forget', object: 'EmailSubmission', id: 'S2' }])
      const { state, objects } = await list(at)
      assert.ok(state > first.state)
      assert.deepEqual(
        objects.map(({ id, value }) => [id, value]),
        [['S1', { 件名: '新' }]],
      )
      assert.deepEqual((await list(at, 'Identity')).objects, [])
      assert.equal((await list(at, 'EmailSubmission', taro)).objects.length, 1)
      assert.deepEqual(at.objectsChanged.at(-1), {
        accountId: hanako,
        objects: ['EmailSubmission'],
      })
      const { states } = await at.store.objectStates({ accountId: hanako })
      const none = Object.fromEntries(OBJECT_KINDS.map((kind) => [kind, 0]))
      assert.deepEqual(states, { ...none, EmailSubmission: state })
      await at.done([{ kind: 'forget', object: 'EmailSubmission', id: 'Snone' }])
      assert.equal((await list(at)).state, state, 'nothing went')
    })

    it('that are notes of a mailbox go with it, and no others', async () => {
      const at = bench()
      const note = (id: string): ObjectChange => ({
        kind: 'keep',
        object: 'Annotation',
        id,
        value: { text: '渡り' },
      })
      const drafts = await at.idOf('Drafts')
      const sent = await at.idOf('Sent')
      const ids = [
        annotationId(undefined, '/a'),
        annotationId(drafts, '/a'),
        annotationId(sent, '/a'),
      ]
      await at.done([...ids.map(note), note(`${drafts}x:/a`)])
      await at.done([{ kind: 'delete', mailboxId: drafts }])
      const left = (await list(at, 'Annotation')).objects.map(({ id }) => id)
      assert.deepEqual(left, [ids[0], ids[2], `${drafts}x:/a`])
    })

    it('tell what came, changed and went since a state, in pieces of any size', async () => {
      const at = bench()
      await at.done([submission('S1'), submission('S2')])
      const { state } = await list(at)
      assert.deepEqual(await changes(at, 0), { more: false, told: ['S1+', 'S2+'] })
      assert.deepEqual(await changes(at, state), { more: false, told: [] })
      await at.done([
        submission('S3'),
        submission('S1'),
        { kind: 'forget', object: 'EmailSubmission', id: 'S2' },
      ])
      assert.deepEqual(await changes(at, state), { more: false, told: ['S3+', 'S1', 'S2-'] })
      assert.deepEqual(await changes(at, state, 2), { more: true, told: ['S3+', 'S1'] })
      const ask = { accountId: hanako, kind: 'EmailSubmission', limit: 2, since: state } as const
      const [, second] = (await at.store.objectChanges(ask))!.changes
      assert.deepEqual(await changes(at, second!.seq), { more: false, told: ['S2-'] })
      assert.equal(await changes(at, (await list(at)).state + 1), undefined, 'of after a restore')
    })

    it('stand or fall with the mail that goes out for them', async () => {
      const at = bench()
      const contents = [text('Subject: x\r\n\r\n本文')]
      await at.done([submission('S1', 'D1')], { contents, outbox: [entry('D1')] })
      const [waiting] = (await list(at)).objects
      assert.equal(waiting!.waits, true)
      const { state } = await list(at)
      await at.store.outboxDone({ ids: ['D1'] })
      const after = await list(at)
      assert.equal(after.objects[0]!.waits, false)
      assert.deepEqual(await changes(at, state), { more: false, told: ['S1'] })
      assert.equal(at.objectsChanged.length, 2, 'at making, and at handing on')
      const gone = { kind: 'withdraw', entry: 'D1' } as const
      assert.equal(await at.refused([gone, submission('S9')]), 'conflict')
      assert.equal((await list(at)).objects.length, 1, 'nor the other change')
    })

    it('go out when they are released, and not at all when they are withdrawn before', async () => {
      const at = bench()
      const contents = [text('Subject: x\r\n\r\n本文')]
      const releaseAtMs = at.clock.nowMs() + HOUR_MS
      await at.done([submission('S1', 'D1'), submission('S2', 'D2')], {
        contents,
        outbox: [entry('D1', releaseAtMs), entry('D2', releaseAtMs)],
      })
      const waiting = async () =>
        (await at.store.outbox({ limit: 9 })).items.map(({ id, kind }) => [id, kind])
      assert.deepEqual(await waiting(), [])
      await at.done([{ kind: 'withdraw', entry: 'D1' }, submission('S1')])
      at.clock.advance(HOUR_MS)
      assert.deepEqual(await waiting(), [['D2', 'submission']])
      assert.equal(await at.refused([{ kind: 'withdraw', entry: 'D2' }]), 'conflict')
      const { objects } = await list(at)
      assert.deepEqual(
        objects.map(({ id, waits }) => [id, waits]),
        [
          ['S1', false],
          ['S2', true],
        ],
      )
    })

    it('are bounded in number, the oldest that wait for nothing giving way', async () => {
      const at = bench()
      await at.done([submission('S0', 'D0')], {
        contents: [text('x')],
        outbox: [entry('D0')],
      })
      await at.done(Array.from({ length: 1_000 }, (_, n) => submission(`S${n + 1}`)))
      const { objects } = await list(at)
      assert.equal(objects.length, 1_000)
      assert.deepEqual([objects[0]!.id, objects[1]!.id], ['S0', 'S2'])
      const identity = (n: number) => ({ ...submission(`I${n}`), object: 'Identity' }) as const
      await at.done(Array.from({ length: 200 }, (_, n) => identity(n)) as ObjectChange[])
      assert.equal(await at.refused([identity(200) as ObjectChange]), 'limit')
    })

    it('of submissions go after 30 days, which is told for 30 more', async () => {
      const at = bench()
      await at.done([submission('S1')])
      const { state } = await list(at)
      at.clock.advance(31 * DAY_MS)
      await at.store.purge({ beforeMs: 0 })
      assert.deepEqual((await list(at)).objects, [])
      assert.deepEqual(await changes(at, state), { more: false, told: ['S1-'] })
      at.clock.advance(31 * DAY_MS)
      await at.store.purge({ beforeMs: 0 })
      assert.equal(await changes(at, state), undefined)
      assert.deepEqual(await changes(at, (await list(at)).state), { more: false, told: [] })
    })
  })

  describe('uploads', () => {
    it('are read by their account until their time is over', async () => {
      const at = bench()
      assert.equal(await keepUpload(at, 'U1', '添付'), true)
      assert.equal(await upload(at, 'U1'), '添付')
      assert.equal(await upload(at, 'U1', taro), undefined)
      const ask = { accountId: hanako, id: 'U1' }
      assert.deepEqual((await at.store.upload(ask)).upload, { type: 'text/plain', sizeBytes: 6 })
      const part = await at.store.readUpload({ ...ask, offset: 3, length: 99 })
      assert.equal(toUtf8(part.octets!), '付')
      at.clock.advance(HOUR_MS)
      assert.equal(await upload(at, 'U1'), '添付', 'an hour at least (RFC 8620 §6)')
      await keepUpload(at, 'U2', '後')
      at.clock.advance(HOUR_MS + 1)
      await at.store.purge({ beforeMs: 0 })
      assert.deepEqual([await upload(at, 'U1'), await upload(at, 'U2')], [undefined, '後'])
    })

    it('give way to newer ones of their account above its limit, oldest first', async () => {
      const at = bench()
      for (const id of ['U1', 'U2', 'U3']) assert.equal(await keepUpload(at, id, 'あ', 7), true)
      assert.deepEqual(
        [await upload(at, 'U1'), await upload(at, 'U2'), await upload(at, 'U3')],
        [undefined, 'あ', 'あ'],
      )
      assert.equal(await keepUpload(at, 'U4', 'あああ', 7), false)
      assert.deepEqual([await upload(at, 'U2'), await upload(at, 'U4')], ['あ', undefined])
    })

    it('go with their account', async () => {
      const at = bench()
      await keepUpload(at, 'U1', 'あ')
      await at.done([submission('S1')])
      await at.store.keepAccounts({ accountIds: [taro], removedIds: [hanako] })
      at.clock.advance(DAY_MS)
      await at.store.purge({ beforeMs: at.clock.nowMs() })
      assert.deepEqual(await list(at), { state: 0, objects: [] })
      assert.equal(await upload(at, 'U1'), undefined)
    })
  })
}
