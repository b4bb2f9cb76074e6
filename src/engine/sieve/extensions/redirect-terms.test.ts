import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { formatAddress } from '#model/address.ts'
import { doneBy, EMPTY_MAIL, holds, wrongIn } from '#test/fake/sieve-mail.ts'

const NOW_MS = Date.UTC(2026, 10, 28, 12)
const mail = { ...EMPTY_MAIL, nowMs: NOW_MS, zoneMinutes: () => 540 }

describe('the envelope’s wishes (RFC 6009 §4, §5)', () => {
  const asked = {
    ...mail,
    envelopeDsn: {
      notify: ['SUCCESS', 'DELAY'],
      orcpt: 'rfc822;hanako@old.example',
      ret: 'HDRS',
      envid: '渡り',
    },
    envelopeBy: { atMs: NOW_MS - 5_000, mode: 'notify', isTraced: true },
  } as const
  const meets = (test: string) => assert.ok(holds(test, asked), test)

  it('are values each, and none where nothing was asked', () => {
    meets('envelope "notify" "success"')
    meets('envelope :count "eq" "Notify" "2"')
    meets('envelope :matches "orcpt" "rfc822;*@old.example"')
    meets('allof (envelope "ret" "HDRS", envelope "envid" "渡り")')
    meets('envelope "bytimerelative" "-5"')
    meets('envelope "bytimeabsolute" "2026-11-28T20:59:55+09:00"')
    meets('envelope :zone "+0000" "bytimeabsolute" "2026-11-28T11:59:55Z"')
    meets('allof (envelope "bymode" "notify", envelope "bytrace" "trace")')
    for (const part of ['notify', 'orcpt', 'ret', 'envid', 'bymode', 'bytrace', 'bytimeabsolute']) {
      assert.ok(!holds(`envelope :contains "${part}" ""`, mail), part)
      assert.ok(holds(`envelope :count "eq" "${part}" "0"`, mail), part)
    }
  })

  it('are no addresses', () => {
    assert.match(wrongIn('if envelope :all "orcpt" "x" {}')!, /is no address/)
    assert.match(wrongIn('if envelope :domain ["from", "bymode"] "x" {}')!, /is no address/)
  })
})

describe('the terms of a redirect (RFC 6009 §6, §7)', () => {
  const redirected = (args: string) => {
    const [action] = doneBy(`redirect ${args} "taro@else.example";`, mail).actions
    assert.ok(action?.kind === 'redirect' && formatAddress(action.address) === 'taro@else.example')
    return { dsn: action.dsn, deliverBy: action.deliverBy }
  }

  it('say of what its owner hears', () => {
    const none = { dsn: undefined, deliverBy: undefined }
    assert.deepEqual(redirected(':copy'), none)
    assert.deepEqual(redirected(':notify "NEVER"'), { ...none, dsn: { notify: [] } })
    const dsn = { notify: ['success', 'failure'], ret: 'full' }
    assert.deepEqual(redirected(':ret "FULL" :notify "failure,SUCCESS"'), { ...none, dsn })
    for (const bad of [':notify ""', ':notify "NEVER,SUCCESS"', ':notify "x"', ':ret "ALL"'])
      assert.ok(wrongIn(`redirect ${bad} "taro@else.example";`), bad)
    const byVariable = (text: string) =>
      wrongIn(`set "n" "${text}"; redirect :notify "\${n}" "taro@else.example";`)
    assert.equal(byVariable('delay'), undefined)
    assert.match(byVariable('later')!, /^run /)
  })

  it('say until when it is to arrive', () => {
    const by = (args: string) => redirected(args).deliverBy
    const base = { atMs: NOW_MS + 600_000, mode: 'return', isTraced: false }
    assert.deepEqual(by(':bytimerelative 600'), base)
    assert.deepEqual(by(':bytimerelative 600 :bymode "Notify" :bytrace'), {
      ...base,
      mode: 'notify',
      isTraced: true,
    })
    for (const time of [
      '2026-11-28T21:10:00+09:00',
      '2026-11-28T21:10:00+0900',
      '2026-11-28T12:10:00Z',
    ])
      assert.deepEqual(by(`:bytimeabsolute "${time}"`), base)
    for (const bad of [
      ':bymode "return"',
      ':bytrace',
      ':bytimerelative 1 :bytimeabsolute "2026-11-28T12:10:00Z"',
      ':bytimerelative "1"',
      ':bytimeabsolute "tomorrow"',
      ':bytimerelative 1 :bymode "x"',
    ])
      assert.ok(wrongIn(`redirect ${bad} "taro@else.example";`), bad)
  })
})
