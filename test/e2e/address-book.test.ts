import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { directoryRoom } from '#test/peers/clients.ts'
import type { ClientRoom, DirectoryProgram } from '#test/peers/clients.ts'
import { peersMissing } from '#test/peers/root.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'

const TOKEN = 'a-token-of-the-help-desk'
const SUFFIX = 'dc=campus,dc=example'
const HANAKO = `uid=hanako,ou=people,${SUFFIX}`

/** Attributes of LDIF as ldapsearch writes it, base64 read. */
const lines = (ldif: string): readonly string[] =>
  ldif
    .replaceAll('\n ', '')
    .split('\n')
    .map((line) =>
      line.replace(/:: (.*)$/, (_, text: string) => `: ${Buffer.from(text, 'base64').toString()}`),
    )

describe(
  'the address book by LDAP, asked by OpenLDAP’s programs',
  { skip: peersMissing() ?? false },
  () => {
    let watari: Installation
    let room: ClientRoom<DirectoryProgram>
    before(async () => {
      watari = await install()
      room = directoryRoom()
      writeFileSync(join(room.folder, 'ca.pem'), watari.ca)
      writeFileSync(join(room.folder, '.ldaprc'), `TLS_CACERT ${join(room.inside, 'ca.pem')}\n`)
      writeFileSync(join(room.folder, 'password'), watari.password('hanako'))
    })
    after(async () => {
      room?.remove()
      await watari?.remove()
    })

    const run = async (
      program: DirectoryProgram,
      url: 'ldap' | 'ldaps',
      args: readonly string[],
      input?: string,
    ) => {
      const port = watari.port(url === 'ldap' ? 389 : 636)
      const ran = await room.run(program, ['-H', `${url}://127.0.0.1:${port}`, ...args], input)
      return {
        status: ran.status,
        text: ran.stdout.toString(),
        lines: lines(ran.stdout.toString()),
        trouble: ran.stderr,
      }
    }
    const asHanako = (name = 'hanako'): readonly string[] => [
      '-x',
      '-D',
      name,
      '-y',
      join(room.inside, 'password'),
    ]
    const find = (filter: string, ...more: readonly string[]) =>
      run('ldapsearch', 'ldap', ['-ZZ', ...asHanako(), '-LLL', '-b', SUFFIX, ...more, filter])

    it('is off until host.yaml has a listener for it', async () => {
      for (const port of [389, 636]) {
        const socket = connect({ host: '127.0.0.1', port: watari.port(port) })
        await assert.rejects(once(socket, 'connect'), /ECONNREFUSED/)
      }
      await watari.watari([
        'user',
        'set',
        'hanako',
        '--name',
        '髙橋 花子',
        '--reading',
        'たかはし はなこ',
      ])
      await watari.stop()
      const path = join(watari.dir, 'host.yaml')
      const host = readFileSync(path, 'utf8')
      const added = (['ldap', 'ldaps'] as const)
        .map(
          (protocol) => `  - protocol: ${protocol}
    address: 127.0.0.1
    port: ${watari.port(protocol === 'ldap' ? 389 : 636)}
    hostname: mail.campus.example
`,
        )
        .join('')
      const sha256 = createHash('sha256').update(TOKEN).digest('hex')
      const tokens = `apiTokens:\n  - { name: portal, sha256: ${sha256}, role: help-desk }\n`
      writeFileSync(
        path,
        host.replace(/^listeners:\n/m, (start) => `${tokens}${start}${added}`),
      )
      await watari.start()
      const root = await run('ldapsearch', 'ldap', ['-x', '-LLL', '-s', 'base', '-b', '', '+'])
      assert.equal(root.status, 0, root.trouble)
      assert.ok(root.lines.includes(`namingContexts: ${SUFFIX}`))
    })

    it('a token that host.yaml names may do what its role may', async () => {
      const file = join(room.folder, 'token')
      writeFileSync(file, TOKEN)
      const asPortal = (...args: readonly string[]) =>
        watari.watari(['--token-file', file, ...args])
      assert.equal((await asPortal('user', 'disable', 'taro')).status, 0)
      assert.equal((await asPortal('user', 'enable', 'taro')).status, 0)
      for (const args of [
        ['user', 'disable', 'admin'],
        ['user', 'set', 'taro', '--role', 'help-desk'],
        ['settings', 'show'],
      ]) {
        const refused = await asPortal(...args)
        assert.equal(refused.status, 1, args.join(' '))
        assert.match(refused.stderr, /administrator/)
      }
    })

    it('finds people over STARTTLS and ldaps, by name, reading and address, in any form', async () => {
      for (const text of ['高橋', 'ﾊﾅｺ', 'タカハシ', 'hanako@']) {
        const filter = `(|(mail=*${text}*)(cn=*${text}*)(givenName=*${text}*)(sn=*${text}*))`
        const found = await find(filter, '-z', '100')
        assert.equal(found.status, 0, found.trouble)
        assert.deepEqual(
          found.lines.filter((line) => line.startsWith('dn: ')),
          [`dn: ${HANAKO}`],
          text,
        )
        for (const line of [
          'displayName: 髙橋 花子',
          'cn;lang-ja;phonetic: たかはし はなこ',
          'mail: hanako@campus.example',
        ])
          assert.ok(found.lines.includes(line), line)
      }
      const dn = await run('ldapsearch', 'ldaps', [
        ...asHanako(HANAKO),
        '-LLL',
        '-b',
        HANAKO,
        'mail',
      ])
      assert.match(dn.text, /^mail: hanako@campus\.example$/m)
      const sasl = ['-Y', 'PLAIN', '-U', 'hanako', '-y', join(room.inside, 'password')]
      const who = await run('ldapwhoami', 'ldaps', [...sasl, '-Q'])
      assert.equal(who.text.trim(), `dn:${HANAKO}`, who.trouble)
    })

    it('lets nobody in without a right password and TLS, and lets nobody change anything', async () => {
      const anonymous = await run('ldapsearch', 'ldap', ['-x', '-b', SUFFIX, '(mail=*)'])
      assert.equal(anonymous.status, 50)
      const plain = await run('ldapsearch', 'ldap', [...asHanako(), '-b', SUFFIX, '(mail=*)'])
      assert.equal(plain.status, 13)
      const wrong = ['-x', '-D', HANAKO, '-w', 'wrong', '-b', SUFFIX, '(mail=*)']
      assert.equal((await run('ldapsearch', 'ldaps', wrong)).status, 49)
      const change = `dn: ${HANAKO}\nchangetype: modify\nreplace: cn\ncn: x\n`
      assert.equal((await run('ldapmodify', 'ldaps', asHanako(), change)).status, 53)
      const same = [...asHanako(), HANAKO, 'sn:高橋']
      assert.equal((await run('ldapcompare', 'ldaps', same)).status, 6)
    })

    it('what changes is found as it is; pages and limits', async () => {
      await watari.watari(['alias', 'add', 'office@campus.example', 'hanako', 'taro'])
      await until('the new group', async () =>
        /dn: cn=office/.test((await find('(cn=office)')).text),
      )
      const group = await find('(mail=office*)')
      assert.ok(group.lines.includes(`member: uid=taro,ou=people,${SUFFIX}`))
      await watari.watari(['user', 'disable', 'taro'])
      await until('taro gone', async () => !/taro/.test((await find('(uid=taro)')).text))
      const paged = await find('(mail=*)', '-E', 'pr=1/noprompt')
      assert.equal(paged.status, 0, paged.trouble)
      const found = paged.lines.filter((line) => line.startsWith('dn: ')).toSorted()
      const wanted = [`cn=office,ou=groups`, 'uid=admin,ou=people', 'uid=hanako,ou=people']
      assert.deepEqual(
        found,
        wanted.map((each) => `dn: ${each},${SUFFIX}`),
      )
      assert.equal((await find('(mail=*)', '-z', '2')).status, 4)
      assert.equal((await find('(mail=*)', '-E', '!vlv=0/9/1/0', '-E', '!sss=cn')).status, 12)
    })
  },
)
