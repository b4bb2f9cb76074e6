import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'

import { offlineJudge } from '#app/judging/offline-judge.ts'
import type { CliIo } from './io.ts'
import { runCli } from './run.ts'
import { scoreFiles } from './spam.ts'

const TIMEOUT = { timeout: 120_000 }
const dir = mkdtempSync(join(tmpdir(), 'watari-spam-'))
after(() => rmSync(dir, { recursive: true, force: true }))
let folders = 0

/** A folder of its own with these files; the name may be octets. */
function folder(files: readonly (readonly [string | Buffer, string])[]): string {
  const path = join(dir, `f${++folders}`)
  mkdirSync(path)
  for (const [name, text] of files)
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name)]), text)
  return path
}

function collect(): CliIo & { text: string; errors: string } {
  return {
    text: '',
    errors: '',
    out(text) {
      this.text += text
    },
    err(text) {
      this.errors += text
    },
    stdin: async () => new Uint8Array(0),
    async *input() {},
    env: {},
  }
}

async function run(...args: string[]) {
  const io = collect()
  const status = await runCli(['--data', join(dir, 'none'), ...args], io)
  const lines = io.text.trimEnd().split('\n')
  return { status, lines: lines.map((line) => line.split('\t')), text: io.text, err: io.errors }
}

// Written backwards, so that no scanner takes this file for what it tests.
const GTUBE = Array.from('X43.C*LIAME-TSET-EBU-ITNA-DRADNATS-EBUTG*NENDI2*3NBSN.1NDAQBDJ4C*SJX')
  .toReversed()
  .join('')
const HEADER =
  'Received: from a.example by b.example; Mon, 24 Jun 2002 17:53:15 +0900\n' +
  'From: taro@far.example\nTo: hanako@campus.example\nSubject: 会議\n' +
  'Date: Mon, 24 Jun 2002 17:50:00 +0900\nMessage-ID: <1@far.example>\n\n'

describe('watari spam score', () => {
  it('scores files, folders and mboxes without an installation', TIMEOUT, async () => {
    const mbox = `From a 10:00 2026\n${HEADER}一\n\nFrom b 10:01 2026\n${HEADER}${GTUBE}\n`
    const path = folder([
      ['b.mbox', mbox],
      ['a.eml', `${HEADER}本文\n`],
      ['c.single', `From a@b Mon\nSubject: 当選\n\nact now\n`],
      ['空', ''],
    ])
    mkdirSync(join(path, 'd'))
    writeFileSync(join(path, 'd', 'x'), `${HEADER}${GTUBE}`)
    const { status, lines, err } = await run('spam', 'score', `${path}/`)
    assert.equal(status, 0, err)
    assert.deepEqual(
      lines.map(([name, , is]) => `${name?.slice(path.length + 1)} ${is}`),
      ['a.eml clean', 'b.mbox#1 clean', 'b.mbox#2 spam', 'c.single clean', 'd/x spam', '空 clean'],
    )
    const scores = lines.map(([, score]) => Number(score))
    assert.deepEqual(scores.slice(0, 3), [0, 0, 1_000], 'an old mail is judged as of its arrival')
    assert.ok(scores[3]! > 0)
    assert.match(err, /^watari: judged offline[^\n]*\n$/)
    const named = await run('spam', 'score', join(path, 'c.single'), join(path, 'a.eml'), '--json')
    assert.deepEqual(
      named.text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { path: string }).path),
      [join(path, 'c.single#1'), join(path, 'a.eml')],
    )
  })

  it('names what it cannot read, goes on, and ends with 1', TIMEOUT, async () => {
    const path = folder([
      [Buffer.from([0x82, 0xd0, 0xff]), HEADER],
      ['行\n\t末', HEADER],
    ])
    symlinkSync('gone', join(path, 'link'))
    symlinkSync('.', join(path, 'loop'))
    symlinkSync('行\n\t末', join(path, '良'))
    assert.equal(spawnSync('mkfifo', [join(path, 'pipe')]).status, 0)
    const { status, lines, err } = await run('spam', 'score', path, join(dir, 'nothing'))
    assert.equal(status, 1)
    assert.deepEqual(
      lines.map(([name, score, is]) => [name?.slice(path.length + 1), score, is]),
      [
        ['���', '0', 'clean'],
        ['良', '0', 'clean'],
        ['行��末', '0', 'clean'],
      ],
    )
    const said = err.trimEnd().split('\n').slice(1)
    assert.deepEqual(
      said.map((line) => line.replace(`${path}/`, '').replace(`${dir}/`, '')),
      [
        'watari: link cannot be read (ENOENT)',
        'watari: loop cannot be read (a link to a folder, which is not followed)',
        'watari: pipe cannot be read (neither a file nor a folder)',
        'watari: nothing cannot be read (ENOENT)',
        'watari: 4 files could not be read. The lines above name them; all others were scored.',
      ],
    )
  })

  it('says unscannable of what kills or outlasts its judge, and goes on', TIMEOUT, async () => {
    const script = join(dir, 'judge.mjs')
    writeFileSync(
      script,
      `
      const texts = new Map()
      process.on('message', (m) => {
        if (m.kind === 'octets') texts.set(m.id, Buffer.from(m.octets).toString())
        if (m.kind !== 'end') return
        if (texts.get(m.id) === '毒') process.abort()
        if (texts.get(m.id) === '永') for (;;);
        process.send({ kind: 'findings', id: m.id, auth: [], hits: [{ name: 'R', score: 1.5 }], virus: { kind: 'clean' } })
      })`,
    )
    const path = folder([
      ['1', '毒'],
      ['2', '良'],
    ])
    const judge = offlineJudge({ script })
    const io = collect()
    await scoreFiles({ paths: [path], judge, io, isJson: false })
    assert.equal(io.text, `${path}/1\t-\tunscannable\n${path}/2\t1.5\tclean\n`)
    assert.match(io.errors, /\/1: the judge ended: SIGABRT\n$/)
    // The impatient one has no message that it must answer in time.
    const impatient = offlineJudge({ script, timeoutMs: 100, limits: { startMs: 500 } })
    const endless = folder([['永', '永']])
    const late = collect()
    await scoreFiles({ paths: [endless], judge: impatient, io: late, isJson: false })
    assert.equal(late.text, `${endless}/永\t-\tunscannable\n`)
    assert.match(late.errors, /\/永: not judged in 100 ms\n$/)
    await impatient.close()
    const json = collect()
    await scoreFiles({ paths: [join(path, '1')], judge, io: json, isJson: true })
    assert.deepEqual(JSON.parse(json.text), {
      path: join(path, '1'),
      score: null,
      class: 'unscannable',
    })
    await judge.close()
  })
})

describe('watari scan without an installation', () => {
  it('judges offline and says what is missing', TIMEOUT, async () => {
    const path = join(folder([['a.eml', `${HEADER}${GTUBE}`]]), 'a.eml')
    const { status, text, err } = await run('scan', path)
    assert.equal(status, 0, err)
    assert.match(text, /class: +spam\n/)
    assert.match(text, /judged: +without sender\n/)
    assert.match(err, /^watari: no Watari runs on [^\n]*judged offline[^\n]*\n$/)
    const asked = await run('scan', '--offline', path, '--json')
    assert.equal((JSON.parse(asked.text) as { class: string }).class, 'spam')
    assert.match(asked.err, /^watari: judged offline/)
    assert.equal((await run('scan', join(dir, 'none.eml'))).status, 1)
  })
})
