import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import type { EmailId, MailboxPath, ThreadId, Uid } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { HANAKO, ask, fill, mailboxId, many, pop3Room, uidsLeft } from '#test/fake/pop3-room.ts'

const JUNK: readonly MailboxPath[] = [['Junk'], ['Junk', 'SPAM'], ['Junk', '広告', '懸賞']]
const mail = (text: string): Uint8Array => fromUtf8(`Subject: x\r\n\r\n${text}\r\n`)

async function change(store: FakeMailboxStore, ...changes: MailboxChange[]): Promise<void> {
  const { results } = await store.commit({
    contents: [],
    commits: [{ accountId: HANAKO, changes }],
  })
  assert.equal(results[0]?.kind, 'committed')
}

/** Numbers and ids of a listing. */
const uidls = async (client: Parameters<typeof many>[0]): Promise<string[]> => {
  const lines = (await many(client, 'UIDL')).split('\r\n').slice(0, -2)
  return lines.map((line, index) => {
    const [number, id = ''] = line.split(' ')
    assert.equal(number, String(index + 1))
    return id
  })
}

test('Junk is left out, or comes after INBOX with all that lies below it', async (t) => {
  let withJunk = false
  const { store, login } = await pop3Room(t, { withJunk: () => withJunk })
  await fill(store, [mail('受信箱 1'), mail('受信箱 2')])
  for (const path of JUNK) await fill(store, [mail(path.join('/'))], { path })
  await fill(store, [mail('無関係')], { path: ['Junkyard'] })
  await fill(store, [mail('無関係')], { path: ['Archive'] })

  const without = await login()
  assert.match(await ask(without, 'STAT'), /^\+OK 2 /)
  const [first, second] = await uidls(without)
  await ask(without, 'QUIT')

  withJunk = true
  const client = await login()
  const all = await uidls(client)
  assert.equal(all.length, 5)
  assert.deepEqual(all.slice(0, 2), [first, second])
  assert.equal(new Set(all).size, 5)
  for (const [index, text] of ['受信箱 1', '受信箱 2', ...JUNK.map((p) => p.join('/'))].entries()) {
    assert.equal(await many(client, `RETR ${index + 1}`), `${toLatin1(mail(text))}.\r\n`)
    assert.equal(await ask(client, `UIDL ${index + 1}`), `+OK ${index + 1} ${all[index]}`)
    assert.equal(await ask(client, `LIST ${index + 1}`), `+OK ${index + 1} ${mail(text).length}`)
  }
  // What arrives meanwhile has no number in this session.
  await fill(store, [mail('後から')])
  assert.match(await ask(client, 'RETR 6'), /^-ERR/)
  for (const number of [1, 3, 5]) await ask(client, `DELE ${number}`)
  const left = [1, 3].map((index) => mail(['', '受信箱 2', '', 'Junk/SPAM'][index]!).length)
  assert.equal(await ask(client, 'STAT'), `+OK 2 ${left[0]! + left[1]!}`)
  assert.equal(await many(client, 'LIST'), `2 ${left[0]}\r\n4 ${left[1]}\r\n.\r\n`)
  assert.match(await ask(client, 'QUIT'), /^\+OK/)
  assert.deepEqual(await uidsLeft(store), [2, 3])
  for (const [index, path] of JUNK.entries())
    assert.deepEqual(await uidsLeft(store, path), index === 1 ? [1] : [])

  const again = await login()
  const after = await uidls(again)
  assert.deepEqual([after[0], after[2]], [second, all[3]])
  assert.ok(!all.includes(after[1]!))
})

test('a mailbox below Junk that is deleted meanwhile holds up no deletion', async (t) => {
  const { store, login } = await pop3Room(t, { withJunk: () => true })
  await fill(store, [mail('受信箱')])
  await fill(store, [mail('広告')], { path: ['Junk', '広告'] })
  const client = await login()
  for (const number of [1, 2]) assert.match(await ask(client, `DELE ${number}`), /^\+OK/)
  await change(store, { kind: 'delete', mailboxId: await mailboxId(store, ['Junk', '広告']) })
  assert.match(await ask(client, 'QUIT'), /^\+OK/)
  assert.deepEqual(await uidsLeft(store), [])
})

test('ids that were brought along are listed as they came, once, also after COPY and MOVE', async (t) => {
  const { store, login } = await pop3Room(t, { withJunk: () => true })
  const old = ['0000000a4f1c', '<x@old.example>', 'a'.repeat(70)]
  await fill(store, old.map(mail), { uidls: old })
  const [inbox, junk] = [await mailboxId(store, ['INBOX']), await mailboxId(store, ['Junk'])]
  const uids = [1 as Uid]
  const to = { id: junk }
  await change(
    store,
    { kind: 'copy', from: inbox, uids, to },
    { kind: 'copy', from: inbox, uids, to: { id: inbox } },
    { kind: 'move', from: inbox, uids: [2 as Uid], to },
  )
  const client = await login()
  const found = await uidls(client)
  assert.deepEqual([found[0], found[1], found[4]], [old[0], old[2], old[1]])
  assert.equal(new Set(found).size, 5)
  for (const id of found) assert.match(id, /^[\x21-\x7e]{1,70}$/)
  await ask(client, 'QUIT')
  assert.deepEqual(await uidls(await login()), found)
})

test('what IMAP expunges during the session keeps its number and its id, and is read while it is there', async (t) => {
  const { store, login } = await pop3Room(t)
  await fill(store, [mail('一'), mail('二'), mail('三')])
  const client = await login()
  const before = await uidls(client)
  const inbox = await mailboxId(store, ['INBOX'])
  await change(store, { kind: 'expunge', mailboxId: inbox, uids: [2 as Uid], deletedOnly: false })
  assert.deepEqual(await uidls(client), before)
  assert.match(await ask(client, 'STAT'), /^\+OK 3 /)
  assert.equal(await many(client, 'RETR 2'), `${toLatin1(mail('二'))}.\r\n`)
  store.clock.advance(100 * 24 * 3_600_000)
  await store.purge({ beforeMs: store.clock.nowMs() })
  assert.equal(new Set(await uidls(client)).size, 3)
  for (const number of [1, 2]) assert.match(await ask(client, `DELE ${number}`), /^\+OK/)
  assert.match(await ask(client, 'QUIT'), /^\+OK/)
  assert.deepEqual(await uidsLeft(store), [3])
})

test('who vanishes amid RETR deletes nothing and keeps nobody out', async (t) => {
  const clock = new FakeClock()
  const { store, login, listener } = await pop3Room(t, { clock })
  await fill(store, [mail('渡り鳥が渡る。\r\n'.repeat(1_000_000)), mail('次')])
  for (const how of ['cut', 'silent'] as const) {
    const client = await login()
    assert.match(await ask(client, 'DELE 2'), /^\+OK/)
    client.socket.pause()
    client.send('RETR 1\r\nQUIT\r\n')
    if (how === 'cut') client.socket.resetAndDestroy()
    while (listener.connections() > 0) {
      if (how === 'silent') clock.advance(SECOND_MS)
      await new Promise(setImmediate)
    }
    assert.deepEqual(await uidsLeft(store), [1, 2])
    client.end()
  }
  const next = await login()
  assert.match(await ask(next, 'STAT'), /^\+OK 2 /)
  assert.match(await ask(next, 'QUIT'), /^\+OK/)
})

test('QUIT with a store in trouble says [SYS/TEMP], deletes nothing, and lets the next one in', async (t) => {
  const { store, login } = await pop3Room(t)
  await fill(store, [mail('一'), mail('二')])
  for (const code of ['stalled', 'io', 'full'] as const) {
    const client = await login()
    await ask(client, 'DELE 1')
    store.fault = new Fault(code, 'no disk')
    assert.match(await ask(client, 'QUIT'), /^-ERR \[SYS\/TEMP\]/)
    store.fault = undefined
    assert.deepEqual(await uidsLeft(store), [1, 2])
    const next = await login() // at once: the answer came after the lock was freed
    await ask(next, 'QUIT')
  }
})

test('a message of 50 MB comes whole, with two pieces of it in memory at most', async (t) => {
  const { store, login } = await pop3Room(t)
  const content = fromUtf8(
    `Subject: 長い\r\n\r\n${'.渡り鳥が渡る、海を越えて。\r\n'.repeat(1_250_000)}`,
  )
  await fill(store, [content])
  const client = await login()
  client.socket.removeAllListeners('data')
  client.send('RETR 1\r\n')
  const hash = createHash('sha256')
  let tail = ''
  for await (const chunk of client.socket.iterator({ destroyOnReturn: false })) {
    hash.update(chunk as Buffer)
    tail = (tail + (chunk as Buffer).toString('latin1')).slice(-5)
    if (tail === '\r\n.\r\n') break
  }
  const stuffed = toLatin1(content).replaceAll('\r\n.', '\r\n..')
  const expected = `+OK ${content.length} octets\r\n${stuffed}.\r\n`
  assert.ok(content.length > 50_000_000)
  assert.equal(hash.digest('hex'), createHash('sha256').update(expected, 'latin1').digest('hex'))
  assert.ok(store.readsAtOnceMax <= 2)
})

const MANY = 1_000_000

/** INBOX as if it held a million messages. */
function manyMessages(store: FakeMailboxStore): { readonly asked: () => number } {
  const { view } = store
  let asked = 0
  store.view = async (ask) => {
    const small = (await view(ask))!
    const uids = Uint32Array.from({ length: MANY }, (_, index) => index + 1)
    return { ...small, uids, sizes: new Float64Array(MANY).fill(3_400) }
  }
  store.ids = async ({ uids }) => {
    asked++
    const named = { emailId: 'E' as EmailId, threadId: 'T' as ThreadId }
    return { ids: uids.map((uid) => ({ ...named, uid, uidl: `B6ATH9SN1.${uid.toString(36)}` })) }
  }
  return { asked: () => asked }
}

test('LIST and UIDL of 1,000,000 messages go out piece by piece', async (t) => {
  const { store, login } = await pop3Room(t)
  const { asked } = manyMessages(store)
  const client = await login()
  assert.equal(await ask(client, 'STAT'), `+OK ${MANY} ${MANY * 3_400}`)
  client.socket.removeAllListeners('data')
  for (const [command, last] of [
    ['LIST', `${MANY} 3400`],
    ['UIDL', `${MANY} B6ATH9SN1.${MANY.toString(36)}`],
  ] as const) {
    client.send(`${command}\r\n`)
    let lines = 0
    let tail = ''
    for await (const chunk of client.socket.iterator({ destroyOnReturn: false })) {
      const octets = chunk as Buffer
      for (let at = octets.indexOf(10); at >= 0; at = octets.indexOf(10, at + 1)) lines++
      tail = (tail + octets.toString('latin1')).slice(-60)
      if (tail.endsWith('\r\n.\r\n')) break
    }
    assert.equal(lines, MANY + 2, command)
    assert.ok(tail.endsWith(`\r\n${last}\r\n.\r\n`), tail)
  }
  assert.equal(asked(), MANY / 1_000)
})

test('who does not read its UIDL has a store asked for no more than fits on the way, and is cut off', async (t) => {
  const clock = new FakeClock()
  const { store, login, listener } = await pop3Room(t, { clock })
  const { asked } = manyMessages(store)
  const client = await login()
  client.socket.pause()
  client.send('UIDL\r\n')
  while (listener.connections() > 0) {
    if (asked() > 0) clock.advance(SECOND_MS)
    await new Promise(setImmediate)
  }
  assert.ok(asked() < MANY / 1_000, `${asked()} calls`)
})

test('a store that falls silent amid UIDL ends the connection: half a listing is none', async (t) => {
  const { store, login } = await pop3Room(t)
  manyMessages(store)
  const { ids } = store
  let calls = 0
  store.ids = async (request) => {
    if (++calls > 3) throw new Fault('stalled', 'frozen')
    return ids(request)
  }
  const client = await login()
  client.send('UIDL\r\n')
  assert.doesNotMatch(await client.closed(), /\r\n\.\r\n/)
  calls = 3
  const next = await login()
  assert.match(await ask(next, 'UIDL'), /^-ERR \[SYS\/TEMP\]/)
  assert.match(await ask(next, 'UIDL 5'), /^-ERR \[SYS\/TEMP\]/)
})
