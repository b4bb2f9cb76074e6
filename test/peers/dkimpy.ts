import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Octets } from '#base/octets.ts'

const PYTHON = '/usr/bin/python3'

/** Why nobody else can look at signatures here; undefined where Debian's python3-dkim is there. */
export const dkimpyMissing = (): string | undefined =>
  spawnSync(PYTHON, ['-c', 'import dkim, nacl']).status === 0
    ? undefined
    : 'Debian python3-dkim and python3-nacl are not installed'

const PROGRAM = `
import sys, json, dkim
records = json.load(open(sys.argv[1]))
def look(name, timeout=5):
    return records.get(name.decode().rstrip('.'), '').encode()
def said(d, i):
    try:
        return 'pass' if d.verify(idx=i, dnsfunc=look) else 'fail'
    except dkim.DKIMException as e:
        return 'fail: %s' % e
def all(path):
    d = dkim.DKIM(open(path, 'rb').read())
    return [said(d, i) for i, (name, _) in enumerate([h for h in d.headers if h[0].lower() == b'dkim-signature'])]
print(json.dumps([all(path) for path in sys.argv[2:]]))
`

/** What dkimpy says of each signature of each message, by the records that it is shown: `pass`, or why not. */
export function dkimpy(
  messages: readonly Octets[],
  records: Readonly<Record<string, string>>,
): readonly (readonly string[])[] {
  const dir = mkdtempSync(join(tmpdir(), 'watari-dkimpy-'))
  try {
    const zone = join(dir, 'zone.json')
    writeFileSync(zone, JSON.stringify(records))
    const paths = messages.map((message, at) => {
      const path = join(dir, `mail-${at}`)
      writeFileSync(path, message)
      return path
    })
    const out = execFileSync(PYTHON, ['-c', PROGRAM, zone, ...paths], { timeout: 120_000 })
    return JSON.parse(out.toString()) as string[][]
  } finally {
    rmSync(dir, { recursive: true })
  }
}
