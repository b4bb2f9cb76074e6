import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { SqliteSettingsStore } from './generations.ts'
import type { SettingsStore } from './generations.ts'
import { settingsManual } from './manual.ts'
import { NetworkSet, parseNetwork } from './network-set.ts'
import { resolveSettings, settingsOfCopy } from './resolve.ts'
import { FileSettingsCopy } from './settings-copy.ts'
import { SettingsMaster } from './settings-master.ts'
import { SETTING_KEYS, SETTINGS } from './table.ts'
import { formatDuration, formatSize, readKey, readValue } from './validate.ts'

const by = { who: '管理者', from: 'cli' }
let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watari-settings-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function open(name: string): Promise<{ store: SqliteSettingsStore; master: SettingsMaster }> {
  const store = new SqliteSettingsStore(join(folder, name))
  const master = new SettingsMaster({ store, clock: new FakeClock() })
  await master.load()
  return { store, master }
}

test('a script that cannot run is refused, with what is wrong; an empty one is none', async () => {
  const store = new SqliteSettingsStore(join(folder, 'script'))
  const scriptFault = (text: string) => (text.includes('誤') ? 'line 1: 誤り' : undefined)
  const master = new SettingsMaster({ store, clock: new FakeClock(), scriptFault })
  await master.load()
  const write = { by: { who: 'admin', from: '127.0.0.1' } }
  const set = (text: string) => master.set({ 'sieve.before': text }, write)
  const refused = await set('誤;')
  assert.ok(!refused.ok)
  assert.equal(refused.error.message, 'sieve.before: line 1: 誤り')
  const large = await set('#'.repeat(64 * 1024 + 1))
  assert.ok(!large.ok)
  assert.match(large.error.message, /more than 64KiB/)
  const text = '# 会議,  a b\r\nkeep;\n'
  assert.ok((await set(text)).ok)
  assert.equal(master.settings['sieve.before'], text)
  assert.ok((await set('')).ok)
  assert.equal(master.settings['sieve.before'], '')
})

describe('the table of settings', () => {
  test('each default is a value that the validator takes', () => {
    for (const key of SETTING_KEYS) {
      const read = readValue(key, SETTINGS[key].default)
      assert.ok(read.ok, key)
      assert.deepEqual(read.value, SETTINGS[key].default, key)
    }
  })

  test('values are understood as people write them', () => {
    for (const [key, text, value] of [
      ['queue.lifetimeMs', '5d', 5 * DAY_MS],
      ['queue.lifetimeMs', 90_000, 90 * SECOND_MS],
      ['queue.delayNoticeMs', '1.5 h', 1.5 * HOUR_MS],
      ['dns.timeoutMs', '250ms', 250],
      ['mail.sizeBytesMax', '20 MiB', 20 * 1024 * 1024],
      ['mail.sizeBytesMax', '52428800', 52_428_800],
      ['judge.enabled', 'off', false],
      ['queue.retryMs', '1m, 5m,1h', [MINUTE_MS, 5 * MINUTE_MS, HOUR_MS]],
      [
        'dns.servers',
        '127.0.0.1:5300 ::1 ns.example',
        ['127.0.0.1:5300', '[::1]:53', 'ns.example:53'],
      ],
      [
        'relay.access',
        '10.0.0.0/8,2001:DB8::/32 192.0.2.7',
        ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'],
      ],
      ['spam.spamScore', '7.5', 7.5],
      ['policy.spam', 'hold', 'hold'],
    ] as const)
      assert.deepEqual(readValue(key, text), { ok: true, value }, `${key} ${String(text)}`)
  })

  test('a refusal names the setting, the fault and what to write', () => {
    for (const [key, value, message, remedy] of [
      ['queue.lifetimeMs', '5 weeks', /queue\.lifetimeMs: 5 weeks is no duration/, /such as 90s/],
      ['queue.lifetimeMs', '31d', /31d is above 30d/, /1m to 30d/],
      ['smtp.recipientsMax', 5, /5 is below 100/, /100 to 100000/],
      ['smtp.recipientsMax', 1.5, /no whole number/, /number/],
      ['dns.servers', ['[::1:53'], /no HOST:PORT/, /127\.0\.0\.1:53/],
      ['dns.servers', ['a:99999'], /no HOST:PORT/, /127/],
      ['policy.spam', 'delete', /delete is no action/, /accept, reject/],
      // Trouble of ours is never a 5xx, and loses nothing.
      ['policy.unavailable', 'reject', /reject is no action/, /one of accept, defer, hold\./],
      ['policy.unavailable', 'discard', /discard is no action/, /one of accept, defer, hold\./],
      ['judge.enabled', 'maybe', /neither true nor false/, /true or false/],
      ['relay.access', ['10.0.0.0/8', '10.0.0.1/8'], /row 2: .* write 10\.0\.0\.0\/8/, /networks/],
      ['relay.access', ['0.0.0.0/0'], /whole Internet/, /networks/],
      ['relay.access', ['渡り'], /渡り is no network/, /networks/],
      ['queue.retryMs', [], /empty/, /durations/],
    ] as const) {
      const read = readValue(key, value)
      assert.match(read.ok ? 'taken' : read.error.message, message)
      assert.match(read.ok ? 'taken' : read.error.remedy, remedy)
    }
    const unknown = readKey('queue.lifetime')
    assert.match(unknown.ok ? '' : unknown.error.remedy, /queue\.lifetimeMs/)
  })

  test('durations and sizes read back as they are written', () => {
    for (const ms of [250, 1_000, 90_000, HOUR_MS, 36 * HOUR_MS, 5 * DAY_MS])
      assert.deepEqual(
        readValue('queue.retryMs', [formatDuration(ms)]).ok,
        ms >= 1_000 && ms <= DAY_MS,
      )
    assert.equal(formatSize(52_428_800), '50MiB')
    assert.equal(formatDuration(36 * HOUR_MS), '36h')
  })

  test('the manual tells every setting in both languages', () => {
    const manual = settingsManual()
    for (const key of SETTING_KEYS) {
      assert.ok(manual.includes(`## \`${key}\``), key)
      assert.ok(manual.includes(SETTINGS[key].doc.ja) && manual.includes(SETTINGS[key].doc.en), key)
      assert.match(SETTINGS[key].doc.ja, /[぀-ヿ一-鿿]/, key)
    }
  })
})

describe('a set of networks', () => {
  test('holds IPv4 and IPv6, single addresses, mapped addresses and zones', async () => {
    const set = await NetworkSet.build([
      '10.0.0.0/8',
      '192.0.2.7',
      '2001:db8::/32',
      'fe80::/10',
      '192.0.2.128/25',
      '2001:db8:1::/48',
    ])
    for (const ip of [
      '10.0.0.0',
      '10.255.255.255',
      '192.0.2.7',
      '2001:db8::1',
      '2001:DB8:ffff:ffff:ffff:ffff:ffff:ffff',
      '::ffff:10.1.2.3',
      '::ffff:a01:203',
      'fe80::1%eth0',
      '192.0.2.128',
      '192.0.2.255',
    ])
      assert.equal(set.has(ip), true, ip)
    for (const ip of [
      '9.255.255.255',
      '11.0.0.0',
      '192.0.2.6',
      '192.0.2.8',
      '2001:db7:ffff::',
      '2001:db9::',
      '::',
      '192.0.2.127',
      '',
      'x',
      '10.0.0',
      '010.0.0.1',
    ])
      assert.equal(set.has(ip), false, ip)
    assert.equal(NetworkSet.empty.has('127.0.0.1'), false)
  })

  test('each prefix length covers exactly its addresses', () => {
    for (let prefix = 1; prefix <= 128; prefix++) {
      const value = ((1n << BigInt(prefix)) - 1n) << BigInt(128 - prefix)
      const text = value.toString(16).padStart(32, '0').match(/.{4}/g)!.join(':')
      const network = parseNetwork(`${text}/${prefix}`)
      assert.ok(network.ok, text)
      assert.equal(BigInt(`0x${network.value.first}`), value)
      assert.equal(BigInt(`0x${network.value.last}`), (1n << 128n) - 1n)
      assert.deepEqual(parseNetwork(network.value.canonical), network)
    }
  })

  test('100,000 rows answer like a plain search', async () => {
    const rows: string[] = []
    for (let i = 0; i < 50_000; i++) {
      rows.push(`${1 + (i % 200)}.${(i >> 8) & 255}.${(i * 7) & 255}.0/24`)
      rows.push(`2001:db8:${(i & 0xffff).toString(16)}:${(i >> 3).toString(16)}::/64`)
    }
    const set = await NetworkSet.build(rows)
    assert.equal(set.rows, 100_000)
    const four = new Set(
      rows.filter((row) => row.includes('.')).map((row) => row.replace(/\.0\/24$/, '')),
    )
    for (let i = 0; i < 20_000; i++) {
      const net = `${(i * 13) % 256}.${(i * 31) % 200}.${(i * 17) % 256}`
      assert.equal(set.has(`${net}.${i % 256}`), four.has(net), net)
    }
    assert.equal(set.has('2001:db8:ffff:ffff::1'), false)
    assert.equal(
      set.has(`2001:db8:${(49_999).toString(16)}:${(49_999 >> 3).toString(16)}:1:2:3:4`),
      true,
    )
  })
})

describe('generations', () => {
  test('a value set is in force, counted, and there after a restart', async () => {
    const first = await open('set.db')
    assert.equal(first.master.latest.generation, 0)
    const set = await first.master.set(
      { 'queue.lifetimeMs': '2d', 'relay.access': ['10.0.0.0/8'] },
      { by },
    )
    assert.equal(set.ok && set.value.generation, 1)
    first.store.close()
    const second = await open('set.db')
    assert.equal(second.master.settings['queue.lifetimeMs'], 2 * DAY_MS)
    assert.equal(second.master.settings['relay.access'].has('10.1.2.3'), true)
    assert.deepEqual(second.master.latest.by, by)
    assert.deepEqual(second.master.latest.changes, [
      { key: 'queue.lifetimeMs', before: null, after: 2 * DAY_MS },
      { key: 'relay.access', rowsBefore: 0, rowsAfter: 1, added: ['10.0.0.0/8'], removed: [] },
    ])
    second.store.close()
  })

  test('two administrators who edit one setting: the second is told of the first', async () => {
    const { store, master } = await open('two.db')
    const seen = master.latest.generation
    assert.ok(
      (await master.set({ 'spam.spamScore': 12 }, { by: { who: '花子', from: 'api' }, base: seen }))
        .ok,
    )
    const second = await master.set(
      { 'spam.spamScore': 9 },
      { by: { who: '太郎', from: 'api' }, base: seen },
    )
    assert.equal(second.ok, false)
    assert.equal(!second.ok && second.error.code, 'conflict')
    assert.match(second.ok ? '' : second.error.message, /花子 made generation 1, you have seen 0/)
    assert.equal(master.settings['spam.spamScore'], 12)
    store.close()
  })

  test('edits are staged, shown, applied; a draft outlives a restart and falls behind a change', async () => {
    const first = await open('draft.db')
    await first.master.stage({ 'spam.suspectedScore': 3 }, { by })
    await first.master.stage({ 'spam.spamScore': 6, 'lmtp.foreign': '192.0.2.0/24' }, { by })
    assert.equal(first.master.settings['spam.suspectedScore'], 5, 'staged is not applied')
    first.store.close()
    const { store, master } = await open('draft.db')
    const diff = await master.diff(0, 'draft')
    assert.deepEqual(diff.ok && diff.value.map(({ key }) => key), [
      'spam.spamScore',
      'spam.suspectedScore',
      'lmtp.foreign',
    ])
    assert.ok((await master.apply({ by })).ok)
    assert.equal(master.settings['spam.suspectedScore'], 3)
    assert.equal(master.settings['lmtp.foreign'].has('192.0.2.1'), true)
    assert.equal((await master.apply({ by })).ok, false, 'nothing is staged any more')
    await master.stage({ 'spam.spamScore': 20 }, { by })
    await master.set({ 'judge.enabled': false }, { by })
    const late = await master.apply({ by })
    assert.equal(!late.ok && late.error.code, 'conflict')
    await master.discard()
    assert.equal(master.draft, undefined)
    store.close()
  })

  test('a rollback is a new generation with the old content and the old hash', async () => {
    const { store, master } = await open('rollback.db')
    const first = await master.set({ 'spam.spamScore': 11 }, { by })
    await master.set({ 'spam.spamScore': 99, 'received.max': 50 }, { by })
    const back = await master.rollback(1, { by })
    assert.ok(back.ok && first.ok)
    assert.equal(back.value.generation, 3)
    assert.equal(back.value.hash, first.value.hash)
    assert.equal(master.settings['spam.spamScore'], 11)
    assert.equal(back.value.note, 'rollback to 1')
    assert.equal((await master.rollback(77, { by })).ok, false)
    store.close()
  })

  test('a write whose answer was lost is known before the next one', async () => {
    const store = new SqliteSettingsStore(join(folder, 'lost.db'))
    let isLost = true
    const lossy: SettingsStore = {
      generation: store.generation.bind(store),
      history: store.history.bind(store),
      table: store.table.bind(store),
      saveDraft: store.saveDraft.bind(store),
      draft: store.draft.bind(store),
      write: async (write) => {
        await store.write(write)
        if (isLost) throw new Fault('stalled', 'no answer')
      },
    }
    const master = new SettingsMaster({ store: lossy, clock: new FakeClock() })
    await master.load()
    const told: number[] = []
    master.onChange(({ generation }) => told.push(generation))
    await assert.rejects(master.set({ 'received.max': 50 }, { by }), { code: 'stalled' })
    isLost = false
    assert.ok((await master.set({ 'spam.spamScore': 44 }, { by })).ok)
    assert.deepEqual(told, [1, 2])
    assert.deepEqual(master.latest.values, { 'received.max': 50, 'spam.spamScore': 44 })
    store.close()
  })

  test('values that do not fit together are refused', async () => {
    const { store, master } = await open('together.db')
    const refused = await master.set({ 'spam.spamScore': 1 }, { by })
    assert.match(refused.ok ? '' : refused.error.message, /below spam\.suspectedScore/)
    assert.equal(master.latest.generation, 0)
    store.close()
  })

  test('networks come and go; one that is not there is named', async () => {
    const { store, master } = await open('rows.db')
    await master.changeRows(
      'relay.access',
      { add: ['10.0.0.0/8', '192.0.2.1'], remove: [] },
      { by },
    )
    await master.changeRows(
      'relay.access',
      { add: ['2001:db8::/32'], remove: ['10.0.0.0/8'] },
      { by },
    )
    assert.deepEqual(await master.rows('relay.access'), ['192.0.2.1', '2001:db8::/32'])
    const missing = await master.changeRows(
      'relay.access',
      { add: [], remove: ['10.0.0.0/8'] },
      { by },
    )
    assert.match(missing.ok ? '' : missing.error.message, /10\.0\.0\.0\/8 is not in relay\.access/)
    store.close()
  })

  test('10,000 generations: the latest, the first and a page of history are at hand', async () => {
    const first = await open('many.db')
    await first.master.set({ 'received.max': 10 }, { by })
    first.store.close()
    // The others as copies of the first: what counts is that there are many.
    const db = new DatabaseSync(join(folder, 'many.db'))
    db.exec(`
      WITH RECURSIVE n(i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
      INSERT INTO generation SELECT i, json_set(head, '$.generation', i),
        json_set(content, '$.values."received.max"', 10 + i % 900) FROM n, generation`)
    db.close()
    const { store, master } = await open('many.db')
    assert.equal(master.settings['received.max'], 10 + (9_999 % 900))
    const set = await master.set({ 'spam.spamScore': 42 }, { by })
    assert.equal(set.ok && set.value.generation, 10_000)
    const page = await store.history({ before: 5_000, limit: 3 })
    assert.deepEqual(
      page.items.map(({ generation }) => generation),
      [4_999, 4_998, 4_997],
    )
    assert.ok((await master.rollback(1, { by })).ok)
    assert.equal(master.settings['received.max'], 10)
    store.close()
  })
})

describe('the copy of a node', () => {
  test('is found again with its tables, and damage is told', async () => {
    const path = join(folder, 'copy')
    const copy = new FileSettingsCopy(path)
    assert.deepEqual(await copy.load(), { tables: {} })
    const { store, master } = await open('copy.db')
    await master.set({ 'relay.access': ['10.0.0.0/8'], 'policy.spam': 'hold' }, { by })
    const { snapshot } = master
    const hash = snapshot.tables['relay.access']!
    await copy.save({ snapshot, tables: { [hash]: (await master.table(hash))! } })
    const loaded = await new FileSettingsCopy(path).load()
    assert.deepEqual(loaded.snapshot, snapshot)
    const settings = await resolveSettings(snapshot, async (name) => loaded.tables[name])
    assert.equal(settings.ok && settings.value['relay.access'].has('10.0.0.1'), true)
    assert.equal(settings.ok && settings.value['policy.spam'], 'hold')
    await writeFile(path, 'watari-settings 1 00\n{}')
    await assert.rejects(copy.load(), { code: 'corrupt' })
    await writeFile(path, 'watari-settings 2 00\n{}')
    await assert.rejects(copy.load(), { code: 'version' })
    const values = { 'mail.sizeBytesMax': '大きい' } as never
    await copy.save({ snapshot: { ...snapshot, values }, tables: {} })
    await assert.rejects(settingsOfCopy(await copy.load()), {
      code: 'config',
      message: /^generation 1: mail\.sizeBytesMax: /,
    })
    store.close()
  })
})
