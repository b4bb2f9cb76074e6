import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { concatOctets, fromUtf8, type Octets } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { MailClient } from '#client/smtp/deliver.ts'
import type { DeliverJob } from '#client/smtp/job.ts'
import { leaveField, leaveOf } from '#engine/list/leave-way.ts'
import { OwnCopies } from '#engine/queue/own-copies.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import { parseAddress, type Address } from '#model/address.ts'
import type { QueueMessage, QueueRecipient } from '#store/spool/spool-store.ts'
import { fakeList } from '#test/fake/directory.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { dkimResults, fakeDkimKey, fakeSigner, recordOf } from '#test/fake/signing.ts'
import { startSink } from '#test/fake/smtp-sink.ts'
import { dkimpy, dkimpyMissing } from '#test/peers/dkimpy.ts'
import { opendkim, opendkimMissing } from '#test/peers/opendkim.ts'
import { startDovecot } from '#test/peers/dovecot.ts'
import { startPostfix } from '#test/peers/postfix.ts'
import { peersMissing } from '#test/peers/root.ts'

const skip = peersMissing() ?? false

const KEYS = [fakeDkimKey('rsa'), fakeDkimKey('ed25519')]
const RECORDS = Object.assign({}, ...KEYS.map((key) => recordOf('campus.example', key))) as Record<
  string,
  string
>
const PLAIN = fromUtf8(
  [
    'From: =?UTF-8?B?5aSq6YOO?= <taro@campus.example>',
    'To: hanako@campus.example',
    'Date: Thu, 26 Nov 2026 12:00:00 +0900',
    'Message-ID: <watari-1@campus.example>',
    'Subject: =?UTF-8?B?5rih44KK?=',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '花子さん、',
    '.一つの点で始まる行',
    '..',
    'とてもよい知らせです。',
    '',
  ].join('\r\n'),
)
/** As the queue has it: signed by its domain. */
const MESSAGE = await signed(PLAIN)

async function signed(octets: Octets): Promise<Octets> {
  const domain = { name: 'campus.example', dkim: KEYS }
  const whole = new SignedOctets(fakeSigner([{ kind: 'domain', domain }]).signer)
  whole.feed(octets)
  return concatOctets([await whole.finish('D1'), octets])
}

function address(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(parsed.ok)
  return parsed.value
}

interface Delivery {
  readonly protocol: 'smtp' | 'lmtp'
  readonly port: number
  readonly octets?: Octets
}

/** Of one post in the queue, what one member elsewhere gets: signed over the own way to leave (RFC 8058). */
async function copyFor(member: string): Promise<Octets> {
  const { signer } = fakeSigner([
    { kind: 'domain', domain: { name: 'campus.example', dkim: KEYS } },
  ])
  const leave = leaveOf(fakeList('seminar@campus.example'), 'https://mail.campus.example')!
  const common = concatOctets([fromUtf8(`${leaveField(leave)}\r\n`), PLAIN])
  const whole = new SignedOctets(signer, 'campus.example')
  whole.feed(common)
  const signature = await whole.finish('D1')
  const queued = concatOctets([signature, common])
  const message = {
    queueId: 'Q1',
    deliveryId: 'D1',
    reversePath: address('seminar-bounces@campus.example'),
    verp: { key: 'k'.repeat(32), post: 1, leave },
    signed: { startBytes: signature.length, bodyHash: whole.bodyHash()! },
  } as unknown as QueueMessage
  const recipients = [{ address: address(member) }] as unknown as readonly QueueRecipient[]
  const hop = { kind: 'mx', domain: 'campus.example' } as const
  const copies = new OwnCopies({ signer, clock: systemClock })
  const copy = await copies.of(
    { message, hop, recipients },
    {
      sizeBytes: queued.length,
      read: async (offset, length) => queued.subarray(offset, offset + length),
    },
  )
  assert.ok(copy.ok)
  return copy.value.read(0, copy.value.sizeBytes)
}

/** Delivers with our own client; every recipient must be taken. */
async function deliver(
  t: TestContext,
  { protocol, port, octets = MESSAGE }: Delivery,
): Promise<void> {
  const client = new MailClient(systemClock)
  t.after(() => client.close())
  const job: DeliverJob = {
    protocol,
    endpoints: [{ name: 'localhost', ip: '127.0.0.1', port }],
    poolKey: 'peer',
    tls: 'opportunistic',
    helo: 'mx.campus.example',
    reversePath: address('taro@campus.example'),
    recipients: [{ address: address('hanako@campus.example') }],
    body: '8bitmime',
    smtpUtf8: false,
    content: {
      sizeBytes: octets.length,
      read: async (offset: number, length: number): Promise<Octets> =>
        octets.subarray(offset, offset + length),
    },
  }
  const delivered = await client.deliver(job)
  assert.ok(delivered.ok, delivered.ok ? '' : delivered.error.message)
  for (const { reply } of delivered.value.results)
    assert.equal(reply.code, 250, reply.text.toString())
}

test(
  'our client gives mail to Postfix, which hands it on by SMTP and by LMTP, octets unchanged and signatures right, those of a member’s own copy of a post too',
  { skip },
  async (t) => {
    for (const protocol of ['smtp', 'lmtp'] as const) {
      const sink = await startSink({ protocol })
      t.after(() => sink.close())
      const hop =
        protocol === 'smtp' ? `smtp:[127.0.0.1]:${sink.port}` : `lmtp:inet:127.0.0.1:${sink.port}`
      const postfix = await startPostfix({ transports: { 'campus.example': hop } })
      try {
        const copies = [MESSAGE, await copyFor('hanako@campus.example')]
        for (const [at, octets] of copies.entries()) {
          await deliver(t, { protocol: 'smtp', port: postfix.port, octets })
          await sink.taken(at + 1)
          const content = Buffer.from(sink.mails[at]?.content ?? '')
          assert.ok(content.subarray(-octets.length).equals(octets), content.toString())
          assert.deepEqual(await dkimResults(content, RECORDS), ['pass', 'pass'])
          if (dkimpyMissing() === undefined)
            assert.deepEqual(dkimpy([content], RECORDS), [['pass', 'pass']])
          if (opendkimMissing() === undefined)
            assert.deepEqual(await opendkim(content, RECORDS), ['pass', 'pass'])
        }
        assert.match(
          sink.mails[1]?.content.toString() ?? '',
          /\r\nList-Unsubscribe: <https:\/\/mail\.campus\.example\/unsubscribe\/\S+>,\r\n <mailto:\S+>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n/,
        )
      } finally {
        await postfix.stop()
      }
    }
  },
)

test(
  'our client gives mail to Dovecot by LMTP, where IMAP reads the same octets',
  { skip },
  async (t) => {
    const dovecot = await startDovecot({ accounts: { 'hanako@campus.example': 'a&b "渡り"' } })
    try {
      await deliver(t, { protocol: 'lmtp', port: dovecot.lmtpPort })
      const imap = LineClient.tls(dovecot.imapsPort)
      t.after(() => imap.end())
      await imap.line()
      assert.match(await imap.command('LOGIN hanako@campus.example "a&b \\"渡り\\""'), /OK/)
      await imap.command('SELECT INBOX')
      const body = Buffer.from(await imap.command('FETCH 1 BODY.PEEK[]'), 'latin1')
      assert.ok(body.includes(MESSAGE), body.toString())
    } finally {
      await dovecot.stop()
    }
  },
)
