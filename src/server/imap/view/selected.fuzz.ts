import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { emptyOctets } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import { DELETED } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { Selected } from './selected.ts'
import { MailboxViews } from './mailbox-views.ts'
import type { Opening } from './mailbox-views.ts'

const ACCOUNT = 'account-hanako' as AccountId

/** What a client believes: UIDs by sequence number. */
interface Client {
  /** Absent while it was only told of the mailbox, and its rows were not read. */
  selected?: Selected
  readonly opening?: Opening
  readonly known: number[]
}

type Step =
  | { readonly kind: 'append' | 'expunge' | 'flag'; readonly at: number }
  | { readonly kind: 'tell'; readonly client: number; readonly expunge: boolean }
  | { readonly kind: 'open' | 'announce' | 'close'; readonly client: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('append', 'expunge', 'flag'), at: fc.nat(30) }),
    fc.record({ kind: fc.constant('tell' as const), client: fc.nat(2), expunge: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('open', 'announce', 'close'), client: fc.nat(2) }),
  ),
  { maxLength: 60 },
)

test('what sessions tell keeps each client in step with the mailbox (RFC 9051 §7.5.1)', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const store = new FakeMailboxStore()
      let views = new MailboxViews(store, store.changes)
      const { mailboxes } = await store.mailboxes({ accountId: ACCOUNT })
      const mailboxId = mailboxes[0]!.id
      const commit = (change: MailboxChange): Promise<unknown> =>
        store.commit({
          contents: [{ octets: [emptyOctets] }],
          commits: [{ accountId: ACCOUNT, changes: [change] }],
        })
      const clients: (Client | undefined)[] = [undefined, undefined, undefined]
      const truth = async (): Promise<number[]> => [
        ...(await store.view({ accountId: ACCOUNT, mailboxId }))!.uids,
      ]
      const close = (index: number): void => {
        const client = clients[index]
        if (client === undefined) return
        if (client.selected === undefined) views.abandon(client.opening!)
        else {
          client.selected.close()
          views.release(client.selected.view)
        }
        clients[index] = undefined
      }
      /** As a command does that needs rows. */
      const realise = async (client: Client): Promise<Selected> => {
        if (client.selected !== undefined) return client.selected
        const realised = await views.realise(client.opening!)
        return (client.selected = new Selected(realised!.view, false, realised!.since))
      }
      for (const step of script) {
        switch (step.kind) {
          case 'append':
            await commit({
              kind: 'append',
              mailbox: { id: mailboxId },
              content: 0,
              flags: 0,
              keywords: [],
              internalDateMs: 0,
            })
            break
          case 'flag':
          case 'expunge': {
            const uids = await truth()
            const uid = uids[step.at % Math.max(1, uids.length)]
            if (uid === undefined) break
            await commit(
              step.kind === 'expunge'
                ? { kind: 'expunge', mailboxId, uids: [uid as Uid], deletedOnly: false }
                : {
                    kind: 'setFlags',
                    mailboxId,
                    uids: [uid as Uid],
                    mode: 'add',
                    flags: DELETED,
                    keywords: [],
                  },
            )
            break
          }
          case 'open': {
            close(step.client)
            const found = await store.mailboxes({ accountId: ACCOUNT })
            const view = await views.open({ accountId: ACCOUNT }, found.mailboxes[0]!)
            const selected = new Selected(view!, false)
            clients[step.client] = { selected, known: await truth() }
            break
          }
          case 'announce': {
            close(step.client)
            const found = await store.mailboxes({ accountId: ACCOUNT })
            const opening = views.announce({ accountId: ACCOUNT }, found.mailboxes[0]!)
            if (opening === undefined) break
            assert.equal(opening.mailbox.messages, (await truth()).length)
            clients[step.client] = { opening, known: await truth() }
            break
          }
          case 'close':
            close(step.client)
            if (clients.some((client) => client !== undefined)) break
            // As after a start: the next who comes is told before rows are read.
            views.close()
            views = new MailboxViews(store, store.changes)
            break
          case 'tell': {
            const client = clients[step.client]
            if (client === undefined) break
            const selected = await realise(client)
            agrees(selected, client.known)
            await selected.view.refresh()
            hear(selected, client.known, step.expunge)
            if (step.expunge) assert.deepEqual(client.known, await truth())
            selected.view.tidy()
            break
          }
        }
        for (const client of clients)
          if (client?.selected !== undefined) agrees(client.selected, client.known)
      }
      for (const index of clients.keys()) close(index)
      views.close()
    }),
    { numRuns: 400 },
  )
})

/** Does with the responses what a client does. */
function hear(selected: Selected, known: number[], expunge: boolean): void {
  const untold = selected.take({ expunge })
  if (!expunge) assert.deepEqual(untold.expunged, [])
  for (const seq of untold.expunged) {
    assert.ok(seq >= 1 && seq <= known.length)
    known.splice(seq - 1, 1)
  }
  if (untold.exists === undefined) return
  assert.ok(untold.exists >= known.length, 'EXISTS never takes messages away')
  for (let seq = known.length + 1; seq <= untold.exists; seq++)
    known.push(selected.view.uids[selected.rowOfSeq(seq)]!)
}

/** Numbers mean to the server what they mean to the client. */
function agrees(selected: Selected, known: readonly number[]): void {
  assert.equal(selected.exists, known.length)
  for (const [index, uid] of known.entries()) {
    const row = selected.rowOfSeq(index + 1)
    assert.equal(selected.view.uids[row], uid)
    assert.equal(selected.seqOfRow(row), index + 1)
  }
  const rows = selected.rowsOf([[1, 4_294_967_296]], 'uid')
  assert.deepEqual(rows === 'outOfRange' ? [] : selected.uidsOf(rows), known)
  assert.equal(selected.lastUid, known.at(-1) ?? 0)
}
