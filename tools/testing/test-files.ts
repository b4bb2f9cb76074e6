import { globSync } from 'node:fs'
import { join } from 'node:path'

export type TestKind = 'unit' | 'property' | 'contract' | 'interop' | 'e2e'

export interface TestFile {
  /** Below the repository. */
  readonly path: string
  readonly kind: TestKind
}

/** Every test file of the tree, sorted, that `filters` (files or folders below `root`) select; no filter selects all. */
export function testFiles(root: string, filters: readonly string[]): TestFile[] {
  const paths = globSync('{src,tools,test}/**/*.{test,fuzz}.ts', { cwd: root }).toSorted()
  const wanted = filters.map((filter) => filter.replace(/^\.\//, '').replace(/\/+$/, ''))
  return paths
    .filter(
      (path) =>
        wanted.length === 0 ||
        wanted.some((filter) => path === filter || path.startsWith(`${filter}/`)),
    )
    .map((path) => ({ path, kind: kindOf(path) }))
}

function kindOf(path: string): TestKind {
  if (path.startsWith(join('test', 'e2e') + '/')) return 'e2e'
  if (path.startsWith(join('test', 'interop') + '/')) return 'interop'
  if (path.endsWith('.fuzz.ts')) return 'property'
  return path.endsWith('.contract.test.ts') ? 'contract' : 'unit'
}
