import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { synchronise } from '#client/ldap/synchronise.ts'
import { equal } from '#codec/ldap/filter.ts'
import type { LdapRequest } from '#codec/ldap/message.ts'
import { ListFilters } from '#engine/people/list-filters.ts'
import { hostsOf } from '#engine/people/read-source.ts'
import { SourceKeeper } from '#engine/people/source-keeper.ts'
import type { SourceState } from '#engine/people/source-keeper.ts'
import type { Account } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { DirectorySource } from '#model/source.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { SqliteSourceShelf } from '#store/directory/source-shelf.ts'
import type { SourceShelf } from '#store/directory/source-shelf.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { fakeList, fakeMember } from '#test/fake/directory.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { startBalancer } from '#test/peers/balancer.ts'
import type { Balancer } from '#test/peers/balancer.ts'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'

const SUFFIX = 'dc=campus,dc=example'
const PEOPLE = `ou=people,${SUFFIX}`
const MANY = 100
const SYNCPROV = 'overlay syncprov\nsyncprov-sessionlog 1000'
const BY = { who: 'test', from: 'test' } as const

describe('a source of several OpenLDAP servers', { skip: peersMissing() ?? false }, () => {
  let provider: Slapd
  let replica: Slapd
  /** Between provider and replica. */
  let line: Balancer
  /** The one name that both have. */
  let balancer: Balancer
  let writer: LdapConnection
  let home: Home
  before(async () => {
    provider = await startSlapd({
      suffix: SUFFIX,
      ldif: ldif(MANY),
      serverId: 1,
      settings: SYNCPROV,
    })
    line = await startBalancer([provider.port])
    replica = await startSlapd({
      suffix: SUFFIX,
      ldif: '',
      serverId: 2,
      settings: `syncrepl rid=001 provider=ldap://127.0.0.1:${line.port} type=refreshAndPersist
  retry="1 +" searchbase="${SUFFIX}" bindmethod=simple binddn="${provider.rootDn}"
  credentials="${provider.rootPassword}"
${SYNCPROV}`,
    })
    balancer = await startBalancer([provider.port])
    writer = await bound(provider)
    home = await Home.open(balancer.port)
  })
  after(async () => {
    await home.close()
    writer.close()
    replica.resume()
    await Promise.all([balancer.stop(), line.stop()])
    await Promise.all([provider.stop(), replica.stop()])
  })

  const change = async (request: LdapRequest): Promise<void> => {
    const { result } = await writer.ask(request)
    assert.equal(result.code, 0, result.message)
  }
  const rename = (uid: string, cn: string): Promise<void> =>
    change({
      op: 'modify',
      dn: `uid=${uid},${PEOPLE}`,
      changes: [{ kind: 'replace', type: 'cn', values: [fromUtf8(cn)] }],
    })
  const add = (uid: string, cn: string): Promise<void> =>
    change({ op: 'add', dn: `uid=${uid},${PEOPLE}`, attributes: person(uid, cn) })
  const remove = (uid: string): Promise<void> =>
    change({ op: 'delete', dn: `uid=${uid},${PEOPLE}` })
  const replicaHas = (uid: string, cn: string): Promise<void> => entryIs(replica, uid, cn)

  test('what changes is told, and touches nobody else: added, changed, with another name, gone', async () => {
    await home.until(() => home.state().state === 'well')
    assert.equal(home.state().people, MANY)
    assert.equal(home.state().mode, 'persist')
    const { seq } = home.master.directory
    await rename('u7', '七海')
    await home.until(() => home.of('u7')?.name === '七海')
    await add('hanako', '花子')
    await home.until(() => home.of('hanako')?.name === '花子')
    const { id } = home.of('hanako')!
    await change({
      op: 'rename',
      dn: `uid=hanako,${PEOPLE}`,
      rdn: 'uid=yamada',
      deleteOldRdn: true,
    })
    await home.until(() => home.of('yamada')?.id === id)
    await remove('yamada')
    await home.until(() => home.of('yamada')?.isGone === true)
    assert.equal(home.master.directory.seq, seq + 4)
  })

  test('a filter in a list names whom its server has for it, by news, and through an outage', async () => {
    const list = fakeList('七@campus.example')
    const who = { kind: 'filter', source: 'campus', filter: '(&(cn=七*)(!(uid=u5)))' } as const
    const member = fakeMember('七@campus.example', who)
    await home.master.write(
      [
        { kind: 'put', row: { kind: 'list', list } },
        { kind: 'put', row: { kind: 'member', member } },
      ],
      BY,
    )
    const clock = hurried(systemClock)
    const filters = new ListFilters({ directory: home.master, clock, log: silentLog })
    const row = () => home.master.directory.membersOfMany(list.id).next().value
    const named = (): string =>
      (row()?.resolved?.accounts ?? [])
        .map((id) => home.master.directory.account(id)!.username)
        .toSorted()
        .join(' ')
    home.news = filters.news
    try {
      await home.until(() => named() === 'u7')
      await rename('u6', '七緒')
      await rename('u5', '七五三')
      await home.until(() => named() === 'u6 u7')
      balancer.lead([1]) // whoever asks anew reaches nobody
      balancer.cut()
      await filters.ask('campus')
      assert.equal(named(), 'u6 u7')
    } finally {
      home.news = () => undefined
      await filters.close()
      balancer.lead([provider.port])
    }
    // What its servers do not answer at all has nobody, and says why.
    await home.master.write([{ kind: 'put', row: { kind: 'member', member } }], BY)
    assert.equal(row()?.resolved, undefined)
    const deaf = new ListFilters({
      directory: home.master,
      clock,
      log: silentLog,
      hostsOf: (source) =>
        hostsOf({ ...source, servers: [{ ...source.servers[0]!, port: 1 }] }, clock),
    })
    await home.until(() => row()?.trouble?.why === 'away')
    await deaf.close()
    await home.master.write([{ kind: 'remove', key: rowKey({ kind: 'member', member }) }], BY)
  })

  test('a server behind the others undoes nothing, and its news are taken when it has come up', async () => {
    await replicaHas('u7', '七海')
    line.lead([1]) // from here on it hears nothing
    line.cut()
    await rename('u8', '八重')
    await add('jiro', '次郎')
    await remove('u9')
    await home.until(() => home.of('u9')?.isGone === true)
    assert.equal(home.of('jiro')?.name, '次郎')
    const { seq } = home.master.directory

    balancer.lead([replica.port]) // the name leads to nobody else
    balancer.cut()
    await home.until(() => home.hosts()[0]?.lagMs !== undefined && home.hosts()[0]!.lagMs! > 0)
    await home.keeper.read('campus')
    assert.equal(home.of('u8')?.name, '八重')
    assert.equal(home.of('jiro')?.isGone, undefined)
    assert.equal(home.of('u9')?.isGone, true)
    assert.equal(home.master.directory.seq, seq)

    line.lead([provider.port])
    await rename('u10', '十和')
    await home.until(() => home.of('u10')?.name === '十和')
    assert.equal(home.of('u8')?.name, '八重')
    assert.equal(home.of('u9')?.isGone, true)
  })

  test('one that hangs, or falls behind, is left for another that the name leads to', async () => {
    balancer.lead([provider.port, replica.port])
    replica.pause() // it is the one that is followed
    await rename('u11', '十一')
    await home.until(() => home.of('u11')?.name === '十一')
    assert.equal(home.state().state, 'well')
    replica.resume()
  })

  test('after a start nothing older is taken than what the rows are from', async () => {
    await replicaHas('u11', '十一')
    line.lead([1])
    line.cut()
    await rename('u12', '十二')
    await home.until(() => home.of('u12')?.name === '十二')
    balancer.lead([replica.port])
    balancer.cut()
    await home.restart()
    await home.until(() => home.state().state === 'held')
    assert.match(home.state().error ?? '', /behind what was read before/)
    assert.equal(home.of('u12')?.name, '十二')
    line.lead([provider.port])
    await replicaHas('u12', '十二')
    await home.until(() => home.state().state === 'well')
    assert.equal(home.of('u12')?.name, '十二')
  })

  test('a connection that dies amid a reading leaves nothing half read', async () => {
    await home.close() // the next connection is that of the reading
    balancer.lead([provider.port])
    const { seq } = home.master.directory
    balancer.cutBehind(10_000)
    await home.restart()
    await home.until(() => home.state().state === 'well')
    assert.equal(balancer.cuts, 1)
    assert.equal(home.state().people, MANY) // u9 is gone, jiro has come
    assert.equal(home.master.directory.seq, seq)
  })

  test('more entries than a source may have are held, with the reason', async () => {
    await home.restart(50)
    await home.until(() => home.state().state === 'held')
    assert.match(home.state().error ?? '', /more than 50 entries/)
    assert.equal(home.of('u20')?.disabled, false)
    await home.restart()
    await home.until(() => home.state().state === 'well')
  })

  test('people who go one by one are held as well as all at once, until that is meant', async () => {
    for (let n = 20; n < 60; n++) await remove(`u${n}`)
    await home.until(() => home.state().state === 'held')
    assert.match(home.state().error ?? '', /^\d+ of 100 people would be gone/)
    const gone = home.accounts().filter(({ isGone, username }) => isGone && username !== 'u9')
    assert.ok(gone.length <= 21, `${gone.length} are gone`) // with yamada
    await home.keeper.read('campus', { accept: true })
    assert.equal(home.state().state, 'well')
    assert.equal(home.of('u59')?.isGone, true)
    assert.equal(home.of('u60')?.isGone, undefined)
  })
})

describe('groups of an OpenLDAP server', { skip: peersMissing() ?? false }, () => {
  const GROUPS = `ou=groups,${SUFFIX}`
  for (const [how, settings, mode] of [
    ['followed', SYNCPROV, 'persist'],
    ['polled', '', 'polling'],
  ] as const)
    test(`${how}: come, change with their members, go; all at once are held`, async () => {
      const many = Array.from({ length: 18 }, (_, n) => group(`g${n}`, [`uid=u${n},${PEOPLE}`]))
      const slapd = await startSlapd({
        suffix: SUFFIX,
        ldif: `${ldif(18)}\ndn: ${GROUPS}\nobjectClass: organizationalUnit\nou: groups\n\n${many.join('\n\n')}\n`,
        settings,
      })
      const writer = await bound(slapd)
      const home = await Home.open(slapd.port, { base: SUFFIX, groups: true })
      const change = async (request: LdapRequest): Promise<void> => {
        const { result } = await writer.ask(request)
        assert.equal(result.code, 0, result.message)
        if (mode === 'polling') await home.keeper.read('campus')
      }
      try {
        await home.until(() => home.to('g17') !== undefined)
        assert.deepEqual([home.state().mode, home.state().groups], [mode, 18])
        assert.equal(home.to('g3'), 'u3@campus.example')
        const member = (dn: string) =>
          ({ kind: 'add', type: 'member', values: [fromUtf8(dn)] }) as const
        await change({
          op: 'modify',
          dn: `cn=g1,${GROUPS}`,
          changes: [member(`uid=U2, ${PEOPLE}`), member(`cn=g2,${GROUPS}`), member('cn=nobody')],
        })
        await home.until(() => home.to('g1')?.includes('u2@') === true)
        assert.equal(home.to('g1'), 'u1@campus.example u2@campus.example g2@campus.example')
        const nobody = /nobody here: cn=nobody/
        await home.until(() => nobody.test(JSON.stringify(home.state().notes)))
        await change({
          op: 'rename',
          dn: `uid=u2,${PEOPLE}`,
          rdn: 'uid=渡辺',
          deleteOldRdn: true,
        })
        // The group names an entry that is no more: slapd does not look after its members.
        await home.until(() => home.to('g1')?.includes('u2@') === false)
        await change({ op: 'delete', dn: `cn=g3,${GROUPS}` })
        await home.until(() => home.to('g3') === undefined)
        for (let n = 4; n < 17; n++) await change({ op: 'delete', dn: `cn=g${n},${GROUPS}` })
        await home.until(() => home.state().state === 'held')
        assert.match(home.state().error ?? '', /^1\d of 18 groups would be gone/)
        assert.equal(home.to('g16'), 'u16@campus.example')
        await home.keeper.read('campus', { accept: true })
        await home.until(() => home.to('g16') === undefined)
        assert.equal(home.of('u16')?.disabled, false)
      } finally {
        await home.close()
        writer.close()
        await slapd.stop()
      }
    })

  const group = (cn: string, members: readonly string[]): string =>
    [`dn: cn=${cn},${GROUPS}`, 'objectClass: groupOfNames', `cn: ${cn}`]
      .concat(members.map((dn) => `member: ${dn}`))
      .join('\n')
})

describe('a source that asks for certificates', { skip: peersMissing() ?? false }, () => {
  test('is read under what the certificate says, by TLS from the start and by STARTTLS', async () => {
    const identity = await fakeCertificate('読者')
    const slapd = await startSlapd({
      suffix: SUFFIX,
      ldif: ldif(3),
      settings: SYNCPROV,
      clientCertificate: identity.certificate,
    })
    const at = (port: number, tls: 'implicit' | 'starttls', set: Partial<DirectorySource> = {}) =>
      Home.open(port, { servers: [{ host: 'localhost', port, tls }], ca: slapd.ca, ...set })
    try {
      for (const [port, tls] of [
        [slapd.tlsPort, 'implicit'],
        [slapd.port, 'starttls'],
      ] as const) {
        const stranger = await at(port, tls)
        await stranger.until(() => stranger.state().state === 'away')
        await stranger.close()
        const home = await at(port, tls, { identity })
        await home.until(() => home.state().state === 'well')
        assert.equal(home.state().people, 3)
        await home.close()
      }
      const told = await slapd.since(0)
      const binds = told.match(/BIND dn="[^"]*" mech=EXTERNAL/g) ?? []
      assert.ok(binds.length >= 2, told)
      for (const bind of binds) assert.match(bind, /dn="cn=/)
    } finally {
      await slapd.stop()
    }
  })
})

describe('a copy that outlives a restart of control', { skip: peersMissing() ?? false }, () => {
  const start = (more: Partial<Parameters<typeof startSlapd>[0]> = {}): Promise<Slapd> =>
    startSlapd({
      suffix: SUFFIX,
      ldif: ldif(MANY),
      settings: SYNCPROV,
      serverId: 1,
      tellsEntries: true,
      ...more,
    })
  /** Entries that were sent since that place in the log. */
  const sent = async (slapd: Slapd, mark: number): Promise<readonly string[]> =>
    [...(await slapd.since(mark)).matchAll(/ENTRY dn="uid=(u\d+|花子),/g)].map(([, uid]) => uid!)

  test('asks for what has changed alone, and writes nothing else', async () => {
    const slapd = await start()
    const dir = await mkdtemp(join(tmpdir(), 'watari-sources-'))
    const open = () => new SqliteSourceShelf(join(dir, 'sources.db'))
    let shelf = open()
    const writer = await bound(slapd)
    const home = await Home.open(slapd.port, {}, shelf)
    const replaced = (uid: string, cn: string): LdapRequest => ({
      op: 'modify',
      dn: `uid=${uid},${PEOPLE}`,
      changes: [{ kind: 'replace', type: 'cn', values: [fromUtf8(cn)] }],
    })
    try {
      await home.until(() => home.of('u99') !== undefined)
      assert.equal((await sent(slapd, 0)).length, MANY)
      await writer.ask(replaced('u7', '七海'))
      await home.until(() => home.of('u7')?.name === '七海')
      await home.keeper.close()
      shelf.close()

      await writer.ask(replaced('u8', '八重'))
      await writer.ask({ op: 'delete', dn: `uid=u9,${PEOPLE}` })
      const before = await slapd.mark()
      const { seq } = home.master.directory
      shelf = open()
      await home.restart(undefined, shelf)
      await home.until(() => home.of('u9')?.isGone === true)
      assert.equal(home.of('u8')?.name, '八重')
      assert.equal(home.state().people, MANY - 1)
      assert.equal(home.master.directory.seq, seq + 2)
      assert.deepEqual(await sent(slapd, before), ['u8'])

      // What was set otherwise asks for everything.
      const again = await slapd.mark()
      await home.set({ filter: '(objectClass=inetOrgPerson)' })
      await home.until(() => home.state().state === 'well')
      assert.equal((await sent(slapd, again)).length, MANY - 1)
    } finally {
      await home.close()
      shelf.close()
      writer.close()
      await slapd.stop()
      await rm(dir, { recursive: true })
    }
  })

  test('begins anew where its cookie is worth nothing any more, and takes nothing that it does not have', async () => {
    const shelf = new SqliteSourceShelf(':memory:')
    const first = await start()
    const home = await Home.open(first.port, {}, shelf)
    try {
      await home.until(() => home.of('u99') !== undefined)
      await home.keeper.close()
      // What a server that is not OpenLDAP gave, and has forgotten since.
      const { stand } = await shelf.stand({ source: 'campus' })
      const cookie = { host: `127.0.0.1:${first.port}`, base64: btoa('rid=000,sid=001,csn=gone') }
      await shelf.change({ source: 'campus', puts: [], gone: [], stand: { ...stand!, cookie } })
      const before = await first.mark()
      await home.restart(undefined, shelf)
      await home.until(() => home.state().state === 'well')
      assert.equal(home.state().people, MANY)
      assert.equal(home.of('u99')?.isGone, undefined)
      assert.match(await first.since(before), /nentries=0|ENTRY dn="uid=u99,/)
    } finally {
      await home.close()
      shelf.close()
      await first.stop()
    }
  })

  test('a server that was made anew and tells that no cookie is good there is read whole, and held', async () => {
    const shelf = new SqliteSourceShelf(':memory:')
    const settings = 'overlay syncprov\nsyncprov-reloadhint TRUE'
    const first = await start({ settings })
    const balancer = await startBalancer([first.port])
    const home = await Home.open(balancer.port, {}, shelf)
    await home.until(() => home.of('u99') !== undefined)
    await home.keeper.close()
    await first.stop()
    const anew = await start({ settings, ldif: ldif(MANY - 1) })
    try {
      balancer.lead([anew.port])
      await home.restart()
      // It answers e-syncRefreshRequired (RFC 4533 §2.6), and then with people of other entryUUIDs.
      await home.until(() => home.state().state === 'held')
      assert.match(home.state().error ?? '', /100 of 100 people would be gone/)
      assert.equal(home.of('u99')?.isGone, undefined)
      await home.keeper.read('campus', { accept: true })
      await home.until(() => home.of('u99')?.isGone === true)
      assert.equal(home.state().people, MANY - 1)
    } finally {
      await home.close()
      shelf.close()
      await balancer.stop()
      await anew.stop()
    }
  })
})

async function bound({ port, rootDn, rootPassword }: Slapd): Promise<LdapConnection> {
  const times = { connectMs: 5_000, answerMs: 5_000, besideMs: 5_000 }
  const server = { host: '127.0.0.1', port, tls: 'none' } as const
  const connection = await LdapConnection.open(server, { clock: systemClock, times })
  const password = fromUtf8(rootPassword)
  assert.equal(await bind(connection, { kind: 'simple', dn: rootDn, password }), true)
  return connection
}

/** Control's directory with one source, as it would stand on its disk. */
class Home {
  readonly master: DirectoryMaster
  keeper: SourceKeeper
  #shelf: SourceShelf | undefined
  #source: DirectorySource
  news: (source: string) => void = () => undefined

  private constructor(
    master: DirectoryMaster,
    source: DirectorySource,
    shelf: SourceShelf | undefined,
  ) {
    this.master = master
    this.#shelf = shelf
    this.#source = source
    this.keeper = this.#keeper()
  }

  static async open(
    port: number,
    set: Partial<DirectorySource> = {},
    shelf?: SourceShelf,
  ): Promise<Home> {
    const log = new SqliteDirectoryLog(':memory:')
    const master = new DirectoryMaster({ log, clock: systemClock })
    await master.load()
    const source = {
      name: 'campus',
      order: 1,
      servers: [{ host: '127.0.0.1', port, tls: 'none' }],
      base: PEOPLE,
      key: 'entryUUID',
      auth: 'bind',
      ...set,
    } as const
    const rows = [
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'source', source },
    ] as const
    const written = await master.write(
      rows.map((row) => ({ kind: 'put', row })),
      BY,
    )
    assert.ok(written.ok)
    return new Home(master, source, shelf)
  }

  #keeper(peopleMax?: number): SourceKeeper {
    return new SourceKeeper({
      directory: this.master,
      clock: hurried(systemClock),
      log: silentLog,
      news: (name) => this.news(name),
      ...(peopleMax !== undefined && { peopleMax }),
      ...(this.#shelf !== undefined && { shelf: this.#shelf }),
    })
  }

  async restart(peopleMax?: number, shelf = this.#shelf): Promise<void> {
    await this.keeper.close()
    this.#shelf = shelf
    this.keeper = this.#keeper(peopleMax)
  }

  /** Sets the source anew. */
  async set(more: Partial<DirectorySource>): Promise<void> {
    this.#source = { ...this.#source, ...more }
    await this.master.write([{ kind: 'put', row: { kind: 'source', source: this.#source } }], BY)
  }

  state(): SourceState {
    const [state] = this.keeper.states()
    assert.ok(state)
    return state
  }

  hosts = (): SourceState['hosts'] => this.state().hosts

  of = (uid: string): Account | undefined =>
    this.master.directory.byAddress({ localpart: uid, domain: 'campus.example' })

  /** Where mail to a group goes. */
  to = (name: string): string | undefined =>
    this.master.directory
      .alias({ localpart: name, domain: 'campus.example' })
      ?.to.map(formatAddress)
      .join(' ')

  accounts = (): readonly Account[] => [...this.master.directory.accounts()]

  /** Looks at each write; what is no row of the directory is looked at again and again. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds())
      await new Promise<void>((resolve) => {
        const done = (): void => {
          end()
          clearTimeout(timer)
          resolve()
        }
        const end = this.master.onChange(done)
        const timer = setTimeout(done, 50)
      })
  }

  async close(): Promise<void> {
    await this.keeper.close()
  }
}

/** Waits pass five times as fast. */
const hurried = (clock: Clock): Clock => ({
  nowMs: () => clock.nowMs(),
  monotonicMs: () => 5 * clock.monotonicMs(),
  after: (delayMs, run) => clock.after(delayMs / 5, run),
})

/** Resolves when a server has somebody by this name. */
async function entryIs({ port }: Slapd, uid: string, cn: string): Promise<void> {
  const times = { connectMs: 5_000, answerMs: 5_000, besideMs: 5_000 }
  const server = { host: '127.0.0.1', port, tls: 'none' } as const
  const connection = await LdapConnection.open(server, { clock: systemClock, times })
  const ask = {
    base: SUFFIX,
    scope: 'subtree',
    filter: equal('uid', uid),
    attributes: ['cn'],
  } as const
  try {
    for await (const event of synchronise(connection, ask, { persist: true })) {
      if (event.kind !== 'entry') continue
      const [value] = event.entry.attributes.find(({ type }) => type === 'cn')?.values ?? []
      if (value !== undefined && toUtf8(value) === cn) return
    }
  } finally {
    connection.close()
  }
}

const person = (uid: string, cn: string) =>
  Object.entries({ objectClass: 'inetOrgPerson', uid, cn, sn: uid }).map(([type, value]) => ({
    type,
    values: [fromUtf8(value)],
  }))

function ldif(count: number): string {
  const entries = [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
    `dn: ${PEOPLE}\nobjectClass: organizationalUnit\nou: people`,
  ]
  for (let n = 0; n < count; n++) {
    const cn = Buffer.from(`渡辺 ${n}`).toString('base64')
    entries.push(
      `dn: uid=u${n},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: u${n}\nsn: u${n}\ncn:: ${cn}`,
    )
  }
  return `${entries.join('\n\n')}\n`
}
