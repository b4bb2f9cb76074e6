import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { wire } from './wire.ts'

const PIECE_BYTES = 1_000_000

const times = (count: number, text: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => text(n)).join('')

/** Mails that are made to hold up whoever takes them apart, each with a word to be found in it. */
const HUGE: readonly (readonly [name: string, content: () => string])[] = [
  [
    '10,000 multiparts within one another',
    () =>
      `Subject: 入れ子\r\n${times(10_000, (n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`)}\r\n渡り鳥\r\n`,
  ],
  [
    '10,000 messages within one another',
    () =>
      `Subject: 便り\r\n${times(10_000, (n) => `To: ${n}@campus.example\r\nContent-Type: message/rfc822\r\n\r\n`)}\r\n渡り鳥\r\n`,
  ],
  [
    'a million parts',
    () =>
      `Subject: 部品\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n渡り鳥\r\n${'--b\r\n\r\nx\r\n'.repeat(1_000_000)}--b--\r\n`,
  ],
  [
    '500,000 addresses',
    () =>
      `Subject: 宛先\r\nTo: ${times(500_000, (n) => `u${n} <u${n}@campus.example>,\r\n `)}taro@campus.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n渡り鳥\r\n`,
  ],
  [
    'a header of 48 MB in many fields',
    () =>
      `Subject: 頭\r\nContent-Type: text/plain; charset=utf-8\r\n${`X-Flood: ${'x'.repeat(900)}\r\n`.repeat(52_000)}X-Last: z\r\n\r\n渡り鳥\r\n`,
  ],
  [
    'a header of 48 MB in one field',
    () =>
      `Subject: 欄\r\nContent-Type: text/plain; charset=utf-8\r\nX-Flood: ${' =?utf-8?B?5rih?='.repeat(3_000_000)}\r\n\r\n渡り鳥\r\n`,
  ],
]

describe('mails that are made to hold up their reader', () => {
  let watari: Installation
  let imap: RawImap
  let beside: RawImap
  let client: JmapClient
  before(async () => {
    watari = await install()
    imap = await rawImap(watari, 'hanako')
    beside = await rawImap(watari, 'taro')
    client = await jmap(watari, 'hanako')
  })
  after(async () => {
    imap?.close()
    beside?.close()
    await watari?.remove()
  })

  /** Does `work`; another's commands are answered meanwhile, one after the other. */
  async function besides<T>(work: () => Promise<T>): Promise<T> {
    const over = new AbortController()
    const others = async (): Promise<void> => {
      while (!over.signal.aborted) assert.match(await beside.command('NOOP'), /^t\d+ OK/)
    }
    const asking = others()
    try {
      return await work()
    } finally {
      over.abort()
      await asking
    }
  }

  async function deliver(content: Buffer): Promise<string> {
    const lmtp = await wire(watari.port(24))
    await lmtp.smtp()
    for (const line of [
      'LHLO peer.example',
      'MAIL FROM:<a@peer.example>',
      'RCPT TO:<hanako@campus.example>',
    ])
      assert.match(await lmtp.smtp(line), /^250/)
    lmtp.send(`BDAT ${content.length} LAST\r\n`)
    for (let at = 0; at < content.length; at += PIECE_BYTES)
      lmtp.send(content.subarray(at, at + PIECE_BYTES))
    const answer = await lmtp.smtp()
    lmtp.close()
    return answer
  }

  for (const [name, content] of HUGE)
    it(`${name}: filed by LMTP`, async () => {
      assert.match(await besides(() => deliver(Buffer.from(content()))), /^250/)
    })

  it('all of them are read by IMAP', async () => {
    await imap.command('SELECT INBOX')
    const all = await besides(() => imap.command('FETCH 1:* (UID RFC822.SIZE)'))
    assert.match(all, new RegExp(`\\* ${HUGE.length} FETCH`))
    for (const command of [
      'FETCH 1:* ENVELOPE',
      'FETCH 1:* BODYSTRUCTURE',
      'FETCH 1:* BODY.PEEK[1.1.1]',
      'FETCH 1:* BINARY.SIZE[1]',
      'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT X-LAST)] PREVIEW)',
      'SORT (FROM TO SUBJECT) UTF-8 ALL',
      'THREAD REFERENCES UTF-8 ALL',
    ])
      assert.match(await besides(() => imap.command(command)), /\nt\d+ OK/, command)
    const picked = await besides(() => imap.command('FETCH 5 BODY.PEEK[HEADER.FIELDS (X-LAST)]'))
    assert.match(picked, /\r\nX-Last: z\r\n\r\n\)/)
  })

  it('all of them are searched by IMAP and JMAP', async () => {
    for (const key of ['BODY', 'TEXT', 'HEADER X-Flood', 'SUBJECT', 'TO'])
      assert.match(
        await besides(() => imap.command(`SEARCH CHARSET UTF-8 ${key} "渡り鳥"`)),
        /^\* (?:SEARCH|OK)[^]*\nt\d+ OK/,
        key,
      )
    const found = await besides(() =>
      client.call('Email/query', { filter: { body: '渡り鳥' }, sort: [{ property: 'subject' }] }),
    )
    assert.ok(found.ids.length >= 3, `${found.ids.length} found`)
  })

  it('all of them are shown by JMAP', async () => {
    const { ids } = await client.call('Email/query', {})
    assert.equal(ids.length, HUGE.length)
    for (const id of ids) {
      const { list } = await besides(() =>
        client.call('Email/get', { ids: [id], fetchAllBodyValues: true }),
      )
      assert.equal(list[0].id, id)
    }
  })
})
