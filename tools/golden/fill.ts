import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { parseRights } from '#model/acl.ts'
import type { Grantee } from '#model/acl.ts'
import { SEEN } from '#model/mailbox.ts'
import type { MailboxId, ModSeq, Uid, UidValidity } from '#model/mailbox.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { EventRecord, NodeId } from '#model/event.ts'
import { rowKey } from '#store/directory/row-key.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import type {
  AccountCommit,
  CommitRequest,
  MailboxChange,
  OutboxEntry,
} from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { annotationId, annotationValue, SCRIPT_ENTRY } from '#store/mailbox/kept-object.ts'
import type { ObjectKind } from '#store/mailbox/kept-object.ts'
import { contentHash, sha256, tableText } from '#store/settings/resolve.ts'
import type { Accept, SpoolStore } from '#store/spool/spool-store.ts'
import type { ServicesOf, StorageKind } from '#app/storage/kinds.ts'

const NOW = Date.UTC(2026, 10, 25, 3, 0, 0)
const hanako = 'hanako' as AccountId
const LARGE = fromUtf8('Subject: =?UTF-8?B?5aSn?=\r\n\r\n'.padEnd(100_000, '渡り鳥'))
const MAIL = fromUtf8(
  'Message-ID: <1@campus.example>\r\nFrom: =?UTF-8?B?5aSq6YOO?= <taro@campus.example>\r\nSubject: =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=\r\n\r\n本文です。\r\n.\nbare LF, no end',
)

/** Fills the stores of a new folder with something of everything that they can hold. */
export const FILLS: {
  readonly [K in Exclude<StorageKind, 'search'>]: (services: ServicesOf<K>) => Promise<void>
} = {
  mailbox: async ({ mailboxes, ...node }) => {
    await fillMailboxes(mailboxes)
    await fillNode(node)
  },
  spool: async ({ spool, ...node }) => {
    await fillSpool(spool)
    await fillNode(node)
  },
  control: fillControl,
}

const append = (
  path: readonly string[],
  more: Partial<Extract<MailboxChange, { kind: 'append' }>> = {},
): MailboxChange => ({
  kind: 'append',
  mailbox: { path, create: true },
  content: 0,
  flags: 0,
  keywords: [],
  internalDateMs: NOW - 86_400_000,
  ...more,
})

const entry = (id: string, content: OutboxEntry['content']): OutboxEntry => ({
  id,
  kind: 'redirect',
  reversePath: { localpart: '花子', domain: '日本語.example' },
  recipients: [{ localpart: '"a b"', domain: 'b.example' }],
  body: '8bitmime',
  smtpUtf8: true,
  content,
})

async function fillMailboxes(store: MailboxStore): Promise<void> {
  const commit = async (
    changes: readonly MailboxChange[],
    more: Partial<AccountCommit> = {},
  ): Promise<void> => {
    const { results } = await store.commit({
      contents: [{ octets: [MAIL] }, { octets: [fromUtf8('添付の無い手紙')] }, { octets: [LARGE] }],
      commits: [{ accountId: hanako, changes, ...more }],
    })
    if (results[0]?.kind !== 'committed') throw new Error(JSON.stringify(results[0]))
  }
  const idOf = async (...path: readonly string[]): Promise<MailboxId> =>
    (await store.mailboxes({ accountId: hanako })).mailboxes.find(
      (row) => row.path.join() === path.join(),
    )!.id
  const uids = (...some: readonly number[]): Uid[] => some as Uid[]
  await commit(
    [
      append(['INBOX'], { prefix: fromUtf8('Delivered-To: 花子@campus.example\r\n') }),
      append(['会議', '来週'], { content: 2, flags: SEEN, keywords: ['$Forwarded', 'NonJunk'] }),
      append(['INBOX'], { content: 1 }),
      append(['INBOX'], { content: 2 }),
    ],
    { deliveryId: 'D1', outbox: [entry('D1:1', 0), entry('D1:2', fromUtf8('お断り'))] },
  )
  const inbox = await idOf('INBOX')
  const week = await idOf('会議', '来週')
  await commit([
    { kind: 'copy', from: inbox, uids: uids(1), to: { id: week } },
    { kind: 'move', from: inbox, uids: uids(2), to: { path: ['Archive'], create: false } },
    {
      kind: 'setFlags',
      mailboxId: inbox,
      uids: uids(1),
      mode: 'add',
      flags: 4,
      keywords: ['$Label1'],
    },
    { kind: 'expunge', mailboxId: week, uids: uids(1), deletedOnly: false },
    { kind: 'subscribe', path: ['無い', '箱'], on: true },
    { kind: 'retain', mailboxId: week, retention: 7 },
    { kind: 'rename', mailboxId: await idOf('会議'), path: ['打合せ'] },
    { kind: 'create', path: ['移行'] },
  ])
  const moved = await idOf('移行')
  const numbers = { uidValidity: 77 as UidValidity, uidNext: 50 as Uid }
  const { highestModSeq } = (await store.view({ accountId: hanako, mailboxId: moved }))!.mailbox
  await commit([
    { kind: 'number', mailboxId: moved, ...numbers },
    append(['移行'], {
      assigned: {
        uid: 10 as Uid,
        uidl: 'old-10',
        modSeq: (highestModSeq + 9n) as ModSeq,
      },
    }),
    { kind: 'delete', mailboxId: await idOf('打合せ') },
  ])
  await commit([append(['INBOX'])], { accountId: 'taro' as AccountId, deliveryId: 'D1' })
  const script = { kind: 'put', name: '主', text: 'keep; # 転送\r\n', activate: true } as const
  await store.changeScript({ accountId: hanako, change: script })
  const second = { ...script, name: '予備', activate: false }
  await store.changeScript({ accountId: hanako, change: second })
  await commit(
    [
      { kind: 'describe', mailboxId: inbox, sortOrder: 7 },
      keep('Identity', 'I1'),
      keep('Identity', 'I2'),
      { kind: 'forget', object: 'Identity', id: 'I2' },
      { ...keep('EmailSubmission', 'SD3'), entry: 'D3' },
    ],
    { outbox: [{ ...entry('D3', 0), kind: 'submission', releaseAtMs: NOW + 3_600_000 }] },
  )
  const { handle } = await store.openLarge()
  await store.appendLarge({ handle, octets: fromUtf8('添付') })
  await share(store, { inbox, moved })
  const upload = { id: 'U1', type: 'text/plain', large: handle, bytesMax: 1_000 }
  await store.keepUpload({ accountId: hanako, ...upload })
  await note(store, inbox)
}

/** What others may do and have read, annotations, quotas, days, and octets in blocks. */
async function share(
  store: MailboxStore,
  { inbox, moved }: { readonly inbox: MailboxId; readonly moved: MailboxId },
): Promise<void> {
  const taro = 'taro' as AccountId
  const grant = (who: Grantee, rights: string): MailboxChange => ({
    kind: 'grant',
    mailboxId: inbox,
    who,
    mode: 'replace',
    rights: parseRights(rights)!,
  })
  const commit = async (
    changes: readonly MailboxChange[],
    more: Partial<AccountCommit> = {},
  ): Promise<void> => {
    const { results } = await store.commit({
      contents: [],
      commits: [{ accountId: hanako, changes, ...more }],
    })
    if (results[0]?.kind !== 'committed') throw new Error(JSON.stringify(results[0]))
  }
  await commit([
    grant(taro, 'lrswi'),
    grant('anyone', 'l'),
    grant(`-${taro}`, 'w'),
    { kind: 'retain', mailboxId: moved, retention: 'forever' },
    {
      kind: 'keep',
      object: 'Annotation',
      id: annotationId(inbox, '/shared/comment'),
      value: { text: '受付' },
    },
    { kind: 'claimRecent', mailboxId: inbox, before: 3 as Uid },
  ])
  const seen = { kind: 'setFlags', mailboxId: inbox, uids: [1 as Uid], mode: 'add' } as const
  await commit([{ ...seen, flags: SEEN, keywords: [] }], { by: taro })
  await commit([{ ...seen, flags: 4, keywords: [] }], {
    quota: { bytes: 1_000_000, messages: 5, warnPercent: 50 },
  })
}

/** What commits have noted for somebody: events of a mailbox with a script, junk, memories, answers, arrivals. */
async function note(store: MailboxStore, inbox: MailboxId): Promise<void> {
  const commit = async (
    changes: readonly MailboxChange[],
    { operation, arrival, ...more }: Partial<AccountCommit & CommitRequest> = {},
  ): Promise<void> => {
    const { results } = await store.commit({
      contents: [{ octets: [MAIL] }],
      commits: [{ accountId: hanako, changes, ...more }],
      ...(operation !== undefined && { operation }),
      ...(arrival !== undefined && { arrival }),
    })
    if (results[0]?.kind !== 'committed') throw new Error(JSON.stringify(results[0]))
  }
  const id = annotationId(inbox, SCRIPT_ENTRY)
  const value = annotationValue('主')
  await commit([{ kind: 'keep', object: 'Annotation', id, value }])
  await commit([
    {
      kind: 'setFlags',
      mailboxId: inbox,
      uids: [1 as Uid],
      mode: 'remove',
      flags: 4,
      keywords: [],
    },
    append(['Junk', 'SPAM']),
  ])
  await commit([append(['INBOX'])], {
    deliveryId: 'D4',
    memories: [{ key: 'vacation 太郎@b.example', untilMs: NOW + 3_650 * DAY_MS }],
    arrival: {
      door: 'lmtp',
      slot: 5,
      deliveryId: 'D4',
      octetsKey: 'q1J6zfbuZQ0G7dHPLJoBbjSnnZmNs0lKjLXTiEbu4Qo',
      recipients: ['hanako@campus.example', '花子@日本語.example'],
    },
  })
  await commit([append(['INBOX'])], { operation: OPERATION })
}

/** Whose answer nobody has heard. */
export const OPERATION = {
  slot: 3,
  id: 'Zm9vYmFyYmF6.7',
  untilMs: Number.MAX_SAFE_INTEGER,
} as const

const keep = (object: ObjectKind, id: string): Extract<MailboxChange, { kind: 'keep' }> => ({
  kind: 'keep',
  object,
  id,
  value: { 名: '花子' },
})

async function fillSpool(spool: SpoolStore): Promise<void> {
  const letter = (more: Partial<Accept> = {}): Accept => ({
    deliveryId: 'D1' as DeliveryId,
    door: 'mx',
    reversePath: { localpart: '太郎', domain: '日本語.example' },
    recipients: [
      { address: { localpart: 'hanako', domain: 'campus.example' }, notify: ['failure'] },
      { address: { localpart: '"a@b"', domain: 'b.example' }, original: 'rfc822;A@B' },
      { address: { localpart: 'held', domain: 'c.example' }, hold: 'ウイルス: EICAR' },
    ],
    body: '8bitmime',
    smtpUtf8: true,
    ret: 'hdrs',
    envid: 'Q=1',
    verdict: {
      class: 'suspected',
      score: 4.2,
      hits: [{ name: 'SUBJECT', score: 4.2, detail: '無料' }],
      virus: { kind: 'clean' },
      auth: [],
      caseId: 'C1',
      degraded: ['dns'],
    },
    receivedAtMs: NOW,
    expiresAtMs: NOW + 432_000_000,
    content: { octets: [MAIL] },
    ...more,
  })
  const { queueId } = await spool.accept(letter())
  const { handle } = await spool.openLarge()
  await spool.appendLarge({ handle, octets: LARGE })
  await spool.accept(
    letter({
      deliveryId: 'D2' as DeliveryId,
      reversePath: null,
      content: { prefix: fromUtf8('Received: から\r\n'), large: handle },
    }),
  )
  await spool.claim({ nowMs: NOW, limit: 1 })
  await spool.settle({
    settlements: [
      { queueId, index: 0, kind: 'delivered', status: '250 2.0.0 済み' },
      {
        queueId,
        index: 1,
        kind: 'deferred',
        status: '451 後で',
        nextAttemptMs: NOW + 60_000,
        delayNotified: true,
      },
    ],
    dsns: [letter({ deliveryId: 'D3' as DeliveryId, door: 'mx', reversePath: null })],
  })
}

const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
  {
    kind: 'account',
    account: {
      id: hanako,
      username: 'hanako',
      domain: 'campus.example',
      name: '花子',
      admin: true,
      disabled: false,
      credential: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g',
      credentialVersion: 3,
      addresses: [{ localpart: 'はな', domain: 'campus.example' }],
      delegated: [],
    },
  },
  {
    kind: 'alias',
    alias: {
      from: { localpart: '事務', domain: 'campus.example' },
      to: [{ localpart: 'hanako', domain: 'campus.example' }],
    },
  },
  {
    kind: 'forward',
    forward: {
      accountId: hanako,
      to: [{ localpart: 'a..b', domain: 'docomo.example' }],
      keep: true,
    },
  },
  { kind: 'route', route: { match: 'b.example', nextHop: { kind: 'hold' } } },
]

const TABLE = tableText(['192.0.2.0/24', '2001:db8::/32'])
const contentOf = (score: number) => ({
  values: { 'policy.spamScore': score },
  tables: { 'relay.networks': sha256(TABLE) },
})

async function fillNode({
  replica,
  events,
  copy,
}: Pick<ServicesOf<'spool'>, 'replica' | 'events' | 'copy'>): Promise<void> {
  await replica.gather({ first: true, rows: ROWS.map((row) => ({ key: rowKey(row), row })) })
  await replica.replace({ seq: ROWS.length })
  await replica.apply({
    changes: [{ seq: ROWS.length + 1, key: rowKey(ROWS[5]!), row: null }],
  })
  await events.append({ events: [1, 2, 3].map(eventOf) })
  const { epoch } = await events.since({ after: 0, limit: 1 })
  await events.ack({ epoch, seq: 1 })
  const content = contentOf(7)
  await copy.save({
    snapshot: { generation: 2, hash: contentHash(content), ...content },
    tables: { [sha256(TABLE)]: TABLE },
  })
}

const eventOf = (n: number): Omit<EventRecord, 'node' | 'seq'> => ({
  atMs: NOW + n,
  name: n === 1 ? 'receive.accepted' : 'store.filed',
  deliveryId: n === 3 ? 'D2' : 'D1',
  fields: {
    to: 'hanako@campus.example',
    subject: '会議',
    messageId: '<1@campus.example>',
    ok: true,
    size: n,
    none: null,
  },
})

async function fillControl({ directory, settings, index }: ServicesOf<'control'>): Promise<void> {
  const by = { who: '管理者', from: 'cli' }
  const edits = ROWS.map((row) => ({ key: rowKey(row), row }))
  await directory.write({ baseSeq: 0, edits, by, atMs: NOW })
  await directory.write({
    baseSeq: ROWS.length,
    edits: [{ key: rowKey(ROWS[5]!), row: null }],
    by,
    atMs: NOW + 1,
  })
  for (const [base, score] of [7, 8].entries()) {
    const content = contentOf(score)
    await settings.write({
      base,
      generation: {
        generation: base + 1,
        hash: contentHash(content),
        ...content,
        atMs: NOW,
        by,
        note: '春の設定',
        changes: [{ key: 'policy.spamScore', before: null, after: score }],
      },
      tables: { [sha256(TABLE)]: TABLE },
    })
  }
  await settings.saveDraft({ json: '{"下書き":1}', tables: {} })
  const node = 'gateway' as NodeId
  const records = [1, 2, 4].map((seq) => ({ node, seq, ...eventOf(Math.min(seq, 3)) }))
  await index.put({ batches: [{ node, epoch: 'E1', records }], nowMs: NOW })
}
