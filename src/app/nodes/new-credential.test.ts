import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Account, AccountId } from '#model/account.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { renewed, withRenewed } from './new-credential.ts'

const PASSWORD = fromUtf8('渡り&鳥')
const SETTINGS = {
  'auth.rehash': true,
  'auth.scram': false,
  'auth.scramIterations': 4_096,
} as const
const broughtIn: Account = {
  id: '花子' as AccountId,
  username: 'hanako',
  domain: 'campus.example',
  admin: false,
  disabled: false,
  credential: `{SHA256}${createHash('sha256').update(PASSWORD).digest('base64')}`,
  credentialVersion: 7,
  addresses: [],
  delegated: [],
}

describe('a hash that is made anew at a login', () => {
  it('is of the same password and version: the session that begins with this login goes on', async () => {
    const made = await renewed(broughtIn, PASSWORD, SETTINGS)
    const now = withRenewed(broughtIn, made!, SETTINGS)
    assert.match(now!.credential!, /^\$argon2id\$/)
    assert.equal(now!.credentialVersion, 7)
    assert.equal(await verifyPassword(PASSWORD, now!.credential), true)
  })

  it('is not taken once it is there, nor for a password that has changed meanwhile, nor where none is wanted', async () => {
    const made = (await renewed(broughtIn, PASSWORD, SETTINGS))!
    const now = withRenewed(broughtIn, made, SETTINGS)!
    assert.equal(withRenewed(now, made, SETTINGS), undefined)
    assert.equal(withRenewed({ ...broughtIn, credentialVersion: 8 }, made, SETTINGS), undefined)
    assert.equal(withRenewed(undefined, made, SETTINGS), undefined)
    assert.equal(withRenewed(broughtIn, made, { ...SETTINGS, 'auth.rehash': false }), undefined)
    assert.equal(await renewed(now, PASSWORD, SETTINGS), undefined)
  })
})
