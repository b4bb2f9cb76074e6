import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { FAULT_CODES } from '#base/outcome.ts'
import { settingsManual } from '#store/settings/manual.ts'
import type { CheckResult } from '#tools/checking/sources.ts'

const ERRORS = 'docs/errors.md'
const DEPENDENCIES = 'docs/dependencies.md'
const SETTINGS = 'docs/settings.md'

/** What the pages are compared with; a test brings its own. */
interface Truth {
  readonly codes: readonly string[]
  readonly settings: string
}

export const ourTruth = (): Truth => ({
  codes: Object.keys(FAULT_CODES),
  settings: settingsManual(),
})

/**
 * docs/errors.md explains each fault and no other, docs/dependencies.md each package, docs/settings.md is
 * what the settings' table makes of it (`update` writes it); links and npm commands of every page lead somewhere.
 */
export function docs(root: string, truth: Truth, update: boolean): CheckResult {
  if (update) writeFileSync(join(root, SETTINGS), truth.settings)
  const pages = globSync('{*.md,docs/**/*.md}', { cwd: root }).toSorted()
  const faults = [
    ...listFaults(root, ERRORS, truth.codes),
    ...listFaults(root, DEPENDENCIES, packagesOf(root)),
    ...settingsFaults(root, truth.settings),
  ]
  let links = 0
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8')
    for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      links++
      const fault = linkFault(root, page, match[1] ?? '')
      if (fault !== undefined) faults.push(`${page}: ${fault}`)
    }
    faults.push(...scriptFaults(root, text).map((fault) => `${page}: ${fault}`))
  }
  return { looked: pages.length === 0 ? 0 : links, of: `links in ${pages.length} pages`, faults }
}

/** The page's table has one row for each of `names`, and no other: its first cell, as code. */
function listFaults(root: string, page: string, names: readonly string[]): string[] {
  if (!existsSync(join(root, page))) return [`no ${page}`]
  const text = readFileSync(join(root, page), 'utf8')
  const listed = [...text.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? '')
  return [
    ...names
      .filter((name) => !listed.includes(name))
      .map((name) => `${page}: \`${name}\` is missing`),
    ...listed
      .filter((name, index) => !names.includes(name) || listed.indexOf(name) !== index)
      .map((name) => `${page}: \`${name}\` is none of ours, or stands twice`),
  ]
}

function packagesOf(root: string): string[] {
  const file = join(root, 'package.json')
  if (!existsSync(file)) return []
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
}

function settingsFaults(root: string, manual: string): string[] {
  const file = join(root, SETTINGS)
  return existsSync(file) && readFileSync(file, 'utf8') === manual
    ? []
    : [`${SETTINGS} is not what the settings' table says: UPDATE=1 npm run check -- docs`]
}

function linkFault(root: string, page: string, link: string): string | undefined {
  if (/^(https?|mailto):/.test(link)) return undefined
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(join(root, target))) return `${link} leads nowhere`
  if (anchor === undefined) return undefined
  const headings = [...readFileSync(join(root, target), 'utf8').matchAll(/^#+ (.*)$/gm)]
  return headings.some((match) => slug(match[1] ?? '') === anchor)
    ? undefined
    : `${link}: no such heading`
}

/** As GitHub makes it. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

function scriptFaults(root: string, text: string): string[] {
  const file = join(root, 'package.json')
  if (!existsSync(file)) return []
  const scripts = Object.keys(JSON.parse(readFileSync(file, 'utf8')).scripts ?? {})
  return [...text.matchAll(/\bnpm run ([\w:-]+)/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => !scripts.includes(name))
    .map((name) => `npm run ${name}: package.json has no such script`)
}
