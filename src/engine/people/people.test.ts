import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { readLdif, writeLdif } from '#codec/ldif/ldif.ts'
import { readTable, writeTable } from '#codec/table/table.ts'
import { readAliases, readIncluded } from '#codec/unix/aliases.ts'
import { readPasswd } from '#codec/unix/passwd.ts'
import type { Census, MailGroup, Person } from '#model/person.ts'
import type { Preset } from './attribute-map.ts'
import { fromEntries } from './from-entries.ts'
import { fromTable } from './from-table.ts'
import { fromAliases, fromPasswd } from './from-unix.ts'
import { toEntries } from './to-entries.ts'
import { toTable } from './to-table.ts'

const ofLdif = (text: string, preset?: Preset): Census =>
  fromEntries(
    [...readLdif(fromUtf8(text))].flatMap((record) => ('entry' in record ? [record.entry] : [])),
    preset,
  )

/** What is told of them, wherever it was read. */
const bare = (all: readonly (Person | MailGroup)[]) =>
  all.map((each) => {
    const { source, ...rest } = structuredClone(each)
    assert.equal(typeof source, 'string')
    return rest
  })

describe('people of LDIF', () => {
  it('inetOrgPerson: user name, name, all addresses, hash; the organisation itself is nobody', () => {
    const census = ofLdif(`dn: ou=people,dc=campus,dc=example
objectClass: organizationalUnit
ou: people

dn: uid=hanako,ou=people,dc=campus,dc=example
objectClass: inetOrgPerson
objectClass: posixAccount
uid: Hanako
cn: 山田 花子
cn;lang-en: Hanako Yamada
mail: hanako.yamada@campus.example
mailAlternateAddress: h@Campus.Example
userPassword: {SSHA}aGFzaA==

dn: uid=plain,ou=people,dc=campus,dc=example
objectClass: inetOrgPerson
uid: plain
userPassword: secret

dn: cn=printer,dc=campus,dc=example
objectClass: device
`)
    assert.deepEqual(census.people, [
      {
        source: 'uid=hanako,ou=people,dc=campus,dc=example',
        username: 'hanako',
        domain: 'campus.example',
        name: '山田 花子',
        addresses: ['hanako.yamada@campus.example', 'h@campus.example'],
        passwordHash: '{SSHA}aGFzaA==',
      },
      { source: 'uid=plain,ou=people,dc=campus,dc=example', username: 'plain', addresses: [] },
    ])
    assert.deepEqual(
      census.exceptions.map(({ text }) => text),
      ['a password in plain text, which is not taken', 'no person and no group (device)'],
    )
  })

  it('Zimbra: aliases, both forwards, the quota, who is locked; a list with its members', () => {
    const { people, groups, exceptions } = ofLdif(`dn: uid=taro,ou=people,dc=campus,dc=example
objectClass: inetOrgPerson
objectClass: zimbraAccount
uid: taro
displayName: 太郎
zimbraMailDeliveryAddress: taro@campus.example
mail: taro@campus.example
zimbraMailAlias: t.yamada@campus.example
zimbraPrefMailForwardingAddress: taro@else.example, t@phone.example
zimbraMailForwardingAddress: archive@campus.example
zimbraPrefMailLocalDeliveryDisabled: FALSE
zimbraMailQuota: 2147483648
zimbraAccountStatus: locked

dn: uid=staff,ou=people,dc=campus,dc=example
objectClass: zimbraDistributionList
mail: staff@campus.example
zimbraMailForwardingAddress: taro@campus.example
zimbraMailForwardingAddress: guest@else.example
`)
    assert.deepEqual(people, [
      {
        source: 'uid=taro,ou=people,dc=campus,dc=example',
        username: 'taro',
        domain: 'campus.example',
        name: '太郎',
        addresses: ['t.yamada@campus.example'],
        forward: {
          to: ['taro@else.example', 't@phone.example', 'archive@campus.example'],
          keep: true,
        },
        disabled: true,
        quota: { bytes: 2_147_483_648 },
      },
    ])
    assert.deepEqual(
      groups.map(({ address, to }) => [address, to]),
      [['staff@campus.example', ['taro@campus.example', 'guest@else.example']]],
    )
    assert.deepEqual(exceptions, [])
  })

  it('Zimbra: absence, senders and filters of a person, and what of them is not as it was', () => {
    const filters = `require ["fileinto","tag"];
# 会議
if header :contains "subject" "会議" { fileinto "/仕事/会議"; tag "meeting"; stop; }
# 知人
if addressbook :in "from" "contacts" { fileinto "知人"; }
`
    const { people, exceptions } = ofLdif(`dn: uid=taro,ou=people,dc=campus,dc=example
objectClass: zimbraAccount
objectClass: amavisAccount
uid: taro
mail: taro@campus.example
zimbraPrefOutOfOfficeReplyEnabled: TRUE
zimbraPrefOutOfOfficeReply:: ${Buffer.from('内線 1234 へ。\r\n').toString('base64')}
zimbraPrefOutOfOfficeExternalReplyEnabled: TRUE
zimbraPrefOutOfOfficeExternalReply:: ${Buffer.from('留守です。').toString('base64')}
zimbraPrefOutOfOfficeFromDate: 20261228150000Z
zimbraPrefOutOfOfficeUntilDate: 20270103150000.123Z
zimbraPrefOutOfOfficeCacheDuration: 3d
amavisBlacklistSender: Ads.example
amavisBlacklistSender: @.spam.example
amavisWhitelistSender: jiro@b.example
zimbraMailSieveScript:: ${Buffer.from(filters).toString('base64')}
zimbraMailOutgoingSieveScript: require ["fileinto"]; if true { fileinto "Sent"; }

dn: uid=jiro,ou=people,dc=campus,dc=example
objectClass: zimbraAccount
uid: jiro
mail: jiro@campus.example
zimbraPrefOutOfOfficeReplyEnabled: FALSE
zimbraPrefOutOfOfficeReply: later
zimbraPrefOutOfOfficeSuppressExternalReply: TRUE
zimbraPrefOutOfOfficeFromDate: 2026
`)
    const [taro, jiro] = people
    assert.deepEqual(taro?.wishes, {
      vacation: {
        isOn: true,
        from: '2026-12-28T15:00:00Z',
        until: '2027-01-03T15:00:00Z',
        text: '内線 1234 へ。\n',
        outsideText: '留守です。',
        days: 3,
        to: 'everybody',
      },
      blocked: ['Ads.example', 'spam.example'],
      welcome: ['jiro@b.example'],
    })
    assert.deepEqual(
      taro.scripts?.map(({ name, active }) => [name, active]),
      [
        ['Zimbra', true],
        ['Zimbra (outgoing)', false],
      ],
    )
    assert.match(taro.scripts?.[0]?.text ?? '', /addflag "meeting"/)
    assert.deepEqual(jiro?.wishes, {
      vacation: { isOn: false, text: 'later', days: 7, to: 'colleagues' },
    })
    assert.equal(jiro.scripts, undefined)
    assert.deepEqual(
      exceptions.map(({ source, text }) => [source.slice(0, 8), text.slice(0, 40)]),
      [
        ['uid=taro', "filters: the rule '知人' is left out, and "],
        ['uid=taro', 'filters of outgoing mail: no such run he'],
        ['uid=jiro', 'the absence: 2026 is no time'],
      ],
    )
  })

  it('Active Directory: the main address of many, other protocols left out, who is disabled; groups by DN', () => {
    const { people, groups, exceptions } = ofLdif(`dn: CN=花子\\, 山田,OU=Users,DC=campus,DC=example
objectClass: user
sAMAccountName: Hanako
displayName: 山田 花子
proxyAddresses: smtp:hanako@campus.example
proxyAddresses: SMTP:Hanako.Yamada@campus.example
proxyAddresses: X500:/o=campus
userAccountControl: 514

dn: CN=Teachers,OU=Groups,DC=campus,DC=example
objectClass: group
mail: teachers@campus.example
member: cn=花子\\, 山田, ou=Users, dc=campus, dc=example
member: CN=Gone,OU=Users,DC=campus,DC=example

dn: CN=All,OU=Groups,DC=campus,DC=example
objectClass: group
mail: all@campus.example
member: CN=Teachers,OU=Groups,DC=campus,DC=example

dn: CN=Nobody,OU=Groups,DC=campus,DC=example
objectClass: group
cn: nobody
`)
    assert.deepEqual(bare(people), [
      {
        username: 'hanako',
        domain: 'campus.example',
        name: '山田 花子',
        addresses: ['hanako.yamada@campus.example'],
        disabled: true,
      },
    ])
    assert.deepEqual(
      groups.map(({ address, to }) => [address, to]),
      [
        ['teachers@campus.example', ['hanako@campus.example']],
        ['all@campus.example', ['teachers@campus.example']],
      ],
    )
    assert.deepEqual(
      exceptions.map(({ text }) => text),
      ['a member that is nobody here: CN=Gone', 'a group without members'],
    )
  })

  it('readings of Japanese directories are no names, and numbers of employees are external ids', () => {
    const { people } = ofLdif(`dn: uid=hanako,ou=people
objectClass: inetOrgPerson
uid: hanako
cn;lang-ja;phonetic: ヤマダ ハナコ
cn;lang-ja: 山田 花子
displayName;lang-ja;phonetic: やまだ はなこ
mail: hanako@campus.example
employeeNumber: 20270001
`)
    assert.deepEqual(bare(people), [
      {
        username: 'hanako',
        domain: 'campus.example',
        name: '山田 花子',
        reading: 'やまだ はなこ',
        externalId: '20270001',
        addresses: [],
      },
    ])
  })

  it('a map that is asked for reads entries that others would read otherwise', () => {
    const text = `dn: uid=jiro,ou=people
objectClass: inetOrgPerson
objectClass: inetLocalMailRecipient
uid: jiro
mail: jiro@campus.example
mailLocalAddress: jiro@lab.example
mailRoutingAddress: jiro@far.example
`
    const [own] = ofLdif(text).people
    assert.deepEqual([own?.domain, own?.forward?.to], ['lab.example', ['jiro@far.example']])
    const [asked] = ofLdif(text, 'inetOrgPerson').people
    assert.deepEqual([asked?.domain, asked?.forward], ['campus.example', undefined])
  })
})

describe('people of tables', () => {
  it('titles in Japanese, full-width letters as people type them, what is no size', () => {
    const file = `氏名,ユーザー名,メールアドレス,別名,転送先,コピーを残す,容量,停止,内線
山田　花子,Ｈａｎａｋｏ,ｈａｎａｋｏ＠campus.example,h.yamada@campus.example;hy@campus.example,h@else.example,はい,２Ｇ,,1234
髙田 太郎,taro,,,,,たくさん,,
﨑山,saki,,,,,,○,
,,,,,,,,9
`
    const { people, exceptions } = fromTable(readTable(fromUtf8(file)))
    assert.deepEqual(people, [
      {
        source: 'line 2',
        username: 'hanako',
        domain: 'campus.example',
        name: '山田　花子',
        addresses: ['h.yamada@campus.example', 'hy@campus.example'],
        forward: { to: ['h@else.example'], keep: true },
        quota: { bytes: 2 ** 31 },
      },
      { source: 'line 4', username: 'saki', name: '﨑山', addresses: [], disabled: true },
    ])
    assert.deepEqual(exceptions, [
      { source: 'line 1', text: 'a column that is not taken: 内線' },
      { source: 'line 3', text: "'たくさん' is no size: 2G, 500M, 1073741824" },
      { source: 'line 5', text: 'no user name and no address' },
    ])
    assert.equal(
      fromTable(readTable(fromUtf8('氏名\n花子\n'))).exceptions[0]?.text,
      'no column for user names or addresses',
    )
  })
})

describe('facts in tables', () => {
  it('readings, former names, tags, numbers and days as spreadsheets write them', () => {
    const file = `ユーザー名,ふりがな,旧姓,区分,学籍番号,開始日,有効期限
hanako,やまだ はなこ,鈴木、佐藤 花,２０２７入学；法学部,B1234,2027/4/1,２０３１年３月３１日
taro,,,,,,来年
`
    const { people, exceptions } = fromTable(readTable(fromUtf8(file)))
    assert.deepEqual(exceptions, [])
    assert.deepEqual(bare(people), [
      {
        username: 'hanako',
        reading: 'やまだ はなこ',
        formerNames: ['鈴木', '佐藤 花'],
        tags: ['2027入学', '法学部'],
        externalId: 'B1234',
        startsOn: '2027-04-01',
        expiresOn: '2031-03-31',
        addresses: [],
      },
      { username: 'taro', expiresOn: '来年', addresses: [] },
    ])
  })
})

describe('people of Unix', () => {
  it('persons of passwd alone; aliases with what they include, programs and files told and left', async () => {
    const passwd = `root:$6$a$b:0:0:root:/root:/bin/sh
hanako:$6$salt$hash:1001:1001:山田 花子:/home/hanako:/bin/sh
nobody:*:65534:65534:nobody:/:/bin/false
odd
`
    const census = fromPasswd(readPasswd(fromUtf8(passwd)))
    assert.deepEqual(census.people, [
      {
        source: 'line 2',
        username: 'hanako',
        name: '山田 花子',
        addresses: [],
        passwordHash: '{CRYPT}$6$salt$hash',
      },
    ])
    assert.deepEqual(census.exceptions, [{ source: 'line 4', text: 'no line of passwd: odd' }])
    const aliases = `staff: staff, Hanako, :include:list
loop: :include:loop
dump: "|/bin/cat", /var/mail/dump
`
    const included = async (path: string) =>
      path === 'gone'
        ? undefined
        : readIncluded(fromUtf8(path === 'loop' ? ':include:loop' : 'taro, :include:gone'))
    const { groups, exceptions } = await fromAliases(readAliases(fromUtf8(aliases)), included)
    assert.deepEqual(groups, [{ source: 'line 1', address: 'staff', to: ['hanako', 'taro'] }])
    assert.deepEqual(
      exceptions.map(({ text }) => text),
      [
        'staff: gone cannot be read',
        'loop: loop cannot be read',
        'dump: a program is not taken: /bin/cat',
        'dump: a file is not taken: /var/mail/dump',
      ],
    )
  })
})

describe('an export', () => {
  const word = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,10}$/)
  const address = fc.tuple(word, word).map(([local, domain]) => `${local}@${domain}.example`)
  /** Signs that some form or reader means something by. */
  const odd = fc.constantFrom(
    "'",
    '"',
    '=',
    '+',
    '-',
    '@',
    ',',
    ';',
    ' ',
    ':',
    '<',
    '\\',
    '#',
    'a',
    'e',
    '\u0301',
    'é',
    '＠',
    'Ａ',
    '山',
    '\u3000',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u00a0',
    '\u200b',
  )
  const name = fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.string({ unit: odd, minLength: 1, maxLength: 6 }),
    )
    .map((text) =>
      text
        .normalize('NFC')
        .replaceAll(/[\u0000-\u001f]/g, '')
        .trim(),
    )
    .filter((text) => text !== '')
  const person = fc.record(
    {
      username: word,
      domain: word.map((text) => `${text}.example`),
      name,
      addresses: fc.uniqueArray(address, { maxLength: 3 }),
      forward: fc.record({
        to: fc.uniqueArray(address, { minLength: 1, maxLength: 3 }),
        keep: fc.boolean(),
      }),
      disabled: fc.constant(true as const),
      reading: fc.constantFrom('やまだ はなこ', 'Yamada'),
      formerNames: fc.uniqueArray(fc.constantFrom('鈴木', '﨑山 花子'), { minLength: 1 }),
      tags: fc.uniqueArray(fc.constantFrom('2027入学', '法学部', 'a b'), { minLength: 1 }),
      externalId: word,
      startsOn: fc.constant('2027-04-01'),
      expiresOn: fc.constant('2031-03-31'),
      quota: fc.record({ bytes: fc.nat(), messages: fc.nat() }),
    },
    { requiredKeys: ['username', 'domain', 'addresses'] },
  )
  const people = fc
    .uniqueArray(person, { selector: ({ username }) => username, maxLength: 5 })
    .map((all) =>
      all.map((each): Person => ({
        ...each,
        source: '',
        addresses: each.addresses.filter((one) => one !== `${each.username}@${each.domain}`),
      })),
    )

  it('is read as what it was made of, as LDIF and as a table', () => {
    const groups = fc.uniqueArray(
      fc.record({
        source: fc.constant(''),
        address,
        to: fc.uniqueArray(address, { minLength: 1, maxLength: 4 }),
      }),
      { selector: (group) => group.address, maxLength: 3 },
    )
    fc.assert(
      fc.property(people, groups, (persons, lists) => {
        const entries = toEntries({ people: persons, groups: lists }, 'dc=campus,dc=example')
        const census = ofLdif(entries.map(writeLdif).join(''))
        assert.deepEqual(bare(census.people), bare(persons))
        assert.deepEqual(bare(census.groups), bare(lists))
        assert.deepEqual(census.exceptions, [])
        const read = fromTable(readTable(writeTable(toTable(persons))))
        assert.deepEqual(bare(read.people), bare(persons))
        assert.deepEqual(read.exceptions, [])
      }),
    )
  })
})
