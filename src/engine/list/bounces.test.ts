import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { ListBench, OUTSIDE, submitted } from '#test/fake/list-bench.ts'
import { postDesk } from './desk.ts'
import { verpAddress } from './verp.ts'

const LIST = 'seminar@campus.example'
const HANAKO = 'hanako@campus.example'
const VOGEL = 'vogel@elsewhere.example'
const list = `id-${LIST}` as AccountId

let bench: ListBench
beforeEach(() => {
  bench = new ListBench([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: fakeAccount(HANAKO) },
    { kind: 'list', list: { ...fakeList(LIST), owners: [`id-${HANAKO}` as AccountId] } },
    {
      kind: 'member',
      member: fakeMember(LIST, { kind: 'account', id: `id-${HANAKO}` as AccountId }),
    },
    { kind: 'member', member: fakeMember(LIST, { kind: 'address', address: addr(VOGEL) }) },
  ])
})
afterEach(() => bench.close())

let count = 0
const post = () =>
  bench.mail({
    to: LIST,
    verdict: submitted(HANAKO),
    text: `From: ${HANAKO}\nSubject: 会議\nMessage-ID: <b${++count}@campus.example>\n\n本文\n`,
  })
const report = (status: string, recipient = VOGEL, action = 'failed'): string =>
  `From: mailer-daemon@elsewhere.example\nSubject: 配送できませんでした\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.elsewhere.example\n\nFinal-Recipient: rfc822; ${recipient}\nAction: ${action}\nStatus: ${status}\nDiagnostic-Code: smtp; 550 no such user\n\n--b--\n`
const bounce = (to: string, text = report('5.1.1')) =>
  bench.mail({ to, from: null, verdict: OUTSIDE, text })
const bounces = async () => {
  const found = await postDesk(bench.keeper, bench.parts).bounces({ list })
  assert.ok(found.ok)
  return found.value
}
/** Posts once; where what does not reach the member comes back to, and our own queue's reports. */
const paths = async (): Promise<readonly [member: string, own: string]> => {
  await post()
  const [item] = await bench.outbox()
  await bench.sent()
  const of = (member?: string): string =>
    formatAddress(
      verpAddress(item!.reversePath!, item!.verp!, member === undefined ? undefined : addr(member)),
    )
  return [of(VOGEL), of()]
}

describe('what comes back of a post', () => {
  it('counts once a day however much it is, and a member from whom all comes back gets no more', async () => {
    const [path] = await paths()
    for (let day = 0; day < 3; day++) {
      for (let i = 0; i < 20; i++) await bounce(path)
      assert.deepEqual(
        (await bounces()).map(({ address, score }) => [address, score]),
        [[VOGEL, day + 1]],
      )
      bench.clock.advance(DAY_MS)
    }
    assert.equal(bench.told('list.suspended').length, 1)
    const [notice, ...others] = await bench.sent()
    assert.deepEqual([notice?.kind, notice?.to, others], ['notice', [HANAKO], []], 'its owner')
    await post()
    const [sent] = await bench.sent()
    assert.deepEqual(sent?.to, [HANAKO])
    const desk = postDesk(bench.keeper, bench.parts)
    assert.equal((await desk.resume({ list, address: VOGEL, by: 'hanako' })).ok, true)
    await post()
    assert.deepEqual((await bench.sent())[0]?.to, [HANAKO, VOGEL])
  })

  it('is believed of nobody whom its address does not name by our mark', async () => {
    const [path] = await paths()
    await bounce(path.replace(/[0-9a-f]{20}/, '0'.repeat(20)))
    await bounce(path.replace('vogel=', 'hanako='))
    await bounce('seminar-bounces@campus.example')
    await bounce(
      path,
      'From: x@elsewhere.example\nSubject: 不在\nAuto-Submitted: auto-replied\n\n不在です\n',
    )
    await bounce(path, report('4.2.2', VOGEL, 'delayed'))
    assert.deepEqual(await bounces(), [])
    // A report to the member's own path tells of that member, whomever else it names.
    await bounce(path, report('5.1.1', HANAKO))
    assert.deepEqual(
      (await bounces()).map(({ address }) => address),
      [VOGEL],
    )
    assert.deepEqual(await bench.sent(), [], 'nobody is written to')
    assert.equal((await bench.messages(LIST, 'Incoming')).size, 0)
  })

  it('in a report of our own queue names its members itself', async () => {
    const [, own] = await paths()
    await bounce(own, report('4.4.7'))
    assert.deepEqual(
      (await bounces()).map(({ address, score }) => [address, score]),
      [[VOGEL, 0.5]],
    )
  })
})
