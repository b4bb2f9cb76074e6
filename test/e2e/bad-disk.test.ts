import assert from 'node:assert/strict'
import { get } from 'node:https'
import { cpSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { faultyDisk, NO_FAULTY_DISK } from '#test/fake/faulty-disk.ts'
import type { FaultyDisk } from '#test/fake/faulty-disk.ts'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, lineClient, smtpSend } from './mail.ts'

const WAIT_MS = 60_000

/** The status and text of /readyz. */
function readiness(watari: Installation): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: '127.0.0.1',
        port: watari.port(9443),
        path: '/readyz',
        ca: watari.ca,
        servername: 'localhost',
        agent: false,
      },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    request.once('error', () => resolve({ status: 0, text: '' }))
  })
}

/** The first reply of LMTP that keeps a mail out, or what its end is answered. */
async function lmtp(watari: Installation, subject: string): Promise<string> {
  const client = await lineClient(watari.port(24))
  try {
    let reply = await client.reply()
    for (const line of [
      'LHLO client.example',
      'MAIL FROM:<a@other.example>',
      'RCPT TO:<taro@campus.example>',
      'DATA',
      `Subject: ${subject}\r\n\r\n会議\r\n.`,
    ]) {
      if (!/^[23]/.test(reply)) return reply
      reply = await client.command(line)
    }
    return reply
  } finally {
    client.close()
  }
}

describe('an installation whose store lies on a disk that fails', () => {
  let disk: FaultyDisk | undefined
  let watari: Installation | undefined
  before(async () => {
    disk = await faultyDisk()
    if (disk === undefined) return
    watari = await install({ bind: ['127.0.0.1'] })
    await watari.stop()
    const store = join(watari.dir, 'store')
    cpSync(store, join(disk.dir, 'store'), { recursive: true, preserveTimestamps: true })
    renameSync(store, `${store}-before`)
    symlinkSync(join(disk.dir, 'store'), store)
    await watari.start()
  })
  after(async () => {
    await disk?.clear()
    await watari?.remove()
    await disk?.remove()
  })

  it('says so, answers 4xx, serves readers, loses and doubles nothing, and goes on by itself', async (t) => {
    if (disk === undefined || watari === undefined) return t.skip(NO_FAULTY_DISK)
    const house = watari
    const isReady = async (): Promise<boolean> => (await readiness(house)).status === 200
    await until('ready', isReady, WAIT_MS)
    assert.match(await lmtp(house, 'はじめ'), /^250/)
    const reader = await imap(house, 'taro')
    try {
      for (const [path, count] of [
        ['store/seg/*', 2],
        ['store/mailbox.db-wal', 4],
      ] as const) {
        await disk.fail({ error: 'EIO', ops: 'ws', path })
        assert.match(await lmtp(house, '一'), /^451 4\.3\.0/)
        // What comes in meanwhile is promised by the gateway, and waits in its queue.
        const sent = await smtpSend(house.port(25), {
          from: 'a@other.example',
          to: ['taro@campus.example'],
          content: 'From: a@other.example\r\nSubject: 二\r\n\r\n渡り鳥\r\n',
        })
        assert.match(sent, /^250/)
        await until('red', async () => (await readiness(house)).status === 503, WAIT_MS)
        const { text } = await readiness(house)
        assert.match(text, /"store","state":"ready","detail":"stalled"/)
        assert.equal(await countOf(reader, 'INBOX'), count - 1, 'reading goes on')
        await disk.clear()
        await until('ready again', isReady, WAIT_MS)
        await until(
          'the queue has delivered',
          async () => (await countOf(reader, 'INBOX')) === count,
          WAIT_MS,
        )
        assert.match(await lmtp(house, '三'), /^250/)
      }
      assert.equal(await countOf(reader, 'INBOX'), 5)
      for (const cause of ['EIO', 'disk I/O error'])
        assert.ok(new RegExp(`storage\\.probeFailed.*${cause}`).test(house.output()), cause)
    } finally {
      await reader.logout()
    }
  })
})
