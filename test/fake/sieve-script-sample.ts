import type { Chance } from './chance.ts'
import type { SampleMail } from './sieve-samples.ts'

const EXTENSIONS = ['fileinto', 'envelope', 'variables', 'body', 'date', 'index', 'imap4flags', 'copy', 'relational', 'comparator-i;ascii-numeric', 'subaddress', 'editheader', 'encoded-character', 'reject'] // prettier-ignore
const NAMES = ['from', 'to', 'cc', 'subject', 'x-num', 'x-multi', 'x-none', 'date', 'received', 'list-id', 'reply-to', 'comment', 'message-id', 'content-type'] // prettier-ignore
const ADDRESS_NAMES = ['from', 'to', 'cc', 'reply-to', 'sender', 'bcc', 'resent-to']
const TEXTS = ['会議のお知らせ', 'Version 1.0 is out', 'a*b?c\\d', 'STRASSE', '', 'x', '5', '007', '42 is it', 'ｶﾀｶﾅ'] // prettier-ignore
const ENVELOPE = ['taro@campus.example', 'hanako@campus.example', 'taro', 'campus.example']
const FLAGS = ['\\Seen', '\\Flagged', '$label1', 'NonJunk', 'a b', '\\seen', 'A', '']
const DATE_PARTS = ['year', 'month', 'day', 'date', 'julian', 'hour', 'minute', 'second', 'time', 'iso8601', 'std11', 'zone', 'weekday'] // prettier-ignore
const DATE_KEYS = ['2026', '2026-09-01', '10', '01', '*0*', '53614', '3', '+0900']
const DEPTH_MAX = 3

const string = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
const list = (texts: readonly string[]): string =>
  texts.length === 1 ? string(texts[0]!) : `[${texts.map(string).join(', ')}]`

/** One valid script about a mail. */
export class SampleScript {
  readonly #chance: Chance
  readonly #mail: SampleMail
  #tests = 0
  /** Pigeonhole does not find the body of a mail that it has edited: a script does one or the other. */
  readonly #edits: boolean

  constructor(chance: Chance, mail: SampleMail) {
    this.#chance = chance
    this.#mail = mail
    this.#edits = chance.one(3)
  }

  text(): string {
    const statements = this.#chance.some(24, () => this.#statement(0))
    return `require ${list(EXTENSIONS)};\r\n${statements.join('')}fileinto "T\${t}";\r\nfileinto "M\${m}";\r\nfileinto "V\${a}|\${b}|\${c_1}|\${f}";\r\n`
  }

  #statement(depth: number): string {
    const { below, of, one } = this.#chance
    switch (below(depth < DEPTH_MAX ? 30 : 9)) {
      case 0:
        return `set ${this.#modifiers()} ${string(of(['a', 'B', 'c_1']))} ${string(this.#expanded())};\r\n`
      case 1:
        return `${of(['setflag', 'addflag', 'removeflag'])} ${one(4) ? '"f" ' : ''}${this.#flags()};\r\n`
      case 2:
        return `keep${one(3) ? ` :flags ${this.#flags()}` : ''};\r\n`
      case 3:
        return `fileinto ${one(3) ? `:flags ${this.#flags()} ` : ''}${of(['"会議"', '"x"', '"INBOX"', ':copy "a/b"'])};\r\n`
      case 4:
        return `redirect ${of([':copy "x@example.com"', '"Name <y@example.com>"'])};\r\n`
      case 5:
        return one(4) ? 'stop;\r\n' : 'discard;\r\n'
      case 6:
        return this.#edits ? this.#edit() : this.#if(depth)
      case 7:
        return one(6) ? 'reject "いいえ";\r\n' : ''
      default:
        return depth < DEPTH_MAX ? this.#if(depth) : ''
    }
  }

  #edit(): string {
    const { of, one } = this.#chance
    const where = one(2) ? `${this.#index()} ` : ''
    return one(2)
      ? `addheader ${one(2) ? ':last ' : ''}${string(of(['subject', 'x-multi', 'x-none']))} ${string(of(TEXTS))};\r\n`
      : `deleteheader ${where}${this.#match({ hasCount: false })} ${string(of(NAMES))}${one(2) ? ` ${this.#keys()}` : ''};\r\n`
  }

  #if(depth: number): string {
    const at = ++this.#tests
    const block = (): string => (this.#chance.one(3) ? this.#statement(depth + 1) : '')
    const rest = this.#chance.one(3)
      ? ` elsif ${this.#test(depth)} { set "t" "\${t}e${at}"; ${block()} } else { ${block()} }`
      : ''
    return `if ${this.#test(depth)} { set "t" "\${t}.${at}"; set "m" "\${1}:\${2}:\${3}"; ${block()}}${rest}\r\n`
  }

  #test(depth: number): string {
    const { below, of, some } = this.#chance
    switch (below(depth < DEPTH_MAX - 1 ? 16 : 12)) {
      case 0:
      case 1:
        return `exists ${this.#names(NAMES)}`
      case 2:
        return `size ${of([':over', ':under'])} ${of(['1', '100', '1K', String(this.#mail.text.length)])}`
      case 3:
      case 4:
      case 5:
        return `address ${this.#placed(`${this.#part()} `)} ${this.#names(ADDRESS_NAMES)} ${this.#keys()}`
      case 6:
        return `envelope ${this.#part()} ${this.#match()} ${list(some(2, () => of(['from', 'To'])))} ${list(some(2, () => this.#altered(of(ENVELOPE))))}`
      case 7:
        return this.#special()
      case 12:
        return `not ${this.#test(depth + 1)}`
      case 13:
      case 14:
        return `${of(['anyof', 'allof'])} (${some(3, () => this.#test(depth + 1)).join(', ')})`
      default:
        return `header ${this.#placed()} ${this.#names(NAMES)} ${this.#keys()}`
    }
  }

  #special(): string {
    const { below, of, one, some } = this.#chance
    switch (below(this.#edits ? 3 : 4)) {
      case 0:
        return `hasflag ${this.#match()} ${one(3) ? '"f" ' : ''}${list(some(2, () => of(['\\Seen', 'A', '$label1', 'nonjunk'])))}`
      case 1:
        return `string ${this.#match({ comparator: ':comparator "i;ascii-casemap"' })} ${list(some(2, () => this.#expanded()))} ${this.#keys()}`
      case 2:
        return `date ${of([':originalzone', ':zone "+0900"', ':zone "-0330"'])} ${this.#placed()} ${of(['"date"', '"received"'])} ${string(of(DATE_PARTS))} ${list(some(2, () => of(DATE_KEYS)))}`
      default:
        return `body ${of(['', ':raw', ':text', ':content "text"', ':content ["multipart", "application"]', ':content ""'])} ${this.#match()} ${this.#keys()}`
    }
  }

  #match({ hasCount = true, comparator = '' } = {}): string {
    const { below, of, one } = this.#chance
    const numeric = ':comparator "i;ascii-numeric"'
    const relation = of(['"gt"', '"ge"', '"lt"', '"le"', '"eq"', '"ne"'])
    const texts = of([comparator, ':comparator "i;octet"', ':comparator "i;ascii-casemap"'])
    switch (below(hasCount ? 9 : 8)) {
      case 0:
        return `:value ${relation} ${one(2) ? numeric : texts}`
      case 1:
        return `:is ${texts}`
      case 2:
        return texts
      case 3:
      case 4:
        return `:contains ${texts}`
      case 8:
        return `:count ${relation} ${numeric}`
      default:
        return `${texts} :matches`
    }
  }

  /** One of a field's occurrences or all, and how they are compared: one that is meant Pigeonhole does not count. */
  #placed(between = ''): string {
    return this.#chance.one(5)
      ? `${this.#index()} ${between}${this.#match({ hasCount: false })}`
      : `${between}${this.#match()}`
  }
  #index(): string {
    return `:index ${1 + this.#chance.below(3)}${this.#chance.one(3) ? ' :last' : ''}`
  }
  #part(): string {
    return this.#chance.of(['', ':all', ':localpart', ':domain', ':user', ':detail'])
  }
  #names(all: readonly string[]): string {
    return list(this.#chance.some(2, () => this.#chance.of(all)))
  }
  #flags(): string {
    return list(this.#chance.some(2, () => this.#chance.of(FLAGS)))
  }
  #modifiers(): string {
    return this.#chance.of(['', '', ':lower', ':upper', ':length', ':quotewildcard', ':lowerfirst', ':upperfirst :lower', ':length :upper']) // prettier-ignore
  }
  #expanded(): string {
    const { of } = this.#chance
    return `${of(['', 'x', '${a}', '${b}', '${1}', '${c_1}', '${unicode:3042}', '${hex:41}', '${A', '$', '${nr}'])}${of(TEXTS)}`
  }
  /** Of what is there, and what is nearly there. */
  #keys(): string {
    const { words } = this.#mail
    return list(this.#chance.some(3, () => this.#altered(this.#chance.of(words.length === 0 ? TEXTS : words)))) // prettier-ignore
  }
  #altered(text: string): string {
    switch (this.#chance.below(9)) {
      case 0:
        return text.toUpperCase()
      case 1:
        return text.slice(this.#chance.below(3))
      case 2:
        return text.slice(0, -1)
      case 3:
        return `*${text.slice(1, -1)}*`
      case 4: // Of letters beyond ASCII `?` is one octet there.
        return /^[ -~]*$/.test(text) ? text.replace(/[a-z0-9]/i, '?') : text
      case 5:
        return text.replace(/(\w).*(\w)/, '$1*$2')
      case 6:
        return this.#chance.of(['', '*', '**', 'a', '1', '${a}'])
      default:
        return text
    }
  }
}
