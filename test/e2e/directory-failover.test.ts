import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { bind } from '#client/ldap/bind.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import type { LdapRequest } from '#codec/ldap/message.ts'
import { startBalancer } from '#test/peers/balancer.ts'
import type { Balancer } from '#test/peers/balancer.ts'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { smtpSend } from './mail.ts'
import { ask } from './pop3.ts'
import { rolePid } from './processes.ts'
import { wire } from './wire.ts'

const SUFFIX = 'dc=campus,dc=example'
const PEOPLE = `ou=people,${SUFFIX}`
const PASSWORD = '渡り & "鳥" %+'
const SYNCPROV = 'overlay syncprov\nsyncprov-sessionlog 1000'
const base64 = (text: string): string => Buffer.from(text).toString('base64')
/** Each logs in for the first time while something else has failed: nothing that is remembered helps. */
const FRESH = ['replica-hangs', 'provider-hangs', 'older-is-gone', 'provider-is-gone']

const ldif = (people: Readonly<Record<string, Readonly<Record<string, string>>>>): string =>
  [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
    `dn: ${PEOPLE}\nobjectClass: organizationalUnit\nou: people`,
    ...Object.entries(people).map(([uid, more]) =>
      [
        `dn: uid=${uid},${PEOPLE}`,
        'objectClass: inetOrgPerson',
        ...Object.entries({ uid, sn: uid, cn: uid, userPassword: PASSWORD, ...more }).map(
          ([type, value]) => `${type}:: ${base64(value)}`,
        ),
      ].join('\n'),
    ),
  ].join('\n\n')

interface Source {
  readonly state: string
  readonly mode?: string
  readonly hosts: readonly { readonly state: string; readonly lagSeconds?: number }[]
}

describe(
  'a provider, its replica behind one name, and an older directory',
  {
    skip: peersMissing() ?? false,
  },
  () => {
    let watari: Installation
    let cli: CommandLine
    let provider: Slapd
    let replica: Slapd
    let older: Slapd
    let balancer: Balancer
    let writer: LdapConnection
    let sent = 0
    /** Mails that kenji has. */
    let read = 0
    before(async () => {
      const starting = install()
      provider = await startSlapd({
        suffix: SUFFIX,
        ldif: ldif({
          kenji: { cn: '佐藤 賢治', mail: 'kenji@campus.example' },
          aiko: { cn: '愛子' },
          ...Object.fromEntries(FRESH.map((uid) => [uid, {}])),
        }),
        serverId: 1,
        settings: SYNCPROV,
      })
      ;[replica, older] = await Promise.all([
        startSlapd({
          suffix: SUFFIX,
          ldif: '',
          serverId: 2,
          settings: `syncrepl rid=001 provider=ldap://127.0.0.1:${provider.port} type=refreshAndPersist
  retry="1 +" searchbase="${SUFFIX}" bindmethod=simple binddn="${provider.rootDn}"
  credentials="${provider.rootPassword}"
${SYNCPROV}`,
        }),
        startSlapd({
          suffix: SUFFIX,
          ldif: ldif({
            kenji: { cn: 'Kenji Sato', mail: 'ks@campus.example' },
            saki: { cn: '﨑山' },
          }),
          settings: SYNCPROV,
        }),
      ])
      balancer = await startBalancer([provider.port, replica.port])
      const times = { connectMs: 5_000, answerMs: 5_000, besideMs: 5_000 }
      const server = { host: '127.0.0.1', port: provider.port, tls: 'none' } as const
      writer = await LdapConnection.open(server, { clock: systemClock, times })
      const password = fromUtf8(provider.rootPassword)
      assert.equal(await bind(writer, { kind: 'simple', dn: provider.rootDn, password }), true)
      watari = await starting
      cli = commandLine(watari)
    })
    after(async () => {
      writer.close()
      for (const slapd of [provider, replica, older]) slapd.resume()
      await Promise.all([watari.remove(), balancer.stop()])
      await Promise.all([provider.stop(), replica.stop(), older.stop()])
    })

    const change = async (request: LdapRequest): Promise<void> => {
      const { result } = await writer.ask(request)
      assert.equal(result.code, 0, result.message)
    }
    const attributes = (values: Readonly<Record<string, string>>) =>
      Object.entries(values).map(([type, value]) => ({ type, values: [fromUtf8(value)] }))
    const addPerson = (uid: string): Promise<void> =>
      change({
        op: 'add',
        dn: `uid=${uid},${PEOPLE}`,
        attributes: attributes({
          objectClass: 'inetOrgPerson',
          uid,
          cn: '新人',
          sn: uid,
          userPassword: PASSWORD,
        }),
      })
    /** The answer to a password, and how many mails there are. */
    const login = async (user: string): Promise<string> => {
      const pop = await wire(watari.port(995), { tlsCa: watari.ca })
      try {
        await pop.until(/\r\n/)
        await ask(pop, `USER ${user}`)
        return await ask(pop, `PASS ${PASSWORD}`)
      } finally {
        pop.close()
      }
    }
    const send = (user: string): Promise<string> =>
      smtpSend(watari.port(25), {
        from: 'someone@else.example',
        to: [`${user}@campus.example`],
        content: `Subject: ${++sent}\r\n\r\nおはよう\r\n`,
      })
    const source = (name: string): Promise<Source> =>
      cli.json(['directory', 'sources', 'show', name])
    /** Mail comes, and is read by who has logged in before as well as by who has not. */
    const goesOn = async (fresh: string | undefined): Promise<void> => {
      assert.match(await send('kenji'), /^250/)
      const count = ++read
      await until('the mail is there', async () => {
        const answer = await login('kenji')
        assert.match(answer, /^\+OK/)
        return Number(/\d+/.exec(answer)?.[0]) === count
      })
      if (fresh !== undefined) assert.match(await login(fresh), /^\+OK/, fresh)
    }

    it('are followed; who is in several is told, with who is believed in what', async () => {
      for (const [name, port, order] of [
        ['campus', balancer.port, '1'],
        ['older', older.port, '2'],
      ] as const)
        await cli.run(
          `directory sources add ${name} --url ldap://127.0.0.1:${port} --base ${PEOPLE} --order ${order}`.split(
            ' ',
          ),
        )
      await until('both are read', async () => {
        const states = await Promise.all([source('campus'), source('older')])
        return states.every(({ state, mode }) => state === 'well' && mode === 'persist')
      })
      const { items } = await cli.json<{
        items: readonly { address: string; sources: string[]; rows: object[] }[]
      }>(['directory', 'overlaps'])
      assert.deepEqual(
        items.map(({ address, sources, rows }) => ({ address, sources, rows })),
        [
          {
            address: 'kenji@campus.example',
            sources: ['campus', 'older'],
            rows: [
              {
                what: 'name',
                value: '佐藤 賢治',
                by: 'campus',
                losers: [{ source: 'older', value: 'Kenji Sato' }],
              },
              {
                what: 'password',
                value: 'a bind to campus',
                by: 'campus',
                losers: [{ source: 'older', value: 'a bind to older' }],
              },
            ],
          },
        ],
      )
      assert.match(
        await cli.run(['directory', 'overlaps']),
        /kenji@campus\.example\s+campus older\s+name\s+campus/,
      )
      assert.match(await cli.run(['directory', 'sources', 'show', 'campus']), /persist/)
      await goesOn(undefined)
    })

    it('one entry that is new is known to every node at once: mail to it and its login', async (t) => {
      assert.match(await send('shinjin'), /^[45]50|^550/)
      sent--
      const began = performance.now()
      await addPerson('shinjin')
      await Promise.all([
        until('the store lets it in', async () => (await login('shinjin')).startsWith('+OK')),
        until('the gateway takes its mail', async () => (await send('shinjin')).startsWith('250')),
      ])
      t.diagnostic(`known in ${Math.round(performance.now() - began)} ms`)
    })

    it('each fails in turn, and mail and logins go on; then control starts anew with all of them gone', async () => {
      replica.pause()
      await goesOn('replica-hangs')
      replica.resume()

      provider.pause()
      await goesOn('provider-hangs')
      provider.resume()
      await addPerson('late')
      await until('its news come again', async () => (await login('late')).startsWith('+OK'))

      older.kill()
      await goesOn('older-is-gone')
      assert.equal(
        (await cli.json<Source>(['directory', 'sources', 'read', 'older'])).state,
        'away',
      )

      provider.kill()
      balancer.cut() // it has noticed as well
      await goesOn('provider-is-gone')

      replica.kill()
      balancer.cut()
      await goesOn(undefined)
      process.kill(rolePid(watari, 'control'), 'SIGKILL')
      await goesOn(undefined)
      await until('control is back and has asked', async () => {
        const { status, stdout } = await cli.call(['directory', 'sources', 'ls', '--json'])
        if (status !== 0) return false
        const { items } = JSON.parse(stdout) as { readonly items: readonly Source[] }
        return items.every(({ state }) => state === 'away')
      })
      await goesOn(undefined)
      assert.match(await login('late'), /^\+OK/)
      assert.equal(
        (await cli.json<{ disabled: boolean }>(['user', 'show', 'shinjin'])).disabled,
        false,
      )
    })
  },
)
