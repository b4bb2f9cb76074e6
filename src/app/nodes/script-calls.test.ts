import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import { toldScripts } from '#engine/deliver/told-scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { openMailboxes } from '#store/mailbox/open.ts'

import { closeServer, dialPath, servePath } from './node-parts.ts'
import { remoteScripts, scriptCalls } from './script-calls.ts'

describe("users' scripts over the node API", () => {
  const accountId = '花子' as AccountId
  const dir = mkdtempSync(join(tmpdir(), 'watari-scripts-'))
  const events: NewEvent[] = []
  const path = join(dir, 'store.sock')
  const caller = new NodeCaller({ dial: dialPath(path), clock: systemClock })
  const scripts = remoteScripts(caller)
  let end = async (): Promise<void> => undefined
  before(async () => {
    const mailboxes = await openMailboxes({
      dir,
      clock: systemClock,
      parser: () => new MimeIndexer(),
      onChange: () => undefined,
      reserveBytes: 0,
    })
    const told = { events: { emit: (event: NewEvent) => events.push(event) }, clock: systemClock }
    const calls = scriptCalls(toldScripts(scriptsOf(mailboxes), told), mailboxes)
    const server = await servePath(path, nodeServer({ calls }))
    end = async () => {
      closeServer(server)
      await mailboxes.close()
    }
  })
  after(async () => {
    await end()
    rmSync(dir, { recursive: true, force: true })
  })
  const put = (name: string, text: string, activate = false) =>
    scripts.put({ accountId, name, text, activate, by: '管理者' })

  it('go there and back unchanged; each change is an event with its author', async () => {
    const text = '\ufeff# 会議\r\nkeep;\n# か\u3099 \u2028 😀'
    const first = await put('か\u3099', text, true)
    assert.ok(first.ok)
    const { id, digest, ...more } = first.value
    assert.deepEqual(more, { name: 'が', active: true, sizeBytes: Buffer.byteLength(text) })
    assert.match(digest, /^[0-9a-f]{40}$/)
    const got = await scripts.get({ accountId, name: 'が' })
    assert.deepEqual(got, { ok: true, value: { name: 'が', active: true, text } })
    const second = await put('が', 'stop;')
    assert.ok(second.ok && second.value.id === id && second.value.digest !== digest)
    assert.deepEqual(await scripts.list({ accountId }), [second.value])
    assert.deepEqual(second.value, { ...first.value, sizeBytes: 5, digest: second.value.digest })
    assert.deepEqual(await scripts.activate({ accountId, name: null, by: '管理者' }), {
      ok: true,
      value: null,
    })
    assert.deepEqual(
      await scripts.rename({ accountId, name: 'が', to: 'か\u3099い', by: '管理者' }),
      {
        ok: true,
        value: 'がい',
      },
    )
    const gone = await scripts.rename({ accountId, name: 'が', to: '別', by: '管理者' })
    assert.equal(!gone.ok && gone.error.code, 'notFound')
    assert.equal(events.at(-1)?.fields['to'], 'がい')
    assert.equal((await scripts.remove({ accountId, name: 'がい', by: '管理者' })).ok, true)
    assert.deepEqual(
      events.map(({ fields }) => [fields['act'], fields['script'], fields['by']]),
      [
        ['putActive', 'が', '管理者'],
        ['put', 'が', '管理者'],
        ['activate', null, '管理者'],
        ['rename', 'が', '管理者'],
        ['remove', 'がい', '管理者'],
      ],
    )
  })

  it('are refused with their lines, and then nothing is stored or told', async () => {
    const before = events.length
    const refused = await put('悪', 'keep;\noops;\n')
    assert.deepEqual(refused, {
      ok: false,
      error: {
        code: 'invalid',
        message: 'line 2: there is no command "oops"',
        errors: [{ line: 2, message: 'there is no command "oops"' }],
      },
    })
    const long = await put('長', `#${'x'.repeat(1_048_576)}`)
    assert.equal(!long.ok && long.error.code, 'limit')
    const none = await scripts.activate({ accountId, name: '無', by: '管理者' })
    assert.equal(!none.ok && none.error.code, 'notFound')
    assert.deepEqual(await scripts.list({ accountId }), [])
    assert.equal(events.length, before)
    await assert.rejects(
      caller.call('sieve.put', { accountId, name: 1 }),
      (thrown) => isFault(thrown, 'invalid') && thrown.message.startsWith('sieve.put: '),
    )
  })

  it('takes the longest script there may be', async () => {
    const text = `# ${'\u0001'.repeat(1_048_574)}`
    const stored = await put('最長', text)
    assert.equal(stored.ok && stored.value.sizeBytes, 1_048_576)
    const got = await scripts.get({ accountId, name: '最長' })
    assert.equal(got.ok && got.value.text === text, true)
  })
})
