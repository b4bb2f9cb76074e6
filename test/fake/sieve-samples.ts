import { chanceOf } from './chance.ts'
import type { Chance } from './chance.ts'
import { SampleScript } from './sieve-script-sample.ts'

/** A valid script with a mail that it is about. */
export interface SieveSample {
  readonly script: string
  readonly mail: string
}

/**
 * The same sample for the same seed. The script writes down what each of its tests says and files by it in
 * the end, so that two interpreters that differ in one test differ in what they do. Left out is what
 * Pigeonhole is known to do otherwise (docs/operations/README.md).
 */
export function sieveSample(seed: number): SieveSample {
  const chance = chanceOf(seed)
  const mail = sampleMail(chance)
  return { script: new SampleScript(chance, mail).text(), mail: mail.text }
}

const NAMES = ['from', 'to', 'cc', 'subject', 'x-num', 'x-multi', 'x-none', 'date', 'received', 'list-id', 'reply-to', 'comment', 'message-id'] // prettier-ignore
const ADDRESS_NAMES = new Set(['from', 'to', 'cc', 'reply-to'])
const TEXTS = ['会議のお知らせ', 'Version 1.0 is out', 'a*b?c\\d', 'Straße ÄÖÜ äöü', '[acme] re: 見積', '', 'x', 'two  blanks', '"quoted" text', 'A.B+c (d)', '100 %', '5', '007', '42 is it', 'ｶﾀｶﾅ', 'q=3D'] // prettier-ignore
const ADDRESSES = ['taro@campus.example', 'Hanako.Yamada@Lab.Campus.Example', 'bob+work@example.org', '"a b"@example.com', 'user+@example.org', '+x@example.org', 'a+b+c@example.net', 'root@localhost', 'x_y-z@sub.example.co.jp'] // prettier-ignore
const WRITTEN: readonly ((address: string) => string)[] = [
  (address) => address,
  (address) => `<${address}>`,
  (address) => `Plain Name <${address}>`,
  (address) => `=?utf-8?b?${base64('山田')}?= <${address}>`,
  (address) => `"Last, First" <${address}>`,
  (address) => `${address} (comment)`,
  (address) => `friends: ${address}, z@example.com;`,
]
const BROKEN = ['nonsense', 'stephan@', '@example.org', 'undisclosed-recipients:;', '', 'a b <c', '<>', ',', 'two words'] // prettier-ignore
const DATES = ['Tue, 01 Sep 2026 10:00:00 +0900', 'Sun, 8 Oct 2006 09:15:30 -0430', '31 Dec 1999 23:59:59 GMT', 'Thu, 29 Feb 2024 00:00:00 +0000', 'Mon, 1 Jan 2024 12:34 EST', 'no date', 'Wed, 31 Dec 2025 23:30:00 -0100'] // prettier-ignore
const BODIES = ['plain body\r\n', '本文です。\r\n請求書\r\n', '\r\n', 'a line\r\n\r\nanother line\r\n', 'no end', '<p>Tags &amp; <b>marks</b></p>\r\n'] // prettier-ignore

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const quoted = (text: string): string =>
  [...Buffer.from(text)]
    .map((octet) => String.fromCharCode(octet))
    .map((sign) => (/[A-Za-z0-9_ ]/.test(sign) ? sign : `=${hexOf(sign)}`))
    .join('')
const hexOf = (sign: string): string =>
  sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')

export interface SampleMail {
  readonly text: string
  /** What fields and body hold, to be asked for. */
  readonly words: readonly string[]
}

function sampleMail(chance: Chance): SampleMail {
  const words: string[] = []
  const fields = chance.some(10, () => {
    const name = chance.of(NAMES)
    const value = valueOf(chance, name, words)
    return `${chance.one(4) ? name.toUpperCase() : name}:${chance.of([' ', '  ', ''])}${value}${chance.one(8) ? '  ' : ''}\r\n`
  })
  return { text: `${fields.join('')}${entity(chance, words, 0)}`, words }
}

function valueOf(chance: Chance, name: string, words: string[]): string {
  if (name === 'date') return chance.of(DATES)
  if (name === 'received') return `from a by b; ${chance.of(DATES)}`
  return ADDRESS_NAMES.has(name) ? addresses(chance, words) : written(chance, words)
}

function written(chance: Chance, words: string[]): string {
  const text = chance.of(TEXTS)
  words.push(text)
  switch (chance.below(5)) {
    case 0:
      return `=?utf-8?B?${base64(text)}?=`
    case 1:
      return `=?UTF-8?q?${quoted(text).replaceAll(' ', '_')}?=`
    case 2:
      return text.replace(' ', '\r\n ')
    default:
      return text
  }
}

function addresses(chance: Chance, words: string[]): string {
  if (chance.one(6)) return chance.of(BROKEN)
  const all = chance.some(3, () => {
    const address = chance.of(ADDRESSES)
    words.push(address, ...address.split('@'))
    return chance.of(WRITTEN)(address)
  })
  return all.join(chance.of([', ', ',\r\n ']))
}

/** The MIME fields of a part, a blank line, and what is in it. */
function entity(chance: Chance, words: string[], depth: number): string {
  if (depth < 2 && chance.one(3)) {
    const cut = `cut${depth}`
    const parts = chance.some(3, () => `--${cut}\r\n${entity(chance, words, depth + 1)}\r\n`)
    const kind = chance.of(['mixed', 'alternative'])
    return `Content-Type: multipart/${kind}; boundary="${cut}"\r\n\r\npreamble\r\n${parts.join('')}--${cut}--\r\nepilogue\r\n`
  }
  if (depth > 0 && chance.one(6))
    return `Content-Type: message/rfc822\r\n\r\nSubject: within\r\n${entity(chance, words, 2)}`
  const body = chance.of(BODIES)
  words.push(...body.split('\r\n'))
  const type = chance.of(['text/plain; charset=utf-8', 'text/html; charset=UTF-8', 'application/octet-stream', 'TEXT/Calendar']) // prettier-ignore
  switch (chance.below(4)) {
    case 0:
      return `Content-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(body)}\r\n`
    case 1:
      return `Content-Type: ${type}\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n${body.split('\r\n').map(quoted).join('\r\n')}`
    case 2:
      return `\r\n${body}`
    default:
      return `Content-Type: ${type}\r\n\r\n${body}`
  }
}
