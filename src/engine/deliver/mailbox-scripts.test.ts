import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import { DELETED, SEEN, SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { annotationId, annotationValue, SCRIPT_ENTRY } from '#store/mailbox/kept-object.ts'
import { addr } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { MailboxScripts } from './mailbox-scripts.ts'

const accountId = 'hanako' as AccountId
const FLAGGED = 4
let store: FakeMailboxStore
let scripts: MailboxScripts
let sent: number
let failed: NewEvent[]
let owner: ConstructorParameters<typeof MailboxScripts>[0]['owner']
beforeEach(() => {
  store = new FakeMailboxStore()
  sent = 0
  failed = []
  owner = (id) => ({ addresses: [addr(`${id}@campus.example`)], name: '花子', language: 'ja' })
  scripts = new MailboxScripts({
    mailboxes: store,
    owner: (id) => owner(id),
    nameOf: (id) => `${id}の名`,
    lists: () => ({ has: () => false, holds: () => false, addresses: () => undefined }),
    limits: () => ({}),
    sent: () => void sent++,
    events: { emit: (event) => void failed.push(event) },
    clock: store.clock,
    log: silentLog,
  })
})
afterEach(async () => {
  await scripts.close()
  await store.close()
})

const rowOf = async (name: string) =>
  (await store.mailboxes({ accountId })).mailboxes.find(({ path }) => path.join('/') === name)!
const commit = async (
  changes: readonly MailboxChange[],
  by?: AccountId,
  text = 'Subject: 会議',
) => {
  const { results } = await store.commit({
    contents: [{ octets: [fromUtf8(`${text}\r\n\r\n本文\r\n`)] }],
    commits: [{ accountId, changes, ...(by !== undefined && { by }) }],
  })
  assert.equal(results[0]?.kind, 'committed')
}
const append = (name: string, flags = 0): MailboxChange => ({
  kind: 'append',
  mailbox: { path: name.split('/'), create: false },
  content: 0,
  flags,
  keywords: [],
  internalDateMs: 5,
})

/** Gives a mailbox that script. */
async function scripted(name: string, text: string): Promise<void> {
  const all =
    'require ["fileinto","imapsieve","environment","imap4flags","variables","copy","mailbox","editheader","enotify","envelope","body","relational"];'
  const put = { kind: 'put', name: '仕分け', text: `${all}\n${text}`, activate: false } as const
  assert.equal((await store.changeScript({ accountId, change: put })).refusal, undefined)
  const id = annotationId((await rowOf(name)).id, SCRIPT_ENTRY)
  await commit([{ kind: 'keep', object: 'Annotation', id, value: annotationValue('仕分け') }])
}

async function ran(): Promise<void> {
  scripts.wake()
  await scripts.idle()
  assert.deepEqual((await store.scriptEvents({ limit: 1 })).events, [])
}

/** UIDs with their flags. */
async function flagsIn(name: string): Promise<string[]> {
  const view = (await store.view({ accountId, mailboxId: (await rowOf(name)).id }))!
  const names = [...SYSTEM_FLAGS, ...view.mailbox.keywords]
  return Array.from(view.uids, (uid, nth) =>
    [uid, ...names.filter((_, bit) => (view.flags[nth]! & (1 << bit)) !== 0).toSorted()].join(' '),
  )
}
const textIn = async (name: string, uid: number): Promise<string> => {
  const mailboxId = (await rowOf(name)).id
  const ask = { accountId, mailboxId, uid: uid as Uid, offset: 0, length: 10_000 }
  return toUtf8((await store.read(ask)).octets!)
}
const outbox = async () =>
  Promise.all(
    (await store.outbox({ limit: 10 })).items.map(
      async ({ id, kind, reversePath, recipients }) => ({
        kind,
        from: reversePath?.localpart,
        to: recipients.map(({ localpart }) => localpart).join(),
        text: toUtf8((await store.readOutbox({ id, offset: 0, length: 10_000 })).octets),
      }),
    ),
  )

describe('scripts of mailboxes (RFC 6785)', () => {
  it('know who has done what in which mailbox, and mark the message', async () => {
    await scripted(
      'Archive',
      `if environment :matches "imap.user" "*" { set "who" "\${1}"; }
         if environment :is "imap.cause" "APPEND" { addflag "$appended"; }
         elsif environment :is "imap.cause" "COPY" { addflag "$copied"; }
         elsif allof (environment :contains "imap.changedflags" "\\\\Flagged",
                      hasflag "\\\\Flagged") { addflag "$marked"; }
         else { addflag "$other"; }
         if environment "imap.mailbox" "Archive" { addflag "$here"; }
         if allof (environment "location" "MS", environment "phase" "post",
                   environment "imap.email" "hanako@campus.example",
                   string "\${who}" "hanakoの名") { addflag "$known"; }`,
    )
    await commit([append('Archive', SEEN), append('INBOX')])
    const from = (await rowOf('INBOX')).id
    const to = { id: (await rowOf('Archive')).id }
    await commit([{ kind: 'move', from, uids: [1 as Uid], to }])
    await ran()
    assert.deepEqual(await flagsIn('Archive'), [
      '1 $appended $here $known \\Seen',
      '2 $copied $here $known',
    ])
    const flag = { kind: 'setFlags', mailboxId: to.id, uids: [1 as Uid], keywords: [] } as const
    await commit([{ ...flag, mode: 'add', flags: FLAGGED }])
    await ran()
    assert.deepEqual(await flagsIn('Archive'), [
      '1 $appended $here $known $marked \\Flagged \\Seen',
      '2 $copied $here $known',
    ])
    await commit([{ ...flag, mode: 'remove', flags: FLAGGED }])
    await ran()
    assert.match((await flagsIn('Archive'))[0]!, / \$other \\Seen$/)
  })

  it('file a copy, as they have changed it; what is not kept is \\Deleted', async () => {
    await scripted(
      'Archive',
      `if header "subject" "会議" { addheader "X-Room" "第一"; fileinto :flags "$done" :create "会議/第一"; }
       elsif header "subject" "控え" { fileinto :copy "INBOX"; }
       elsif header "subject" "無い" { fileinto "無い"; }
       elsif header "subject" "同じ" { fileinto "Archive"; }
       elsif header "subject" "要らない" { discard; }
       elsif header "subject" "両方" { discard; keep; }`,
    )
    for (const subject of ['会議', '控え', '無い', '同じ', '要らない', '両方'])
      await commit([append('Archive', SEEN)], undefined, `Subject: ${subject}`)
    await ran()
    assert.deepEqual(await flagsIn('Archive'), [
      '1 \\Deleted \\Seen',
      '2 \\Seen',
      '3 \\Seen',
      '4 \\Seen',
      '5 \\Deleted \\Seen',
      '6 \\Seen',
    ])
    assert.deepEqual(await flagsIn('会議/第一'), ['1 $done'])
    assert.match(await textIn('会議/第一', 1), /^X-Room: =\?UTF-8\?B\?.*\r\nSubject: 会議\r\n/s)
    assert.deepEqual(await flagsIn('INBOX'), ['1 \\Seen'])
  })

  it('never go round: what they do is no event, be it in their own mailbox', async () => {
    const forth = 'addflag "$a"; if not environment "imap.cause" "FLAG" { fileinto :copy "INBOX"; }'
    await scripted('Archive', forth)
    const id = annotationId((await rowOf('INBOX')).id, SCRIPT_ENTRY)
    await commit([{ kind: 'keep', object: 'Annotation', id, value: annotationValue('仕分け') }])
    await commit([append('Archive')])
    await ran()
    assert.deepEqual(await flagsIn('INBOX'), ['1 $a'])
    assert.deepEqual(await flagsIn('Archive'), ['1 $a'])
  })

  it('send on in the owner’s name, without the fields of the delivery, and notify', async () => {
    await scripted(
      'Archive',
      'redirect :copy "taro@else.example"; notify :message "来ました" "mailto:jiro@else.example";',
    )
    const trace = 'Return-Path: <x@y>\r\nDelivered-To: z@y\r\nSubject: 会議'
    await commit([append('Archive')], undefined, trace)
    await ran()
    const [on, told, ...others] = await outbox()
    assert.deepEqual([on?.kind, on?.from, on?.to], ['redirect', 'hanako', 'taro'])
    assert.equal(on?.text, 'Subject: 会議\r\n\r\n本文\r\n')
    assert.deepEqual([told?.kind, told?.from, told?.to], ['notify', undefined, 'jiro'])
    assert.deepEqual(others, [])
    assert.equal(sent, 1)
    assert.deepEqual(await flagsIn('Archive'), ['1'])
  })

  it('send a large message whole, and refuse to file it changed', async () => {
    await scripted(
      'Archive',
      'if header "subject" "a" { addheader "X" "y"; fileinto "INBOX"; } else { redirect "t@e.example"; }',
    )
    const body = '本文\r\n'.repeat(40_000)
    for (const subject of ['a', 'b'])
      await commit([append('Archive')], undefined, `Subject: ${subject}\r\n\r\n${body}`)
    await ran()
    const [{ id, sizeBytes } = { id: '', sizeBytes: 0 }] = (await store.outbox({ limit: 1 })).items
    assert.equal(sizeBytes, Buffer.byteLength(`Subject: b\r\n\r\n${body}\r\n\r\n本文\r\n`))
    assert.ok(id.startsWith('E'))
    assert.deepEqual(await flagsIn('Archive'), ['1', '2 \\Deleted'])
    assert.match(await textIn('INBOX', 1), /^From: .*postmaster/is)
  })

  it('that fail leave the message as it is, and tell their owner once', async () => {
    for (const bad of [
      'if envelope "from" "x" { discard; }',
      'addflag "$a"; redirect "1@e.example"; redirect "2@e.example"; redirect "3@e.example"; redirect "4@e.example"; redirect "5@e.example"; redirect "6@e.example";',
      '\nrequire "reject"; discard;',
      'require "vacation";',
    ]) {
      await scripted('Archive', bad)
      await commit([append('Archive')])
      await ran()
    }
    assert.deepEqual(await flagsIn('Archive'), ['1', '2', '3', '4'])
    assert.deepEqual(
      failed.map(({ name, fields }) => [name, fields['name'], fields['line']]),
      [2, 2, 1, 1].map((line) => ['sieve.failed', '仕分け', line]),
    )
    assert.deepEqual(await outbox(), [])
    assert.deepEqual(await flagsIn('INBOX'), ['1'])
    const mail = Buffer.from((await textIn('INBOX', 1)).split('\r\n\r\n')[1]!, 'base64').toString()
    assert.match(mail, /メールボックスに付けたスクリプトが2行目で止まりました/)
    assert.match(mail, /元の場所にあります/)
  })

  it('wait out a store that is away, and are done with what is gone', async () => {
    await scripted('Archive', 'addflag "$a";')
    await commit([append('Archive'), append('Archive'), append('Archive')])
    store.fault = new Fault('stalled', 'わざと')
    scripts.wake()
    await scripts.idle()
    store.fault = undefined
    const mailboxId = (await rowOf('Archive')).id
    await commit([{ kind: 'expunge', mailboxId, uids: [2 as Uid], deletedOnly: false }])
    store.clock.advance(MINUTE_MS)
    await scripts.idle()
    assert.deepEqual(await flagsIn('Archive'), ['1 $a', '3 $a'])
    owner = () => undefined
    await commit([append('Archive')])
    await ran()
    assert.equal((await flagsIn('Archive'))[2], '4')
  })

  it('find what the script made of the event before', async () => {
    await scripted('Archive', 'if hasflag "$once" { addflag "$twice"; } else { addflag "$once"; }')
    const mailboxId = (await rowOf('Archive')).id
    const flag = { kind: 'setFlags', mailboxId, uids: [1 as Uid], keywords: [] } as const
    await commit([append('Archive'), { ...flag, mode: 'add', flags: DELETED }])
    await ran()
    assert.deepEqual(await flagsIn('Archive'), ['1 $once $twice \\Deleted'])
  })
})
