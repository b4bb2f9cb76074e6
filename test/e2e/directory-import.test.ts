import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { copiesOf, imap, smtpSend } from './mail.ts'

const PASSWORD = '渡り鳥 & "かぎ"'
const SALT = Buffer.from('salt-of-8')
const HASH = `{SSHA}${Buffer.concat([
  createHash('sha1').update(PASSWORD).update(SALT).digest(),
  SALT,
]).toString('base64')}`
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const LDIF = `dn: ou=people,dc=campus,dc=example
objectClass: organizationalUnit

dn: uid=kenji,ou=people,dc=campus,dc=example
objectClass: inetOrgPerson
uid: kenji
cn:: ${base64('佐藤 賢治')}
mail: kenji.sato@campus.example
userPassword:: ${base64(HASH)}

dn: uid=aiko,ou=people,dc=campus,dc=example
objectClass: inetOrgPerson
uid: aiko
mail: aiko@else.example

dn: cn=office,ou=groups,dc=campus,dc=example
objectClass: mailGroup
objectClass: groupOfNames
cn: office
mail: office@campus.example
member: uid=kenji,ou=people,dc=campus,dc=example
member: uid=gone,ou=people,dc=campus,dc=example
`

interface Imported {
  readonly added: number
  readonly changed: number
  readonly same: number
  readonly refused: number
  readonly rows: readonly { readonly address: string; readonly outcome: string }[]
  readonly exceptions: readonly { readonly text: string }[]
}

describe('people and groups of another system', () => {
  let watari: Installation
  let cli: CommandLine
  before(async () => {
    watari = await install()
    cli = commandLine(watari)
  })
  after(() => watari.remove())

  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(watari.dir, name)
    await writeFile(path, content)
    return path
  }

  it('are looked at before anything is done, and come with their passwords, addresses and groups', async () => {
    const ldif = await file('people.ldif', LDIF)
    const preview = await cli.run(['directory', 'import', ldif, '--dry-run'])
    assert.match(
      preview,
      /nothing was done; it would be: 2 rows added, 0 changed, 0 the same, 1 refused/,
    )
    assert.match(preview, /aiko@else\.example +refused: else\.example is no local domain/)
    assert.match(preview, /a member that is nobody here: uid=gone/)
    await cli.refused(['user', 'show', 'kenji'], 1)

    const done = await cli.json<Imported>(['directory', 'import', ldif])
    assert.deepEqual([done.added, done.changed, done.same, done.refused], [2, 0, 0, 1])
    const again = await cli.json<Imported>(['directory', 'import', ldif])
    assert.deepEqual([again.added, again.changed, again.same, again.refused], [0, 0, 2, 1])

    const kenji = await imap(watari, 'kenji', PASSWORD)
    try {
      for (const to of ['office@campus.example', 'kenji.sato@campus.example']) {
        const content = `Message-ID: <${to}>\r\nSubject: =?UTF-8?B?${base64('会議')}?=\r\n\r\n${to}\r\n`
        const reply = await smtpSend(watari.port(25), {
          from: 'someone@else.example',
          to: [to],
          content,
        })
        assert.match(reply, /^250 /)
        await until(`mail to ${to}`, async () => (await copiesOf(kenji, `<${to}>`)).length > 0)
      }
    } finally {
      await kenji.logout()
    }
  })

  it('of Zimbra come with their absence, senders and filters; what is not as it was is told', async () => {
    const filters = `require ["fileinto"];
# 会議
if header :contains "subject" "会議" { fileinto "/Archive"; stop; }
# 知人
if addressbook :in "from" "contacts" { fileinto "知人"; }
`
    const ldif = await file(
      'zimbra.ldif',
      `dn: uid=rin,ou=people,dc=campus,dc=example
objectClass: zimbraAccount
uid: rin
mail: rin@campus.example
zimbraPrefOutOfOfficeReplyEnabled: TRUE
zimbraPrefOutOfOfficeReply:: ${base64('留守です。')}
zimbraPrefOutOfOfficeUntilDate: 20990101000000Z
amavisBlacklistSender: ads.example
zimbraMailSieveScript:: ${base64(filters)}
`,
    )
    const ahead = await cli.run(['directory', 'import', ldif, '--dry-run'])
    const done = await cli.run(['directory', 'import', ldif])
    for (const told of [ahead, done]) {
      assert.match(told, /the rule '知人' is left out, and stays as a comment: .*addressbook/)
      assert.match(told, /rin@campus\.example +script Zimbra: stored, it filters/)
      assert.match(told, /line 3: \/Archive is now Archive/)
    }
    const { vacation, blocked } = await cli.json<{
      vacation: { text: string; until: string }
      blocked: string[]
    }>(['user', 'choices', 'rin'])
    assert.deepEqual([vacation.text, vacation.until], ['留守です。', '2099-01-01T00:00:00Z'])
    assert.deepEqual(blocked, ['ads.example'])
    const script = await cli.run(['sieve', 'get', 'rin', 'Zimbra'])
    assert.match(script, /fileinto "Archive"; stop;/)
    assert.match(
      await cli.run(['directory', 'import', ldif]),
      /0 rows added, 0 changed, 1 the same/,
    )
  })

  it('of a spreadsheet in CP932, and of a Unix system with its aliases', async () => {
    // ユーザー名,氏名 and a name with a letter of IBM's: 髙.
    const table = Buffer.concat([
      Buffer.from('8386815b8355815b96bc2c8e8196bc0d0a', 'hex'),
      Buffer.from('mai,'),
      Buffer.from('fbfc9363', 'hex'),
      Buffer.from('\r\n'),
    ])
    await cli.run(['directory', 'import', await file('people.csv', table)])
    assert.equal((await cli.json<{ name: string }>(['user', 'show', 'mai'])).name, '髙田')

    const passwd = 'jun:x:1001:1001:Jun,,,:/home/jun:/bin/sh\ndaemon:x:1:1::/:/bin/false\n'
    await cli.run(['directory', 'import', await file('passwd', passwd)])
    await file('list', 'mai\njun\n')
    const aliases = await file('aliases', 'help: :include:list\ndump: "|/bin/sh -c evil"\n')
    assert.match(await cli.run(['directory', 'import', aliases]), /a program is not taken/)
    const { items } = JSON.parse(await cli.run(['alias', 'ls', '--json'])) as {
      items: { from: string; to: string[] }[]
    }
    assert.deepEqual(items.find(({ from }) => from === 'help@campus.example')?.to, [
      'mai@campus.example',
      'jun@campus.example',
    ])
    assert.match(await cli.refused(['directory', 'import', `${aliases}.x`], 2), /give --format/)
  })

  it('go out as LDIF and as a table that say the same when they come in again', async () => {
    await cli.run(['forward', 'set', 'jun', 'jun@else.example', '--keep'])
    for (const format of ['ldif', 'csv']) {
      const text = await cli.run(['directory', 'export', '--format', format])
      assert.doesNotMatch(text, /argon2|SSHA/)
      const again = await cli.json<Imported>([
        'directory',
        'import',
        await file(`export.${format}`, text),
      ])
      assert.deepEqual([again.added, again.changed, again.refused], [0, 0, 0], format)
      assert.ok(again.same >= 5)
      assert.deepEqual(again.exceptions, [])
    }
  })
})
