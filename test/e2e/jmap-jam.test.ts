import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { JamClient } from 'jmap-jam'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { pushes, webOrigin } from './jmap.ts'
import type { Pushed } from './jmap.ts'
import { smtpSend } from './mail.ts'
import { rawImap } from './raw-imap.ts'

const SUBJECT = '来週の会議のお知らせ'
const BODY = '本文です。渡り鳥が来ました。\n二行目'

/** Jam logs in by bearer token; who a token was, Basic is here. */
async function jamFor(watari: Installation, username: string): Promise<JamClient> {
  const sessionUrl = `${webOrigin(watari)}/.well-known/jmap`
  const basic = `Basic ${Buffer.from(`${username}:${watari.password(username)}`).toString('base64')}`
  const jam = new JamClient({ sessionUrl, bearerToken: 'none' })
  await jam.session
  jam.authHeader = basic
  jam.session = JamClient.loadSession(sessionUrl, basic)
  await jam.session
  return jam
}

interface Shared {
  readonly name: string
  readonly isPersonal: boolean
  readonly isReadOnly: boolean
}

interface SharedBox {
  readonly name: string
  readonly myRights: { readonly maySetSeen: boolean; readonly mayAddItems: boolean }
}

/** Node has no EventSource that logs in: the one that Jam makes keeps its address only. */
class AddressOnly {
  readonly url: string
  constructor(url: string) {
    this.url = url
  }
}

describe('jmap-jam, a client of others, goes through a day of mail', () => {
  let watari: Installation
  let jam: JamClient
  let accountId: string
  const boxes = new Map<string, string>()
  const box = (role: string): string => boxes.get(role)!
  before(async () => {
    watari = await install()
    jam = await jamFor(watari, 'hanako')
    accountId = await jam.getPrimaryAccount()
  })
  after(() => watari.remove())

  it('finds the session, its mailboxes and their state', async () => {
    const session = await jam.session
    assert.equal(session.username, 'hanako@campus.example')
    for (const name of ['core', 'mail', 'submission'])
      assert.ok(Object.hasOwn(session.capabilities, `urn:ietf:params:jmap:${name}`), name)
    const [{ list, state }] = await jam.api.Mailbox.get({ accountId })
    for (const { role, id } of list) if (role !== null) boxes.set(role, id)
    for (const role of ['inbox', 'drafts', 'sent', 'trash', 'junk'])
      assert.ok(boxes.has(role), role)
    const [made] = await jam.api.Mailbox.set({
      accountId,
      create: { m: { name: '研究室／ゼミ', parentId: null, sortOrder: 42, isSubscribed: true } },
    })
    boxes.set('lab', made.created.m.id)
    const [changes] = await jam.api.Mailbox.changes({ accountId, sinceState: state })
    assert.deepEqual(changes.created, [box('lab')])
    const [{ list: shown }] = await jam.api.Mailbox.get({ accountId, ids: [box('lab')] })
    assert.deepEqual([shown[0]!.name, shown[0]!.sortOrder], ['研究室／ゼミ', 42])
  })

  it('is pushed the news, and reads a new mail in one batch with back-references', async () => {
    const [{ state }] = await jam.api.Email.get({ accountId, ids: [], properties: ['id'] })
    Object.assign(globalThis, { EventSource: AddressOnly })
    const { url } = await jam.connectEventSource({ types: ['Email', 'Mailbox'], ping: 0 })
    const stream = await fetch(url, { headers: { authorization: jam.authHeader } })
    const news = pushes(stream)
    const content = [
      'From: =?UTF-8?B?5bGx55Sw?= <yamada@other.example>',
      'To: hanako@campus.example',
      `Subject: =?UTF-8?B?${Buffer.from(SUBJECT).toString('base64')}?=`,
      'Message-ID: <kaigi@other.example>',
      'Content-Type: text/plain; charset=utf-8',
      '',
      BODY.replace('\n', '\r\n'),
      '',
    ].join('\r\n')
    const sent = { from: 'yamada@other.example', to: ['hanako@campus.example'], content }
    assert.match(await smtpSend(watari.port(25), sent), /^250/)
    const pushed = (await news.next()).value as Pushed
    assert.deepEqual(Object.keys(pushed.changed), [accountId])
    assert.notEqual(pushed.changed[accountId]!['Email'], state)
    await stream.body?.cancel().catch(() => undefined)

    const [{ found, emails, threads }] = await jam.requestMany((t) => {
      const found = t.Email.query({
        accountId,
        filter: { inMailbox: box('inbox'), text: '渡り鳥' },
        sort: [{ property: 'receivedAt', isAscending: false }],
        limit: 10,
      })
      const emails = t.Email.get({
        accountId,
        ids: found.$ref('/ids'),
        properties: ['id', 'threadId', 'subject', 'from', 'preview', 'bodyValues', 'textBody'],
        fetchTextBodyValues: true,
      })
      const threads = t.Thread.get({ accountId, ids: emails.$ref('/list/*/threadId') })
      return { found, emails, threads }
    })
    assert.equal(found.ids.length, 1)
    const [email] = emails.list
    assert.equal(email!.subject, SUBJECT)
    assert.deepEqual(email!.from, [{ name: '山田', email: 'yamada@other.example' }])
    const [value] = Object.values<{ value: string }>(email!.bodyValues)
    assert.equal(value!.value.trimEnd(), BODY)
    assert.deepEqual(threads.list[0]!.emailIds, found.ids)
    const [changes] = await jam.api.Email.changes({ accountId, sinceState: state })
    assert.deepEqual(changes.created, found.ids)
  })

  it('flags and moves it, and a query tells what changed', async () => {
    const filter = { inMailbox: box('inbox') }
    const [query] = await jam.api.Email.query({ accountId, filter })
    const [id] = query.ids as [string]
    const [{ updated }] = await jam.api.Email.set({
      accountId,
      update: {
        [id]: {
          'keywords/$seen': true,
          [`mailboxIds/${box('inbox')}`]: null,
          [`mailboxIds/${box('lab')}`]: true,
        },
      },
    })
    assert.deepEqual(updated, { [id]: null })
    const [{ list }] = await jam.api.Email.get({
      accountId,
      ids: [id],
      properties: ['keywords', 'mailboxIds'],
    })
    assert.deepEqual(list[0]!.mailboxIds, { [box('lab')]: true })
    assert.deepEqual(list[0]!.keywords, { $seen: true })
    const [{ ids }] = await jam.api.Email.query({ accountId, filter })
    assert.deepEqual(ids, [])
  })

  it('uploads, and what it uploaded outlives a restart', async () => {
    const octets = Buffer.from('議事録の中身。'.repeat(40_000))
    const uploaded = await jam.uploadBlob(accountId, new Blob([octets], { type: 'text/plain' }))
    assert.equal(uploaded.size, octets.length)
    await watari.stop()
    await watari.start()
    const fileName = '議事録.txt'
    const ask = { accountId, blobId: uploaded.blobId, mimeType: 'text/plain', fileName }
    const response = await jam.downloadBlob(ask)
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
    assert.equal(hash(new Uint8Array(await response.arrayBuffer())), hash(octets))
    boxes.set('blob', uploaded.blobId)
  })

  it('writes with an identity of its own, sends, and what was sent is kept', async () => {
    const [{ list: identities, state }] = await jam.api.Identity.get({ accountId })
    const identityId = identities[0]!.id
    await jam.api.Identity.set({
      accountId,
      update: { [identityId]: { name: '山田花子', textSignature: '-- \n花子' } },
    })
    const [{ updated }] = await jam.api.Identity.changes({ accountId, sinceState: state })
    assert.deepEqual(updated, [identityId])
    const [{ state: before }] = await jam.api.EmailSubmission.get({ accountId, ids: [] })
    const [answers] = await jam.requestMany((t) => ({
      draft: t.Email.set({
        accountId,
        create: {
          d: {
            mailboxIds: { [box('drafts')]: true },
            keywords: { $draft: true, $seen: true },
            from: [{ name: '山田花子', email: 'hanako@campus.example' }],
            to: [{ name: '太郎', email: 'taro@campus.example' }],
            subject: '議事録です',
            textBody: [{ partId: 't', type: 'text/plain' }],
            bodyValues: { t: { value: BODY, isEncodingProblem: false, isTruncated: false } },
            attachments: [{ blobId: box('blob'), type: 'text/plain', name: '議事録.txt' }],
          },
        },
      }),
    }))
    const emailId = answers.draft.created.d.id
    const [sent, { response }] = await jam.api.EmailSubmission.set({
      accountId,
      create: { s: { identityId, emailId } },
      onSuccessUpdateEmail: {
        '#s': {
          [`mailboxIds/${box('drafts')}`]: null,
          [`mailboxIds/${box('sent')}`]: true,
          'keywords/$draft': null,
        },
      },
    })
    assert.equal(response.status, 200)
    const submissionId = sent.created.s.id
    const [{ list }] = await jam.api.Email.get({
      accountId,
      ids: [emailId],
      properties: ['mailboxIds', 'keywords'],
    })
    assert.deepEqual(list[0]!.mailboxIds, { [box('sent')]: true })

    const taro = await jamFor(watari, 'taro')
    const taroId = await taro.getPrimaryAccount()
    await until('it is with taro', async () => {
      const [{ ids }] = await taro.api.Email.query({
        accountId: taroId,
        filter: { subject: '議事録です', hasAttachment: true },
      })
      return ids.length === 1
    })
    await until('the hand-over is told', async () => {
      const [{ list: kept }] = await jam.api.EmailSubmission.get({ accountId, ids: [submissionId] })
      const status = kept[0]!.deliveryStatus!['taro@campus.example']!
      assert.equal(kept[0]!.undoStatus, 'final')
      return status.delivered === 'unknown'
    })
    const [changes] = await jam.api.EmailSubmission.changes({ accountId, sinceState: before })
    assert.deepEqual(changes.created, [submissionId])
    const filter = { emailIds: [emailId] }
    const [{ ids }] = await jam.api.EmailSubmission.query({ accountId, filter })
    assert.deepEqual(ids, [submissionId])
  })

  it('calls a mail back that is to be sent later', async () => {
    const [{ ids }] = await jam.api.Email.query({
      accountId,
      filter: { inMailbox: box('sent') },
    })
    const [{ list: identities }] = await jam.api.Identity.get({ accountId })
    const mailFrom = { email: 'hanako@campus.example', parameters: { HOLDFOR: '600' } }
    const rcptTo = [{ email: 'taro@campus.example', parameters: null }]
    const [{ created }] = await jam.api.EmailSubmission.set({
      accountId,
      create: {
        s: { identityId: identities[0]!.id, emailId: ids[0]!, envelope: { mailFrom, rcptTo } },
      },
    })
    const { id, undoStatus } = created.s
    assert.equal(undoStatus, 'pending')
    const [{ updated }] = await jam.api.EmailSubmission.set({
      accountId,
      update: { [id]: { undoStatus: 'canceled' } },
    })
    assert.ok(updated !== null && Object.hasOwn(updated, id))
    const [{ list }] = await jam.api.EmailSubmission.get({ accountId, ids: [id] })
    assert.equal(list[0]!.undoStatus, 'canceled')
  })
  it('finds what others share, reads it, and takes a copy', async () => {
    const owner = await rawImap(watari, 'taro')
    await owner.command('CREATE 会議')
    await owner.append('会議', Buffer.from('Subject: shared minutes\r\n\r\n議事録です。\r\n'))
    await owner.command('SETACL 会議 hanako lrs')
    const hanako = await jamFor(watari, 'hanako')
    const { accounts } = (await hanako.session) as { readonly accounts: Record<string, Shared> }
    const shared = Object.entries(accounts).find(([, { isPersonal }]) => !isPersonal)!
    assert.deepEqual([shared[1].name, shared[1].isReadOnly], ['taro@campus.example', false])
    const [taroId] = shared
    const [{ list }] = await hanako.api.Mailbox.get({ accountId: taroId })
    assert.deepEqual(
      (list as SharedBox[]).map(({ name, myRights: may }) => [
        name,
        may.maySetSeen,
        may.mayAddItems,
      ]),
      [['会議', true, false]],
    )
    const [{ ids }] = await hanako.api.Email.query({ accountId: taroId })
    const patch = (keyword: string) => ({
      accountId: taroId,
      update: { [ids[0]!]: { [`keywords/${keyword}`]: true } },
    })
    const [seen] = await hanako.api.Email.set(patch('$seen'))
    assert.ok(Object.hasOwn(seen.updated ?? {}, ids[0]))
    const [flagged] = await hanako.api.Email.set(patch('$flagged'))
    assert.equal(flagged.notUpdated?.[ids[0]!]?.type, 'forbidden')
    assert.match(await owner.command('STATUS 会議 (UNSEEN)'), /UNSEEN 1/)
    const [copied] = await hanako.api.Email.copy({
      accountId,
      fromAccountId: taroId,
      create: { c: { id: ids[0]!, mailboxIds: { [box('inbox')]: true } } },
    })
    assert.ok(copied.created.c.id)
    owner.close()
  })
})
