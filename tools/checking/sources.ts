import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a checker found. One that looked at nothing has failed, whatever it found. */
export interface CheckResult {
  /** Things looked at: files, imports, rows. */
  readonly looked: number
  readonly of: string
  readonly faults: readonly string[]
}

export interface Source {
  /** Below the repository, `/` between. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

interface Import {
  readonly specifier: string
  /** Below the repository, where it names a file of ours. */
  readonly target?: string
  /** Erased when it runs. */
  readonly typeOnly: boolean
  readonly line: number
}

/** The TypeScript files below the given folders, JSX too, with their static imports. */
export function sources(root: string, folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root }))
    .toSorted()
    .map((path) => readSource(root, path))
}

export function readSource(root: string, path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, imports: importsOf(path, text) }
}

export const isTest = (path: string): boolean => /\.(test|fuzz|contract)\.ts$/.test(path)

// oxfmt puts each of these at the start of a line.
const STATEMENT =
  /^(?:import(?<type>\s+type)?\s+(?:(?<names>[\w$*{},\s]+?)\s+from\s+)?|export(?<etype>\s+type)?\s+(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+)'(?<specifier>[^']+)'/gm

function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(STATEMENT)].map((match) => {
    const { type, etype, specifier = '' } = match.groups ?? {}
    const target = targetOf(path, specifier)
    return {
      specifier,
      ...(target === undefined ? {} : { target }),
      typeOnly: type !== undefined || etype !== undefined,
      line: text.slice(0, match.index).split('\n').length,
    }
  })
}

/** `#store/db/x.ts` is `src/store/db/x.ts`; `#test/…` and `#tools/…` lie beside src. */
function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(path), specifier)
  if (!specifier.startsWith('#')) return undefined
  const rest = specifier.slice(1)
  return /^(test|tools)\//.test(rest) ? rest : `src/${rest}`
}
