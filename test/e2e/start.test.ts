import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { install, runProgram, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { descendants, pssMib } from './processes.ts'

const START = fileURLToPath(new URL('../../bin/start.mjs', import.meta.url))

describe('an installation', () => {
  let watari: Installation
  before(async () => {
    watari = await install()
  })
  after(() => watari.remove())

  it('tells its first accounts in a file of its owner, and no secret on the screen', () => {
    assert.equal(statSync(join(watari.dir, 'first-run.json')).mode & 0o777, 0o600)
    const { accounts, apiToken, domain } = watari.firstRun
    assert.equal(domain, 'campus.example')
    assert.deepEqual(
      accounts.map(({ username, admin }) => [username, admin]),
      [
        ['admin', true],
        ['hanako', false],
        ['taro', false],
      ],
    )
    for (const secret of [apiToken, ...accounts.map(({ password }) => password)])
      assert.equal(watari.output().includes(secret), false)
  })

  it('takes at most 400 MiB while it is idle, all processes together', async (t) => {
    const processes = descendants(watari.pid())
    // Idle is some time after the start: what starting took is given back.
    await until('400 MiB or less', () => pssMib(processes) <= 400)
    const mib = pssMib(processes)
    t.diagnostic(`${mib} MiB (Pss) in ${processes.length} processes`)
    assert.ok(processes.length >= 7, 'a supervisor, three roles and their storage')
    assert.ok(mib > 0)
  })

  it('refuses a second start on the same folder in one line', async () => {
    const second = await runProgram(process.execPath, [START, '--data', watari.dir])
    assert.equal(second.status, 1)
    assert.match(second.stderr.trim(), /^[^\n]*runs there already[^\n]*$/)
  })

  it('says in one line which port is taken, and leaves the folder as it was', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'watari-start-'))
    try {
      const args = [START, '--data', dir, '--port-offset', String(watari.offset)]
      const taken = await runProgram(process.execPath, args)
      assert.equal(taken.status, 1)
      assert.match(taken.stderr.trim(), /^cannot listen on [^\n]* port \d+: it is taken[^\n]*$/)
      assert.deepEqual(readdirSync(dir), [])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('says in one line that its folder cannot be made', async () => {
    const file = join(watari.dir, 'first-run.json')
    for (const dir of [file, join(file, 'below')]) {
      const ran = await runProgram(process.execPath, [START, '--data', dir])
      assert.equal(ran.status, 1)
      assert.match(ran.stderr.trim(), /^[^\n]*the data folder cannot be written[^\n]*$/)
    }
  })

  it('starts a killed role again while the others go on', async () => {
    const role = (name: string) =>
      descendants(watari.pid()).find(({ command }) => command.endsWith(`/${name}.ts`))?.pid
    const gateway = role('gateway')
    const store = role('store')
    assert.ok(gateway !== undefined && store !== undefined)
    process.kill(gateway, 'SIGKILL')
    await until('the gateway is back', () => {
      const now = role('gateway')
      return now !== undefined && now !== gateway
    })
    assert.equal(role('store'), store)
  })

  it('ends whole at SIGTERM and leaves no process behind', async () => {
    const processes = descendants(watari.pid())
    assert.equal(await watari.stop(), 0)
    const isAlive = (pid: number): boolean => {
      try {
        process.kill(pid, 0)
        return true
      } catch {
        return false
      }
    }
    await until('all have ended', () => !processes.some(({ pid }) => isAlive(pid)))
  })
})
