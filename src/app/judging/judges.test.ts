import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { Resolver } from '#client/dns/resolver.ts'
import type { JudgeAsk } from '#engine/scan/judge.ts'
import { addr } from '#test/fake/directory.ts'
import type { JudgeLimits } from './judge-child.ts'
import { Judges } from './judges.ts'

const TIMEOUT = { timeout: 120_000 }
const dir = mkdtempSync(join(tmpdir(), 'watari-judges-'))
const open: Judges[] = []
after(async () => {
  for (const judges of open) await judges.close()
  rmSync(dir, { recursive: true, force: true })
})

function judgesWith(program?: string, limits?: Partial<JudgeLimits>): Judges {
  const script = join(dir, `judge-${open.length}.mjs`)
  if (program !== undefined) writeFileSync(script, program)
  const judges = new Judges({
    clock: systemClock,
    log: silentLog,
    // No server: whatever is asked cannot be told, at once.
    resolver: () => new Resolver({ servers: [], timeoutMs: 100, clock: systemClock }),
    ...(program === undefined ? {} : { script }),
    ...(limits === undefined ? {} : { limits }),
  })
  open.push(judges)
  return judges
}

const ask = (octets: Octets, part: Partial<JudgeAsk> = {}): JudgeAsk => ({
  source: {
    sizeBytes: octets.length,
    read: (offset, length) => Promise.resolve(octets.subarray(offset, offset + length)),
  },
  reversePath: addr('jiro@far.example'),
  recipients: [addr('hanako@campus.example')],
  peer: { ip: '192.0.2.7', port: 1, helo: 'mail.far.example' },
  door: 'mx',
  nowMs: Date.UTC(2026, 10, 26, 3),
  caseId: 'C1',
  thresholds: { suspectedScore: 5, spamScore: 10 },
  timeoutMs: 60_000,
  ...part,
})

const HEADER =
  'From: jiro@far.example\r\nTo: hanako@campus.example\r\nSubject: 会議\r\n' +
  'Date: Thu, 26 Nov 2026 12:00:00 +0900\r\nMessage-ID: <1@far.example>\r\n'
const EICAR = Array.from('*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X')
  .toReversed()
  .join('')

test('a judge starts with the options of Node that a start hands on', TIMEOUT, async () => {
  const before = process.env['NODE_OPTIONS']
  const hooks = join(import.meta.dirname, '../../../bin/resolve.mjs')
  process.env['NODE_OPTIONS'] = `${before ?? ''} --import=${hooks}`
  const judges = judgesWith()
  try {
    const verdict = await judges.judge(ask(fromUtf8(`${HEADER}\r\n本文`)))
    assert.deepEqual(verdict.virus, { kind: 'clean' })
  } finally {
    await judges.close()
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
  }
})

test(
  'a judge in a process of its own finds, scores and says what it could not learn',
  TIMEOUT,
  async () => {
    const judges = judgesWith()
    const [plain, submitted, infected, empty] = await Promise.all([
      judges.judge(ask(fromUtf8(`${HEADER}\r\n本文`))),
      judges.judge(ask(fromUtf8(`${HEADER}\r\n本文`), { door: 'submission' })),
      judges.judge(
        ask(
          fromUtf8(
            `${HEADER}Content-Transfer-Encoding: base64\r\n\r\n${'A'.repeat(76)}\r\n${Buffer.from(EICAR).toString('base64')}`,
          ),
        ),
      ),
      judges.judge(ask(new Uint8Array(0))),
    ])
    assert.deepEqual(plain.virus, { kind: 'clean' })
    assert.equal(plain.class, 'clean')
    assert.deepEqual(plain.degraded, ['dns'])
    assert.deepEqual(
      plain.auth.map(({ method, result }) => `${method}=${result}`),
      ['spf=temperror', 'dkim=none', 'dmarc=temperror'],
    )
    assert.deepEqual([submitted.auth, submitted.degraded], [[], []])
    assert.deepEqual(infected.virus, { kind: 'infected', name: 'Eicar-Test-Signature' })
    assert.deepEqual(empty.virus, { kind: 'clean' })
  },
)

const LISTEN = `process.on('message', (m) => { if (m.kind === 'end') run(m.id) });`

test('a judge can read nothing but code, write nothing, and reach nobody', TIMEOUT, async () => {
  const judges = judgesWith(`
    import fs from 'node:fs'
    import net from 'node:net'
    import child from 'node:child_process'
    const tries = {
      read: () => fs.readFileSync('/etc/hostname'),
      write: () => fs.writeFileSync(${JSON.stringify(join(dir, 'written'))}, 'x'),
      spawn: () => child.spawnSync('true'),
    }
    const refused = []
    for (const [name, run] of Object.entries(tries))
      try { run() } catch (error) { if (error.code === 'ERR_ACCESS_DENIED') refused.push(name) }
    const run = (id) => {
      const tell = (name) => {
        refused.push(name)
        process.send({ kind: 'failed', id, reason: refused.join(' ') })
      }
      try {
        net.connect(1, '127.0.0.1').on('error', (error) =>
          tell(error.code === 'ERR_ACCESS_DENIED' ? 'connect' : error.code))
      } catch (error) {
        tell(error.code === 'ERR_ACCESS_DENIED' ? 'connect' : error.code)
      }
    }
    ${LISTEN}`)
  const { virus } = await judges.judge(ask(fromUtf8('試')))
  assert.deepEqual(virus, { kind: 'unscannable', reason: 'read write spawn connect' })
})

test('a message that outlasts its judge is unscannable', TIMEOUT, async () => {
  const judges = judgesWith(`const run = () => { for (;;); }; ${LISTEN}`, { startMs: 900 })
  const verdict = await judges.judge(ask(fromUtf8('無限'), { timeoutMs: 100 }))
  assert.equal(verdict.virus.kind, 'unscannable')
  assert.deepEqual(verdict.degraded, ['judge'])
})

test(
  'a message that kills its judge is unscannable, and others are judged all the same',
  TIMEOUT,
  async () => {
    const judges = judgesWith(`
    const dying = new Set()
    const run = (id) => {
      if (dying.has(id)) process.abort()
      setTimeout(() => process.send({ kind: 'findings', id, auth: [], hits: [], virus: { kind: 'clean' } }), 200)
    }
    process.on('message', (m) => {
      if (m.kind === 'octets' && Buffer.from(m.octets).toString() === '毒') dying.add(m.id)
    });
    ${LISTEN}`)
    const [good, bad, later] = await Promise.all(
      ['善', '毒', '良'].map((text) => judges.judge(ask(fromUtf8(text)))),
    )
    assert.deepEqual(good!.virus, { kind: 'clean' })
    assert.equal(bad!.virus.kind, 'unscannable')
    assert.deepEqual(later!.virus, { kind: 'clean' })
  },
)

test(
  'a judge that takes too much memory is killed',
  { ...TIMEOUT, skip: process.platform !== 'linux' },
  async () => {
    const judges = judgesWith(
      `
    const kept = []
    const run = () => setInterval(() => kept.push(Buffer.alloc(64 * 1024 * 1024, 1)), 20)
    ${LISTEN}`,
      { rssBytesMax: 300 * 1024 * 1024 },
    )
    const { virus } = await judges.judge(ask(fromUtf8('大食い')))
    assert.equal(virus.kind, 'unscannable')
    assert.match(virus.kind === 'unscannable' ? virus.reason : '', /over its memory/)
  },
)
