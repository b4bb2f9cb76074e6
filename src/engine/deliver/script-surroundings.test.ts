import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { annotationId, annotationValue } from '#store/mailbox/kept-object.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { DeliveryPlanner } from './delivery-jobs.ts'
import { annotationsOf } from './script-annotations.ts'
import { scriptLists } from './script-lists.ts'

const HANAKO = 'hanako@campus.example'
const accountId = `id-${HANAKO}` as AccountId
const directory = fakeDirectory([
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'account', account: fakeAccount(HANAKO) },
  {
    kind: 'alias',
    alias: { from: addr('教務@campus.example'), to: [addr('taro@b.example')] },
  },
])

let store: FakeMailboxStore
let asked: number
beforeEach(() => {
  store = new FakeMailboxStore()
  asked = 0
})
afterEach(() => store.close())

/** What becomes of a mail of 太郎's under a script of hers. */
async function delivered(script: string, isOld = false) {
  await store.changeScript({
    accountId,
    change: { kind: 'put', name: '振り分け', text: script, activate: true },
  })
  const text = fromUtf8('From: taro@b.example\r\nSubject: 会議\r\n\r\n本文\r\n')
  const { filing, remembered, script: scriptOf } = store
  const planner = new DeliveryPlanner(
    {
      mailboxes: {
        filing,
        remembered,
        script: scriptOf,
        ...(!isOld && {
          annotations: async (ask) => {
            asked++
            return { annotations: await annotationsOf(store, ask.accountId) }
          },
        }),
      },
      lists: (id) => scriptLists(id, directory, store.clock.nowMs()),
      clock: store.clock,
      log: memoryLog(),
    },
    {
      deliveryId: 'D1',
      command: {
        reversePath: addr('taro@b.example'),
        body: '8bitmime',
        smtpUtf8: false,
        ret: 'full',
        envid: '渡り',
      },
      message: sieveContent(text, text.byteLength, undefined),
      isAccepted: false,
      trace: new Uint8Array(0),
    },
  )
  const [job] = await planner.jobs([
    {
      recipient: addr(HANAKO),
      accounts: [accountId],
      elsewhere: [],
      dsn: { notify: [], original: 'rfc822;h@old.example' },
    },
  ])
  const { filed, outbox, trouble } = job!.plan
  return { filed, to: outbox.flatMap(({ recipients }) => recipients.map(formatAddress)), trouble }
}

describe('what scripts ask beside a mail, in its delivery', () => {
  it('annotations of mailboxes and of the server (RFC 5490)', async () => {
    await store.commit({
      contents: [],
      commits: [{ accountId, changes: [{ kind: 'create', path: ['仕事'] }], outbox: [] }],
    })
    const { mailboxes } = await store.mailboxes({ accountId })
    const { id } = mailboxes.find(({ path }) => path[0] === '仕事')!
    const keep = (mailboxId: typeof id | undefined, entry: string, text: string) =>
      ({
        kind: 'keep',
        object: 'Annotation',
        id: annotationId(mailboxId, entry),
        value: annotationValue(text),
      }) as const
    await store.commit({
      contents: [],
      commits: [
        {
          accountId,
          changes: [
            keep(id, '/private/comment', '会議はここ'),
            keep(undefined, '/private/vendor/watari/state', '出張'),
            { kind: 'retain', mailboxId: id, retention: 30 },
          ],
        },
      ],
    })
    const test = (condition: string) =>
      `require ["mboxmetadata", "servermetadata", "fileinto", "include"]; if ${condition} { fileinto "仕事"; }`
    const isSo = async (condition: string) => (await delivered(test(condition))).filed[0] === '仕事'
    assert.equal(await isSo('metadata :contains "仕事" "/private/Comment" "会議"'), true)
    assert.equal(await isSo('metadata "仕事" "/private/vendor/watari/retain" "30"'), true)
    assert.equal(await isSo('metadataexists "inbox" "/private/comment"'), false)
    assert.equal(await isSo('servermetadata "/private/vendor/watari/state" "出張"'), true)
    assert.equal(await isSo('servermetadataexists "/shared/admin"'), false)
    const before = asked
    await delivered('require "fileinto"; fileinto "仕事";')
    assert.equal(asked, before, 'nobody asks for what no script asks')
    // An owner of mailboxes that knows no such call.
    const old = await delivered(test('metadataexists "仕事" "/private/comment"'), true)
    assert.deepEqual([old.filed, old.trouble], [['INBOX'], []])
  })

  it('lists of the directory, and where their mail goes (RFC 6134)', async () => {
    const group = 'tag:campus.example,2026:group/教務'
    const found = await delivered(
      `require ["extlists", "copy"]; if address :list "from" "${group}" { redirect :copy :list "${group}"; }`,
    )
    assert.deepEqual(found.to, ['教務@campus.example'])
    assert.deepEqual(found.filed, ['INBOX'])
    const lost = await delivered(
      'require "extlists"; redirect :list "tag:campus.example,2026:own/無い";',
    )
    assert.deepEqual(lost.filed, ['INBOX'])
    assert.equal(lost.trouble.length, 1)
  })

  it('what its sender asked to hear of (RFC 6009 §4)', async () => {
    const script = `require ["envelope", "envelope-dsn", "fileinto", "mailbox"];
      if allof (envelope "notify" "NEVER", envelope "orcpt" "rfc822;h@old.example",
        envelope "ret" "FULL", envelope "envid" "渡り") { fileinto :create "通知"; }`
    assert.deepEqual((await delivered(script)).filed, ['通知'])
  })
})
