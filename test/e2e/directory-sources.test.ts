import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { wire } from './wire.ts'

const SUFFIX = 'dc=campus,dc=example'
const PASSWORD = '渡り鳥 & "かぎ" %+\\'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The old directory and the new one: most people are in both, as overlapping as they were left. */
const ldif = (people: Readonly<Record<string, Readonly<Record<string, string>>>>): string =>
  [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
    `dn: ou=people,${SUFFIX}\nobjectClass: organizationalUnit\nou: people`,
    ...Object.entries(people).map(([uid, more]) =>
      [
        `dn: uid=${uid},ou=people,${SUFFIX}`,
        'objectClass: inetOrgPerson',
        ...Object.entries({ uid, sn: uid, cn: uid, ...more }).map(
          ([type, value]) => `${type}:: ${base64(value)}`,
        ),
      ].join('\n'),
    ),
  ].join('\n\n')

interface Explained {
  readonly account?: string
  readonly disabled: boolean
  readonly password: string
  readonly origins: readonly { readonly source: string }[]
  readonly rows: readonly { readonly what: string; readonly value: string; readonly by: string }[]
}
interface Source {
  readonly name: string
  readonly state: string
  readonly people?: number
  readonly error?: string
  readonly notes: readonly { readonly text: string }[]
}

describe('people of OpenLDAP servers', { skip: peersMissing() ?? false }, () => {
  let watari: Installation
  let cli: CommandLine
  let older: Slapd
  let newer: Slapd
  const crowd = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`crowd${n}`, {}]))
  before(async () => {
    ;[watari, newer, older] = await Promise.all([
      install(),
      startSlapd({
        suffix: SUFFIX,
        ldif: ldif({
          kenji: { cn: '佐藤 賢治', mail: 'kenji@campus.example', userPassword: PASSWORD },
          aiko: { displayName: '愛子', userPassword: 'new' },
          hanako: {
            displayName: '別の花子',
            mail: 'h.yamada@campus.example',
            userPassword: 'there',
          },
        }),
      }),
      startSlapd({
        suffix: SUFFIX,
        ldif: ldif({
          ...crowd,
          kenji: { cn: 'Kenji Sato', mail: 'ks@campus.example', userPassword: 'old' },
          aiko: { mail: 'aiko.old@campus.example', userPassword: 'old' },
          only: { userPassword: PASSWORD },
          far: { mail: 'far@else.example' },
        }),
      }),
    ])
    cli = commandLine(watari)
  })
  after(async () => {
    for (const slapd of [newer, older]) slapd.resume()
    await Promise.all([watari.remove(), newer.stop(), older.stop()])
  })

  const login = async (user: string, password: string): Promise<string> => {
    const session = await wire(watari.port(995), { tlsCa: watari.ca })
    try {
      await session.until(/^\+OK .*\r\n/)
      session.send(Buffer.from(`USER ${user}\r\nPASS ${password}\r\n`))
      const told = await session.until(/^\+OK .*\r\n(?:\+OK|-ERR) .*\r\n/)
      return told.trimEnd().split('\r\n').at(-1)!
    } finally {
      session.close()
    }
  }
  const explain = (user: string): Promise<Explained> =>
    cli.json(['directory', 'explain', `${user}@campus.example`])
  const source = (name: string): Promise<Source> => cli.json(['directory', 'sources', 'show', name])
  const add = (name: string, { port, rootDn, rootPassword }: Slapd, ...more: string[]) =>
    cli.run(
      `directory sources add ${name} --url ldap://127.0.0.1:${port} --base ou=people,${SUFFIX} --bind`
        .split(' ')
        .concat(rootDn, '--password-stdin', more),
      rootPassword,
    )

  it('are ours in the declared order, attribute by attribute; overlaps are no error', async () => {
    await add('newer', newer, '--order', '1')
    await add('older', older, '--order', '2')
    await until('both are read', async () => {
      const states = await Promise.all([source('newer'), source('older')])
      return states.every(({ state, notes }, at) => state === 'well' && notes.length === at)
    })
    const kenji = await explain('kenji')
    assert.deepEqual(
      kenji.origins.map((origin) => origin.source),
      ['newer', 'older'],
    )
    assert.match(kenji.password, /^a bind to newer as uid=kenji,/)
    assert.deepEqual(kenji.rows, [
      { what: 'name', value: '佐藤 賢治', by: 'newer' },
      { what: 'address', value: 'ks@campus.example', by: 'older' },
    ])
    const aiko = await explain('aiko')
    assert.deepEqual(
      aiko.rows.map(({ value, by }) => `${value} by ${by}`),
      ['愛子 by newer', 'aiko.old@campus.example by older'],
    )
    assert.deepEqual(
      (await source('older')).notes.map(({ text }) => text),
      ['far@else.example: else.example is no local domain'],
    )
    // Who is here stays as she is, and gets what is missing.
    const hanako = await cli.json<{ name?: string; addresses: string[] }>([
      'user',
      'show',
      'hanako',
    ])
    assert.ok(hanako.addresses.includes('h.yamada@campus.example'))
    assert.match((await explain('hanako')).password, /^a hash/)
  })

  it('log in by the password of the first that has them, whatever it is made of', async () => {
    assert.match(await login('kenji', PASSWORD), /^\+OK/)
    assert.match(await login('only', PASSWORD), /^\+OK/)
    assert.match(await login('kenji', 'old'), /^-ERR \[AUTH\]/)
    assert.match(await login('aiko', 'new'), /^\+OK/)
    assert.match(await login('hanako', watari.password('hanako')), /^\+OK/)
    assert.match(await login('hanako', 'there'), /^-ERR \[AUTH\]/)
  })

  it('while a source hangs or is gone: its people stay, and a login is told to come again', async () => {
    newer.pause()
    assert.match(await login('kenji', 'never tried before'), /^-ERR \[SYS\/TEMP\]/)
    assert.match(await login('only', PASSWORD), /^\+OK/) // the other source answers
    const away = await cli.json<Source>(['directory', 'sources', 'read', 'newer'])
    assert.equal(away.state, 'away')
    assert.equal((await explain('kenji')).disabled, false)
    newer.resume()
    await cli.run(['directory', 'sources', 'read', 'newer'])
    assert.equal((await source('newer')).state, 'well')
    assert.match(await login('kenji', PASSWORD), /^\+OK/)
  })

  it('a source that loses many at once is held; a single one goes, and lets nobody in until back', async () => {
    const { port } = older
    const spec = [
      '--url',
      `ldap://127.0.0.1:${port}`,
      '--base',
      `ou=people,${SUFFIX}`,
      '--order',
      '2',
    ]
    const set = (filter: string) =>
      cli.run(['directory', 'sources', 'add', 'older', ...spec, '--filter', filter])
    const read = (...more: string[]): Promise<Source> =>
      cli.json(['directory', 'sources', 'read', 'older', ...more])
    await set('(&(objectClass=inetOrgPerson)(!(uid=crowd*)))')
    const held = await read()
    assert.equal(held.state, 'held')
    assert.match(held.error ?? '', /^20 of 23 people would be gone/)
    assert.equal((await explain('crowd1')).disabled, false)
    assert.equal((await read('--accept')).state, 'well')
    assert.equal((await explain('crowd1')).disabled, true)
    await set('(objectClass=inetOrgPerson)')
    assert.equal((await read()).state, 'well')
    assert.equal((await explain('crowd1')).disabled, false)

    await set('(&(objectClass=inetOrgPerson)(!(uid=only)))')
    await read()
    assert.match(await login('only', PASSWORD), /^-ERR/)
  })

  it('a removed source takes nobody along who has another, and those it alone had only if that is said', async () => {
    await cli.run(['directory', 'sources', 'rm', 'older', '--keep-people'])
    assert.deepEqual(
      (await explain('kenji')).origins.map((origin) => origin.source),
      ['newer'],
    )
    assert.equal((await explain('crowd1')).disabled, false)
    assert.deepEqual(
      (await cli.json<{ items: Source[] }>(['directory', 'sources', 'ls'])).items.map(
        ({ name }) => name,
      ),
      ['newer'],
    )
    assert.match(
      await cli.refused(['directory', 'sources', 'show', 'older'], 1),
      /there is no source/,
    )
    assert.match(
      await cli.refused(
        ['directory', 'sources', 'add', 'x', '--url', 'http://a', '--base', 'b'],
        1,
      ),
      /no place of a directory/,
    )
  })
})
