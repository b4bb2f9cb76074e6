import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { compileSieve } from '#engine/sieve/compile.ts'
import { filedBy, holds, sieveMail, doneBy, wrongIn } from '#test/fake/sieve-mail.ts'

/** Each was run by Pigeonhole 0.5.19 too; where that differs, the comment says so. */
const mail = sieveMail(`Received: from a by b; Tue, 01 Sep 2026 10:00:00 +0900
Received: from c by d; Tue, 01 Sep 2026 09:59:00 +0900
From: "山田" <Taro.Yamada@ACME.Example.COM>
To: hanako@Campus.Example, bob+work@example.org
Cc: nonsense
Bcc: stephan@, @example.org
Resent-To:
Resent-From: undisclosed-recipients:;
Reply-To: "quoted local"@example.com, =?utf-8?b?5bGx55Sw?= <yamada@example.jp>
Date: Sun, 08 Oct 2006 09:15:30 -0430
Subject: =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?= [acme] version 1.0 is out
X-Num: 42
X-Multi: one
X-Multi: two
List-Id: Mailing List <dovecot@dovecot.example.net>

本文
`)

const meets = (test: string, before?: string) => assert.ok(holds(test, mail, before), test)
const fails = (test: string, before?: string) => assert.ok(!holds(test, mail, before), test)

describe('names of fields that are looked at', () => {
  it('are no error where they cannot be such; no field has them (RFC 5228 §2.4.2.2)', () => {
    for (const test of ['header :contains "subject:" ""', 'exists "件名"', 'header "x y" ""'])
      fails(test)
    fails('date :contains "da te" "hour" ""')
    assert.ok(wrongIn('deleteheader "x y";')) // RFC 5293 §5
  })

  it('are counted together by :index, in the order of the list (RFC 5260 §6)', () => {
    meets('header :index 1 ["x-num", "x-multi"] "42"')
    fails('header :index 1 ["x-num", "x-multi"] "one"')
    meets('header :index 3 ["x-num", "x-multi"] "two"')
    meets('header :index 1 :last ["x-num", "x-multi"] "two"')
    meets('address :index 2 :domain ["from", "to"] "example.org"')
  })
})

describe('addresses of fields', () => {
  it('keep the case that they were written in', () => {
    meets('address :comparator "i;octet" "from" "Taro.Yamada@ACME.Example.COM"')
    const script = 'if address :matches "from" "taro.yamada@**.com" { fileinto "${0}|${1}|${2}"; }'
    assert.equal(filedBy(script, mail), 'Taro.Yamada@ACME.Example.COM||ACME.Example') // RFC 5229 §3.2
  })

  it('have local parts without quotes', () => {
    meets('address :localpart "reply-to" "quoted local"')
    meets('address :all "reply-to" "\\"quoted local\\"@example.com"')
    meets('address :count "eq" "reply-to" "2"')
  })

  it('are compared as a whole only where they are none (RFC 5228 §2.7.4)', () => {
    meets('address :all "cc" "nonsense"')
    fails('address :localpart "cc" "nonsense"')
    fails('address :domain :contains "cc" ""')
    fails('address :domain "bcc" "example.org"')
    fails('address :localpart "bcc" "stephan"')
    meets('address :is "resent-to" ""')
    fails('address :domain :contains "resent-from" ""')
  })

  it('of an empty field are an empty text, whatever the part', () => {
    for (const part of ['all', 'localpart', 'domain', 'user', 'detail'])
      meets(`address :${part} "resent-to" ""`)
    assert.ok(!holds('address :domain "to" ""', sieveMail('To: ,\n\n')))
  })

  it('are asked for where there are such (RFC 5228 §5.1)', () => {
    for (const name of ['Subject', 'date', 'Content-Type', 'frop', 'resent-date', 'Keywords'])
      assert.match(wrongIn(`if address "${name}" "x" { keep; }`)!, /holds no addresses/)
    // Pigeonhole's list of names is shorter.
    meets('address "list-id" "dovecot@dovecot.example.net"')
    const issue = sieveMail('Message-ID: <campus/Library/issues/12@code.example>\n\n')
    assert.ok(holds('address :regex :localpart "message-id" "/(issues|pull)/"', issue))
    for (const name of [
      'Resent-Sender',
      'X-Original-To',
      'Return-Path',
      'Disposition-Notification-To',
    ])
      assert.equal(wrongIn(`if address "${name}" "x" {}`), undefined)
  })

  it('that mail is sent to may have a name (RFC 5228 §2.4.2.3)', () => {
    const sentTo = (address: string) => doneBy(`redirect "${address}";`).actions
    const plain = sentTo('hanako@example.com')
    for (const text of [
      '花子 <hanako@example.com>',
      '<hanako@example.com>',
      ' hanako @ example.com ',
      '\\"花 <子>\\" < hanako @example.com > (会議)',
      '\\"hanako\\"@example.com',
    ])
      assert.deepEqual(sentTo(text), plain, text)
    for (const text of [
      'a@example.com, b@example.com',
      'x',
      '<a@b> c',
      '<<a@b.example>>',
      'more a@b.example',
      ' '.repeat(500_000),
    ])
      // prettier-ignore
      assert.ok(wrongIn(`redirect "${text}";`), text)
    for (const command of ['vacation', 'notify :message "x"'])
      assert.ok(wrongIn(`${command} :from "nonsense" "mailto:a@example.com";`))
  })
})

describe('the text of a script', () => {
  it('has numbers beyond 32 bits (RFC 5228 §2.4.1)', () => {
    fails('size :over 4G')
    assert.match(wrongIn('if size :over 18446744073709551617 { keep; }')!, /too large/)
  })

  it('has lines that end with CRLF, however it was stored', () => {
    meets('string "${a}" text:\nx\n会議\n.\n', 'set "a" "x\n会議\n";')
  })

  it('has hexadecimal octets of two digits, which make characters together (RFC 5228 §2.4.2.4)', () => {
    meets('string "${hex: e3}${hex: 81 82}" "あ"')
    meets('string "${hex:0040}" "${hex:24}{hex:0040}"')
    meets('string "${hex: 4}" "\u0004"')
    meets('string "${unicode:40${unicode:40}" "${unicode:40@"')
    meets('string "${unicode: 65e5 672c}" "日本"')
  })

  it('tells one test from a list of tests (RFC 5228 §8.2)', () => {
    for (const script of [
      'if (true) {}',
      'if not (true) {}',
      'if allof true {}',
      'if anyof true {}',
    ])
      assert.ok(wrongIn(script), script)
    meets('allof (true)')
  })

  it('does not take commands for tests, nor tests for commands', () => {
    const known = 'require ["ihave", "imap4flags"];'
    for (const script of ['if setflag {}', 'hasflag;']) {
      const compiled = compileSieve(known + script)
      assert.ok(
        !compiled.ok && /is a (?:command|test), no/.test(compiled.error[0]!.message),
        script,
      )
    }
  })

  it('names comparators in any case', () => {
    meets('header :comparator "I;Octet" "x-num" "42"')
    const script = 'if header :comparator "i;unicode-casemap" "a" "Ü" {}'
    assert.ok(compileSieve(script).ok) // RFC 5228 §2.7.3 asks for a require
  })

  it('has tags before values (RFC 5228 §2.6.2)', () => {
    assert.match(wrongIn('if header "subject" :is "x" { keep; }')!, /before the values/)
    assert.ok(wrongIn('fileinto "x" :copy;'))
  })

  it('may name 32 values of a match (RFC 5229 §3.2)', () => {
    meets('string "[${32}]" "[]"')
    assert.ok(wrongIn('fileinto "${100}";'))
    fails('string "${2}" "x"')
  })
})

describe('names of mailboxes', () => {
  it('are UTF-8, whatever octets a script writes (RFC 5228 §4.1)', () => {
    const script = (name: string) => `fileinto :create "${name}";`
    assert.match(wrongIn(script('${hex:ff}rop'))!, /no UTF-8/)
    assert.match(wrongIn(`set "a" "\${hex:ff}"; ${script('${a}rop')}`)!, /^run 2: .*no UTF-8/)
    assert.equal(wrongIn(script('${hex:e4 bc 9a}')), undefined)
  })
})

describe('flags', () => {
  it('are looked for one by one, however they are given (RFC 5232 §4)', () => {
    meets('hasflag "b A"', 'setflag "A B";')
    meets('hasflag :contains "x" "label forward"', 'set "x" "Junk gnus-forward";')
    fails('hasflag ""', 'setflag "";')
    meets('hasflag :count "lt" ""', 'setflag "A B";') // no flag but a number that is none
  })

  it('are those that were given last where a mailbox is filed into twice (RFC 5232 §5)', () => {
    const filed = doneBy(`setflag "a"; fileinto :flags "b" "会議"; fileinto :flags "c" "会議";
      keep :flags "d"; keep; fileinto :flags "e" "x"; fileinto "x";`).actions
    assert.deepEqual(
      filed.map((action) => ('flags' in action ? action.flags : [])),
      [['c'], ['a'], ['a']],
    )
  })

  it('that are none are ignored (RFC 5232 §2)', () => {
    const script = 'setflag ["\\\\Seen", "\\\\Recent", "\\\\bogus a(b 会議", "$ok"];'
    assert.deepEqual(doneBy(script).flags, ['\\Seen', '$ok'])
  })
})

describe('what becomes of a mail', () => {
  it('is no mailbox whose name is not text (RFC 5228 §4.1)', () => {
    for (const sign of ['ff', '00']) assert.ok(wrongIn(`fileinto "x\${hex:${sign}}";`), sign)
  })

  it('is one copy in INBOX by keep and by fileinto, whatever the case of its name', () => {
    const filed = doneBy('keep; fileinto "INBOX"; fileinto "inbox"; fileinto "会議";').actions
    assert.deepEqual(
      filed.map(({ kind }) => kind),
      ['keep', 'fileinto'],
    )
  })

  it('has the size that edits have made (RFC 5293 §7)', () => {
    const size = mail.sizeBytes
    meets(`allof (size :over ${size + 11}, size :under ${size + 13})`, 'addheader "X-New" "abc";')
    meets(`size :under ${size}`, 'deleteheader "subject";')
  })
})

describe('dates', () => {
  it('are those of the first field alone, but for :index (RFC 5260 §4)', () => {
    const both = 'date :originalzone'
    meets(`${both} :count "eq" "received" "minute" "1"`)
    fails(`${both} "received" "minute" "59"`)
    const broken = sieveMail('Date: none\nDate: Sun, 08 Oct 2006 09:15:30 GMT\n\n')
    assert.ok(!holds(`${both} "date" "minute" "15"`, broken))
    assert.ok(holds(`${both} :index 2 "date" "iso8601" "2006-10-08T09:15:30Z"`, broken))
  })

  it('are told as Date fields tell them (RFC 5260 §4.2)', () => {
    meets('date :originalzone "date" "std11" "Sun, 08 Oct 2006 09:15:30 -0430"')
    meets('date :originalzone "date" "iso8601" "2006-10-08T09:15:30-04:30"')
    // Pigeonhole tells the first again.
    meets('date :index 2 :originalzone "received" "minute" "59"')
  })
})

describe('the text of a part', () => {
  it('is HTML without its tags, its first characters whole ones (RFC 5703 §7)', () => {
    const page = sieveMail('Content-Type: text/html; charset=utf-8\n\n会議室<br><b>第一</b>\n')
    const script = 'foreverypart { extracttext :first 3 "t"; fileinto "${t}"; }'
    assert.equal(filedBy(script, page), '会議室')
  })
})
