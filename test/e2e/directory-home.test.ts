import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { textsOf } from '#engine/home/entry.ts'
import { HOME_BASE, rowsOf, scriptEntriesOf, startLdapServers } from '#test/peers/ldap-home.ts'
import type { LdapServers } from '#test/peers/ldap-home.ts'
import { peerRoot, peersMissing, runInRoot } from '#test/peers/root.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { copiesOf, imap, smtpSend } from './mail.ts'
import { wire } from './wire.ts'

interface Home {
  readonly kind: string
  readonly state?: string
  readonly scripts?: { readonly state: string; readonly error?: string }
  readonly notes?: readonly { readonly key: string; readonly text: string }[]
}
interface User {
  readonly id: string
  readonly name?: string
}

const PASSWORD = '渡り鳥 & "かぎ"'

describe(
  'the home of the directory on a provider and a replica of OpenLDAP',
  {
    skip: peersMissing() ?? false,
  },
  () => {
    let watari: Installation
    let cli: CommandLine
    let servers: LdapServers
    before(async () => {
      ;[watari, servers] = await Promise.all([install(), startLdapServers()])
      cli = commandLine(watari)
    })
    after(() => Promise.all([watari?.remove(), servers?.stop()]))

    const home = (): Promise<Home> => cli.json(['directory', 'home', 'show'])
    const is = (...states: readonly string[]) =>
      until(`the home is ${states.join(' or ')}`, async () =>
        states.includes((await home()).state ?? ''),
      )
    const user = (name: string): Promise<User> => cli.json(['user', 'show', name])
    const logsIn = async (name: string, password: string): Promise<boolean> => {
      const session = await imap(watari, name, password).catch(() => undefined)
      await session?.logout()
      return session !== undefined
    }
    /** Debian's own programs change what lies there. */
    const ldapmodify = async (ldif: string, ...as: readonly string[]): Promise<void> => {
      const file = `/tmp/home-${process.pid}.ldif`
      writeFileSync(join(peerRoot(), file), ldif)
      const { socket, port } = servers.provider
      const where =
        as.length === 0
          ? [
              '-Q',
              '-Y',
              'EXTERNAL',
              '-H',
              `ldapi://${encodeURIComponent(socket.slice(peerRoot().length))}`,
            ]
          : ['-x', '-H', `ldap://127.0.0.1:${port}`, ...as]
      await runInRoot('/usr/bin/ldapmodify', [...where, '-f', file]).finally(() =>
        rmSync(join(peerRoot(), file)),
      )
    }
    /** A mail goes in for her and comes out; both while somebody is away. */
    const mailArrives = async (to: string, password: string): Promise<void> => {
      const id = `<${to}-${performance.now()}@campus.example>`
      const told = await smtpSend(watari.port(25), {
        from: 'x@else.example',
        to: [`${to}@campus.example`],
        content: `From: <x@else.example>\r\nMessage-ID: ${id}\r\nSubject: =?utf-8?B?5rih44KK?=\r\n\r\n渡り\r\n`,
      })
      assert.match(told, /^250/)
      const session = await imap(watari, to, password)
      try {
        await until('the mail', async () => (await copiesOf(session, id)).length === 1)
      } finally {
        await session.logout()
      }
    }

    it('takes all rows, and an edit of ours is there before it is here', async () => {
      const { provider, replica } = servers
      const body = await cli.json<Home>(
        `directory home ldap --url ldap://localhost:${provider.port} --replica ldap://localhost:${replica.port} --password-stdin`.split(
          ' ',
        ),
        servers.password,
      )
      assert.deepEqual([body.kind, body.state], ['ldap', 'well'])
      await cli.run(
        ['user', 'add', 'kenji@campus.example', '--name', '佐藤 賢治', '--password-stdin'],
        PASSWORD,
      )
      const row = (await rowsOf(provider)).get(`account:${(await user('kenji')).id}`)
      assert.equal(row?.kind === 'account' && row.account.name, '佐藤 賢治')
      assert.ok(await logsIn('kenji', PASSWORD))
    })

    it('hears what is changed there by other programs, by its owner too, and tells what breaks a rule', async () => {
      const { id } = await user('kenji')
      const dn = `watariKey=account:${id},ou=accounts,${HOME_BASE}`
      const change = (type: string, value: string): string =>
        `dn: ${dn}\nchangetype: modify\nreplace: ${type}\n${type}:: ${Buffer.from(value).toString('base64')}\n`
      await ldapmodify(change('displayName', '改名 賢治'))
      await until('the name', async () => (await user('kenji')).name === '改名 賢治')
      await ldapmodify(change('userPassword', '自分で'), '-D', dn, '-w', PASSWORD)
      await until('the password', () => logsIn('kenji', '自分で'))
      assert.equal(await logsIn('kenji', PASSWORD), false)
      await ldapmodify(change('mailLocalAddress', 'hanako@campus.example'))
      await until('the note', async () =>
        ((await home()).notes ?? []).some(({ text }) => /belongs to hanako/.test(text)),
      )
      await ldapmodify(`dn: ${dn}\nchangetype: modify\ndelete: mailLocalAddress\n`)
      await until('no note', async () => (await home()).notes?.length === 0)
    })

    it('holds scripts by whoever saves them, and hears of those that others change there', async () => {
      await until('scripts are there', async () => (await home()).scripts?.state === 'well')
      await cli.run(['sieve', 'put', 'kenji', '振り分け', '-', '--activate'], 'keep;')
      const { id } = await user('kenji')
      const [entry] = await scriptEntriesOf(servers.provider, id)
      assert.deepEqual(
        ['watariScriptName', 'watariScriptActive', 'watariScript'].map(
          (type) => textsOf(entry!, type)[0],
        ),
        ['振り分け', 'TRUE', 'keep;'],
      )
      const change = `dn: ${entry!.dn}\nchangetype: modify\nreplace: watariScript\nwatariScript`
      await ldapmodify(`${change}: redirect "x@else.example"\n`)
      await until('the note', async () =>
        ((await home()).notes ?? []).some(({ key }) => /^script:kenji@.*振り分け$/.test(key)),
      )
      assert.equal(await cli.run(['sieve', 'get', 'kenji', '振り分け']), 'keep;')
      await ldapmodify(`${change}: discard;\n`)
      await until(
        'the new text',
        async () => (await cli.run(['sieve', 'get', 'kenji', '振り分け'])) === 'discard;',
      )
      const session = await wire(watari.port(4190))
      await session.until(/^OK .*\r\n/m)
      const ask = async (line: string, answer: RegExp): Promise<void> => {
        session.send(Buffer.from(`${line}\r\n`))
        await session.until(answer)
      }
      await ask('STARTTLS', /^OK .*\r\n/m)
      await session.startTls(watari.ca)
      await session.until(/^OK .*\r\n/m)
      const login = Buffer.from('\0kenji@campus.example\0自分で').toString('base64')
      await ask(`AUTHENTICATE "PLAIN" "${login}"`, /^OK .*\r\n/m)
      await ask('PUTSCRIPT "振り分け" "stop;"', /^OK.*\r\n/m)
      const [now] = await scriptEntriesOf(servers.provider, id)
      assert.deepEqual(textsOf(now!, 'watariScript'), ['stop;'])
      await servers.provider.kill()
      await ask('PUTSCRIPT "振り分け" "discard;"', /^NO \(TRYLATER\) .*\r\n/m)
      assert.match(
        await cli.refused(['sieve', 'put', 'kenji', '振り分け', '-'], 1, 'discard;'),
        /the LDAP provider takes no edits now/,
      )
      await servers.provider.start()
      session.close()
      await is('well')
    })

    it('with the provider gone nothing is changed, and mail and logins go on; with both gone too', async () => {
      await servers.provider.kill()
      const add = ['user', 'add', 'late@campus.example', '--password-stdin']
      assert.match(await cli.refused(add, 1, 'x'), /the LDAP provider takes no edits now: /)
      await is('replica')
      await mailArrives('hanako', watari.password('hanako'))
      await mailArrives('kenji', '自分で')
      await servers.replica.kill()
      await is('away')
      await mailArrives('kenji', '自分で')
      await Promise.all([servers.provider.start(), servers.replica.start()])
      await is('well')
      await cli.run(add, 'x')
      await until('the replica follows', async () =>
        [...(await rowsOf(servers.replica)).values()].some(
          (row) => row.kind === 'account' && row.account.username === 'late',
        ),
      )
    })

    it('with the replica gone everything goes on; started anew it is where it was, and it goes home again', async () => {
      await servers.replica.kill()
      await cli.run(['alias', 'add', '全員@campus.example', 'kenji@campus.example'])
      await watari.stop()
      await watari.start()
      await is('well')
      await mailArrives('kenji', '自分で')
      await cli.run(['sieve', 'put', 'kenji', '別', '-'], 'keep;')
      assert.equal((await scriptEntriesOf(servers.provider, (await user('kenji')).id)).length, 2)
      const body = await cli.json<Home>(['directory', 'home', 'embedded'])
      assert.equal(body.kind, 'embedded')
      await servers.provider.kill()
      await cli.run(['sieve', 'rm', 'kenji', '別'])
      await cli.run(['user', 'set', 'kenji', '--name', '此処'])
      assert.equal((await user('kenji')).name, '此処')
      assert.match(
        await cli.refused(
          `directory home ldap --url ldap://localhost:${servers.provider.port} --password-stdin`.split(
            ' ',
          ),
          1,
          servers.password,
        ),
        /Nothing is changed/,
      )
    })
  },
)
