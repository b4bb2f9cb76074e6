import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { FAKETIME, restartAfter } from './days-later.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { rawImap } from './raw-imap.ts'

const WAIT_MS = 120_000
const SPAM = 'Junk/SPAM'

describe(
  'mail that its mailbox keeps for 30 days',
  { skip: FAKETIME === undefined && 'needs faketime' },
  () => {
    let watari: Installation
    const env: Record<string, string> = {}
    before(async () => {
      watari = await install({ bind: ['127.0.0.1'], env })
    })
    after(() => watari.remove())

    const run = async (...args: readonly string[]): Promise<string> => {
      const ran = await watari.watari(['mailbox', ...args])
      assert.equal(ran.status, 0, ran.stderr)
      return ran.stdout
    }
    const countIn = async (name: string): Promise<number> => {
      const { items } = JSON.parse(await run('ls', 'hanako', '--json')) as {
        readonly items: readonly { readonly name: string; readonly messages: number }[]
      }
      return items.find((row) => row.name === name)!.messages
    }

    it('is there on day 29 and gone on day 31, though nobody opened it; and comes back', async () => {
      const imap = await rawImap(watari, 'hanako')
      const content = Buffer.from(
        'From: 当選係 <x@y.example>\r\nSubject: 当選\r\n\r\nおめでとう\r\n',
      )
      for (const mailbox of [SPAM, SPAM, 'INBOX'])
        assert.match(await imap.append(mailbox, content), / OK /)
      imap.close()
      await restartAfter(watari, env, 29)
      assert.equal(await run('expire'), 'deleted 0 messages of 2 looked at\n')
      assert.match(await run('expire', '--dry-run', '--as-of', dayFromNow(31)), /Junk\/SPAM\s+2\n/)
      assert.equal(await countIn(SPAM), 2)
      await restartAfter(watari, env, 31)
      await until('the run has come', async () => (await countIn(SPAM)) === 0, WAIT_MS)
      assert.equal(await countIn('INBOX'), 1)
      assert.match(await run('undelete', 'hanako', '--dry-run'), /Junk\/SPAM .* 当選係\s+当選\n/)
      assert.equal(await run('undelete', 'hanako'), 'brought back 2 messages\n')
      assert.equal(await run('expire'), 'deleted 0 messages of 2 looked at\n')
      assert.equal(await countIn(SPAM), 2)
    })
  },
)

const dayFromNow = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
