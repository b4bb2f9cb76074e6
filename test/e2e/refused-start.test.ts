import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { freeOffset, install, runProgram, until } from './installation.ts'
import type { Ran } from './installation.ts'
import { countOf, imap, smtpSend } from './mail.ts'
import { descendants } from './processes.ts'

const START = fileURLToPath(new URL('../../bin/start.mjs', import.meta.url))
const NOBODY = 65_534
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', process.execPath]

/** Every file below a folder, with the hash of its octets. */
function octetsOf(dir: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    found[relative(dir, path)] = entry.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : 'no file'
  }
  return found
}

const start = (dir: string, args: readonly string[] = []): Promise<Ran> =>
  runProgram(process.execPath, [START, '--data', dir, ...args])

const sql = (path: string, text: string): void => {
  const db = new DatabaseSync(path)
  db.exec(text)
  db.close()
}

const edit = (path: string, from: RegExp, to: string): void => {
  const text = readFileSync(path, 'utf8')
  assert.match(text, from)
  writeFileSync(path, text.replace(from, to))
}

/** What is done to a good folder, and what the one line must say. */
interface Case {
  readonly what: string
  readonly damage?: (dir: string) => void
  readonly args?: readonly string[]
  /** The file that the line names. */
  readonly file: string
  readonly says: RegExp
}

const LATER = 1_000
const DATABASES = [
  'control/directory.db',
  'control/settings.db',
  'control/index.db',
  'gateway/spool.db',
  'gateway/directory.db',
  'gateway/events.db',
  'store/mailbox.db',
  'store/directory.db',
  'store/events.db',
]
const SETTING_OF_NO_SIZE = `{"values":{"mail.sizeBytesMax":"大きい"},"tables":{}}`

const CASES: readonly Case[] = [
  {
    what: 'a host.yaml that is no YAML',
    damage: (dir) => appendFileSync(join(dir, 'host.yaml'), '{{{\n'),
    file: 'host.yaml',
    says: /cannot be read: .* line \d+/,
  },
  {
    what: 'an unknown key in host.yaml',
    damage: (dir) => appendFileSync(join(dir, 'host.yaml'), '色: 青\n'),
    file: 'host.yaml',
    says: /Unrecognized key: "色"/,
  },
  {
    what: 'an unknown key of a listener',
    damage: (dir) => edit(join(dir, 'host.yaml'), /\n( +)address: /, '\n$1tls: no\n$1address: '),
    file: 'host.yaml',
    says: /listeners\.0: Unrecognized key: "tls"/,
  },
  {
    what: 'a value of a wrong type in host.yaml',
    damage: (dir) => edit(join(dir, 'host.yaml'), /portOffset: .*/, 'portOffset: many'),
    file: 'host.yaml',
    says: /portOffset: .*expected number, received string/,
  },
  {
    what: 'another --port-offset',
    args: ['--port-offset', '1'],
    file: 'host.yaml',
    says: /says portOffset \d+, the command line 1; edit the file/,
  },
  {
    what: 'another --bind',
    args: ['--bind', '127.0.0.2'],
    file: 'host.yaml',
    says: /says bind 127\.0\.0\.1, the command line 127\.0\.0\.2; edit the file/,
  },
  ...DATABASES.map((file) => ({
    what: `a later version of ${file}`,
    damage: (dir: string) => sql(join(dir, file), `UPDATE version SET version = ${LATER}`),
    file,
    says: /has version 1000 of [\w ]+, this program knows up to \d+/,
  })),
  {
    what: 'a database of another kind',
    damage: (dir) => cpSync(join(dir, 'store/events.db'), join(dir, 'gateway/spool.db')),
    file: 'gateway/spool.db',
    says: /is a database of events, not of spool/,
  },
  {
    what: 'a settings.db that is no database',
    damage: (dir) => writeFileSync(join(dir, 'control/settings.db'), '設定'.repeat(1_000)),
    file: 'control/settings.db',
    says: /file is not a database/,
  },
  {
    what: 'a mailbox.db that is no database',
    damage: (dir) => writeFileSync(join(dir, 'store/mailbox.db'), '手紙'.repeat(1_000)),
    file: 'store/mailbox.db',
    says: /file is not a database; .*stop all roles and run `watari store rebuild`/,
  },
  {
    what: 'a mailbox.db that is missing',
    damage: (dir) => rmSync(join(dir, 'store/mailbox.db')),
    file: 'store/mailbox.db',
    says: /is missing, .*; .*stop all roles and run `watari store rebuild`/,
  },
  {
    what: 'a settings.db with a value that is not valid',
    damage: (dir) =>
      sql(
        join(dir, 'control/settings.db'),
        `UPDATE generation SET content = '${SETTING_OF_NO_SIZE}'`,
      ),
    file: 'control/settings.db',
    says: /generation \d+: mail\.sizeBytesMax: /,
  },
  ...['gateway/settings.json', 'store/settings.json'].flatMap((file): Case[] => [
    {
      what: `a damaged ${file}`,
      damage: (dir) => edit(join(dir, file), /judge/, 'Judge'),
      file,
      says: /the copy of the settings is damaged; remove it/,
    },
    {
      what: `a ${file} with a value that is not valid`,
      damage: (dir) => {
        const snapshot = `{"generation":7,"hash":"x",${SETTING_OF_NO_SIZE.slice(1)}`
        const body = `{"snapshot":${snapshot},"tables":{}}`
        const hash = createHash('sha256').update(body).digest('hex')
        writeFileSync(join(dir, file), `watari-settings 1 ${hash}\n${body}`)
      },
      file,
      says: /generation 7: mail\.sizeBytesMax: .*; remove the file/,
    },
    {
      what: `a later form of ${file}`,
      damage: (dir) => edit(join(dir, file), /^watari-settings 1 /, 'watari-settings 2 '),
      file,
      says: /has version 2 of the copy of the settings, this program knows up to 1/,
    },
  ]),
]

describe('a start that is refused', () => {
  const root = mkdtempSync(join(tmpdir(), 'watari-refused-'))
  const good = join(root, 'good')
  let copies = 0
  after(() => rmSync(root, { recursive: true, force: true }))

  // A folder with mail, with a setting, and ended as it should be.
  before(async () => {
    const watari = await install({ dir: good, bind: ['127.0.0.1'] })
    try {
      const set = await watari.watari(['settings', 'set', 'judge.enabled', 'false'])
      assert.equal(set.status, 0, set.stderr)
      const reply = await smtpSend(watari.port(25), {
        from: 'a@other.example',
        to: ['hanako@campus.example'],
        content: 'From: a@other.example\r\nSubject: 会議\r\n\r\n水曜日\r\n',
      })
      assert.match(reply, /^250/)
      const client = await imap(watari, 'hanako')
      await until('the mail is filed', async () => (await countOf(client, 'INBOX')) === 1)
      await client.logout()
    } finally {
      await watari.stop()
    }
  })

  const copyOf = (damage?: (dir: string) => void): string => {
    const dir = join(root, `copy${++copies}`)
    cpSync(good, dir, { recursive: true })
    damage?.(dir)
    return dir
  }

  for (const { what, damage, args, file, says } of CASES)
    it(`tells in one line of ${what}, and changes nothing`, async () => {
      const dir = copyOf(damage)
      const earlier = octetsOf(dir)
      const { status, stdout, stderr } = await start(dir, args)
      assert.equal(status, 1, stderr)
      assert.equal(stdout, '')
      assert.match(stderr, /^[^\n]+\n$/)
      assert.ok(stderr.startsWith(`${join(dir, file)}: `), stderr)
      assert.match(stderr, says)
      assert.deepEqual(octetsOf(dir), earlier)
    })

  it('tells in one line what another user may not write, and changes nothing', async (t) => {
    if (!(await canBeNobody())) return t.skip(NEEDS_NOBODY)
    chmodSync(root, 0o755)
    const nobodys = (...kept: string[]) =>
      copyOf((dir) => {
        for (const name of ['', ...Object.keys(octetsOf(dir))])
          if (!kept.some((one) => name === one || name.startsWith(`${one}/`)))
            chownSync(join(dir, name), NOBODY, NOBODY)
      })
    const cases: readonly [dir: string, path: string][] = [
      [copyOf(), ''],
      [nobodys('gateway'), 'gateway'],
      [nobodys('store/mailbox.db'), 'store/mailbox.db'],
      [nobodys('control/settings.db'), 'control/settings.db'],
    ]
    for (const [dir, path] of cases) {
      const earlier = octetsOf(dir)
      const args = [...AS_NOBODY, START, '--data', dir]
      const { status, stdout, stderr } = await runProgram('setpriv', args)
      assert.equal(status, 1, stderr)
      assert.equal(stdout, '')
      assert.match(stderr, /^[^\n]+cannot be written \(EACCES\)[^\n]+\n$/)
      assert.ok(stderr.startsWith(`${join(dir, path)}: `), stderr)
      assert.deepEqual(octetsOf(dir), earlier)
    }
  })

  it('makes no folder where it may not', async (t) => {
    if (!(await canBeNobody())) return t.skip(NEEDS_NOBODY)
    const dir = join(root, 'absent', 'below')
    const { status, stderr } = await runProgram('setpriv', [...AS_NOBODY, START, '--data', dir])
    assert.equal(status, 1)
    assert.match(stderr, /the data folder cannot be written \(EACCES\)/)
    assert.equal(readdirSync(root).includes('absent'), false)
  })
})

const NEEDS_NOBODY = 'needs root, setpriv, and a repository that others can read'

/** Whether this machine lets us be another user who can run what stands here. */
const canBeNobody = (): Promise<boolean> =>
  runProgram('setpriv', [...AS_NOBODY, '-e', `fs.readFileSync('${START}')`]).then(
    ({ status }) => status === 0,
    () => false,
  )

/** A first start, killed with all its processes once `path` stands; its port offset. */
async function killedOnce(dir: string, path: string): Promise<number> {
  for (;;) {
    const offset = await freeOffset()
    const args = [START, '--data', dir, '--port-offset', String(offset), '--bind', '127.0.0.1']
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    const ended = once(child, 'close')
    await until(path, () => existsSync(path) || child.exitCode !== null)
    for (const { pid } of descendants(child.pid ?? 0))
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // ended meanwhile
      }
    await ended
    // Else another test took a port since it was looked at: such a start leaves no trace.
    if (existsSync(path)) return offset
  }
}

describe('a first start that is killed half-way', () => {
  for (const file of ['first-run.json', 'host.yaml', 'control/directory.db', 'store/mailbox.db'])
    it(`once ${file} stands, is made up for by the next one`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'watari-killed-'))
      try {
        const offset = await killedOnce(dir, join(dir, file))
        const watari = await install({ dir, bind: ['127.0.0.1'], offset })
        try {
          const client = await imap(watari, 'hanako')
          assert.equal(await countOf(client, 'INBOX'), 0)
          await client.logout()
        } finally {
          assert.equal(await watari.stop(), 0)
        }
      } finally {
        rmSync(dir, { recursive: true, force: true })
      }
    })
})
