import type { Scanner } from './scanner.ts'

export type StatusItem =
  | 'MESSAGES'
  | 'RECENT'
  | 'UIDNEXT'
  | 'UIDVALIDITY'
  | 'UNSEEN'
  | 'DELETED'
  | 'DELETED-STORAGE'
  | 'SIZE'
  | 'HIGHESTMODSEQ'
  | 'MAILBOXID'
  | 'APPENDLIMIT'

export interface ListOptions {
  readonly subscribed: boolean
  readonly specialUse: boolean
  /** Parents of what is selected are told too, with CHILDINFO. */
  readonly recursive: boolean
}

/** LIST of RFC 9051 §6.3.9 with the options of RFC 5258, RFC 5819 and RFC 6154. */
export interface ListRequest {
  readonly select: ListOptions
  readonly reference: string
  readonly patterns: readonly string[]
  readonly returns: {
    readonly subscribed: boolean
    readonly specialUse: boolean
    readonly children: boolean
    /** RFC 8440. */
    readonly myRights: boolean
    readonly status?: readonly StatusItem[]
  }
  /** True where any option stands: then \HasChildren is told by RFC 5258 only where asked. */
  readonly extended: boolean
}

const STATUS_ITEMS: ReadonlySet<string> = new Set<StatusItem>([
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'DELETED-STORAGE',
  'SIZE',
  'HIGHESTMODSEQ',
  'MAILBOXID',
  'APPENDLIMIT',
])

const PATTERNS_MAX = 100

/** Reads all after `LIST `. */
export function readList(scanner: Scanner): ListRequest {
  const selection = scanner.peek() === '(' ? scanner.list(() => scanner.word()) : undefined
  if (selection !== undefined) scanner.space()
  for (const word of selection ?? [])
    if (!['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE'].includes(word))
      scanner.fail('Unknown selection option')
  const select: ListOptions = {
    subscribed: selection?.includes('SUBSCRIBED') ?? false,
    specialUse: selection?.includes('SPECIAL-USE') ?? false,
    recursive: selection?.includes('RECURSIVEMATCH') ?? false,
  }
  if (select.recursive && !select.subscribed && !select.specialUse)
    scanner.fail('RECURSIVEMATCH needs another selection option') // RFC 5258 §3.1
  const reference = scanner.astring()
  scanner.space()
  const many = scanner.peek() === '('
  const patterns = many ? scanner.list(() => scanner.listMailbox()) : [scanner.listMailbox()]
  if (patterns.length === 0 || patterns.length > PATTERNS_MAX) scanner.fail('Bad pattern list')
  const returns = scanner.skip(' ') ? readReturns(scanner) : undefined
  return {
    select,
    reference,
    patterns,
    returns: returns ?? {
      subscribed: false,
      specialUse: false,
      children: false,
      myRights: false,
    },
    extended: selection !== undefined || many || returns !== undefined,
  }
}

function readReturns(scanner: Scanner): ListRequest['returns'] {
  if (scanner.word() !== 'RETURN') scanner.fail('Expected RETURN')
  scanner.space()
  const words = new Set<string>()
  let status: readonly StatusItem[] | undefined
  scanner.list(() => {
    const word = scanner.word()
    if (word === 'STATUS') {
      scanner.space()
      status = readStatusItems(scanner)
    } else if (!['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE', 'MYRIGHTS'].includes(word))
      scanner.fail('Unknown return option')
    words.add(word)
  })
  return {
    subscribed: words.has('SUBSCRIBED'),
    specialUse: words.has('SPECIAL-USE'),
    children: words.has('CHILDREN'),
    myRights: words.has('MYRIGHTS'),
    ...(status === undefined ? {} : { status }),
  }
}

/** `(MESSAGES UIDNEXT)`. */
export function readStatusItems(scanner: Scanner): readonly StatusItem[] {
  const items = scanner.list(() => {
    const word = scanner.word()
    return STATUS_ITEMS.has(word) ? (word as StatusItem) : scanner.fail('Unknown status item')
  })
  return items.length === 0 ? scanner.fail('No status item') : items
}
