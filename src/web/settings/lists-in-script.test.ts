import assert from 'node:assert/strict'
import { test } from 'node:test'

import { listsInScript, ownListTag } from './lists-in-script.ts'

test('a script is known to ask the lists that it names, however it writes them', () => {
  const script = `require ["extlists"];
if address :list "from" ["tag:campus.example,2026:own/友人", "TAG:campus.example,2026-04-01:own/%E5%AE%B6%E6%97%8F"] { keep; }
if address :list "from" "tag:campus.example,2026:list/seminar" { stop; }
if address :list "from" "${ownListTag('campus.example', '50% "off"')}" { discard; }
if address :list "from" "tag:campus.example,2026:own/100%" { discard; }
`
  assert.deepEqual([...listsInScript(script)], ['友人', '家族', '50% "off"', '100%'])
  assert.deepEqual([...listsInScript('keep;')], [])
})
