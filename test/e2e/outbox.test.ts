import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { lineClient } from './mail.ts'
import { rolePid } from './processes.ts'

const ENTRIES = Number(process.env['WATARI_ENTRIES'] ?? 400)
/** Each life of the gateway's storage ends after so many commits, before the last one is answered. */
const COMMITS_A_LIFE = Math.floor(ENTRIES / 4)
/** The gateway itself is killed when this part of the entries is queued, each once. */
const KILLS_AT = [0.3, 0.7]
const WAIT_MS = 180_000

describe('what deliveries send out', () => {
  let watari: Installation
  before(async () => {
    watari = await install({
      bind: ['127.0.0.1'],
      env: { WATARI_FAILPOINTS: `spool.replied=die@${COMMITS_A_LIFE}` },
    })
  })
  after(() => watari.remove())

  const run = async (args: readonly string[]): Promise<string> => {
    const ran = await watari.watari(args)
    assert.equal(ran.status, 0, ran.stderr)
    return ran.stdout
  }
  /** The numbers of what is queued: each stands in its sender. */
  const queued = async (): Promise<string[]> => {
    const { status, stdout } = await watari.watari(['queue', 'ls', '--json'])
    if (status !== 0) return []
    return [...stdout.matchAll(/"from": ?"(n\d+)@/g)].map(([, number]) => number!)
  }

  it(`is queued once for each of ${ENTRIES} forwards, over lost answers and kill -9 of the gateway`, async (t) => {
    await run(['route', 'set', 'held.example', 'hold'])
    await run(['forward', 'set', 'hanako', '花子@held.example'])
    // By LMTP: what the gateway commits is nothing but entries.
    const client = await lineClient(watari.port(24))
    await client.reply()
    assert.match(await client.command('LHLO client.example'), /^250/)
    for (let number = 0; number < ENTRIES; number++) {
      assert.match(await client.command(`MAIL FROM:<n${number}@other.example>`), /^250/)
      assert.match(await client.command('RCPT TO:<hanako@campus.example>'), /^250/)
      assert.match(await client.command('DATA'), /^354/)
      assert.match(await client.command(`Subject: ${number}\r\n\r\n会議\r\n.`), /^250/)
    }
    client.close()
    const kills = KILLS_AT.map((part) => part * ENTRIES)
    await until(
      'every entry is queued',
      async () => {
        const count = new Set(await queued()).size
        const gateway = ((): number | undefined => {
          try {
            return rolePid(watari, 'gateway')
          } catch {
            return undefined
          }
        })()
        if (gateway === undefined) return false
        if (kills[0] !== undefined && count >= kills[0]) {
          kills.shift()
          process.kill(gateway, 'SIGKILL')
          return false
        }
        return count === ENTRIES && kills.length === 0
      },
      WAIT_MS,
    )
    const numbers = await queued()
    const ends = watari.output().match(/"gateway\.storageEnded"/g)?.length ?? 0
    t.diagnostic(
      `${numbers.length} queued; the gateway was killed ${KILLS_AT.length} times, its storage ${ends} times after a COMMIT`,
    )
    assert.equal(numbers.length, ENTRIES, 'none twice')
    assert.equal(new Set(numbers).size, ENTRIES)
    assert.ok(ends > 0, 'answers were lost')
  })
})
