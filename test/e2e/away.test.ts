import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation, Ran } from './installation.ts'
import { Ledger } from './ledger.ts'
import { countOf, imap, smtpSend } from './mail.ts'
import { rolePid, stopped } from './processes.ts'
import { sendBy } from './wire.ts'

const WAIT_MS = 90_000
/** What is promised while a role is away, at least. */
const PROMISED = 60
/** How often control is killed while it is kept away. */
const KILLS = 4

/** What the API answers over HTTPS. */
function api(
  watari: Installation,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: watari.port(443),
        method,
        path: `/api/v1${path}`,
        ca: watari.ca,
        servername: 'localhost',
        agent: false,
        headers: {
          authorization: `Bearer ${watari.firstRun.apiToken}`,
          'content-type': 'application/json',
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => (text += piece))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    asked.once('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

describe('while a role is away', () => {
  let watari: Installation
  let sent = 0
  /** One for all tests: its numbers never come twice. */
  const ledger = new Ledger()
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    for (const setting of [
      ['judge.enabled', 'false'],
      ['queue.retryMs', '1s'],
    ]) {
      const set = await watari.watari(['settings', 'set', ...setting])
      assert.equal(set.status, 0, set.stderr)
    }
  })
  after(() => watari.remove())

  const isReady = async (): Promise<boolean> => {
    const { status, stdout } = await watari.watari(['status', '--json'])
    return status === 0 && !/"state": ?"(?!ready)/.test(stdout)
  }
  const setRetries = (value: string): Promise<Ran> =>
    watari.watari(['settings', 'set', 'queue.retryMs', value])

  /** Mail from outside and of a user arrives; people log in with nothing remembered of them. */
  const mailGoesOn = async (username: string): Promise<void> => {
    const client = await imap(watari, username)
    try {
      const earlier = await countOf(client, 'INBOX')
      const subject = `n${++sent}`
      const content = `From: <taro@campus.example>\r\nSubject: ${subject}\r\n\r\n会議\r\n`
      const received = await smtpSend(watari.port(25), {
        from: 'a@other.example',
        to: [`${username}@campus.example`],
        content,
      })
      assert.match(received, /^250/)
      const submitted = await sendBy(
        {
          port: watari.port(465),
          tls: 'implicit',
          ca: watari.ca,
          login: { user: 'taro', password: watari.password('taro') },
        },
        { from: 'taro@campus.example', to: `${username}@campus.example`, content },
      )
      assert.match(submitted, /^250/)
      await until('both are filed', async () => (await countOf(client, 'INBOX')) === earlier + 2)
    } finally {
      await client.logout()
    }
  }

  it('control stopped: mail and logins go on, a change is refused and says why', async (t) => {
    const generation = async (): Promise<unknown> =>
      (JSON.parse((await api(watari, 'GET', '/settings')).text) as { generation: unknown })
        .generation
    const earlier = await generation()
    await stopped([rolePid(watari, 'control')], async () => {
      await mailGoesOn('admin')
      const beganMs = Date.now()
      const [byLine, byApi] = await Promise.all([
        setRetries('2s'),
        api(watari, 'PATCH', '/settings', { values: { 'queue.retryMs': '2s' } }),
      ])
      t.diagnostic(`refused after ${Date.now() - beganMs} ms`)
      assert.equal(byLine.status, 1)
      assert.match(byLine.stderr, /^[^\n]*control does not answer[^\n]*\n$/)
      assert.equal(byApi.status, 503, byApi.text)
      assert.match(byApi.text, /"code":"unavailable".*"remedy":/)
      await mailGoesOn('admin')
    })
    await until('control answers', isReady, WAIT_MS)
    assert.equal(await generation(), earlier, 'what was refused is not done afterwards')
    const set = await setRetries('1s')
    assert.equal(set.status, 0, set.stderr)
  })

  it('control killed again and again: the same', async (t) => {
    let kills = 0
    let last = 0
    const killer = setInterval(() => {
      try {
        const control = rolePid(watari, 'control')
        process.kill(control, 'SIGKILL')
        if (control !== last) kills++
        last = control
      } catch {
        // not there now
      }
    }, 20)
    try {
      await until('it is killed', () => kills > 0)
      await mailGoesOn('admin')
      const refused = await setRetries('2s')
      assert.equal(refused.status, 1)
      assert.match(refused.stderr, /^[^\n]*control does not answer[^\n]*\n$/)
      await until('it is killed often', () => kills >= KILLS)
      await mailGoesOn('admin')
    } finally {
      clearInterval(killer)
    }
    t.diagnostic(`killed ${kills} times`)
    await until('control answers', isReady, WAIT_MS)
    const set = await setRetries('1s')
    assert.equal(set.status, 0, set.stderr)
  })

  /** Under load, `victims` are held still until `seen` what they cause; then all is there, once. */
  const once = async (
    victims: readonly number[],
    seen: (earlier: number) => Promise<boolean> | boolean,
  ): Promise<string> => {
    ledger.start(watari, 4)
    try {
      const first = ledger.promised.size
      await until('mail flows', () => ledger.promised.size > first + PROMISED, WAIT_MS)
      const earlier = ledger.promised.size
      await stopped(victims, () => until('it is felt', () => seen(earlier), WAIT_MS))
      const later = ledger.promised.size
      await until('mail flows again', () => ledger.promised.size > later + PROMISED, WAIT_MS)
    } finally {
      await ledger.stop()
    }
    const { promised, lost } = await ledger.audit(watari)
    assert.deepEqual(lost, [])
    return `${promised} promised, ${lost.length} lost, none twice`
  }

  it('the store stopped: the gateway queues, and delivers each mail once afterwards', async (t) => {
    const seen = (earlier: number): boolean => ledger.promised.size > earlier + PROMISED
    t.diagnostic(await once([rolePid(watari, 'store')], seen))
  })

  it(`the store's storage stopped: what it was late with is not filed twice`, async (t) => {
    const seen = async (): Promise<boolean> => {
      const { stdout } = await watari.watari(['queue', 'ls', '--json'])
      return /"attempts": ?[1-9]/.test(stdout)
    }
    t.diagnostic(await once([rolePid(watari, 'mailbox')], seen))
  })

  it('the gateway stopped: mailboxes are read and written, its queue is said to be away', async (t) => {
    const seen = async (): Promise<boolean> => {
      const client = await imap(watari, 'taro')
      await client.append('INBOX', 'Subject: 会議\r\n\r\n水曜日\r\n')
      const queue = await watari.watari(['queue', 'ls'])
      assert.match(queue.stdout, /^gateway does not answer: /m)
      const set = await setRetries('1s,2s')
      assert.equal(set.status, 0)
      assert.match(set.stderr, /gateway has not taken it yet/)
      await client.logout()
      return true
    }
    t.diagnostic(await once([rolePid(watari, 'gateway')], seen))
  })
})
