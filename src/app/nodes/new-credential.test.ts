import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { DirectorySource } from '#model/source.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { parseScramKeys } from '#store/directory/scram-keys.ts'
import { renewed, withRenewed } from './new-credential.ts'

const PASSWORD = fromUtf8('渡り&鳥')
const settings = {
  'auth.rehash': true,
  'auth.scram': false,
  'auth.scramIterations': 4_096,
} as const
const SETTINGS = { settings, sourceOf: () => undefined }
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
    assert.equal(
      withRenewed(broughtIn, made, {
        ...SETTINGS,
        settings: { ...settings, 'auth.rehash': false },
      }),
      undefined,
    )
    assert.equal(await renewed(now, PASSWORD, SETTINGS), undefined)
  })
})

describe('a password that a source was asked about', () => {
  const campus: DirectorySource = {
    name: 'campus',
    order: 1,
    servers: [],
    base: 'dc=campus',
    key: 'entryUUID',
    auth: 'bind',
    adoptPasswords: true,
  }
  const origin = { source: 'campus', key: 'entryuuid=花子', dn: 'uid=hanako' }
  const { credential: _, ...nobodys } = broughtIn
  const bound: Account = {
    ...nobodys,
    bind: origin,
    origins: [{ ...origin, source: 'other' }, origin],
  }
  const parts = (adopts: boolean) => {
    const { adoptPasswords: __, ...asking } = campus
    return {
      settings: { ...settings, 'auth.scram': true },
      sourceOf: (name: string) => (name === 'campus' ? (adopts ? campus : asking) : undefined),
    }
  }

  it('becomes one of ours, with keys for SCRAM, where the source is set so, and is not asked about again', async () => {
    assert.equal(await renewed(bound, PASSWORD, parts(false)), undefined)
    const made = (await renewed(bound, PASSWORD, parts(true)))!
    const now = withRenewed(bound, made, parts(true))!
    assert.equal(await verifyPassword(PASSWORD, now.credential), true)
    assert.ok(parseScramKeys(now.scram ?? ''))
    assert.equal(now.bind, undefined)
    assert.equal(now.credentialVersion, 7)
    assert.deepEqual(now.origins, [
      { ...origin, source: 'other' },
      { ...origin, isAdopted: true },
    ])
    assert.equal(withRenewed(now, made, parts(true)), undefined, 'somebody else was sooner')
  })

  it('is not taken where the source is not set so any more, nor as another hash than ours', async () => {
    const made = (await renewed(bound, PASSWORD, parts(true)))!
    assert.equal(withRenewed(bound, made, parts(false)), undefined)
    const weak = { ...made, credential: broughtIn.credential! }
    assert.equal(withRenewed(bound, weak, parts(true)), undefined)
    assert.equal(withRenewed({ ...bound, credentialVersion: 8 }, made, parts(true)), undefined)
  })
})
