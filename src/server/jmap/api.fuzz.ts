import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'
import { METHODS } from './methods.ts'

const PATHS = ['/ids', '/list/*/id', '/list/*', '/created/a/id', '', '/', '/x~1y', '/list/-1', '*']

test('any arguments give an answer or an error of the RFC, never a failure of ours', async (t) => {
  const room = await jmapRoom(t)
  const email = await room.file('Subject: 会議\r\nFrom: hanako@campus.example\r\n\r\n本文', {
    keywords: ['$Work'],
  })
  const inbox = await room.mailbox('INBOX')
  const identity = (await room.call('Identity/get', { ids: null })).list[0].id
  const { state } = await room.call('Email/get', { ids: [] })
  const known = [email, `G${email}`, `G${email}_1`, inbox, identity, state, '#a', '', '__proto__']
  const word = fc.constantFrom(
    ...known,
    'subject',
    'receivedAt',
    'constructor',
    'keywords/$seen',
    `mailboxIds/${inbox}`,
    'header:Subject:asText',
    '2026-01-01T00:00:00Z',
    'AND',
    'text/plain',
    '渡り',
    '\ud800',
  )
  const inner = (
    'inMailbox text before operator conditions property isAscending email name partId blobId type value ' +
    'mailboxIds keywords emailId identityId envelope mailFrom rcptTo from subject textBody bodyValues ' +
    'parentId role isSubscribed bodyStructure subParts attachments'
  ).split(' ')
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.constantFrom(null, true, false, 0, -1, 1, 7.5, 1e300),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, fc.constantFrom(...inner)), tie('any'), { maxKeys: 4 }),
    ),
  })).any
  const object = fc.dictionary(fc.oneof(word, fc.constantFrom(...inner)), value, { maxKeys: 5 })
  const objects = fc.dictionary(fc.oneof(word, fc.constant('a')), object, { maxKeys: 2 })
  const likely: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    ids: fc.array(word, { maxLength: 3 }),
    emailIds: fc.array(word, { maxLength: 3 }),
    blobIds: fc.array(word, { maxLength: 3 }),
    destroy: fc.array(word, { maxLength: 3 }),
    create: objects,
    update: objects,
    emails: objects,
    filter: object,
    sinceState: fc.constant(state),
    sort: fc.array(object, { maxLength: 2 }),
  }
  const typed = (name: string): fc.Arbitrary<unknown> => {
    if (/^(position|limit|anchorOffset|max)/.test(name)) return fc.integer({ min: -3, max: 20 })
    if (name.toLowerCase().endsWith('properties'))
      return fc.subarray(['subject', 'bodyValues', 'bodyStructure', 'headers', 'header:From', 'id'])
    return /^(fetch|calculate|collapse|sort.*Tree|filterAs|on)/.test(name) ? fc.boolean() : value
  }
  const reference = fc.record({
    resultOf: fc.constantFrom('0', '1', 'x'),
    name: fc.constantFrom(...METHODS.keys()),
    path: fc.constantFrom(...PATHS),
  })
  const calls = fc.constantFrom(...METHODS.values()).chain((method) => {
    const key = method.args.length === 0 ? fc.constant('x') : fc.constantFrom(...method.args)
    return fc.tuple(
      fc.constant(method.name),
      fc
        .subarray([...method.args], { maxLength: Math.min(3, method.args.length) })
        .chain((names) => {
          const given: Record<string, fc.Arbitrary<unknown>> = {}
          for (const name of method.args)
            if (names.includes(name) || ['ids', 'sinceState', 'emailIds', 'emails'].includes(name))
              given[name] = fc.oneof(
                { weight: 9, arbitrary: likely[name] ?? typed(name) },
                { weight: 1, arbitrary: value },
              )
          return fc.record(given)
        }),
      fc.option(fc.tuple(key, reference), { freq: 4 }),
    )
  })
  const methods = [...METHODS.keys()]
  const answered = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(calls, { minLength: 1, maxLength: 4 }), async (given) => {
      const responses = await room.request(
        given.map(([name, args, back], index) => [
          name,
          {
            accountId: HANAKO.id,
            ...args,
            ...(back === null ? {} : { [`#${back[0]}`]: back[1] }),
          },
          String(index),
        ]),
      )
      assert.ok(responses.length >= given.length)
      for (const [name, answer] of responses) {
        answered.add(name)
        if (name === 'error')
          assert.ok(!String(answer['type']).startsWith('server'), JSON.stringify({ given, answer }))
        else assert.ok(methods.includes(name))
      }
    }),
    { numRuns: 600 },
  )
  assert.ok(answered.size > 15, [...answered].join())
})
