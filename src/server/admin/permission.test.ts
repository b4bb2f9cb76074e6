import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fastify from 'fastify'
import { ROLES } from '#model/role.ts'
import type { Role } from '#model/role.ts'
import { adminApi, tokenOf } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'
import { refuseUndeclared } from './permission.ts'

const LETTERS: Readonly<Record<string, Role>> = {
  A: 'administrator',
  M: 'directory-manager',
  H: 'help-desk',
  R: 'auditor',
  U: 'user',
}

/** Who may ask what; `*`: whoever comes. An operation without a row here fails the test. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'GET /status': 'AMHR',
  'GET /overview': 'AMHR',
  'GET /nodes': 'AMHR',
  'POST /nodes/tokens': 'A',
  'PUT /nodes/{name}/draining': 'A',
  'DELETE /nodes/{name}': 'A',
  'GET /domains': 'AMHR',
  'POST /domains': 'A',
  'PUT /domains/{name}': 'A',
  'DELETE /domains/{name}': 'A',
  'GET /tokens': 'A',
  'POST /tokens': 'A',
  'GET /tokens/history': 'AMR',
  'DELETE /tokens/{name}': 'A',
  'GET /dkim': 'AMHR',
  'GET /dkim/{domain}': 'AMHR',
  'POST /dkim/{domain}': 'A',
  'POST /dkim/{domain}/check': 'A',
  'POST /dkim/{domain}/activate': 'A',
  'POST /dkim/{domain}/rotate': 'A',
  'POST /dkim/{domain}/retire': 'A',
  'GET /directory/history': 'AMR',
  'GET /users': 'AMHR',
  'GET /directory/user-ids': 'AMHR',
  'GET /directory/user-places': 'AMHR',
  'POST /users': 'AM',
  'GET /users/{user}': 'AMHR',
  'PATCH /users/{user}': 'AMH',
  'DELETE /users/{user}': 'AM',
  'POST /users/{user}/password': 'AMH',
  'GET /users/{user}/app-passwords': 'AMHR',
  'POST /users/{user}/app-passwords': 'AM',
  'DELETE /users/{user}/app-passwords/{id}': 'AMH',
  'GET /users/{user}/choices': 'AMHR',
  'PATCH /users/{user}/choices': 'AM',
  'POST /users/{user}/rename': 'AM',
  'POST /users/{user}/restore': 'AM',
  'DELETE /former-addresses/{address}': 'AM',
  'POST /users/bulk': 'AM',
  'POST /users/bulk/undo': 'AM',
  'GET /directory/plans': 'AMHR',
  'POST /directory/plans': 'AM',
  'GET /directory/plans/{id}': 'AMHR',
  'DELETE /directory/plans/{id}': 'AM',
  'GET /directory/upkeep': 'AMHR',
  'POST /directory/upkeep': 'AM',
  'GET /aliases': 'AMHR',
  'POST /aliases': 'AM',
  'PUT /aliases/{from}': 'AM',
  'DELETE /aliases/{from}': 'AM',
  'GET /lists': 'AMHR',
  'POST /lists': 'AM',
  'GET /lists/{list}': 'AMHR',
  'PATCH /lists/{list}': 'AM',
  'DELETE /lists/{list}': 'AM',
  'POST /lists/{list}/restore': 'AM',
  'GET /lists/{list}/history': 'AMHR',
  'POST /lists/{list}/undo': 'AM',
  'GET /lists/{list}/filters/sources': 'AM',
  'POST /lists/{list}/filters/look': 'AM',
  'GET /lists/{list}/members': 'AMHR',
  'POST /lists/{list}/members': 'AM',
  'POST /lists/{list}/members/import': 'AM',
  'POST /lists/{list}/members/change': 'AM',
  'POST /lists/{list}/members/remove': 'AM',
  'GET /lists/{list}/members.csv': 'AMHR',
  'GET /lists/{list}/recipients': 'AMHR',
  'GET /users/{user}/lists': 'AMHR',
  'GET /me/lists': '*',
  'GET /me/lists/open': '*',
  'POST /me/lists/join': '*',
  'POST /me/lists/leave': '*',
  'POST /me/lists/delivery': '*',
  'GET /forwards': 'AMHR',
  'PUT /users/{user}/forward': 'AM',
  'DELETE /users/{user}/forward': 'AM',
  'POST /directory/import': 'AM',
  'POST /directory/import/read': 'AM',
  'POST /lists/import': 'AM',
  'GET /directory/export': 'AMHR',
  'GET /directory/sources': 'AMR',
  'GET /directory/sources/{name}': 'AMR',
  'PUT /directory/sources/{name}': 'AM',
  'DELETE /directory/sources/{name}': 'AM',
  'POST /directory/sources/{name}/read': 'AM',
  'POST /directory/sources/{name}/test': 'AM',
  'GET /directory/overlaps': 'AMR',
  'GET /directory/home': 'AMR',
  'GET /directory/home/servers': 'AMR',
  'PUT /directory/home': 'A',
  'DELETE /directory/home': 'A',
  'POST /directory/home/accept': 'A',
  'GET /directory/explain/{address}': 'AMHR',
  'GET /routes': 'AMHR',
  'PUT /routes/{match}': 'A',
  'DELETE /routes/{match}': 'A',
  'GET /access': 'AR',
  'POST /access': 'A',
  'GET /queue': 'AHR',
  'GET /queue/news': 'AHR',
  'GET /queue/{queueId}': 'AHR',
  'POST /queue/{queueId}/{act}': 'A',
  'GET /trace': 'AHR',
  'POST /scan': 'AH',
  'POST /spam/score': 'AH',
  'POST /sieve/check': 'AH',
  'POST /sieve/test': 'AH',
  'GET /users/{user}/scripts': 'AMHR',
  'POST /users/{user}/scripts/import': 'A',
  'GET /users/{user}/scripts/{name}': 'A',
  'PUT /users/{user}/scripts/{name}': 'A',
  'DELETE /users/{user}/scripts/{name}': 'A',
  'PUT /users/{user}/scripts/{name}/name': 'A',
  'PUT /users/{user}/active-script': 'A',
  'GET /mailboxes/damaged': 'AMHR',
  'POST /mailboxes/expire': 'A',
  'GET /users/{user}/mailboxes': 'AMHR',
  'PUT /users/{user}/mailboxes/{mailbox}/retention': 'A',
  'POST /users/{user}/recount': 'A',
  'GET /users/{user}/expunged': 'A',
  'POST /users/{user}/undelete': 'AH',
  'GET /users/{user}/mailboxes/{mailbox}/acl': 'AMHR',
  'PUT /users/{user}/mailboxes/{mailbox}/acl/{who}': 'A',
  'DELETE /users/{user}/mailboxes/{mailbox}/acl/{who}': 'A',
  'GET /lists/{list}/posts': 'A',
  'GET /lists/{list}/posts/{n}': 'A',
  'GET /lists/{list}/posts/{n}/recipients': 'AHR',
  'POST /lists/{list}/posts/withdraw': 'A',
  'GET /lists/{list}/held': 'A',
  'POST /lists/{list}/held/approve': 'A',
  'GET /lists/{list}/held/{n}': 'A',
  'POST /lists/{list}/held/reject': 'A',
  'POST /lists/{list}/held/discard': 'A',
  'POST /lists/{list}/held/restore': 'A',
  'GET /lists/{list}/aside': 'AHR',
  'POST /lists/{list}/aside/retry': 'A',
  'POST /lists/{list}/aside/drop': 'A',
  'GET /lists/{list}/bounces': 'AHR',
  'POST /lists/{list}/bounces/resume': 'A',
  'GET /search': 'AMHR',
  'POST /users/{user}/search/rebuild': 'A',
  'GET /settings': 'AR',
  'GET /settings/{key}': 'AR',
  'PUT /settings/{key}': 'A',
  'PATCH /settings': 'A',
  'POST /settings/rollback': 'A',
  'GET /settings/draft': 'AR',
  'PATCH /settings/draft': 'A',
  'DELETE /settings/draft': 'A',
  'POST /settings/apply': 'A',
  'GET /settings/diff': 'AR',
  'GET /settings/history': 'AR',
  'GET /settings/history/{generation}': 'AR',
  'POST /session': '*',
  'GET /session': '*',
  'DELETE /session': 'AMHRU',
}

const PASSWORD = 'パスワード&1'

let api: AdminApi
let asked: (readonly [method: string, path: string, row: string])[] = []

const of = (role: Role) => ({ authorization: `Bearer ${tokenOf(role)}` })
const accountOf = (role: Role): string => `${role}-1`

describe('roles', () => {
  before(async () => {
    api = await adminApi()
    await api.ask('POST', '/domains', { name: 'campus.example' })
    for (const role of ROLES)
      for (const address of [accountOf(role), `${role}-2`]) {
        const made = await api.ask('POST', '/users', { address, role, password: PASSWORD })
        assert.deepEqual([made.status, made.body.role], [201, role])
      }
    const described = (await (await fetch(`${api.base}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>
    }
    asked = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => {
        const row = `${method.toUpperCase()} ${path}`
        // Nobody and nothing of that name is there: whoever may ask is told that, and changes nothing.
        return [method.toUpperCase(), path.replaceAll(/\{[^}]+\}/g, '居ない'), row] as const
      }),
    )
  })
  after(() => api.end())

  test('each operation that the API describes has its row in the table, and no other has', () => {
    assert.deepEqual(asked.map(([, , row]) => row).toSorted(), Object.keys(OPERATIONS).toSorted())
  })

  test('each operation is refused to each role that may not, by token and by session, and to no other', async () => {
    const wrong: string[] = []
    let requests = 0
    const look = async (role: Role, headers: Readonly<Record<string, string>>) => {
      for (const [method, path, row] of asked) {
        if (row === 'DELETE /session') continue
        const letters = OPERATIONS[row] ?? ''
        const isAllowed =
          letters === '*' ||
          Object.entries(LETTERS).some(([letter, of]) => of === role && letters.includes(letter))
        const isBare = method === 'GET' || method === 'DELETE'
        const { status, body } = await api.ask(method, path, isBare ? undefined : {}, headers)
        requests++
        const isRefused = status === 403 && body.error.code === 'forbidden'
        if (isRefused === isAllowed) wrong.push(`${role}: ${row} → ${status}`)
        if (status === 401 && letters !== '*') wrong.push(`${role}: ${row} → 401`)
      }
    }
    for (const role of ROLES) await look(role, of(role))
    for (const role of ROLES)
      if (role !== 'user') await look(role, await api.login(accountOf(role), PASSWORD))
    assert.deepEqual(wrong, [])
    assert.equal(requests, (asked.length - 1) * (2 * ROLES.length - 1))
  })

  test('a session tells its role and what that may do; a user gets none', async () => {
    for (const role of ROLES) {
      const { status, body } = await api.ask('POST', '/session', {
        username: accountOf(role),
        password: PASSWORD,
      })
      if (role === 'user') assert.deepEqual([status, body.error.code], [403, 'forbidden'])
      else assert.deepEqual([status, body.role], [201, role])
      assert.equal(body.permissions?.includes('settings.write') === true, role === 'administrator')
    }
  })

  test('only an administrator changes, makes, or removes who has a role', async () => {
    for (const role of ['directory-manager', 'help-desk'] as const)
      for (const other of ROLES) {
        const path = `/users/${other}-2`
        const isUser = other === 'user'
        const statuses = []
        for (const [method, to, body] of [
          ['PATCH', path, { disabled: true }],
          ['PATCH', path, { disabled: false }],
          ['POST', `${path}/password`, { password: 'あたらしい' }],
          ...(role === 'help-desk'
            ? []
            : ([
                ['PATCH', path, { name: '山田' }],
                ['PUT', `${path}/forward`, { to: ['x@example.org'], keep: true }],
                ['DELETE', `${path}/forward`, undefined],
              ] as const)),
        ] as const)
          statuses.push((await api.ask(method, to, body, of(role))).status)
        const missing = other === 'user' ? 200 : 404
        const wanted = [403, 403, 403, ...(role === 'help-desk' ? [] : [403, 403, missing])]
        assert.deepEqual(statuses, isUser ? wanted.map(() => 200) : wanted, `${role} ${other}`)
      }
    const manager = of('directory-manager')
    for (const body of [{ role: 'auditor' }, { admin: true }, { role: 'administrator' }]) {
      const made = { address: 'new', password: PASSWORD, ...body }
      assert.equal((await api.ask('POST', '/users', made, manager)).status, 403)
      assert.equal((await api.ask('PATCH', '/users/user-2', body, manager)).status, 403)
      assert.equal(
        (await api.ask('PATCH', '/users/directory-manager-1', body, manager)).status,
        403,
      )
    }
    assert.equal((await api.ask('DELETE', '/users/auditor-2', undefined, manager)).status, 403)
    assert.equal((await api.ask('GET', '/users/new')).status, 404)
    const helped = await api.ask('PATCH', '/users/user-2', { name: '花子' }, of('help-desk'))
    assert.equal(helped.status, 403)
    assert.match(helped.body.error.remedy, /--role/)
  })

  test('only an administrator lends the name of who has a role', async () => {
    const lend = async (role: Role, ...names: readonly string[]) => {
      const delegated = names.map((name) => `${name}@campus.example`)
      return (await api.ask('PATCH', '/users/user-2', { delegated }, of(role))).status
    }
    const manager = 'directory-manager'
    assert.equal(await lend(manager, 'user-1'), 200)
    assert.equal(await lend(manager, 'user-1', 'administrator-2'), 403)
    const made = { address: 'new', password: PASSWORD, delegated: ['auditor-2@campus.example'] }
    assert.equal((await api.ask('POST', '/users', made, of(manager))).status, 403)
    assert.equal(await lend('administrator', 'administrator-2'), 200)
    // What an administrator has lent is no bar to other changes, nor to its end.
    assert.equal(await lend(manager, 'administrator-2', 'user-1'), 200)
    assert.equal(await lend(manager), 200)
  })

  test('an import takes nothing of who has a role, and gives none', async () => {
    const person = (username: string) => ({
      source: username,
      username,
      name: '書き換え',
      addresses: [],
    })
    const people = ['administrator-2', 'auditor-2', 'user-2'].map(person)
    const ask = { people, groups: [], dryRun: false, replacePasswords: true }
    const { body } = await api.ask('POST', '/directory/import', ask, of('directory-manager'))
    assert.deepEqual(
      body.rows.map(({ outcome }: { outcome: string }) => outcome),
      ['refused', 'refused', 'changed'],
    )
    assert.equal((await api.ask('GET', '/users/administrator-2')).body.name, undefined)
  })

  test('scripts come with people by who may write those of others, each with what became of it', async () => {
    const scripts = [
      { name: 'Zimbra', text: 'require "fileinto"; fileinto "/Inbox/会議";', active: true },
      { name: '壊れた', text: 'no', active: true },
    ]
    const people = ['user-2', 'jiro'].map((username) => ({
      source: username,
      username,
      addresses: [],
      scripts,
    }))
    const rowsOf = async (role: Role, dryRun: boolean) => {
      const ask = { people, groups: [], dryRun, replacePasswords: false }
      const { status, body } = await api.ask('POST', '/directory/import', ask, of(role))
      assert.equal(status, 200)
      return (body.rows as { outcome: string; notes: string[] }[]).map(({ outcome, notes }) => ({
        outcome,
        notes: notes.join(' | '),
      }))
    }
    const [, refused] = await rowsOf('directory-manager', true)
    assert.deepEqual(refused, {
      outcome: 'added',
      notes: 'scripts: only an administrator writes those of others',
    })
    const [ahead, isNew] = await rowsOf('administrator', true)
    assert.equal(ahead?.outcome, 'changed')
    // Nobody's store is asked about who is not there yet.
    assert.match(isNew?.notes ?? '', /Zimbra: stored, it filters/)
    assert.match(isNew?.notes ?? '', /line 1: \/Inbox\/会議 is now INBOX\/会議/)
    assert.match(isNew?.notes ?? '', /壊れた: kept, switched off \(.*no.*\)/)
    const done = await rowsOf('administrator', false)
    assert.deepEqual(
      done.map(({ outcome }) => outcome),
      ['changed', 'added'],
    )
    assert.match(api.acts.at(-1) ?? '', /^administrator/)
  })

  test('who is bound elsewhere and has a role keeps sources for administrators alone', async () => {
    const source = { urls: ['ldaps://127.0.0.1:1'], base: 'dc=campus,dc=example' }
    const put = (role: Role) => api.ask('PUT', '/directory/sources/other', source, of(role))
    assert.equal((await put('directory-manager')).status, 200)
    const account = api.directory.directory.byLogin('auditor-2')!
    const { credential: _, scram: __, ...rest } = account
    const origin = { source: 'other', key: 'entryUUID=1', dn: 'uid=auditor-2' }
    await api.directory.write(
      [
        {
          kind: 'put',
          row: { kind: 'account', account: { ...rest, origins: [origin], bind: origin } },
        },
      ],
      { who: 'test', from: 'test' },
    )
    assert.equal((await put('directory-manager')).status, 403)
    assert.equal((await put('administrator')).status, 200)
    const removed = await api.ask(
      'DELETE',
      '/directory/sources/other',
      undefined,
      of('directory-manager'),
    )
    assert.equal(removed.status, 403)
  })

  test('a role taken away ends what its session may do at once', async () => {
    const headers = await api.login('help-desk-1', PASSWORD)
    assert.equal((await api.ask('GET', '/users', undefined, headers)).status, 200)
    await api.ask('PATCH', '/users/help-desk-1', { role: 'auditor' })
    const change = await api.ask('PATCH', '/users/user-2', { disabled: true }, headers)
    assert.equal(change.status, 403)
    assert.equal((await api.ask('GET', '/settings', undefined, headers)).status, 200)
    await api.ask('PATCH', '/users/help-desk-1', { role: 'user' })
    assert.equal((await api.ask('GET', '/users', undefined, headers)).status, 401)
  })

  test('admin and role are two words of one thing; who contradicts himself is refused', async () => {
    const patch = async (body: object) => {
      const { status, body: found } = await api.ask('PATCH', '/users/user-1', body)
      return [status, found.admin, found.role]
    }
    assert.deepEqual(await patch({ admin: true }), [200, true, 'administrator'])
    assert.deepEqual(await patch({ role: 'auditor' }), [200, false, 'auditor'])
    assert.deepEqual(await patch({ admin: false }), [200, false, 'auditor'])
    assert.deepEqual(await patch({ name: '山田 花子' }), [200, false, 'auditor'])
    assert.deepEqual(await patch({ role: 'administrator' }), [200, true, 'administrator'])
    assert.deepEqual(await patch({ admin: false }), [200, false, 'user'])
    assert.equal((await patch({ admin: true, role: 'auditor' }))[0], 400)
    assert.equal((await patch({ role: '神' }))[0], 400)
    const { items } = (await api.ask('GET', '/directory/history?limit=3')).body
    assert.deepEqual(
      [items[0].before.account.admin, items[0].after.account.admin, items[0].who],
      [true, false, 'admin'],
    )
  })

  test('a route that declares nothing is not let in', async () => {
    const app = fastify()
    app.addHook('onRoute', refuseUndeclared)
    assert.throws(() => app.get('/open', async () => ({})), /GET \/open declares no permission/)
    await app.close()
  })
})
