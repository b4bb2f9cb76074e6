import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { holds, sieveMail, wrongIn } from '#test/fake/sieve-mail.ts'

const mail = sieveMail(
  `Received: from a by b; Fri, 27 Nov 2026 10:00:00 +0900
Received: from c by d; Thu, 26 Nov 2026 09:00:00 -0230
Date: Thu, 26 Nov 2026 03:04:05 +0900
X-Two: 一
X-Two: 二
To: <a@x.example>
To: "B, C" <b@y.example>, c@z.example

本文
`,
  { nowMs: Date.UTC(2026, 10, 28, 23, 30, 5), zoneMinutes: () => 540 },
)

describe('dates (RFC 5260 §4)', () => {
  it('tells every part of a field in the zone it came in', () => {
    for (const [part, value] of [
      ['year', '2026'],
      ['month', '11'],
      ['day', '26'],
      ['date', '2026-11-26'],
      ['julian', '61370'],
      ['hour', '03'],
      ['minute', '04'],
      ['second', '05'],
      ['time', '03:04:05'],
      ['iso8601', '2026-11-26T03:04:05+09:00'],
      ['std11', 'Thu, 26 Nov 2026 03:04:05 +0900'],
      ['zone', '+0900'],
      ['weekday', '4'],
    ] as const)
      assert.ok(holds(`date :originalzone "date" "${part}" "${value}"`, mail), part)
  })

  it('shifts into another zone, or the local one', () => {
    assert.ok(holds('date :zone "+0000" "Date" "iso8601" "2026-11-25T18:04:05Z"', mail))
    assert.ok(holds('date :zone "-0330" "Date" "time" "14:34:05"', mail))
    assert.ok(holds('date :index 2 "received" "iso8601" "2026-11-26T20:30:00+09:00"', mail))
    assert.ok(holds('currentdate "iso8601" "2026-11-29T08:30:05+09:00"', mail))
    assert.ok(holds('currentdate :zone "+0000" "weekday" "6"', mail))
    assert.ok(holds('currentdate :value "ge" "date" "2026-11-29"', mail))
  })

  it('finds nothing in what is no date, and refuses what is no part or zone', () => {
    assert.ok(!holds('date :matches "x-two" "year" "*"', mail))
    assert.match(wrongIn('if date "date" "era" "x" {}')!, /a date has no part "era"/)
    assert.match(wrongIn('if date :zone "JST" "date" "hour" "1" {}')!, /no zone such as/)
    assert.match(wrongIn('if currentdate :originalzone "hour" "1" {}')!, /has no :originalzone/)
    assert.ok(!holds('currentdate :matches "year" "*"', sieveMail('\n')))
  })
})

describe('index (RFC 5260 §6)', () => {
  it('means one of a field’s occurrences, from the first or the last', () => {
    assert.ok(holds('header :index 2 "x-two" "二"', mail))
    assert.ok(!holds('header :index 1 "x-two" "二"', mail))
    assert.ok(holds('header :index 1 :last "x-two" "二"', mail))
    assert.ok(!holds('header :matches :index 3 "x-two" "*"', mail))
    assert.ok(holds('address :index 2 :count "eq" "to" "2"', mail))
    assert.ok(holds('address :index 1 :domain "to" "x.example"', mail))
    assert.ok(holds('date :originalzone :index 1 :last "received" "zone" "-0230"', mail))
    assert.match(wrongIn('if header :last "x" "y" {}')!, /:last needs :index/)
    assert.match(wrongIn('if header :index 0 "x" "y" {}')!, /counts from 1/)
  })
})
