import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { hostsOf, readSource } from '#engine/people/read-source.ts'
import { SourceLogins } from '#engine/people/source-logins.ts'
import type { DirectorySource } from '#model/source.ts'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'

const SUFFIX = 'dc=campus,dc=example'
const PASSWORD = fromUtf8('渡り & "鳥"')

describe('an OpenLDAP that refers to others', { skip: peersMissing() ?? false }, () => {
  let slapd: Slapd
  let elsewhere: Server
  let visits = 0
  let source: DirectorySource
  before(async () => {
    // Whoever follows would send it passwords.
    elsewhere = createServer((socket) => {
      visits++
      socket.destroy()
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const { port } = elsewhere.address() as AddressInfo
    slapd = await startSlapd({
      suffix: SUFFIX,
      ldif: [
        `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
        `dn: uid=hanako,${SUFFIX}\nobjectClass: inetOrgPerson\nuid: hanako\nsn: 山田\ncn: 花子\nuserPassword:: ${Buffer.from(PASSWORD).toString('base64')}`,
        `dn: ou=moved,${SUFFIX}\nobjectClass: referral\nobjectClass: extensibleObject\nou: moved\nref: ldap://127.0.0.1:${port}/ou=moved,${SUFFIX}`,
      ].join('\n\n'),
    })
    source = {
      name: 'campus',
      order: 1,
      servers: [{ host: '127.0.0.1', port: slapd.port, tls: 'none' }],
      base: SUFFIX,
      key: 'entryUUID',
      auth: 'bind',
    }
  })
  after(async () => {
    elsewhere.close()
    await slapd.stop()
  })

  test('is read without them, and nobody goes there', async () => {
    const hosts = hostsOf(source, systemClock)
    const { people } = await readSource(source, hosts)
    hosts.close()
    assert.deepEqual(
      [...people.values()].map(({ person }) => person.username),
      ['hanako'],
    )
    assert.equal(visits, 0)
  })

  test('says of a password of theirs that it is wrong, and nobody goes there', async () => {
    const logins = new SourceLogins({ source: () => source }, systemClock)
    const check = (dn: string): Promise<boolean> =>
      logins.check({ source: 'campus', key: 'k', dn: `${dn},${SUFFIX}` }, PASSWORD)
    assert.equal(await check('uid=taro,ou=moved'), false)
    assert.equal(await check('uid=hanako'), true)
    assert.equal(visits, 0)
  })

  test('is asked again by one login alone after it was silent; the others hear at once', async () => {
    const logins = new SourceLogins({ source: () => source }, systemClock)
    const check = (password = PASSWORD): Promise<boolean> =>
      logins.check({ source: 'campus', key: 'k', dn: `uid=hanako,${SUFFIX}` }, password)
    assert.equal(await check(), true)
    const before = await slapd.mark()
    slapd.pause()
    try {
      await assert.rejects(check(), (thrown) => isFault(thrown, 'timeout'))
      const many = await Promise.allSettled(Array.from({ length: 50 }, () => check()))
      assert.deepEqual(new Set(many.map(({ status }) => status)), new Set(['rejected']))
    } finally {
      slapd.resume()
    }
    // Each of the two who waited asks a second time beside, over a connection of its own.
    const told = await slapd.since(before)
    const passwords = told.match(/BIND dn="[^"]*" method=128/g) ?? []
    assert.ok(passwords.length <= 4, `${passwords.length} of 51 were asked about`)
  })
})
