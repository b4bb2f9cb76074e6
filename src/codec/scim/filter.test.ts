import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseFilter, parsePatchPath } from './filter.ts'
import type { JsonObject } from './json.ts'
import { matcherOf } from './match.ts'
import { Refused } from './problem.ts'
import { USER_SCHEMA } from './user-schema.ts'

const HANAKO: JsonObject = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  id: 'ABC',
  externalId: 'e-1',
  userName: 'hanako@campus.example',
  displayName: '山田 花子',
  title: 'Professor',
  active: true,
  name: { formatted: '山田 花子', familyName: '山田' },
  emails: [
    { value: 'hanako@campus.example', type: 'work', primary: true },
    { value: 'h.yamada@campus.example', type: 'other' },
  ],
  meta: { created: '2026-04-01T00:00:00.000Z' },
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
    department: '総務部',
    manager: { value: 'XYZ' },
  },
  'urn:ietf:params:scim:schemas:extension:watari:2.0:User': { quotaBytes: 1_000 },
}

function matches(text: string): boolean {
  const filter = parseFilter(text)
  assert.ok(filter.ok, `${text}: ${JSON.stringify(filter)}`)
  return matcherOf(filter.value, USER_SCHEMA)(HANAKO)
}

describe('a filter of SCIM', () => {
  test('compares by each operator (RFC 7644 §3.4.2.2 table 3)', () => {
    for (const [text, isSo] of [
      ['userName eq "HANAKO@campus.example"', true],
      ['id eq "abc"', false], // an id is caseExact
      ['userName ne "taro@campus.example"', true],
      ['nickName ne "x"', true],
      ['displayName co "花"', true],
      ['displayName sw "山田"', true],
      ['displayName ew "花子"', true],
      ['displayName ew "山田"', false],
      ['title pr', true],
      ['nickName pr', false],
      ['emails pr', true],
      ['title gt "Post"', true],
      ['title ge "professor"', true],
      ['title lt "PROFESSOR"', false],
      ['title le "professor"', true],
      ['meta.created lt "2026-04-01T10:00:00+09:00"', true],
      ['meta.created ge "2026-04-01T09:00:00+09:00"', true],
      ['active eq true', true],
      ['ACTIVE EQ True', true],
      ['active eq "False"', false],
      ['title eq null', false],
      ['nickName eq null', true],
      ['title ne null', true],
      ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "hana"', true],
      ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "総務部"', true],
      ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.value eq "XYZ"', true],
      ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr', true],
      ['urn:ietf:params:scim:schemas:extension:watari:2.0:User:quotaBytes gt 999.5', true],
      ['urn:ietf:params:scim:schemas:extension:watari:2.0:User:quotaBytes eq 1e3', true],
      ['password pr', false],
      [String.raw`title eq "Pro\u0066essor"`, true],
    ] as const)
      assert.equal(matches(text), isSo, text)
  })

  test('binds not before and before or, and groups', () => {
    assert.equal(matches('title pr or title pr and nickName pr'), true)
    assert.equal(matches('(title pr or title pr) and nickName pr'), false)
    assert.equal(matches('not (nickName pr) and active eq true'), true)
    assert.equal(matches('not(title pr)'), false)
    assert.equal(matches('title pr and not ( nickName pr or userName sw "t" )'), true)
  })

  test('has one value of an attribute fulfil all that is in brackets', () => {
    assert.equal(matches('emails[type eq "work" and value co "hanako"]'), true)
    assert.equal(matches('emails[type eq "other" and value sw "hanako"]'), false)
    assert.equal(matches('emails.type eq "other" and emails.value sw "hanako"'), true)
    assert.equal(matches('emails co "yamada"'), true)
    assert.equal(matches('emails[not (primary eq true)]'), true)
    assert.equal(matches('emails[type eq "work"].value eq "HANAKO@campus.example"'), true)
    assert.equal(matches('emails[type eq "other"].value eq "hanako@campus.example"'), false)
  })

  test('that cannot be read says where', () => {
    for (const [text, detail] of [
      ['', /attribute belongs here at character 1/],
      ['userName', /operator belongs here/],
      ['userName is "x"', /one of pr, eq, .* at character 10/],
      ['userName eq', /value belongs here/],
      ['userName eq hanako', /"text", a number/],
      ["userName eq 'hanako'", /"text"/],
      ['userName eq "x', /"text"/],
      ['userName eq "x" und title pr', /unexpected text/],
      ['(title pr', /'\)' belongs here/],
      ['emails[type eq "work"', /'\]' belongs here/],
      ['emails.value[type pr]', /behind the whole attribute/],
      ['名前 pr', /attribute belongs here/],
      [`${'('.repeat(30)}title pr${')'.repeat(30)}`, /nested more than 20 deep/],
      [Array(300).fill('title pr').join(' or '), /more than 200 comparisons/],
      [`title eq "${'長'.repeat(9_000)}"`, /longer than 8192/],
    ] as const) {
      const filter = parseFilter(text)
      assert.ok(!filter.ok, text)
      assert.equal(filter.error.scimType, 'invalidFilter')
      assert.match(filter.error.detail, detail)
    }
    for (const text of ['active gt true', 'meta.created lt "soon"', 'title gt null']) {
      const filter = parseFilter(text)
      assert.ok(filter.ok)
      assert.throws(() => matcherOf(filter.value, USER_SCHEMA), Refused, text)
    }
  })

  test('of a path of PATCH may stand in the middle (RFC 7644 §3.5.2)', () => {
    const path = parsePatchPath('emails[type eq "work"].value')
    assert.ok(path.ok)
    assert.deepEqual(path.value, {
      path: { name: 'emails' },
      filter: { kind: 'compare', path: { name: 'type' }, operator: 'eq', value: 'work' },
      sub: 'value',
    })
    for (const text of ['', 'emails[', 'emails[type pr].', 'name.a.b', 'a b', 'emails[type pr]x'])
      assert.equal(parsePatchPath(text).ok, false, text)
  })
})
