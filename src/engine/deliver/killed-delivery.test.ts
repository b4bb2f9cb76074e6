import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

/*
 * This file is also the process that dies: `killed-delivery.test.ts child DIR FAILPOINTS` is given two
 * mails by a foreign peer, and prints each code that it answers. Whoever does not hear one sends again.
 */
const HANAKO = 'hanako@campus.example'
const TARO = 'taro@campus.example'
const MAILS = ['月曜日', '火曜日'] as const

const open = (dir: string): Promise<OpenMailboxes> =>
  openMailboxes({
    dir,
    clock: new FakeClock(),
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
    reserveBytes: 0,
  })

/** What a foreign peer hears of a mail for two; ids are new in each life, as they are of a new process. */
async function door(mailboxes: OpenMailboxes): Promise<(subject: string) => Promise<number[]>> {
  const clock = new FakeClock()
  const unheard = new UnheardAnswers(clock)
  await unheard.recallFiled(mailboxes, 'lmtp')
  const reception = storeReception({
    directory: fakeDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      ...[HANAKO, TARO].map((each) => ({ kind: 'account', account: fakeAccount(each) }) as const),
    ]),
    mailboxes,
    hostname: 'mail.campus.example',
    newDeliveryId: () => crypto.randomUUID(),
    unheard,
    clock,
    log: silentLog,
    events: { emit: () => undefined },
    filed: () => undefined,
    unready: () => 'ready',
  })
  return async (subject) => {
    const opened = await reception.mail({
      door: 'lmtp',
      peer: { ip: '192.0.2.7', port: 24, helo: 'mx.foreign.example', greeting: 'LHLO' },
      reversePath: addr('a@b.example'),
      body: '8bitmime',
      smtpUtf8: false,
    })
    assert.ok(opened.ok)
    for (const each of [HANAKO, TARO]) await opened.value.rcpt({ address: addr(each) })
    const sink = await opened.value.data()
    assert.ok(sink.ok)
    await sink.value.write(fromUtf8(`Subject: ${subject}\r\n\r\n会議です。\r\n`))
    return (await sink.value.finish()).map(({ code }) => code)
  }
}

async function child(dir: string, failpoints: string): Promise<void> {
  const send = await door(await open(dir))
  armFailpoints(failpoints)
  for (const subject of MAILS) writeSync(1, `${(await send(subject)).join(' ')}\n`)
}

const root = mkdtempSync(join(tmpdir(), 'watari-killed-'))
after(() => rmSync(root, { recursive: true, force: true }))

function main(): void {
  describe('mail of a foreign peer whose store is killed', () => {
    for (const [where, failpoints] of [
      ['before its rows are durable', 'mailbox.applied=die@2'],
      ['between the sync and COMMIT', 'mailbox.synced=die@2'],
      ['between COMMIT and its answer', 'mailbox.committed=die@2'],
      ['on the way of the answer', 'mailbox.replied=die@2'],
    ] as const)
      it(`${where}: sent again it is filed once for each`, async () => {
        const dir = mkdtempSync(join(root, 'v-'))
        const dying = spawn(process.execPath, [import.meta.filename, 'child', dir, failpoints], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const ended = once(dying, 'exit')
        assert.equal(await text(dying.stdout), '250 250\n')
        assert.deepEqual(await ended, [null, 'SIGKILL'])
        const mailboxes = await open(dir)
        const send = await door(mailboxes)
        assert.deepEqual(await send(MAILS[1]), [250, 250])
        assert.equal((await mailboxes.status()).messages, 4)
        await mailboxes.close()
      })
  })
}

if (process.argv[2] === 'child') await child(process.argv[3]!, process.argv[4]!)
else main()
