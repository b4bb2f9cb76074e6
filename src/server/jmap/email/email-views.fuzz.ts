import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { EmailViews } from './email-views.ts'
import type { EmailView } from './email-views.ts'

const accountId = 'hanako' as AccountId

/** What a view shows, however it came to be. */
const shown = (view: EmailView) => ({
  rows: Array.from(view.uids, (uid, row) => [
    uid,
    view.flags[row],
    view.sizes[row],
    view.datesMs[row],
    view.emails[row],
    view.threads[row],
  ]),
  byDate: Array.from(view.byDate, (row) => view.uids[row]),
  newest: Array.from(view.newest('all'), (row) => view.uids[row]),
  collapsed: Array.from(view.newest('collapsed'), (row) => view.uids[row]),
  unread: view.threadCounts().unreadEmails,
  threads: view.threadCounts().all.size,
})

test('a view that was advanced is as one that was read anew, whatever happened', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      dates: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constantFrom('flag' as const, 'expunge' as const, 'move' as const),
      uids: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
      flags: fc.integer({ min: 0, max: 31 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 8 }),
      async (rounds) => {
        const store = new FakeMailboxStore()
        const views = new EmailViews(store, new FakeClock())
        const { mailboxes } = await store.mailboxes({ accountId })
        const [inbox, trash] = ['inbox', 'trash'].map(
          (use) => mailboxes.find((row) => row.use === use)!.id,
        )
        for (const steps of rounds) {
          for (const each of steps) {
            const uids = ('uids' in each ? each.uids : []) as Uid[]
            const changes: MailboxChange[] =
              each.kind === 'append'
                ? each.dates.map((internalDateMs, content) => ({
                    kind: 'append',
                    mailbox: { id: inbox! },
                    content,
                    flags: 0,
                    keywords: [],
                    internalDateMs,
                  }))
                : each.kind === 'flag'
                  ? [
                      {
                        kind: 'setFlags',
                        mailboxId: inbox!,
                        uids,
                        mode: 'replace',
                        flags: each.flags,
                        keywords: [],
                      },
                    ]
                  : each.kind === 'expunge'
                    ? [{ kind: 'expunge', mailboxId: inbox!, uids, deletedOnly: false }]
                    : [{ kind: 'move', from: inbox!, uids, to: { id: trash! } }]
            const contents =
              each.kind === 'append'
                ? each.dates.map((date) => ({
                    octets: [fromUtf8(`Message-ID: <${date}@x>\r\nSubject: 会議\r\n\r\n`)],
                  }))
                : []
            await store.commit({ contents, commits: [{ accountId, changes }] })
          }
          const view = await views.get({ accountId }, inbox!)
          const fresh = await new EmailViews(store, new FakeClock()).get({ accountId }, inbox!)
          assert.deepEqual(shown(view!), shown(fresh!))
        }
        await store.close()
      },
    ),
    { numRuns: 150 },
  )
})
