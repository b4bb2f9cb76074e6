import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTest, sources, type CheckResult } from '#tools/checking/sources.ts'

const TABLE = 'docs/rfc.tsv'
const STATUS = new Set(['full', 'partial'])

/**
 * docs/rfc.tsv (RFC, status, file, what; tabs between; `#` opens a comment) is true both ways:
 * each RFC that src cites has a row, each row's file is there and cites it.
 */
export function rfc(root: string): CheckResult {
  if (!existsSync(join(root, TABLE))) return { looked: 0, of: 'rows', faults: [`no ${TABLE}`] }
  const files = new Map(sources(root, ['src']).map((file) => [file.path, cited(file.text)]))
  const rows = new Set<string>()
  const seen = new Set<string>()
  const faults: string[] = []
  for (const [index, line] of readFileSync(join(root, TABLE), 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const at = `${TABLE}:${index + 1}`
    const [number = '', status = '', file = '', what = '', ...more] = line.split('\t')
    if (!/^\d+$/.test(number) || more.length > 0 || what === '') {
      faults.push(`${at}: not RFC, status, file, what with tabs between`)
      continue
    }
    rows.add(number)
    if (!STATUS.has(status)) faults.push(`${at}: status ${status} is neither full nor partial`)
    if (seen.has(`${number} ${file}`)) faults.push(`${at}: RFC ${number} of ${file} stands twice`)
    seen.add(`${number} ${file}`)
    if (!files.has(file)) faults.push(`${at}: no file ${file} (src/… is meant)`)
    else if (files.get(file)?.has(number) !== true)
      faults.push(`${at}: ${file} does not cite RFC ${number}`)
  }
  for (const [path, numbers] of files)
    for (const number of numbers)
      if (!rows.has(number) && !isTest(path))
        faults.push(`${path}: cites RFC ${number}, which has no row in ${TABLE}`)
  return { looked: rows.size, of: 'RFCs', faults }
}

const cited = (text: string): Set<string> =>
  new Set([...text.matchAll(/\bRFC (\d{3,5})\b/g)].map((match) => match[1] ?? ''))
