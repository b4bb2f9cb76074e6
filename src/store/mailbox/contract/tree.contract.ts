import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  DEFAULT_MAILBOXES,
  MAILBOX_COMPONENT_BYTES_MAX,
  MAILBOX_DEPTH_MAX,
} from '#model/mailbox.ts'
import type { MailboxId, MailboxPath, SpecialUse } from '#model/mailbox.ts'
import { append, hanako } from './contract-bench.ts'
import type { Bench } from './contract-bench.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

const DEFAULTS = DEFAULT_MAILBOXES.map(({ path }) => path.join('/')).toSorted()

const create = (path: MailboxPath, use?: SpecialUse): MailboxChange => ({
  kind: 'create',
  path,
  ...(use !== undefined && { use }),
})
const rename = (mailboxId: MailboxId, ...path: readonly string[]): MailboxChange => ({
  kind: 'rename',
  mailboxId,
  path,
})
const remove = (mailboxId: MailboxId): MailboxChange => ({ kind: 'delete', mailboxId })
const subscribe = (path: MailboxPath, on: boolean): MailboxChange => ({
  kind: 'subscribe',
  path,
  on,
})

/** create, rename, delete, subscribe, retain. */
export function treeContract(bench: () => Bench): void {
  const added = async (): Promise<string[]> =>
    (await bench().names()).filter((name) => !DEFAULTS.includes(name))

  describe('mailboxes', () => {
    it('the default ones are made at first use, all subscribed, parents before children', async () => {
      const at = bench()
      assert.deepEqual(await at.names(), DEFAULTS)
      assert.deepEqual(await at.subscriptions(), DEFAULTS)
      const rows = await at.rows()
      for (const { path, use, retainDays } of DEFAULT_MAILBOXES) {
        const row = await at.row(path)
        assert.deepEqual([row.use, row.noSelect], [use, false])
        assert.equal(row.retainDays, retainDays ?? (path[0] === 'Junk' ? 30 : undefined))
      }
      const order = rows.map(({ path }) => path.join('/'))
      assert.ok(order.indexOf('Junk') < order.indexOf('Junk/SPAM'))
      assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length)
      assert.equal(new Set(rows.map(({ uidValidity }) => uidValidity)).size, rows.length)
    })

    it('are made with what is missing above them, each by one name only', async () => {
      const at = bench()
      const { mailbox } = await at.one('mailbox', create(['案件', '２０２６', '会議']))
      assert.deepEqual(mailbox.path, ['案件', '２０２６', '会議'])
      assert.deepEqual([mailbox.uidNext, mailbox.messages, mailbox.subscribed], [1, 0, false])
      assert.deepEqual(await added(), ['案件', '案件/２０２６', '案件/２０２６/会議'])
      assert.equal(await at.refused([create(['案件', '２０２６'])]), 'exists')
      // RFC 5198: one form of each name. か + combining mark is が.
      await at.done([create(['\u304b\u3099\u304f'])])
      assert.deepEqual((await at.row(['がく'])).path, ['がく'])
      assert.equal(await at.refused([create(['がく'])]), 'exists')
      assert.equal(await at.refused([create(['inBOX'])]), 'exists')
      assert.equal(await at.refused([append(['inbox', '無い'])]), 'noMailbox')
      await at.done([create(['inbox', '下'])])
      assert.ok((await at.names()).includes('INBOX/下'))
    })

    it('have names of bounded length and depth without controls', async () => {
      const at = bench()
      const deep = Array.from({ length: MAILBOX_DEPTH_MAX }, () => '深')
      const long = '長'.repeat(MAILBOX_COMPONENT_BYTES_MAX / 3)
      await at.done([create(deep), create([long])])
      for (const [path, code] of [
        [[...deep, '一'], 'limit'],
        [[`${long}x`], 'limit'],
        [[], 'badName'],
        [['a', ''], 'badName'],
        [['改\r\n行'], 'badName'],
        [['\u2028'], 'badName'],
        [['\ud800'], 'badName'],
      ] as const) {
        assert.equal(await at.refused([create(path)]), code, JSON.stringify(path))
        assert.equal(await at.refused([subscribe(path, true)]), code, JSON.stringify(path))
      }
      const id = await at.idOf('がく').catch(() => at.idOf(long))
      assert.equal(await at.refused([rename(id, 'a\0')]), 'badName')
    })

    it('one has a special use (RFC 8621 §2)', async () => {
      const at = bench()
      assert.equal(await at.refused([create(['下書き'], 'drafts')]), 'conflict')
      assert.equal(await at.refused([create(['受信箱'], 'inbox')]), 'reserved')
      await at.done([remove(await at.idOf('Drafts'))])
      const { mailbox } = await at.one('mailbox', create(['下書き'], 'drafts'))
      assert.equal(mailbox.use, 'drafts')
      assert.deepEqual(await added(), ['下書き'])
    })
  })

  describe('rename', () => {
    it('takes along what lies below, with ids, UIDs and messages', async () => {
      const at = bench()
      await at.done([create(['会議', '来週', '月']), append(['会議', '来週'])])
      const before = await at.row(['会議', '来週'])
      const { mailbox } = await at.one('mailbox', rename(await at.idOf('会議'), '済み', '打合せ'))
      assert.deepEqual(mailbox.path, ['済み', '打合せ'])
      assert.deepEqual(await added(), [
        '済み',
        '済み/打合せ',
        '済み/打合せ/来週',
        '済み/打合せ/来週/月',
      ])
      const after = await at.row(['済み', '打合せ', '来週'])
      assert.deepEqual({ ...after, path: before.path }, before)
      assert.equal(await at.read(after.id, 1), 'Subject: 会議\r\n\r\n本文')
    })

    it('is refused onto a name that is taken, below itself, too deep, or of nothing', async () => {
      const at = bench()
      await at.done([create(['甲', '乙']), create(['丙'])])
      const id = await at.idOf('甲')
      assert.equal(await at.refused([rename(id, '丙')]), 'exists')
      assert.equal(await at.refused([rename(id, '甲')]), 'exists')
      assert.equal(await at.refused([rename(id, '甲', '乙', '丁')]), 'badName')
      assert.equal(await at.refused([rename(id, '甲', '新')]), 'badName')
      const deep = Array.from({ length: MAILBOX_DEPTH_MAX - 1 }, () => '深')
      assert.equal(await at.refused([rename(id, ...deep, '底')]), 'limit')
      assert.equal(await at.refused([rename('Mnone' as MailboxId, '新')]), 'noMailbox')
      assert.deepEqual(await added(), ['丙', '甲', '甲/乙'])
      await at.done([rename(id, ...deep)])
      await at.row([...deep, '乙'])
    })

    it('is refused where the mailbox has another name than the one that was meant', async () => {
      const at = bench()
      await at.done([create(['会議', '来週']), create(['INBOX', '子'])])
      const id = await at.idOf('会議')
      const meant = (to: string, ...from: readonly string[]): MailboxChange => ({
        kind: 'rename',
        mailboxId: id,
        from,
        path: [to],
      })
      await at.done([meant('済み', '会議')])
      assert.equal(await at.refused([meant('打合せ', '会議')]), 'noMailbox')
      assert.equal(await at.refused([meant('打合せ', '済み', '来週')]), 'noMailbox')
      assert.deepEqual(await added(), ['INBOX/子', '済み', '済み/来週'])
      const mailboxId = await at.idOf('INBOX')
      await at.done([{ kind: 'rename', mailboxId, from: ['inbox'], path: ['去年'] }])
    })

    it('of INBOX moves its messages and leaves it and its children (RFC 9051 §6.3.6)', async () => {
      const at = bench()
      await at.done([create(['INBOX', '子'])])
      const inbox = await at.fill(2)
      const { mailbox } = await at.one('mailbox', rename(inbox, '去年'))
      assert.deepEqual([mailbox.path, mailbox.messages], [['去年'], 2])
      assert.notEqual(mailbox.id, inbox)
      assert.equal((await at.row(['INBOX'])).messages, 0)
      assert.deepEqual(await added(), ['INBOX/子', '去年'])
      assert.deepEqual([...(await at.view(inbox)).uids], [])
      assert.equal((await at.one('append', append(['INBOX']))).uid, 3)
    })

    it('keeps the old names subscribed and subscribes the new ones', async () => {
      const at = bench()
      await at.done([create(['会議', '来週']), subscribe(['会議', '来週'], true)])
      await at.done([rename(await at.idOf('会議'), '打合せ')])
      const names = (await at.subscriptions()).filter((name) => !DEFAULTS.includes(name))
      assert.deepEqual(names, ['会議/来週', '打合せ/来週'])
      assert.equal((await at.row(['打合せ', '来週'])).subscribed, true)
      assert.equal((await at.row(['打合せ'])).subscribed, false)
    })
  })

  describe('delete', () => {
    it('leaves the name to its children, and takes it away with the last of them', async () => {
      const at = bench()
      await at.done([create(['甲', '乙', '丙']), append(['甲', '乙'])])
      const middle = await at.row(['甲', '乙'])
      await at.done([remove(middle.id)])
      const name = await at.row(['甲', '乙'])
      assert.deepEqual([name.noSelect, name.messages, name.id === middle.id], [true, 0, false])
      assert.equal(await at.store.view({ accountId: hanako, mailboxId: middle.id }), undefined)
      assert.equal(await at.store.view({ accountId: hanako, mailboxId: name.id }), undefined)
      assert.equal(await at.refused([append(['甲', '乙'])]), 'noMailbox')
      assert.equal(await at.refused([remove(name.id)]), 'noMailbox')
      assert.equal(await at.refused([remove(middle.id)]), 'noMailbox')
      await at.done([remove(await at.idOf('甲', '乙', '丙'))])
      assert.deepEqual(await added(), ['甲'])
    })

    it('what a delivery makes has the role that it was to have, unless another one has it', async () => {
      const at = bench()
      const made = async (name: string, use: 'archive' | 'junk') => {
        const mailbox = { path: [name], create: true, use }
        await at.done([append([name], { mailbox })])
        return (await at.row([name])).use
      }
      await at.done([remove(await at.idOf('Archive'))])
      assert.deepEqual(
        [await made('保管', 'archive'), await made('別', 'archive'), await made('箱', 'junk')],
        ['archive', undefined, undefined],
      )
    })

    it('a name that is used again is another mailbox (RFC 9051 §6.3.4)', async () => {
      const at = bench()
      const seen: { id: string; uidValidity: number }[] = []
      await at.done([create(['甲', '子'])])
      for (let round = 0; round < 3; round++) {
        await at.done([append(['甲'], { mailbox: { path: ['甲'], create: true } })])
        const row = await at.row(['甲'])
        assert.deepEqual([row.uidNext, row.messages, row.noSelect], [2, 1, false])
        seen.push(row)
        await at.done([remove(row.id)])
      }
      assert.equal(new Set(seen.map(({ id }) => id)).size, 3)
      const validities = seen.map(({ uidValidity }) => uidValidity)
      assert.deepEqual(
        validities,
        [...new Set(validities)].toSorted((a, b) => a - b),
      )
    })

    it('never takes INBOX, and takes no subscription away', async () => {
      const at = bench()
      assert.equal(await at.refused([remove(await at.idOf('INBOX'))]), 'reserved')
      await at.done([remove(await at.idOf('Archive'))])
      assert.ok((await at.subscriptions()).includes('Archive'))
      assert.ok(!(await at.names()).includes('Archive'))
    })

    it('tells the readers of the mailbox', async () => {
      const at = bench()
      const id = await at.idOf('Archive')
      const before = at.changes.length
      await at.done([remove(id)])
      assert.ok(at.changes.slice(before).some(({ mailboxId }) => mailboxId === id))
    })
  })

  describe('subscribe and retain', () => {
    it('subscriptions are names: the mailbox need not exist (RFC 9051 §6.3.7)', async () => {
      const at = bench()
      const name = ['無い', 'がく']
      await at.done([subscribe(['無い', '\u304b\u3099\u304f'], true), subscribe(name, true)])
      await at.done([subscribe(['Junk', 'SPAM'], false), subscribe(['初めから無い'], false)])
      const expected = [...DEFAULTS.filter((each) => each !== 'Junk/SPAM'), '無い/がく']
      assert.deepEqual(await at.subscriptions(), expected.toSorted())
      assert.equal((await at.row(['Junk', 'SPAM'])).subscribed, false)
      await at.done([subscribe(name, false)])
      assert.ok(!(await at.subscriptions()).includes('無い/がく'))
    })

    it('days of retention are a whole number from 1, those of the mailbox above, or for ever', async () => {
      const at = bench()
      const mailboxId = await at.idOf('Junk', 'SPAM')
      const { mailbox } = await at.one('mailbox', { kind: 'retain', mailboxId, retention: 7 })
      assert.deepEqual([mailbox.retainDays, mailbox.retention], [7, 7])
      for (const retention of [0, -1, 1.5, Number.NaN, 36_526])
        assert.equal(await at.refused([{ kind: 'retain', mailboxId, retention }]), 'limit')
      for (const [retention, days] of [
        ['forever', undefined],
        ['inherit', 30],
      ] as const) {
        await at.done([{ kind: 'retain', mailboxId, retention }])
        const row = await at.row(['Junk', 'SPAM'])
        assert.deepEqual([row.retainDays, row.retention], [days, retention])
        const view = await at.view(mailboxId)
        assert.equal(view.mailbox.retainDays, days)
      }
    })
  })
}
