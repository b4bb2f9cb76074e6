import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { HANAKO, jmapRoom, PASSWORD } from '#test/fake/jmap-room.ts'
import { choosingPeople } from '#test/fake/own-choices.ts'

const VACATION = 'urn:ietf:params:jmap:vacationresponse'

async function room(t: TestContext) {
  const people = await choosingPeople(['hanako', 'taro'])
  t.after(() => people.end())
  const jmap = await jmapRoom(t, { choices: people.book })
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<any> => {
    const [answer] = await jmap.request(
      [[name, { accountId: HANAKO.id, ...args }, '0']],
      ['urn:ietf:params:jmap:core', VACATION],
    )
    return answer![0] === 'error' ? answer![1]['type'] : answer![1]
  }
  const set = (patch: Record<string, unknown>) =>
    call('VacationResponse/set', { update: { singleton: patch } })
  return { people, jmap, call, set }
}

describe('VacationResponse (RFC 8621 §8)', () => {
  it('is there once, off, before anybody has said anything', async (t) => {
    const { call } = await room(t)
    const got = await call('VacationResponse/get', { ids: ['singleton', 'other'] })
    assert.deepEqual(got.notFound, ['other'])
    assert.deepEqual(got.list, [
      {
        id: 'singleton',
        isEnabled: false,
        fromDate: null,
        toDate: null,
        subject: null,
        textBody: null,
        htmlBody: null,
      },
    ])
    assert.equal((await call('VacationResponse/get')).list.length, 1)
  })

  it('is what a page has set, and sets what a page shows', async (t) => {
    const { people, call, set } = await room(t)
    const away = { isOn: true, text: '不在', days: 3, to: 'colleagues' } as const
    await people.act('hanako', { kind: 'set', patch: { vacation: away } })
    const done = await set({
      fromDate: '2026-12-28T15:00:00.000Z',
      toDate: '2027-01-03T15:00:00Z',
      subject: '不在です "休み"',
    })
    assert.deepEqual(done.updated, { singleton: null })
    assert.notEqual(done.oldState, done.newState)
    assert.deepEqual(people.view('hanako').vacation, {
      ...away,
      from: '2026-12-28T15:00:00Z',
      until: '2027-01-03T15:00:00Z',
      subject: '不在です "休み"',
    })
    const got = await call('VacationResponse/get', { properties: ['isEnabled', 'textBody'] })
    assert.deepEqual(got.list, [{ id: 'singleton', isEnabled: true, textBody: '不在' }])
    assert.equal(got.state, done.newState)
    await set({ isEnabled: false, subject: null, textBody: null, fromDate: null, toDate: null })
    const { isOn, subject, text } = people.view('hanako').vacation!
    assert.deepEqual([isOn, subject, text], [false, undefined, ''])
  })

  it('is answered in HTML beside the text, where it has both (§8)', async (t) => {
    const { people, call, set } = await room(t)
    const htmlBody = '<p>不在です。</p><p>戻りは<b>1月4日</b>です。</p>'
    await set({ isEnabled: true, htmlBody })
    const got = await call('VacationResponse/get', { properties: ['htmlBody', 'textBody'] })
    assert.deepEqual(got.list, [{ id: 'singleton', htmlBody, textBody: null }])
    const { script } = people.view('hanako')
    assert.match(script, /vacation :days 7 :mime /)
    await set({ htmlBody: null })
    assert.doesNotMatch(people.view('hanako').script, /:mime/)
  })

  it('is neither made nor destroyed, nor set to what cannot be', async (t) => {
    const { call, set } = await room(t)
    const done = await call('VacationResponse/set', {
      create: { a: { isEnabled: true } },
      destroy: ['singleton'],
      update: { other: { isEnabled: true } },
    })
    assert.equal(done.notCreated.a.type, 'singleton')
    assert.equal(done.notDestroyed.singleton.type, 'singleton')
    assert.equal(done.notUpdated.other.type, 'notFound')
    for (const patch of [
      { isEnabled: 'yes' },
      { subject: 'a\r\nBcc: x@y.example' },
      { fromDate: '2026-12-28' },
      { htmlBody: 7 },
      { htmlBody: 'x'.repeat(10_001) },
      { color: 'red' },
      { fromDate: '2027-01-03T15:00:00Z', toDate: '2026-01-03T15:00:00Z' },
    ])
      assert.equal(
        (await set(patch)).notUpdated.singleton.type,
        'invalidProperties',
        JSON.stringify(patch),
      )
    const stale = { ifInState: '7', update: { singleton: { isEnabled: true } } }
    assert.equal(await call('VacationResponse/set', stale), 'stateMismatch')
  })
})

describe("one's own choices on a page", () => {
  it('are read and changed in a web session, by no program, and with its token alone', async (t) => {
    const { people, jmap } = await room(t)
    assert.equal((await jmap.fetch('/auth/choices')).status, 401)
    assert.equal((await jmap.fetch('/auth/choices', { as: 'hanako' })).status, 403)
    const login = await jmap.fetch('/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'hanako', password: PASSWORD }),
    })
    const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!
    const { csrfToken } = (await login.json()) as { csrfToken: string }
    const post = async (body: unknown, token = csrfToken) => {
      const response = await jmap.fetch('/auth/choices', {
        method: 'POST',
        headers: { cookie, 'x-csrf-token': token, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return [response.status, ((await response.json()) as { end?: string }).end]
    }
    const act = { kind: 'set', patch: { welcome: ['友.example'] } }
    assert.deepEqual(await post(act, 'x'), [403, undefined])
    assert.deepEqual(await post({ kind: 'everything' }), [400, undefined])
    assert.deepEqual(await post({ kind: 'prove', code: 'x'.repeat(1_000) }), [400, undefined])
    assert.deepEqual(await post(act), [200, 'done'])
    assert.deepEqual(people.view('hanako').welcome, ['友.example'])
    const got = await jmap.fetch('/auth/choices', { headers: { cookie } })
    assert.deepEqual(await got.json(), people.view('hanako'))
  })
})
