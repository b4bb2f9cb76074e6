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
import { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import { FakeAuthenticator } from '#test/fake/authenticator.ts'

/*
 * This file is also the server: `slow-readers.test.ts server DIR` serves a mailbox of some MB from a
 * storage child of its own, and prints its port.
 */
const READERS = Number(process.env['WATARI_SLOW_READERS'] ?? 250)
const MAILS = 60
const MAIL_BYTES = 100_000
/** What one reader who takes nothing may cost, beside what all share. */
const READER_KIB_MAX = 500
const SHARED_MIB_MAX = 200
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
  const listener = await serveImap({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'imap.campus.example',
    authenticator: new FakeAuthenticator({ hanako: 'h' }),
    allowPlaintext: true,
    shared: imapShared({ store, changes: () => () => undefined, limits }),
    clock: systemClock,
    log: silentLog,
  })
  process.stdout.write(`${listener.port}\n`)
  process.once('SIGTERM', () => {
    void listener
      .close(0)
      .then(() => storage.stop())
      .finally(() => process.exit(0))
  })
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
  const socket = connect({ host: '127.0.0.1', port })
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

function main(): void {
  describe('those who ask for everything and take nothing', () => {
    const dir = mkdtempSync(join(tmpdir(), 'watari-slow-'))
    const serving = spawn(process.execPath, [import.meta.filename, 'server', dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
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
        const [line] = (await once(createInterface({ input: serving.stdout }), 'line')) as [string]
        const port = Number(line)
        const readers: Socket[] = []
        const more = async (count: number): Promise<number> => {
          while (readers.length < count) {
            const batch = Math.min(25, count - readers.length)
            readers.push(
              ...(await Promise.all(Array.from({ length: batch }, () => slowReader(port)))),
            )
          }
          return ownKib(serving.pid!)
        }
        const few = await more(10)
        const many = await more(READERS)
        const grown = many - few
        t.diagnostic(
          `${READERS} slow readers of ${MAILS} mails of ${MAIL_BYTES} octets: ${Math.round(few / 1024)} MiB with 10, ` +
            `${Math.round(many / 1024)} MiB with all, ${Math.round(grown / READERS)} KiB each`,
        )
        // Somebody who reads gets everything meanwhile.
        const quick = connect({ host: '127.0.0.1', port })
        quick.write(
          'a LOGIN hanako h\r\nb EXAMINE INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\nd LOGOUT\r\n',
        )
        let bytes = 0
        for await (const chunk of quick) bytes += (chunk as Buffer).length
        assert.ok(bytes > MAILS * MAIL_BYTES, String(bytes))
        for (const socket of readers) socket.destroy()
        const allowed = SHARED_MIB_MAX * 1024 + READERS * READER_KIB_MAX
        assert.ok(grown < allowed, `${grown} KiB, ${allowed} at most`)
      },
    )
  })
}

if (process.argv[2] === 'server') await server(process.argv[3]!)
else main()
