import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { Fleet } from './fleet.ts'
import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages, smtpSend } from './mail.ts'

const YEAR_MS = 365 * 24 * 3_600_000

/** Whose clock is wrong: one role at a time, both ways. */
const WRONG = [
  ['control', YEAR_MS],
  ['serve', -YEAR_MS],
  ['deliver', YEAR_MS],
] as const

for (const [wrong, byMs] of WRONG)
  describe(`a ${wrong} whose clock is a year ${byMs > 0 ? 'ahead' : 'behind'}`, () => {
    let fleet: Fleet
    const nodes = new Map<string, Installation>()
    const clockOf = (role: string) => ({
      env: { WATARI_CLOCK_OFFSET_MS: String(role === wrong ? byMs : 0) },
    })
    before(async () => {
      fleet = await Fleet.begin({ role: 'control', ...clockOf('control') })
      for (const role of ['serve', 'deliver', 'gateway'])
        nodes.set(role, await fleet.join(role, `${role}-1`, clockOf(role)))
      await fleet.allReady()
    })
    after(() => fleet?.remove())

    const send = async (subject: string): Promise<void> => {
      const reply = await smtpSend(nodes.get('gateway')!.port(25), {
        from: 'student@other.example',
        to: ['hanako@campus.example'],
        content: `From: student@other.example\r\nTo: hanako@campus.example\r\nSubject: ${subject}\r\n\r\n渡り鳥。\r\n`,
      })
      assert.match(reply, /^250 /)
    }
    /** For whoever has to find out why mail has not come. */
    const whereItStands = async (): Promise<string> => {
      const asked = [
        ['node', 'ls'],
        ['queue', 'ls'],
        ['trace', 'hanako@campus.example', '--json'],
      ]
      const answers = asked.map(async (words) => {
        const { stdout, stderr } = await fleet.cli.call(words)
        return `watari ${words.join(' ')}\n${stdout}${stderr}`
      })
      const said = [...nodes].map(([role, node]) => `${role}\n${node.output().slice(-4_000)}`)
      return [...(await Promise.all(answers)), ...said].join('\n')
    }
    const arrived = async (count: number): Promise<readonly string[]> => {
      const client = await imap(nodes.get('serve')!, 'hanako')
      try {
        const isThere = async () => (await countOf(client, 'INBOX')) === count
        await until(`${count} mails are in INBOX`, isThere, 120_000).catch(async (cause) => {
          throw new Error(await whereItStands(), { cause })
        })
        return (await messages(client, 'INBOX')).map(String)
      } finally {
        await client.logout()
      }
    }

    it('keeps nobody out: joins, settings, mail, logins; and is told', async () => {
      await send('はじめ')
      await arrived(1)
      const set = await fleet.cli.call(['settings', 'set', 'spam.spamScore', '9'])
      assert.equal(set.status, 0, set.stderr)
      assert.doesNotMatch(set.stderr, /has not taken it/)
      await until('it is told', async () => {
        const told = (await fleet.cli.run(['node', 'ls'])).match(/^\S+.*clock is 365 days.*$/gm)
        // All others differ from a control that is wrong.
        return told?.length === (wrong === 'control' ? 3 : 1)
      })
    })

    it('holds no mail up over a restart, and what waited for serve goes when it is back', async () => {
      await nodes.get('serve')!.stop()
      await send('待つ')
      await nodes.get('gateway')!.stop()
      await nodes.get('gateway')!.start()
      await nodes.get('serve')!.start()
      await arrived(2)
    })

    it('shows a message in the trace at one time, whosever clock noted it', async () => {
      await fleet.allReady()
      await send('順')
      await arrived(3)
      type Way = { readonly events: readonly { readonly name: string; readonly at: string }[] }
      const ways = async (): Promise<readonly Way[]> =>
        (await fleet.cli.json<{ items: Way[] }>(['trace', 'hanako@campus.example'])).items
      const rooms = ['receive.accepted', 'store.filed', 'queue.delivered']
      await until('each whole way is known', async () => {
        const known = (await ways()).map(({ events }) => events.map(({ name }) => name))
        return known.length === 3 && known.every((names) => rooms.every((r) => names.includes(r)))
      })
      for (const { events } of await ways()) {
        const times = events.map(({ at }) => Date.parse(at))
        assert.ok(Math.max(...times) - Math.min(...times) < 3_600_000, JSON.stringify(events))
      }
    })
  })
