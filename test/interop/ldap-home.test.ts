import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { armFailpoints } from '#base/failpoint.ts'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { LdapRequest } from '#codec/ldap/message.ts'
import { isSameRow } from '#engine/home/entry-changes.ts'
import { textsOf } from '#engine/home/entry.ts'
import { GROUP_TYPES } from '#engine/home/group-entry.ts'
import { HOME_TIMES } from '#engine/home/ldap-home.ts'
import { dnOf, entryOf } from '#engine/home/row-entry.ts'
import type { AccountId } from '#model/account.ts'
import { accountOf, directoryContract } from '#store/directory/directory-master.contract.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { fakeList, fakeMember } from '#test/fake/directory.ts'
import {
  HOME_BASE,
  asRoot,
  entriesOf,
  groupsOf,
  rowsOf,
  startLdapServers,
} from '#test/peers/ldap-home.ts'
import type { LdapServers } from '#test/peers/ldap-home.ts'
import { HomeControl as Control, until } from '#test/peers/home-control.ts'
import { peersMissing } from '#test/peers/root.ts'
import type { DebianSlapd } from '#test/peers/slapd-debian.ts'

const BY = { who: '管理者', from: 'test' }
/** As ldappasswd has slapd make it; of `secret`. */
const SSHA = `{SSHA}${Buffer.concat([createHash('sha1').update('secretsalt').digest(), Buffer.from('salt')]).toString('base64')}`
const at = (localpart: string, domain = 'campus.example') => ({ localpart, domain })

/** The edits that control answers before the failpoint kills it. */
async function killed(dir: string, point: string, name: string): Promise<readonly string[]> {
  const writer = join(import.meta.dirname, '../peers/home-writer.ts')
  const child = spawn(process.execPath, [writer, dir, point, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL')
  return lines
}

const domain: DirectoryRow = { kind: 'domain', domain: { name: 'campus.example' } }

let servers: LdapServers
const skip = peersMissing() ?? false
before(async () => {
  if (skip === false) servers = await startLdapServers()
})
after(() => servers?.stop())

directoryContract(
  'on OpenLDAP',
  async () => {
    const control = await Control.open()
    await control.keeper.move(servers.place, BY, { adopt: false })
    await control.is('well')
    return {
      master: control.master,
      log: control.log,
      isSame: isSameRow,
      home: () => rowsOf(servers.provider),
      close: async () => {
        const keys = [...(await rowsOf(servers.provider)).keys()]
        await asRoot(servers.provider, async (connection) => {
          for (const key of keys) await connection.ask({ op: 'delete', dn: dnOf(key, HOME_BASE) })
        })
        await control.remove()
      },
    }
  },
  { skip },
)

describe('a home on OpenLDAP', { skip }, () => {
  let control: Control
  const provider = (): DebianSlapd => servers.provider
  before(async () => {
    control = await Control.open()
    const rows = [
      domain,
      accountOf('hanako', { name: '花子', credential: '{SSHA}old', scram: 'keys' }),
      accountOf('taro', { addresses: [at('t.yamada')] }),
      ...Array.from({ length: 60 }, (_, n) => accountOf(`student${n}`)),
    ]
    const done = await control.master.write(
      rows.map((row) => ({ kind: 'put', row })),
      BY,
    )
    assert.ok(done.ok)
  })
  after(() => control.remove())

  const write = (...rows: readonly DirectoryRow[]) =>
    control.master.write(
      rows.map((row) => ({ kind: 'put', row })),
      BY,
    )
  const ask = (request: LdapRequest): Promise<number> =>
    asRoot(provider(), async (connection) => (await connection.ask(request)).result.code)
  const replace = (key: string, type: string, ...values: readonly string[]) =>
    ask({
      op: 'modify',
      dn: dnOf(key, HOME_BASE),
      changes: [{ kind: 'replace', type, values: values.map(fromUtf8) }],
    })
  const account = (username: string) => {
    const row = control.row(`account:id-${username}`)
    return row?.kind === 'account' ? row.account : undefined
  }
  const notes = (): readonly { readonly key: string; readonly text: string }[] => {
    const state = control.keeper.state()
    return state.kind === 'ldap' ? state.notes : []
  }

  test('is moved to with all rows, refused where strangers lie there, and left again', async () => {
    const stranger = entryOf(accountOf('stranger'), HOME_BASE)
    assert.equal(await ask({ op: 'add', ...stranger }), 0)
    await assert.rejects(
      control.keeper.move(servers.place, BY, { adopt: false }),
      (thrown) => isFault(thrown, 'conflict') && /stranger/.test(thrown.message),
    )
    const wrong = { ...servers.place, bind: { ...servers.place.bind, passwordBase64: 'eA==' } }
    await assert.rejects(control.keeper.move(wrong, BY, { adopt: true }), (thrown) =>
      isFault(thrown, 'unavailable'),
    )
    assert.equal(control.keeper.state().kind, 'embedded')
    await control.keeper.move(servers.place, BY, { adopt: true })
    await control.is('well')
    // Whom others have made there is one of ours from now on.
    await until('the stranger', () => account('stranger'))
    assert.equal((await rowsOf(provider())).size, 64)
    await control.keeper.back()
    assert.equal(control.keeper.state().kind, 'embedded')
    assert.ok((await write(accountOf('taro', { name: '此処' }))).ok)
    await control.keeper.move(servers.place, BY, { adopt: false })
    // It may take longer than for an edit: nobody waits for a copy.
    provider().pause()
    await sleep(HOME_TIMES.answerMs + 500)
    provider().resume()
    await control.is('well')
    const there = (await rowsOf(provider())).get('account:id-taro')
    assert.equal(there?.kind === 'account' && there.account.name, '此処')
  })

  test('is heard: what others change there becomes an edit here, with who it was', async () => {
    assert.equal(await replace('account:id-taro', 'displayName', '太郎'), 0)
    await until('the new name', () => account('taro')?.name === '太郎')
    const { items } = await control.log.history({ key: 'account:id-taro', limit: 1 })
    assert.match(items[0]?.by.who ?? '', /cn=external/)
    // A note of others at the entry is none of ours, and stays.
    assert.equal(await replace('account:id-taro', 'description', '覚え書き'), 0)
    assert.ok((await write(accountOf('taro', { name: '二郎', addresses: [at('t.yamada')] }))).ok)
    const entry = (await entriesOf(provider())).find(({ dn }) => dn.includes('id-taro'))!
    assert.deepEqual(textsOf(entry, 'description'), ['覚え書き'])
    assert.match(textsOf(entry, 'watariEditedBy')[0] ?? '', /管理者/)
    assert.equal(await ask({ op: 'delete', dn: dnOf('account:id-student1', HOME_BASE) }), 0)
    await until('the removal', () => account('student1') === undefined)
  })

  test('breaks no rule: what does is told, and taken once it does not any more', async () => {
    assert.equal(
      await replace('account:id-student2', 'mailLocalAddress', 't.yamada@campus.example'),
      0,
    )
    const note = await until('the note', () => notes().find(({ key }) => key.endsWith('student2')))
    assert.match(note.text, /t\.yamada@campus\.example belongs to taro/)
    assert.deepEqual(account('student2')?.addresses, [])
    assert.equal(await replace('account:id-student3', 'watariRest', 'no JSON'), 0)
    assert.equal(
      await replace('account:id-student4', 'mailLocalAddress', 'hanako@campus.example'),
      0,
    )
    await until('a third note', () => notes().find(({ key }) => key.endsWith('student4')))
    assert.equal(await replace('account:id-student4', 'mailLocalAddress'), 0) // taken back there
    await until('the second note', () => notes().find(({ key }) => key.endsWith('student3')))
    assert.equal(await replace('account:id-taro', 'mailLocalAddress'), 0)
    await until('the address', () => account('student2')?.addresses.length === 1)
    // An edit of ours mends what cannot be read.
    assert.ok((await write(accountOf('student3', { name: '三' }))).ok)
    await until('no note', () => notes().length === 0)
    assert.ok(
      isSameRow(
        (await rowsOf(provider())).get('account:id-student3')!,
        control.row('account:id-student3')!,
      ),
    )
  })

  test('aliases and lists are groups that other programs read, kept true with their rows', async () => {
    const alias = (...to: readonly ReturnType<typeof at>[]): DirectoryRow => ({
      kind: 'alias',
      alias: { from: at('窓口'), to },
    })
    const list = fakeList('kaigi@campus.example')
    const [taro, student] = ['taro', 'student6'].map((each) =>
      dnOf(`account:id-${each}`, HOME_BASE),
    )
    const group = async (name: string) => {
      const entry = (await groupsOf(provider())).find(({ dn }) => dn.startsWith(`cn=${name}@`))
      return entry && GROUP_TYPES.map((type) => textsOf(entry, type).toSorted())
    }
    const is = (name: string, wanted: readonly (readonly string[])[] | undefined) =>
      until(`${name} is as it should be`, async () => {
        const now = await group(name)
        return isDeepStrictEqual(now, wanted) || undefined
      })
    const who = { kind: 'account', id: 'id-taro' as AccountId } as const
    const outside = { kind: 'address', address: at('sensei', 'kenkyu.example') } as const
    const done = await write(
      alias(at('student6'), at('x', 'elsewhere.example'), at('外', 'elsewhere.example')),
      { kind: 'list', list: { ...list, name: '会議', description: '月例' } },
      { kind: 'member', member: fakeMember('kaigi@campus.example', who) },
      { kind: 'member', member: fakeMember('kaigi@campus.example', outside) },
    )
    assert.ok(done.ok)
    await is('窓口', [['窓口@campus.example'], [], [student!], ['x@elsewhere.example'], []])
    const kaigi = ['kaigi@campus.example']
    await is('kaigi', [[...kaigi, '会議'], kaigi, [taro!], ['sensei@kenkyu.example'], ['月例']])
    // An address that becomes somebody's is one of ours.
    assert.ok((await write(alias(at('taro.new'), at('kaigi')))).ok)
    const kaigiDn = `cn=kaigi@campus.example,ou=groups,${HOME_BASE}`
    await is('窓口', [['窓口@campus.example'], [], [kaigiDn], ['taro.new@campus.example'], []])
    assert.ok((await write(accountOf('taro', { addresses: [at('taro.new')] }))).ok)
    await is('窓口', [['窓口@campus.example'], [], [kaigiDn, taro!].toSorted(), [], []])
    // What others write into one is written over when control starts.
    const bad = { kind: 'replace', type: 'member', values: [fromUtf8('cn=x')] } as const
    assert.equal(await ask({ op: 'modify', dn: kaigiDn, changes: [bad] }), 0)
    control = await control.restart()
    await is('kaigi', [[...kaigi, '会議'], kaigi, [taro!], ['sensei@kenkyu.example'], ['月例']])
    const removals = ['alias:窓口@campus.example', `list:${list.id}`].map(
      (key) => ({ kind: 'remove', key }) as const,
    )
    const members = [...control.master.directory.members(list.id)].map((member) => ({
      kind: 'remove' as const,
      key: rowKey({ kind: 'member', member }),
    }))
    assert.ok((await control.master.write([...members, ...removals], BY)).ok)
    await is('kaigi', undefined)
    await is('窓口', undefined)
    await control.is('well')
    assert.ok((await write(accountOf('taro'))).ok)
  })

  test('a password that was set there lets nobody in by keys of the old one, and is hashed', async () => {
    const password = '渡り鳥 & かぎ'
    assert.equal(await replace('account:id-hanako', 'userPassword', SSHA), 0)
    await until('the hash', () => account('hanako')?.credential === SSHA)
    assert.equal(account('hanako')?.scram, undefined)
    assert.equal(account('hanako')?.credentialVersion, 2)
    assert.equal(await replace('account:id-hanako', 'userPassword', password), 0)
    await until('our hash', () => account('hanako')?.credential?.startsWith('$argon2id'))
    assert.ok(await verifyPassword(fromUtf8(password), account('hanako')?.credential))
    assert.match(account('hanako')?.scram ?? '', /\$4096:/)
    const there = await until('the same there', async () => {
      const row = (await rowsOf(provider())).get('account:id-hanako')
      return row !== undefined && isSameRow(row, control.row('account:id-hanako')!)
        ? row
        : undefined
    })
    assert.equal(there.kind === 'account' && there.account.credentialVersion, 3)
  })

  test('of a write from here and one from there to the same row neither is lost', async () => {
    // Before the news of it can have come: the write finds it.
    for (let n = 0; n < 5; n++) {
      assert.equal(
        await replace('account:id-student4', 'mailLocalAddress', `s${n}@campus.example`),
        0,
      )
      const done = await control.master.update((now) => {
        const before = now.account('id-student4' as AccountId)!
        const row: DirectoryRow = { kind: 'account', account: { ...before, name: `名${n}` } }
        return { ok: true, value: [{ kind: 'put', row }] }
      }, BY)
      assert.ok(done.ok)
      assert.equal(account('student4')?.name, `名${n}`)
      assert.deepEqual(account('student4')?.addresses, [at(`s${n}`)])
    }
  })

  test('an edit of several rows that was cut in the middle is ended by who finds it', async () => {
    const rows = [5, 6, 7].map((n) => accountOf(`student${n}`, { name: '揃い' }))
    armFailpoints('home.row=throw@2')
    await assert.rejects(write(...rows))
    // While nobody who finds it can end it.
    assert.ok((await entriesOf(provider())).some(({ dn }) => dn.startsWith('watariKey=edit:')))
    armFailpoints('')
    control = await control.restart()
    await control.is('well')
    await until('all of it', () => [5, 6, 7].every((n) => account(`student${n}`)?.name === '揃い'))
    assert.equal(
      (await entriesOf(provider())).some(({ dn }) => dn.startsWith('watariKey=edit:')),
      false,
    )
    const { items } = await control.log.history({ key: 'account:id-student7', limit: 1 })
    assert.deepEqual(items[0]?.by, BY)
    // What the server cannot hold takes the whole edit back.
    const long = accountOf('student6', { name: '長'.repeat(200), scram: 'k'.repeat(5_000_000) })
    const refused = await write(accountOf('student5', { name: '新' }), long).catch(
      (thrown) => thrown,
    )
    assert.ok(isFault(refused, 'limit'))
    assert.equal(account('student5')?.name, '揃い')
  })

  test('control killed by -9 amid a write: what was answered stands, and nothing is half done', async () => {
    const { dir } = control
    await control.stop()
    // Behind the note of all rows; amid the second edit, the first was answered.
    for (const [name, point, last] of [
      ['甲', 'home.noted=die', '甲1'],
      ['丙', 'home.row=die@5', '丙2'],
    ] as const) {
      const answered = await killed(dir, point, name)
      assert.deepEqual(answered, last.endsWith('2') ? [`${name}1`] : [])
      control = await Control.open(dir)
      await control.is('well')
      const names = (): readonly (string | undefined)[] =>
        [20, 21, 22].map((n) => account(`student${n}`)?.name)
      await until('all of it', () => names().every((each) => each === last) || undefined)
      const there = await rowsOf(provider())
      assert.equal(there.size, control.master.directory.size)
      for (const [key, row] of there) assert.ok(isSameRow(control.row(key)!, row), key)
      const left = await entriesOf(provider())
      assert.ok(!left.some(({ dn }) => dn.startsWith('watariKey=edit:')))
      if (name !== '丙') await control.stop()
    }
  })

  test('away: nothing can be changed, the replica is followed, and nothing here is older than it was', async () => {
    assert.ok((await write(accountOf('student8', { name: '最後' }))).ok)
    await until('the replica has it', async () => {
      const row = (await rowsOf(servers.replica)).get('account:id-student8')
      return row?.kind === 'account' && row.account.name === '最後'
    })
    await provider().kill()
    await control.is('replica')
    await assert.rejects(write(accountOf('student8', { name: '無理' })), (thrown) =>
      isFault(thrown, 'unavailable'),
    )
    assert.equal(account('student8')?.name, '最後')
    // Started anew with the provider away, the replica is still no older than what was taken.
    control = await control.restart()
    await control.is('replica')
    await servers.replica.kill()
    await control.is('away')
    assert.equal(account('student8')?.name, '最後')
    await Promise.all([provider().start(), servers.replica.start()])
    await control.is('well')
    await until('writes again', async () =>
      write(accountOf('student8', { name: '再び' })).then(
        ({ ok }) => ok,
        () => undefined,
      ),
    )
  })

  test('one that loses many rows at once is held until somebody says that it is meant', async () => {
    await asRoot(provider(), async (connection) => {
      for (let n = 20; n < 60; n++)
        await connection.ask({ op: 'delete', dn: dnOf(`account:id-student${n}`, HOME_BASE) })
    })
    await control.is('held')
    await until('all are told', () => notes().length >= 20)
    const left = [...control.master.directory.accounts()].length
    assert.ok(left >= 45, `${left}`)
    await control.keeper.accept()
    await until('they are gone', () => account('student59') === undefined)
    await control.is('well')
    assert.equal(account('student8')?.name, '再び')
  })

  /** Connections on which the service account has logged in, as the provider's log has it. */
  const ours = (): ReadonlySet<string> =>
    new Set(
      [
        ...provider()
          .log()
          .matchAll(/ (conn=\d+) op=\d+ BIND dn="cn=watari,/g),
      ].map(([, id]) => id!),
    )
  /** Entries that were sent on connections of ours that are newer than those. */
  const sentBut = (before: ReadonlySet<string>): readonly string[] => {
    const newer = ours().difference(before)
    return [
      ...provider()
        .log()
        .matchAll(/ (conn=\d+) op=\d+ ENTRY dn="watariKey=([^,]*),/g),
    ]
      .filter(([, id]) => newer.has(id!))
      .map(([, , key]) => key!)
  }
  const isAsThere = async (): Promise<void> => {
    const there = await rowsOf(provider())
    assert.equal(there.size, control.master.directory.size)
    for (const [key, row] of there) assert.ok(isSameRow(control.row(key)!, row), key)
  }

  test('a start asks for what has changed alone: what was changed, what is gone, what was not taken', async () => {
    // Somebody's address: noted, and known after the start as well.
    const noted = 'account:id-student10'
    assert.equal(await replace(noted, 'mailLocalAddress', 'hanako@campus.example'), 0)
    await until('the note', () => notes().find(({ key }) => key === noted))
    await control.stop()
    assert.equal(await replace('account:id-student11', 'displayName', '十一'), 0)
    assert.equal(await ask({ op: 'delete', dn: dnOf('account:id-student12', HOME_BASE) }), 0)
    const before = ours()
    control = await Control.open(control.dir)
    await control.is('well')
    await until('the new name', () => account('student11')?.name === '十一')
    await until('the removal', () => account('student12') === undefined)
    await until('the note', () => notes().find(({ key }) => key === noted))
    assert.equal(await replace(noted, 'mailLocalAddress'), 0)
    await until('no note', () => notes().length === 0)
    await until('its word', () => sentBut(before).filter((key) => key === noted).length > 1)
    assert.deepEqual([...new Set(sentBut(before))].toSorted(), [noted, 'account:id-student11'])
    await isAsThere()
  })

  test('a log that is restored from an older backup comes up with what it lacks', async () => {
    await control.stop()
    const backup = `${control.dir}.backup`
    cpSync(control.dir, backup, { recursive: true })
    control = await Control.open(control.dir)
    await control.is('well')
    const removal = { kind: 'remove', key: 'account:id-student13' } as const
    assert.ok((await control.master.write([removal], BY)).ok)
    assert.ok((await write(accountOf('student14', { name: '十四' }), accountOf('later'))).ok)
    assert.equal(await replace('account:id-student15', 'displayName', '十五'), 0)
    await until('the new name', () => account('student15')?.name === '十五')
    await control.stop()
    rmSync(control.dir, { recursive: true })
    renameSync(backup, control.dir)
    control = await Control.open(control.dir)
    assert.notEqual(account('student13'), undefined)
    await control.is('well')
    await until('all of it', () => account('later') && account('student15')?.name === '十五')
    await until('the removal', () => account('student13') === undefined)
    await isAsThere()
  })

  test('a provider that died goes on; one of an older backup undoes nothing until that is meant', async () => {
    // What it has forgotten then is how far it was, not what it has.
    const removal = { kind: 'remove', key: 'account:id-later' } as const
    assert.ok((await control.master.write([removal], BY)).ok)
    await provider().kill()
    const restore = provider().backUp()
    await provider().start()
    await control.is('well')
    await until('writes', async () =>
      write(accountOf('student16', { name: '新しい' })).then(
        ({ ok }) => ok,
        () => undefined,
      ),
    )
    await provider().kill()
    restore()
    await provider().start()
    const isHeld = async (): Promise<void> => {
      const state = await control.is('held')
      assert.match((state.kind === 'ldap' && state.error) || '', /older than what was taken/)
      await assert.rejects(write(accountOf('student17', { name: '無理' })), (thrown) =>
        isFault(thrown, 'unavailable'),
      )
      assert.equal(account('student16')?.name, '新しい')
    }
    await isHeld()
    control = await control.restart()
    await isHeld()
    await control.keeper.accept()
    await until('what is there', () => account('student16')?.name !== '新しい')
    await control.is('well')
    await isAsThere()
    assert.ok((await write(accountOf('student17', { name: '再び' }))).ok)
  })
})
