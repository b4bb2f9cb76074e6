import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { runCli } from '#app/cli/run.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { search } from '#client/ldap/search.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import type { LdapChange } from '#codec/ldap/message.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { AccountId } from '#model/account.ts'
import { textsOf } from '#engine/home/entry.ts'
import { requireScripts } from '#engine/home/known-scripts.ts'
import { serviceDn } from '#engine/home/provision-plan.ts'
import { entryOf } from '#engine/home/row-entry.ts'
import { checkOf } from '#store/directory/brought-in.ts'
import { hashPassword } from '#store/directory/password.ts'
import { peerRoot, peersMissing, runInRoot } from '#test/peers/root.ts'
import { startDebianSlapd } from '#test/peers/slapd-debian.ts'
import type { DebianSlapd } from '#test/peers/slapd-debian.ts'

const SUFFIX = 'dc=campus,dc=example'
const BASE = `ou=watari,${SUFFIX}`
const PASSWORD = fromUtf8('サービス & "秘密"')
const HANAKO = fromUtf8('渡り鳥 & かぎ')
const PARTS = { clock: systemClock, times: { connectMs: 5_000, answerMs: 5_000, besideMs: 5_000 } }

interface Told {
  readonly status: number
  readonly err: string
  /** Of --print. */
  readonly provider?: string
  readonly hosts?: readonly {
    readonly steps: number
    readonly isThere: boolean
    readonly contextCsn?: string
    readonly lagMs?: number
  }[]
}

describe('servers that were set up', { skip: peersMissing() ?? false }, () => {
  let provider: DebianSlapd
  let replica: DebianSlapd
  const dir = mkdtempSync(join(tmpdir(), 'watari-provision-'))
  before(async () => {
    ;[provider, replica] = await Promise.all([startDebianSlapd(SUFFIX), startDebianSlapd(SUFFIX)])
    writeFileSync(join(dir, 'config'), `${replica.configPassword}\n`)
    writeFileSync(join(dir, 'ca.pem'), provider.ca + replica.ca)
  })
  after(async () => {
    await Promise.all([provider.stop(), replica.stop()])
    rmSync(dir, { recursive: true })
  })

  const server = ({ port, ca }: DebianSlapd): LdapServer => ({
    host: 'localhost',
    port,
    tls: 'starttls',
    ca,
  })
  const cli = async (...args: readonly string[]): Promise<Told> => {
    let [out, err] = ['', '']
    const io = {
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
      stdin: () => Promise.resolve(PASSWORD),
      async *input() {
        yield PASSWORD
      },
      env: {},
    }
    const base = ['--base', BASE, '--password-stdin', '--json']
    const status = await runCli(['directory', 'provision', ...base, ...args], io)
    return { status, err, ...(out !== '' && (JSON.parse(out) as Omit<Told, 'status' | 'err'>)) }
  }
  const hosts = (): string[] => [
    // One by the socket of its own machine, the other by name and password.
    '--provider',
    `ldapi://${encodeURIComponent(provider.socket)}/`,
    '--replica',
    `ldap://localhost:${replica.port}`,
    '--admin',
    replica.configDn,
    '--admin-password-file',
    join(dir, 'config'),
    '--ca',
    join(dir, 'ca.pem'),
    '--follow',
    provider.url,
    '--replica-ca',
    provider.caFile,
  ]
  const as = async <T>(
    at: DebianSlapd,
    who: { readonly dn: string; readonly password: Octets } | undefined,
    work: (connection: LdapConnection) => Promise<T>,
  ): Promise<T> => {
    const connection = await LdapConnection.open(server(at), PARTS)
    try {
      if (who !== undefined) assert.ok(await bind(connection, { kind: 'simple', ...who }), who.dn)
      return await work(connection)
    } finally {
      connection.close()
    }
  }
  const service = { dn: serviceDn(BASE), password: PASSWORD }
  const found = (connection: LdapConnection): Promise<DirectoryEntry[]> => entries(connection, BASE)

  test('say what was done, and at the second time that nothing is left to do', async () => {
    const first = await cli(...hosts())
    assert.equal(first.status, 0, first.err)
    assert.ok(first.hosts!.every(({ steps, isThere }) => steps >= 4 && isThere))
    assert.match(first.hosts![0]!.contextCsn ?? '', /^\d{14}\./)
    assert.ok(first.hosts![1]!.lagMs !== undefined)
    const again = await cli(...hosts())
    assert.equal(again.status, 0, again.err)
    assert.deepEqual(
      again.hosts!.map(({ steps }) => steps),
      [0, 0],
    )
  })

  /** As root on its machine. */
  const byLdif = async (slapd: DebianSlapd, ldif: string): Promise<void> => {
    const file = join(peerRoot(), 'tmp', `${basename(dir)}.ldif`)
    writeFileSync(file, ldif)
    const socket = `ldapi://${encodeURIComponent(slapd.socket.slice(peerRoot().length))}`
    const asRoot = ['-Q', '-Y', 'EXTERNAL', '-H', socket, '-f', `/tmp/${basename(file)}`]
    await runInRoot('/usr/bin/ldapmodify', asRoot).finally(() => rmSync(file))
  }

  test('of a version that knew no scripts know them when it is run again', async () => {
    const third = await startDebianSlapd(SUFFIX)
    try {
      const { provider: now = '' } = await cli('--provider', 'ldap1.campus.example', '--print')
      const lines = now.replaceAll('\n ', '').split('\n')
      const then = lines
        .filter(
          (line) => !/^olc(?:AttributeTypes|ObjectClasses):.*'watariS(?:cript|ieve)/.test(line),
        )
        .join('\n')
        .replaceAll(/,watariScript\b|,watariScriptName\b/g, '')
      assert.doesNotMatch(then, /watariScript|watariSieve/)
      await byLdif(third, then)
      const url = `ldapi://${encodeURIComponent(third.socket)}`
      await assert.rejects(
        as(third, undefined, requireScripts),
        /run directory provision once more/,
      )
      for (const steps of [2, 0]) {
        const told = await cli('--provider', url)
        assert.equal(told.status, 0, told.err)
        assert.equal(told.hosts![0]!.steps, steps)
      }
      await as(third, undefined, requireScripts)
    } finally {
      await third.stop()
    }
  })

  test('by the LDIF that an administrator was handed are as if set up from here', async () => {
    const third = await startDebianSlapd(SUFFIX)
    try {
      const printed = await cli('--provider', 'ldap1.campus.example', '--print')
      await byLdif(third, printed.provider!)
      const told = await cli('--provider', `ldapi://${encodeURIComponent(third.socket)}`)
      assert.equal(told.status, 0, told.err)
      assert.deepEqual(
        told.hosts!.map(({ steps }) => steps),
        [0],
      )
      const wrong = await cli('--provider', 'ldap1.campus.example')
      assert.equal(wrong.status, 2)
      assert.match(wrong.err, /--admin DN/)
    } finally {
      await third.stop()
    }
  })

  test('the service writes, who owns an entry sets a password, nobody reads a hash, nobody unnamed reads anything', async () => {
    const credential = await hashPassword(HANAKO)
    const entry = entryOf(
      {
        kind: 'account',
        account: {
          id: '1' as AccountId,
          username: 'hanako',
          domain: 'campus.example',
          name: '山田 花子',
          admin: false,
          disabled: false,
          credential,
          scram: 'keys',
          credentialVersion: 1,
          addresses: [{ localpart: '花子', domain: 'campus.example' }],
          delegated: [],
        },
      },
      BASE,
    )
    const other = { ...entry, dn: entry.dn.replace('account:1', 'account:2') }
    await as(provider, service, async (connection) => {
      await done(connection, { op: 'add', ...entry })
      const attributes = entry.attributes.map((each) =>
        each.type === 'watariKey' ? { ...each, values: [fromUtf8('account:2')] } : each,
      )
      await done(connection, { op: 'add', ...other, attributes })
    })
    const hanako = { dn: entry.dn, password: HANAKO }
    await as(provider, hanako, async (connection) => {
      assert.deepEqual(await found(connection), [])
      const [own] = await entries(connection, entry.dn)
      assert.deepEqual(textsOf(own!, 'displayName'), ['山田 花子'])
      for (const type of ['userPassword', 'watariScram', 'watariRest', 'watariEditedBy'])
        assert.deepEqual(textsOf(own!, type), [], type)
      const replace = (dn: string, type: string, value = '{SSHA}x'): Promise<number> =>
        tried(connection, dn, [{ kind: 'replace', type, values: [fromUtf8(value)] }])
      assert.equal(await replace(entry.dn, 'displayName'), 50)
      assert.equal(await replace(entry.dn, 'watariAdmin', 'TRUE'), 50)
      assert.equal(await replace(other.dn, 'userPassword'), 50)
      assert.equal(await replace(entry.dn, 'userPassword'), 0)
    })
    await as(provider, undefined, async (connection) =>
      assert.deepEqual(await found(connection), []),
    )
    await as(provider, service, async (connection) => {
      const all = await found(connection)
      const hash = textsOf(
        all.find(({ dn }) => dn === entry.dn)!,
        'userPassword',
      )
      assert.deepEqual(hash, ['{SSHA}x'])
      assert.ok(
        checkOf(
          textsOf(
            all.find(({ dn }) => dn === other.dn)!,
            'userPassword',
          )[0]!,
        ),
      )
    })
  })

  test('a replica has all of it and takes no writes; with the provider gone it answers', async () => {
    assert.equal((await cli(...hosts(), '--check')).status, 0)
    await provider.kill()
    try {
      await as(replica, service, async (connection) => {
        assert.equal((await found(connection)).length, 11)
        const values = [fromUtf8('渡り')]
        assert.equal(
          await tried(connection, BASE, [{ kind: 'add', type: 'description', values }]),
          10,
        )
      })
      const told = await cli(...hosts(), '--check')
      assert.equal(told.status, 1)
      assert.match(told.err, /the provider is away, and 1 replica of 1 can be read/)
      assert.deepEqual(
        told.hosts!.map(({ isThere }) => isThere),
        [false, true],
      )
    } finally {
      await provider.start()
    }
    const back = await cli(...hosts(), '--check')
    assert.equal(back.status, 0, back.err)
  })
})

async function entries(connection: LdapConnection, base: string): Promise<DirectoryEntry[]> {
  const filter = { kind: 'present', type: 'objectClass' } as const
  const all: DirectoryEntry[] = []
  try {
    for await (const entry of search(connection, {
      base,
      scope: 'subtree',
      filter,
      attributes: [],
    }))
      all.push(entry)
  } catch (thrown) {
    if (!isFault(thrown, 'notFound')) throw thrown
  }
  return all
}

async function done(
  connection: LdapConnection,
  request: Parameters<LdapConnection['ask']>[0],
): Promise<void> {
  const { result } = await connection.ask(request)
  assert.equal(result.code, 0, result.message)
}

async function tried(
  connection: LdapConnection,
  dn: string,
  changes: readonly LdapChange[],
): Promise<number> {
  return (await connection.ask({ op: 'modify', dn, changes })).result.code
}
