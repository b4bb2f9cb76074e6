import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Pickled } from './pickle.ts'

/**
 * The settings that `config_list -o` of Mailman 2 writes: a file of Python of which only `name = literal`
 * is read. Nothing of it is run; what is no literal is an error that names its line.
 */
export function readPythonSettings(text: string): Outcome<Map<string, Pickled>, string> {
  const reader = new Reader(text)
  const settings = new Map<string, Pickled>()
  try {
    for (let name = reader.name(); name !== undefined; name = reader.name())
      settings.set(name, reader.literal(0))
    return ok(settings)
  } catch (thrown) {
    if (thrown instanceof SettingsFault) return err(`line ${reader.line}: ${thrown.message}`)
    throw thrown
  }
}

class SettingsFault extends Error {}

const NESTING_MAX = 20

class Reader {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  get line(): number {
    return this.#text.slice(0, this.#at).split('\n').length
  }

  /** The next name that is set; undefined at the end. */
  name(): string | undefined {
    this.#space()
    if (this.#at >= this.#text.length) return undefined
    const [whole, name] = this.#match(/([A-Za-z_][\w.]*)[ \t]*=[ \t]*/y) ?? []
    if (whole === undefined) throw new SettingsFault('here is no `name = value`')
    return name!
  }

  literal(depth: number): Pickled {
    if (depth > NESTING_MAX) throw new SettingsFault('it is nested too deep')
    this.#space()
    const word = this.#match(/(?:None|True|False)\b/y)?.[0]
    if (word !== undefined) return word === 'None' ? null : word === 'True'
    const number = this.#match(/-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?L?/y)?.[0]
    if (number !== undefined) return Number(number.replace(/L$/, ''))
    const sign = this.#text[this.#at]
    if (sign === '[' || sign === '(') return this.#sequence(sign === '[' ? ']' : ')', depth)
    if (sign === '{') return this.#dict(depth)
    return this.#strings()
  }

  #sequence(end: string, depth: number): Pickled[] {
    this.#at++
    const values: Pickled[] = []
    while (!this.#ends(end)) {
      values.push(this.literal(depth + 1))
      this.#comma(end)
    }
    return values
  }

  #dict(depth: number): Map<unknown, Pickled> {
    this.#at++
    const map = new Map<unknown, Pickled>()
    while (!this.#ends('}')) {
      const key = this.literal(depth + 1)
      this.#space()
      if (this.#match(/:/y) === undefined) throw new SettingsFault('a key has no value')
      map.set(key, this.literal(depth + 1))
      this.#comma('}')
    }
    return map
  }

  /** Strings beside one another are one, as Python has it. */
  #strings(): string {
    let found: string | undefined
    for (;;) {
      const open = this.#match(/[uUrRbB]{0,2}("""|'''|"|')/y)
      if (open === undefined) break
      const [whole, quote] = open
      found = (found ?? '') + this.#string(quote!, /r/i.test(whole.slice(0, -quote!.length)))
      this.#match(/[ \t]*/y)
    }
    if (found === undefined) throw new SettingsFault('here is no literal of Python')
    return found
  }

  #string(quote: string, isRaw: boolean): string {
    const from = this.#at
    for (let at = from; ; at++) {
      const char = this.#text[at]
      if (char === undefined || (char === '\n' && quote.length === 1))
        throw new SettingsFault('a string does not end')
      if (char === '\\') at++
      else if (this.#text.startsWith(quote, at)) {
        this.#at = at + quote.length
        const inside = this.#text.slice(from, at)
        return isRaw ? inside : unescaped(inside)
      }
    }
  }

  #ends(end: string): boolean {
    this.#space()
    if (this.#text[this.#at] === undefined) throw new SettingsFault(`there is no ${end}`)
    return this.#text[this.#at] === end && ++this.#at > 0
  }

  #comma(end: string): void {
    this.#space()
    if (this.#match(/,/y) === undefined && this.#text[this.#at] !== end)
      throw new SettingsFault(`there is no comma and no ${end}`)
  }

  /** White space, comments, and lines that are continued. */
  #space(): void {
    this.#match(/(?:\s|#[^\n]*|\\\r?\n)*/y)
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\n': '' }

const unescaped = (text: string): string =>
  text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{1,3})|([\s\S]))/g,
    (_, hex?: string, wide?: string, octal?: string, one?: string) =>
      one === undefined
        ? String.fromCharCode(
            octal === undefined
              ? Number.parseInt(hex ?? wide!, 16)
              : Number.parseInt(octal, 8) & 255,
          )
        : (ESCAPED[one] ?? one),
  )
