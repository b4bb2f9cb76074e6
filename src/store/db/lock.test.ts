import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isFault } from '#base/outcome.ts'
import { lockVolume } from './lock.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-lock-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const HOLDER = `
  const { lockVolume } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))})
  lockVolume(${JSON.stringify(dir)})
  gc() // the lock does not hang on the value that came back
  console.log('held')
  setInterval(() => undefined, 1_000)
`

describe('lockVolume', () => {
  test('is refused while another process lives, stopped or not, and free once it was killed', async (t) => {
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HOLDER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => holder.kill('SIGKILL'))
    const exited = once(holder, 'exit')
    await once(holder.stdout, 'data')
    const refused = (thrown: unknown): boolean =>
      isFault(thrown, 'locked') && thrown.message.startsWith(`${dir}: another process`)
    assert.throws(() => lockVolume(dir), refused)
    holder.kill('SIGSTOP') // a process that cannot run keeps it, as one in D state does
    assert.throws(() => lockVolume(dir), refused)
    holder.kill('SIGKILL')
    await exited
    const lock = lockVolume(dir)
    lock.release()
    lockVolume(dir).release()
  })

  test('says what is wrong with a folder that is not there', () => {
    assert.throws(
      () => lockVolume(join(dir, '無い')),
      (thrown) => isFault(thrown, 'io') && thrown.message.includes(join(dir, '無い')),
    )
  })
})
