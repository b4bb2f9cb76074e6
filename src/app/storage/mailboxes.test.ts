import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { mailboxContract } from '#store/mailbox/contract/mailbox.contract.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import { Caller } from './caller.ts'
import type { ToChild, ToParent } from './messages.ts'
import { pipeOver } from './pipe.ts'
import { proxyOf } from './proxy.ts'
import { LongMessages } from './long-call.ts'
import { serveCall } from './serve.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-piped-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** Both ends of a connection within this process. */
async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = createConnection((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = await accepted
  server.close()
  return [near, far]
}

mailboxContract('behind the pipe of a storage child', async () => {
  const [near, far] = await socketPair()
  const clock = new FakeClock()
  const changes: StoreChanged[] = []
  const child = pipeOver(far, {
    onValue: (value) =>
      void serveCall(value as Exclude<ToChild, readonly ['close']>, services, {
        pipe: child,
        told: (thrown) => thrown,
        long,
      }),
    onEnd: () => undefined,
  })
  const mailboxes = await openMailboxes({
    dir: mkdtempSync(join(root, 'v-')),
    clock,
    parser: () => new MimeIndexer(),
    onChange: (change) => child.send(['notice', 'changed', change] satisfies ToParent),
    reserveBytes: 0,
  })
  const services = { mailboxes }
  const long = new LongMessages()
  const caller = new Caller({ clock, deadlineMs: 600_000 })
  const parent = pipeOver(near, {
    onValue: (value) => {
      const message = value as ToParent
      if (!caller.take(message) && message[0] === 'notice') changes.push(message[2] as StoreChanged)
    },
    onEnd: () => caller.disconnect(),
  })
  caller.connect(parent)
  return {
    store: proxyOf(caller, 'mailboxes') as MailboxStore,
    clock,
    changes,
    async end() {
      parent.destroy()
      child.destroy()
      await mailboxes.close()
    },
  }
})
