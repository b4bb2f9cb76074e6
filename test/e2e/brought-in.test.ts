import assert from 'node:assert/strict'
import { createHash, pbkdf2Sync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { hashSync } from 'bcryptjs'

import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { wire } from './wire.ts'

const PASSWORD = '渡り鳥 & "かぎ"'
const SALT = Buffer.from('salt-of-8')

/** As the old system had them, by scheme. */
const HASHES: Readonly<Record<string, string>> = {
  SSHA: `{SSHA}${Buffer.concat([
    createHash('sha1').update(PASSWORD).update(SALT).digest(),
    SALT,
  ]).toString('base64')}`,
  CRYPT: `{CRYPT}${hashSync(PASSWORD, 5)}`,
  PBKDF2: `{PBKDF2}$1$Ab3./xyz$5000$${pbkdf2Sync(PASSWORD, 'Ab3./xyz', 5_000, 20, 'sha1').toString('hex')}`,
}

describe('people who come with a hash of another system', () => {
  let watari: Installation
  let cli: CommandLine
  before(async () => {
    watari = await install()
    cli = commandLine(watari)
  })
  after(() => watari.remove())

  const login = async (user: string, password: string): Promise<string> => {
    const session = await wire(watari.port(995), { tlsCa: watari.ca })
    try {
      await session.until(/^\+OK .*\r\n/)
      session.send(Buffer.from(`USER ${user}\r\nPASS ${password}\r\n`))
      return await session.until(/^\+OK .*\r\n(?:\+OK|-ERR) .*\r\n/)
    } finally {
      session.close()
    }
  }
  const schemeOf = async (user: string): Promise<string | undefined> =>
    (await cli.json<{ passwordScheme?: string }>(['user', 'show', user])).passwordScheme

  it('log in with the password that they had, and are stored anew from then on', async () => {
    for (const [scheme, hash] of Object.entries(HASHES)) {
      const user = `moved-${scheme.toLowerCase()}`
      await cli.run(['user', 'add', user, '--hash-stdin'], `${hash}\n`)
      assert.equal(await schemeOf(user), scheme)
      assert.match(await login(user, 'wrong'), /-ERR/)
      assert.equal(await schemeOf(user), scheme)
      assert.match(await login(user, PASSWORD), /\r\n\+OK/)
      await until(`${user} is stored anew`, async () => (await schemeOf(user)) === 'argon2id')
      assert.match(await login(user, PASSWORD), /\r\n\+OK/)
      assert.match(await login(user, 'wrong'), /-ERR/)
    }
  })

  it('keep their hash where the policy says so', async () => {
    await cli.run(['settings', 'set', 'auth.rehash', 'false'])
    await cli.run(['user', 'add', 'stays', '--hash-stdin'], HASHES['SSHA'])
    assert.match(await login('stays', PASSWORD), /\r\n\+OK/)
    assert.match(await login('stays', PASSWORD), /\r\n\+OK/)
    assert.equal(await schemeOf('stays'), 'SSHA')
  })

  it('are refused with a hash that nobody could check', async () => {
    const text = await cli.refused(['user', 'add', 'lost', '--hash-stdin'], 1, '{CRYPT}$y$j9T$x$y')
    assert.match(text, /cannot be checked/)
  })
})
