import assert from 'node:assert/strict'
import { test } from 'node:test'

import { filterFault } from '#codec/ldap/filter.ts'

import { withPart } from './filter-text.ts'

test('conditions become one filter, whatever people type', () => {
  const one = withPart('', 'tag', '学生')
  assert.equal(one, '(tag=学生)')
  const two = withPart(one, 'ou', '経済学部(夜間)')
  assert.equal(two, '(&(tag=学生)(ou=経済学部\\28夜間\\29))')
  const three = withPart(` ${two} `, 'cn', '佐藤*')
  assert.equal(three, '(&(tag=学生)(ou=経済学部\\28夜間\\29)(cn=佐藤*))')
  assert.equal(withPart('uid=x', 'title', 'a\\b'), '(&(uid=x)(title=a\\5cb))')
  for (const filter of [one, two, three, withPart('(|(uid=a)(uid=b))', 'o', ')(')])
    assert.equal(filterFault(filter), undefined, filter)
})
