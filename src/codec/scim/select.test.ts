import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from './json.ts'
import { isSelected, parseSelection, select, sortKeyOf } from './select.ts'
import { ENTERPRISE_USER, USER_SCHEMA } from './user-schema.ts'

const HANAKO: JsonObject = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE_USER],
  id: 'U1',
  userName: 'hanako@campus.example',
  displayName: '山田 花子',
  name: { familyName: '山田', givenName: '花子' },
  emails: [
    { value: 'h@campus.example', type: 'other' },
    { value: 'hanako@campus.example', type: 'work', primary: true },
  ],
  [ENTERPRISE_USER]: { department: '総務部', division: '本部' },
}

const answered = (ask: { attributes?: string; excludedAttributes?: string }): JsonObject => {
  const selection = parseSelection(ask)
  assert.ok(selection.ok)
  const { schemas, ...rest } = select(USER_SCHEMA, HANAKO, selection.value)
  assert.ok(schemas)
  return rest
}

test('only the attributes that were asked for are answered, and what always is (RFC 7644 §3.9)', () => {
  assert.deepEqual(answered({ attributes: 'USERNAME' }), {
    id: 'U1',
    userName: 'hanako@campus.example',
  })
  assert.deepEqual(answered({ attributes: `name.familyName,emails.value, emails.type` }), {
    id: 'U1',
    name: { familyName: '山田' },
    emails: [
      { value: 'h@campus.example', type: 'other' },
      { value: 'hanako@campus.example', type: 'work' },
    ],
  })
  assert.deepEqual(answered({ attributes: `${ENTERPRISE_USER}:division,nonsense` }), {
    id: 'U1',
    [ENTERPRISE_USER]: { division: '本部' },
  })
})

test('attributes that are not wanted are left out, except those that always come', () => {
  const { displayName: _, emails: __, [ENTERPRISE_USER]: ___, schemas: ____, ...rest } = HANAKO
  assert.deepEqual(
    answered({ excludedAttributes: `id,emails,displayName,${ENTERPRISE_USER}` }),
    rest,
  )
  assert.deepEqual(
    answered({ excludedAttributes: `${ENTERPRISE_USER}:division` })[ENTERPRISE_USER],
    {
      department: '総務部',
    },
  )
  assert.equal(isSelected(USER_SCHEMA, { without: [{ name: 'Emails' }] }, 'emails'), false)
  assert.equal(isSelected(USER_SCHEMA, { only: [{ name: 'title' }] }, 'emails'), false)
  assert.equal(isSelected(USER_SCHEMA, {}, 'emails'), true)
  assert.equal(parseSelection({ attributes: '名前' }).ok, false)
  assert.equal(parseSelection({ attributes: Array(101).fill('a').join(',') }).ok, false)
})

test('of several values the primary one is sorted by (RFC 7644 §3.4.2.3)', () => {
  assert.equal(sortKeyOf(USER_SCHEMA, { name: 'emails' })(HANAKO), 'hanako@campus.example')
  assert.equal(sortKeyOf(USER_SCHEMA, { name: 'emails', sub: 'type' })(HANAKO), 'work')
  assert.equal(sortKeyOf(USER_SCHEMA, { name: 'name', sub: 'familyName' })(HANAKO), '山田')
  assert.equal(sortKeyOf(USER_SCHEMA, { name: 'title' })(HANAKO), undefined)
  assert.equal(sortKeyOf(USER_SCHEMA, { name: 'shoeSize' })(HANAKO), undefined)
})
