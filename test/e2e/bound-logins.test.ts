import assert from 'node:assert/strict'
import { createServer, connect } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { fakeCertificate } from '#test/fake/identity.ts'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { MAIL_WAYS, WEB_WAYS, newClient } from './login-ways.ts'
import type { Way } from './login-ways.ts'

const SUFFIX = 'dc=campus,dc=example'
const PEOPLE = `ou=people,${SUFFIX}`
const WAYS: Readonly<Record<string, Way>> = { ...MAIL_WAYS, ...WEB_WAYS }
const HANAKO = Buffer.from(' 渡り & "鳥" \\ %+')

const PASSWORDS: Readonly<Record<string, Buffer>> = {
  keeper: HANAKO,
  adopted: Buffer.from('引っ越し & "鍵"'),
  one: Buffer.from('x'),
  long: Buffer.alloc(1_000, '渡り鳥 0123456789 &% '),
  blanks: Buffer.from('  two  inside and around  '),
  blank: Buffer.from(' '),
  signs: Buffer.from(`"it's" \\ &amp; *)(uid=* $(id) {SSHA}`),
  kana: Buffer.from('ひらがなとカタカナﾊﾝｶｸ'),
  octets: Buffer.from([0xe9, 0xff, 0x80, 0x01, 0x7f, 0xa0, 0xc3]),
}

/** Nobody has asked about these before: what is remembered is no help. */
const FRESH = Array.from({ length: 40 }, (_, n) => `fresh${n}`)

const person = (uid: string, password: Uint8Array): string =>
  [
    `dn: uid=${uid},${PEOPLE}`,
    'objectClass: inetOrgPerson',
    `uid: ${uid}`,
    `sn: ${uid}`,
    `cn: ${uid}`,
    `userPassword:: ${Buffer.from(password).toString('base64')}`,
  ].join('\n')

const LDIF = [
  `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
  `dn: ${PEOPLE}\nobjectClass: organizationalUnit\nou: people`,
  ...Object.entries(PASSWORDS).map(([uid, password]) => person(uid, password)),
  ...FRESH.map((uid) => person(uid, HANAKO)),
].join('\n\n')

type Fault = 'none' | 'down' | 'hanging' | 'refusing TLS'

/** What stands between us and a directory server, and fails as it is told. */
class Between {
  fault: Fault = 'none'
  readonly #server: Server
  readonly #stranger: Server
  readonly #open = new Set<Socket>()

  private constructor(server: Server, stranger: Server) {
    this.#server = server
    this.#stranger = stranger
  }

  static async start(slapd: Slapd): Promise<Between> {
    const { certificate, key } = await fakeCertificate()
    const stranger = createTlsServer({ cert: certificate, key }, (socket) =>
      socket.on('error', quiet),
    )
    stranger.on('tlsClientError', quiet)
    const server = createServer((socket) => between.#pass(socket, slapd.tlsPort))
    const between = new Between(server, stranger)
    for (const each of [server, stranger])
      await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
    return between
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that stand fail likewise. */
  async turn(fault: Fault): Promise<void> {
    this.fault = fault
    for (const socket of this.#open)
      if (fault === 'hanging') socket.pause().unpipe()
      else if (fault !== 'none') socket.destroy()
  }

  #pass(socket: Socket, port: number): void {
    this.#open.add(socket)
    socket.on('error', quiet).on('close', () => this.#open.delete(socket))
    if (this.fault === 'down') return void socket.destroy()
    if (this.fault === 'hanging') return
    const to = this.fault === 'refusing TLS' ? (this.#stranger.address() as AddressInfo).port : port
    const other = connect(to, '127.0.0.1')
    this.#open.add(other)
    other.on('error', quiet).on('close', () => {
      this.#open.delete(other)
      socket.destroy()
    })
    socket.on('close', () => other.destroy())
    socket.pipe(other)
    other.pipe(socket)
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
    this.#stranger.close()
  }
}

const quiet = (): void => undefined

const LATER = /^(?:454 4\.7\.0 |a NO \[UNAVAILABLE\] |-ERR \[SYS\/TEMP\] |HTTP 503 )/
/** Refused, or no name that the protocol can say. */
const NOT_IN = /^(?:535 5\.7\.8 |501 |a NO \[AUTHENTICATIONFAILED\] |a BAD |-ERR |HTTP 40[01] )/
const REFUSED = /^(?:535 5\.7\.8 |a NO \[AUTHENTICATIONFAILED\] |-ERR \[AUTH\] |HTTP 401 )/

describe('logins that another directory decides about', { skip: peersMissing() ?? false }, () => {
  let watari: Installation
  let cli: CommandLine
  let slapd: Slapd
  let first: Between
  let second: Between
  before(async () => {
    ;[watari, slapd] = await Promise.all([
      install({ bind: ['127.0.0.1'] }),
      startSlapd({ suffix: SUFFIX, ldif: LDIF }),
    ])
    ;[first, second] = await Promise.all([Between.start(slapd), Between.start(slapd)])
    cli = commandLine(watari)
    await add()
    for (const way of Object.values(WAYS))
      await until(
        'its people are known',
        async () => (await login(way, 'one', PASSWORDS['one']!)) === 'ok',
      )
  })
  after(async () => {
    first.close()
    second.close()
    await Promise.all([watari.remove(), slapd.stop()])
  })

  const add = (...more: readonly string[]): Promise<string> =>
    cli.run([
      ...'directory sources add campus --base'.split(' '),
      PEOPLE,
      ...[first, second].flatMap(({ port }) => ['--url', `ldaps://localhost:${port}`]),
      '--ca',
      caFile(),
      ...more,
    ])
  const caFile = (): string => {
    const path = join(watari.dir, 'campus-ca.pem')
    writeFileSync(path, slapd.ca)
    return path
  }
  const source = (): Promise<{ state: string; adopted?: number; toAdopt?: number }> =>
    cli.json(['directory', 'sources', 'show', 'campus'])
  const login = (way: Way, user: string, password: Uint8Array): Promise<string> =>
    way(watari, { user, password, from: newClient() })
  const all = (fault: Fault) => Promise.all([first.turn(fault), second.turn(fault)])

  it('take every password there can be, octet for octet, and no other', async () => {
    for (const [user, password] of Object.entries(PASSWORDS))
      for (const [name, way] of Object.entries(WAYS)) {
        const isText = Buffer.from(password.toString()).equals(password)
        if (!isText && (name === 'webmail' || name === 'console')) continue
        assert.equal(await login(way, user, password), 'ok', `${user} by ${name}`)
      }
    for (const [name, way] of Object.entries(WAYS))
      for (const password of ['', 'blanks', 'two  inside and around'])
        assert.match(
          await login(way, 'blanks', Buffer.from(password)),
          REFUSED,
          `${name} ${password}`,
        )
  })

  it('take no name for a filter or a DN', async () => {
    const before = await binds(slapd)
    const ways = Object.entries(WAYS).filter(([name]) => !/initial|waiting|LOGIN, q/.test(name))
    const names = [
      '*',
      '*)(uid=*',
      '*)(objectClass=*',
      '\\2a',
      'keeper\\00',
      `keeper,ou=people`,
      PEOPLE,
      '渡り鳥*',
      'uid=keeper',
    ]
    for (const [name, way] of ways)
      await Promise.all(
        names.map(async (user) => {
          const answer = await login(way, user, HANAKO)
          assert.match(answer, NOT_IN, `${name} as ${user}`)
        }),
      )
    for (const [name, way] of ways) {
      const answer = await login(way, 'keeper\0', HANAKO)
      assert.doesNotMatch(answer, /^ok/, `${name} with NUL`)
    }
    assert.deepEqual(await binds(slapd), before)
  })

  let fresh = 0
  for (const fault of ['down', 'hanging', 'refusing TLS'] as const)
    it(`are told to come again by every protocol while the source is ${fault}`, async () => {
      await all(fault)
      // Known or not, right or wrong: nobody can tell.
      for (const [name, way] of Object.entries(WAYS)) {
        assert.match(await login(way, FRESH[fresh]!, HANAKO), LATER, name)
        assert.match(await login(way, 'nobody', HANAKO), LATER, name)
      }
      await all('none')
      const [way] = Object.values(WAYS)
      await until(
        'it answers again',
        async () => (await login(way!, FRESH[fresh]!, HANAKO)) === 'ok',
      )
      fresh++
    })

  it('go on at another host when one has died, or hangs, while its connections were idle', async () => {
    const [way] = Object.values(WAYS)
    for (const [host, fault] of [
      [first, 'down'],
      [second, 'hanging'],
    ] as const) {
      assert.equal(await login(way!, FRESH[20 + fresh++]!, HANAKO), 'ok')
      await host.turn(fault)
      const startMs = performance.now()
      assert.equal(await login(way!, FRESH[20 + fresh++]!, HANAKO), 'ok')
      console.log(
        `a login after a host was ${fault}: ${Math.round(performance.now() - startMs)} ms`,
      )
      await host.turn('none')
    }
  })

  it('let in who was right before while the source is away, also after a restart, and not who is disabled', async () => {
    for (const way of Object.values(WAYS)) assert.equal(await login(way, 'keeper', HANAKO), 'ok')
    // A hash that is kept waits for its turn before those of refusals that come later.
    for (const way of Object.values(WAYS))
      assert.match(await login(way, 'keeper', Buffer.from('wrong')), REFUSED)
    await all('down')
    await watari.stop()
    await watari.start()
    for (const [name, way] of Object.entries(WAYS)) {
      assert.equal(await login(way, 'keeper', HANAKO), 'ok', name)
      assert.match(await login(way, 'keeper', Buffer.from('another')), LATER, name)
    }
    await cli.run(['user', 'disable', 'keeper'])
    for (const [name, way] of Object.entries(WAYS))
      assert.match(await login(way, 'keeper', HANAKO), LATER, name)
    await cli.run(['user', 'enable', 'keeper'])
    await all('none')
  })

  it('become passwords of ours with the first login where that is asked for; then the source can go', async () => {
    await add('--adopt-passwords')
    const [way] = Object.values(WAYS)
    assert.match(await login(way!, 'adopted', Buffer.from('wrong')), REFUSED)
    assert.equal(await login(way!, 'adopted', PASSWORDS['adopted']!), 'ok')
    await until('it is ours', async () => (await source()).adopted === 1)
    assert.equal((await source()).toAdopt, Object.keys(PASSWORDS).length - 1 + FRESH.length)
    const explained = await cli.json<{ password: string }>([
      'directory',
      'explain',
      'adopted@campus.example',
    ])
    assert.match(explained.password, /^a hash \(argon2id\)/)
    await all('down')
    await cli.call(['directory', 'sources', 'read', 'campus'])
    for (const [name, each] of Object.entries(WAYS))
      assert.equal(await login(each, 'adopted', PASSWORDS['adopted']!), 'ok', name)
    await cli.run(['directory', 'sources', 'rm', 'campus', '--keep-people'])
    for (const [name, each] of Object.entries(WAYS)) {
      assert.equal(await login(each, 'adopted', PASSWORDS['adopted']!), 'ok', name)
      assert.doesNotMatch(await login(each, 'keeper', HANAKO), /^ok/, `${name}: his was not taken`)
    }
    assert.equal((await cli.json<{ scram: boolean }>(['user', 'show', 'adopted'])).scram, true)
  })
})

/** Whom somebody has bound as. */
async function binds(slapd: Slapd): Promise<readonly string[]> {
  const told = await slapd.since(0)
  return [...new Set(told.match(/BIND dn="[^"]*"/g))].toSorted()
}
