import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { ListBench, OUTSIDE, submitted } from '#test/fake/list-bench.ts'
import { Trying } from './aside.ts'
import { postDesk } from './desk.ts'
import { ListStore } from './list-store.ts'

const LIST = 'seminar@campus.example'
const HANAKO = 'hanako@campus.example'
const VOGEL = 'vogel@elsewhere.example'
const list = `id-${LIST}` as AccountId

let bench: ListBench
/** Whether whatever comes from elsewhere makes the work on it fail, by a mistake of ours. */
let isBroken = false
beforeEach(() => {
  bench = new ListBench([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: fakeAccount(HANAKO) },
    { kind: 'list', list: { ...fakeList(LIST), posting: 'anyone' } },
    { kind: 'member', member: fakeMember(LIST, { kind: 'address', address: addr(VOGEL) }) },
  ])
  isBroken = true
  Object.defineProperty(bench, 'demand', {
    get: () => {
      if (isBroken) throw new TypeError('誤り\r\nof ours')
      return 'lax'
    },
  })
})
afterEach(() => bench.close())

const poison = (): Promise<string> =>
  bench.receive({
    to: LIST,
    from: VOGEL,
    verdict: OUTSIDE,
    text: `From: ${VOGEL}\nSubject: 毒\nMessage-ID: <p@elsewhere.example>\n\n本文\n`,
  })
const post = (id: string): Promise<string> =>
  bench.mail({
    to: LIST,
    verdict: submitted(HANAKO),
    text: `From: ${HANAKO}\nSubject: 会議\nMessage-ID: <${id}@campus.example>\n\n本文\n`,
  })
const minutes = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) {
    bench.clock.advance(MINUTE_MS)
    await bench.settle()
  }
}

describe('a mail that can never be worked on', () => {
  it('holds up none behind it, and is put aside after some tries, with word of it', async () => {
    await poison()
    await post('m1')
    assert.equal((await bench.sent()).length, 1)
    // However often something else comes: a try is a minute after the one before.
    for (let n = 2; n < 9; n++) await post(`m${n}`)
    assert.equal((await bench.sent()).length, 7)
    assert.deepEqual(bench.told('list.aside'), [])
    await minutes(6)
    const [told, ...more] = bench.told('list.aside')
    assert.deepEqual(more, [])
    assert.equal(told?.['cause'], '誤り of ours')
    assert.equal((await bench.messages(LIST, 'Incoming')).size, 0)
    const desk = postDesk(bench.keeper, bench.parts)
    const kept = await desk.aside({ list })
    assert.ok(kept.ok)
    assert.deepEqual(
      kept.value.map(({ number, subject, purpose }) => [number, subject, purpose]),
      [[1, '毒', 'post']],
    )
    isBroken = false
    const retried = await desk.settleAside({ list, numbers: [1, 2], act: 'retry', by: 'admin' })
    assert.deepEqual(retried.ok && retried.value.map(({ end }) => end), ['done', 'notFound'])
    await bench.settle()
    assert.equal((await bench.sent()).length, 1)
    assert.deepEqual(
      (await desk.aside({ list })).ok && (await bench.messages(LIST, 'Aside')).size,
      0,
    )
  })

  it('is put aside as well where each start ends with it', async () => {
    await poison()
    const store = new ListStore(bench.parts.mailboxes, list)
    for (let start = 0; start < 5; start++) {
      assert.deepEqual(bench.told('list.aside'), [])
      const { incoming: mailbox } = await store.rows()
      const [uid] = await store.uids(mailbox!)
      const first = { mailbox: mailbox!, uid: uid! }
      await Trying.begin(bench.parts, bench.directory.list(list)!, first)
    }
    assert.equal(bench.told('list.aside').length, 1)
    assert.equal((await bench.messages(LIST, 'Aside')).size, 1)
  })

  it('is none where control or the storage is away: nothing is counted', async () => {
    bench.isControlThere = false
    isBroken = false
    await bench.mail({
      to: 'seminar-leave@campus.example',
      from: VOGEL,
      verdict: OUTSIDE,
      text: `From: ${VOGEL}\nSubject: x\n\n\n`,
    })
    await minutes(10)
    assert.equal((await bench.messages(LIST, 'Incoming')).size, 1)
    bench.isControlThere = true
    await bench.settle()
    assert.equal((await bench.messages(LIST, 'Incoming')).size, 0)
    assert.deepEqual(bench.told('list.aside'), [])
  })
})
