import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { bufferOf, fromLatin1, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { LdapHosts } from '#client/ldap/hosts.ts'
import { knownAttributes } from '#client/ldap/look.ts'
import { search } from '#client/ldap/search.ts'
import { LDAP_TIMES } from '#client/ldap/server.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { synchronise } from '#client/ldap/synchronise.ts'
import type { SyncEvent } from '#client/ldap/synchronise.ts'
import { equal, parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { LdapEntry } from '#codec/ldap/message.ts'
import { hostsOf, readSource } from '#engine/people/read-source.ts'
import type { DirectorySource } from '#model/source.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { startBalancer } from '#test/peers/balancer.ts'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'

const SUFFIX = 'dc=campus,dc=example'
const PEOPLE = `ou=people,${SUFFIX}`
const MANY = 1_234

/** Passwords by user name: octets, whatever they look like. */
const PASSWORDS: Readonly<Record<string, Octets>> = {
  ampersand: fromUtf8('a&b'),
  blanks: fromUtf8('  two at each end  '),
  markup: fromUtf8(`<"'>\\%+#:;{SSHA}`),
  kana: fromUtf8('ひみつ🐦'),
  latin: fromLatin1('g\u00fcnter'),
  long: fromUtf8('渡'.repeat(300)),
}
const FIRST = Object.keys(PASSWORDS)
const TIMES = { connectMs: 5_000, answerMs: 2_500, besideMs: 2_500 }
const PARTS = { clock: systemClock, times: TIMES }
const ALL: Filter = { kind: 'present', type: 'objectClass' }
const OVERLAY = 'overlay syncprov\nsyncprov-sessionlog 1000'

describe('OpenLDAP', { skip: peersMissing() ?? false }, () => {
  let slapd: Slapd
  before(async () => {
    slapd = await startSlapd({ suffix: SUFFIX, ldif: people(), settings: OVERLAY })
  })
  after(() => slapd.stop())

  const plain = (): LdapServer => ({ host: '127.0.0.1', port: slapd.port, tls: 'none' })
  const root = () =>
    ({ kind: 'simple', dn: slapd.rootDn, password: fromUtf8(slapd.rootPassword) }) as const

  test('a password is octets from the first to the last; a wrong one is no trouble, trouble is no wrong one', async () => {
    const connection = await LdapConnection.open(plain(), PARTS)
    for (const [uid, password] of Object.entries(PASSWORDS)) {
      const dn = `uid=${uid},${PEOPLE}`
      assert.equal(await bind(connection, { kind: 'simple', dn, password }), true, uid)
      const wrong = password.subarray(0, password.length - 1)
      assert.equal(await bind(connection, { kind: 'simple', dn, password: wrong }), false, uid)
      const none = new Uint8Array(0)
      assert.equal(await bind(connection, { kind: 'simple', dn, password: none }), false, uid)
    }
    for (const [user, password] of Object.entries(PASSWORDS)) {
      assert.equal(await bind(connection, { kind: 'plain', user, password }), true, user)
      const wrong = fromUtf8('wrong')
      assert.equal(await bind(connection, { kind: 'plain', user, password: wrong }), false, user)
    }
    const nobody = { kind: 'simple', dn: `uid=nobody,${PEOPLE}`, password: fromUtf8('x') } as const
    assert.equal(await bind(connection, nobody), false)
    const odd = bind(connection, { ...nobody, dn: 'no distinguished name' })
    await assert.rejects(odd, (thrown) => isFault(thrown, 'unavailable'))
    connection.close()
    await assert.rejects(bind(connection, root()), (thrown) => isFault(thrown, 'closed'))
  })

  test('TLS from the first octet and by STARTTLS, with the certificate that is trusted and no other', async () => {
    const stranger = (await fakeCertificate()).certificate
    for (const tls of ['implicit', 'starttls'] as const) {
      const port = tls === 'implicit' ? slapd.tlsPort : slapd.port
      const server = { host: 'localhost', port, tls }
      const connection = await LdapConnection.open({ ...server, ca: slapd.ca }, PARTS)
      assert.equal(await bind(connection, root()), true)
      connection.close()
      for (const ca of [stranger, undefined]) {
        const refused = LdapConnection.open({ ...server, ...(ca !== undefined && { ca }) }, PARTS)
        await assert.rejects(refused, (thrown) => isFault(thrown, 'protocol'), `${tls} ${ca}`)
      }
      const other = { ...server, host: '127.0.0.1', ca: slapd.ca } // a name that the certificate has not
      await assert.rejects(LdapConnection.open(other, PARTS), (thrown) =>
        isFault(thrown, 'protocol'),
      )
    }
  })

  test('a search gives all entries page by page, octet for octet; what is typed is never its syntax', async () => {
    const connection = await LdapConnection.open(plain(), PARTS)
    const found = await all(connection, ALL)
    assert.equal(found.length, MANY + FIRST.length + 1)
    assert.equal(new Set(found.map(({ dn }) => dn)).size, found.length)
    const [photo] = await all(connection, equal('uid', 'u7'))
    const octets = photo?.attributes.find(({ type }) => type === 'jpegPhoto')?.values[0]
    assert.deepEqual([...octets!], [...photoOf(7)])
    for (const typed of ['*', 'u7)(uid=*', '\\2a', 'u*', '花子\0'])
      assert.deepEqual(await all(connection, equal('uid', typed)), [], typed)
    const both = parseFilter('(&(cn=花子*)(!(uid=u7)))')
    assert.ok(both.ok)
    assert.equal((await all(connection, both.value)).length, MANY + FIRST.length - 1)
    // Ended in the middle: the connection goes on.
    for await (const _ of search(connection, {
      base: PEOPLE,
      scope: 'one',
      filter: ALL,
      attributes: [],
    }))
      break
    assert.equal((await all(connection, equal('uid', 'u8'))).length, 1)
    await assert.rejects(all(connection, ALL, 'ou=nowhere,dc=campus,dc=example'), (thrown) =>
      isFault(thrown, 'notFound'),
    )
    connection.close()
  })

  test('a server tells which attributes it knows, by each of their names (RFC 4512 §4.2)', async () => {
    const connection = await LdapConnection.open(plain(), PARTS)
    const known = await knownAttributes(connection)
    for (const name of [
      'objectclass',
      'entryuuid',
      'entrycsn',
      'mail',
      'rfc822mailbox',
      'uidnumber',
    ])
      assert.ok(known?.has(name), name)
    for (const name of ['zimbramailalias', 'watarikeep', 'name;lang-ja', ''])
      assert.ok(known?.has(name) === false, name)
    connection.close()
  })

  test('a source is read whole, by pages where its server gives only a few entries at once', async () => {
    const few = await startSlapd({
      suffix: SUFFIX,
      ldif: people(),
      settings: 'limits * size.soft=20 size.hard=unlimited size.prtotal=unlimited',
    })
    const readings = [slapd, few].map(async ({ port }) => {
      const servers = [{ host: '127.0.0.1', port, tls: 'none' }] as const
      const source = { name: 'campus', order: 1, servers, base: SUFFIX, key: 'uid', auth: 'bind' }
      const hosts = hostsOf(source as DirectorySource, systemClock)
      const { people } = await readSource(source as DirectorySource, hosts)
      hosts.close()
      return [...people].map(([key, { person }]) => [key, person] as const)
    })
    const [whole = [], paged] = await Promise.all(readings)
    assert.ok(whole.length >= MANY, String(whole.length))
    assert.deepEqual(paged, whole)
    await few.stop()
  })

  test('a host that hangs, dies idle or is not there costs a question little: the next one answers', async () => {
    const [hanging, second] = await Promise.all([
      startSlapd({ suffix: SUFFIX, ldif: people() }),
      startSlapd({ suffix: SUFFIX, ldif: people() }),
    ])
    const servers = [hanging, second].map(
      ({ port }) => ({ host: '127.0.0.1', port, tls: 'none' }) as const,
    )
    const hosts = new LdapHosts([{ ...servers[0]!, port: 1 }, ...servers], {
      clock: systemClock,
      times: TIMES, // a busy machine makes no host look as if it hung
    })
    try {
      const login = (): Promise<boolean> =>
        hosts.run((connection) =>
          bind(connection, {
            kind: 'simple',
            dn: `uid=kana,${PEOPLE}`,
            password: PASSWORDS['kana']!,
          }),
        )
      const states = (): string[] => hosts.health().map(({ state }) => state)
      assert.equal(await login(), true)
      assert.deepEqual(states(), ['away', 'well', 'unknown'])
      hanging.pause()
      assert.equal(await login(), true)
      assert.deepEqual(states(), ['away', 'away', 'well'])
      second.kill()
      hanging.resume()
      assert.equal(await login(), true) // the idle connection is dead, and its host: back to the first
      assert.deepEqual(states(), ['away', 'well', 'away'])
      hanging.kill()
      await assert.rejects(login(), (thrown) => thrown instanceof Fault)
    } finally {
      hosts.close()
      hanging.resume()
      await Promise.all([hanging.stop(), second.stop()])
    }
  })

  test('one name over several servers: who waits on a kept connection to a dead one is answered by another', async () => {
    const second = await startSlapd({ suffix: SUFFIX, ldif: people() })
    const balancer = await startBalancer([second.port, slapd.port])
    const server = { host: '127.0.0.1', port: balancer.port, tls: 'none' } as const
    const hosts = new LdapHosts([server], { clock: systemClock, times: LDAP_TIMES })
    const login = (): Promise<boolean> =>
      hosts.run((connection) =>
        bind(connection, {
          kind: 'simple',
          dn: `uid=kana,${PEOPLE}`,
          password: PASSWORDS['kana']!,
        }),
      )
    try {
      assert.equal(await login(), true)
      assert.equal(balancer.taken, 1) // and it is kept, to the second one
      second.pause()
      assert.equal(await login(), true)
      assert.equal(balancer.taken, 2)
      assert.deepEqual(
        hosts.health().map(({ state }) => state),
        ['well'],
      )
    } finally {
      hosts.close()
      await balancer.stop()
      second.resume()
      await second.stop()
    }
  })

  test('a server made anew says that a cookie is worth nothing: the copy is begun again (RFC 4533 §2.6)', async () => {
    const settings = 'overlay syncprov\nsyncprov-reloadhint TRUE'
    const anew = await startSlapd({ suffix: SUFFIX, ldif: people(), settings })
    try {
      const server = { host: '127.0.0.1', port: anew.port, tls: 'none' } as const
      const copy = new Copy()
      // None of its entries is as old as that: it cannot tell what has become of them.
      copy.cookie = fromUtf8('rid=000,csn=20200401000000.000000Z#000000#000#000000')
      await assert.rejects(copy.follow(server), (thrown) => isFault(thrown, 'conflict'))
      assert.equal(copy.sent, 0)
      copy.cookie = undefined
      const { stop } = await copy.follow(server)
      assert.equal(copy.entries.size, MANY + FIRST.length + 1)
      stop()
    } finally {
      await anew.stop()
    }
  })

  test('a copy follows its server through a balancer: what comes, changes, goes, and from a cookie on', async () => {
    const balancer = await startBalancer([slapd.port])
    const writer = await LdapConnection.open(plain(), PARTS)
    assert.equal(await bind(writer, root()), true)
    const copy = new Copy()
    try {
      const server = { host: '127.0.0.1', port: balancer.port, tls: 'none' } as const
      const first = await copy.follow(server)
      assert.equal(copy.entries.size, MANY + FIRST.length + 1)

      await change(writer, {
        op: 'add',
        dn: `uid=new,${PEOPLE}`,
        attributes: person('new', '新人'),
      })
      await copy.until(() => copy.named('uid=new')?.cn === '新人')
      const renamed = [{ kind: 'replace', type: 'cn', values: [fromUtf8('改名')] }] as const
      await change(writer, { op: 'modify', dn: `uid=new,${PEOPLE}`, changes: renamed })
      await copy.until(() => copy.named('uid=new')?.cn === '改名')
      await change(writer, {
        op: 'rename',
        dn: `uid=new,${PEOPLE}`,
        rdn: 'uid=newer',
        deleteOldRdn: true,
      })
      await copy.until(() => copy.named('uid=newer')?.cn === '改名')
      assert.equal(copy.named('uid=new'), undefined) // it is the same entry under its new name
      await change(writer, { op: 'delete', dn: `uid=newer,${PEOPLE}` })
      await copy.until(() => copy.named('uid=newer') === undefined)
      await change(writer, {
        op: 'add',
        dn: `uid=last,${PEOPLE}`,
        attributes: person('last', '最後'),
      })
      await copy.until(() => copy.named('uid=last') !== undefined)

      balancer.cut()
      await assert.rejects(first.ended, (thrown) => isFault(thrown, 'closed'))
      await change(writer, { op: 'delete', dn: `uid=u1,${PEOPLE}` })
      await change(writer, {
        op: 'add',
        dn: `uid=away,${PEOPLE}`,
        attributes: person('away', '留守'),
      })
      const seen = copy.sent
      const second = await copy.follow(server)
      assert.ok(copy.sent - seen < 10, `${copy.sent - seen} entries sent anew`)
      assert.equal(copy.named('uid=away')?.cn, '留守')
      assert.equal(copy.named('uid=u1'), undefined)
      second.stop()
    } finally {
      writer.close()
      await balancer.stop()
    }
  })
})

/** What somebody keeps of a search's content. */
class Copy {
  readonly entries = new Map<string, { readonly dn: string; readonly cn: string }>()
  sent = 0
  cookie: Octets | undefined
  #told: (() => void) | undefined

  /** Resolves once the copy is whole; `ended` when nothing comes any more. */
  async follow(
    server: LdapServer,
  ): Promise<{ readonly ended: Promise<void>; readonly stop: () => void }> {
    const connection = await LdapConnection.open(server, PARTS)
    let isWhole = (): void => undefined
    const whole = new Promise<void>((resolve) => (isWhole = resolve))
    const named = new Set<string>()
    const ask = { base: PEOPLE, scope: 'subtree', filter: ALL, attributes: ['cn'] } as const
    const cookie = this.cookie
    const ended = (async () => {
      const options = { persist: true, ...(cookie !== undefined && { cookie }) }
      for await (const event of synchronise(connection, ask, options)) {
        this.#take(event, named)
        if (event.kind === 'refreshed') isWhole()
        this.#told?.()
      }
    })()
    await Promise.race([whole, ended])
    ended.catch(() => undefined)
    return { ended, stop: () => connection.close() }
  }

  #take(event: SyncEvent, named: Set<string>): void {
    if (event.kind === 'entry') {
      this.sent++
      const { dn, attributes } = event.entry
      const cn = attributes.find(({ type }) => type === 'cn')?.values[0]
      this.entries.set(event.uuid, { dn, cn: cn === undefined ? '' : toUtf8(cn) })
      named.add(event.uuid)
    } else if (event.kind === 'stays') for (const uuid of event.uuids) named.add(uuid)
    else if (event.kind === 'gone') for (const uuid of event.uuids) this.entries.delete(uuid)
    else if (event.kind === 'cookie') this.cookie = event.cookie
    else if (event.kind === 'restGone')
      for (const uuid of this.entries.keys()) if (!named.has(uuid)) this.entries.delete(uuid)
  }

  named(rdn: string): { readonly cn: string } | undefined {
    return [...this.entries.values()].find(({ dn }) => dn.startsWith(`${rdn},`))
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#told = resolve))
    this.#told = undefined
  }
}

async function all(
  connection: LdapConnection,
  filter: Filter,
  base = PEOPLE,
): Promise<LdapEntry[]> {
  const found: LdapEntry[] = []
  for await (const entry of search(connection, { base, scope: 'subtree', filter, attributes: [] }))
    found.push(entry)
  return found
}

async function change(
  connection: LdapConnection,
  request: Parameters<LdapConnection['ask']>[0],
): Promise<void> {
  const { result } = await connection.ask(request)
  assert.equal(result.code, 0, result.message)
}

const person = (uid: string, cn: string) =>
  Object.entries({ objectClass: 'inetOrgPerson', uid, cn, sn: cn }).map(([type, value]) => ({
    type,
    values: [fromUtf8(value)],
  }))

const photoOf = (n: number): Octets => Uint8Array.from({ length: 300 }, (_, at) => (at * n) % 256)

function people(): string {
  const base64 = (octets: Octets): string => bufferOf(octets).toString('base64')
  const entries = [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
    `dn: ${PEOPLE}\nobjectClass: organizationalUnit\nou: people`,
  ]
  const add = (uid: string, more: string): void => {
    const name = base64(fromUtf8(`花子 ${uid}`))
    entries.push(
      `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn:: ${name}\nsn:: ${name}\n${more}`,
    )
  }
  for (const [uid, password] of Object.entries(PASSWORDS))
    add(uid, `userPassword:: ${base64(password)}`)
  for (let n = 0; n < MANY; n++) add(`u${n}`, `jpegPhoto:: ${base64(photoOf(n))}`)
  return `${entries.join('\n\n')}\n`.replaceAll(
    /^(.{76})(.+)$/gm,
    (_, head: string, rest: string) => [head, ...(rest.match(/.{1,75}/g) ?? [])].join('\n '),
  )
}
