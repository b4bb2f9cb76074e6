import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ENTERPRISE_USER, USER } from '#codec/scim/user-schema.ts'
import { GROUP, WATARI_GROUP } from '#codec/scim/group-schema.ts'
import { patchOf, ScimClient } from '#test/fake/scim-client.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { copiesOf, imap } from './mail.ts'
import { sendBy } from './wire.ts'

const PASSWORD = '渡り&"鳥" 1'

/** What identity providers send, written from RFC 7644 and what they publish, in the order that they send it. */
describe('identity providers by SCIM', () => {
  let watari: Installation
  let cli: CommandLine
  let scim: ScimClient
  let api: ScimClient

  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    cli = commandLine(watari)
    const at = { token: watari.firstRun.apiToken, ca: watari.ca }
    const door = `https://localhost:${watari.port(443)}`
    scim = new ScimClient({ base: `${door}/scim/v2`, ...at })
    api = new ScimClient({ base: `${door}/api/v1`, ...at })
    await cli.run(['access', 'add', '127.0.0.1'])
  })
  after(async () => {
    scim.close()
    api.close()
    await watari.remove()
  })

  const asked = (endpoint: string, filter: string, more = ''): string =>
    `${endpoint}?filter=${encodeURIComponent(filter)}${more}`
  const mailed = async (to: string, id: string): Promise<string> => {
    const content = `From: <a@other.example>\r\nTo: <${to}>\r\nMessage-ID: ${id}\r\nSubject: =?utf-8?B?5Lya6K2w?=\r\n\r\n会議\r\n`
    const way = { port: watari.port(26), ca: watari.ca }
    return sendBy(way, { from: 'a@other.example', to, content })
  }
  const arrived = async (login: string, password: string, id: string): Promise<void> => {
    const client = await imap(watari, login, password)
    try {
      await until(`${login} has ${id}`, async () => (await copiesOf(client, id)).length === 1)
    } finally {
      await client.logout()
    }
  }
  const mayLogIn = async (login: string, password: string): Promise<boolean> => {
    try {
      await (await imap(watari, login, password)).logout()
      return true
    } catch {
      return false
    }
  }

  it('Entra ID: tests the connection, makes, changes, disables and deletes people and groups', async () => {
    const guid = '2819c223-7f76-453a-919d-413861904646'
    const nobody = await scim.took(200, 'GET', asked('/Users', `userName eq "${guid}"`))
    assert.deepEqual([nobody.totalResults, nobody.Resources], [0, []])
    assert.equal((await scim.took(200, 'GET', '/Schemas')).totalResults, 5)

    // First cycle: who is not there is made.
    const upn = 'kaori@campus.example'
    await scim.took(200, 'GET', asked('/Users', `externalId eq "${guid}"`))
    const made = await scim.took(201, 'POST', '/Users', {
      schemas: [USER, ENTERPRISE_USER],
      externalId: guid,
      userName: upn,
      active: true,
      displayName: '﨑山 香',
      emails: [{ primary: true, type: 'work', value: upn }],
      phoneNumbers: [{ type: 'work', value: '03-0000-0000' }],
      addresses: [{ type: 'work', formatted: '東京都' }],
      meta: { resourceType: 'User' },
      name: { formatted: '﨑山 香', familyName: '﨑山', givenName: '香' },
      roles: [],
      title: '主任',
      [ENTERPRISE_USER]: { department: '情報基盤センター', employeeNumber: '0042' },
    })
    assert.equal(made.displayName, '﨑山 香')
    const person = `/Users/${made.id}`
    assert.equal((await scim.took(200, 'GET', person)).externalId, guid)
    await scim.took(409, 'POST', '/Users', { schemas: [USER], userName: upn })

    // Later cycles: what has changed.
    const changed = await scim.took(
      200,
      'PATCH',
      person,
      patchOf(
        { op: 'Replace', path: 'displayName', value: '髙橋 香' },
        { op: 'Replace', path: 'name.familyName', value: '髙橋' },
        { op: 'Add', path: 'emails[type eq "work"].value', value: 'takahashi@campus.example' },
        { op: 'Add', path: `${ENTERPRISE_USER}:manager`, value: made.id },
        { op: 'Replace', path: 'phoneNumbers[type eq "mobile"].value', value: '090-0000-0000' },
        { op: 'Remove', path: 'title' },
      ),
    )
    assert.deepEqual(
      [changed.displayName, changed.name.familyName, changed.title],
      ['髙橋 香', '髙橋', undefined],
    )
    assert.deepEqual(
      changed.emails.map(({ value, type }: { value: string; type: string }) => [value, type]),
      [
        ['takahashi@campus.example', 'work'],
        ['kaori@campus.example', 'other'],
      ],
    )
    assert.equal(changed[ENTERPRISE_USER].manager.displayName, '髙橋 香')
    const work = 'emails[type eq "work"].value eq "takahashi@campus.example"'
    assert.equal((await scim.took(200, 'GET', asked('/Users', work))).totalResults, 1)

    // A group: looked for without members, made, filled; mail to it arrives.
    const name = '﨑山研究室'
    const without = '&excludedAttributes=members'
    const none = await scim.took(200, 'GET', asked('/Groups', `displayName eq "${name}"`, without))
    assert.equal(none.totalResults, 0)
    const group = await scim.took(201, 'POST', '/Groups', {
      schemas: [GROUP, WATARI_GROUP],
      externalId: '60f1bb27-2e1e-402d-bcc4-ec999564a194',
      displayName: name,
      [WATARI_GROUP]: { address: 'sakiyama-lab' },
      members: [],
      meta: { resourceType: 'Group' },
    })
    const place = `/Groups/${encodeURIComponent(group.id)}`
    assert.match(await mailed('sakiyama-lab@campus.example', '<empty@x>'), /^550 /)
    const members = [{ value: made.id }]
    await scim.took(204, 'PATCH', place, patchOf({ op: 'Add', path: 'members', value: members }))
    await scim.took(200, 'PATCH', person, patchOf({ op: 'Add', path: 'password', value: PASSWORD }))
    assert.match(await mailed('sakiyama-lab@campus.example', '<lab@x>'), /^250 /)
    await arrived('kaori', PASSWORD, '<lab@x>')
    assert.equal(
      'members' in (await scim.took(200, 'GET', `${place}?excludedAttributes=members`)),
      false,
    )
    await scim.took(204, 'PATCH', place, patchOf({ op: 'Remove', path: 'members', value: members }))
    await scim.took(204, 'DELETE', place)

    // Leaves: disabled, later deleted for good.
    await scim.took(
      200,
      'PATCH',
      person,
      patchOf({ op: 'Replace', path: 'active', value: 'False' }),
    )
    assert.equal(await mayLogIn('kaori', PASSWORD), false)
    await scim.took(204, 'DELETE', person)
    await scim.took(404, 'GET', person)
  })

  it('Okta: imports, makes with a password, replaces by PUT, deactivates; pushes groups', async () => {
    const first = await scim.took(200, 'GET', '/Users?startIndex=1&count=2')
    assert.deepEqual([first.itemsPerPage, first.totalResults], [2, 3])
    await scim.took(200, 'GET', '/Groups?startIndex=1&count=100')

    const login = 'jiro@campus.example'
    await scim.took(
      200,
      'GET',
      asked('/Users', `userName eq "${login}"`, '&startIndex=1&count=100'),
    )
    const body = {
      schemas: [USER],
      userName: login,
      name: { givenName: '次郎', familyName: '渡辺' },
      emails: [{ primary: true, value: login, type: 'work' }],
      displayName: '渡辺 次郎',
      locale: 'ja-JP',
      externalId: '00ujl29u0le5T6Aj10h7',
      groups: [],
      active: true,
    }
    const made = await scim.took(201, 'POST', '/Users', { ...body, password: PASSWORD })
    assert.equal(await mayLogIn('jiro', PASSWORD), true)
    const person = `/Users/${made.id}`
    const got = await scim.took(200, 'GET', person)
    const put = await scim.took(200, 'PUT', person, {
      ...got,
      displayName: '渡邊 次郎',
      name: { ...got.name, familyName: '渡邊' },
      password: `${PASSWORD}2`,
    })
    assert.deepEqual([put.displayName, put.name.familyName], ['渡邊 次郎', '渡邊'])
    assert.equal(await mayLogIn('jiro', PASSWORD), false)
    assert.equal(await mayLogIn('jiro', `${PASSWORD}2`), true)

    const group = await scim.took(201, 'POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Test SCIMv2',
      members: [],
    })
    const place = `/Groups/${encodeURIComponent(group.id)}`
    await scim.took(
      204,
      'PATCH',
      place,
      patchOf(
        { op: 'replace', value: { id: group.id, displayName: '試験' } },
        { op: 'add', path: 'members', value: [{ value: made.id, display: login }] },
      ),
    )
    const { members, displayName } = await scim.took(200, 'GET', place)
    assert.deepEqual([displayName, members.length], ['試験', 1])
    const { groups } = await scim.took(200, 'GET', person)
    assert.deepEqual([groups[0].value, groups[0].display], [group.id, '試験'])
    const removal = patchOf({ op: 'remove', path: `members[value eq "${made.id}"]` })
    await scim.took(204, 'PATCH', place, removal)

    const off = patchOf({ op: 'replace', value: { active: false } })
    assert.equal((await scim.took(200, 'PATCH', person, off)).active, false)
    assert.equal(await mayLogIn('jiro', `${PASSWORD}2`), false)
    assert.match(await cli.run(['user', 'show', 'jiro']), /渡邊 次郎/)
  })

  it('Keycloak and scripts: bare user names, many at once, each change with who and from where', async () => {
    const users = ['umi', 'sora', 'kaze'].map((userName, index) => ({
      method: 'POST',
      path: '/Users',
      bulkId: userName,
      data: { schemas: [USER], userName, displayName: ['海', '空', '風'][index], active: true },
    }))
    const group = {
      method: 'POST',
      path: '/Groups',
      bulkId: 'g',
      data: {
        schemas: [GROUP],
        displayName: 'shizen',
        members: users.map(({ bulkId }) => ({ value: `bulkId:${bulkId}` })),
      },
    }
    const { Operations: done } = await scim.took(200, 'POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      failOnErrors: 1,
      Operations: [group, ...users],
    })
    assert.deepEqual(
      done.map(({ status }: { status: string }) => status),
      ['201', '201', '201', '201'],
    )
    const found = await scim.took(200, 'POST', '/Users/.search', {
      filter: 'userName eq "umi" or (displayName co "空" and active eq true)',
      sortBy: 'userName',
      attributes: ['userName'],
    })
    assert.deepEqual(
      found.Resources.map(({ userName }: { userName: string }) => userName),
      ['sora@campus.example', 'umi@campus.example'],
    )
    const history = await api.ask('GET', '/directory/history?limit=4')
    const { items } = history.body as { items: { key: string; who: string; from: string }[] }
    assert.deepEqual(
      items.map(({ key, who, from }) => [key.split(':')[0], who, from]),
      [
        ['alias', 'admin', 'scim 127.0.0.1'],
        ['account', 'admin', 'scim 127.0.0.1'],
        ['account', 'admin', 'scim 127.0.0.1'],
        ['account', 'admin', 'scim 127.0.0.1'],
      ],
    )
  })
})
