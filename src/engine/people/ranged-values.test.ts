import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { concatOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { readRequest } from '#codec/ldap/read-request.ts'
import { messageLength } from '#codec/ldap/response.ts'
import { encodeResponse } from '#codec/ldap/write-response.ts'
import type { DirectorySource } from '#model/source.ts'
import { hostsOf, readSource } from './read-source.ts'

const MEMBERS = 3_700
const AT_ONCE = 1_500
const GROUP = 'cn=全員,dc=campus'
const member = (at: number): string => `cn=人${at},dc=campus`

/** As Active Directory tells a group: 1,500 members at once. `skips`: it leaves some out in between. */
async function server(t: TestContext, { skips = 0 } = {}): Promise<DirectorySource> {
  const success = { code: 0, matchedDn: '', message: '', referrals: [] }
  const attribute = (type: string, ...values: readonly string[]) => ({
    type,
    values: values.map(fromUtf8),
  })
  const members = (from: number) => {
    const isLast = from + AT_ONCE >= MEMBERS
    const end = isLast ? MEMBERS : from + AT_ONCE
    const all = Array.from({ length: end - from }, (_, at) => member(from + at))
    const told = from + (from === 0 ? 0 : skips)
    return attribute(`member;range=${told}-${isLast ? '*' : end - 1}`, ...all)
  }
  const answer = (message: Octets): readonly Octets[] => {
    const asked = readRequest(message)
    assert.ok(asked.ok)
    const { id, request } = asked.value
    const entry = (dn: string, ...attributes: readonly ReturnType<typeof attribute>[]) =>
      encodeResponse(id, { op: 'entry', entry: { dn, attributes } }, { op: 'search' })
    const end = (op: 'bind' | 'search') =>
      encodeResponse(id, { op: 'result', result: success }, { op })
    if (request.op === 'bind') return [end('bind')]
    if (request.op !== 'search') return []
    const from = /range=(\d+)-/.exec(request.attributes.join())?.[1]
    if (request.base === '') return [end('search')]
    if (from !== undefined) return [entry(request.base, members(Number(from))), end('search')]
    const group = entry(
      GROUP,
      attribute('objectClass', 'group'),
      attribute('cn', '全員'),
      attribute('proxyAddresses', 'SMTP:all@campus.example'),
      attribute('objectGUID', 'g'),
      attribute('member'),
      members(0),
    )
    return [group, end('search')]
  }
  const listening = createServer((socket) => {
    let came: Octets = new Uint8Array()
    socket.on('error', () => undefined)
    socket.on('data', (octets: Buffer) => {
      came = concatOctets([came, octets])
      for (;;) {
        const length = messageLength(came)
        assert.ok(length.ok)
        if (length.value === undefined || came.length < length.value) return
        socket.write(concatOctets(answer(came.subarray(0, length.value))))
        came = came.subarray(length.value)
      }
    })
    t.after(() => socket.destroy())
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.after(() => listening.close())
  return {
    name: 'ad',
    order: 1,
    servers: [{ host: '127.0.0.1', port: (listening.address() as AddressInfo).port, tls: 'none' }],
    base: 'dc=campus',
    map: 'activeDirectory',
    key: 'objectGUID',
    auth: 'bind',
    groups: true,
  }
}

const groupOf = async (source: DirectorySource) =>
  [...(await readSource(source, hostsOf(source, systemClock))).groups.values()][0]?.group

test('a group that is told piece by piece is read whole, each member once and in order', async (t) => {
  const group = await groupOf(await server(t))
  assert.equal(group?.isCut, undefined)
  assert.equal(group?.members.length, MEMBERS)
  for (const at of [0, 1_499, 1_500, 2_999, 3_000, MEMBERS - 1])
    assert.equal(group.members[at], `dn:${member(at)}`)
})

test('where a piece is missing in between, the group counts as cut', async (t) => {
  const group = await groupOf(await server(t, { skips: 1 }))
  assert.equal(group?.isCut, true)
})
