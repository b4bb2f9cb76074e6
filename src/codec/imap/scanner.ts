/** What a command does wrong, told to the client with BAD; `text` is one line without its content. */
export class SyntaxFault extends Error {
  readonly text: string
  constructor(text: string) {
    super(text)
    this.name = 'SyntaxFault'
    this.text = text
  }
}

export const NUMBER_MAX = 4_294_967_295
/** Parentheses, NOT and OR inside one another. */
const DEPTH_MAX = 50

// RFC 9051 §9: ATOM-CHAR is any CHAR except atom-specials; octets above 0x7f are taken too, since
// clients send passwords and names in UTF-8 without quoting them.
const ATOM = /[^\u0000-\u0020\u007f(){%*"\\\]]+/y
const ASTRING = /[^\u0000-\u0020\u007f(){%*"\\]+/y
const LIST_MAILBOX = /[^\u0000-\u0020\u007f(){"\\]+/y
const QUOTED = /"((?:[^"\\\r\n\0]|\\["\\])*)"/y
const LITERAL = /~?\{(\d{1,10})\+?\}\r\n/y
const NUMBER = /\d{1,20}/y
const TAG = /[^\u0000-\u0020\u007f-\u00ff(){%*"\\+]+/y

/**
 * Reads one whole command: lines and literals as they came, one character an octet.
 * Each reader throws SyntaxFault where the octets are not what it reads.
 */
export class Scanner {
  readonly text: string
  position = 0
  #depth = 0
  constructor(text: string) {
    this.text = text
  }

  get atEnd(): boolean {
    return this.position >= this.text.length
  }

  peek(): string {
    return this.text.charAt(this.position)
  }

  fail(text: string): never {
    throw new SyntaxFault(text)
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.position = pattern.lastIndex
    return found
  }

  /** Takes `text` if it stands here. */
  skip(text: string): boolean {
    if (!this.text.startsWith(text, this.position)) return false
    this.position += text.length
    return true
  }

  expect(text: string): void {
    if (!this.skip(text)) this.fail(`Expected ${text === ' ' ? 'a space' : text}`)
  }

  space(): void {
    this.expect(' ')
  }

  end(): void {
    // A blank at the end of a line is a common slip of clients and harmless.
    while (this.skip(' '));
    if (!this.atEnd) this.fail('Unexpected argument')
  }

  tag(): string | undefined {
    return this.#match(TAG)?.[0]
  }

  atom(): string {
    return this.#match(ATOM)?.[0] ?? this.fail('Expected an atom')
  }

  /** An atom in upper case: protocol words compare without case. */
  word(): string {
    return this.atom().toUpperCase()
  }

  number(): number {
    const value = Number(this.#match(NUMBER)?.[0] ?? this.fail('Expected a number'))
    return value <= NUMBER_MAX ? value : this.fail('Number too large')
  }

  /** A mod-sequence: up to 63 bits (RFC 7162 §7). */
  bigNumber(): bigint {
    const value = BigInt(this.#match(NUMBER)?.[0] ?? this.fail('Expected a number'))
    return value < 1n << 63n ? value : this.fail('Number too large')
  }

  /** Quoted string or literal. */
  string(): string {
    const quoted = this.#match(QUOTED)
    if (quoted !== undefined) return quoted[1]!.replace(/\\(["\\])/g, '$1')
    return this.#literal() ?? this.fail('Expected a string')
  }

  #literal(): string | undefined {
    const head = this.#match(LITERAL)
    if (head === undefined) return undefined
    const end = this.position + Number(head[1])
    if (end > this.text.length) this.fail('Literal cut short')
    const value = this.text.slice(this.position, end)
    this.position = end
    return value
  }

  get #atString(): boolean {
    return /["{~]/.test(this.peek())
  }

  astring(): string {
    if (
      this.peek() === '~' &&
      !/^~\{\d+\+?\}\r\n/.test(this.text.slice(this.position, this.position + 16))
    )
      return this.#match(ASTRING)![0]
    if (this.#atString) return this.string()
    return this.#match(ASTRING)?.[0] ?? this.fail('Expected a string')
  }

  /** A mailbox name with wildcards (RFC 9051 §9 list-mailbox). */
  listMailbox(): string {
    if (/["{]/.test(this.peek())) return this.string()
    return this.#match(LIST_MAILBOX)?.[0] ?? this.fail('Expected a mailbox pattern')
  }

  nstring(): string | null {
    if (this.text.slice(this.position, this.position + 3).toUpperCase() === 'NIL') {
      this.position += 3
      return null
    }
    return this.string()
  }

  /** `(a b c)`: `item` once for each; an empty list is allowed. */
  list<T>(item: () => T): T[] {
    this.expect('(')
    const items: T[] = []
    if (this.skip(')')) return items
    this.nested(() => {
      do items.push(item())
      while (this.skip(' '))
      this.expect(')')
    })
    return items
  }

  /** Runs `inner` one level deeper; refuses what is nested too deep. */
  nested<T>(inner: () => T): T {
    if (++this.#depth > DEPTH_MAX) this.fail('Nested too deep')
    try {
      return inner()
    } finally {
      this.#depth--
    }
  }
}
