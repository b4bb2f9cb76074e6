import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { FAULT_CODES } from '#base/outcome.ts'
import type { CheckResult } from '#tools/checking/sources.ts'

const ERRORS = 'docs/errors.md'

/** docs/errors.md explains each fault and no other; links and npm commands of every page lead somewhere. */
export function docs(
  root: string,
  codes: readonly string[] = Object.keys(FAULT_CODES),
): CheckResult {
  const pages = globSync('{*.md,docs/**/*.md}', { cwd: root }).toSorted()
  const faults = [...errorFaults(root, codes)]
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

function errorFaults(root: string, codes: readonly string[]): string[] {
  if (!existsSync(join(root, ERRORS))) return [`no ${ERRORS}`]
  const text = readFileSync(join(root, ERRORS), 'utf8')
  const listed = [...text.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '')
  return [
    ...codes
      .filter((code) => !listed.includes(code))
      .map((code) => `${ERRORS}: \`${code}\` is missing`),
    ...listed
      .filter((code, index) => !codes.includes(code) || listed.indexOf(code) !== index)
      .map((code) => `${ERRORS}: \`${code}\` is no fault of ours, or stands twice`),
  ]
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
