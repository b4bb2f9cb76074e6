import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import { DELETED } from '#model/mailbox.ts'
import type { EmailId } from '#model/mailbox.ts'
import { append, expunging, hanako, noMailbox, taro, text, uidsOf } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { QuotaRule } from '#model/quota.ts'

const rule = (bytes: number, messages = 0): QuotaRule => ({ bytes, messages, warnPercent: 90 })
const octets = (count: number) => [text(`Subject: 会議\r\n\r\n${'x'.repeat(count - 19)}`)]
const INBOX = [append(['INBOX'])]

/** The limit of a commit, and what its owner is told. */
export function quotaContract(bench: () => Bench): void {
  const usage = async (accountId = hanako): Promise<string> => {
    const { bytes, messages } = await bench().store.usage({ accountId })
    return `${bytes} in ${messages}`
  }
  const deliver = (bytes: number, quota: QuotaRule, more = {}) =>
    bench().commit(INBOX, { contents: octets(bytes), quota, ...more })
  const kindOf = async (...ask: Parameters<typeof deliver>): Promise<string> => {
    const result = await deliver(...ask)
    return result.kind === 'refused' ? result.refusal.code : result.kind
  }

  describe('quota', () => {
    it('takes what just fits, and refuses one octet or message more', async () => {
      assert.equal(await usage(), '0 in 0')
      assert.equal(await kindOf(100, rule(100)), 'committed')
      assert.equal(await kindOf(20, rule(119)), 'quota')
      assert.equal(await kindOf(20, rule(0, 1)), 'quota')
      assert.equal(await usage(), '100 in 1')
      assert.equal(await kindOf(20, rule(120, 2)), 'committed')
      assert.equal(await kindOf(1_000, rule(0, 0)), 'committed')
      assert.equal(await usage(), '1120 in 3')
      assert.equal(await usage(taro), '0 in 0')
    })

    it('counts copies, all or none of them; lets moves, flags and expunges go on', async () => {
      const at = bench()
      await at.done(
        Array.from({ length: 3 }, () => append(['INBOX'])),
        { contents: octets(100) },
      )
      const from = await at.idOf('INBOX')
      const quota = rule(350)
      const to = { path: ['Archive'], create: false }
      const transfer = (kind: 'copy' | 'move', ...uids: readonly number[]) =>
        ({ kind, from, to, uids: uidsOf(...uids) }) as const
      assert.equal(await at.refused([transfer('copy', 1)], { quota }), 'quota')
      assert.equal(await at.refused([transfer('copy', 1, 2, 3)], { quota: rule(550) }), 'quota')
      assert.equal(await usage(), '300 in 3')
      await at.done([transfer('copy', 1)], { quota: rule(400) })
      const tight = { quota: rule(50, 1) }
      await at.done([transfer('move', 1, 2)], tight)
      await at.done([{ kind: 'create', path: ['資料'] }], tight)
      const flags = {
        kind: 'setFlags',
        mailboxId: from,
        mode: 'add',
        keywords: ['$Important'],
      } as const
      await at.done([{ ...flags, uids: uidsOf(3), flags: DELETED }], tight)
      await at.done([expunging(from, 'all')], tight)
      assert.equal(await usage(), '300 in 3')
    })

    it('limits what people make of mailboxes, and files mail in a new one all the same', async () => {
      const at = bench()
      await deliver(20, rule(0))
      const { length } = (await at.store.mailboxes({ accountId: hanako })).mailboxes
      const quota = { ...rule(0), mailboxes: length + 1 }
      const create = (name: string) => ({ kind: 'create', path: [name] }) as const
      assert.equal(await at.refused([create('一'), create('二')], { quota }), 'quota')
      await at.done([create('一')], { quota })
      assert.equal(await at.refused([create('二')], { quota }), 'quota')
      const filed = append(['振り分け'], { mailbox: { path: ['振り分け'], create: true } })
      assert.equal(await at.refused([filed], { contents: octets(20), quota }), 'quota')
      await at.done([filed], { contents: octets(20), quota, deliveryId: 'D9' })
    })

    it('lets what was expunged come back, and a draft be replaced by what is no larger', async () => {
      const at = bench()
      await deliver(100, rule(0))
      const inbox = await at.idOf('INBOX')
      const replaced = [...INBOX, expunging(inbox, [1])]
      const quota = rule(50, 1)
      assert.equal(await at.refused(replaced, { contents: octets(101), quota }), 'quota')
      await at.done(replaced, { contents: octets(100), quota })
      const { emails } = await at.store.expunged({ accountId: hanako, sinceMs: 0, limit: 10 })
      const emailIds = emails.map(({ emailId }): EmailId => emailId)
      await at.done([{ kind: 'restore', emailIds }], { quota })
      assert.equal(await usage(), '200 in 2')
    })

    it('refuses one account of a request and files to the others; the refused may come again', async () => {
      const at = bench()
      const commit = { changes: INBOX, deliveryId: 'D1' }
      const both = () =>
        at.store.commit({
          contents: octets(100),
          commits: [
            { ...commit, accountId: hanako, quota: rule(99) },
            { ...commit, accountId: taro, quota: rule(100) },
          ],
        })
      const kinds = async () => (await both()).results.map(({ kind }) => kind)
      assert.deepEqual(await kinds(), ['refused', 'committed'])
      assert.deepEqual([await usage(), await usage(taro)], ['0 in 0', '100 in 1'])
      assert.deepEqual(await kinds(), ['refused', 'duplicate'])
      assert.equal(await kindOf(100, rule(100), { deliveryId: 'D1' }), 'committed')
    })

    it('20 at once never pass the limit', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          kindOf(100, rule(750, 9), { deliveryId: `D${index}` }),
        ),
      )
      assert.equal(results.filter((kind) => kind === 'committed').length, 7)
      assert.equal(results.filter((kind) => kind === 'quota').length, 13)
      assert.equal(await usage(), '700 in 7')
    })

    it('tells the octets of what is \\Deleted', async () => {
      const at = bench()
      const mailboxId = await at.fill(1)
      await at.done([append(['INBOX'], { flags: DELETED })], { contents: octets(70) })
      const bytes = async (id = mailboxId): Promise<number> =>
        (await at.store.deletedBytes({ accountId: hanako, mailboxId: id })).bytes
      assert.equal(await bytes(), 70)
      assert.equal(await bytes(noMailbox), 0)
      await at.done([expunging(mailboxId, [2])])
      assert.equal(await bytes(), 0)
    })
  })

  describe('what its owner is told of the quota', () => {
    const noticeOf = async (...ask: Parameters<typeof deliver>): Promise<string | undefined> => {
      const result = await deliver(...ask)
      return result.kind === 'duplicate' ? 'duplicate' : result.notice
    }
    const say = async (notice: 'near' | 'refused'): Promise<string> =>
      (await bench().commit(INBOX, { contents: octets(50), notice, quota: rule(1) })).kind

    it('once, when the share is passed, and again only after it fell well below', async () => {
      const at = bench()
      const quota = rule(1_000)
      assert.equal(await noticeOf(899, quota), undefined)
      assert.equal(await say('near'), 'duplicate')
      assert.equal(await noticeOf(20, quota), 'near')
      assert.equal(await noticeOf(20, quota), 'near', 'it is due until it is said')
      assert.equal(await say('near'), 'committed', 'however full it is')
      assert.equal(await say('near'), 'duplicate')
      assert.equal(await noticeOf(20, quota), undefined)
      const inbox = await at.idOf('INBOX')
      await at.done([expunging(inbox, [2, 3, 4, 5])], { quota })
      assert.equal(await usage(), '899 in 1')
      assert.equal(await noticeOf(30, quota), undefined, 'it has not fallen below 80 %')
      await at.done([expunging(inbox, 'all')])
      assert.equal(await noticeOf(910, quota), 'near')
    })

    it('of many deliveries at once one only makes it due, and one notice is taken', async () => {
      await Promise.all(Array.from({ length: 20 }, () => deliver(50, rule(1_000))))
      const said = await Promise.all([say('near'), say('near'), say('near')])
      assert.deepEqual(said.toSorted(), ['committed', 'duplicate', 'duplicate'])
      assert.equal(await usage(), '1050 in 21')
    })

    it('that mail is refused once a day at most, whatever the clock did; not for what people do themselves', async () => {
      const at = bench()
      const quota = rule(90)
      assert.equal(await noticeOf(100, quota), undefined)
      at.clock.advance(DAY_MS * 20_000)
      assert.equal(await noticeOf(100, quota, { deliveryId: 'D1' }), 'refused')
      assert.equal(await say('refused'), 'committed')
      at.clock.advance(DAY_MS - 1)
      assert.equal(await noticeOf(100, quota, { deliveryId: 'D2' }), undefined)
      assert.deepEqual(await at.store.noteRefused({ accountId: hanako }), {})
      at.clock.advance(1)
      assert.deepEqual(await at.store.noteRefused({ accountId: hanako }), { notice: 'refused' })
      at.clock.advance(-30 * DAY_MS)
      assert.equal(await say('refused'), 'committed')
      assert.equal(await noticeOf(100, quota, { deliveryId: 'D3' }), 'refused')
    })
  })

  describe('recount', () => {
    it('finds nothing to mend in what commits have written', async () => {
      const at = bench()
      const from = await at.fill(3, { flags: DELETED })
      const to = { path: ['写し'], create: true }
      await at.done([{ kind: 'copy', from, uids: uidsOf(1, 2), to }, expunging(from, [3])])
      await at.done(INBOX, { accountId: taro })
      const before = await at.rows()
      assert.deepEqual(await at.store.recount(), { recounted: [] })
      assert.deepEqual(await at.rows(), before)
    })
  })
}
