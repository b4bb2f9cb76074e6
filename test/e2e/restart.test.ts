import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { MAILS, sha256, utf8 } from './mails.ts'
import { descendants } from './processes.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { wire } from './wire.ts'

const OK = /^t\d+ OK /m

describe('a restart', () => {
  let watari: Installation
  before(async () => {
    watari = await install()
    const client = await rawImap(watari, 'hanako')
    try {
      await furnish(client)
    } finally {
      client.close()
    }
  })
  after(() => watari.remove())

  /** As soon as the store serves again. */
  const factsThen = async (): Promise<readonly string[]> => {
    let now: readonly string[] = []
    await until('the store serves', async () => {
      now = await everything(watari).catch(() => [])
      return now.length > 0
    })
    return now
  }

  it('changes no mailbox, number, flag, subscription or octet', async (t) => {
    const before = await everything(watari)
    assert.ok(before.length > 40)
    assert.equal(await watari.stop(), 0)
    await watari.start()
    assert.deepEqual(await factsThen(), before)
    t.diagnostic(`${before.length} facts as before`)
  })

  it('nor does kill -9 of the store or of its storage, and what comes then is numbered on', async (t) => {
    for (const victim of [/\/store\.ts$/, /^watari storage mailbox/]) {
      const before = await everything(watari)
      const client = await rawImap(watari, 'hanako')
      const promised = await client.append('INBOX', utf8('落ちる直前\r\n'), '(\\Answered)')
      assert.match(promised, OK)
      const found = descendants(watari.pid()).filter(({ command }) => victim.test(command))
      assert.equal(found.length, 1)
      process.kill(found[0]?.pid ?? 0, 'SIGKILL')
      client.close()
      const now = await factsThen()
      const added = now.filter((fact) => !before.includes(fact))
      const gone = before.filter((fact) => !now.includes(fact))
      // INBOX's own line, and its new message with its UIDL.
      assert.equal(gone.length, 1, gone.join('\n').slice(0, 1_000))
      assert.equal(added.length, 3, added.join('\n').slice(0, 1_000))
      assert.ok(added.some((fact) => fact.includes(sha256(utf8('落ちる直前\r\n')))))
    }
    t.diagnostic(`${(await everything(watari)).length} facts in the end`)
  })

  it('nor does the loss of mailbox.db: a start is refused until it is made anew', async (t) => {
    const client = await rawImap(watari, 'hanako')
    for (const command of ['SELECT INBOX', 'UID STORE 1 +FLAGS (\\Flagged)', 'CREATE "最後"'])
      await ask(client, command)
    assert.match(await client.append('INBOX', utf8('失う直前\r\n')), OK)
    client.close()
    const before = await everything(watari)
    for (const { pid } of descendants(watari.pid())) process.kill(pid, 'SIGKILL')
    await watari.stop()
    const store = join(watari.dir, 'store')
    for (const name of readdirSync(store))
      if (name.startsWith('mailbox.db')) rmSync(join(store, name))

    await assert.rejects(watari.start(), /mailbox\.db: is missing.*`watari store rebuild`/)
    const dry = await watari.watari(['store', 'rebuild', '--dry-run', '--json'])
    assert.equal(dry.status, 0, dry.stderr)
    assert.deepEqual(
      (({ proves, dryRun }: { proves?: unknown; dryRun?: unknown }) => [proves, dryRun])(
        JSON.parse(dry.stdout) as object,
      ),
      ['whole', true],
    )
    const made = await watari.watari(['store', 'rebuild'])
    assert.equal(made.status, 0, made.stderr)
    assert.match(made.stdout, /^brought back \d+ messages of \d+ accounts?\n/)
    const needless = await watari.watari(['store', 'rebuild'])
    assert.equal(needless.status, 1)
    assert.match(needless.stderr, /^watari: .*mailbox\.db shows no damage\. Start it as it is/)

    await watari.start()
    assert.deepEqual(await factsThen(), before)
    const running = await watari.watari(['store', 'rebuild', '--force'])
    assert.equal(running.status, 1)
    assert.match(running.stderr, /Stop all roles on this folder first\./)
    t.diagnostic(`${before.length} facts as before`)
  })
})

/** A command's answer; throws where it is not OK: while the store comes back, it says so. */
async function ask(client: RawImap, command: string): Promise<string> {
  const answer = await client.command(command)
  if (!OK.test(answer)) throw new Error(`${command}: ${answer.split('\n').at(-1)}`)
  return answer
}

/** Mailboxes and messages of every kind, some gone again. */
async function furnish(client: RawImap): Promise<void> {
  const commands = [
    'CREATE "会議/議事録"',
    'CREATE "消える"',
    'SUBSCRIBE "会議/議事録"',
    'SUBSCRIBE "消える"',
    'UNSUBSCRIBE Sent',
    'DELETE "消える"',
    'CREATE "消える"',
    'RENAME "消える" "残る"',
  ]
  for (const command of commands) await ask(client, command)
  for (const mailbox of ['INBOX', '"会議/議事録"'])
    for (const content of Object.values(MAILS)) {
      const answer = await client.append(mailbox, content, '(\\Seen)')
      assert.match(answer, OK)
    }
  const changes = [
    'SELECT INBOX',
    'STORE 1,3 +FLAGS (\\Flagged $Forwarded Project)',
    'STORE 2 FLAGS ()',
    'STORE 5:6 +FLAGS (\\Deleted)',
    'UID EXPUNGE 5',
    'UID MOVE 7 "会議/議事録"',
    'UID COPY 8 "残る"',
    'UNSELECT',
  ]
  for (const command of changes) await ask(client, command)
}

/** All that a client may remember of an account, one line a fact. */
async function everything(watari: Installation): Promise<string[]> {
  const client = await rawImap(watari, 'hanako')
  try {
    const facts: string[] = []
    for (const line of (await ask(client, 'LIST "" "*" RETURN (SUBSCRIBED)')).split('\n')) {
      const name = /^\* LIST \(.*?\) "\/" (.*)$/.exec(line)?.[1]
      if (name === undefined) continue
      const items = 'MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ MAILBOXID SIZE'
      facts.push(line, (await ask(client, `STATUS ${name} (${items})`)).split('\n')[0] ?? '')
      await ask(client, `EXAMINE ${name}`)
      facts.push(...(await messagesOf(client)).map((message) => `${name} ${message}`))
    }
    facts.push(...(await ask(client, 'LSUB "" "*"')).split('\n').slice(0, -1))
    return [...facts, ...(await uidlsOf(watari))]
  } finally {
    client.close()
  }
}

async function messagesOf(client: RawImap): Promise<string[]> {
  const answer = await ask(client, 'UID SEARCH ALL')
  const uids = /^\* SEARCH ([\d ]+)/m.exec(answer)?.[1]?.split(' ') ?? []
  const found: string[] = []
  for (const uid of uids) {
    const items = 'FLAGS INTERNALDATE MODSEQ EMAILID THREADID ENVELOPE BODY.PEEK[]'
    const fetched = await ask(client, `UID FETCH ${uid} (${items})`)
    const [head = '', octets = ''] = fetched.split(/ BODY\[\] (?:""|\{\d+\}\r\n)/)
    const content = Buffer.from(octets.replace(/\)\nt\d+ OK [^]*$/, ''), 'latin1')
    found.push(`${head} ${sha256(content)}`)
  }
  return found
}

async function uidlsOf(watari: Installation): Promise<string[]> {
  const pop = await wire(watari.port(995), { tlsCa: watari.ca })
  try {
    await pop.until(/\r\n/)
    pop.send(`USER hanako\r\nPASS ${watari.password('hanako')}\r\nUIDL\r\nQUIT\r\n`)
    await pop.until(/\+OK[^\n]*\r\n\+OK[^\n]*\r\n\+OK[^\n]*\r\n/)
    return (await pop.until(/(?:^|\r\n)\.\r\n/)).split('\r\n').slice(0, -2)
  } finally {
    pop.close()
  }
}
