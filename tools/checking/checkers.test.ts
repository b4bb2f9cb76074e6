import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { docs } from '#tools/docs.ts'
import { lock } from '#tools/lock.ts'
import { reach } from '#tools/reach.ts'
import { rfc } from '#tools/rfc.ts'
import { tidy } from '#tools/tidy.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wt-check-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function plant(path: string, ...lines: readonly string[]): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), `${lines.join('\n')}\n`)
}

const importing = (specifier: string): string => `import { a } from '${specifier}'`

describe('tidy', () => {
  const faultsOf = (path: string, specifier: string): readonly string[] => {
    plant(path, importing(specifier))
    plant('src/codec/smtp/a.fuzz.ts', importing('./a.ts'))
    return tidy(root).faults
  }

  test('a tree without a file has not been looked at', () => {
    assert.equal(tidy(root).looked, 0)
  })

  test('what the house allows is let be', () => {
    plant('src/server/smtp/a.fuzz.ts', 'export const a = 1')
    plant('src/base/a.ts', importing('./b.ts'))
    plant('src/model/a.ts', importing('#base/a.ts'))
    plant('src/store/db/a.ts', importing('#client/pg/a.ts'))
    plant('src/store/mailbox/a.ts', importing('#store/blob/a.ts'), importing('./b/c.ts'))
    plant(
      'src/engine/receive/a.ts',
      importing('#engine/route/a.ts'),
      importing('#store/spool/a.ts'),
    )
    plant('src/server/smtp/a.ts', importing('#engine/receive/a.ts'), importing('#net/a.ts'))
    plant('src/app/a.ts', importing('#client/dns/a.ts'), importing('#server/smtp/a.ts'))
    plant('src/codec/smtp/a.test.ts', importing('#client/smtp/a.ts'), importing('#test/a.ts'))
    const result = tidy(root)
    assert.deepEqual(result.faults, [])
    assert.equal(result.looked, 13)
  })

  const wrong: readonly (readonly [string, string])[] = [
    ['src/base/a.ts', '#model/a.ts'],
    ['src/model/a.ts', '#codec/smtp/a.ts'],
    ['src/codec/smtp/a.ts', '#net/a.ts'],
    ['src/net/a.ts', '#model/a.ts'],
    ['src/contract/a.ts', '#codec/a.ts'],
    ['src/client/smtp/a.ts', '#store/db/a.ts'],
    ['src/store/spool/a.ts', '#net/a.ts'],
    ['src/store/spool/a.ts', '#client/pg/a.ts'],
    ['src/engine/queue/a.ts', '#net/a.ts'],
    ['src/server/smtp/a.ts', '#client/smtp/a.ts'],
    ['src/store/spool/a.ts', '#app/a.ts'],
    ['src/web/mail/a.ts', '#store/db/a.ts'],
    ['src/app/a.ts', '#test/fake/a.ts'],
    ['src/codec/smtp/a.ts', '#codec/imap/a.ts'], // strangers
    ['src/client/smtp/a.ts', '#client/dns/a.ts'],
    ['src/server/imap/a.ts', '#server/pop3/a.ts'],
    ['src/store/mailbox/a.ts', '#store/directory/a.ts'], // one floor
    ['src/store/blob/a.ts', '#store/events/a.ts'], // floors above
    ['src/store/mailbox/rows/a.ts', '#store/mailbox/change/a.ts'], // floors inside a folder
    ['src/store/mailbox/other/a.ts', '#store/mailbox/rows/a.ts'],
    ['src/engine/route/a.ts', '#engine/queue/a.ts'],
    ['src/engine/sender/a.ts', '#engine/scan/a.ts'],
    ['src/codec/smtp/a.ts', 'node:fs'],
    ['src/base/text.ts', '../model/a.ts'],
  ]
  for (const [path, specifier] of wrong)
    test(`${path} may not import ${specifier}`, () => {
      assert.notDeepEqual(faultsOf(path, specifier), [])
    })

  test('imports over several lines, re-exports, types and bare imports are seen too', () => {
    plant('src/base/a.ts', 'import {', '  a,', "} from '#app/a.ts'")
    plant('src/base/b.ts', "export { a } from '#app/a.ts'")
    plant('src/base/c.ts', "export type { A } from '#app/a.ts'")
    plant('src/base/d.ts', "import type { A } from '#app/a.ts'")
    plant('src/base/e.ts', "import '#app/a.ts'")
    plant('src/base/f.ts', "import * as a from '#app/a.ts'")
    plant('src/base/g.ts', "export * from '#app/a.ts'")
    assert.equal(tidy(root).faults.length, 7)
  })

  test('a codec, contract or server without a fuzz file is told, one with it is not', () => {
    plant('src/server/smtp/a.ts', 'export const a = 1')
    plant('src/app/storage/a.ts', 'export const a = 1')
    plant('src/app/storage/a.fuzz.ts', importing('./a.ts'))
    plant('src/app/web/a.ts', 'export const a = 1')
    plant('src/codec/sieve/a.ts', 'export const a = 1')
    plant('src/codec/pop3/a.ts', 'export const a = 1')
    plant('src/codec/pop3/a.fuzz.ts', importing('./a.ts'))
    plant('src/codec/pop3/a.test.ts', importing('./a.ts'))
    assert.deepEqual(tidy(root).faults.toSorted(), [
      'src/codec/sieve: no *.fuzz.ts beside it',
      'src/server/smtp: no *.fuzz.ts beside it',
    ])
  })

  test('layers and floors that nobody drew are refused', () => {
    plant('src/misc/a.ts', 'export const a = 1')
    plant('src/store/heap/a.ts', 'export const a = 1')
    assert.equal(tidy(root).faults.length, 2)
  })

  const banned = [
    'const a = Date.now()',
    'const a = new Date()',
    'const a = Math.random()',
    "const a = process.env['A']",
    "const a = import('node:fs')",
    ['// FIX', 'ME later'].join(''),
    'export default 1',
    "import { request } from 'node:http'",
  ]
  for (const line of banned)
    test(`banned: ${line}`, () => {
      plant('src/engine/scan/a.ts', line)
      assert.equal(tidy(root).faults.length, 1)
    })

  test('app and base read clock and environment; prose may name them', () => {
    plant('src/app/a.ts', "const a = Date.now() + process.env['A']")
    plant('src/base/time.ts', 'const a = Date.now()')
    plant(
      'src/engine/scan/a.ts',
      '/** Never Date.now(): 時計は引数 */',
      'const a = 1 // Math.random',
    )
    assert.deepEqual(tidy(root).faults, [])
  })

  test('what lies above the store uses none of its backing, whose types it may name', () => {
    plant('src/store/mailbox/rows/sql.ts', 'export const a = 1')
    plant('src/engine/scan/a.ts', "import type { a } from '#store/mailbox/rows/sql.ts'")
    assert.deepEqual(tidy(root).faults, [])
    plant('src/engine/scan/a.ts', "import { a } from '#store/mailbox/rows/sql.ts'")
    assert.equal(tidy(root).faults.length, 1)
  })

  test('a folder says what it is about', () => {
    plant('src/engine/scan/helpers/a.ts', 'const a = 1')
    assert.equal(tidy(root).faults.length, 1)
  })
})

describe('rfc', () => {
  const table = (...rows: readonly string[]): void => plant('docs/rfc.tsv', '# RFC', ...rows)

  test('a table that is true both ways is let be', () => {
    plant('src/codec/smtp/a.ts', '// RFC 5321 §4.1 渡り')
    plant('src/codec/smtp/a.test.ts', '// RFC 9999 is cited by a test only')
    table('5321\tfull\tsrc/codec/smtp/a.ts\tSMTP')
    assert.deepEqual(rfc(root), { looked: 1, of: 'RFCs', faults: [] })
  })

  test('without a table nothing was looked at', () => {
    assert.equal(rfc(root).looked, 0)
    assert.equal(rfc(root).faults.length, 1)
  })

  const wrong: Readonly<Record<string, readonly string[]>> = {
    'an RFC without a row': [],
    'a row whose file is not there': [
      '5321\tfull\tsrc/codec/smtp/a.ts\tSMTP',
      '5321\tfull\tsrc/codec/smtp/b.ts\tx',
    ],
    'a row whose file does not cite it': [
      '5321\tfull\tsrc/codec/smtp/a.ts\tSMTP',
      '5322\tfull\tsrc/codec/smtp/a.ts\tx',
    ],
    'a status that is no word of ours': ['5321\tnearly\tsrc/codec/smtp/a.ts\tSMTP'],
    'a row twice': [
      '5321\tfull\tsrc/codec/smtp/a.ts\tSMTP',
      '5321\tfull\tsrc/codec/smtp/a.ts\tSMTP',
    ],
    'a row without tabs': [
      '5321\tfull\tsrc/codec/smtp/a.ts\tSMTP',
      '5321 full src/codec/smtp/a.ts SMTP',
    ],
  }
  for (const [name, rows] of Object.entries(wrong))
    test(name, () => {
      plant('src/codec/smtp/a.ts', '// RFC 5321 §4.1')
      table(...rows)
      assert.equal(rfc(root).faults.length, 1)
    })
})

describe('docs', () => {
  const truth = { codes: ['full', 'io'], settings: '# 設定\n' }
  beforeEach(() => {
    plant('docs/errors.md', '# 障害', '| `full` | x |', '| `io` | x |')
    plant('docs/dependencies.md', '| `zod` | x |', '| `@types/node` | x |')
    plant('docs/settings.md', '# 設定')
    plant(
      'package.json',
      JSON.stringify({
        scripts: { check: 'x' },
        dependencies: { zod: '1' },
        devDependencies: { '@types/node': '1' },
      }),
    )
  })
  const faults = (): readonly string[] => docs(root, truth, false).faults

  test('each fault and package once, links and commands that lead somewhere', () => {
    plant('README.md', '[a](docs/errors.md#障害) [b](https://example.org/) npm run check')
    assert.deepEqual(docs(root, truth, false), { looked: 2, of: 'links in 4 pages', faults: [] })
  })

  test('a missing, a foreign and a doubled fault', () => {
    plant('docs/errors.md', '# x', '| `full` | x |', '| `foo` | x |', '| `full` | x |')
    assert.equal(faults().length, 3)
  })

  test('a missing and a foreign package', () => {
    plant('docs/dependencies.md', '| `zod` | x |', '| `foo` | x |')
    assert.equal(faults().length, 2)
  })

  test('a dead link, anchor and command', () => {
    plant('README.md', '[a](docs/none.md) [b](docs/errors.md#none) npm run nothing')
    assert.equal(faults().length, 3)
  })

  test('settings that the table does not say; an update writes them', () => {
    plant('docs/settings.md', '# old')
    assert.equal(faults().length, 1)
    assert.deepEqual(docs(root, truth, true).faults, [])
    assert.deepEqual(faults(), [])
  })

  test('pages that are gone; without one nothing was looked at', () => {
    rmSync(join(root, 'docs'), { recursive: true })
    const result = docs(root, truth, false)
    assert.equal(result.looked, 0)
    assert.equal(result.faults.length, 3)
  })
})

describe('reach', () => {
  test('a file that a role newly loads is told, also through others; types are not loaded', () => {
    plant('src/app/gateway.ts', importing('#server/smtp/a.ts'))
    plant('src/server/smtp/a.ts', importing('./b.ts'), "import type { C } from './c.ts'")
    plant('src/server/smtp/b.ts', 'export const a = 1')
    assert.deepEqual(reach(root, true), {
      looked: 3,
      of: 'files loaded by roles',
      faults: [],
    })
    assert.match(
      readFileSync(join(root, 'test/golden/reach/gateway.txt'), 'utf8'),
      /^src\/app\/gateway\.ts\nsrc\/server\/smtp\/a\.ts\nsrc\/server\/smtp\/b\.ts\n$/,
    )
    plant('src/server/smtp/b.ts', importing('./d.ts'))
    plant('src/server/smtp/d.ts', 'export const a = 1')
    assert.match(reach(root, false).faults.join(), /now loads src\/server\/smtp\/d\.ts/)
  })

  test('a file that is not there is told', () => {
    plant('src/app/store.ts', importing('#server/imap/a.ts'))
    assert.match(reach(root, true).faults.join(), /does not exist/)
  })

  test('without a role nothing was looked at', () => {
    assert.equal(reach(root, false).looked, 0)
  })
})

describe('lock', () => {
  const ours = { dependencies: { zod: '1' } }
  const inLock = (zod: string): string =>
    JSON.stringify({ packages: { '': { dependencies: { zod } }, 'node_modules/zod': {} } })

  test('a lock of the same packages is let be, another and a broken one are not', () => {
    plant('package.json', JSON.stringify(ours))
    plant('package-lock.json', inLock('1'))
    assert.deepEqual(lock(root), { looked: 1, of: 'packages', faults: [] })
    plant('package-lock.json', inLock('2'))
    assert.equal(lock(root).faults.length, 1)
    plant('package-lock.json', JSON.stringify({ packages: { '': ours } }))
    assert.equal(lock(root).faults.length, 1)
    plant('package-lock.json', '<<<<<<< HEAD', inLock('1'))
    assert.deepEqual([lock(root).looked, lock(root).faults.length], [0, 1])
  })
})
