import { globSync } from 'node:fs'
import { isTest, sources, type CheckResult, type Source } from '#tools/checking/sources.ts'

/** May import: the layers of the house. Tests may import whatever they need. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: ['base'],
  codec: ['base', 'model'],
  net: ['base'],
  contract: ['base', 'model'],
  client: ['base', 'model', 'codec', 'contract', 'net'],
  store: ['base', 'model', 'codec'], // only store/db and store/blob reach client/pg and client/s3
  engine: ['base', 'model', 'codec', 'contract', 'client', 'store'],
  server: ['base', 'model', 'codec', 'contract', 'net', 'store', 'engine'], // never client
  app: 'base model codec net contract client store engine server'.split(' '),
  web: ['contract', 'model'],
}

/** Folders of these know nothing of one another. */
const STRANGERS = new Set(['codec', 'client', 'server'])

/** A folder imports from floors below its own only. */
const FLOORS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  store: [
    ['db'],
    ['blob'],
    ['journal'],
    ['mailbox', 'spool', 'directory', 'settings', 'quarantine', 'events', 'nodes'],
    ['search'],
  ],
  engine: [
    ['sender', 'scan', 'sieve'],
    ['policy', 'route', 'choices'],
    ['list'],
    ['receive'],
    ['queue', 'deliver', 'retention', 'people', 'report', 'migrate'],
    ['home'],
  ],
  web: [['parts'], ['console', 'lists', 'mail'], ['settings']],
}

/** Floors inside a large folder; files directly in it are its nouns and what puts it together. */
const ROOMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'store/mailbox': [['rows'], ['objects'], ['change'], ['view'], ['upkeep'], ['contract']],
  'server/imap': [['view'], ['session'], ['mailbox', 'fetch', 'search'], ['commands']],
  'server/jmap': [
    ['method'],
    ['email'],
    ['blob', 'mailbox', 'submission', 'sieve'],
    ['push'],
    ['http'],
  ],
}

const BACKINGS: Readonly<Record<string, string>> = { pg: 'db blob', s3: 'db blob' }

/** What a mail store lies on, statements and paths: the layers above know its interface, and types of what stands in that. */
const BACKING =
  /^src\/store\/(db\/|journal\/|blob\/(?!blobs\.ts)|mailbox\/(\w+\/|open\.ts|sqlite|standing))/
const ABOVE = new Set(['engine', 'server', 'contract'])

/** bytes ↔ nouns: no I/O in these layers. */
const PURE = new Set(['model', 'codec', 'contract'])
const IO = /^node:(fs|net|tls|http|https|http2|dns|dgram|child_process|worker_threads|sqlite)\b/

interface Ban {
  readonly pattern: RegExp
  readonly why: string
  readonly where: (path: string) => boolean
}

/** The browser is an edge like app: its clock is the browser's. */
const isOurs = (path: string): boolean =>
  path.startsWith('src/') && !/^src\/(base|app|web)\//.test(path) && !isTest(path)

const BANS: readonly Ban[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, why: 'the clock is a parameter', where: isOurs },
  { pattern: /\bMath\.random\b/, why: 'base/id.ts makes ids', where: isOurs },
  { pattern: /\bprocess\.env\b/, why: 'app reads the environment', where: isOurs },
  { pattern: /^export default\b/, why: 'exports have names', where: () => true },
  {
    pattern: /\bimport\(/,
    why: 'imports are static outside app and web',
    where: (path) => /^src\/(?!app\/|web\/)/.test(path) && !isTest(path),
  },
  {
    pattern: /^import (?!type\b).* from 'node:http'/,
    why: '#net/http.ts gives it without loading fetch',
    where: (path) => path.startsWith('src/') && !isTest(path),
  },
  { pattern: /\bF[I]XME\b/, why: 'mend it now', where: () => true },
]

/** Import directions, floors, strangers, banned words and folder names. */
export function tidy(root: string): CheckResult {
  const files = sources(root, ['src', 'tools', 'test'])
  const faults = files.flatMap((file) => [
    ...directionFaults(file),
    ...relativeFaults(file),
    ...banFaults(file),
  ])
  const folders = globSync('{src,tools,test}/**/{common,utils,helpers}', { cwd: root })
  faults.push(...folders.map((path) => `${path}: say what it is about instead`))
  faults.push(...unfuzzed(files))
  const edges = files.reduce((sum, file) => sum + file.imports.length, 0)
  return { looked: files.length === 0 ? 0 : edges, of: `imports in ${files.length} files`, faults }
}

/** Layers whose folders read what strangers, or other processes, send. */
const FUZZED_LAYERS: readonly string[] = ['codec', 'contract', 'server']
/** Folders of other layers that do. */
const FUZZED_FOLDERS: readonly string[] = ['app/storage']

/** Whatever reads octets of strangers is fuzzed: each codec, contract and server has a file of properties beside it. */
function unfuzzed(files: readonly Source[]): string[] {
  const readers = new Map<string, boolean>()
  for (const { path } of files) {
    const { layer, folder } = placeOf(path) ?? { layer: '' }
    const isFuzz = path.endsWith('.fuzz.ts')
    if (folder === undefined || (isTest(path) && !isFuzz)) continue
    const reader = `${layer}/${folder}`
    if (!FUZZED_LAYERS.includes(layer) && !FUZZED_FOLDERS.includes(reader)) continue
    readers.set(reader, readers.get(reader) === true || isFuzz)
  }
  return [...readers]
    .filter(([, isFuzzed]) => !isFuzzed)
    .map(([reader]) => `src/${reader}: no *.fuzz.ts beside it`)
}

interface Place {
  readonly layer: string
  /** Undefined for a file directly in its layer. */
  readonly folder?: string
  /** Undefined for a file directly in its folder. */
  readonly room?: string
}

function placeOf(path: string): Place | undefined {
  const [top, layer, folder, room, rest] = path.split('/')
  if (top !== 'src' || layer === undefined || folder === undefined) return undefined
  if (room === undefined) return { layer }
  return rest === undefined ? { layer, folder } : { layer, folder, room }
}

function directionFaults(file: Source): string[] {
  const from = placeOf(file.path)
  if (from === undefined) return []
  const faults: string[] = []
  if (LAYERS[from.layer] === undefined) return [`${file.path}: no layer is called ${from.layer}`]
  const floors = FLOORS[from.layer]
  if (floors !== undefined && floorOf(floors, from.folder) < 0)
    faults.push(`${file.path}: ${from.layer}/${from.folder ?? ''} stands on no floor`)
  const rooms = ROOMS[wordOf({ layer: from.layer, folder: from.folder ?? '' })]
  if (rooms !== undefined && from.room !== undefined && floorOf(rooms, from.room) < 0)
    faults.push(`${file.path}: ${wordOf(from)} stands on no floor`)
  if (isTest(file.path)) return faults
  for (const { specifier, target, typeOnly, line } of file.imports) {
    const at = `${file.path}:${line}`
    if (PURE.has(from.layer) && IO.test(specifier))
      faults.push(`${at}: ${from.layer} does no I/O (${specifier})`)
    if (target === undefined) continue
    if (ABOVE.has(from.layer) && BACKING.test(target) && !typeOnly)
      faults.push(`${at}: ${from.layer} uses the store by its interface alone (${specifier})`)
    const to = placeOf(target)
    if (to === undefined || isTest(target)) faults.push(`${at}: ${target} is for tests and tools`)
    else if (!mayImport(from, to))
      faults.push(`${at}: ${wordOf(from)} may not import ${wordOf(to)} (${specifier})`)
  }
  return faults
}

function mayImport(from: Place, to: Place): boolean {
  if (from.layer !== to.layer) {
    if (LAYERS[from.layer]?.includes(to.layer) === true) return true
    return (
      from.layer === 'store' &&
      to.layer === 'client' &&
      (BACKINGS[to.folder ?? '']?.split(' ').includes(from.folder ?? '') ?? false)
    )
  }
  if (from.folder === to.folder) return mayEnter(from, to)
  if (STRANGERS.has(from.layer)) return to.folder === undefined
  const floors = FLOORS[from.layer]
  return floors === undefined || floorOf(floors, to.folder) < floorOf(floors, from.folder)
}

function mayEnter(from: Place, to: Place): boolean {
  if (from.room === to.room || from.room === undefined || to.room === undefined) return true
  const rooms = ROOMS[wordOf({ layer: from.layer, folder: from.folder ?? '' })]
  return rooms === undefined || floorOf(rooms, to.room) < floorOf(rooms, from.room)
}

const floorOf = (floors: readonly (readonly string[])[], folder: string | undefined): number =>
  floors.findIndex((floor) => floor.includes(folder ?? ''))

const wordOf = ({ layer, folder, room }: Place): string =>
  [layer, folder, room].filter((name) => name !== undefined).join('/')

const relativeFaults = (file: Source): string[] =>
  file.imports
    .filter(({ specifier }) => specifier.startsWith('..'))
    .map(({ specifier, line }) => `${file.path}:${line}: ${specifier}: #layer/… across folders`)

function banFaults(file: Source): string[] {
  const bans = BANS.filter(({ where }) => where(file.path))
  return file.text
    .split('\n')
    .flatMap((text, index) =>
      bans
        .filter(({ pattern, why }) => pattern.test(why === 'mend it now' ? text : codeOf(text)))
        .map(({ pattern, why }) => `${file.path}:${index + 1}: ${pattern.source}: ${why}`),
    )
}

/** The line without its comment, roughly: enough that prose about a banned word is let be. */
const codeOf = (line: string): string =>
  /^\s*(\*|\/\*|\/\/)/.test(line) ? '' : line.replace(/\s\/\/.*$/, '')
