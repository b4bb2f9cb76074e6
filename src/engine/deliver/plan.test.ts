import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { parseHanded, renderHanded } from '#codec/auth/verdict.ts'
import { SCRIPT_OF_EVERYBODY } from '#engine/choices/chosen-script.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import type { Verdict } from '#model/verdict.ts'

import { formatAddress } from '#model/address.ts'
import { addr } from '#test/fake/directory.ts'

import { planDelivery } from './plan.ts'
import type { PlacedScript } from './plan.ts'
import type { Delivery } from './delivery.ts'
import { sieveContent } from '#engine/sieve/content.ts'

function program(text: string, place: PlacedScript['place'] = 'own'): PlacedScript {
  const compiled = compileSieve(text)
  assert.ok(compiled.ok, JSON.stringify(compiled))
  return { place, program: compiled.value }
}

const everybody = program(SCRIPT_OF_EVERYBODY, 'choices')

function delivery(kind?: Verdict['class']): Delivery {
  const verdict: Verdict | undefined = kind && {
    class: kind,
    score: 0,
    hits: [],
    virus: { kind: 'clean' },
    auth: [],
    caseId: 'C',
    degraded: [],
  }
  const header = fromUtf8(
    'Subject: =?utf-8?B?5Lya6K2w?=\r\nFrom: =?utf-8?B?5aSq6YOO?= <taro@campus.example>\r\n\r\n',
  )
  return {
    deliveryId: 'D1',
    reversePath: { localpart: 'taro', domain: 'campus.example' },
    recipient: { localpart: 'hanako', domain: 'campus.example' },
    body: '8bitmime',
    smtpUtf8: false,
    nowMs: 1,
    message: {
      ...sieveContent(header, 100, verdict),
      envelopeFrom: { localpart: 'taro', domain: 'campus.example' },
      envelopeTo: { localpart: 'hanako', domain: 'campus.example' },
      mailboxExists: (name) => name === 'Archive',
    },
  }
}

describe('planning a delivery', () => {
  it('files by class where nobody has chosen anything', () => {
    const filed = (kind?: Verdict['class']) => planDelivery(delivery(kind), [everybody]).filed
    assert.deepEqual(filed('spam'), ['Junk/SPAM'])
    assert.deepEqual(filed('suspected'), ['Junk/Suspected SPAM'])
    assert.deepEqual(filed('clean'), ['INBOX'])
    assert.deepEqual(filed(undefined), ['INBOX'])
  })

  it("does not run the user's script on what was filed as junk", () => {
    const user = program('require "fileinto"; fileinto "Archive";')
    assert.deepEqual(planDelivery(delivery('spam'), [everybody, user]).filed, ['Junk/SPAM'])
    assert.deepEqual(planDelivery(delivery('clean'), [everybody, user]).filed, ['Archive'])
  })

  it('keeps in INBOX what is filed into a mailbox that is not there (RFC 5228 §4.1)', () => {
    const user = program('require "fileinto"; fileinto "無い箱";')
    assert.deepEqual(planDelivery(delivery(), [user]).filed, ['INBOX'])
    const create = program('require ["fileinto", "mailbox"]; fileinto :create "会議/来週";')
    const plan = planDelivery(delivery(), [create])
    assert.deepEqual(plan.filed, ['会議/来週'])
    assert.deepEqual(plan.changes[0]?.kind === 'append' && plan.changes[0].mailbox, {
      path: ['会議', '来週'],
      create: true,
    })
  })

  it('gives what it makes the role that it was to have, where none has it (RFC 8579 §4.1)', () => {
    const made = (args: string, has?: string) => {
      const script = `require ["fileinto", "mailbox", "special-use"]; fileinto ${args};`
      const mail = delivery()
      const message = { ...mail.message, mailboxOf: () => has }
      const [change] = planDelivery({ ...mail, message }, [program(script)]).changes
      return change?.kind === 'append' && change.mailbox
    }
    const path = ['保管']
    assert.deepEqual(made(':specialuse "\\\\ARCHIVE" :create "保管"'), {
      path,
      create: true,
      use: 'archive',
    })
    assert.deepEqual(made(':specialuse "\\\\Unknown" :create "保管"'), { path, create: true })
    assert.deepEqual(made(':specialuse "\\\\Archive" "保管"'), { path: ['INBOX'], create: false })
    const there = made(':specialuse "\\\\Archive" :create "保管"', 'Archive')
    assert.deepEqual(there, { path: ['Archive'], create: true })
  })

  it('keeps in INBOX what would make a mailbox where IMAP shows those of others', () => {
    const text = 'require ["fileinto", "mailbox"]; fileinto :create "Other Users/hanako/会議";'
    const plan = planDelivery(delivery(), [program(text)])
    assert.deepEqual(plan.filed, ['INBOX'])
  })

  it('files once where two actions name one mailbox', () => {
    const user = program('require "fileinto"; keep; fileinto "inbox";')
    assert.deepEqual(planDelivery(delivery(), [user]).filed, ['INBOX'])
  })

  it('sends a redirect with an id of its own and keeps nothing', () => {
    const plan = planDelivery(delivery(), [program('redirect "a@b.example";')])
    assert.deepEqual(plan.changes, [])
    const id = plan.outbox[0]?.id ?? ''
    assert.match(id, /^D1-[0-9a-f]{16}$/)
    // The store takes it as a delivery id when the redirect leads to somebody here.
    assert.deepEqual(parseHanded(renderHanded({ deliveryId: id })), { deliveryId: id })
  })

  it('files and sends what scripts have made of the message, each action as it was then', () => {
    const mail = fromUtf8('Subject: 会議\r\nX-Old: 1\r\n\r\n本文\r\n')
    const given = delivery()
    const message = { ...given.message, ...sieveContent(mail, mail.byteLength, undefined) }
    const first = program('require "editheader"; addheader "X-A" "1";')
    const second = program(`require ["editheader", "copy", "fileinto"];
      if not exists "X-A" { discard; stop; }
      fileinto :copy "Archive"; redirect :copy "a@b.example"; deleteheader "x-old";`)
    const trace = fromUtf8('Received: 渡\r\n')
    const plan = planDelivery({ ...given, message, trace }, [first, second])
    const [archive, inbox] = plan.changes.map((change) => {
      assert.ok(change.kind === 'append')
      return { content: change.content, prefix: toUtf8(change.prefix!) }
    })
    assert.equal(archive!.content, 0)
    assert.match(archive!.prefix, /^Return-Path: .*\r\nDelivered-To: .*\r\nX-A: 1\r\n$/)
    const sentOn = plan.outbox[0]!.content
    assert.ok(typeof sentOn === 'object')
    assert.equal(toUtf8(sentOn), `Received: 渡\r\nX-A: 1\r\n${toUtf8(mail)}`)
    assert.equal(
      toUtf8(plan.contents[inbox!.content - 1]!),
      'Received: 渡\r\nX-A: 1\r\nSubject: 会議\r\n\r\n本文\r\n',
    )
    assert.equal(plan.editedCount, 1)
    assert.match(inbox!.prefix, /Delivered-To: [^\n]*\n$/)
    const cut = { ...message, isCut: true }
    const sent = planDelivery({ ...given, message: cut }, [
      first,
      program('redirect "a@b.example";'),
    ])
    assert.deepEqual(sent.outbox, [])
    assert.deepEqual(sent.filed, ['INBOX'])
  })

  it('sends a redirect in its owner’s name where they want to hear of it (RFC 6009 §6.1, §7.1)', () => {
    const owner = { addresses: [addr('hanako.y@campus.example')] }
    const sent = (args: string, reversePath = delivery().reversePath) => {
      const script = `require ["redirect-dsn", "redirect-deliverby"]; redirect ${args} "a@b.example";`
      const { outbox } = planDelivery({ ...delivery(), owner, reversePath }, [program(script)])
      const [{ reversePath: from, dsn, deliverBy } = {}] = outbox
      return { from: from && formatAddress(from), dsn, deliverBy }
    }
    const plain = { dsn: undefined, deliverBy: undefined }
    assert.deepEqual(sent(''), { ...plain, from: 'taro@campus.example' })
    const dsn = { notify: [], ret: 'hdrs' }
    const asking = ':notify "NEVER" :ret "HDRS"'
    assert.deepEqual(sent(asking), { ...plain, from: 'hanako.y@campus.example', dsn })
    assert.deepEqual(sent(asking, null), { ...plain, from: null, dsn })
    const { from, deliverBy } = sent(':bytimerelative 60 :bymode "notify"')
    assert.deepEqual([from, deliverBy?.mode], ['hanako.y@campus.example', 'notify'])
  })

  it('keeps what it has redirected before, so that a circle of redirects ends (RFC 5228 §10)', () => {
    const taro = { localpart: 'Taro+渡り', domain: 'campus.example' }
    const script = (to: string) => [program(`redirect "${to}@campus.example";`)]
    const first = planDelivery(delivery(), script('taro'))
    const redirected = { ...delivery(), deliveryId: first.outbox[0]!.id, recipient: taro }
    const second = planDelivery(redirected, script('hanako+x'))
    assert.deepEqual(second.changes, [])
    const back = { ...delivery(), deliveryId: second.outbox[0]!.id }
    for (const last of [planDelivery(back, script('taro')), planDelivery(back, script('jiro'))]) {
      assert.deepEqual(last.outbox, [])
      assert.deepEqual(last.filed, ['INBOX'])
    }
  })

  it('keeps what has been redirected too often in a row', () => {
    let [id, count] = ['1M8DDE42P79AKSK71B', 0]
    for (;;) {
      const recipient = { localpart: `人${count}`, domain: 'campus.example' }
      const next = planDelivery({ ...delivery(), deliveryId: id, recipient }, [
        program('redirect "next@campus.example";'),
      ])
      if (next.outbox.length === 0) break
      id = next.outbox[0]!.id
      count++
    }
    assert.equal(count, 8)
    assert.deepEqual(parseHanded(renderHanded({ deliveryId: id })), { deliveryId: id })
  })

  it('reads decoded fields and addresses, and keeps mail when a script fails', () => {
    const user = program(
      'require "reject"; if allof(header "subject" "会議", address "from" "taro@campus.example") { keep; reject "x"; }',
    )
    const plan = planDelivery(delivery(), [user])
    assert.match(plan.trouble[0]?.message ?? '', /reject/)
    assert.deepEqual(plan.filed, ['INBOX'])
  })

  it('runs what comes after an explicit keep, which waits for it like the implicit one', () => {
    const before = program('keep;', 'before')
    const own = program('require "fileinto"; if header "subject" "会議" { fileinto "Archive"; }')
    const after = program('require ["fileinto", "mailbox"]; fileinto :create "後";', 'after')
    assert.deepEqual(planDelivery(delivery(), [before, own, after]).filed, ['Archive'])
    assert.deepEqual(planDelivery(delivery(), [before, program(''), after]).filed, ['後'])
    assert.deepEqual(planDelivery(delivery(), [before, program('keep;')]).filed, ['INBOX'])
    assert.deepEqual(planDelivery(delivery(), [before, program('discard;'), after]).filed, [])
  })

  it('goes on behind a script that failed, and one that does not check', () => {
    const broken = { place: 'before', trouble: { place: 'before', message: 'x' } } as const
    const own = program('require "fileinto"; fileinto "Archive";')
    const plan = planDelivery(delivery(), [broken, own])
    assert.deepEqual(plan.filed, ['Archive'])
    assert.deepEqual(plan.trouble, [broken.trouble])
  })

  it('redirects to as many addresses as the administrator lets it', () => {
    const user = program('redirect "a@b.example"; redirect "b@b.example";')
    const limited = { ...delivery(), limits: { redirectsMax: 1 } }
    assert.equal(planDelivery(delivery(), [user]).outbox.length, 2)
    const plan = planDelivery(limited, [user])
    assert.deepEqual([plan.outbox, plan.filed], [[], ['INBOX']])
    assert.match(plan.trouble[0]!.message, /more than 1 /)
  })

  it('puts Return-Path and Delivered-To in front', () => {
    const change = planDelivery(delivery(), []).changes[0]
    assert.ok(change?.kind === 'append' && change.prefix)
    assert.equal(
      toUtf8(change.prefix),
      'Return-Path: <taro@campus.example>\r\nDelivered-To: hanako@campus.example\r\n',
    )
  })

  it('leaves the marks of an earlier script on a mail that a later one says nothing of', () => {
    const marks = program('require "imap4flags"; addflag "\\\\Flagged";')
    const flagsOf = (later: string) =>
      planDelivery(delivery('clean'), [marks, program(later)]).changes.map(
        (each) => each.kind === 'append' && each.flags,
      )
    assert.deepEqual(flagsOf(''), [4])
    assert.deepEqual(flagsOf('require "imap4flags"; addflag "\\\\Seen";'), [5])
    // What it keeps by itself it marks by itself (RFC 5232 §5).
    assert.deepEqual(flagsOf('keep;'), [0])
  })
})
