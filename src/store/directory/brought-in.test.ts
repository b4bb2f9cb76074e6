import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { argon2Sync, createHash, pbkdf2Sync } from 'node:crypto'
import { describe, it } from 'node:test'
import { hashSync } from 'bcryptjs'
import { hashPassword, isDated, isKnownHash, verifyPassword } from './password.ts'

/** Passwords of every kind that people have: `&`, spaces, quotes, kana, octets that are no text, 1,000 of them. */
const PASSWORDS = [
  Buffer.from('a'),
  Buffer.from(`p&ss "w" o'rd `),
  Buffer.from('会議室の鍵かぎ'),
  Buffer.from([0xff, 0x26, 0x20, 0x80]),
  Buffer.from('長い'.repeat(166) + 'xx'),
]

const digest = (algorithm: string, ...parts: Buffer[]): Buffer =>
  createHash(algorithm).update(Buffer.concat(parts)).digest()
const ab64 = (octets: Buffer): string =>
  octets.toString('base64').replaceAll('+', '.').replaceAll('=', '')
const b64 = (octets: Buffer): string => octets.toString('base64').replaceAll('=', '')
const SALT = Buffer.from('塩salt12', 'utf8')

/** By the C library of this machine; undefined where it has no perl. */
function crypt(password: Buffer, setting: string): string | undefined {
  try {
    const script = 'binmode STDIN; local $/; my $p = <STDIN>; print crypt($p, $ARGV[0])'
    return execFileSync('perl', ['-e', script, setting], { input: password }).toString()
  } catch {
    return undefined
  }
}

const MADE: Readonly<Record<string, (password: Buffer) => string>> = {
  SSHA: (p) => `{SSHA}${Buffer.concat([digest('sha1', p, SALT), SALT]).toString('base64')}`,
  'ssha in lower case': (p) =>
    `{ssha}${Buffer.concat([digest('sha1', p, SALT), SALT]).toString('base64')}`,
  SHA: (p) => `{SHA}${digest('sha1', p).toString('base64')}`,
  SSHA256: (p) => `{SSHA256}${Buffer.concat([digest('sha256', p, SALT), SALT]).toString('base64')}`,
  SSHA512: (p) => `{SSHA512}${Buffer.concat([digest('sha512', p, SALT), SALT]).toString('base64')}`,
  'PBKDF2 of OpenLDAP': (p) =>
    `{PBKDF2}10000$${ab64(SALT)}$${ab64(pbkdf2Sync(p, SALT, 10_000, 20, 'sha1'))}`,
  'PBKDF2-SHA512 of OpenLDAP': (p) =>
    `{PBKDF2-SHA512}5000$${ab64(SALT)}$${ab64(pbkdf2Sync(p, SALT, 5_000, 64, 'sha512'))}`,
  'PBKDF2 of Dovecot': (p) =>
    `{PBKDF2}$1$Ab3./xyz$5000$${pbkdf2Sync(p, 'Ab3./xyz', 5_000, 20, 'sha1').toString('hex')}`,
  'ARGON2 of OpenLDAP': (p) =>
    `{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$${b64(SALT)}$${b64(
      argon2Sync('argon2i', {
        message: p,
        nonce: SALT,
        parallelism: 1,
        tagLength: 32,
        memory: 4_096,
        passes: 3,
      }),
    )}`,
}

describe('hashes that were brought in', () => {
  for (const [name, make] of Object.entries(MADE))
    it(`${name}: the password and no other`, async () => {
      for (const password of PASSWORDS) {
        const hash = make(password)
        assert.ok(isKnownHash(hash), hash)
        assert.ok(isDated(hash))
        assert.equal(await verifyPassword(password, hash), true, hash)
        const other = Buffer.from(password)
        other[0] = other[0]! ^ 1
        assert.equal(await verifyPassword(other, hash), false, hash)
      }
    })

  it('bcrypt compares 72 octets, as it always did; octets that are no text match nothing', async () => {
    for (const password of PASSWORDS) {
      const hash = `{CRYPT}${hashSync(password.toString('utf8'), 4)}`
      assert.ok(isKnownHash(hash))
      assert.equal(await verifyPassword(password, hash), isUtf8(password), hash)
      assert.equal(await verifyPassword(Buffer.concat([Buffer.from('x'), password]), hash), false)
    }
    const long = `{BLF-CRYPT}${hashSync(`${'あ'.repeat(24)}tail`, 4)}`
    assert.equal(await verifyPassword(Buffer.from('あ'.repeat(24)), long), true)
    // Of another implementation (crypt_blowfish's own test vector).
    const known = '{CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
    assert.equal(await verifyPassword(Buffer.from('U*U'), known), true)
  })

  it('many bcrypt checks at once share a thread', async () => {
    const hash = `{CRYPT}${hashSync('会議', 4)}`
    const asked = Array.from({ length: 20 }, (_, i) =>
      verifyPassword(Buffer.from(i % 2 === 0 ? '会議' : '会議室'), hash),
    )
    assert.deepEqual(
      await Promise.all(asked),
      asked.map((_, i) => i % 2 === 0),
    )
  })

  it('hashes that a C library has made', async () => {
    for (const hash of [
      '$1$saltsalt$rtv3JmQyKhooGGRwH1yG/.',
      '$5$rounds=2000$saltstring$MYUj5Za7dukBg9K4PW/pcEdvlY1zPXMdErc85E8d8z2',
      '$6$saltstringsaltst$Wud/WQVfklp2IcvAIr01N2OLbfk29lgvHYpcyRTkHTBF6YCjoLQO9r/ATuEcJWQUHENbxARZ./fT6H/s.1Ei0/',
    ])
      assert.equal(await verifyPassword(Buffer.from('会議室 & 鍵'), `{CRYPT}${hash}`), true, hash)
  })

  it('MD5-, SHA-256- and SHA-512-crypt as the C library of this machine makes them', async (t) => {
    if (crypt(Buffer.from('x'), '$6$ab') === undefined) return t.skip('no perl on this machine')
    for (const setting of [
      '$1$saltsalt',
      '$1$',
      '$5$saltstring',
      '$5$rounds=1000$s',
      '$6$saltsaltsaltsalt',
      '$6$rounds=7777$ab',
    ])
      for (const password of PASSWORDS.slice(0, 4)) {
        const hash = crypt(password, setting)!
        assert.match(hash, /^\$[156]\$/)
        assert.equal(await verifyPassword(password, `{CRYPT}${hash}`), true, hash)
        const other = Buffer.concat([password, Buffer.from('x')])
        assert.equal(await verifyPassword(other, `{CRYPT}${hash}`), false, hash)
      }
    // Long passwords: the library takes 512 octets at most.
    const long = Buffer.from('鍵'.repeat(150))
    assert.equal(await verifyPassword(long, `{SHA512-CRYPT}${crypt(long, '$6$ab')!}`), true)
  })

  it('what we do not know, or what asks for too much work, is no hash', async () => {
    for (const hash of [
      '',
      'plain',
      '{PLAIN}secret',
      '{CRYPT}abJnggxhB/yWI',
      '{CRYPT}$y$j9T$x$y',
      '{CRYPT}$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
      '{CRYPT}$6$rounds=999999999$ab$' + 'a'.repeat(86),
      '{SSHA}' + digest('sha1', Buffer.from('x')).toString('base64'),
      '{SSHA}%%%',
      '{PBKDF2}99999999$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA',
      '{ARGON2}$argon2id$v=19$m=99999999,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g',
    ]) {
      assert.equal(isKnownHash(hash), false, hash)
      assert.equal(await verifyPassword(Buffer.from('x'), hash), false, hash)
    }
  })

  it('our own hash is known, and not dated', async () => {
    const ours = await hashPassword(Buffer.from('会議'))
    assert.equal(isKnownHash(ours), true)
    assert.equal(isDated(ours), false)
  })
})
