import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { openDatabase } from './database.ts'
import type { Database } from './database.ts'
import { GroupCommit } from './group-commit.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-group-'))
const opened: Database[] = []
after(() => {
  for (const db of opened) db.close()
  rmSync(dir, { recursive: true, force: true })
})
const MIGRATIONS = ['CREATE TABLE letter (id TEXT PRIMARY KEY) STRICT']

let db: Database
let flushes: string[][]
let staged: string[]
let flushFails: Error | undefined
let group: GroupCommit

beforeEach(() => {
  armFailpoints('')
  db = openDatabase({
    path: join(dir, `${opened.length}.db`),
    kind: 'test',
    migrations: MIGRATIONS,
  })
  opened.push(db)
  flushes = []
  staged = []
  flushFails = undefined
  group = new GroupCommit({
    db,
    name: 'test',
    flush: async () => {
      flushes.push(staged)
      staged = []
      await new Promise((resolve) => setImmediate(resolve))
      if (flushFails !== undefined) throw flushFails
    },
  })
})

const put = (id: string): Promise<string> =>
  group.commit({
    stage: () => void staged.push(id),
    apply: () => {
      db.query('INSERT INTO letter VALUES (?)').run(id)
      return `${id}!`
    },
  })
const ids = (): unknown[] =>
  db
    .query<{ id: string }>('SELECT id FROM letter ORDER BY id')
    .all()
    .map((row) => row.id)

describe('GroupCommit', () => {
  test('one flush serves all that came together, the next all that came meanwhile', async () => {
    const first = [put('あ'), put('い')]
    await new Promise((resolve) => setImmediate(resolve))
    const second = [put('う'), put('え')]
    assert.deepEqual(await Promise.all([...first, ...second]), ['あ!', 'い!', 'う!', 'え!'])
    assert.deepEqual(flushes, [
      ['あ', 'い'],
      ['う', 'え'],
    ])
  })

  test('a job that throws takes back its own rows only', async () => {
    const bad = group.commit({
      apply: () => {
        db.query('INSERT INTO letter VALUES (?)').run('bad')
        throw new Fault('conflict', 'taken')
      },
    })
    const results = await Promise.allSettled([put('a'), bad, put('b'), put('a')])
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    )
    assert.deepEqual(ids(), ['a', 'b'])
    await assert.rejects(
      group.commit({
        apply: () => {
          db.query('INSERT INTO letter VALUES (?)').run('alone')
          throw new Fault('conflict', 'taken')
        },
      }),
      (thrown) => isFault(thrown, 'conflict'),
    )
    assert.deepEqual(ids(), ['a', 'b'])
  })

  test('a stage that throws refuses its job before anything is written', async () => {
    const bad = group.commit({
      stage: () => {
        throw new Fault('full', 'no room')
      },
      apply: () => db.query('INSERT INTO letter VALUES (?)').run('bad'),
    })
    const good = put('good')
    await assert.rejects(bad, (thrown) => isFault(thrown, 'full'))
    await good
    assert.deepEqual(ids(), ['good'])
  })

  test('a failed flush refuses the jobs with octets, and lets the others through', async () => {
    flushFails = Object.assign(new Error('EIO'), { code: 'EIO' })
    const octets = put('octets')
    const rows = group.commit({
      apply: () => db.query('INSERT INTO letter VALUES (?)').run('rows'),
    })
    await assert.rejects(octets, (thrown) => isFault(thrown, 'io'))
    await rows
    flushFails = undefined
    await put('later')
    assert.deepEqual(ids(), ['later', 'rows'])
  })

  test('a failed transaction refuses the whole batch and leaves no row', async () => {
    const results = await Promise.allSettled([
      put('a'),
      group.commit({
        apply: () => {
          throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
        },
      }),
    ])
    assert.ok(results.every((r) => r.status === 'rejected' && isFault(r.reason, 'io')))
    assert.deepEqual(ids(), [])
    await put('b')
    assert.deepEqual(ids(), ['b'])
  })

  test('a reply that hangs after COMMIT leaves the rows and tells nobody', async () => {
    armFailpoints('test.committed=hang')
    let told = false
    void put('a').then(() => (told = true))
    while (ids().length === 0) await new Promise((resolve) => setImmediate(resolve))
    armFailpoints('')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(told, false)
  })

  test('a job without octets that comes during the sync joins the transaction after it', async () => {
    const order: string[] = []
    const first = put('あ').then(() => order.push('octets'))
    await new Promise((resolve) => setImmediate(resolve)) // the sync of the first one runs
    const rows = group.commit({ apply: () => order.push(`rows beside ${ids().length}`) })
    await Promise.all([first, rows])
    assert.deepEqual(order, ['rows beside 1', 'octets'])
  })

  test('a patient job rides along with the next commit, or goes alone after a moment', async () => {
    const done: string[] = []
    const patient = (id: string): Promise<unknown> =>
      group
        .commit({
          patient: true,
          apply: () => db.query('INSERT INTO letter VALUES (?)').run(id),
        })
        .then(() => done.push(id))
    const riding = patient('ride')
    await put('あ')
    await riding
    assert.deepEqual(flushes, [['あ']])
    await patient('alone')
    const last = patient('leaving')
    await group.idle()
    await last
    assert.deepEqual(done, ['ride', 'alone', 'leaving'])
    assert.deepEqual(ids(), ['alone', 'leaving', 'ride', 'あ'])
  })

  test('a step of many gives way to whoever comes meanwhile, but not without end', async () => {
    const order: string[] = []
    const did = (id: string, isStep = false): Promise<void> =>
      group.commit({ isStep, stage: () => void staged.push(id), apply: () => void order.push(id) })
    const all = [did('step 1', true), did('personal 1')]
    const next = (n: number): Promise<void> | undefined => {
      if (n > 8) return undefined
      const one = did(`personal ${n}`)
      // Whoever comes after each answer: there is always somebody.
      return one.then(() => next(n + 1))
    }
    await Promise.all([...all, next(2)])
    assert.equal(order[0], 'personal 1')
    const at = order.indexOf('step 1')
    assert.ok(at >= 1 && at <= 2, order.join(', '))
  })

  test('idle waits for what runs', async () => {
    let done = false
    void put('a').then(() => (done = true))
    await group.idle()
    await Promise.resolve()
    assert.equal(done, true)
    await group.idle()
  })
})

describe('a group commit with a redo log', () => {
  const bench = () => {
    const steps: string[] = []
    const clock = new FakeClock()
    const log = { isReady: true, flushNow: (): boolean => true }
    const checkpointed = (): void => void steps.push('checkpoint')
    const made = openDatabase({
      path: join(dir, `${opened.length}.db`),
      kind: 'test',
      migrations: MIGRATIONS,
      durable: 'checkpoint',
    })
    opened.push(made)
    const checkpoint = made.checkpoint.bind(made)
    made.checkpoint = () => {
      checkpointed()
      checkpoint()
    }
    db = made
    group = new GroupCommit({
      db,
      name: 'test',
      clock,
      flush: async () => void steps.push('flush'),
      journal: {
        write: () => steps.push(`told ${ids().length}`) > 0,
        undo: () => void steps.push('undone'),
        leaveOut: () => void steps.push('left out'),
      },
      redo: {
        get isReady() {
          return log.isReady
        },
        flushNow: () => {
          steps.push('synced')
          return log.flushNow()
        },
      },
    })
    return { steps, log, clock }
  }

  test('syncs octets and rows together, before COMMIT', async () => {
    const { steps } = bench()
    await put('あ')
    assert.deepEqual(steps, ['told 1', 'synced'])
  })

  test('syncs octets by themselves where they cannot go at once', async () => {
    const { steps, log } = bench()
    log.isReady = false
    await put('あ')
    assert.deepEqual(steps, ['flush', 'told 1', 'synced'])
  })

  test('syncs the database itself where its rows found no place', async () => {
    const { steps, log } = bench()
    log.flushNow = () => false
    await put('あ')
    assert.deepEqual(steps, ['told 1', 'synced', 'checkpoint'])
    assert.deepEqual(ids(), ['あ'])
  })

  test('does not commit what its asker has given up: what waited, and what the disk held up', async () => {
    const { steps, log, clock } = bench()
    const until = (id: string, untilMs: number): Promise<unknown> =>
      group.commit({
        untilMs,
        stage: () => void staged.push(id),
        apply: () => void db.query('INSERT INTO letter VALUES (?)').run(id),
      })
    const isStalled = (thrown: unknown): boolean => isFault(thrown, 'stalled')
    const waited = assert.rejects(until('待', clock.monotonicMs()), isStalled)
    clock.advance(1)
    await waited
    assert.deepEqual([steps, staged], [[], []])
    log.flushNow = () => {
      clock.advance(1_000)
      return true
    }
    const beside = assert.rejects(put('傍'), isStalled)
    await assert.rejects(until('遅', clock.monotonicMs() + 999), isStalled)
    await beside
    assert.deepEqual(steps, ['told 2', 'synced', 'undone', 'left out', 'synced'])
    await until('早', clock.monotonicMs() + 1_000)
    assert.deepEqual(ids(), ['早'])
    assert.equal(group.trouble, undefined)
  })

  test('makes nothing of what could not be synced', async () => {
    const { steps, log } = bench()
    log.flushNow = () => {
      throw new Fault('io', '壊れた')
    }
    await assert.rejects(put('あ'), (thrown) => isFault(thrown, 'io'))
    assert.deepEqual(steps, ['told 1', 'synced', 'undone'])
    assert.deepEqual(ids(), [])
    assert.ok(isFault(group.trouble, 'io'))
    log.flushNow = () => true
    await put('い')
    assert.deepEqual(ids(), ['い'])
    assert.equal(group.trouble, undefined)
  })
})
