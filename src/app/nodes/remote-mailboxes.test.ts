import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'

import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { FakeClock, systemClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { MailboxCaller } from '#client/node/mailbox-caller.ts'
import { NODE_PATHS } from '#contract/node/wire.ts'
import { annotationsOf } from '#engine/deliver/script-annotations.ts'
import { storeReception } from '#engine/deliver/store-reception.ts'
import { UnheardAnswers } from '#engine/deliver/unheard-answers.ts'
import type { AccountId } from '#model/account.ts'
import type { Reception } from '#model/reception.ts'
import { MailboxDoor } from '#server/node/mailbox-door.ts'
import { nodeServer } from '#server/node/node-server.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'
import { annotationId, annotationValue } from '#store/mailbox/kept-object.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { fakeNode, openPinned } from '#test/fake/pinned-door.ts'
import type { PinnedDoor } from '#test/fake/pinned-door.ts'

import { MailboxWatch, remoteMailboxes } from './remote-mailboxes.ts'

const HANAKO = 'hanako@campus.example'
const hanako = `id-${HANAKO}` as AccountId

/** Of the answers to come: which are lost, by the name of the call. */
type Loses = (call: string) => boolean

interface Owner {
  readonly door: PinnedDoor
  loses: Loses
  filed: number
}

async function ownerOf(
  mailboxes: ConstructorParameters<typeof MailboxDoor>[0]['mailboxes'],
): Promise<Owner> {
  const owner = { loses: () => false, filed: 0 } as { loses: Loses; filed: number }
  const serve = nodeServer({
    mailboxes: new MailboxDoor({ mailboxes, clock: systemClock, filed: () => owner.filed++ }),
  })
  const door = await openPinned((request, response) => {
    const end = response.end.bind(response)
    response.end = ((text: string) => {
      if (owner.loses(request.url!.slice(NODE_PATHS.mailboxes.length))) request.socket.destroy()
      else end(text)
      return response
    }) as typeof response.end
    serve(request, response)
  })
  return Object.assign(owner, { door })
}

/** What `deliver` is for one message with an id of its own. */
function delivererOf(caller: MailboxCaller): (deliveryId: string, text: string) => Promise<string> {
  const reception: Reception = storeReception({
    directory: fakeDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'account', account: fakeAccount(HANAKO) },
    ]),
    mailboxes: remoteMailboxes(caller),
    hostname: 'deliver.campus.example',
    unheard: new UnheardAnswers(new FakeClock()),
    newDeliveryId: () => 'none',
    clock: systemClock,
    log: silentLog,
    events: { emit: () => undefined },
    filed: () => undefined,
    unready: () => 'ready',
  })
  return async (deliveryId, text) => {
    const transaction = await reception.mail({
      door: 'lmtp',
      peer: { ip: '127.0.0.1', port: 24, helo: 'mx.campus.example' },
      reversePath: addr('someone@b.example'),
      body: '8bitmime',
      smtpUtf8: false,
      handed: { deliveryId },
    })
    assert.ok(transaction.ok)
    assert.equal(await transaction.value.rcpt({ address: addr(HANAKO) }), undefined)
    const sink = await transaction.value.data()
    assert.ok(sink.ok)
    const octets = fromUtf8(`Subject: 会議\r\n\r\n${text}\r\n`)
    for (let at = 0; at < octets.length; at += 60_000)
      await sink.value.write(octets.subarray(at, at + 60_000))
    const [reply] = await sink.value.finish()
    return `${reply?.code} ${reply?.status}`
  }
}

describe('deliveries into mailboxes that another machine owns', () => {
  const root = mkdtempSync(join(tmpdir(), 'watari-remote-'))
  after(() => rmSync(root, { recursive: true, force: true }))

  it('make no doubled UID and no doubled redirect where 1,000 answers are lost after COMMIT', async () => {
    const mailboxes = await openMailboxes({
      dir: root,
      clock: systemClock,
      parser: () => new MimeIndexer(),
      onChange: () => undefined,
      reserveBytes: 0,
    })
    const text = 'require "copy"; redirect :copy "花子@c.example";'
    const change = { kind: 'put', name: '主', text, activate: true } as const
    assert.equal((await mailboxes.changeScript({ accountId: hanako, change })).refusal, undefined)
    const owner = await ownerOf(mailboxes)
    let lost = 0
    owner.loses = (call) => call === 'commit' && ++lost > 0
    const { identity } = await fakeNode('deliver')
    const dial = owner.door.dialAs(identity)
    const send = delivererOf(new MailboxCaller({ dial: () => dial, clock: systemClock }))
    const ids = Array.from({ length: 340 }, (_, index) => `D${index}`)
    const sendAll = async (reply: string): Promise<void> => {
      for (let at = 0; at < ids.length; at += 34)
        await Promise.all(
          ids
            .slice(at, at + 34)
            .map(async (id) => assert.equal(await send(id, `本文 ${id}`), reply)),
        )
    }
    await sendAll('451 4.3.0')
    assert.ok(lost >= 1_000, `${lost} answers were lost`)
    owner.loses = () => false
    // The gateway's queue has kept them all, and comes again.
    await sendAll('250 2.1.5')
    const { mailboxes: rows } = await mailboxes.mailboxes({ accountId: hanako })
    const inbox = rows.find(({ use }) => use === 'inbox')!
    const view = await mailboxes.view({ accountId: hanako, mailboxId: inbox.id })
    assert.deepEqual(
      [...view!.uids],
      ids.map((_, index) => index + 1),
    )
    const { items } = await mailboxes.outbox({ limit: 10_000 })
    assert.equal(items.length, ids.length)
    assert.equal(new Set(items.map(({ id }) => id)).size, ids.length)
    await owner.door.door.close(0)
    await mailboxes.close()
  })
})

describe('the door to mailboxes', () => {
  let store: FakeMailboxStore
  let owner: Owner
  let caller: MailboxCaller
  let send: ReturnType<typeof delivererOf>
  const keys = new Map<string, Awaited<ReturnType<typeof fakeNode>>>()
  const callerAs = (name: string): MailboxCaller => {
    const dial = owner.door.dialAs(keys.get(name)!.identity)
    return new MailboxCaller({ dial: () => dial, clock: systemClock })
  }
  before(async () => {
    for (const name of ['deliver', 'other']) keys.set(name, await fakeNode(name))
  })
  beforeEach(async () => {
    store = new FakeMailboxStore()
    owner = await ownerOf(store)
    caller = callerAs('deliver')
    send = delivererOf(caller)
  })
  afterEach(async () => {
    await owner.door.door.close(0)
    await store.close()
  })
  it('keeps for each node what came in there (a peer whose answer was lost sends it again)', async () => {
    const [mine, other] = ['deliver', 'other'].map((name) => remoteMailboxes(callerAs(name)))
    const place = { door: 'lmtp', slot: 0 }
    for (const [mailboxes, deliveryId] of [
      [mine, 'D1'],
      [other, 'D2'],
    ] as const) {
      const arrival = { deliveryId, octetsKey: 'SHA-256', recipients: [`花子@campus.example`] }
      const append = {
        kind: 'append',
        mailbox: { path: ['INBOX'], create: true },
        content: 0,
        flags: 0,
        keywords: [],
        internalDateMs: 0,
      } as const
      await mailboxes!.commit({
        contents: [{ octets: [fromUtf8('会議')] }],
        commits: [{ accountId: hanako, deliveryId, changes: [append] }],
        arrival: { ...place, ...arrival },
      })
      const { arrivals } = await mailboxes!.arrivals({ door: 'lmtp' })
      assert.deepEqual(
        arrivals.map((each) => ({ ...each, atMs: 0 })),
        [{ ...arrival, atMs: 0 }],
      )
    }
    assert.equal((await mine!.arrivals({ door: 'lmtp' })).arrivals[0]?.deliveryId, 'D1')
    assert.deepEqual(await mine!.arrivals({ door: 'else' }), { arrivals: [] })
  })

  const octetsOf = async (uid: number): Promise<string> => {
    const { mailboxes } = await store.mailboxes({ accountId: hanako })
    const mailboxId = mailboxes.find(({ use }) => use === 'inbox')!.id
    let text = ''
    for (;;) {
      const ask = { accountId: hanako, mailboxId, uid: uid as never, offset: text.length }
      const { octets } = await store.read({ ...ask, length: 1024 * 1024 })
      if (octets === undefined || octets.byteLength === 0) return text
      text += Buffer.from(octets).toString('latin1')
    }
  }

  it('carries a large message in pieces, octet for octet, though each answer is lost once', async () => {
    const seen = new Map<string, number>()
    owner.loses = (call) => {
      const times = (seen.get(call) ?? 0) + 1
      seen.set(call, times)
      return times % 2 === 1
    }
    const body = '渡り鳥。\r\n'.repeat(60_000)
    assert.equal(await send('D1', body), '250 2.1.5')
    assert.equal((await store.status()).messages, 1)
    const found = Buffer.from(await octetsOf(1), 'latin1').toString('utf8')
    assert.ok(found.endsWith(`\r\n\r\n${body}\r\n`))
    assert.equal(found.match(/Subject: 会議/g)?.length, 1)
  })

  it("tells what an account's mailboxes are noted with, to scripts that ask (RFC 5490)", async () => {
    await owner.door.door.close(0)
    const annotations = async ({ accountId }: { readonly accountId: AccountId }) => ({
      annotations: await annotationsOf(store, accountId),
    })
    owner = await ownerOf(Object.assign(store, { annotations }))
    const note = {
      kind: 'keep',
      object: 'Annotation',
      id: annotationId(undefined, '/private/comment'),
      value: annotationValue('出張'),
    } as const
    await store.commit({ contents: [], commits: [{ accountId: hanako, changes: [note] }] })
    const text =
      'require ["servermetadata", "copy"]; if servermetadata "/private/comment" "出張" { redirect :copy "花子@c.example"; }'
    const put = { kind: 'put', name: 'a', text, activate: true } as const
    await store.changeScript({ accountId: hanako, change: put })
    send = delivererOf(callerAs('deliver'))
    assert.equal(await send('D1', '本文'), '250 2.1.5')
    assert.equal((await store.outbox({ limit: 10 })).items.length, 1)
  })

  it('gives a large message up that comes to nothing', async () => {
    const { handle } = await caller.call('openLarge', {})
    await caller.call('appendLarge', { handle, offset: 0, octets: fromUtf8('本文') })
    assert.equal(store.largeFiles, 1)
    await caller.call('abortLarge', { handle })
    await caller.call('abortLarge', { handle })
    assert.equal(store.largeFiles, 0)
  })

  it('lets nobody go on with what another one has opened, nor leave a gap', async () => {
    const { handle } = await caller.call('openLarge', {})
    const other = callerAs('other')
    const piece = { handle, offset: 0, octets: fromUtf8('他') }
    await assert.rejects(other.call('appendLarge', piece), (thrown) => isFault(thrown, 'notFound'))
    await other.call('abortLarge', { handle })
    assert.equal(store.largeFiles, 1)
    await assert.rejects(caller.call('appendLarge', { ...piece, offset: 5 }), (thrown) =>
      isFault(thrown, 'conflict'),
    )
    const large = { prefix: fromUtf8(''), large: handle as LargeHandle }
    await assert.rejects(other.commit({ contents: [large], commits: [] }), (thrown) =>
      isFault(thrown, 'notFound'),
    )
    assert.equal(store.largeFiles, 1)
  })

  it('answers 452 where it is full and 451 where it fails, and files once all the same', async () => {
    store.blobs.full = true
    assert.equal(await send('D1', '本文'), '452 4.3.1')
    store.blobs.full = false
    store.fault = new Fault('stalled', 'the disk does not answer')
    assert.equal(await send('D1', '本文'), '451 4.3.0')
    store.fault = undefined
    assert.equal(await send('D1', '本文'), '250 2.1.5')
    assert.equal(await send('D1', '本文'), '250 2.1.5')
    assert.equal((await store.status()).messages, 1)
  })

  it('takes nothing but what a delivery commits', async () => {
    const commit = { accountId: hanako, deliveryId: 'D1' }
    const append = {
      kind: 'append',
      mailbox: { path: ['INBOX'], create: false },
      content: 0,
      flags: 0,
      keywords: [],
      internalDateMs: 0,
    }
    for (const change of [
      { kind: 'expunge', mailboxId: 'x', uids: 'all', deletedOnly: false },
      { ...append, assigned: { uid: 7 } },
      { ...append, mailbox: { id: 'x' } },
      { ...append, content: 1 },
    ])
      await assert.rejects(
        caller.commit({
          contents: [{ octets: [fromUtf8('x')] }],
          commits: [{ ...commit, changes: [change as never] }],
        }),
        (thrown) => isFault(thrown, 'invalid'),
      )
    await assert.rejects(caller.call('purge' as never, {} as never), (thrown) =>
      isFault(thrown, 'notFound'),
    )
    assert.equal((await store.status()).messages, 0)
  })

  it('refuses a body that is too long, and one that is no value', async () => {
    const octets = new Uint8Array(17 * 1024 * 1024)
    const large = caller.call('appendLarge', { handle: 'x', offset: 0, octets })
    await assert.rejects(large, (thrown) => isFault(thrown))
  })

  it('is watched: full and away are known, and being back too', async () => {
    const watch = new MailboxWatch({ caller, clock: systemClock })
    await watch.look()
    assert.equal(watch.state.state, 'ready')
    store.blobs.full = true
    await watch.look()
    assert.equal(watch.state.state, 'full')
    store.blobs.full = false
    store.fault = new Fault('stalled', '止まった')
    await watch.look()
    assert.deepEqual(watch.state, { state: 'stalled', reason: 'mailboxes: 止まった' })
    store.fault = undefined
    await watch.look()
    assert.equal(watch.state.state, 'ready')
    watch.stop()
  })
})
