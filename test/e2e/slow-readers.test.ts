import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { TlsIdentity } from '#net/tls.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import { FakeAuthenticator } from '#test/fake/authenticator.ts'
import { fakeCertificate } from '#test/fake/identity.ts'

/*
 * This file is also the server: `slow-readers.test.ts server DIR` serves a mailbox of some MB over TLS
 * from a storage child of its own, prints its port, and for each line that it reads what it holds.
 */
const READERS = Number(process.env['WATARI_SLOW_READERS'] ?? 300)
const MAILS = 60
const MAIL_BYTES = 100_000
/**
 * What one reader who takes nothing may hold: the next 16 KiB, what was parsed of a few mails, the session.
 * Beside it stands the read-ahead that all share, and what was held already by the first ten.
 */
const READER_HELD_KIB_MAX = 64
const SHARED_KIB_MAX = 36 * 1024
const WAIT_MS = 120_000

async function server(dir: string): Promise<void> {
  const storage = new StorageChild({ kind: 'mailbox', dir, clock: systemClock, log: silentLog })
  await storage.start()
  const store = storage.service('mailboxes')
  const accountId = 'account-hanako' as AccountId
  const octets = [
    fromUtf8(`Subject: 渡り\r\n\r\n`),
    Buffer.alloc(MAIL_BYTES, '渡り鳥が海を渡る\r\n'),
  ]
  const append = {
    kind: 'append',
    mailbox: { path: ['INBOX'], create: false },
    content: 0,
    flags: 0,
    keywords: [],
    internalDateMs: 0,
  } as const
  for (let n = 0; n < MAILS; n++)
    await store.commit({ contents: [{ octets }], commits: [{ accountId, changes: [append] }] })
  const limits = { connectionsPerAccountMax: 5_000, connectionsPerIpMax: 5_000 }
  const identity = new TlsIdentity(await fakeCertificate())
  const listener = await serveImap({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'imap.campus.example',
    authenticator: new FakeAuthenticator({ hanako: 'h' }),
    tls: 'implicit',
    identity: () => identity,
    shared: imapShared({ store, changes: () => () => undefined, limits }),
    clock: systemClock,
    log: silentLog,
  })
  process.stdout.write(`${listener.port}\n`)
  createInterface({ input: process.stdin }).on('line', () => {
    void heldKib().then((kib) => process.stdout.write(`${kib}\n`))
  })
  process.once('SIGTERM', () => {
    void listener
      .close(0)
      .then(() => storage.stop())
      .finally(() => process.exit(0))
  })
}

/** What is held once nothing is on its way any more: the least of many collections, a turn apart. */
async function heldKib(): Promise<number> {
  let least = Infinity
  for (let quiet = 0; quiet < 10; quiet++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { heapUsed, external } = process.memoryUsage()
    const kib = Math.round((heapUsed + external) / 1024)
    if (kib < 0.98 * least) quiet = 0
    least = Math.min(least, kib)
  }
  return least
}

/** The process and its children: what is theirs alone, in KiB. */
function ownKib(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return [String(pid), ...children].reduce((sum, each) => {
    const text = readFileSync(`/proc/${each}/smaps_rollup`, 'utf8')
    return sum + Number(/^Pss:\s+(\d+) kB/m.exec(text)![1])
  }, 0)
}

/** Logs in, asks for all, takes the first octets and no more. */
async function slowReader(port: number): Promise<Socket> {
  const raw = connect({ host: '127.0.0.1', port })
  const socket = connectTls({ socket: raw, rejectUnauthorized: false })
  await new Promise<void>((resolve, reject) => {
    let text = ''
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`ended before a message came: ${text}`)))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (/^c (NO|BAD)/m.test(text)) reject(new Error(text))
      if (!text.includes('* 1 FETCH')) return
      socket.pause()
      socket.removeAllListeners('data')
      resolve()
    })
    socket.write('a LOGIN hanako h\r\nb EXAMINE INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\n')
  })
  return socket
}

/** Reads all there is; returns how much it was. */
async function quickReader(port: number): Promise<number> {
  const quick = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  quick.write('a LOGIN hanako h\r\nb EXAMINE INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\nd LOGOUT\r\n')
  let bytes = 0
  for await (const chunk of quick) bytes += (chunk as Buffer).length
  return bytes
}

interface Memory {
  /** What the program holds. */
  readonly heldKib: number
  /** What the process and its child take, holes and all. */
  readonly takenKib: number
}

function main(): void {
  describe('those who ask for everything and take nothing', () => {
    const dir = mkdtempSync(join(tmpdir(), 'watari-slow-'))
    const serving = spawn(process.execPath, ['--expose-gc', import.meta.filename, 'server', dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
    })
    after(async () => {
      serving.kill('SIGTERM')
      if (serving.exitCode === null) await once(serving, 'exit')
      rmSync(dir, { recursive: true, force: true })
    })

    it(
      `${READERS} at once leave memory flat, and others have their turn`,
      { timeout: 4 * WAIT_MS },
      async (t) => {
        const lines = createInterface({ input: serving.stdout })
        const next = async (): Promise<number> => {
          const [line] = (await once(lines, 'line')) as [string]
          return Number(line)
        }
        const port = await next()
        const readers: Socket[] = []
        const more = async (count: number): Promise<Memory> => {
          while (readers.length < count) {
            const batch = Math.min(25, count - readers.length)
            readers.push(
              ...(await Promise.all(Array.from({ length: batch }, () => slowReader(port)))),
            )
          }
          const answer = next()
          serving.stdin.write('memory\n')
          return { heldKib: await answer, takenKib: ownKib(serving.pid!) }
        }
        const few = await more(10)
        const many = await more(READERS)
        const held = many.heldKib - few.heldKib
        const taken = many.takenKib - few.takenKib
        t.diagnostic(
          `${READERS} slow readers of ${MAILS} mails of ${MAIL_BYTES} octets: ` +
            `${Math.round(held / READERS)} KiB held each, ${Math.round(taken / READERS)} KiB taken, ` +
            `${Math.round(many.takenKib / 1024)} MiB in all`,
        )
        // Somebody who reads gets everything meanwhile.
        const bytes = await quickReader(port)
        assert.ok(bytes > MAILS * MAIL_BYTES, String(bytes))
        for (const socket of readers) socket.destroy()
        const heldMax = SHARED_KIB_MAX + READERS * READER_HELD_KIB_MAX
        assert.ok(held < heldMax, `${held} KiB held, ${heldMax} at most`)
      },
    )
  })
}

if (process.argv[2] === 'server') await server(process.argv[3]!)
else main()
