import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { sieveContent } from '#engine/sieve/content.ts'
import { formatAddress } from '#model/address.ts'
import { addr } from '#test/fake/directory.ts'
import { doneBy, EMPTY_MAIL, filedBy, holds, sieveMail, wrongIn } from '#test/fake/sieve-mail.ts'

const NUMERIC = ':comparator "i;ascii-numeric"'

const FRIENDS = [addr('友@a.example'), addr('b@b.example')]

describe('what is asked beside the message', () => {
  it('environment: items by name, unknown ones meet nothing (RFC 5183)', () => {
    const mail = { ...EMPTY_MAIL, environment: { location: 'MDA', name: 'Watari' } }
    assert.ok(holds('environment "Location" "MDA"', mail))
    assert.ok(holds('environment :matches "name" "w*"', mail))
    assert.ok(!holds('environment :matches "vnd.none" "*"', mail))
    assert.ok(!holds('not environment :contains "location" ""', mail))
    assert.ok(!holds('environment "constructor" ""', mail))
  })

  it('spamtest, spamtestplus and virustest (RFC 5235)', () => {
    const judged = (kind: 'clean' | 'suspected' | 'spam') => ({
      ...EMPTY_MAIL,
      ...sieveContent(new Uint8Array(0), 0, {
        class: kind,
        virus: kind === 'spam' ? { kind: 'infected', name: 'Eicar' } : { kind: 'clean' },
      }),
    })
    assert.ok(holds(`spamtest :value "ge" ${NUMERIC} "10"`, judged('spam')))
    assert.ok(holds(`spamtest :percent :value "eq" ${NUMERIC} "100"`, judged('spam')))
    assert.ok(
      holds(`spamtest :percent :value "eq" ${NUMERIC} "37"`, {
        ...judged('spam'),
        spamPercent: 37,
      }),
    )
    assert.ok(holds(`spamtest :percent :value "eq" ${NUMERIC} "0"`, judged('clean')))
    assert.ok(holds('spamtest :count "eq" "0"', EMPTY_MAIL))
    assert.ok(holds('spamtest "0"', EMPTY_MAIL))
    assert.ok(holds('virustest "5"', judged('spam')))
    assert.ok(holds('virustest "1"', judged('clean')))
    assert.ok(holds('virustest "0"', EMPTY_MAIL))
  })

  it('lists of the directory (RFC 6134)', () => {
    const lists = {
      has: (list: string) => list === ':addrbook:default',
      holds: (list: string, value: string) =>
        list === ':addrbook:default' && value === '花子@campus.example',
      addresses: (list: string) => (list === 'tag:友人' ? FRIENDS : undefined),
    }
    const mail = sieveMail('From: 花子@campus.example\n\n', { lists })
    assert.ok(holds('address :list "from" ":addrbook:default"', mail))
    assert.ok(!holds('address :list "from" "tag:none"', mail))
    const named = 'if address :list "from" ":addrbook:default" { fileinto "[${0}][${1}]"; }'
    assert.equal(filedBy(named, mail), '[花子@campus.example][]')
    const compared = 'if address :list :comparator "i;octet" "from" ":addrbook:default" {}'
    assert.match(wrongIn(compared)!, /takes no :comparator/)
    assert.ok(!holds('address :list "from" ":addrbook:default"', { ...mail, lists: undefined! }))
    assert.ok(holds('valid_ext_list ":addrbook:default"', mail))
    assert.ok(!holds('valid_ext_list [":addrbook:default", "tag:none"]', mail))
    const { actions, implicitKeep } = doneBy('redirect :list "tag:友人";', mail)
    assert.deepEqual(
      actions.map((action) => action.kind === 'redirect' && formatAddress(action.address)),
      ['友@a.example', 'b@b.example'],
    )
    assert.equal(implicitKeep, false)
    assert.equal(doneBy('redirect :copy :list "tag:友人";', mail).implicitKeep, true)
    assert.match(wrongIn('redirect :list "tag:none";', mail)!, /nothing can be redirected/)
    const four =
      'redirect "1@x.example"; redirect "2@x.example"; redirect "3@x.example"; redirect "4@x.example";'
    assert.match(wrongIn(`${four} redirect :list "tag:友人";`, mail)!, /more than 5 addresses/)
    assert.match(wrongIn('redirect :list ["a", "b"];', mail)!, /list/)
  })

  it('mailboxes by id, special use and annotation (RFC 9042, RFC 8579, RFC 5490)', () => {
    const annotation = (name: string | undefined, entry: string) => {
      if (name === '迷惑' && entry === '/private/comment') return '猫'
      return name === undefined && entry === '/shared/admin' ? 'mailto:a@b' : undefined
    }
    const mailboxOf = (by: { readonly specialUse?: string; readonly mailboxId?: string }) =>
      by.mailboxId === 'F1' || by.specialUse === '\\Junk' ? '迷惑' : undefined
    const mail = { ...EMPTY_MAIL, annotation, mailboxOf }
    assert.ok(holds('mailboxidexists "F1"', mail))
    assert.ok(!holds('mailboxidexists ["F1", "F2"]', mail))
    assert.ok(holds('specialuse_exists "\\\\Junk"', mail))
    assert.ok(holds('specialuse_exists "迷惑" "\\\\Junk"', mail))
    assert.ok(!holds('specialuse_exists ["\\\\Junk", "\\\\Sent"]', mail))
    for (const test of ['"Junk"', '"迷惑" "Junk"', '"迷惑" ["\\\\Junk", ""]'])
      assert.match(wrongIn(`if specialuse_exists ${test} {}`, mail)!, /no special use/)
    assert.ok(holds('metadata "迷惑" "/private/comment" "猫"', mail))
    assert.ok(!holds('metadata :matches "迷惑" "/private/none" "*"', mail))
    assert.ok(holds('metadataexists "迷惑" ["/private/comment"]', mail))
    assert.ok(holds('servermetadata :contains "/shared/admin" "a@b"', mail))
    assert.ok(!holds('servermetadataexists "/shared/none"', mail))
  })

  it('compares letters beyond ASCII by i;unicode-casemap (RFC 5051)', () => {
    const mail = sieveMail('Subject: ÜBER ｶﾞｲﾄﾞ straße\n\n')
    const unicode = ':comparator "i;unicode-casemap"'
    assert.ok(holds(`header :contains ${unicode} "subject" "über"`, mail))
    assert.ok(!holds('header :contains "subject" "über"', mail))
    assert.ok(holds(`header :contains ${unicode} "subject" "ガイド"`, mail))
    assert.match(wrongIn('if header :comparator "i;none" "a" "b" {}')!, /no comparator/)
  })
})
