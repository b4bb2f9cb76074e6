import assert from 'node:assert/strict'
import { it } from 'node:test'

import { MailClient } from './client.ts'

/** Answers as a server whose logins are numbered: a request of an earlier one is refused. */
function server() {
  const logins = { last: 0 }
  const held: (() => void)[] = []
  const fetchOf = async (path: string, init: RequestInit): Promise<Response> => {
    if (path === '/auth/login')
      return Response.json({ accountId: 'A1', csrfToken: String(++logins.last) })
    const isPast = new Headers(init.headers).get('x-csrf-token') !== String(logins.last)
    if (isPast) await new Promise<void>((resolve) => held.push(resolve))
    return isPast
      ? new Response(null, { status: 401 })
      : Response.json({ methodResponses: [['Core/echo', { 名: '渡り' }, '0']] })
  }
  return { logins, held, fetchOf }
}

it('asks again what an earlier login was refused, and keeps the login that is there now', async (t) => {
  const { logins, held, fetchOf } = server()
  t.mock.method(globalThis, 'fetch', fetchOf)
  const client = new MailClient()
  const expired = t.mock.fn()
  client.onExpired(expired)
  await client.login('hanako', 'かな')
  logins.last++ // the login has ended, and nobody knows
  const answer = client.call('Core/echo', {})
  await client.login('hanako', 'かな')
  for (const answerLate of held) answerLate()
  assert.deepEqual(await answer, { 名: '渡り' })
  assert.equal(expired.mock.callCount(), 0)
})

it('tells of an end of the login that is there now', async (t) => {
  const { logins, held, fetchOf } = server()
  t.mock.method(globalThis, 'fetch', fetchOf)
  const client = new MailClient()
  const expired = t.mock.fn()
  client.onExpired(expired)
  await client.login('hanako', 'かな')
  logins.last++
  const answer = client.call('Core/echo', {})
  for (const answerNow of held) answerNow()
  await assert.rejects(answer, { kind: 'expired' })
  assert.equal(expired.mock.callCount(), 1)
})
