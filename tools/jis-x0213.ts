import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/**
 * Writes the table of JIS X 0213:2004 anew from the decoder of Python 3, whose tables may be redistributed
 * (PSF licence): `node tools/jis-x0213.ts`, then `npx oxfmt` on what it wrote. Of plane 1 only what differs from what the
 * decoder euc-jp of Node says; a blank: as that says.
 */
const OUT = new URL('../src/codec/mime/jis-x0213-table.ts', import.meta.url)

const ASK = `
import sys
def cell(plane, row, cell):
    if plane == 1: octets = bytes([row + 0xa0, cell + 0xa0])
    elif row in {1, 3, 4, 5, 8, 12, 13, 14, 15} or row >= 78: octets = bytes([0x8f, row + 0xa0, cell + 0xa0])
    else: return '-'
    try: return octets.decode('euc_jis_2004')
    except UnicodeDecodeError: return '-'
for plane in (1, 2):
    for row in range(1, 95):
        sys.stdout.buffer.write(('\\t'.join(cell(plane, row, c) for c in range(1, 95)) + '\\n').encode())
`

const asked = spawnSync('python3', ['-c', ASK], { encoding: 'utf8' })
if (asked.status !== 0) throw new Error(`python3: ${asked.stderr}`)
const known = new TextDecoder('euc-jp')

const pairs: string[] = []
const rows = asked.stdout
  .trimEnd()
  .split('\n')
  .map((line, index) => {
    const plane = index < 94 ? 1 : 2
    const row = (index % 94) + 1
    const cells = line.split('\t').map((text, at) => {
      const octets = Uint8Array.of(row + 0xa0, at + 1 + 0xa0)
      const had = plane === 1 ? known.decode(octets) : undefined
      if (text === '-' || text === had) return ' '
      if (Array.from(text).length === 1) return text
      pairs.push(`  '${plane}-${row}-${at + 1}': '${escaped(text)}',`)
      return ' '
    })
    const own = cells.join('').trimEnd()
    return own === '' ? undefined : `  '${plane}-${row}': '${escaped(own)}',`
  })

/** Marks that would stand on the sign before them are written by number, and so is what an editor may change. */
function escaped(text: string): string {
  return text.replace(/[\\'\p{M}\u02e5-\u02e9\u00a0\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu, (sign) =>
    sign === '\\' || sign === "'" ? `\\${sign}` : `\\u{${sign.codePointAt(0)!.toString(16)}}`,
  )
}

writeFileSync(
  OUT,
  [
    '// Written by tools/jis-x0213.ts; not by hand.',
    '',
    '/** Of `plane-row`: its cells from 1 on; a blank: as euc-jp has it in plane 1, nothing in plane 2. */',
    'export const X0213_ROWS: Readonly<Record<string, string>> = {',
    ...rows.filter((row) => row !== undefined),
    '}',
    '',
    '/** Cells that are two characters. */',
    'export const X0213_PAIRS: Readonly<Record<string, string>> = {',
    ...pairs,
    '}',
    '',
  ].join('\n'),
)
