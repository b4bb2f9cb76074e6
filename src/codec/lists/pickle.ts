import { toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

/**
 * A value of Python, as a pickle has it: text of Python 2 is octets in an unknown charset, a dict a Map,
 * a list, tuple or set an array. What would be made by calling something is a PickledObject, and stays one.
 */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Map<unknown, Pickled>
  | PickledObject

/** What another Python would build by running code that the pickle names. Here nothing is run. */
export class PickledObject {
  /** `Mailman.Bouncer._BounceInfo`, or `os.system` of an attacker's. */
  readonly of: string
  readonly parts: readonly Pickled[]
  state: Pickled = null

  constructor(of: string, parts: readonly Pickled[]) {
    this.of = of
    this.parts = parts
  }
}

/** Steps of one pickle at most: a list of 200,000 members has some three million. */
const STEPS_MAX = 20_000_000
const BYTES_MAX = 256 * 1024 * 1024

/**
 * Reads a pickle of protocol 0 to 2 (Python 2, Mailman 2.1's `config.pck`) as data: no name in it is
 * looked up, imported or called. The error says where it is no such pickle.
 */
export function readPickle(octets: Octets): Outcome<Pickled, string> {
  if (octets.length > BYTES_MAX) return err(`the pickle has more than ${BYTES_MAX} octets`)
  const machine = new Machine(octets)
  try {
    return ok(machine.run())
  } catch (thrown) {
    if (thrown instanceof PickleFault) return err(`${thrown.message} (octet ${machine.at})`)
    throw thrown
  }
}

class PickleFault extends Error {}

const MARK = Symbol('mark')

class Machine {
  at = 0
  readonly #octets: Octets
  readonly #view: DataView
  readonly #stack: (Pickled | typeof MARK)[] = []
  readonly #memo = new Map<number, Pickled>()

  constructor(octets: Octets) {
    this.#octets = octets
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  }

  run(): Pickled {
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const code = this.#octets[this.at++]
      if (code === undefined) throw new PickleFault('it ends before its end')
      const name = String.fromCharCode(code)
      if (name === '.') return this.#pop()
      this.#step(name, code)
    }
    throw new PickleFault(`it has more than ${STEPS_MAX} steps`)
  }

  // Opcodes of Python's pickletools, by their letters.
  #step(name: string, code: number): void {
    switch (name) {
      case '(':
        return void this.#stack.push(MARK)
      case '0':
        return void this.#pop()
      case '1':
        return void this.#marked()
      case '2':
        return this.#push(this.#top())
      case 'N':
        return this.#push(null)
      case 'I': {
        const line = this.#line()
        return this.#push(line === '00' ? false : line === '01' ? true : this.#integer(line))
      }
      case 'L':
        return this.#push(this.#integer(this.#line().replace(/L$/, '')))
      case 'F':
        return this.#push(this.#float(this.#line()))
      case 'J':
        return this.#push(this.#view.getInt32(this.#skip(4), true))
      case 'K':
        return this.#push(this.#octets[this.#skip(1)]!)
      case 'M':
        return this.#push(this.#view.getUint16(this.#skip(2), true))
      case 'G':
        return this.#push(this.#view.getFloat64(this.#skip(8), false))
      case 'S':
        return this.#push(quoted(this.#line()))
      case 'T':
        return this.#push(this.#take(this.#view.getInt32(this.#skip(4), true)))
      case 'U':
        return this.#push(this.#take(this.#octets[this.#skip(1)]!))
      case 'V':
        return this.#push(escapedUnicode(this.#line()))
      case 'X':
        return this.#push(utf8(this.#take(this.#view.getUint32(this.#skip(4), true))))
      case ']':
      case ')':
        return this.#push([])
      case '}':
        return this.#push(new Map())
      case 'l':
      case 't':
        return this.#push(this.#marked())
      case 'd':
        return this.#push(this.#filled(new Map(), this.#marked()))
      case 'a': {
        const value = this.#pop()
        return void this.#list().push(value)
      }
      case 'e': {
        const values = this.#marked()
        const list = this.#list()
        for (const value of values) list.push(value)
        return
      }
      case 's': {
        const value = this.#pop()
        const key = this.#pop()
        return void this.#filled(this.#top(), [key, value])
      }
      case 'u': {
        const pairs = this.#marked()
        return void this.#filled(this.#top(), pairs)
      }
      case 'p':
        return void this.#memo.set(this.#memoKey(this.#line()), this.#top())
      case 'q':
        return void this.#memo.set(this.#octets[this.#skip(1)]!, this.#top())
      case 'r':
        return void this.#memo.set(this.#view.getUint32(this.#skip(4), true), this.#top())
      case 'g':
        return this.#push(this.#remembered(this.#memoKey(this.#line())))
      case 'h':
        return this.#push(this.#remembered(this.#octets[this.#skip(1)]!))
      case 'j':
        return this.#push(this.#remembered(this.#view.getUint32(this.#skip(4), true)))
      case 'c':
        return this.#push(new PickledObject(`${this.#line()}.${this.#line()}`, []))
      case 'i': {
        const of = `${this.#line()}.${this.#line()}`
        return this.#push(new PickledObject(of, this.#marked()))
      }
      case 'o': {
        const [of, ...parts] = this.#marked()
        return this.#push(new PickledObject(nameOf(of), parts))
      }
      case 'R':
      case '\u0081': {
        const parts = this.#pop()
        const of = this.#pop()
        return this.#push(new PickledObject(nameOf(of), Array.isArray(parts) ? parts : [parts]))
      }
      case 'b': {
        const state = this.#pop()
        const object = this.#top()
        if (!(object instanceof PickledObject)) throw new PickleFault('it builds what is no object')
        object.state = state
        return
      }
      case '\u0080':
        if (this.#octets[this.#skip(1)]! > 2) throw new PickleFault('its protocol is above 2')
        return
      case '\u0085':
        return this.#push([this.#pop()])
      case '\u0086': {
        const [b, a] = [this.#pop(), this.#pop()]
        return this.#push([a, b])
      }
      case '\u0087': {
        const [c, b, a] = [this.#pop(), this.#pop(), this.#pop()]
        return this.#push([a, b, c])
      }
      case '\u0088':
        return this.#push(true)
      case '\u0089':
        return this.#push(false)
      case '\u008a':
        return this.#push(long(this.#take(this.#octets[this.#skip(1)]!)))
      default:
        throw new PickleFault(`it has the opcode 0x${code.toString(16)}, which is none of Python 2`)
    }
  }

  #push(value: Pickled): void {
    this.#stack.push(value)
  }

  #pop(): Pickled {
    const value = this.#stack.pop()
    if (value === undefined || value === MARK) throw new PickleFault('its stack is empty')
    return value
  }

  #top(): Pickled {
    const value = this.#stack.at(-1)
    if (value === undefined || value === MARK) throw new PickleFault('its stack is empty')
    return value
  }

  #list(): Pickled[] {
    const list = this.#top()
    if (!Array.isArray(list)) throw new PickleFault('it adds to what is no list')
    return list
  }

  /** What was pushed after the last mark. */
  #marked(): Pickled[] {
    const from = this.#stack.lastIndexOf(MARK)
    if (from < 0) throw new PickleFault('it has no mark')
    const values = this.#stack.splice(from).slice(1)
    return values as Pickled[]
  }

  #filled(map: Pickled, pairs: readonly Pickled[]): Pickled {
    // A dict of a class of its own: what it holds is no news to us.
    if (map instanceof PickledObject) return map
    if (!(map instanceof Map)) throw new PickleFault('it sets a key of what is no dict')
    if (pairs.length % 2 > 0) throw new PickleFault('it has a key without a value')
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i]!
      map.set(key instanceof Uint8Array ? toLatin1(key) : key, pairs[i + 1]!)
    }
    return map
  }

  #remembered(key: number): Pickled {
    const value = this.#memo.get(key)
    if (value === undefined) throw new PickleFault('it names what it has not remembered')
    return value
  }

  #memoKey(line: string): number {
    return Number(this.#integer(line))
  }

  #integer(text: string): number | bigint {
    if (!/^-?\d{1,1000}$/.test(text)) throw new PickleFault(`'${text.slice(0, 20)}' is no number`)
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : BigInt(text)
  }

  #float(text: string): number {
    const value = Number(text)
    if (text === '' || Number.isNaN(value))
      throw new PickleFault(`'${text.slice(0, 20)}' is no number`)
    return value
  }

  /** Up to the next line end, which is taken too. */
  #line(): string {
    const end = this.#octets.indexOf(0x0a, this.at)
    if (end < 0) throw new PickleFault('it ends within a line')
    const line = toLatin1(this.#octets.subarray(this.at, end))
    this.at = end + 1
    return line
  }

  #take(length: number): Uint8Array {
    if (length < 0) throw new PickleFault('a length is negative')
    const at = this.#skip(length)
    return this.#octets.subarray(at, at + length)
  }

  #skip(length: number): number {
    const { at } = this
    if (at + length > this.#octets.length) throw new PickleFault('it ends before its end')
    this.at += length
    return at
  }
}

const nameOf = (value: Pickled | undefined): string =>
  value instanceof PickledObject ? value.of : 'something'

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
}

/** Python's repr of octets: `'it\'s \xa4\xa2'`. */
function quoted(line: string): Uint8Array {
  const found = /^(['"])(.*)\1$/s.exec(line)
  if (found === null) throw new PickleFault('a string has no quotes')
  const text = found[2]!.replace(
    /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))/gs,
    (_, hex?: string, octal?: string, one?: string) =>
      hex !== undefined
        ? String.fromCharCode(Number.parseInt(hex, 16))
        : octal !== undefined
          ? String.fromCharCode(Number.parseInt(octal, 8) & 255)
          : (ESCAPES[one!] ?? (one === '\n' ? '' : one!)),
  )
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** Python's raw-unicode-escape: Latin-1 with `\u3042` and `\U0001F600`. */
function escapedUnicode(line: string): string {
  return line.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (whole, short?: string, wide?: string) => {
      const code = Number.parseInt(short ?? wide!, 16)
      return code > 0x10ffff ? whole : String.fromCodePoint(code)
    },
  )
}

const utf8 = (octets: Uint8Array): string => new TextDecoder().decode(octets)

/** Two's complement, least octet first. */
function long(octets: Uint8Array): number | bigint {
  let value = 0n
  for (const octet of octets.toReversed()) value = value * 256n + BigInt(octet)
  const last = octets.at(-1)
  if (last !== undefined && last > 127) value -= 1n << BigInt(8 * octets.length)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
