import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { search } from '#client/ldap/search.ts'
import { equal } from '#codec/ldap/filter.ts'
import type { LdapRequest } from '#codec/ldap/message.ts'
import { replicatorPassword } from '#engine/home/base-entries.ts'
import { textsOf } from '#engine/home/entry.ts'
import type { HomeScriptsState } from '#engine/home/home-keeper.ts'
import { replicatorDn } from '#engine/home/provision-plan.ts'
import { dnOf } from '#engine/home/row-entry.ts'
import { SCRIPT_CLASS } from '#engine/home/schema.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import { accountOf } from '#store/directory/directory-master.contract.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { hanako } from '#store/mailbox/contract/contract-bench.ts'
import { scriptsContract } from '#store/mailbox/contract/scripts.contract.ts'
import { HomeControl, until } from '#test/peers/home-control.ts'
import { HOME_BASE, asRoot, scriptEntriesOf, startLdapServers } from '#test/peers/ldap-home.ts'
import type { LdapServers } from '#test/peers/ldap-home.ts'
import { peersMissing } from '#test/peers/root.ts'
import { ScriptSide } from '#test/peers/script-side.ts'
import type { DebianSlapd } from '#test/peers/slapd-debian.ts'

const BY = { who: '管理者', from: 'test' }
const domain: DirectoryRow = { kind: 'domain', domain: { name: 'campus.example' } }
const PASSWORD = fromUtf8('渡り鳥 & かぎ')
const TARO = 'id-taro' as AccountId
const JIRO = 'id-jiro' as AccountId
const SABURO = 'id-saburo' as AccountId

const skip = peersMissing() ?? false

describe('scripts in a home on OpenLDAP', { skip }, () => {
  let servers: LdapServers
  let side: ScriptSide
  let control: HomeControl
  const provider = (): DebianSlapd => servers.provider

  const open = async (dir?: string): Promise<void> => {
    control = await HomeControl.open(dir, side.remote)
    side.control = control.keeper
  }
  before(async () => {
    servers = await startLdapServers()
    side = new ScriptSide()
    await side.listen()
    await open()
    const rows = [
      domain,
      ...['hanako', 'taro', 'jiro', 'saburo'].map((name) => accountOf(name)),
      { kind: 'account', account: { ...firstOf(accountOf('keiyaku')), id: hanako } } as const,
    ]
    await write(...rows)
    await put(TARO, '振り分け', 'keep;', true)
    await put(TARO, '休暇', '# 休み\r\nstop;')
  })
  after(async () => {
    await control?.remove()
    await side?.close()
    await servers?.stop()
  })

  const write = async (...rows: readonly DirectoryRow[]): Promise<void> => {
    const puts = rows.map((row) => ({ kind: 'put', row }) as const)
    assert.ok((await control.master.write(puts, BY)).ok)
  }
  const put = async (accountId: AccountId, name: string, text: string, activate = false) => {
    const done = await side.scripts.put({ accountId, name, text, activate })
    assert.ok(done.ok, JSON.stringify(done))
    return done.value
  }
  /** Names, the active one with an asterisk, and texts, in the store. */
  const here = async (accountId: AccountId): Promise<readonly string[]> => {
    const all = await side.scripts.list({ accountId })
    const texts = all.map(async ({ name, active }) => {
      const got = await side.scripts.get({ accountId, name })
      return `${name}${active ? '*' : ''} ${got.ok ? got.value.text : ''}`
    })
    return (await Promise.all(texts)).toSorted()
  }
  /** The same as the server has it. */
  const there = async (accountId: AccountId, slapd = provider()): Promise<readonly string[]> =>
    (await scriptEntriesOf(slapd, accountId))
      .map((entry) => {
        const one = (type: string): string => textsOf(entry, type)[0] ?? ''
        const mark = one('watariScriptActive') === 'TRUE' ? '*' : ''
        return `${one('watariScriptName')}${mark} ${one('watariScript')}`
      })
      .toSorted()
  const same = (what: string, accountId: AccountId, wanted: readonly string[]) =>
    until(what, async () => {
      const both = [await here(accountId), await there(accountId)]
      return both.every((each) => JSON.stringify(each) === JSON.stringify(wanted)) || undefined
    }).catch(async (thrown: unknown) => {
      const found = {
        here: await here(accountId),
        there: await there(accountId),
        scripts: scripts(),
      }
      throw new Error(`${what}: ${JSON.stringify({ ...found, notes: notes() })}`, { cause: thrown })
    })
  const ask = (request: LdapRequest): Promise<number> =>
    asRoot(provider(), async (connection) => (await connection.ask(request)).result.code)
  const dnOfScript = async (accountId: AccountId, name: string): Promise<string> => {
    const found = (await scriptEntriesOf(provider(), accountId)).find(
      (entry) => textsOf(entry, 'watariScriptName')[0] === name,
    )
    assert.ok(found, name)
    return found.dn
  }
  const replace = async (
    accountId: AccountId,
    name: string,
    ...changes: readonly (readonly [type: string, value: string | Octets | undefined])[]
  ) => {
    const dn = await dnOfScript(accountId, name)
    const code = await ask({
      op: 'modify',
      dn,
      changes: changes.map(([type, value]) => ({
        kind: 'replace',
        type,
        values: value === undefined ? [] : [typeof value === 'string' ? fromUtf8(value) : value],
      })),
    })
    assert.equal(code, 0)
  }
  const add = (accountId: AccountId, id: string, fields: Readonly<Record<string, string>>) =>
    ask({
      op: 'add',
      dn: `watariScriptId=${id},${dnOf(`account:${accountId}`, HOME_BASE)}`,
      attributes: Object.entries({ objectClass: SCRIPT_CLASS, watariScriptId: id, ...fields }).map(
        ([type, value]) => ({ type, values: [fromUtf8(value)] }),
      ),
    })
  const scripts = (): HomeScriptsState | undefined => {
    const state = control.keeper.state()
    return state.kind === 'ldap' ? state.scripts : undefined
  }
  const notes = (): readonly string[] => {
    const state = control.keeper.state()
    return state.kind === 'ldap' ? state.notes.map(({ key, text }) => `${key}: ${text}`) : []
  }
  const isWell = () =>
    until(
      'scripts are well',
      () => (scripts()?.state === 'well' && scripts()?.waiting === 0) || undefined,
    )

  /** What was changed has been heard of, and is known as it is in both. */
  const isKnown = (accountId: AccountId) =>
    until('it is known', async () => {
      const all = await side.scripts.list({ accountId })
      const known = await control.log.scriptHome.ofAccount({ accountId })
      const isSo = known.every(({ id, digest, active }) =>
        all.some((each) => each.id === id && each.digest === digest && +each.active === active),
      )
      return (isSo && known.length === all.length) || undefined
    })

  test('go there with the rows, and nobody but the service and replicas reads them', async () => {
    await control.keeper.move(servers.place, BY, { adopt: false })
    await control.is('well')
    await isWell()
    await same('both scripts', TARO, ['休暇 # 休み\r\nstop;', '振り分け* keep;'])
    assert.notEqual(side.node.scriptHome, undefined)
    await until('the replica', async () => (await there(TARO, servers.replica)).length === 2)
    const replica = { ...servers.place.replicas[0]! }
    const seen = async (dn: string, password: Octets): Promise<number> => {
      const connection = await LdapConnection.open(replica, PARTS)
      try {
        assert.ok(await bind(connection, { kind: 'simple', dn, password }))
        return (await entriesBy(connection)).length
      } finally {
        connection.close()
      }
    }
    const secret = fromUtf8(servers.password)
    assert.equal(await seen(servers.place.bind.dn, secret), 2)
    const copier = fromUtf8(replicatorPassword(secret))
    assert.equal(await seen(replicatorDn(HOME_BASE), copier), 2)
    const taro = dnOf(`account:${TARO}`, HOME_BASE)
    const values = [PASSWORD]
    const changes = [{ kind: 'replace', type: 'userPassword', values } as const]
    assert.equal(await ask({ op: 'modify', dn: taro, changes }), 0)
    await until('the password', async () => (await bindsAt(replica, taro)) || undefined)
    assert.equal(await seen(taro, PASSWORD), 0)
  })

  test('are written there first by whoever changes one here, 1 MB of it too', async () => {
    const large = `# ${'渡'.repeat(300_000)}${'x'.repeat(100_000)}\r\nkeep;`
    await put(JIRO, '大きな', large, true)
    assert.deepEqual(await there(JIRO), [`大きな* ${large}`])
    await put(JIRO, '大きな', 'keep;')
    await put(JIRO, '次', 'stop;', true)
    assert.deepEqual(await there(JIRO), ['大きな keep;', '次* stop;'])
    assert.ok((await side.scripts.rename({ accountId: JIRO, name: '次', to: '最後' })).ok)
    assert.ok((await side.scripts.activate({ accountId: JIRO, name: null })).ok)
    assert.deepEqual(await there(JIRO), ['大きな keep;', '最後 stop;'])
    assert.ok((await side.scripts.remove({ accountId: JIRO, name: '大きな' })).ok)
    await same('the one that is left', JIRO, ['最後 stop;'])
    const broken = { accountId: JIRO, name: '壊れた', text: 'kepe;' }
    assert.equal((await side.scripts.put({ ...broken, activate: false })).ok, false)
    assert.ok((await side.scripts.keep(broken)).ok)
    await same('one that was brought in as it was', JIRO, ['壊れた kepe;', '最後 stop;'])
    const refused = await side.scripts.activate({ accountId: JIRO, name: '壊れた' })
    assert.equal(refused.ok, false)
    assert.ok((await side.scripts.remove({ accountId: JIRO, name: '壊れた' })).ok)
    await isWell()
  })

  test('are heard: what others change, add, switch and take away there is so here', async () => {
    await replace(
      JIRO,
      '最後',
      ['watariScript', '# 外から\r\nkeep;'],
      ['watariScriptActive', 'TRUE'],
    )
    await same('the new text', JIRO, ['最後* # 外から\r\nkeep;'])
    const told = side.events.filter(({ fields }) => fields['accountId'] === JIRO).slice(-2)
    assert.deepEqual(
      told.map(({ name, fields }) => [name, fields['act']]),
      [
        ['store.script', 'put'],
        ['store.script', 'activate'],
      ],
    )
    assert.match(String(told[0]?.fields['by']), /cn=external.* by LDAP/)
    const more = { watariScriptName: '追加', watariScript: 'discard;', watariScriptActive: 'TRUE' }
    assert.equal(await add(JIRO, 'by-hand', more), 0)
    // Whoever switches one on need not know of the other.
    await same('the new one filters', JIRO, ['最後 # 外から\r\nkeep;', '追加* discard;'])
    await replace(JIRO, '最後', ['watariScriptName', '改名'])
    await same('the new name', JIRO, ['改名 # 外から\r\nkeep;', '追加* discard;'])
    assert.equal(await ask({ op: 'delete', dn: await dnOfScript(JIRO, '追加') }), 0)
    await same('the removal', JIRO, ['改名 # 外から\r\nkeep;'])
    assert.ok((await side.scripts.list({ accountId: JIRO })).every(({ active }) => !active))
  })

  test('that do not compile there are told, and the last good ones go on', async () => {
    await replace(TARO, '振り分け', ['watariScript', 'fielinto "会議";'])
    const note = await until('the note', () => notes().find((each) => each.includes('振り分け')))
    assert.match(note, /^script:taro@campus\.example\/振り分け: line 1/)
    assert.deepEqual(await here(TARO), ['休暇 # 休み\r\nstop;', '振り分け* keep;'])
    await replace(TARO, '休暇', ['watariScript', Uint8Array.of(0xff)])
    await until('the second note', () => notes().find((each) => /休暇: it is not UTF-8/.test(each)))
    // Of one that is new, and one of a name that another has.
    assert.equal(
      await add(TARO, 'bad', {
        watariScriptName: '新',
        watariScript: 'x',
        watariScriptActive: 'TRUE',
      }),
      0,
    )
    assert.equal(await add(TARO, 'double', { watariScriptName: '休暇', watariScript: 'keep;' }), 0)
    await until('all notes', () => notes().length === 4 || undefined)
    assert.deepEqual(await here(TARO), ['休暇 # 休み\r\nstop;', '振り分け* keep;', '新 x'])
    // A start tells them again.
    const { dir } = control
    await control.stop()
    await open(dir)
    await control.is('well')
    await until('all notes again', () => notes().length === 4 || undefined)
    for (const id of ['bad', 'double'])
      assert.equal(
        await ask({
          op: 'delete',
          dn: `watariScriptId=${id},${dnOf(`account:${TARO}`, HOME_BASE)}`,
        }),
        0,
      )
    await replace(TARO, '休暇', ['watariScript', '# 休み\r\nstop;'])
    // What its owner saves counts.
    await put(TARO, '振り分け', '# 直した\r\nkeep;')
    await same('all is well', TARO, ['休暇 # 休み\r\nstop;', '振り分け* # 直した\r\nkeep;'])
    await until('no note', () => notes().length === 0 || undefined)
  })

  test('are refused for now while the provider, or control, is away; all that is read goes on', async () => {
    await isWell()
    await provider().kill()
    const change = { accountId: TARO, name: '振り分け', text: 'discard;', activate: true }
    await assert.rejects(side.scripts.put(change), (thrown) => isFault(thrown, 'unavailable'))
    assert.deepEqual(await here(TARO), ['休暇 # 休み\r\nstop;', '振り分け* # 直した\r\nkeep;'])
    await provider().start()
    side.control = undefined
    await assert.rejects(side.scripts.put(change), (thrown) => isFault(thrown, 'unavailable'))
    side.control = control.keeper
    await until('writes again', async () =>
      side.scripts.put(change).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    )
    await same('the change', TARO, ['休暇 # 休み\r\nstop;', '振り分け* discard;'])
    await isWell()
  })

  test('that were changed there while the store did not answer come when it does', async () => {
    side.deafen()
    await replace(TARO, '休暇', ['watariScript', '# 夏休み\r\nstop;'])
    await until('it waits', () => (scripts()?.waiting ?? 0) > 0 || undefined)
    await side.listen()
    await same('the change', TARO, ['休暇 # 夏休み\r\nstop;', '振り分け* discard;'])
  })

  test('that were changed there before they were heard of are as they were changed', async () => {
    side.deafen()
    await put(SABURO, '聞く前', 'keep;', true)
    await replace(SABURO, '聞く前', ['watariScript', '# 外から\r\ndiscard;'])
    await until('it waits', () => (scripts()?.waiting ?? 0) > 0 || undefined)
    await side.listen()
    await same('the change', SABURO, ['聞く前* # 外から\r\ndiscard;'])
    assert.ok((await side.scripts.activate({ accountId: SABURO, name: null })).ok)
    assert.ok((await side.scripts.remove({ accountId: SABURO, name: '聞く前' })).ok)
    await same('nothing', SABURO, [])
    await isWell()
  })

  test('come back from there when all that is here is lost, and when the store alone is', async () => {
    await put(SABURO, '三', 'keep;', true)
    await isWell()
    const wanted = ['休暇 # 夏休み\r\nstop;', '振り分け* discard;']
    await side.close()
    side = new ScriptSide()
    await side.listen()
    const { dir } = control
    await control.stop()
    await open(dir)
    await same('all of it', TARO, wanted)
    await same('all of it', SABURO, ['三* keep;'])
    await isWell()
    await side.close()
    side = new ScriptSide()
    await side.listen()
    await control.remove()
    await open()
    await control.keeper.move(servers.place, BY, { adopt: true })
    await control.is('well')
    await same('all of it once more', TARO, wanted)
    await same('all of it once more', SABURO, ['三* keep;'])
    await same('and of him', JIRO, ['改名 # 外から\r\nkeep;'])
  })

  test('that many lose there at once are held until somebody says that it is meant', async () => {
    for (let n = 0; n < 12; n++) await put(SABURO, `多${n}`, 'keep;')
    await isKnown(SABURO)
    for (let n = 0; n < 12; n++)
      assert.equal(await ask({ op: 'delete', dn: await dnOfScript(SABURO, `多${n}`) }), 0)
    await control.is('held')
    const left = await here(SABURO)
    assert.ok(left.length > 1, left.join())
    await control.keeper.accept()
    await same('they are gone', SABURO, ['三* keep;'])
    await control.is('well')
  })

  test('of an older backup of the provider undo nothing until that is meant', async () => {
    await isKnown(SABURO)
    await provider().kill()
    const restore = provider().backUp()
    await provider().start()
    await control.is('well')
    await until('it is written', async () =>
      side.scripts
        .put({ accountId: SABURO, name: '三', text: '# 新しい\r\nkeep;', activate: false })
        .then(
          ({ ok }) => ok || undefined,
          () => undefined,
        ),
    )
    await isKnown(SABURO)
    await provider().kill()
    restore()
    await provider().start()
    await control.is('held')
    assert.match(scripts()?.error ?? '', /older than what was taken from it: 1 scripts/)
    const change = { accountId: SABURO, name: '三', text: 'stop;', activate: false }
    await assert.rejects(side.scripts.put(change), (thrown) => isFault(thrown, 'unavailable'))
    assert.deepEqual(await here(SABURO), ['三* # 新しい\r\nkeep;'])
    await control.keeper.accept()
    await same('what is there', SABURO, ['三* keep;'])
    await control.is('well')
  })

  test('go with their account, and stay here where the home is left', async () => {
    await isWell()
    const removal = { kind: 'remove', key: `account:${JIRO}` } as const
    assert.ok((await control.master.write([removal], BY)).ok)
    assert.deepEqual(await there(JIRO), [])
    await control.keeper.back()
    assert.equal(side.node.scriptHome, undefined)
    await put(SABURO, '此処', 'keep;')
    assert.deepEqual(await here(SABURO), ['三* keep;', '此処 keep;'])
    assert.deepEqual(await there(SABURO), ['三* keep;'])
    await control.keeper.move(servers.place, BY, { adopt: false })
    await control.is('well')
    await same('what is here', SABURO, ['三* keep;', '此処 keep;'])
  })

  describe('by the rules of every store', () => {
    scriptsContract(async () => {
      const { scripts: all } = await side.homed.scripts({ accountId: hanako })
      await side.homed.changeScript({ accountId: hanako, change: { kind: 'activate', name: null } })
      for (const { name } of all)
        await side.homed.changeScript({ accountId: hanako, change: { kind: 'remove', name } })
      await isWell()
      assert.notEqual(side.node.scriptHome, undefined)
      return side.homed
    })
  })
})

const PARTS = {
  clock: systemClock,
  times: { connectMs: 5_000, answerMs: 5_000, besideMs: 5_000 },
}

const firstOf = (row: DirectoryRow) => {
  assert.ok(row.kind === 'account')
  return row.account
}

async function entriesBy(connection: LdapConnection): Promise<readonly DirectoryEntry[]> {
  const ask = {
    base: HOME_BASE,
    scope: 'subtree',
    filter: equal('objectClass', SCRIPT_CLASS),
    attributes: ['*'],
  } as const
  const found: DirectoryEntry[] = []
  try {
    for await (const entry of search(connection, ask)) found.push(entry)
  } catch (thrown) {
    if (!isFault(thrown, 'notFound')) throw thrown // who may not see the base
  }
  return found
}

async function bindsAt(server: LdapServers['place']['provider'], dn: string): Promise<boolean> {
  const connection = await LdapConnection.open(server, PARTS)
  try {
    return await bind(connection, { kind: 'simple', dn, password: PASSWORD })
  } finally {
    connection.close()
  }
}
