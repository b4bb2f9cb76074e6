import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestContext } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { Ledger } from './ledger.ts'
import { loopDisk } from './loop-disk.ts'
import type { LoopDisk } from './loop-disk.ts'
import { imap, lineClient, smtpSend } from './mail.ts'
import { descendants } from './processes.ts'
import { isReady, mail, offer, readiness } from './store-on-disk.ts'

const CUTS = Number(process.env['WATARI_POWER_CUTS'] ?? 5)
const PROMISED_A_CUT = 50
const WAIT_MS = 90_000
/** Below the least reserve, 128 MiB. */
const LEFT_BYTES = 64 * 1024 * 1024
/** Without syncing a loss is all but certain; a lucky cut is tried again. */
const CUTS_UNSYNCED_MAX = 5
/** How long what was promised may stay away before it counts as lost, where a loss is expected. */
const UNSYNCED_WAIT_MS = 15_000
const READY_RED_MS = 30_000

/** kill -9 of all at once, as when the machine's power goes. */
async function killAll(watari: Installation): Promise<void> {
  const processes = descendants(watari.pid())
  for (const { pid } of processes)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  await watari.stop()
}

const sendOne = (watari: Installation, subject: string): Promise<string> =>
  smtpSend(watari.port(25), {
    from: 'a@other.example',
    to: ['taro@campus.example'],
    content: mail(subject),
  }).catch((thrown: unknown) => String(thrown))

/** The reply that keeps a mail out before its content is sent; '' where none does. */
async function refusedBeforeData(watari: Installation): Promise<string> {
  const client = await lineClient(watari.port(25))
  try {
    let reply = await client.reply()
    for (const line of [
      'EHLO client.example',
      'MAIL FROM:<a@other.example>',
      'RCPT TO:<taro@campus.example>',
      'DATA',
    ]) {
      if (!reply.startsWith('2')) return reply
      reply = await client.command(line)
    }
    return reply.startsWith('354') ? '' : reply
  } finally {
    client.close()
  }
}

async function uidsOf(client: ImapFlow, subject: string): Promise<number[]> {
  const lock = await client.getMailboxLock('INBOX')
  try {
    const found = await client.search({ subject }, { uid: true })
    return found === false || found === undefined ? [] : found
  } finally {
    lock.release()
  }
}

describe('the data disk', () => {
  let disk: LoopDisk | undefined
  let watari: Installation | undefined
  /** What each start is given on top of this process's environment. */
  const env: Record<string, string> = {}
  /** One for all tests: its numbers never come twice. */
  const ledger = new Ledger()

  before(async () => {
    disk = await loopDisk()
    if (disk === undefined) return
    watari = await install({ dir: disk.dir, bind: ['127.0.0.1'], env })
    for (const setting of [
      ['judge.enabled', 'false'],
      ['queue.retryMs', '1s'],
    ]) {
      const set = await watari.watari(['settings', 'set', ...setting])
      assert.equal(set.status, 0, set.stderr)
    }
  })
  after(async () => {
    await disk?.thaw().catch(() => undefined)
    if (watari !== undefined) await killAll(watari)
    await disk?.remove()
  })

  const onDisk = (
    title: string,
    work: (watari: Installation, disk: LoopDisk, t: TestContext) => Promise<void>,
  ): void =>
    void it(title, (t) => {
      if (disk === undefined || watari === undefined)
        return t.skip('needs root, loop mounts, mkfs.ext4 and python3')
      return work(watari, disk, t)
    })

  onDisk(
    `loses nothing that was answered 250 when its power goes, ${CUTS} times under load`,
    async (house, volume, t) => {
      ledger.start(house, 4)
      try {
        for (let cut = 0; cut < CUTS; cut++) {
          const earlier = ledger.promised.size
          await until('mail flows', () => ledger.promised.size > earlier + PROMISED_A_CUT, WAIT_MS)
          await volume.cutPower()
          await killAll(house)
          await volume.remount()
          await house.start()
        }
      } finally {
        await ledger.stop()
      }
      const { promised, lost } = await ledger.audit(house)
      t.diagnostic(`${promised} messages promised, ${lost.length} lost`)
      const queue = await house.watari(['queue', 'ls', '--json'])
      assert.deepEqual(lost, [], `in the queue: ${queue.stdout}`)
      assert.ok(promised > CUTS * PROMISED_A_CUT)
    },
  )

  onDisk(
    'answers 4xx while it is frozen, tells so, and goes on after the thaw',
    async (house, volume, t) => {
      await until('ready', () => isReady(house), WAIT_MS)
      const subject = 'frozen'
      await volume.freeze()
      const frozenAtMs = Date.now()
      const tell = (what: string): void =>
        t.diagnostic(`${what} ${Date.now() - frozenAtMs} ms after the freeze`)
      try {
        const red = until(
          '/readyz is red',
          async () => (await readiness(house)).status === 503,
          READY_RED_MS,
        ).then(() => tell('/readyz is red'))
        red.catch(() => undefined)
        for (const [port, hello] of [
          [25, 'EHLO client.example'],
          [24, 'LHLO client.example'],
        ] as const) {
          assert.match(await offer(house.port(port), hello, 'frozen'), /^4/)
          tell(`port ${port} answered`)
        }
        await red
      } finally {
        await volume.thaw()
      }
      await until('ready again', () => isReady(house), WAIT_MS)
      await until(
        'mail is taken again',
        async () => (await sendOne(house, subject)).startsWith('250'),
        WAIT_MS,
      )
      const client = await imap(house, 'taro')
      try {
        await until(
          'the mail is there',
          async () => (await uidsOf(client, subject)).length > 0,
          WAIT_MS,
        )
      } finally {
        await client.logout()
      }
    },
  )

  onDisk(
    'takes no mail below its reserve, is read and expunged, and recovers alone',
    async (house, volume) => {
      const taken = (subject: string) => async () =>
        (await sendOne(house, subject)).startsWith('250')
      await until('mail is taken', taken('room'), WAIT_MS)
      const client = await imap(house, 'taro')
      try {
        await until(
          'the mail is there',
          async () => (await uidsOf(client, 'room')).length > 0,
          WAIT_MS,
        )
        await volume.fill(LEFT_BYTES)
        try {
          await until(
            '452 before DATA',
            async () => (await refusedBeforeData(house)).startsWith('452'),
            WAIT_MS,
          )
          const [uid] = await uidsOf(client, 'room')
          assert.ok(uid !== undefined)
          const lock = await client.getMailboxLock('INBOX')
          try {
            const read = await client.fetchOne(String(uid), { source: true }, { uid: true })
            assert.ok(read !== false && read?.source?.toString().includes('会議'))
            assert.equal(await client.messageDelete(String(uid), { uid: true }), true)
          } finally {
            lock.release()
          }
          assert.ok(!(await uidsOf(client, 'room')).includes(uid))
        } finally {
          volume.empty()
        }
        await until('mail is taken again', taken('room again'), WAIT_MS)
      } finally {
        await client.logout()
      }
    },
  )

  onDisk(
    'starts on a disk that has no octet left: people read and expunge, no mail is taken until there is room',
    async (house, volume) => {
      const subject = 'last octet'
      const isThere = async (client: ImapFlow) => (await uidsOf(client, subject)).length > 0
      const taken = (title: string) => async () => (await sendOne(house, title)).startsWith('250')
      await until('mail is taken', taken(subject), WAIT_MS)
      const before = await imap(house, 'taro')
      await until('the mail is there', () => isThere(before), WAIT_MS)
      await before.logout()
      await house.stop()
      await volume.fill(0)
      try {
        await house.start()
        assert.match(await refusedBeforeData(house), /^452/)
        await until(
          'the status says why',
          async () => (await house.watari(['status'])).stdout.includes('below the reserve'),
          WAIT_MS,
        )
        const client = await imap(house, 'taro')
        try {
          const uids = await uidsOf(client, subject)
          const lock = await client.getMailboxLock('INBOX')
          try {
            const read = await client.fetchOne(String(uids[0]), { source: true }, { uid: true })
            assert.ok(read !== false && read?.source?.toString().includes('会議'))
            assert.equal(await client.messageDelete(uids, { uid: true }), true)
          } finally {
            lock.release()
          }
          assert.equal(await isThere(client), false)
        } finally {
          await client.logout()
        }
      } finally {
        volume.empty()
      }
      await until('mail is taken again', taken('room again'), WAIT_MS)
    },
  )

  onDisk(
    'shows a loss where nothing is synced: the test of power loss can fail',
    async (house, volume, t) => {
      let isLost = false
      for (let cut = 0; cut < CUTS_UNSYNCED_MAX && !isLost; cut++) {
        await house.stop()
        env['WATARI_FAILPOINTS'] = 'storage.sync=drop'
        await house.start()
        const earlier = ledger.promised.size
        ledger.start(house, 4)
        try {
          await until('mail flows', () => ledger.promised.size > earlier + PROMISED_A_CUT, WAIT_MS)
          await volume.cutPower()
        } finally {
          delete env['WATARI_FAILPOINTS']
          await killAll(house)
          await ledger.stop()
        }
        await volume.remount()
        const started = await house.start().then(
          () => 'started',
          (thrown: unknown) => String(thrown),
        )
        const audit =
          started === 'started' ? await ledger.audit(house, UNSYNCED_WAIT_MS) : undefined
        t.diagnostic(
          audit === undefined ? started : `${audit.promised} promised, ${audit.lost.length} lost`,
        )
        isLost = audit === undefined || audit.lost.length > 0
      }
      assert.ok(isLost, 'nothing was lost though nothing was synced')
    },
  )
})
