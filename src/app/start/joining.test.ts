import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'

import { silentLog } from '#base/log.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, systemClock } from '#base/time.ts'
import { renderToken } from '#contract/node/join.ts'
import type { JoinToken } from '#contract/node/join.ts'
import type { JoiningRole, NodeBeside } from '#model/node.ts'
import { joinDoor } from '#server/node/join-door.ts'
import { NodeBook } from '#server/node/node-book.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import { fakeNode, openPinned } from '#test/fake/pinned-door.ts'
import type { PinnedDoor } from '#test/fake/pinned-door.ts'

import { prepareDataFolder } from './data-folder.ts'
import { HOST_FILE, newHost, renderHost } from './host.ts'
import { join } from './joining.ts'

const root = mkdtempSync(pathOf(tmpdir(), 'watari-joining-'))
after(() => rmSync(root, { recursive: true, force: true }))

describe('a machine that joins', () => {
  let own: readonly NodeBeside[]
  let registry: SqliteNodeRegistry
  let book: NodeBook
  let clock: FakeClock
  let opened: PinnedDoor
  let door: RequestListener
  /** Put before the door by a test: true where it has dealt with the request. */
  let meddle: RequestListener | undefined
  let count = 0
  const machines = new Map<string, Awaited<ReturnType<typeof fakeNode>>>()
  before(async () => {
    for (const name of ['one', 'other']) machines.set(name, await fakeNode(name))
  })
  beforeEach(async () => {
    own = []
    meddle = undefined
    await open()
  })
  const open = async (): Promise<void> => {
    registry = new SqliteNodeRegistry(pathOf(root, `nodes-${++count}.db`))
    clock = new FakeClock()
    opened = await openPinned((request, response) => (meddle ?? door)(request, response))
    book = new NodeBook({ registry, clock, pin: opened.pin, own })
    door = joinDoor({
      registry,
      clock,
      log: silentLog,
      domain: 'campus.example',
      own,
      joined: (node) => book.joined(node),
      next: (_, response) => void response.writeHead(403).end(),
    })
  }
  const close = async (): Promise<void> => {
    await opened.door.close(0)
    registry.close()
  }
  afterEach(close)

  const written = (text: string): string => {
    const file = pathOf(root, `${++count}.token`)
    writeFileSync(file, text)
    return file
  }
  const token = async (role: JoiningRole, name: string): Promise<string> =>
    written(`${(await book.issue({ role, name })).token}\n`)
  const joins = (
    role: string,
    tokenFile: string,
    more: { readonly machine?: string; readonly url?: string } = {},
  ) =>
    join({
      joining: { url: more.url ?? `https://127.0.0.1:${opened.port}`, tokenFile },
      role,
      identity: machines.get(more.machine ?? 'one')!.identity,
      listener: { address: '127.0.0.1', port: 6_443 },
      clock: systemClock,
    })
  /** In one line, as a fault of what was given. */
  const refused = (work: Promise<unknown>, why: RegExp): Promise<void> =>
    assert.rejects(work, (thrown: Error) => {
      assert.ok(isFault(thrown, 'config'), String(thrown))
      assert.match(thrown.message, why)
      assert.doesNotMatch(thrown.message, /\n/)
      return true
    })
  const names = (): string[] => book.nodes.map(({ name, role }) => `${name} ${role}`)

  it('is told its name and domain, and whom to believe from then on', async () => {
    const joined = await joins('gateway', await token('gateway', 'gw-1'))
    assert.deepEqual(joined, {
      name: 'gw-1',
      role: 'gateway',
      domain: 'campus.example',
      control: { address: '127.0.0.1', port: opened.port, pin: opened.pin },
    })
    assert.deepEqual(names(), ['gw-1 gateway'])
  })

  it('refuses a file that is missing, empty, cut short, or holds another text', async () => {
    const whole = (await book.issue({ role: 'gateway', name: 'gw-1' })).token
    await refused(joins('gateway', pathOf(root, 'nothing')), /cannot be read/)
    for (const text of ['', '渡り鳥', whole.slice(0, -9), `x${whole}`, whole.repeat(20)])
      await refused(joins('gateway', written(text)), /holds no token; make one with: watari node/)
    assert.deepEqual(names(), [])
  })

  it('refuses a token of another role, and an address that is none, before it asks anybody', async () => {
    meddle = () => assert.fail('nobody should be asked')
    const file = await token('gateway', 'gw-1')
    await refused(joins('store', file), /the token is for the role gateway, not store/)
    for (const url of ['127.0.0.1:6443', 'http://127.0.0.1:6443', 'https://', '渡り'])
      await refused(joins('gateway', file, { url }), /write https:\/\/HOST:6443/)
  })

  it('is refused a secret that is unknown, was used by another key, or is over', async () => {
    const used = await token('gateway', 'gw-1')
    await joins('gateway', used)
    await refused(
      joins('gateway', used, { machine: 'other' }),
      /used already; make a new token with: watari node token/,
    )
    const forged: JoinToken = {
      v: 1,
      name: 'gw-2',
      role: 'gateway',
      pin: opened.pin,
      secret: 's'.repeat(32),
    }
    await refused(joins('gateway', written(renderToken(forged)), { machine: 'other' }), /not known/)
    const late = await token('gateway', 'gw-3')
    clock.advance(24 * HOUR_MS)
    await refused(joins('gateway', late, { machine: 'other' }), /has expired; make a new token/)
    assert.deepEqual(names(), ['gw-1 gateway'])
  })

  it('tells its secret to nobody but the holder of the pinned key', async () => {
    let asked = 0
    meddle = (_, response) => {
      asked++
      response.end('{}')
    }
    const forged = { v: 1, name: 'gw-1', role: 'gateway', secret: 's'.repeat(32) } as const
    const file = written(renderToken({ ...forged, pin: machines.get('other')!.pin }))
    await refused(joins('gateway', file), /another key than the pinned one answers there/)
    assert.equal(asked, 0)
  })

  it('says that control is not there', async () => {
    const file = await token('gateway', 'gw-1')
    const { port } = opened
    await opened.door.close(0)
    await refused(
      joins('gateway', file, { url: `https://127.0.0.1:${port}` }),
      /is control running/,
    )
  })

  it('asks again with the same token after control has vanished midway', async () => {
    const file = await token('gateway', 'gw-1')
    // Before it has read the request, within its answer; then after it has taken the machine in.
    const cuts: RequestListener[] = [
      (request) => request.socket.destroy(),
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{"name":')
        setImmediate(() => request.socket.destroy())
      },
    ]
    for (const cut of cuts) {
      meddle = cut
      await refused(joins('gateway', file), /cannot join/)
      assert.deepEqual(names(), [])
    }
    meddle = (request, response) => {
      response.end = () => {
        request.socket.destroy()
        return response
      }
      door(request, response)
    }
    await refused(joins('gateway', file), /is control running/)
    assert.deepEqual(names(), ['gw-1 gateway'])
    meddle = undefined
    assert.equal((await joins('gateway', file)).name, 'gw-1')
    assert.deepEqual(names(), ['gw-1 gateway'])
  })

  it('stays with the control centre and the name that it has, whatever another token says', async () => {
    const dir = mkdtempSync(pathOf(root, 'joined-'))
    const places = { portOffset: 0, bind: ['127.0.0.1'], roles: ['gateway' as const] }
    const control = { address: '192.0.2.1', port: 6_443, pin: machines.get('other')!.pin }
    const host = newHost({ ...places, node: 'gw-1', domain: 'campus.example', control })
    writeFileSync(pathOf(dir, HOST_FILE), renderHost(host))
    const startWith = (tokenFile: string) =>
      prepareDataFolder({
        dir,
        portOffset: undefined,
        bind: undefined,
        role: 'gateway',
        joining: { url: `https://127.0.0.1:${opened.port}`, tokenFile },
        clock: systemClock,
      })
    await refused(
      startWith(await token('gateway', 'gw-1')),
      /has joined the control centre at 192\.0\.2\.1 port 6443 as gw-1; to join another/,
    )
    const named = { v: 1, name: 'gw-2', role: 'gateway', secret: 's'.repeat(32) } as const
    await refused(startWith(written(renderToken({ ...named, pin: control.pin }))), /as gw-1; to/)
  })

  it('is no second owner of mailboxes: not by a token, nor by one made before', async () => {
    const store = await token('store', 'store-1')
    const serve = await token('serve', 'serve-1')
    await joins('store', store)
    await assert.rejects(
      book.issue({ role: 'store', name: 'store-2' }),
      (thrown: Error) => isFault(thrown, 'conflict') && /node remove store-1/.test(thrown.message),
    )
    await refused(
      joins('serve', serve, { machine: 'other' }),
      /: store-1 keeps the mailboxes, .*first watari node remove store-1$/,
    )
    // Where an answer was lost: it is that one itself.
    assert.equal((await joins('store', store)).name, 'store-1')
    assert.deepEqual(names(), ['store-1 store'])
    // The refusal has not used it up.
    await book.remove('store-1')
    assert.equal((await joins('serve', serve, { machine: 'other' })).name, 'serve-1')
  })

  it('is no second store beside the one of a machine with all roles, which takes gateways', async () => {
    await close()
    own = [{ name: 'single', role: 'store', own: true }]
    await open()
    for (const role of ['store', 'serve', 'deliver'] as const)
      await assert.rejects(
        book.issue({ role, name: `${role}-1` }),
        (thrown: Error) => isFault(thrown, 'conflict') && /own store/.test(thrown.message),
      )
    assert.equal((await joins('gateway', await token('gateway', 'gw-1'))).name, 'gw-1')
  })

  it('splits a store by its roles: several deliver beside one serve, none beside a store', async () => {
    await joins('serve', await token('serve', 'serve-1'))
    await joins('deliver', await token('deliver', 'deliver-1'), { machine: 'other' })
    await token('deliver', 'deliver-2')
    const conflict = (why: RegExp) => (thrown: Error) =>
      isFault(thrown, 'conflict') && why.test(thrown.message)
    await assert.rejects(book.issue({ role: 'store', name: 'all' }), conflict(/serve-1 keeps/))
    await book.remove('serve-1')
    await assert.rejects(
      book.issue({ role: 'store', name: 'all' }),
      conflict(/deliver-1 takes mail for a serve/),
    )
    await book.remove('deliver-1')
    await joins('store', await token('store', 'all'))
    await assert.rejects(
      book.issue({ role: 'deliver', name: 'deliver-3' }),
      conflict(/all takes its mail itself/),
    )
  })
})
