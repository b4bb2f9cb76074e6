import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { readScriptFolder } from './script-folder.ts'

test('scripts are found as Dovecot, Cyrus and people lay them, and no link leads out', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'watari-scripts-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const link = (path: string, to: string): void => symlinkSync(to, join(root, path))
  put('campus.example/hanako/sieve/振り分け.sieve', '# 花子\r\n')
  put('campus.example/hanako/sieve/旧.sieve', 'keep;')
  put('campus.example/hanako/sieve/旧.svbin', 'x')
  link('campus.example/hanako/.dovecot.sieve', 'sieve/振り分け.sieve')
  link('campus.example/hanako/sieve/盗み.sieve', '/etc/passwd')
  put('jiro/.dovecot.sieve', 'stop;')
  put('cyrus/sieve/t/taro^sato/main.script', 'keep;')
  put('cyrus/sieve/t/taro^sato/other.script', 'stop;')
  put('cyrus/sieve/t/taro^sato/main.bc', 'bytes')
  link('cyrus/sieve/t/taro^sato/defaultbc', 'main.bc')
  put('cyrus/sieve/domain/l/lab.example/k/ken/a.script', 'keep;')
  put('cyrus/sieve/domain/l/lab.example/k/ken/a.bc', 'A')
  put('cyrus/sieve/domain/l/lab.example/k/ken/defaultbc', 'A')
  put('plain/一.sieve', 'keep;')
  put('lone.sieve', 'keep;')
  put('latin.sieve', Uint8Array.of(0xe9))
  const people = await readScriptFolder(root)
  assert.deepEqual(
    people.map(({ user, scripts }) => [
      user,
      ...scripts.map(({ name, active, text }) => `${name} ${active} ${text}`),
    ]),
    [
      ['hanako@campus.example', '振り分け true # 花子\r\n', '旧 false keep;'],
      ['jiro', 'dovecot true stop;'],
      ['ken@lab.example', 'a true keep;'],
      ['latin', 'sieve true undefined'],
      ['lone', 'sieve true keep;'],
      ['plain', '一 true keep;'],
      ['taro.sato', 'main true keep;', 'other false stop;'],
    ],
  )
})
