import assert from 'node:assert/strict'
import { after } from 'node:test'

import { systemClock } from '#base/time.ts'
import { MailboxCaller } from '#client/node/mailbox-caller.ts'
import { MailboxDoor } from '#server/node/mailbox-door.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { mailboxContract } from '#store/mailbox/contract/mailbox.contract.ts'
import type { AccountCommit, CommitRequest } from '#store/mailbox/commit.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { fakeNode, openPinned } from '#test/fake/pinned-door.ts'

import { remoteMailboxes } from './remote-mailboxes.ts'

/** What has gone over the wire in all suites. */
const wired = { commits: 0, large: 0, filing: 0 }

/** Of one commit, as the door takes it. */
const CONTENTS_MAX = 100

const WIRED = ['openLarge', 'appendLarge', 'abortLarge', 'filing', 'remembered'] as const
const isWired = (name: string | symbol): name is (typeof WIRED)[number] =>
  WIRED.includes(name as never)

/** Whether a delivery may say it: mail by the mailbox's name, and what goes out with it. */
const isDelivery = ({ by, event, quota, notice, changes }: AccountCommit): boolean =>
  by === undefined &&
  event === undefined &&
  quota === undefined &&
  notice === undefined &&
  changes.every(
    (change) => change.kind === 'append' && 'path' in change.mailbox && !('assigned' in change),
  )

/*
 * Over the node API only deliveries are written and asked. The suites' own deliveries go that way, by a
 * real server, mutual TLS and the wire's validators; what looks at the outcome asks the owner.
 */
mailboxContract('behind the node API, as deliver has it', async () => {
  const changes: StoreChanged[] = []
  const owner = new FakeMailboxStore()
  owner.allChanges((change) => changes.push(change))
  const hasRoom = (): Promise<{ hasRoom: boolean }> => Promise.resolve({ hasRoom: true })
  const mailboxes = new Proxy(owner, {
    get: (target, name) => {
      if (name === 'hasRoom') return hasRoom
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  }) as FakeMailboxStore & { hasRoom: typeof hasRoom }
  const serve = nodeServer({
    mailboxes: new MailboxDoor({ mailboxes, clock: systemClock, filed: () => undefined }),
  })
  const door = await openPinned(serve)
  const { identity } = await fakeNode('deliver')
  const dial = door.dialAs(identity)
  const remote = remoteMailboxes(new MailboxCaller({ dial: () => dial, clock: systemClock }))
  let unnamed = 0
  const commit = (request: CommitRequest): ReturnType<MailboxStore['commit']> => {
    const { commits: all, contents } = request
    if (contents.length > CONTENTS_MAX || !all.every(isDelivery)) return owner.commit(request)
    wired.commits++
    // Each delivery has an id on the wire: one of its own is as good as none.
    const commits = request.commits.map((each) => ({
      deliveryId: `unnamed ${unnamed++}`,
      ...each,
    }))
    return remote.commit({ ...request, commits })
  }
  const store = new Proxy(owner, {
    get: (target, name) => {
      if (name === 'commit') return commit
      if (name === 'filing') wired.filing++
      if (name === 'appendLarge') wired.large++
      if (isWired(name)) return remote[name]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
  const end = async (): Promise<void> => {
    await door.door.close(0)
    await owner.close()
  }
  return { store, clock: owner.clock, changes, end }
})

after(() => {
  assert.ok(wired.commits > 100, `${wired.commits} commits went over the wire`)
  assert.ok(wired.large > 0, 'large contents went in pieces')
  assert.ok(wired.filing > 0, 'what decides the filing was asked over the wire')
})
