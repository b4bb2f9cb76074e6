import type { Dirent } from 'node:fs'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { equalOctets, toUtf8Strict } from '#base/octets.ts'
import { isFileAbsent } from './files.ts'

/** A person's scripts as they lay in a folder of another system. */
export interface FolderPerson {
  /** A login or an address, as the folder's names say it. */
  readonly user: string
  readonly scripts: readonly FolderScript[]
}

interface FolderScript {
  readonly name: string
  readonly active: boolean
  /** Undefined: it is not UTF-8, or longer than any script may be. */
  readonly text: string | undefined
}

const DEPTH_MAX = 8
/** More than a script may have here: such a file is told, not read. */
const FILE_BYTES_MAX = 1_048_576

/**
 * Reads the scripts of many: `~/sieve/*.sieve` with `.dovecot.sieve`, Cyrus' `sieve/u/user/*.script` with
 * `defaultbc`, plain `USER/NAME.sieve` and `USER.sieve`. Links are never followed: whoever owns a home
 * could have any file of the machine brought in. A lone script that nothing says otherwise of is active.
 */
export async function readScriptFolder(root: string): Promise<readonly FolderPerson[]> {
  const people: FolderPerson[] = []
  await walk(root, root, people)
  return people.toSorted((a, b) => (a.user < b.user ? -1 : Number(a.user > b.user)))
}

async function walk(root: string, dir: string, people: FolderPerson[]): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  const scripts = files.filter((name) => name.endsWith('.sieve') && !name.startsWith('.'))
  const isDovecot = entries.some(({ name }) => name === '.dovecot.sieve')
  const hasSieve = entries.some((entry) => entry.name === 'sieve' && entry.isDirectory())
  if (files.some((name) => name.endsWith('.script'))) people.push(await cyrus(root, dir, entries))
  else if (dir !== root && (isDovecot || (hasSieve && (await hasScripts(join(dir, 'sieve'))))))
    people.push(await dovecot(root, dir, entries))
  else if (dir === root)
    for (const name of scripts) {
      const script = { name: 'sieve', active: true, text: await textAt(join(dir, name)) }
      people.push({ user: name.slice(0, -'.sieve'.length), scripts: [script] })
    }
  else if (scripts.length > 0) people.push(await plain(root, dir, entries))
  else if (isTooDeep(root, dir)) return
  else {
    await below(root, dir, entries, people)
    return
  }
  if (dir === root) await below(root, dir, entries, people)
}

async function below(
  root: string,
  dir: string,
  entries: readonly Dirent[],
  people: FolderPerson[],
): Promise<void> {
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    if (entry.isDirectory()) await walk(root, join(dir, entry.name), people)
}

const isTooDeep = (root: string, dir: string): boolean =>
  relative(root, dir).split(sep).length > DEPTH_MAX

const hasScripts = async (dir: string): Promise<boolean> =>
  (await readdir(dir)).some((name) => name.endsWith('.sieve'))

/** `.dovecot.sieve` leads to the active script of `sieve/`, or is one itself. */
async function dovecot(
  root: string,
  dir: string,
  entries: readonly Dirent[],
): Promise<FolderPerson> {
  const inner = await readdir(join(dir, 'sieve'), { withFileTypes: true }).catch(noneThere)
  const link = entries.find(({ name }) => name === '.dovecot.sieve')
  const target = link?.isSymbolicLink() === true ? await linked(join(dir, link.name)) : undefined
  const scripts = await scriptsIn(join(dir, 'sieve'), inner, '.sieve', target)
  if (link?.isFile() !== true) return { user: userOf(root, dir), scripts }
  const text = await textAt(join(dir, link.name))
  const same = scripts.find((each) => each.text !== undefined && each.text === text)
  const all =
    same === undefined
      ? [...scripts, { name: 'dovecot', active: true, text }]
      : scripts.map((each) => ({ ...each, active: each === same }))
  return { user: userOf(root, dir), scripts: all }
}

/** `defaultbc` leads to the compiled form of the active one; copied without links it is that form. */
async function cyrus(root: string, dir: string, entries: readonly Dirent[]): Promise<FolderPerson> {
  let active: string | undefined
  for (const name of ['defaultbc', 'default']) {
    const entry = entries.find((each) => each.name === name)
    if (entry?.isSymbolicLink() === true) active ??= await linked(join(dir, name))
    else if (entry?.isFile() === true) active ??= await twin(dir, name, entries)
  }
  const user = basename(dir).replaceAll('^', '.') // a dot parts the names of mailboxes there
  const domain = /(?:^|[/\\])domain[/\\][^/\\]+[/\\]([^/\\]+)[/\\]/.exec(relative(root, dir))?.[1]
  return {
    user: domain === undefined ? user : `${user}@${domain}`,
    scripts: await scriptsIn(dir, entries, '.script', active),
  }
}

/** The name of the file of the same octets. */
async function twin(
  dir: string,
  name: string,
  entries: readonly Dirent[],
): Promise<string | undefined> {
  const octets = await readFile(join(dir, name))
  for (const entry of entries)
    if (entry.isFile() && /\.(?:bc|script)$/.test(entry.name))
      if (equalOctets(await readFile(join(dir, entry.name)), octets)) return stem(entry.name)
  return undefined
}

/** A link `active` or `active.sieve` says which one filters; a lone script does. */
async function plain(root: string, dir: string, entries: readonly Dirent[]): Promise<FolderPerson> {
  const link = entries.find(
    (each) => /^\.?active(?:\.sieve)?$/.test(each.name) && each.isSymbolicLink(),
  )
  const target = link === undefined ? undefined : await linked(join(dir, link.name))
  const scripts = await scriptsIn(dir, entries, '.sieve', target)
  const [first, ...more] = scripts
  const isLone = first !== undefined && more.length === 0 && link === undefined
  return { user: userOf(root, dir), scripts: isLone ? [{ ...first, active: true }] : scripts }
}

async function scriptsIn(
  dir: string,
  entries: readonly Dirent[],
  ending: string,
  active: string | undefined,
): Promise<readonly FolderScript[]> {
  const scripts: FolderScript[] = []
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isFile() || !entry.name.endsWith(ending) || entry.name.startsWith('.')) continue
    const name = stem(entry.name)
    const text = await textAt(join(dir, entry.name))
    scripts.push({ name, active: name === active, text })
  }
  return scripts
}

/** `hanako`, or with a domain's folder above it, `hanako@campus.example`. */
function userOf(root: string, dir: string): string {
  const above = dirname(dir)
  const domain = above === root ? '' : basename(above)
  return domain.includes('.') ? `${basename(dir)}@${domain}` : basename(dir)
}

const stem = (path: string): string => basename(path).replace(/\.(?:sieve|script|bc|svbin)$/, '')

const linked = async (path: string): Promise<string> => stem(await readlink(path))

async function textAt(path: string): Promise<string | undefined> {
  if ((await stat(path)).size > FILE_BYTES_MAX) return undefined
  return toUtf8Strict(await readFile(path))
}

function noneThere(thrown: unknown): Dirent[] {
  if (isFileAbsent(thrown)) return []
  throw thrown
}
