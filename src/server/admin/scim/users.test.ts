import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { ENTERPRISE_USER, USER, WATARI_USER } from '#codec/scim/user-schema.ts'
import type { Account } from '#model/account.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { adminApi, TOKEN } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'
import { patchOf, ScimClient } from '#test/fake/scim-client.ts'

let api: AdminApi
let scim: ScimClient

const eq = (attribute: string, value: string): string =>
  `/Users?filter=${encodeURIComponent(`${attribute} eq "${value}"`)}`
const accountOf = (login: string): Account => api.directory.directory.byLogin(login)!

describe('users by SCIM', () => {
  before(async () => {
    api = await adminApi()
    scim = new ScimClient({ base: api.base.replace('/api/v1', '/scim/v2'), token: TOKEN })
    await api.ask('POST', '/domains', { name: 'campus.example' })
    await api.ask('POST', '/domains', { name: 'lab.campus.example', convertTo: 'campus.example' })
  })
  after(() => api.end())

  test('are made with all that is told, shown without a password, and found', async () => {
    const made = await scim.ask('POST', '/Users', {
      schemas: [USER, ENTERPRISE_USER, WATARI_USER],
      externalId: 'E-1',
      userName: 'Hanako',
      name: { familyName: '山田', givenName: '花子' },
      active: true,
      password: ' a&b パスワード"\\ ',
      emails: [
        { value: 'h.yamada@campus.example', type: 'work', primary: true },
        { value: 'hanako@campus.example', type: 'other' },
      ],
      phoneNumbers: [{ value: '03-0000-0000', type: 'work' }],
      [ENTERPRISE_USER]: {
        department: '総務部',
        employeeNumber: '701984',
        manager: { value: 'M1' },
      },
      [WATARI_USER]: {
        quotaBytes: 1_000_000,
        forwardTo: ['outside@other.example'],
        reading: 'やまだ はなこ',
        tags: ['２０２７入学', '法学部'],
        expiresOn: '2031-03-31',
      },
    })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const { id, meta, ...user } = made.body
    assert.deepEqual(user, {
      schemas: [USER, ENTERPRISE_USER, WATARI_USER],
      externalId: 'E-1',
      userName: 'hanako@campus.example',
      name: { formatted: '山田 花子', familyName: '山田', givenName: '花子' },
      displayName: '山田 花子',
      active: true,
      emails: [
        {
          value: 'h.yamada@campus.example',
          display: 'h.yamada@campus.example',
          type: 'work',
          primary: true,
        },
        { value: 'hanako@campus.example', display: 'hanako@campus.example', type: 'other' },
      ],
      [ENTERPRISE_USER]: {
        department: '総務部',
        employeeNumber: '701984',
        manager: { value: 'M1' },
      },
      [WATARI_USER]: {
        quotaBytes: 1_000_000,
        forwardTo: ['outside@other.example'],
        forwardKeep: true,
        reading: 'やまだ はなこ',
        tags: ['2027入学', '法学部'],
        expiresOn: '2031-03-31',
      },
    })
    assert.equal(meta.resourceType, 'User')
    assert.equal(made.headers.location, meta.location)
    assert.match(meta.location, new RegExp(`^https://127\\.0\\.0\\.1:\\d+/scim/v2/Users/${id}$`))
    assert.match(meta.version, /^W\/"[0-9a-f]{16}"$/)
    assert.equal(made.headers.etag, meta.version)
    assert.equal(meta.created, new Date(api.clock.nowMs()).toISOString())
    const account = accountOf('hanako')
    assert.equal(await verifyPassword(fromUtf8(' a&b パスワード"\\ '), account.credential), true)
    for (const [attribute, value] of [
      ['userName', 'hanako'],
      ['userName', 'HANAKO@campus.example'],
      ['externalId', 'E-1'],
      ['id', id],
      ['emails', 'h.yamada@campus.example'],
      ['emails[type eq "work"].value', 'h.yamada@campus.example'],
      ['displayName', '山田 花子'],
      [`${ENTERPRISE_USER}:department`, '総務部'],
    ]) {
      const { Resources: found } = await scim.took(200, 'GET', eq(attribute, value))
      assert.deepEqual(
        found.map((each: { id: string }) => each.id),
        [id],
        attribute,
      )
    }
    const history = await api.ask('GET', '/directory/history?limit=1')
    assert.equal(history.body.items[0].from, 'scim 127.0.0.1')
    assert.equal(JSON.stringify(made.body).includes('argon2'), false)
  })

  test('are refused twice, outside our domains, and with what is no value (RFC 7644 §3.3, §3.12)', async () => {
    const refused = async (status: number, scimType: string | undefined, body: unknown) => {
      const answer = await scim.ask('POST', '/Users', body)
      assert.deepEqual(
        [answer.status, answer.body.scimType],
        [status, scimType],
        JSON.stringify(answer.body),
      )
      assert.deepEqual(answer.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error'])
      assert.equal(answer.body.status, String(status))
      return answer.body.detail as string
    }
    await refused(409, 'uniqueness', { userName: 'hanako@campus.example' })
    await refused(409, 'uniqueness', { userName: 'h.yamada' })
    await refused(409, 'uniqueness', {
      userName: 'x',
      emails: [{ value: 'hanako@campus.example' }],
    })
    await refused(409, 'uniqueness', { userName: 'x', externalId: 'E-1' })
    assert.match(
      await refused(400, 'invalidValue', { userName: 'hanako@other.example' }),
      /other\.example is no domain of this installation/,
    )
    await refused(400, 'invalidValue', { userName: 'x', emails: [{ value: 'x@other.example' }] })
    await refused(400, 'invalidValue', { userName: 'x@lab.campus.example@' })
    await refused(400, 'invalidValue', { userName: 'a+b' })
    await refused(400, 'invalidValue', { displayName: '名無し' })
    await refused(400, 'invalidValue', { userName: 'x', active: 'perhaps' })
    await refused(400, 'invalidValue', { userName: 'x', password: 'a\nb' })
    await refused(400, 'invalidValue', { userName: 'x', displayName: '長'.repeat(300) })
    await refused(400, 'invalidValue', { userName: 'x', title: '長'.repeat(300) })
    await refused(400, 'invalidValue', { userName: 'x', [WATARI_USER]: { quotaBytes: -1 } })
    await refused(400, 'invalidValue', { userName: 'x', [WATARI_USER]: { expiresOn: 'soon' } })
    await refused(400, 'invalidValue', { userName: 'x', [WATARI_USER]: { passwordHash: 'x' } })
    await refused(400, 'invalidSyntax', [])
    await refused(400, 'invalidSyntax', '{"userName": ')
    await refused(400, 'invalidSyntax', '{"__proto__": {"userName": "x"}}')
    await refused(400, 'invalidSyntax', `{"userName":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    await refused(413, undefined, { userName: 'x', title: 'x'.repeat(9 * 1024 * 1024) })
  })

  test('are replaced by PUT: what is not told and only a mail platform knows stays', async () => {
    const { id } = accountOf('hanako')
    const put = await scim.took(200, 'PUT', `/Users/${id}`, {
      schemas: [USER],
      id: 'another',
      userName: 'hanako@campus.example',
      displayName: '鈴木 花子',
      name: { familyName: '鈴木', givenName: '花子' },
      emails: [{ value: 'hanako@campus.example', type: 'work', primary: true }],
      active: false,
      groups: [{ value: 'g' }],
    })
    assert.equal(put.id, id)
    assert.equal(put.displayName, '鈴木 花子')
    assert.equal(put.active, false)
    assert.equal(put.emails.length, 1)
    assert.equal(put[ENTERPRISE_USER], undefined)
    assert.equal(put.externalId, 'E-1')
    assert.deepEqual(put[WATARI_USER].forwardTo, ['outside@other.example'])
    assert.equal(put[WATARI_USER].quotaBytes, 1_000_000)
    assert.equal(accountOf('hanako').credentialVersion, 1)
    const again = await scim.took(200, 'PUT', `/Users/${id}`, {
      userName: 'hanako',
      displayName: '鈴木 花子',
      active: 'True',
      password: '新しい',
      [WATARI_USER]: { forwardTo: [], quotaBytes: null },
    })
    assert.equal(again.active, true)
    assert.equal(again[WATARI_USER].forwardTo, undefined)
    assert.equal(again[WATARI_USER].quotaBytes, undefined)
    assert.deepEqual(again[WATARI_USER].tags, ['2027入学', '法学部'])
    assert.equal(accountOf('hanako').credentialVersion, 2)
    assert.equal(api.directory.directory.forward(id), undefined)
  })

  test('are patched; a new userName takes the place of the old; nothing new writes nothing', async () => {
    const { id } = accountOf('hanako')
    const { body } = await scim.ask(
      'PATCH',
      `/Users/${id}`,
      patchOf(
        { op: 'Replace', path: 'userName', value: 'suzuki@campus.example' },
        { op: 'Replace', path: 'active', value: 'False' },
        { op: 'Replace', path: 'name.givenName', value: '華子' },
      ),
    )
    assert.equal(body.userName, 'suzuki@campus.example')
    assert.equal(body.active, false)
    assert.deepEqual(
      body.emails.map((each: { value: string }) => each.value),
      ['suzuki@campus.example'],
    )
    // Mail to the name of before still arrives, and nobody else gets it.
    assert.deepEqual(
      accountOf('suzuki').formerAddresses?.map(({ address }) => address.localpart),
      ['hanako'],
    )
    const before = api.directory.directory.seq
    const same = await scim.took(
      200,
      'PATCH',
      `/Users/${id}`,
      patchOf({ op: 'add', path: 'active', value: false }),
    )
    assert.equal(api.directory.directory.seq, before)
    assert.equal(same.meta.version, body.meta.version)
    const password = patchOf({ op: 'replace', path: 'password', value: 'ﾊﾟｽ&1' })
    await scim.took(200, 'PATCH', `/Users/${id}`, password)
    assert.equal(await verifyPassword(fromUtf8('ﾊﾟｽ&1'), accountOf('suzuki').credential), true)
    await scim.took(
      200,
      'PATCH',
      `/Users/${id}`,
      patchOf({ op: 'replace', value: { active: true, userName: 'hanako' } }),
    )
    for (const [operation, scimType] of [
      [{ op: 'replace', path: 'emails', value: [{ value: 'x@other.example' }] }, 'invalidValue'],
      [{ op: 'replace', path: 'groups', value: [] }, undefined],
      [{ op: 'add', path: 'roles', value: [{ value: 'administrator' }] }, 'mutability'],
      [{ op: 'add', path: 'shoeSize', value: 40 }, 'invalidPath'],
    ] as const) {
      const answer = await scim.ask('PATCH', `/Users/${id}`, patchOf(operation))
      assert.equal(answer.body.scimType, scimType, JSON.stringify(answer.body))
    }
    assert.equal(accountOf('hanako').admin, false)
  })

  test('are changed only as they were seen, where the client says how (RFC 7644 §3.14)', async () => {
    const { id } = accountOf('hanako')
    const path = `/Users/${id}`
    const { version } = (await scim.took(200, 'GET', path)).meta
    const patch = patchOf({ op: 'replace', path: 'title', value: '教授' })
    await scim.took(412, 'PATCH', path, patch, { 'if-match': 'W/"0123456789abcdef"' })
    await scim.took(200, 'PATCH', path, patch, { 'if-match': version })
    await scim.took(412, 'DELETE', path, undefined, { 'if-match': version })
    await scim.took(304, 'GET', path, undefined, {
      'if-none-match': (await scim.took(200, 'GET', path)).meta.version,
    })
    await scim.took(200, 'GET', path, undefined, { 'if-none-match': version })
  })

  test('are listed by pages, sorted, with the attributes that are asked for', async () => {
    for (const name of ['b', 'a', 'c'])
      await scim.took(201, 'POST', '/Users', {
        userName: `list-${name}`,
        title: name.toUpperCase(),
      })
    const filter = `filter=${encodeURIComponent('userName sw "list-"')}`
    const page = await scim.took(
      200,
      'GET',
      `/Users?${filter}&startIndex=2&count=1&attributes=userName`,
    )
    assert.deepEqual(page, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 3,
      startIndex: 2,
      itemsPerPage: 1,
      Resources: [
        {
          schemas: [USER, WATARI_USER],
          id: page.Resources[0].id,
          userName: 'list-a@campus.example',
        },
      ],
    })
    const names = async (more: string): Promise<string[]> =>
      (await scim.took(200, 'GET', `/Users?${filter}&${more}`)).Resources.map(
        ({ title }: { title: string }) => title,
      )
    assert.deepEqual(await names('sortBy=userName'), ['A', 'B', 'C'])
    assert.deepEqual(await names('sortBy=title&sortOrder=descending'), ['C', 'B', 'A'])
    assert.deepEqual(await names('startIndex=-5&count=2'), ['B', 'A'])
    const none = await scim.took(200, 'GET', `/Users?${filter}&count=0`)
    assert.deepEqual([none.totalResults, none.itemsPerPage], [3, 0])
    const search = await scim.took(200, 'POST', '/Users/.search', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      filter: 'userName sw "list-" and not (title eq "b")',
      sortBy: 'userName',
      excludedAttributes: ['emails', 'meta'],
    })
    assert.deepEqual(
      search.Resources.map((each: object) => Object.keys(each).includes('emails')),
      [false, false],
    )
    for (const [query, scimType] of [
      ['filter=userName', 'invalidFilter'],
      ['filter=active%20gt%20true', 'invalidFilter'],
      ['count=many', 'invalidValue'],
      ['attributes=%E5%90%8D', 'invalidPath'],
      ['filter=title%20pr&filter=title%20pr', 'invalidValue'],
    ] as const) {
      const refused = await scim.took(400, 'GET', `/Users?${query}`)
      assert.equal(refused.scimType, scimType, query)
    }
  })

  test('are deleted as by any other door', async () => {
    const { id } = accountOf('list-a')
    assert.equal(
      await scim.took(204, 'DELETE', `/Users/${id}`, '', {
        'content-type': 'application/scim+json',
      }),
      undefined,
    )
    await scim.took(404, 'GET', `/Users/${id}`)
    await scim.took(404, 'DELETE', `/Users/${id}`)
    await scim.took(
      404,
      'PATCH',
      `/Users/${id}`,
      patchOf({ op: 'replace', path: 'active', value: true }),
    )
    assert.equal((await scim.took(200, 'GET', eq('userName', 'list-a'))).totalResults, 0)
    assert.notEqual(api.directory.directory.account(id)?.deletedAt, undefined)
    const again = await scim.took(409, 'POST', '/Users', { userName: 'list-a' })
    assert.match(again.detail, /was deleted and can be had back/)
    assert.equal((await api.ask('POST', `/users/${id}/restore`, {})).status, 200)
    await scim.took(200, 'GET', `/Users/${id}`)
  })

  test('whose truth is another directory are changed there (403 mutability)', async () => {
    const origin = { source: 'campus-ldap', key: 'entryUUID=1', dn: 'uid=jiro,ou=people' }
    const jiro: Account = {
      id: 'JIRO' as Account['id'],
      username: 'jiro',
      domain: 'campus.example',
      name: '次郎',
      admin: false,
      disabled: true,
      isDisabledThere: true,
      credentialVersion: 1,
      addresses: [],
      delegated: [],
      origins: [origin],
      bind: origin,
    }
    const put = (account: Account) =>
      api.directory.write([{ kind: 'put', row: { kind: 'account', account } }], {
        who: 'watari',
        from: 'test',
      })
    assert.equal((await put(jiro)).ok, true)
    for (const operation of [
      { op: 'replace', path: 'userName', value: 'saburo' },
      { op: 'replace', path: 'displayName', value: '三郎' },
      { op: 'add', path: 'emails', value: [{ value: 'j@campus.example' }] },
      { op: 'replace', path: 'active', value: true },
      { op: 'replace', path: 'password', value: 'x' },
    ]) {
      const { status, body } = await scim.ask('PATCH', '/Users/JIRO', patchOf(operation))
      assert.deepEqual([status, body.scimType], [403, 'mutability'], JSON.stringify(operation))
      assert.match(body.detail, /campus-ldap says: change it there/)
    }
    const ours = patchOf({
      op: 'add',
      path: `${WATARI_USER}:forwardTo`,
      value: ['a@other.example'],
    })
    const shown = await scim.took(200, 'PATCH', '/Users/JIRO', ours)
    assert.deepEqual(shown[WATARI_USER].sources, ['campus-ldap'])
    assert.equal((await scim.took(403, 'DELETE', '/Users/JIRO')).scimType, 'mutability')
    await put({ ...jiro, isGone: true })
    await scim.took(204, 'DELETE', '/Users/JIRO')
  })
})
