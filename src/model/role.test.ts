import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { may, mayTouch, PERMISSIONS, permissionsOf, roleOf, ROLES, withRole } from './role.ts'

const WRITES = PERMISSIONS.filter((each) => !each.endsWith('.read') && each !== 'bench')

describe('roles', () => {
  test('an administrator may do everything, an auditor changes nothing and reads no content, a user may nothing', () => {
    assert.deepEqual([...permissionsOf('administrator')], [...PERMISSIONS])
    assert.deepEqual([...permissionsOf('user')], [])
    for (const write of WRITES) assert.equal(may('auditor', write), false, write)
    assert.equal(may('auditor', 'content.read'), false)
    assert.equal(may('auditor', 'history.read'), true)
  })

  test('only an administrator gives roles, or touches who has one', () => {
    for (const role of ROLES)
      for (const other of ROLES)
        assert.equal(
          mayTouch(role, withRole(other)),
          role === 'administrator' || other === 'user',
          `${role} ${other}`,
        )
  })

  test('stand in a row beside admin, and a row without a word is a user', () => {
    for (const role of ROLES) assert.equal(roleOf(withRole(role)), role)
    assert.deepEqual(withRole('user'), { admin: false })
    assert.deepEqual(withRole('administrator'), { admin: true })
    assert.equal(roleOf({ admin: true, role: 'auditor' }), 'administrator')
  })
})
