import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DAY_MS, SECOND_MS } from '#base/time.ts'
import { compileSieve } from '#engine/sieve/compile.ts'

import { addr, deliveryOf, HANAKO, NOW_MS, planOf, readMail, scriptOf } from './delivery-bench.ts'
import type { Written } from './delivery-bench.ts'
import { planDelivery } from './plan.ts'

const AWAY = 'require "vacation"; vacation "12月1日まで不在です。";'

/** The answer's mail, or why there is none. */
function answer(script: string, mail: Written = {}) {
  const plan = planOf(script, mail)
  const [entry] = plan.outbox
  assert.ok(entry?.content instanceof Uint8Array, plan.unsent.join())
  return { ...readMail(entry.content), entry, plan }
}

const unsent = (mail: Written, script = AWAY): string => {
  const plan = planOf(script, mail)
  assert.deepEqual([plan.outbox, plan.memories, plan.filed], [[], [], ['INBOX']])
  return plan.unsent.join()
}

const header = (more: string, to = 'To: hanako@campus.example') =>
  `From: taro@b.example\n${to}\nSubject: x\n${more}`

describe('an answer in its owner’s absence', () => {
  it('goes to the sender with the null reverse-path, as what it is, in the thread of the mail', () => {
    const { field, text, from, entry, plan } = answer(AWAY)
    assert.deepEqual(entry.recipients, [addr('taro@b.example')])
    assert.equal(entry.reversePath, null) // RFC 3834 §3.3
    assert.equal(entry.kind, 'vacation')
    assert.equal(field('auto-submitted'), 'auto-replied') // RFC 3834 §5
    assert.equal(field('subject'), 'Auto: 会議') // RFC 5230 §4.4
    assert.equal(field('to'), 'taro@b.example')
    assert.equal(field('from'), '山田 花子 <hanako@campus.example>')
    assert.equal(`${from()?.mailbox}@${from()?.host}`, 'hanako@campus.example')
    assert.equal(field('in-reply-to'), '<1@b.example>')
    assert.equal(field('references'), '<1@b.example>')
    assert.match(field('message-id') ?? '', /^<D1-[0-9a-f]{16}@campus\.example>$/)
    assert.equal(text, '12月1日まで不在です。')
    assert.deepEqual(plan.filed, ['INBOX'])
  })

  it('is written under the address that the mail was written to', () => {
    const mail = { header: header('', 'To: H.Yamada+list@campus.example') }
    assert.equal(answer(AWAY, mail).field('from'), '山田 花子 <H.Yamada+list@campus.example>')
  })

  it('says subject and sender of the script, where that is an address of the account', () => {
    const script = (from: string) =>
      `require ["vacation", "variables"]; set "from" "${from}";
       vacation :subject "不在: 山田" :from "\${from}" "x";`
    const own = answer(script('花子 <h.yamada@campus.example>'))
    assert.equal(own.field('subject'), '不在: 山田')
    assert.equal(own.field('from'), '花子 <h.yamada@campus.example>')
    const encoded = 'vacation :subject "=?utf-8?b?5LiN5Zyo?= until Monday" "x";'
    assert.equal(answer(`require "vacation"; ${encoded}`).field('subject'), '不在 until Monday')
    for (const other of ['boss@campus.example', 'no address', ''])
      assert.equal(answer(script(other)).field('from'), '山田 花子 <hanako@campus.example>')
    const claimed = `require "vacation"; vacation :addresses "boss@campus.example" :from "boss@campus.example" "x";`
    assert.equal(answer(claimed).field('from'), '山田 花子 <hanako@campus.example>')
  })

  it('continues the references of the mail, the first and the last ones of many', () => {
    const ids = Array.from({ length: 40 }, (_, i) => `<${i}@b>`)
    const long = header(`References: ${ids.join('\n ')}\nMessage-ID: <m@b>\n`)
    const found = answer(AWAY, { header: long }).field('references')!.split(/\s+/)
    assert.deepEqual([found[0], found.at(-1), found.length], ['<0@b>', '<m@b>', 21])
    const reply = header('In-Reply-To: <p@b>\nMessage-ID: <m@b>\n')
    assert.equal(answer(AWAY, { header: reply }).field('references'), '<p@b> <m@b>')
    assert.equal(answer(AWAY, { header: header('') }).field('references'), undefined)
  })

  it('is a MIME entity where the script says so, of whose header only the content’s fields count', () => {
    const entity = [
      'Content-Type: text/html; charset=utf-8',
      'Bcc: everybody@b.example',
      'Subject: other',
      'MIME-Version: 1.0',
      'Content-Language: ja',
      '',
      '<p>不在</p>',
    ].join('\n')
    const mime = answer(`require "vacation"; vacation :mime text:\n${entity}\n.\n;`)
    assert.equal(mime.field('content-type'), 'text/html; charset=utf-8')
    assert.equal(mime.field('content-language'), 'ja')
    assert.equal(mime.field('bcc'), undefined)
    assert.equal(mime.field('subject'), 'Auto: 会議')
    assert.equal(mime.field('mime-version'), '1.0')
    assert.equal(mime.text, '<p>不在</p>\r\n')
    assert.equal(mime.entry.body, '8bitmime')
  })

  it('goes once to a sender in so long, by handle or by what it says (RFC 5230 §4.2, RFC 6131)', () => {
    const key = (script: string, mail: Written = {}) => {
      const { entry, plan } = answer(script, mail)
      assert.equal(entry.once, plan.memories[0]?.key)
      return plan.memories[0]?.key
    }
    const say = (args: string, text = '不在') =>
      `require ["vacation", "vacation-seconds"]; vacation ${args} "${text}";`
    assert.equal(key(say('')), key(say(':days 3')))
    assert.equal(key(say(''), { deliveryId: 'D2' }), key(say('')))
    assert.equal(key(say(''), { from: 'TARO@B.example' }), key(say(''), { from: 'TARO@b.example' }))
    assert.notEqual(key(say('')), key(say(''), { from: 'jiro@b.example' }))
    assert.notEqual(key(say('')), key(say('', '休暇')))
    assert.notEqual(key(say('')), key(say(':subject "別"')))
    assert.equal(key(say(':handle "夏"')), key(say(':handle "夏"', '休暇')))
    assert.notEqual(key(say(':handle "夏"')), key(say(':handle "冬"')))
    const until = (args: string) => answer(say(args)).plan.memories[0]!.untilMs - NOW_MS
    assert.equal(until(''), 7 * DAY_MS)
    assert.equal(until(':days 3'), 3 * DAY_MS)
    assert.equal(until(':days 0'), DAY_MS)
    assert.equal(until(':days 4000000'), 365 * DAY_MS)
    assert.equal(until(':seconds 90'), 90 * SECOND_MS)
    const always = answer(say(':seconds 0'))
    assert.deepEqual([always.entry.once, always.plan.memories], [undefined, []])
  })

  it('never goes to who must not get one (RFC 5230 §4.5, §4.6, RFC 3834 §2)', () => {
    assert.match(unsent({ from: null }), /null reverse-path/)
    for (const from of [
      'MAILER-DAEMON@b.example',
      'owner-渡り@b.example',
      'minna-request@b.example',
      'minna-bounces@b.example',
      'LISTSERV@b.example',
      'noreply@b.example',
      'do-not-reply@b.example',
    ])
      assert.match(unsent({ from }), /machine/, from)
    for (const from of ['hanako@campus.example', 'H.YAMADA+x@campus.example'])
      assert.match(unsent({ from }), /sender is the recipient/)
    for (const field of [
      'Auto-Submitted: auto-replied',
      'Auto-Submitted: auto-generated (報告)',
      'Precedence: bulk',
      'Precedence: junk',
      'precedence: list',
      'X-Auto-Response-Suppress: DR, OOF, AutoReply',
    ])
      assert.match(unsent({ header: header(`${field}\n`) }), /sent by a machine/, field)
    for (const field of [
      'List-Id: みんな <minna.b.example>',
      'List-Post: <mailto:minna@b.example>',
      'List-Unsubscribe: <https://b.example/>',
    ])
      assert.match(unsent({ header: header(`${field}\n`) }), /by a list/, field)
    for (const verdict of ['spam', 'suspected'] as const)
      assert.match(unsent({ class: verdict }), /spam/)
    assert.ok(answer(AWAY, { header: header('Auto-Submitted: no (本人)\n') }))
    assert.ok(answer(AWAY, { class: 'clean' }))
  })

  it('goes only where an address of the account is named, in any of the six fields', () => {
    assert.match(unsent({ header: header('', 'To: minna@b.example') }), /names none/)
    assert.match(unsent({ header: header('', 'X-To: hanako@campus.example') }), /names none/)
    for (const name of ['To', 'Cc', 'Bcc', 'Resent-To', 'Resent-Cc', 'Resent-Bcc'])
      for (const who of ['hanako@campus.example', 'みんな: x@b.example, H.Yamada@CAMPUS.example;'])
        assert.ok(answer(AWAY, { header: header('', `${name}: ${who}`) }), name)
    const more = 'require "vacation"; vacation :addresses ["x@b.example", "Old@b.example"] "x";'
    assert.ok(answer(more, { header: header('', 'To: old@b.example') }))
  })

  it('is not made of an answer: two people who are away write to each other once', () => {
    const first = answer(AWAY).entry
    const toTaro = {
      header: Buffer.from(first.content as Uint8Array)
        .toString()
        .replaceAll('\r\n', '\n'),
      to: 'taro@b.example',
      owner: { addresses: [addr('taro@b.example')] },
    }
    assert.match(unsent({ ...toTaro, from: null }), /null reverse-path/)
    // Where a peer has made up a reverse-path for it.
    assert.match(unsent({ ...toTaro, from: 'hanako@campus.example' }), /sent by a machine/)
  })

  it('leaves a copy where the script says, filed once with the answer (RFC 8580)', () => {
    const script = (args: string) =>
      `require ["vacation", "fcc", "mailbox", "imap4flags", "special-use", "mailboxid"];
       vacation :fcc "控え" ${args} "不在";`
    const copy = (args: string, mailboxes: readonly string[] = []) => {
      const { plan, entry } = answer(script(args), { mailboxes })
      const [, change] = plan.changes
      assert.ok(change?.kind === 'append' && 'path' in change.mailbox)
      assert.equal(change.once, entry.once)
      assert.equal(plan.contents[change.content - 1], entry.content)
      return [change.mailbox.path.join('/'), change.flags]
    }
    assert.deepEqual(copy(''), ['INBOX', 0])
    assert.deepEqual(copy('', ['控え']), ['控え', 0])
    assert.deepEqual(copy(':create :flags "\\\\Seen"'), ['控え', 1])
    assert.deepEqual(copy(':specialuse "\\\\Sent"'), ['Sent', 0])
    assert.deepEqual(copy(':mailboxid "M1"'), ['Sent', 0])
  })

  it('answers the mail as the script has changed it (RFC 5293 §7)', () => {
    const script = `require ["vacation", "editheader", "enotify"];
      deleteheader "subject"; addheader "Subject" "会議"; vacation "不在"; notify "mailto:a@b.example";`
    const { outbox } = planOf(script)
    const subjects = outbox.map(({ content }) => readMail(content as Uint8Array).field('subject'))
    assert.deepEqual(subjects, ['Auto: 会議', '会議'])
  })

  it('speaks once for a mail, whichever scripts would', () => {
    const other = 'require "vacation"; vacation "別の文";'
    const plan = planDelivery(deliveryOf(), [scriptOf(AWAY, 'choices'), scriptOf(other)])
    assert.equal(plan.outbox.length, 1)
    assert.deepEqual(plan.outbox[0]!.dsn, { notify: [] }) // RFC 5230 §5.1
    assert.match(plan.unsent.join(), /answered/)
    assert.match(planOf(`${AWAY} vacation "x";`).trouble[0]!.message, /one answer/)
  })

  it('is in nobody’s name where the account is not known', () => {
    const { owner: _, ...nobody } = deliveryOf()
    assert.deepEqual(planDelivery(nobody, [scriptOf(AWAY)]).outbox, [])
  })

  it('goes to addresses beyond ASCII as RFC 6531 says', () => {
    const { entry, head } = answer(AWAY, { from: '太郎@b.example' })
    assert.equal(entry.smtpUtf8, true)
    assert.match(head, /^To: 太郎@b\.example\r$/m)
  })

  it('lets nothing of a script or a mail begin a field of its own', () => {
    const evil = fc
      .array(
        fc.constantFrom('\r\n', '\n', '\r', '\0', 'Bcc: x@b.example', ' ', '会', '"', '<', '>'),
      )
      .map((parts) => parts.join(''))
    const quoted = (text: string) =>
      JSON.stringify(text).replace(/\\[nr]|\\u0000/g, (sign) =>
        sign === '\\n' ? '\n' : sign === '\\r' ? '\r' : ' ',
      )
    fc.assert(
      fc.property(evil, evil, evil, (subject, name, id) => {
        const script = `require "vacation"; vacation :subject ${quoted(subject)} :from ${quoted(`${name} <hanako@campus.example>`)} "x";`
        if (!compileSieve(script).ok) return
        const mail = {
          header: header(
            `Message-ID: <${id.replaceAll('\n', '\n ')}>\nReferences: ${id.replaceAll('\n', '\n ')}\n`,
          ),
          owner: { ...HANAKO, name },
        }
        const { names } = answer(script, mail)
        const own = [
          'From',
          'To',
          'Subject',
          'Date',
          'Message-ID',
          'In-Reply-To',
          'References',
          'Auto-Submitted',
          'MIME-Version',
          'Content-Type',
          'Content-Transfer-Encoding',
        ]
        assert.deepEqual(
          names.filter((each) => !own.includes(each)),
          [],
        )
        assert.equal(new Set(names).size, names.length)
      }),
      { numRuns: 200 },
    )
  })
})
