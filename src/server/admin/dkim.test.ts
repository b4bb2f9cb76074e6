import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

interface Key {
  readonly selector: string
  readonly algorithm: string
  readonly state: string
  readonly found?: string
  readonly publishUntil?: string
  readonly record: { readonly name: string; readonly text: string; readonly zone: string }
}

describe('keys of domains', () => {
  let api: AdminApi
  before(async () => {
    api = await adminApi()
    for (const name of ['campus.example', '大学.example'])
      await api.ask('POST', '/domains', { name })
  })
  after(() => api.end())

  const post = async (path: string, body: object = {}) => api.ask('POST', `/dkim/${path}`, body)
  const keys = async (path: string, body: object = {}): Promise<Key[]> => {
    const answer = await post(path, body)
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return answer.body.keys as Key[]
  }
  const states = (all: readonly Key[]): string[] => all.map(({ state }) => state)
  const publish = ({ record }: Key, text = record.text): unknown =>
    api.texts.set(record.name, [text])

  test('made, published, signing: each once the name service has it; rotation leaves the old record for mail on its way', async () => {
    const domain = encodeURIComponent('大学.example')
    const [made] = await keys(domain)
    assert.match(made!.record.name, /^w\d{8}r\._domainkey\.xn--pss25c\.example$/)
    assert.match(made!.record.zone, /^w\S+\. IN TXT "v=DKIM1; k=rsa; p=[^"]{1,240}" "[^"]+"$/)
    const early = await post(`${domain}/activate`)
    assert.equal(early.status, 409)
    assert.match(early.body.error.message, /there is no such record yet/)
    const found = async () => (await keys(`${domain}/check`)).map((key) => key.found)
    assert.deepEqual(await found(), ['missing'])
    publish(made!, made!.record.text.replace(/p=.{8}/, 'p=AAAAAAAA'))
    assert.deepEqual(await found(), ['different'])
    publish(made!, made!.record.text.replace('k=rsa', 't=y; k=rsa'))
    assert.deepEqual(await found(), ['unusable'])
    api.texts.set(made!.record.name, [made!.record.text, 'x'])
    assert.deepEqual(await found(), ['several'])
    api.texts.set(made!.record.name, null)
    assert.deepEqual(await found(), ['unknown'])
    assert.equal((await post(`${domain}/activate`)).status, 503)
    publish(made!)
    assert.deepEqual(states(await keys(`${domain}/check`)), ['published'])
    assert.deepEqual(states(await keys(`${domain}/activate`)), ['signing'])

    const [, next] = await keys(`${domain}/rotate`)
    assert.equal(next?.state, 'made')
    assert.notEqual(next.selector, made!.selector)
    assert.equal((await post(`${domain}/rotate`)).status, 409) // not published yet
    publish(next)
    const rotated = await keys(`${domain}/rotate`)
    assert.deepEqual(states(rotated), ['retired', 'signing'])
    const row = api.directory.directory.domain('大学.example')!
    assert.equal(row.dkim?.[0]?.privateKey, undefined)
    assert.ok(row.dkim?.[1]?.privateKey)

    const selector = made!.selector
    const needed = await post(`${domain}/retire`, { selector })
    assert.match(needed.body.error.message, /is needed until/)
    api.clock.advance(30 * DAY_MS)
    assert.deepEqual(states(await keys(`${domain}/retire`, { selector })), ['signing'])
    assert.equal((await post(`${domain}/activate`, { selector })).status, 404)
  })

  test('Ed25519 stands beside RSA; two of a kind need a word', async () => {
    await Promise.all(
      ['rsa', 'ed25519', 'ed25519'].map((algorithm) => keys('campus.example', { algorithm })),
    )
    const twice = await post('campus.example/activate', { force: true })
    assert.match(twice.body.error.message, /two keys of ed25519 wait/)
    const all = await keys('campus.example')
    assert.equal(all.length, 4)
    const [rsa, ed] = ['rsa', 'ed25519'].map((kind) =>
      all.find(({ algorithm }) => algorithm === kind)!,
    )
    await keys('campus.example/activate', { selector: rsa!.selector, force: true })
    const both = await keys('campus.example/activate', { selector: ed!.selector, force: true })
    assert.equal(states(both).filter((state) => state === 'signing').length, 2)
    assert.match(ed!.record.text, /^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=$/)
  })

  test('no answer, history or change of the domain shows or loses a private key', async () => {
    const secret = (name: string): string[] =>
      (api.directory.directory.domain(name)?.dkim ?? []).flatMap(
        ({ privateKey = [] }) => privateKey,
      )
    const secrets = [...secret('campus.example'), ...secret('大学.example')]
    assert.ok(secrets.length > 3)
    await api.ask('PUT', '/domains/campus.example', { convertTo: null })
    assert.deepEqual([...secret('campus.example'), ...secret('大学.example')], secrets)
    for (const path of [
      '/dkim',
      '/dkim/campus.example',
      '/domains',
      '/directory/history?limit=1000',
    ]) {
      const text = JSON.stringify((await api.ask('GET', path)).body)
      for (const each of secrets) assert.ok(!text.includes(each.slice(0, 40)), path)
      if (path.includes('history')) assert.match(text, /"dkim":\[\{"selector"/)
    }
  })

  test('refusals say what to do', async () => {
    assert.equal((await post('none.example')).status, 404)
    assert.equal((await post('campus.example', { selector: 'あ' })).status, 400)
    assert.equal((await post('campus.example', { algorithm: 'dsa' })).status, 400)
    const [first] = (await api.ask('GET', '/dkim/campus.example')).body.keys as Key[]
    assert.equal((await post('campus.example', { selector: first!.selector })).status, 409)
    assert.equal((await post('campus.example/retire', { selector: 'none' })).status, 404)
    assert.equal((await api.ask('GET', '/dkim?search=campus')).body.items.length, 4)
  })
})
