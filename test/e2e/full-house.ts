import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'

import { HOUR_MS, MINUTE_MS, systemClock } from '#base/time.ts'
import type { KeyPin } from '#base/pin.ts'
import type { Address } from '#model/address.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { NodeId } from '#model/event.ts'
import { openDatabase } from '#store/db/database.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'
import { QueueNumbers } from '#store/spool/queue-id.ts'
import { insertMessage, SPOOL_MIGRATIONS, stateCode } from '#store/spool/rows.ts'
import type { StoredState } from '#store/spool/rows.ts'

import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { webOrigin } from './jmap.ts'

/** Writes at once: each waits for the roles' word that they have it. */
const TOGETHER = 8
const OCTETS = 4_321

export interface House extends Installation {
  /** Asks `/api/v1` with the first token; throws what it refuses. */
  api(method: string, path: string, body?: unknown): Promise<unknown>
}

export interface Sizes {
  readonly people: number
  readonly aliases: number
  readonly queued: number
  readonly generations: number
}

/**
 * An installation as years of use leave it: people, aliases, forwards, routes, a queue with messages in
 * every state, a history of settings, one node that has fallen silent.
 */
export async function fullHouse(sizes: Sizes): Promise<House> {
  const it = await install()
  const hole = await blackHole()
  await it.stop()
  fillQueue(it.dir, sizes.queued)
  await addSilentNode(it.dir)
  await changeSettings(it.dir, sizes.generations)
  await it.start()
  const api = apiOf(it)
  await api('PUT', '/routes/slow.example', { nextHop: `smtp:127.0.0.1:${hole.port}` })
  await api('PUT', '/routes/far.example', { nextHop: 'smtp:127.0.0.1:1' })
  await api('PUT', '/routes/' + encodeURIComponent('kept@far.example'), { nextHop: 'hold' })
  await people(api, sizes.people)
  await each(sizes.aliases, (n) =>
    api('POST', '/aliases', {
      from: n === 3 ? `${'nagai-namae-no-'.repeat(4)}${n}` : `office-${n}`,
      to: [`person-${n % sizes.people}`, ...(n % 5 === 0 ? [`外部${n}@far.example`] : [])],
    }),
  )
  return {
    ...it,
    api,
    remove: async () => {
      hole.close()
      await it.remove()
    },
  }
}

const FAMILIES = ['山田', '佐々木', '勅使河原', '小鳥遊', '渡', 'Fitzgerald-Montgomery']
const GIVEN = ['花子', '太郎', '龍之介', 'さくら', 'Maximilian Alexander']

async function people(api: House['api'], count: number): Promise<void> {
  // A brought-in hash costs nothing to make.
  const salt = Buffer.from('塩')
  const digest = createHash('sha1').update('パスワード').update(salt).digest()
  const passwordHash = `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`
  await each(count, async (n) => {
    const address = n === 2 ? `${'totemo-nagai-username-'.repeat(2)}${n}` : `person-${n}`
    await api('POST', '/users', {
      address,
      passwordHash,
      name: `${FAMILIES[n % FAMILIES.length]} ${GIVEN[n % GIVEN.length]}`,
      ...(n % 7 === 0 && { addresses: [`p${n}@campus.example`, `staff.${n}@campus.example`] }),
    })
    if (n % 11 === 0) await api('PATCH', `/users/${address}`, { disabled: true })
    if (n % 13 === 0)
      await api('PUT', `/users/${address}/forward`, { to: [`${n}@far.example`], keep: n % 2 === 0 })
  })
}

async function each(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n).values()
  const run = async (): Promise<void> => {
    for (const n of numbers) await work(n)
  }
  await Promise.all(Array.from({ length: TOGETHER }, run))
}

function apiOf(it: Installation): House['api'] {
  const origin = webOrigin(it)
  return async (method, path, body) => {
    const response = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${it.firstRun.apiToken}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`)
    return response.json()
  }
}

const STATES: readonly StoredState[] = ['ready', 'held', 'failed', 'dropped', 'delivered']
const WHY = [
  '451 4.7.1 Greylisted, try again later / しばらくしてからお試しください',
  '421 4.4.2 connection timed out',
  '450 4.2.2 メールボックスが一杯です',
] as const

/** Rows as a gateway leaves them; nobody asks for their octets. */
function fillQueue(dir: string, count: number): void {
  const path = join(dir, 'gateway', 'spool.db')
  const db = openDatabase({ path, kind: 'spool', migrations: SPOOL_MIGRATIONS })
  const numbers = new QueueNumbers(0)
  const nowMs = Date.now()
  const update = db.query(
    'UPDATE recipient SET state = ?, due_ms = ?, attempts = ?, last_status = ?, hold = ? WHERE message = ? AND place = ?',
  )
  db.transaction(() => {
    for (let n = 0; n < count; n++) {
      const receivedAtMs = nowMs - (count - n) * MINUTE_MS
      const number = numbers.next(receivedAtMs)
      const recipients = recipientsOf(n)
      insertMessage(
        db,
        number,
        {
          deliveryId: `D${number}` as DeliveryId,
          door: n % 3 === 0 ? 'submission' : 'mx',
          reversePath: n % 17 === 0 ? null : senderOf(n),
          recipients: recipients.map(({ address }) => ({ address })),
          body: '8bitmime',
          smtpUtf8: false,
          receivedAtMs,
          expiresAtMs: nowMs + 96 * HOUR_MS,
          content: { octets: [] },
        },
        { kind: 'segment', file: 1, offset: n * OCTETS, length: OCTETS + n },
      )
      for (const [place, { state, isDue }] of recipients.entries())
        update.run(
          stateCode(state),
          isDue ? nowMs : nowMs + HOUR_MS + n,
          isDue ? 0 : 1 + (n % 4),
          isDue || state === 'held' ? null : WHY[n % WHY.length]!,
          state === 'held' ? 'ウイルスの疑い (暗号化された添付ファイル)' : null,
          number,
          place,
        )
    }
  })
  db.close()
}

interface To {
  readonly address: Address
  readonly state: StoredState
  readonly isDue: boolean
}

function recipientsOf(n: number): readonly To[] {
  const of = (localpart: string, domain: string): Address => ({ localpart, domain })
  // What is due goes to a server that never answers: it stays under way.
  if (n % 500 === 1)
    return [{ address: of(`slow${n}`, 'slow.example'), state: 'ready', isDue: true }]
  const first = n % 3 === 0 ? 'held' : 'ready'
  const open: To = {
    address: of(`to${n}`, DOMAINS[n % DOMAINS.length]!),
    state: first,
    isDue: false,
  }
  const ended: To = {
    address: of(`外部${n}`, 'far.example'),
    state: STATES[n % STATES.length]!,
    isDue: false,
  }
  return n % 4 === 0 ? [open, ended] : [open]
}

const DOMAINS = ['far.example', 'docomo.example', '大学.example', 'campus.example']

const senderOf = (n: number): Address => ({
  localpart: n % 29 === 0 ? `${'mailing-list-bounces+'.repeat(3)}${n}` : `sender${n % 100}`,
  domain: 'example.org',
})

/** A node that has joined and was never heard of again. */
async function addSilentNode(dir: string): Promise<void> {
  const registry = new SqliteNodeRegistry(join(dir, 'control', 'nodes.db'))
  const secretSha256 = 'ab'.repeat(32)
  const nowMs = Date.now()
  await registry.issue({
    name: 'gateway-tokyo-2' as NodeId,
    role: 'gateway',
    secretSha256,
    expiresAtMs: nowMs + HOUR_MS,
  })
  await registry.join({
    secretSha256,
    pin: 'cd'.repeat(32) as KeyPin,
    address: '127.0.0.1',
    port: 1,
    nowMs,
  })
  registry.close()
}

/** Written by the one writer itself, while nothing runs: no role has to say that it has each of them. */
async function changeSettings(dir: string, generations: number): Promise<void> {
  const store = new SqliteSettingsStore(join(dir, 'control', 'settings.db'))
  const master = new SettingsMaster({ store, clock: systemClock })
  await master.load()
  for (let n = 0; n < generations; n++) {
    const edits = { 'received.max': 50 + (n % 40), 'smtp.recipientsMax': 500 + (n % 9_000) }
    const done = await master.set(edits, { by: { who: 'admin', from: 'console 192.0.2.9' } })
    if (!done.ok) throw new Error(done.error.message)
  }
  store.close()
}

/** Takes connections and says nothing. */
async function blackHole(): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
