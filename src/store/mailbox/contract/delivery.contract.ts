import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { Uid } from '#model/mailbox.ts'
import type { AccountId } from '#model/account.ts'
import { ACCOUNTS_AT_ONCE } from '#store/mailbox/commit.ts'
import { append, hanako, taro, text } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import { scriptsContract } from './scripts.contract.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'

const entry = (id: string, content: number | Octets = 0): OutboxEntry => ({
  id,
  kind: 'redirect',
  reversePath: { localpart: '花子', domain: 'xn--wgv71a119e.example' },
  recipients: [{ localpart: '"a b"', domain: 'b.example' }],
  body: '8bitmime',
  smtpUtf8: true,
  content,
})

/** Delivery ids, the outbox, scripts, counts of the whole. */
export function deliveryContract(bench: () => Bench): void {
  const waiting = async (limit = 100): Promise<string[]> =>
    (await bench().store.outbox({ limit })).items.map(({ id }) => id)
  const outboxText = async (id: string): Promise<string> => {
    const { octets } = await bench().store.readOutbox({ id, offset: 0, length: 1_000_000 })
    return toUtf8(octets)
  }

  describe('delivery', () => {
    it('a second one with the same id changes nothing, for each account by itself', async () => {
      const at = bench()
      const delivery = { deliveryId: 'D1', outbox: [entry('D1:r')] }
      const deliver = (more = {}) => at.commit([append(['INBOX'])], { ...delivery, ...more })
      assert.equal((await deliver()).kind, 'committed')
      const told = at.changes.length
      assert.equal((await deliver()).kind, 'duplicate')
      assert.equal(at.changes.length, told)
      assert.equal((await deliver({ accountId: taro })).kind, 'committed')
      assert.equal((await deliver({ deliveryId: 'D2' })).kind, 'committed')
      assert.equal((await at.row(['INBOX'])).messages, 2)
      assert.equal((await at.row(['INBOX'], taro)).messages, 1)
      assert.deepEqual(await waiting(), ['D1:r'])
      const both = await at.store.commit({
        contents: [text('x')],
        commits: [1, 2].map(() => ({
          accountId: hanako,
          changes: [append(['INBOX'])],
          deliveryId: 'D3',
        })),
      })
      assert.deepEqual(
        both.results.map(({ kind }) => kind),
        ['committed', 'duplicate'],
      )
    })

    it('many at once with one id are one', async () => {
      const at = bench()
      const results = await Promise.all(
        Array.from({ length: 20 }, () => at.commit([append(['INBOX'])], { deliveryId: 'D1' })),
      )
      assert.equal(results.filter(({ kind }) => kind === 'committed').length, 1)
      assert.equal((await at.row(['INBOX'])).messages, 1)
    })

    it('one that was refused may come again', async () => {
      const at = bench()
      const delivery = { deliveryId: 'D1', outbox: [entry('D1:r')] }
      assert.equal(await at.refused([append(['無い'])], delivery), 'noMailbox')
      assert.deepEqual(await waiting(), [])
      await at.done([append(['INBOX'])], delivery)
      assert.deepEqual(await waiting(), ['D1:r'])
    })
  })

  describe('a mail for many accounts', () => {
    const members = Array.from({ length: 1_003 }, (_, i) => `会員${i}` as AccountId)
    const post = (at: Bench, deliveryId = 'D9') =>
      at.store.commit({
        contents: [text('Subject: お知らせ\r\n\r\n全員へ')],
        commits: members.map((accountId) => ({
          accountId,
          changes: [append([accountId === '会員700' ? '無い' : 'INBOX'])],
          deliveryId,
        })),
      })

    it('is filed for each, in steps that others get between; one refusal is of one', async () => {
      const at = bench()
      const posting = post(at)
      await at.done([append(['INBOX'])], { accountId: taro })
      const { results } = await posting
      assert.deepEqual(
        results.flatMap(({ kind }, i) => (kind === 'committed' ? [] : [[members[i], kind]])),
        [['会員700', 'refused']],
      )
      for (const accountId of [members[0]!, members.at(-1)!]) {
        const { id } = await at.row(['INBOX'], accountId)
        const ask = { accountId, mailboxId: id, uid: 1 as Uid, offset: 0, length: 1_000 }
        const { octets } = await at.store.read(ask)
        assert.match(toUtf8(octets!), /全員へ$/)
      }
      const again = await post(at)
      assert.equal(again.results.filter(({ kind }) => kind === 'duplicate').length, 1_002)
    })

    it('is filed once for each where a first part was filed before', async () => {
      const at = bench()
      await at.store.commit({
        contents: [text('Subject: お知らせ\r\n\r\n全員へ')],
        commits: members.slice(0, ACCOUNTS_AT_ONCE + 1).map((accountId) => ({
          accountId,
          changes: [append(['INBOX'])],
          deliveryId: 'D9',
        })),
      })
      await post(at)
      for (const accountId of [members[0]!, members[ACCOUNTS_AT_ONCE]!, members.at(-1)!])
        assert.equal((await at.row(['INBOX'], accountId)).messages, 1)
    })
  })

  describe('memory', () => {
    const key = 'v:花子へ'
    const reply = (id: string, untilMs: number, more = {}) => ({
      memories: [{ key, untilMs, ...more }],
      outbox: [{ ...entry(id, fromUtf8('不在です')), once: key }],
      contents: [text('本文'), text('控え')],
    })
    const deliver = (at: Bench, id: string, untilMs: number, more = {}) =>
      at.done([append(['INBOX']), append(['Sent'], { content: 1, once: key })], {
        deliveryId: id,
        ...reply(id, untilMs, more),
      })
    const remembered = async (at: Bench, accountId = hanako) =>
      (await at.store.remembered({ accountId, keys: [key, '無い'] })).keys

    it('lets what is done once be done once until its time, in the commit itself', async () => {
      const at = bench()
      const nowMs = at.clock.nowMs()
      const first = await deliver(at, 'D1', nowMs + 1_000)
      assert.deepEqual(
        first.map(({ kind }) => kind),
        ['append', 'append'],
      )
      const second = await deliver(at, 'D2', nowMs + 9_000)
      assert.deepEqual(
        second.map(({ kind }) => kind),
        ['append', 'done'],
      )
      assert.deepEqual(await waiting(), ['D1'])
      assert.equal((await at.row(['Sent'])).messages, 1)
      assert.deepEqual(await remembered(at), [key])
      assert.deepEqual(await remembered(at, taro), [])
      at.clock.advance(1_000)
      assert.deepEqual(await remembered(at), [])
      await deliver(at, 'D3', nowMs + 9_000)
      assert.deepEqual(await waiting(), ['D1', 'D3'])
    })

    it('is prolonged where that is asked, and forgets what a refused or repeated delivery brings', async () => {
      const at = bench()
      const nowMs = at.clock.nowMs()
      const more = reply('D1', nowMs + 1_000)
      assert.equal(await at.refused([append(['無い'])], { deliveryId: 'D1', ...more }), 'noMailbox')
      assert.deepEqual(await remembered(at), [])
      await deliver(at, 'D1', nowMs + 1_000)
      await at.commit([append(['INBOX'])], { deliveryId: 'D1', ...reply('D1', nowMs + 9_000) })
      await deliver(at, 'D2', nowMs + 5_000, { isProlonged: true })
      at.clock.advance(4_999)
      assert.deepEqual(await remembered(at), [key])
      at.clock.advance(1)
      assert.deepEqual(await remembered(at), [])
      await at.store.purge({ beforeMs: 0 })
      assert.deepEqual(await waiting(), ['D1'])
    })

    it('that was to be the first refuses the commit where it stands', async () => {
      const at = bench()
      const nowMs = at.clock.nowMs()
      const isFirst = { isFirst: true, isProlonged: true }
      await deliver(at, 'D1', nowMs + 1_000, isFirst)
      const again = { deliveryId: 'D2', ...reply('D2', nowMs + 9_000, isFirst) }
      assert.equal(await at.refused([append(['INBOX'])], again), 'conflict')
      assert.equal((await at.row(['INBOX'])).messages, 1)
      at.clock.advance(1_000)
      await deliver(at, 'D2', nowMs + 9_000, isFirst)
    })

    it('of many deliveries at once answers one', async () => {
      const at = bench()
      const untilMs = at.clock.nowMs() + 1_000
      await Promise.all(Array.from({ length: 20 }, (_, i) => deliver(at, `D${i}`, untilMs)))
      assert.equal((await waiting()).length, 1)
      assert.equal((await at.row(['INBOX'])).messages, 20)
      assert.equal((await at.row(['Sent'])).messages, 1)
    })
  })

  it('tells of many accounts what decides where their mail is filed', async () => {
    const at = bench()
    await at.done([append(['INBOX'])])
    await at.done([{ kind: 'create', path: ['会議', '議事録'] }])
    const put = { kind: 'put', name: '振分', text: 'keep;', activate: true } as const
    await at.store.changeScript({ accountId: hanako, change: put })
    const { accounts } = await at.store.filing({ accountIds: [taro, hanako] })
    const names = accounts.map(({ mailboxes }) => mailboxes.map((path) => path.join('/')).sort())
    assert.deepEqual(names[0], await at.names(taro))
    assert.deepEqual(names[1], await at.names(hanako))
    assert.equal(names[1]?.includes('会議/議事録'), true)
    assert.deepEqual(
      accounts.map(({ script }) => script),
      [undefined, 'keep;'],
    )
    for (const { uses, ids } of accounts) {
      assert.deepEqual(uses.find(({ use }) => use === 'junk')?.path, ['Junk'])
      assert.equal(ids, undefined)
    }
    await at.store.changeScript({ accountId: hanako, change: { ...put, text: '# mailboxid' } })
    const [own] = (await at.store.filing({ accountIds: [hanako] })).accounts
    const nth = own!.mailboxes.findIndex((path) => path.join('/') === '会議/議事録')
    assert.equal(own!.ids![nth], await at.idOf('会議', '議事録'))
  })

  describe('outbox', () => {
    it('is committed with the delivery, offered oldest first until it is done', async () => {
      const at = bench()
      const large = fromUtf8('大'.repeat(100_000))
      const outbox = [entry('一'), entry('二', fromUtf8('お断り')), entry('三', large), entry('一')]
      await at.done([append(['INBOX'])], { outbox, contents: [text('転送')] })
      await at.done([], { accountId: taro, outbox: [entry('四', fromUtf8('別'))] })
      const { items } = await at.store.outbox({ limit: 2 })
      const { content: _, ...rest } = entry('一')
      assert.deepEqual(items[0], { ...rest, accountId: hanako, sizeBytes: 6 })
      assert.deepEqual(await waiting(2), ['一', '二'])
      assert.deepEqual(await waiting(), ['一', '二', '三', '四'])
      assert.equal((await at.store.status()).outbox, 4)
      const inbox = await at.idOf('INBOX')
      await at.done([{ kind: 'expunge', mailboxId: inbox, uids: 'all', deletedOnly: false }])
      assert.equal(await outboxText('一'), '転送')
      assert.equal(await outboxText('二'), 'お断り')
      assert.equal(await outboxText('三'), toUtf8(large))
      const part = await at.store.readOutbox({ id: '二', offset: 3, length: 3 })
      assert.equal(toUtf8(part.octets), '断')
      await at.store.outboxDone({ ids: ['一', '三', '無い'] })
      await at.store.outboxDone({ ids: ['三'] })
      assert.deepEqual(await waiting(), ['二', '四'])
      await assert.rejects(outboxText('三'), (thrown) => isFault(thrown, 'notFound'))
      assert.equal(await at.read(inbox, 1), '転送')
    })

    it('a large message that also goes out stays when it has gone', async () => {
      const at = bench()
      const body = '大'.repeat(100_000)
      await at.done([append(['INBOX'])], { outbox: [entry('一')], contents: [text(body)] })
      await at.store.outboxDone({ ids: ['一'] })
      assert.equal(await at.read(await at.idOf('INBOX'), 1), body)
    })
  })

  describe('scripts', () => scriptsContract(async () => bench().store))

  describe('status', () => {
    it('counts accounts, messages that are not expunged, and what waits in the outbox', async () => {
      const at = bench()
      const inbox = await at.fill(5)
      await at.done([append(['INBOX'])], { accountId: taro })
      await at.done([
        { kind: 'expunge', mailboxId: inbox, uids: [1 as Uid], deletedOnly: false },
        {
          kind: 'copy',
          from: inbox,
          uids: [2 as Uid, 3 as Uid],
          to: { path: ['控え'], create: true },
        },
        { kind: 'move', from: inbox, uids: [4 as Uid], to: { path: ['控え'], create: false } },
      ])
      const { accounts, messages, outbox, full } = await at.store.status()
      assert.deepEqual([accounts, messages, outbox, full], [2, 7, 0, false])
      await at.done([{ kind: 'delete', mailboxId: await at.idOf('控え') }])
      assert.equal((await at.store.status()).messages, 4)
    })
  })
}
