import { readSort, readThread } from './sort.ts'
import type { SortProgram, ThreadProgram } from './sort.ts'
import type { Outcome } from '#base/outcome.ts'
import { err, ok } from '#base/outcome.ts'
import type { SpecialUse } from '#model/mailbox.ts'
import { SPECIAL_USES } from '#model/mailbox.ts'
import { readFetchItems } from './fetch-item.ts'
import type { FetchItem } from './fetch-item.ts'
import { readStoreFlags } from './flags.ts'
import type { FlagList } from './flags.ts'
import { readList, readStatusItems } from './list-command.ts'
import type { ListRequest, StatusItem } from './list-command.ts'
import { readGetMetadata, readSetMetadata } from './metadata-command.ts'
import type { GetMetadata, SetMetadata } from './metadata-command.ts'
import { Scanner, SyntaxFault } from './scanner.ts'
import { readSelectParams } from './select-params.ts'
import type { SelectParams } from './select-params.ts'
import { readPartial, readSearch } from './search-key.ts'
import type { PartialRange, SearchProgram } from './search-key.ts'
import { readMessageSet } from './sequence-set.ts'
import type { MessageSet } from './sequence-set.ts'

export interface Plain {
  readonly name:
    | 'CAPABILITY'
    | 'NOOP'
    | 'LOGOUT'
    | 'STARTTLS'
    | 'NAMESPACE'
    | 'IDLE'
    | 'CHECK'
    | 'CLOSE'
    | 'UNSELECT'
    | 'EXPUNGE'
    | 'UNAUTHENTICATE'
    | 'GETJMAPACCESS'
}

/** Commands that name messages: by UID where `uid`. */
interface OfMessages {
  readonly uid: boolean
  readonly set: MessageSet
}

export interface Fetch extends OfMessages {
  readonly name: 'FETCH'
  readonly items: readonly FetchItem[]
  readonly changedSince?: bigint
  /** Of what is left, those at these places (RFC 9394 §3.3). */
  readonly partial?: PartialRange
  /** What has gone since is told too (RFC 7162 §3.2.6). */
  readonly vanished?: boolean
}

/** What RFC 4314 §3.1 changes: the rights as letters, which the server knows. */
export interface SetAcl {
  readonly mailbox: string
  readonly identifier: string
  readonly mode: 'add' | 'remove' | 'replace'
  readonly rights: string
}

export interface Store extends OfMessages {
  readonly name: 'STORE'
  readonly mode: 'add' | 'remove' | 'replace'
  readonly silent: boolean
  readonly flags: FlagList
  readonly unchangedSince?: bigint
}

/** Mailbox names stay as they came, one character an octet. */
export type Command =
  | Plain
  | { readonly name: 'ID'; readonly fields: readonly (readonly [string, string | null])[] }
  | { readonly name: 'LOGIN'; readonly login: string; readonly password: string }
  | { readonly name: 'AUTHENTICATE'; readonly mechanism: string; readonly initial?: string }
  | { readonly name: 'COMPRESS'; readonly mechanism: string }
  | { readonly name: 'ENABLE'; readonly capabilities: readonly string[] }
  | ({ readonly name: 'SELECT' | 'EXAMINE'; readonly mailbox: string } & SelectParams)
  | { readonly name: 'CREATE'; readonly mailbox: string; readonly use?: SpecialUse | 'other' }
  | { readonly name: 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE'; readonly mailbox: string }
  | { readonly name: 'GETQUOTA'; readonly root: string }
  | { readonly name: 'GETQUOTAROOT'; readonly mailbox: string }
  | { readonly name: 'GETACL' | 'MYRIGHTS'; readonly mailbox: string }
  | {
      readonly name: 'DELETEACL' | 'LISTRIGHTS'
      readonly mailbox: string
      /** One character an octet, as it came. */
      readonly identifier: string
    }
  | ({ readonly name: 'SETACL' } & SetAcl)
  | { readonly name: 'RENAME'; readonly from: string; readonly to: string }
  | ({ readonly name: 'LIST' } & ListRequest)
  | { readonly name: 'LSUB'; readonly reference: string; readonly pattern: string }
  | { readonly name: 'STATUS'; readonly mailbox: string; readonly items: readonly StatusItem[] }
  | ({ readonly name: 'GETMETADATA' } & GetMetadata)
  | ({ readonly name: 'SETMETADATA' } & SetMetadata)
  | Fetch
  | Store
  | (OfMessages & { readonly name: 'COPY' | 'MOVE'; readonly mailbox: string })
  | { readonly name: 'UID EXPUNGE'; readonly set: MessageSet }
  | ({ readonly name: 'SEARCH'; readonly uid: boolean } & SearchProgram)
  | ({ readonly name: 'SORT'; readonly uid: boolean } & SortProgram)
  | ({ readonly name: 'THREAD'; readonly uid: boolean } & ThreadProgram)

export interface Tagged<T> {
  readonly tag: string
  readonly command: T
}

/** What is wrong with a command; the tag where there is one to answer with. */
export interface CommandFault {
  readonly tag?: string
  readonly text: string
}

const PLAIN: ReadonlySet<string> = new Set<Plain['name']>([
  'CAPABILITY',
  'NOOP',
  'LOGOUT',
  'STARTTLS',
  'NAMESPACE',
  'IDLE',
  'CHECK',
  'CLOSE',
  'UNSELECT',
  'EXPUNGE',
  'UNAUTHENTICATE',
  'GETJMAPACCESS',
])

/** Parses one whole command, literals in place (RFC 9051 §9). Total. */
export function parseCommand(text: string): Outcome<Tagged<Command>, CommandFault> {
  return parsed(text, (scanner) => {
    const command = readCommand(scanner, scanner.word())
    scanner.end()
    return command
  })
}

export function separated<T>(scanner: Scanner, read: (scanner: Scanner) => T): T {
  const value = read(scanner)
  scanner.space()
  return value
}

export function parsed<T>(
  text: string,
  read: (scanner: Scanner) => T,
): Outcome<Tagged<T>, CommandFault> {
  const scanner = new Scanner(text)
  const tag = scanner.tag()
  if (tag === undefined || !scanner.skip(' ')) return err({ text: 'Expected a tag and a command' })
  try {
    return ok({ tag, command: read(scanner) })
  } catch (thrown) {
    if (!(thrown instanceof SyntaxFault)) throw thrown
    return err({ tag, text: thrown.text })
  }
}

function readCommand(scanner: Scanner, name: string): Command {
  if (PLAIN.has(name)) return { name: name as Plain['name'] }
  const reader = READERS.get(name)
  if (reader === undefined) return scanner.fail('Unknown command')
  if (name === 'SEARCH') return reader(scanner) // its own first space
  scanner.space()
  return reader(scanner)
}

const READERS: ReadonlyMap<string, (scanner: Scanner) => Command> = new Map<
  string,
  (scanner: Scanner) => Command
>([
  ['ID', (s) => ({ name: 'ID', fields: readIdFields(s) })],
  [
    'LOGIN',
    (s) => ({ name: 'LOGIN', login: separated(s, (t) => t.astring()), password: s.astring() }),
  ],
  ['AUTHENTICATE', readAuthenticate],
  ['COMPRESS', (s) => ({ name: 'COMPRESS', mechanism: s.word() })],
  ['ENABLE', (s) => ({ name: 'ENABLE', capabilities: words(s) })],
  ['SELECT', (s) => readSelect(s, 'SELECT')],
  ['EXAMINE', (s) => readSelect(s, 'EXAMINE')],
  ['CREATE', readCreate],
  ['DELETE', (s) => ({ name: 'DELETE', mailbox: s.astring() })],
  ['SUBSCRIBE', (s) => ({ name: 'SUBSCRIBE', mailbox: s.astring() })],
  ['UNSUBSCRIBE', (s) => ({ name: 'UNSUBSCRIBE', mailbox: s.astring() })],
  ['RENAME', (s) => ({ name: 'RENAME', from: separated(s, (t) => t.astring()), to: s.astring() })],
  ['GETQUOTA', (s) => ({ name: 'GETQUOTA', root: s.astring() })],
  ['GETQUOTAROOT', (s) => ({ name: 'GETQUOTAROOT', mailbox: s.astring() })],
  ['GETACL', (s) => ({ name: 'GETACL', mailbox: s.astring() })],
  ['MYRIGHTS', (s) => ({ name: 'MYRIGHTS', mailbox: s.astring() })],
  ['DELETEACL', (s) => readIdentified(s, 'DELETEACL')],
  ['LISTRIGHTS', (s) => readIdentified(s, 'LISTRIGHTS')],
  ['SETACL', readSetAcl],
  ['LIST', (s) => ({ name: 'LIST', ...readList(s) })],
  [
    'LSUB',
    (s) => ({
      name: 'LSUB',
      reference: separated(s, (t) => t.astring()),
      pattern: s.listMailbox(),
    }),
  ],
  [
    'STATUS',
    (s) => ({
      name: 'STATUS',
      mailbox: separated(s, (t) => t.astring()),
      items: readStatusItems(s),
    }),
  ],
  ['GETMETADATA', (s) => ({ name: 'GETMETADATA', ...readGetMetadata(s) })],
  ['SETMETADATA', (s) => ({ name: 'SETMETADATA', ...readSetMetadata(s) })],
  ['FETCH', (s) => readFetch(s, false)],
  ['STORE', (s) => readStore(s, false)],
  ['COPY', (s) => readCopy(s, 'COPY', false)],
  ['MOVE', (s) => readCopy(s, 'MOVE', false)],
  ['SEARCH', (s) => ({ name: 'SEARCH', uid: false, ...readSearch(s) })],
  ['SORT', (s) => ({ name: 'SORT', uid: false, ...readSort(s) })],
  ['THREAD', (s) => ({ name: 'THREAD', uid: false, ...readThread(s) })],
  ['UID', readUid],
])

function readUid(scanner: Scanner): Command {
  const name = scanner.word()
  if (name === 'SEARCH') return { name: 'SEARCH', uid: true, ...readSearch(scanner) }
  scanner.space()
  switch (name) {
    case 'SORT':
      return { name, uid: true, ...readSort(scanner) }
    case 'THREAD':
      return { name, uid: true, ...readThread(scanner) }
    case 'FETCH':
      return readFetch(scanner, true)
    case 'STORE':
      return readStore(scanner, true)
    case 'COPY':
    case 'MOVE':
      return readCopy(scanner, name, true)
    case 'EXPUNGE':
      return { name: 'UID EXPUNGE', set: readMessageSet(scanner) }
    default:
      return scanner.fail('Unknown UID command')
  }
}

function words(scanner: Scanner): string[] {
  const all: string[] = []
  do all.push(scanner.word())
  while (scanner.skip(' '))
  return all
}

function readAuthenticate(scanner: Scanner): Command {
  const mechanism = scanner.word()
  if (!scanner.skip(' ')) return { name: 'AUTHENTICATE', mechanism }
  const initial = scanner.text.slice(scanner.position)
  scanner.position = scanner.text.length
  return { name: 'AUTHENTICATE', mechanism, initial }
}

/** RFC 2971 §3.3: no more than 30 fields. */
const ID_FIELDS_MAX = 30

function readIdFields(scanner: Scanner): (readonly [string, string | null])[] {
  if (scanner.peek() !== '(') {
    if (scanner.nstring() !== null) scanner.fail('Expected a list or NIL')
    return []
  }
  const fields = scanner.list((): readonly [string, string | null] => [
    separated(scanner, (s) => s.string()),
    scanner.nstring(),
  ])
  return fields.length > ID_FIELDS_MAX ? scanner.fail('Too many ID fields') : fields
}

function readSelect(scanner: Scanner, name: 'SELECT' | 'EXAMINE'): Command {
  const mailbox = scanner.astring()
  return { name, mailbox, ...readSelectParams(scanner) }
}

function readCreate(scanner: Scanner): Command {
  const mailbox = scanner.astring()
  if (!scanner.skip(' ')) return { name: 'CREATE', mailbox }
  // RFC 6154 §5.2: CREATE name (USE (\Sent))
  let use: SpecialUse | 'other' | undefined
  scanner.list(() => {
    if (scanner.word() !== 'USE') scanner.fail('Unknown CREATE parameter')
    scanner.space()
    const uses = scanner.list(() => {
      scanner.expect('\\')
      return `\\${scanner.word()}`
    })
    if (uses.length > 1) scanner.fail('One special use at most')
    for (const [key, shown] of Object.entries(SPECIAL_USES))
      if (shown.toUpperCase() === uses[0]) use = key as SpecialUse
    if (uses.length === 1) use ??= 'other'
  })
  return { name: 'CREATE', mailbox, ...(use === undefined ? {} : { use }) }
}

function readFetch(scanner: Scanner, uid: boolean): Fetch {
  const set = readMessageSet(scanner)
  scanner.space()
  const items = readFetchItems(scanner)
  return { name: 'FETCH', uid, set, items, ...readFetchModifiers(scanner, uid) }
}

function readFetchModifiers(
  scanner: Scanner,
  uid: boolean,
): Pick<Fetch, 'changedSince' | 'vanished' | 'partial'> {
  let changedSince: bigint | undefined
  let vanished = false
  let partial: PartialRange | undefined
  if (scanner.skip(' '))
    scanner.list(() => {
      const word = scanner.word()
      if (word === 'VANISHED') vanished = true
      else if (word === 'CHANGEDSINCE') {
        scanner.space()
        changedSince = scanner.bigNumber()
      } else if (word === 'PARTIAL' && uid) partial = readPartial(scanner)
      else scanner.fail('Unknown FETCH modifier')
    })
  // RFC 7162 §3.2.6
  if (vanished && !uid) scanner.fail('VANISHED goes with UID FETCH only')
  if (vanished && changedSince === undefined) scanner.fail('VANISHED needs CHANGEDSINCE')
  return {
    ...(changedSince === undefined ? {} : { changedSince }),
    ...(vanished ? { vanished } : {}),
    ...(partial === undefined ? {} : { partial }),
  }
}

function readIdentified(scanner: Scanner, name: 'DELETEACL' | 'LISTRIGHTS'): Command {
  const mailbox = separated(scanner, (s) => s.astring())
  return { name, mailbox, identifier: scanner.astring() }
}

/** RFC 4314 §7: mailbox, identifier, and rights with + or - in front. */
function readSetAcl(scanner: Scanner): Command {
  const mailbox = separated(scanner, (s) => s.astring())
  const identifier = separated(scanner, (s) => s.astring())
  const text = scanner.astring()
  const mode = text.startsWith('+') ? 'add' : text.startsWith('-') ? 'remove' : 'replace'
  const rights = mode === 'replace' ? text : text.slice(1)
  return { name: 'SETACL', mailbox, identifier, mode, rights }
}

const STORE_ITEM = /^([+-]?)FLAGS(\.SILENT)?$/

function readStore(scanner: Scanner, uid: boolean): Store {
  const set = readMessageSet(scanner)
  scanner.space()
  let unchangedSince: bigint | undefined
  if (scanner.peek() === '(') {
    scanner.list(() => {
      if (scanner.word() !== 'UNCHANGEDSINCE') scanner.fail('Unknown STORE modifier')
      scanner.space()
      unchangedSince = scanner.bigNumber()
    })
    scanner.space()
  }
  const item = STORE_ITEM.exec(scanner.word()) ?? scanner.fail('Unknown STORE item')
  scanner.space()
  return {
    name: 'STORE',
    uid,
    set,
    mode: item[1] === '+' ? 'add' : item[1] === '-' ? 'remove' : 'replace',
    silent: item[2] !== undefined,
    flags: readStoreFlags(scanner),
    ...(unchangedSince === undefined ? {} : { unchangedSince }),
  }
}

function readCopy(scanner: Scanner, name: 'COPY' | 'MOVE', uid: boolean): Command {
  const set = separated(scanner, readMessageSet)
  return { name, uid, set, mailbox: scanner.astring() }
}
