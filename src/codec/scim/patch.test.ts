import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GROUP_SCHEMA, WATARI_GROUP } from './group-schema.ts'
import type { Json, JsonObject } from './json.ts'
import { applyPatch, OPERATIONS_MAX } from './patch.ts'
import { ENTERPRISE_USER, USER_SCHEMA, WATARI_USER } from './user-schema.ts'

const HANAKO: JsonObject = {
  id: 'U1',
  userName: 'hanako@campus.example',
  displayName: '山田 花子',
  active: true,
  name: { formatted: '山田 花子', familyName: '山田', givenName: '花子' },
  emails: [
    { value: 'hanako@campus.example', type: 'work', primary: true },
    { value: 'h.yamada@campus.example', type: 'other' },
  ],
}

const patched = (
  operations: readonly Json[],
  resource: JsonObject = HANAKO,
  schema = USER_SCHEMA,
): JsonObject => {
  const done = applyPatch(schema, resource, { Operations: operations })
  assert.ok(done.ok, JSON.stringify(done))
  return done.value
}

const refused = (operation: Json, resource: JsonObject = HANAKO): string => {
  const done = applyPatch(USER_SCHEMA, resource, { Operations: [operation] })
  assert.ok(!done.ok, JSON.stringify(operation))
  return done.error.scimType
}

describe('a PATCH of SCIM', () => {
  test('adds, replaces and removes at a path (RFC 7644 §3.5.2)', () => {
    const after = patched([
      { op: 'add', path: 'title', value: '教授' },
      { op: 'replace', path: 'displayName', value: '鈴木 花子' },
      { op: 'replace', path: 'name', value: { familyName: '鈴木' } },
      { op: 'remove', path: 'name.givenName' },
      { op: 'add', path: `${ENTERPRISE_USER}:department`, value: '総務部' },
      { op: 'add', path: ENTERPRISE_USER, value: { costCenter: 4711 } },
    ])
    assert.equal(after['title'], '教授')
    assert.equal(after['displayName'], '鈴木 花子')
    assert.deepEqual(after['name'], { formatted: '山田 花子', familyName: '鈴木' })
    assert.deepEqual(after[ENTERPRISE_USER], { department: '総務部', costCenter: '4711' })
    assert.equal(
      patched([{ op: 'remove', path: ENTERPRISE_USER }], after)[ENTERPRISE_USER],
      undefined,
    )
    assert.equal(HANAKO['title'], undefined)
  })

  test('changes values that a filter chooses, and keeps one primary', () => {
    const after = patched([
      { op: 'replace', path: 'emails[type eq "other"].value', value: 'yamada@campus.example' },
      { op: 'add', path: 'emails', value: [{ value: 'hana@campus.example', primary: true }] },
      { op: 'add', path: 'emails', value: { value: 'HANA@campus.example', type: 'other' } },
    ])
    assert.deepEqual(after['emails'], [
      { value: 'hanako@campus.example', type: 'work', primary: false },
      { value: 'yamada@campus.example', type: 'other' },
      { value: 'HANA@campus.example', type: 'other', primary: true },
    ])
    assert.deepEqual(
      patched([{ op: 'remove', path: 'emails[value ew "@campus.example"]' }], after)['emails'],
      undefined,
    )
    assert.deepEqual(patched([{ op: 'remove', path: 'emails[type eq "home"]' }]), HANAKO)
  })

  test('takes what Entra ID sends', () => {
    const after = patched([
      { op: 'Replace', path: 'active', value: 'False' },
      {
        op: 'Replace',
        value: {
          'name.familyName': '鈴木',
          [`${ENTERPRISE_USER}:department`]: '情報基盤',
          'emails[type eq "work"].value': 'suzuki@campus.example',
          externalId: 'entra-1',
        },
      },
      { op: 'Add', path: `${ENTERPRISE_USER}:manager`, value: 'U9' },
      { op: 'Add', path: 'phoneNumbers[type eq "work"].value', value: '03-0000-0000' },
      { op: 'Replace', path: 'addresses[type eq "work"].formatted', value: '東京' },
      { op: 'Add', path: 'emails[type eq "home"].value', value: 'home@campus.example' },
    ])
    assert.equal(after['active'], false)
    assert.equal(after['externalId'], 'entra-1')
    assert.deepEqual(after[ENTERPRISE_USER], { department: '情報基盤', manager: { value: 'U9' } })
    assert.deepEqual((after['emails'] as Json[])[0], {
      value: 'suzuki@campus.example',
      type: 'work',
      primary: true,
    })
    assert.deepEqual((after['emails'] as Json[])[2], { type: 'home', value: 'home@campus.example' })
    assert.equal('phoneNumbers' in after, false)
    const without = patched(
      [{ op: 'Replace', path: `${ENTERPRISE_USER}:manager`, value: '' }],
      after,
    )
    assert.deepEqual(without[ENTERPRISE_USER], { department: '情報基盤' })
  })

  test('takes what Okta sends: the whole in a value, the id in it', () => {
    const after = patched([{ op: 'replace', value: { id: 'U1', active: false } }])
    assert.equal(after['active'], false)
    assert.equal(refused({ op: 'replace', value: { id: 'U2' } }), 'mutability')
  })

  test('adds and removes members, by filter and by value, each once', () => {
    const group = { id: 'G', displayName: '総務部', members: [{ value: 'a', display: 'A' }] }
    const grown = patched(
      [
        { op: 'Add', path: 'members', value: [{ value: 'b' }, { value: 'a' }, { value: 'b' }] },
        { op: 'add', path: 'members', value: { value: 'c' } },
        { op: 'add', path: 'members', value: ['d'] },
      ],
      group,
      GROUP_SCHEMA,
    )
    const ids = ({ members }: JsonObject): Json[] =>
      ((members ?? []) as { value: string }[]).map(({ value }) => value)
    assert.deepEqual(ids(grown), ['a', 'b', 'c', 'd'])
    const shrunk = patched(
      [
        { op: 'Remove', path: 'members', value: [{ value: 'a' }, { value: 'zz' }] },
        { op: 'remove', path: 'members[value eq "b"]' },
      ],
      grown,
      GROUP_SCHEMA,
    )
    assert.deepEqual(ids(shrunk), ['c', 'd'])
    const none = patched([{ op: 'remove', path: 'members' }], shrunk, GROUP_SCHEMA)
    assert.equal(none['members'], undefined)
    const renamed = patched(
      [{ op: 'replace', path: `${WATARI_GROUP}:address`, value: 'somu' }],
      group,
      GROUP_SCHEMA,
    )
    assert.deepEqual(renamed[WATARI_GROUP], { address: 'somu' })
  })

  test('of ten thousand members costs what is changed', () => {
    const members = Array.from({ length: 10_000 }, (_, index) => ({ value: `u${index}` }))
    const operations = Array.from({ length: OPERATIONS_MAX }, (_, index) =>
      index % 2 === 0
        ? { op: 'add', path: 'members', value: [{ value: `n${index}` }] }
        : { op: 'remove', path: `members[value eq "u${index}"]` },
    )
    const after = patched(operations, { id: 'G', displayName: '全員', members }, GROUP_SCHEMA)
    assert.equal((after['members'] as Json[]).length, 10_000)
  })

  test('that cannot be done says why (RFC 7644 §3.12 table 9)', () => {
    for (const [operation, scimType] of [
      [{ op: 'move', path: 'title' }, 'invalidSyntax'],
      [{ op: 'remove' }, 'noTarget'],
      [{ op: 'add', value: 'x' }, 'invalidValue'],
      [{ op: 'add', path: 'shoeSize', value: 42 }, 'invalidPath'],
      [{ op: 'add', path: 'urn:example:2.0:User:shoeSize', value: 42 }, 'invalidPath'],
      [{ op: 'add', path: 'emails[type eq', value: 'x' }, 'invalidPath'],
      [{ op: 'replace', path: 'groups', value: [{ value: 'g' }] }, 'mutability'],
      [{ op: 'replace', path: 'id', value: 'x' }, 'mutability'],
      [{ op: 'remove', path: 'userName' }, 'mutability'],
      [{ op: 'replace', path: 'active', value: 'perhaps' }, 'invalidValue'],
      [{ op: 'replace', path: 'displayName', value: { a: 1 } }, 'invalidValue'],
      [{ op: 'replace', path: 'displayName', value: 'a\0b' }, 'invalidValue'],
      [{ op: 'replace', path: 'emails[value co "nobody"].type', value: 'work' }, 'noTarget'],
      [{ op: 'replace', path: `${WATARI_USER}:quotaBytes`, value: 'lots' }, 'invalidValue'],
    ] as const)
      assert.equal(refused(operation), scimType, JSON.stringify(operation))
    for (const body of [{}, { Operations: [] }, { Operations: 'x' }]) {
      const done = applyPatch(USER_SCHEMA, HANAKO, body)
      assert.ok(!done.ok && done.error.scimType === 'invalidSyntax')
    }
    const many = Array.from({ length: OPERATIONS_MAX + 1 }, () => ({
      op: 'add',
      path: 'title',
      value: 'x',
    }))
    const done = applyPatch(USER_SCHEMA, HANAKO, { Operations: many })
    assert.ok(!done.ok && done.error.scimType === 'tooMany')
  })
})
