import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckResult } from '#tools/checking/sources.ts'

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const

/** package-lock.json says what package.json says: `npm ci` on a fresh machine refuses anything else. */
export function lock(root: string): CheckResult {
  const [ours, locked] = [read(root, 'package.json'), read(root, 'package-lock.json')]
  if (ours === undefined || locked === undefined)
    return { looked: 0, of: 'packages', faults: ['package.json or its lock cannot be read'] }
  const faults: string[] = []
  let looked = 0
  for (const kind of KINDS) {
    const wanted = ours[kind] ?? {}
    const held = locked.packages?.['']?.[kind] ?? {}
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(held)])) {
      looked++
      if (wanted[name] !== held[name])
        faults.push(`${kind}.${name}: ${wanted[name]} in package.json, ${held[name]} in the lock`)
      else if (locked.packages?.[`node_modules/${name}`] === undefined)
        faults.push(`${kind}.${name}: the lock does not hold it`)
    }
  }
  return { looked, of: 'packages', faults }
}

type Manifest = Partial<Record<(typeof KINDS)[number], Record<string, string>>> & {
  readonly packages?: Readonly<Record<string, Manifest>>
}

function read(root: string, file: string): Manifest | undefined {
  try {
    return existsSync(join(root, file))
      ? (JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest)
      : undefined
  } catch {
    return undefined // conflict marks of a merge, most often
  }
}
