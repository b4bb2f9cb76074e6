import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aclRights } from './acl.ts'
import { pageQuery, passwordBody } from './common.ts'
import * as directory from './directory.ts'
import * as dkim from './dkim.ts'
import { importBody } from './import.ts'
import { queueNewsQuery, queueQuery, sieveTest, traceQuery } from './mail.ts'
import { expireAsk, expungedQuery, mailboxRetention } from './mailboxes.ts'
import { drainBody, newToken } from './nodes.ts'
import { scriptActive, scriptPut } from './scripts.ts'
import { newSession } from './session.ts'
import { diffQuery, historyQuery, rollback, settingEdits, settingPut } from './settings.ts'

/** All that the API takes: bodies, and queries, whose values are texts or lists of them. */
const SHAPES = {
  aclRights,
  accessChange: directory.accessChange,
  accessQuery: directory.accessQuery,
  diffQuery,
  dkimActivate: dkim.dkimActivate,
  dkimQuery: dkim.dkimQuery,
  dkimRetire: dkim.dkimRetire,
  newDkim: dkim.newDkim,
  directoryHistoryQuery: directory.directoryHistoryQuery,
  domainChange: directory.domainChange,
  drainBody,
  expireAsk,
  expungedQuery,
  historyQuery,
  importBody,
  mailboxRetention,
  newAlias: directory.newAlias,
  newDomain: directory.newDomain,
  newForward: directory.newForward,
  newRoute: directory.newRoute,
  newSession,
  newToken,
  newUser: directory.newUser,
  pageQuery,
  passwordBody,
  queueNewsQuery,
  queueQuery,
  rollback,
  scriptActive,
  scriptPut,
  searchQuery: directory.searchQuery,
  settingEdits,
  settingPut,
  sieveTest,
  traceQuery,
  userChange: directory.userChange,
  usersQuery: directory.usersQuery,
}
const WORDS =
  'username password addresses name convertTo from to keep nextHop limit cursor search state add remove script values value days asOf dryRun role draining quota bytes messages version'
const word = fc.oneof(
  fc.constantFrom(...WORDS.split(' '), '渡り', '__proto__', '\ud800'),
  fc.string(),
)
const any = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 2 ** 53, Number.NaN, '1', '9'.repeat(400), '2026-02-30'),
    word,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(word, tie('any'), { maxKeys: 8, noNullPrototype: true }),
  ),
})).any

test('any body and any query is of a shape or is told what is wrong with it: none throws', () => {
  for (const [name, shape] of Object.entries(SHAPES))
    fc.assert(
      fc.property(any, (value) => {
        const parsed = shape.safeParse(value)
        if (!parsed.success) assert.ok(parsed.error.issues.length > 0, name)
      }),
    )
})
