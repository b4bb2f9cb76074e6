import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { QueueMessageBody } from '#contract/admin/mail.ts'
import { runCli } from './run.ts'

let dir = ''
let changed = 1
const message = (queueId: string, from: string, sizeBytes: number): QueueMessageBody => ({
  node: 'gateway-1',
  queueId,
  deliveryId: 'D1',
  door: 'mx',
  from,
  sizeBytes,
  received: '2026-11-25T03:00:00.000Z',
  expires: '2026-11-30T03:00:00.000Z',
  recipients: [
    { address: '太郎@campus.example', state: 'delivered', attempts: 1, lastStatus: '250 2.1.5 ok' },
    { address: '花子@other.example', state: 'ready', attempts: 2, lastStatus: '451 4.3.0 後で' },
    { address: 'x@other.example', state: 'held', attempts: 0, hold: 'policy.spam' },
  ],
})
const pages: Readonly<Record<string, unknown>> = {
  first: {
    items: [message('Q1', '', 574)],
    next: 'gateway-1/Q1',
    unreachable: [{ node: 'gateway-0', reason: 'no answer' }],
  },
  'gateway-1/Q1': {
    items: [message('Q2', 'a@other.example', 1_572_864)],
    unreachable: [{ node: 'gateway-2', reason: 'no answer in time' }],
  },
}
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://control')
  const page = pages[url.searchParams.get('after') ?? 'first']
  const act = { node: 'gateway-1', queueId: 'Q1', changed }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(request.method === 'POST' ? act : page))
})

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watari-queue-'))
  server.listen(join(dir, 'admin.sock'))
  await once(server, 'listening')
  await writeFile(
    join(dir, 'runtime.json'),
    JSON.stringify({ adminSocket: join(dir, 'admin.sock') }),
  )
})
after(async () => {
  server.close()
  await rm(dir, { recursive: true, force: true })
})

async function done(...args: string[]): Promise<string> {
  let [out, err] = ['', '']
  const status = await runCli(['--data', dir, 'queue', ...args], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: async () => new Uint8Array(0),
    async *input() {},
    env: { WATARI_TOKEN: 'token' },
  })
  assert.equal(status, 0, err)
  return out
}

test('queue ls shows for whom mail waits and why, and which gateways did not answer', async () => {
  const [titles, first, second, ...rest] = (await done('ls')).split('\n')
  assert.match(titles ?? '', /^QUEUE ID +NODE +RECEIVED +SIZE +FROM +TO +STATE +WHY$/)
  const waiting = /花子@other\.example, x@other\.example +ready, held +451 4\.3\.0 後で$/
  assert.match(first ?? '', /^Q1 +gateway-1 +2026-11-25T03:00:00\.000Z +574 octets +<> +/)
  assert.match(first ?? '', waiting)
  assert.match(second ?? '', /^Q2 +gateway-1 +\S+ +1\.5 MiB +a@other\.example +/)
  assert.match(second ?? '', waiting)
  assert.deepEqual(rest, [
    'gateway-0 does not answer: no answer',
    'gateway-2 does not answer: no answer in time',
    '',
  ])
  const body = JSON.parse(await done('ls', '--json')) as { items: []; unreachable: [] }
  assert.deepEqual([body.items.length, body.unreachable.length], [2, 2])
})

test('queue ls takes page after page up to the limit, and says that there is more', async () => {
  const [, first, ...rest] = (await done('ls', '--limit', '1')).split('\n')
  assert.match(first ?? '', /^Q1 /)
  assert.deepEqual(rest, [
    'there are more than these: --limit',
    'gateway-0 does not answer: no answer',
    '',
  ])
  const body = JSON.parse(await done('ls', '--limit', '1', '--json')) as { next?: string }
  assert.equal(body.next, 'gateway-1/Q1')
  const later = await done('ls', '--limit', '1', '--after', 'gateway-1/Q1')
  assert.match(later, /^Q2 /m)
  assert.doesNotMatch(later, /^Q1 |more than/m)
})

test('an act says what it has changed, or that there was nothing to change', async () => {
  assert.equal(await done('release', 'Q1'), 'Q1: 1 recipient released\n')
  changed = 2
  assert.equal(await done('retry', 'Q1'), 'Q1: 2 recipients to be tried again now\n')
  changed = 0
  assert.equal(await done('hold', 'Q1', 'Q1'), 'Q1: nothing to hold\nQ1: nothing to hold\n')
})
