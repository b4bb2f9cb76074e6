import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission } from './admission.ts'
import type { Admitted } from './admission.ts'

/** An admission whose connections are known by names; `ended` are those that gave way. */
function door(connectionsMax: number, connectionsPerIpMax: number) {
  const admission = new Admission()
  const ended: string[] = []
  const admit = (name: string, ip: string): Admitted | undefined =>
    admission.admit(ip, { connectionsMax, connectionsPerIpMax }, () => void ended.push(name))
  return { ended, admit }
}

test('who has logged in gives way to nobody; beyond the limit newcomers are refused', () => {
  const { ended, admit } = door(100, 2)
  admit('a', '192.0.2.1')!.loggedIn()
  const b = admit('b', '192.0.2.1')!
  b.loggedIn()
  assert.equal(admit('c', '192.0.2.1'), undefined)
  admit('d', '192.0.2.2')!.loggedIn()
  b.leave()
  b.leave()
  admit('e', '192.0.2.1')!.loggedIn()
  assert.equal(admit('f', '192.0.2.1'), undefined, 'who left twice has left once')
  assert.deepEqual(ended, [])
})

test('of one network half may be strangers, and the oldest of them gives way', () => {
  const { ended, admit } = door(100, 4)
  for (const name of ['a', 'b', 'c']) assert.ok(admit(name, '2001:db8::1') !== undefined)
  assert.deepEqual(ended, ['a'])
  admit('d', '2001:db8::ffff:2')!.loggedIn()
  admit('e', '2001:db8:0:0:5::1')
  admit('elsewhere', '2001:db8:0:1::1')
  assert.deepEqual(ended, ['a', 'b'], 'a /64 is one network')
  admit('f', '2001:db8::3')!.loggedIn()
  admit('g', '2001:db8::4')!.loggedIn()
  assert.deepEqual(ended, ['a', 'b', 'c'])
  admit('h', '2001:db8::5')!.loggedIn()
  assert.equal(admit('i', '2001:db8::6'), undefined)
})

test('floods of half-open logins from one and from many addresses keep nobody out', () => {
  const { ended, admit } = door(1_000, 100)
  const person = admit('花子', '198.51.100.7')!
  for (let n = 0; n < 10_000; n++) admit(`one ${n}`, '203.0.113.9')
  assert.equal(ended.length, 9_950, 'an attacker has taken half of one address')
  for (let n = 0; n < 10_000; n++) admit(`many ${n}`, `192.0.${n % 250}.9`)
  assert.equal(ended.length, 19_501, 'all of them half of all')
  assert.ok(!ended.includes('花子'), 'who has one gives way last')
  person.loggedIn()
  const late = admit('太郎', '198.51.100.8')
  assert.ok(late !== undefined)
  late.loggedIn()
  assert.ok(!ended.includes('太郎'))
})

test('who logs out is a stranger again, the youngest of them', () => {
  const { ended, admit } = door(100, 4)
  const a = admit('a', '192.0.2.1')!
  a.loggedIn()
  admit('b', '192.0.2.1')
  a.loggedOut()
  admit('c', '192.0.2.1')
  admit('d', '192.0.2.1')
  assert.deepEqual(ended, ['b', 'a'])
  a.loggedOut()
  admit('e', '192.0.2.1')
  assert.deepEqual(ended, ['b', 'a', 'c'], 'what has ended does not come back')
})
