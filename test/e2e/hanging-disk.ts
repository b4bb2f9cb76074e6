import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { countOf, imap, messages } from './mail.ts'
import { ask } from './pop3.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import {
  inTime,
  installStoreOn,
  isReady,
  lmtp,
  readiness,
  smtp,
  storeHealth,
} from './store-on-disk.ts'
import { wire } from './wire.ts'

const WAIT_MS = 60_000
const byText = (a = '', b = ''): number => (a < b ? -1 : Number(a > b))

/** A disk below the store alone that stops answering, and answers again. */
export interface HangingDisk {
  readonly dir: string
  /** What needs no write is answered all the same. */
  readonly reads: boolean
  hang(): Promise<void>
  letGo(): Promise<void>
  remove(): Promise<void>
}

/** The journey over such a disk; `needs` is told where this machine cannot make one. */
export function storeOnHangingDisk(
  what: string,
  needs: string,
  make: () => Promise<HangingDisk | undefined>,
): void {
  describe(`an installation whose store lies on a disk that ${what}`, () => {
    let disk: HangingDisk | undefined
    let watari: Installation | undefined
    let reads = false
    before(async () => {
      disk = await make()
      if (disk === undefined) return
      ;({ reads } = disk)
      watari = await installStoreOn(disk.dir)
    })
    after(async () => {
      await disk?.letGo().catch(() => undefined)
      await watari?.remove()
      await disk?.remove()
    })

    /** What a program hears that opens its maildrop. */
    async function pop3Login(house: Installation): Promise<string> {
      const pop = await wire(house.port(995), { tlsCa: house.ca })
      try {
        await pop.until(/\r\n/)
        await ask(pop, 'USER taro')
        return await ask(pop, `PASS ${house.password('taro')}`)
      } finally {
        pop.close()
      }
    }

    /** What is asked of the store is refused as our trouble, in time; reading may go on where the disk reads. */
    async function refusesAll(
      house: Installation,
      reader: RawImap,
      web: JmapClient,
    ): Promise<void> {
      const refused = /^t\d+ NO \[UNAVAILABLE\]/m
      const mail = Buffer.from('Subject: x\r\n\r\n')
      assert.match(await inTime('APPEND', reader.append('Drafts', mail)), refused)
      for (const [command, isRead] of [
        ['UID STORE 1 +FLAGS (\\Seen)', false],
        ['UID FETCH 1:* (FLAGS BODY.PEEK[])', true],
        ['STATUS Archive (MESSAGES)', true],
        ['UID SEARCH TEXT "kaigi"', true],
      ] as const) {
        const answer = await inTime(command, reader.command(command))
        assert.match(answer, isRead && reads ? /^t\d+ (?:OK|NO \[UNAVAILABLE\])/m : refused)
      }
      const login = await inTime('POP3', pop3Login(house))
      assert.match(login, reads ? /^(?:\+OK|-ERR \[SYS\/TEMP\])/ : /^-ERR \[SYS\/TEMP\]/)
      const queried = web.request([['Email/query', { accountId: web.accountId }, 'c']])
      const told = await inTime(
        'JMAP',
        queried.catch((thrown: unknown) => String(thrown)),
      )
      if (!reads) assert.match(JSON.stringify(told), /503|serverUnavailable/)
    }

    it('says so in time, serves all else, and goes on by itself with each mail once', async (t) => {
      if (disk === undefined || watari === undefined) return t.skip(needs)
      const [house, volume] = [watari, disk]
      assert.match(await lmtp(house, '前'), /^250/)
      const reader = await rawImap(house, 'taro')
      const web = await jmap(house, 'taro')
      await reader.command('SELECT INBOX')
      const earlier = await readiness(house)
      await volume.hang()
      try {
        assert.match(await lmtp(house, '止'), /^4/)
        await until('red', async () => (await readiness(house)).status === 503, WAIT_MS)
        const told = await storeHealth(house)
        assert.equal(told?.detail, 'stalled')
        assert.match(told.reason ?? '', /store.*does not answer/)
        await refusesAll(house, reader, web)
        // The gateway's volume is another: it promises mail, and keeps it.
        assert.match(await smtp(house, '中'), /^250/)
        const status = async () => (await house.watari(['status'])).stdout
        // Control hears of it with the node's next word.
        const isTold = async () => /stalled .*does not answer/.test(await status())
        await until('told by status', isTold, WAIT_MS)
        const others = (await readiness(house)).roles.filter(({ name }) => name !== 'store')
        assert.deepEqual(new Set(others.map(({ detail }) => detail)), new Set(['ready']))
      } finally {
        await volume.letGo()
      }
      await until('ready again', () => isReady(house), WAIT_MS)
      // Whoever was told 451 sends again: what had been written by then is not filed twice.
      assert.match(await lmtp(house, '止'), /^250/)
      assert.match(await lmtp(house, '後'), /^250/)
      // A program that was told NO sends again, too: its first one is taken back where it has been filed.
      const ids = /APPENDUID \d+ (\d+)/.exec(
        await reader.append('Drafts', Buffer.from('Subject: x\r\n\r\n')),
      )
      await until(
        'one draft',
        async () => {
          const drafts = await reader.command('STATUS Drafts (MESSAGES UIDNEXT)')
          return drafts.includes(`MESSAGES 1 UIDNEXT ${Number(ids?.[1]) + 1}`)
        },
        WAIT_MS,
      )
      const client = await imap(house, 'taro')
      try {
        const isThere = async () => (await countOf(client, 'INBOX')) === 4
        await until('the queue has delivered', isThere, WAIT_MS)
        const subjects = (await messages(client, 'INBOX')).map(
          (octets) => /^Subject: (.*)\r$/m.exec(octets.toString())?.[1],
        )
        assert.deepEqual(subjects.toSorted(byText), ['中', '前', '後', '止'].toSorted(byText))
      } finally {
        await client.logout()
      }
      assert.match(await reader.command('UID FETCH 1 (FLAGS)'), /^t\d+ OK/m, 'the session lives')
      reader.close()
      const restarts = ({ roles }: typeof earlier) =>
        roles.map(({ name, restarts }) => [name, restarts])
      assert.deepEqual(restarts(await readiness(house)), restarts(earlier), 'nothing was restarted')
    })
  })
}
