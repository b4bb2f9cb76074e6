import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib'
import { FakeClock } from '#base/time.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

/** A client that compresses as programs do: one stream each way, flushed at each command. */
class Compressed {
  readonly #client: LineClient
  readonly #deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH })
  readonly #inflate = createInflateRaw()
  #text = ''
  #wake = (): void => undefined
  receivedBytes = 0

  constructor(t: TestContext, client: LineClient) {
    this.#client = client
    client.socket.removeAllListeners('data')
    client.socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length
      this.#inflate.write(chunk)
    })
    this.#inflate.on('data', (octets: Buffer) => {
      this.#text += octets.toString('latin1')
      this.#wake()
    })
    this.#deflate.on('data', (octets: Buffer) => client.socket.write(octets))
    t.after(() => {
      this.#deflate.destroy()
      this.#inflate.destroy()
    })
  }

  async command(text: string): Promise<string> {
    return this.until(`z ${text}\r\n`, /^z [^\r]*\r\n$/m)
  }

  /** Sends it; resolves with all that has come once that has `last` in it. */
  async until(sent: string, last: RegExp): Promise<string> {
    this.#deflate.write(sent)
    for (;;) {
      const end = last.exec(this.#text)
      if (end !== null) {
        const answer = this.#text
        this.#text = ''
        return answer
      }
      assert.ok(!this.#client.ended, this.#text)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

const mail = (n: number): string => `Subject: ${n}\r\n\r\n${'渡り鳥が飛んで行く。'.repeat(400)}\r\n`

test('COMPRESS compresses both ways, and costs no decoder while the client rests (RFC 4978 §3)', async (t) => {
  const clock = new FakeClock()
  const room = await imapRoom(t, { clock })
  const plain = await room.login()
  assert.match(await plain.command('CAPABILITY'), / COMPRESS=DEFLATE /)
  assert.match(await plain.command('COMPRESS LZW'), /^BAD/)
  assert.match(await plain.command('COMPRESS DEFLATE'), /^OK/)
  const client = new Compressed(t, plain)
  assert.doesNotMatch(await client.command('CAPABILITY'), /COMPRESS/)
  assert.match(await client.command('COMPRESS DEFLATE'), /NO \[COMPRESSIONACTIVE\]/)
  assert.match(await client.command('UNAUTHENTICATE'), /NO \[CANNOT\]/)
  for (let n = 0; n < 8; n++) {
    const octets = Buffer.from(mail(n))
    assert.match(
      await client.command(`APPEND INBOX {${octets.length}+}\r\n${mail(n)}`),
      /APPENDUID/,
    )
    // The next command looks back on what was said before the rest.
    clock.advance(10_000)
  }
  await client.command('SELECT INBOX')
  const before = client.receivedBytes
  const answer = await client.command('FETCH 1:* BODY.PEEK[]')
  for (let n = 0; n < 8; n++) assert.ok(answer.includes(Buffer.from(mail(n)).toString('latin1')))
  assert.ok((client.receivedBytes - before) * 20 < answer.length)
})

test('what becomes much too long, or is no deflate, ends the connection and no other', async (t) => {
  const room = await imapRoom(t)
  const other = await room.login()
  const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024, ' '), {
    finishFlush: constants.Z_SYNC_FLUSH,
  })
  for (const attack of [bomb, Buffer.from('ff'.repeat(500), 'hex')]) {
    const client = await room.login()
    await client.command('COMPRESS DEFLATE')
    if (!client.ended) {
      client.socket.write(attack)
      if (!client.socket.destroyed) await once(client.socket, 'close')
    }
  }
  assert.match(await other.command('NOOP'), /^OK/)
})

test('what is told in IDLE comes behind the answers to what was pipelined before it', async (t) => {
  const room = await imapRoom(t)
  const [plain, other] = [await room.login(), await room.login()]
  for (let n = 1; n <= 60; n++) await other.append('INBOX', Buffer.from(`Subject: ${n}\r\n\r\n`))
  await plain.command('COMPRESS DEFLATE')
  const client = new Compressed(t, plain)
  for (const each of [client, other]) await each.command('SELECT INBOX')
  // Told only where numbers may change, and FETCH is not that place (RFC 9051 §7.5.1).
  await other.command('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await other.command('EXPUNGE')
  const answer = await client.until(
    'i FETCH 2:60 (INTERNALDATE ENVELOPE)\r\nz IDLE\r\n',
    /EXPUNGE\r\n/,
  )
  const order = ['* 2 FETCH', '* 60 FETCH', '\r\ni OK', '\r\n+ idling', '\r\n* 1 EXPUNGE']
  const places = order.map((text) => answer.indexOf(text))
  assert.deepEqual(
    places.toSorted((a, b) => a - b),
    places,
  )
  assert.ok(!places.includes(-1))
  assert.match(await client.until('DONE\r\n', /^z OK/m), /^z OK/m)
})

test('what was sent before the connection ended is answered, however much it is', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.command('COMPRESS DEFLATE')
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
  let said = ''
  inflate.on('data', (octets: Buffer) => (said += octets.toString('latin1')))
  client.socket.removeAllListeners('data')
  client.socket.pipe(inflate)
  const text = Array.from({ length: 20_000 }, (_, n) => `n${n} NOOP\r\n`).join('')
  client.socket.end(deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }))
  await once(inflate, 'end')
  assert.equal(said.match(/^n\d+ OK Done\r$/gm)?.length, 20_000)
})
