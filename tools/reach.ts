import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readSource, type CheckResult } from '#tools/checking/sources.ts'

const ROLES = ['gateway', 'store', 'deliver', 'serve', 'control', 'storage-child'] as const

/** test/golden/reach/ROLE.txt lists every file that a role's process loads; `update` rewrites it. */
export function reach(root: string, update: boolean): CheckResult {
  const faults: string[] = []
  let looked = 0
  for (const role of ROLES) {
    const entry = `src/app/${role}.ts`
    if (!existsSync(join(root, entry))) continue
    const files = reachOf(root, entry, faults)
    looked += files.length
    const golden = join(root, 'test/golden/reach', `${role}.txt`)
    if (update) {
      mkdirSync(dirname(golden), { recursive: true })
      writeFileSync(golden, `${files.join('\n')}\n`)
    }
    const before = existsSync(golden) ? readFileSync(golden, 'utf8').trim().split('\n') : []
    const come = files.filter((file) => !before.includes(file))
    const gone = before.filter((file) => !files.includes(file))
    faults.push(
      ...come.map((file) => `${role} now loads ${file}`),
      ...gone.map((file) => `${role} no longer loads ${file}`),
    )
    if (come.length + gone.length > 0)
      faults.push(`${role}: if that is meant, UPDATE=1 npm run check -- reach`)
  }
  return { looked, of: 'files loaded by roles', faults }
}

function reachOf(root: string, entry: string, faults: string[]): string[] {
  const found = new Set<string>([entry])
  for (const path of found)
    // a Set's iterator meets what is added meanwhile
    for (const { target, typeOnly } of readSource(root, path).imports) {
      if (target === undefined || typeOnly || found.has(target)) continue
      if (existsSync(join(root, target))) found.add(target)
      else faults.push(`${path} imports ${target}, which does not exist`)
    }
  return [...found].toSorted()
}
