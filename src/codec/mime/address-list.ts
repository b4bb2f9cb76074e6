import type { HeaderAddress } from '#model/message.ts'

/** Addresses of one field that are kept; more are cut off. */
export const ADDRESSES_MAX = 10_000

/**
 * The addresses of a From, To … field, unfolded, one character an octet (RFC 5322 §3.4 with the
 * obsolete forms of §4.4). Total: what is no address becomes one with an empty host, or a name alone.
 * A group begins with {mailbox: its name} and ends with {}.
 */
export function parseAddressList(
  text: string,
  addressesMax = ADDRESSES_MAX,
): readonly HeaderAddress[] {
  const list: HeaderAddress[] = []
  const state = { at: 0 }
  let group = false
  let item = newItem()
  const close = (): void => {
    list.push(...addressesOf(item).slice(0, addressesMax - list.length))
    item = newItem()
  }
  while (state.at < text.length && list.length < addressesMax) {
    const sign = text[state.at]!
    if (sign === ',' || sign === ';') {
      close()
      if (sign === ';' && group) {
        list.push({})
        group = false
      }
      state.at++
    } else if (sign === ':' && !group && item.angle === undefined && !item.hasAt) {
      list.push({ mailbox: wordsOf(item.words) })
      item = newItem()
      group = true
      state.at++
    } else readToken(text, state, item)
  }
  close()
  if (group) list.push({})
  return list
}

interface Word {
  readonly kind: 'atom' | 'quoted' | 'special'
  readonly text: string
  /** White space stood before it. */
  readonly isApart: boolean
}

interface Angle {
  readonly words: readonly Word[]
  /** An old source route (RFC 5322 §4.4 obs-route), without its colon. */
  readonly route?: string
}

interface Item {
  words: Word[]
  comments: string[]
  angle: Angle | undefined
  isApart: boolean
  /** One of the words is `@`. */
  hasAt: boolean
}

const newItem = (): Item => ({
  words: [],
  comments: [],
  angle: undefined,
  isApart: false,
  hasAt: false,
})

function readToken(text: string, state: { at: number }, item: Item): void {
  const sign = text[state.at]!
  if (sign === ' ' || sign === '\t' || sign === '\r' || sign === '\n') {
    item.isApart = true
    state.at++
    return
  }
  if (sign === '(') {
    item.comments.push(readComment(text, state))
    item.isApart = true
    return
  }
  if (sign === '<' && item.angle === undefined) {
    item.angle = readAngle(text, state)
    return
  }
  const word = readWord(text, state, item.isApart)
  item.words.push(word)
  item.hasAt ||= isAt(word)
  item.isApart = false
}

function readWord(text: string, state: { at: number }, isApart: boolean): Word {
  const sign = text[state.at]!
  if (sign === '"') return { kind: 'quoted', text: readQuoted(text, state), isApart }
  if (sign === '[') {
    const end = text.indexOf(']', state.at)
    const literal = text.slice(state.at, end < 0 ? text.length : end + 1)
    state.at += literal.length
    return { kind: 'atom', text: literal, isApart }
  }
  const run = /[^\s()<>[\]:;@\\,"]+/y
  run.lastIndex = state.at
  const match = run.exec(text)
  if (match !== null) {
    state.at += match[0].length
    return { kind: 'atom', text: match[0], isApart }
  }
  state.at++
  return { kind: 'special', text: sign, isApart }
}

/** From `"` to its end, unquoted; an unclosed one ends with the text. */
function readQuoted(text: string, state: { at: number }): string {
  let value = ''
  let at = state.at + 1
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && at + 1 < text.length) at++
    const from = at++
    while (at < text.length && text[at] !== '"' && text[at] !== '\\') at++
    value += text.slice(from, at)
  }
  state.at = at + 1
  return value
}

function readComment(text: string, state: { at: number }): string {
  let depth = 0
  let at = state.at
  const parts: string[] = []
  for (; at < text.length; at++) {
    const sign = text[at]!
    if (sign === '\\' && at + 1 < text.length) parts.push(text[++at]!)
    else if (sign === '(') {
      if (depth++ > 0) parts.push(sign)
    } else if (sign === ')') {
      if (--depth === 0) break
      parts.push(sign)
    } else parts.push(sign)
  }
  state.at = at + 1
  return parts.join('').trim()
}

/** From `<` to `>`; an old source route stands apart from the address (RFC 5322 §4.4). */
function readAngle(text: string, state: { at: number }): Angle {
  state.at++
  let words: Word[] = []
  let route: string | undefined
  let isApart = false
  while (state.at < text.length) {
    const sign = text[state.at]!
    if (sign === '>') {
      state.at++
      break
    }
    if (sign === '(') readComment(text, state)
    else if (/\s/.test(sign)) state.at++
    else if (sign === ':' && words[0]?.text === '@') {
      state.at++
      route ??= joinedText(words)
      words = []
      continue
    } else {
      words.push(readWord(text, state, isApart))
      isApart = false
      continue
    }
    isApart = true
  }
  return { words, ...(route === undefined ? {} : { route }) }
}

function addressesOf(item: Item): readonly HeaderAddress[] {
  const { words } = item
  const comment = item.comments.join(' ')
  const named = (name: string): { readonly name?: string } => (name === '' ? {} : { name })
  if (item.angle !== undefined)
    return [
      { ...named(wordsOf(words) || comment), ...routeOf(item.angle), ...specOf(item.angle.words) },
    ]
  // A comment alone is white space, also among addresses (RFC 5322 §4.4 obs-addr-list).
  if (words.length === 0) return []
  if (!item.hasAt && words.length > 1) return [{ name: wordsOf(words), mailbox: '', host: '' }]
  const begins = specBegins(words)
  const name = wordsOf(words.slice(0, begins[0]))
  return begins.map((begin, i) => ({
    ...named((i === 0 && name) || (i === begins.length - 1 ? comment : '')),
    ...specOf(words.slice(begin, begins[i + 1])),
  }))
}

/**
 * Where addresses begin among words without angle brackets: mail is seen with a name in front of a
 * bare address, and with addresses that only white space parts. White space at dots and `@` parts
 * nothing (RFC 5322 §4.4).
 */
function specBegins(words: readonly Word[]): readonly number[] {
  const begins: number[] = []
  let floor = 0
  for (const [at, word] of words.entries()) {
    if (!isAt(word)) continue
    let begin = at
    while (begin > floor && isJoined(words, begin)) begin--
    // Joined to the address before: `a@b@c` is one.
    if (begins.length === 0 || begin > floor) begins.push(begin)
    floor = at + 1
  }
  return begins.length === 0 ? [0] : begins
}

const isAt = (word: Word): boolean => word.kind === 'special' && word.text === '@'

/** True where the word at `index` belongs to the word in front of it. */
function isJoined(words: readonly Word[], index: number): boolean {
  const word = words[index]!
  const before = words[index - 1]!
  return !word.isApart || isAt(word) || word.text.startsWith('.') || before.text.endsWith('.')
}

/** Local part and host around the last `@`; white space inside them is not theirs (RFC 5322 §4.4). */
const routeOf = ({ route }: Angle): { readonly route?: string } =>
  route === undefined ? {} : { route }

function specOf(words: readonly Word[]): { readonly mailbox: string; readonly host: string } {
  const at = words.findLastIndex(isAt)
  if (at < 0) return { mailbox: joinedText(words), host: '' }
  return { mailbox: joinedText(words.slice(0, at)), host: joinedText(words.slice(at + 1)) }
}

const joinedText = (words: readonly Word[]): string => words.map(({ text }) => text).join('')

const wordsOf = (words: readonly Word[]): string =>
  words.map((word, i) => (word.isApart && i > 0 ? ` ${word.text}` : word.text)).join('')
