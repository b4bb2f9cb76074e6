import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { SEEN } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { append, Bench, expunging, hanako, largeContent, text } from './contract-bench.ts'

/*
 * Pieces of work on hanako's mailboxes, for those who kill the store or its disk amid one.
 */

const MAIL = 'Subject: 会議\r\n\r\n来週の会議'
const LARGE = fromUtf8(`Subject: 大\r\n\r\n${'渡り鳥。'.repeat(30_000)}`)

export interface Opened {
  readonly bench: Bench
  readonly store: OpenMailboxes
  readonly clock: FakeClock
  readonly dir: string
}

export async function openBench(
  dir: string,
  clock = new FakeClock(),
  onTrouble: (line: string) => void = () => undefined,
): Promise<Opened> {
  const parser = (): MimeIndexer => new MimeIndexer()
  const store = await openMailboxes({
    dir,
    clock,
    parser,
    onChange: () => undefined,
    reserveBytes: 0,
    onTrouble,
  })
  const end = (): Promise<void> => store.close()
  return { bench: new Bench({ store, clock, changes: [], end }), store, clock, dir }
}

/** Everything that hanako sees, with the octets of each message, and what could come back. */
export async function picture({ bench, store }: Opened): Promise<readonly unknown[]> {
  const mailboxes = await bench.rows()
  const shown = []
  for (const { id, path, messages, uidValidity } of mailboxes) {
    const view = await bench.view(id)
    const texts: string[] = []
    for (const uid of view.uids) texts.push((await bench.read(id, uid)).slice(0, 100))
    assert.equal(messages, view.uids.length)
    shown.push([path, uidValidity, [...view.uids], [...view.flags], texts])
  }
  const { emails } = await store.expunged({ accountId: hanako, sinceMs: 0, limit: 1_000 })
  const usage = await store.usage({ accountId: hanako })
  return [shown, emails.map(({ emailId }) => emailId), usage]
}

export interface Work {
  readonly title: string
  /** Before each try, on a disk that works. */
  readonly prepare?: (opened: Opened) => Promise<void>
  readonly run: (opened: Opened) => Promise<unknown>
}

const inbox = ({ bench }: Opened): ReturnType<Bench['idOf']> => bench.idOf('INBOX')
const lastUid = async (opened: Opened): Promise<Uid> =>
  (await opened.bench.view(await inbox(opened))).uids.at(-1) as Uid
export const give = async ({ bench }: Opened): Promise<void> => {
  await bench.done([append(['INBOX'])], { contents: [text(MAIL)] })
}
export const expungeLast = async (opened: Opened): Promise<unknown> =>
  opened.bench.done([expunging(await inbox(opened), [await lastUid(opened)])])

let deliveries = 0

export const WORKS: readonly Work[] = [
  {
    title: 'a delivery with its outbox entry',
    run: ({ bench }) => {
      const deliveryId = `D${++deliveries}`
      const entry = {
        id: `${deliveryId}:out`,
        kind: 'forward',
        content: 0,
        reversePath: null,
        recipients: [{ localpart: '太郎', domain: 'b.example' }],
        body: '8bitmime',
        smtpUtf8: true,
      } as const
      return bench.done([append(['INBOX'])], {
        contents: [text(MAIL)],
        deliveryId,
        outbox: [entry],
      })
    },
  },
  {
    title: 'a delivery with a file of its own',
    run: async ({ bench, store }) =>
      bench.done([append(['INBOX'])], { contents: [await largeContent(store, LARGE)] }),
  },
  {
    title: 'a change of flags',
    prepare: give,
    run: async (opened) =>
      opened.bench.done([
        {
          kind: 'setFlags',
          mailboxId: await inbox(opened),
          uids: [await lastUid(opened)],
          mode: 'add',
          flags: SEEN,
          keywords: [],
        },
      ]),
  },
  {
    title: 'a copy',
    prepare: give,
    run: async (opened) =>
      opened.bench.done([
        {
          kind: 'copy',
          from: await inbox(opened),
          uids: [await lastUid(opened)],
          to: { path: ['Archive'], create: false },
        },
      ]),
  },
  { title: 'an expunge', prepare: give, run: expungeLast },
  {
    title: 'what comes back',
    prepare: async (opened) => {
      await give(opened)
      await expungeLast(opened)
    },
    run: async ({ bench, store }) => {
      const { emails } = await store.expunged({ accountId: hanako, sinceMs: 0, limit: 1_000 })
      return bench.done([{ kind: 'restore', emailIds: [emails[0]!.emailId] }])
    },
  },
  {
    title: 'an expiry',
    prepare: async (opened) => {
      await opened.bench.done([append(['Junk'])], { contents: [text(MAIL)] })
      opened.clock.advance(31 * DAY_MS)
    },
    run: ({ store, clock }) => store.expire({ asOfMs: clock.nowMs(), dryRun: false, limit: 1_000 }),
  },
]

/** What was expunged long ago, a file of its own among it, is deleted for good. */
export const PURGE: Work = {
  title: 'a purge',
  prepare: async (opened) => {
    const { bench, store, clock } = opened
    await bench.done([append(['INBOX'])], { contents: [await largeContent(store, LARGE)] })
    await expungeLast(opened)
    await give(opened)
    await expungeLast(opened)
    clock.advance(15 * DAY_MS)
  },
  run: ({ store, clock }) => store.purge({ beforeMs: clock.nowMs() - DAY_MS }),
}

/** What SQLite says of the closed database. */
export function assertSound(dir: string): void {
  const db = new DatabaseSync(join(dir, 'mailbox.db'), { readOnly: true })
  try {
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  } finally {
    db.close()
  }
}
