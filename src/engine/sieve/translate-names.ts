import { decodeMailboxName } from '#codec/imap/mailbox-name.ts'
import { lexSieve, SieveSyntaxError } from '#codec/sieve/lexer.ts'
import type { SieveToken } from '#codec/sieve/lexer.ts'

/** How another system wrote the names of mailboxes. */
export interface ForeignNaming {
  readonly separator: string
  /** In front of all but INBOX, separator and all: `INBOX.`; empty: nothing. */
  readonly prefix: string
}

export interface TranslatedName {
  readonly line: number
  readonly before: string
  readonly after: string
}

export interface TranslatedScript {
  /** Octet for octet as it was, but for the names. */
  readonly text: string
  /** Each name that is another now. */
  readonly names: readonly TranslatedName[]
}

type StringToken = SieveToken & { readonly kind: 'string' }

/** A script with its names of mailboxes as they are here; one that is no Sieve at all is left as it is. Total. */
export function translateNames(script: string, naming: ForeignNaming): TranslatedScript {
  const names: TranslatedName[] = []
  let text = ''
  let at = 0
  for (const token of nameTokens(script)) {
    const after = translateName(token.text, naming)
    if (after === token.text) continue
    names.push({ line: token.line, before: token.text, after })
    text += `${script.slice(at, token.start)}"${after.replace(/["\\]/g, '\\$&')}"`
    at = token.end
  }
  return { text: text + script.slice(at), names }
}

/** The names of mailboxes that scripts hold, as they stand there. */
export const namesIn = (script: string): readonly string[] =>
  nameTokens(script).map(({ text }) => text)

/**
 * How a person's scripts wrote names: by INBOX in front of them, by which of them is here if it is read
 * so, or as declared. Undefined: names have dots, and nothing says what those mean.
 */
export function findNaming(
  names: readonly string[],
  rules: {
    readonly declared: Partial<ForeignNaming>
    /** Whether the account has a mailbox of that name here. */
    readonly isThere: (name: string) => boolean
  },
): ForeignNaming | undefined {
  const { declared, isThere } = rules
  const { separator, prefix } = declared
  if (separator !== undefined && prefix !== undefined) return { separator, prefix }
  const found = names.map((name) => /^INBOX([./])/i.exec(name)).find((match) => match !== null)
  const inbox = found?.[1] === undefined ? '' : `INBOX${found[1]}`
  if (separator !== undefined)
    return { separator, prefix: prefix ?? (inbox.endsWith(separator) ? inbox : '') }
  if (prefix !== undefined && prefix !== '') return { separator: prefix.at(-1)!, prefix }
  if (found?.[1] !== undefined) return { separator: found[1], prefix: inbox }
  const dotted = { separator: '.', prefix: '' }
  const plain = { separator: '/', prefix: '' }
  const hits = (naming: ForeignNaming): number =>
    names.filter((name) => isThere(translateName(name, naming))).length
  if (hits(dotted) > hits(plain)) return dotted
  return hits(plain) > 0 || !names.some((name) => name.includes('.')) ? plain : undefined
}

/** What a variable stands for is not known (RFC 5229 §3): around it the name is translated all the same. */
function translateName(name: string, { separator, prefix }: ForeignNaming): string {
  const decoded = fromUtf7(name)
  if (/^INBOX$/i.test(decoded)) return name
  const isPrefixed =
    prefix !== '' && decoded.slice(0, prefix.length).toUpperCase() === prefix.toUpperCase()
  const bare = isPrefixed && decoded.length > prefix.length ? decoded.slice(prefix.length) : decoded
  return bare
    .split(/(\$\{[^}]*\})/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(separator, '/')))
    .join('')
    .replace(/^inbox(?=\/|$)/i, 'INBOX') // whatever its case (RFC 9051 §5.1)
}

/** Modified UTF-7 (RFC 3501 §5.1.3), which older servers take in scripts; Sieve itself says UTF-8. */
function fromUtf7(name: string): string {
  if (!/&[^-]*-/.test(name) || /[^\u0020-\u007e]/.test(name)) return name
  return decodeMailboxName(name) ?? name
}

/** Tags whose string is no mailbox: those of actions, and of match types. */
const OTHERS = new Set(['flags', 'mailboxid', 'specialuse', 'comparator', 'count', 'value'])

/** The strings that name mailboxes: of fileinto, of :fcc, of the tests of mailboxes (RFC 5228 §4.1, RFC 8580, RFC 5490). */
function nameTokens(script: string): StringToken[] {
  let tokens: SieveToken[]
  try {
    tokens = lexSieve(script.replace(/^\ufeff/, ' ')) // everything stays in its place
  } catch (thrown) {
    if (!(thrown instanceof SieveSyntaxError)) throw thrown
    return []
  }
  const found: StringToken[] = []
  let wants: 'one' | 'list' | undefined
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    switch (token.kind) {
      case 'identifier':
        wants = wantedBy(token.text)
        break
      case 'tag':
        if (token.text === 'fcc' && tokens[at + 1]?.kind === 'string')
          found.push(tokens[++at] as StringToken)
        else if (OTHERS.has(token.text)) at = skipped(tokens, at + 1)
        break
      case 'string':
        if (wants !== undefined) found.push(token)
        if (wants === 'one') wants = undefined
        break
      case 'mark':
        if (token.mark === ';' || token.mark === '{' || token.mark === ']') wants = undefined
        break
      case 'number':
      case 'end':
        break
    }
  }
  return found
}

function wantedBy(identifier: string): 'one' | 'list' | undefined {
  if (identifier === 'fileinto' || identifier === 'metadata' || identifier === 'metadataexists')
    return 'one'
  return identifier === 'mailboxexists' ? 'list' : undefined
}

/** The last token of the string or list of strings that begins at `at`. */
function skipped(tokens: readonly SieveToken[], at: number): number {
  const first = tokens[at]
  if (first?.kind !== 'mark' || first.mark !== '[') return first?.kind === 'string' ? at : at - 1
  let end = at
  while (end < tokens.length && !isClose(tokens[end]!)) end++
  return end
}

const isClose = (token: SieveToken): boolean =>
  token.kind === 'end' || (token.kind === 'mark' && token.mark === ']')
