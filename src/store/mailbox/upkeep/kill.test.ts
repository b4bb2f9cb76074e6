import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { Content } from '#store/blob/blobs.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { append, hanako } from '#store/mailbox/contract/contract-bench.ts'
import type { AccountCommitResult, OutboxEntry } from '#store/mailbox/commit.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'

/*
 * This file is also the process that dies: `kill.test.ts child DIR FAILPOINTS` delivers mails 0 … 39 in
 * four lanes, and prints the number of each once the store has answered. Of every five mails one is a
 * file of its own, one goes out as well, and one makes a rejection that is a file of its own.
 */
const MAILS = 40
const LANES = 4
const numbers = Array.from({ length: MAILS }, (_, n) => n)

const isLarge = (n: number): boolean => n % 5 === 1
const isForwarded = (n: number): boolean => n % 5 === 2
const isRejected = (n: number): boolean => n % 5 === 3

const mailOf = (n: number): string => {
  const head = `Message-ID: <${n}@x>\r\nSubject: 渡り ${n}\r\n\r\n`
  return isLarge(n) ? head.padEnd(300_000 + n, '渡り鳥。') : `${head}本文 ${n}`
}
const rejectionOf = (n: number): string => `Subject: 断り ${n}\r\n\r\n`.padEnd(270_000 + n, '断')

const open = (dir: string): Promise<OpenMailboxes> =>
  openMailboxes({
    dir,
    clock: new FakeClock(),
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
    reserveBytes: 0,
  })

async function deliver(store: OpenMailboxes, n: number): Promise<AccountCommitResult> {
  const octets = fromUtf8(mailOf(n))
  let content: Content = { octets: [octets] }
  if (isLarge(n)) {
    const { handle } = await store.openLarge()
    for (let at = 0; at < octets.length; at += 100_000)
      await store.appendLarge({ handle, octets: octets.slice(at, at + 100_000) })
    content = { prefix: new Uint8Array(0), large: handle }
  }
  const entry = {
    id: `${n}:out`,
    reversePath: null,
    recipients: [{ localpart: '太郎', domain: 'b.example' }],
    body: '8bitmime',
    smtpUtf8: true,
  } as const
  const outbox: OutboxEntry[] = []
  if (isForwarded(n)) outbox.push({ ...entry, kind: 'forward', content: 0 })
  if (isRejected(n)) outbox.push({ ...entry, kind: 'reject', content: fromUtf8(rejectionOf(n)) })
  const { results } = await store.commit({
    contents: [content],
    commits: [{ accountId: hanako, changes: [append(['INBOX'])], deliveryId: `D${n}`, outbox }],
  })
  return results[0]!
}

async function child(dir: string, failpoints: string): Promise<void> {
  const store = await open(dir)
  armFailpoints(failpoints)
  const queue = numbers.values()
  const lane = async (): Promise<void> => {
    for (const n of queue) {
      await deliver(store, n)
      writeSync(1, `${n}\n`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  // Whoever kills from outside may come late.
  if (failpoints === '') setInterval(() => undefined, 1_000)
  else await store.close()
}

/** Runs the child until it dies; the numbers that it had answers for. `killAfter`: killed from outside then. */
async function runChild(dir: string, failpoints: string, killAfter = MAILS): Promise<number[]> {
  const process_ = spawn(process.execPath, [import.meta.filename, 'child', dir, failpoints], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(process_, 'exit')
  const answered: number[] = []
  for await (const line of createInterface({ input: process_.stdout })) {
    answered.push(Number(line))
    if (answered.length === killAfter) process_.kill('SIGKILL')
  }
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  return answered
}

/** The numbers of the mails that are there, each once and whole, with its outbox entry and its files. */
async function filed(store: OpenMailboxes, dir: string): Promise<number[]> {
  const { mailboxes } = await store.mailboxes({ accountId: hanako })
  const inbox = mailboxes.find(({ use }) => use === 'inbox')!
  const view = await store.view({ accountId: hanako, mailboxId: inbox.id })
  const found = []
  for (const uid of view!.uids) found.push(await numberAt(store, inbox.id, uid as Uid))
  assert.equal(new Set(found).size, found.length, 'each once')
  assert.equal(view!.mailbox.messages, found.length)
  const { items } = await store.outbox({ limit: 1_000 })
  assert.deepEqual(
    items.map(({ id }) => id).toSorted(),
    found
      .filter((n) => isForwarded(n) || isRejected(n))
      .map((n) => `${n}:out`)
      .toSorted(),
  )
  for (const { id, sizeBytes } of items) {
    const n = Number.parseInt(id, 10)
    const { octets } = await store.readOutbox({ id, offset: 0, length: sizeBytes })
    assert.equal(toUtf8(octets), isForwarded(n) ? mailOf(n) : rejectionOf(n))
  }
  const files = readdirSync(join(dir, 'large'))
  assert.deepEqual(
    [files.length, files.filter((name) => name.endsWith('.part'))],
    [found.filter((n) => isLarge(n) || isRejected(n)).length, []],
    'every file is named by a row',
  )
  return found
}

async function numberAt(store: OpenMailboxes, mailboxId: MailboxId, uid: Uid): Promise<number> {
  const ask = { accountId: hanako, mailboxId, uid, offset: 0, length: 1_000_000 }
  const text = toUtf8((await store.read(ask)).octets!)
  const n = Number(/渡り (\d+)/.exec(text)?.[1])
  assert.equal(text, mailOf(n), `mail ${n} is whole`)
  const metas = await Array.fromAsync(
    storedMetas(store, { accountId: hanako, mailboxId, uids: [uid] }),
  )
  assert.equal(metas[0]?.meta.envelope.messageId, `<${n}@x>`)
  return n
}

const root = mkdtempSync(join(tmpdir(), 'watari-kill-'))
after(() => rmSync(root, { recursive: true, force: true }))

const DEATHS: readonly (readonly [where: string, failpoints: string])[] = [
  ['between the write of octets and their sync', 'mailbox.written=die@4'],
  ['between the sync of octets and the first COMMIT', 'mailbox.synced=die@1'],
  ['between the sync of octets and a later COMMIT', 'mailbox.synced=die@9'],
  ['between the first COMMIT and its answer', 'mailbox.committed=die@1'],
  ['between a later COMMIT and its answer', 'mailbox.committed=die@8'],
  ['on the way of the answer', 'mailbox.replied=die@10'],
  ['in the middle of a large file', 'mailbox.large.written=die@6'],
  ['between a large file and its row', 'mailbox.large.named=die@3'],
  ['at any time', ''],
]

function main(): void {
  describe('a store that is killed', () => {
    for (const [where, failpoints] of DEATHS)
      it(`${where}: what it answered is there once, and nothing half-made`, async (t) => {
        const dir = mkdtempSync(join(root, 'v-'))
        const answered = new Set<number>()
        for (let round = 0; round < 2; round++)
          for (const n of await runChild(dir, failpoints, failpoints === '' ? 6 : MAILS + 1))
            answered.add(n)
        const store = await open(dir)
        const found = await filed(store, dir)
        assert.deepEqual(
          [...answered].filter((n) => !found.includes(n)),
          [],
          'nothing that was answered is lost',
        )
        const again: string[] = []
        for (const n of numbers) again.push((await deliver(store, n)).kind)
        assert.deepEqual(
          numbers.filter((n) => again[n] === 'duplicate'),
          found.toSorted((a, b) => a - b),
        )
        assert.equal((await filed(store, dir)).length, MAILS)
        await store.close()
        t.diagnostic(`${answered.size} answered, ${found.length} there, ${MAILS} in the end`)
      })
  })
}

if (process.argv[2] === 'child') await child(process.argv[3]!, process.argv[4]!)
else main()
