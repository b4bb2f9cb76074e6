import { counted } from '#base/text.ts'
import { lexSieve, SieveSyntaxError } from '#codec/sieve/lexer.ts'
import type { SieveToken } from '#codec/sieve/lexer.ts'
import { parseSieve } from '#codec/sieve/parse.ts'
import { compileSieve } from './compile.ts'
import { isSieveExtension } from './extensions.ts'

/** A script of Zimbra as it runs here. */
export interface ZimbraScript {
  readonly text: string
  /** Nothing is lost or sent that a rule which was left out would have kept. */
  readonly mayFilter: boolean
  /** What is not as it was, for its owner. */
  readonly notes: readonly string[]
}

/**
 * Rule by rule: tags and flags become those of IMAP (RFC 5232), what was switched off stays so, and a
 * rule that asks for what only Zimbra has stays as a comment. A script that is no Sieve at all is left as
 * it is. Total.
 */
export function fromZimbra(script: string): ZimbraScript {
  const rules = rulesOf(script)
  // What does not parse as a whole is somebody's own; what is too long is refused as it is.
  if (rules === undefined || !parseSieve(script).ok)
    return { text: script, mayFilter: true, notes: [] }
  const notes: string[] = []
  const asked = new Set(rules.flatMap(requiredBy).filter(isSieveExtension))
  const parts: string[] = []
  let taken = ''
  let left = 0
  let mayFilter = true
  for (const rule of rules) {
    if (rule.tokens[0]!.kind === 'end') parts.push(rule.lead)
    else if (isCommand(rule, 'require')) parts.push(rule.lead.trimStart())
    else {
      const made = translated(rule)
      const fault = faultOf(made.text, [...asked, ...SPOKEN])
      if (fault === undefined) {
        notes.push(...made.notes)
        parts.push(rule.lead, made.text)
        taken += `${made.text}\n`
        if (left > 0 && rule.tokens.some(isLoss)) mayFilter = false
      } else {
        left++
        notes.push(`${nameOf(rule)} is left out, and stays as a comment: ${fault}`)
        parts.push(rule.lead, commented(rule.text, fault))
      }
    }
  }
  if (!mayFilter)
    notes.push(
      `the script is kept switched off: what it discards or sends on could be what ${counted(left, 'rule')} that ${left === 1 ? 'is' : 'are'} left out kept`,
    )
  const needed = neededBy(taken, asked)
  const head = requireOf(needed)
  const text = parts.join('')
  return {
    text: head === '' ? text : `${head}\n${text.replace(/^\s*\n/, '')}`,
    mayFilter,
    notes,
  }
}

/** What scripts of Zimbra say without asking for it, variables excepted: `${…}` was text to them. */
const SPOKEN = [
  'fileinto',
  'copy',
  'reject',
  'ereject',
  'imap4flags',
  'envelope',
  'body',
  'relational',
  'comparator-i;ascii-numeric',
  'date',
  'enotify',
]

/** A top-level command with those that hang on it (elsif, else), and what stands in front of it. */
interface Rule {
  readonly lead: string
  readonly text: string
  /** Where `text` begins in the script. */
  readonly start: number
  readonly tokens: readonly SieveToken[]
}

/** Undefined: it cannot be read. The last one has no command, but what the script ends with. */
function rulesOf(script: string): readonly Rule[] | undefined {
  let tokens: SieveToken[]
  try {
    tokens = lexSieve(script.replace(/^\ufeff/, ' '))
  } catch (thrown) {
    if (!(thrown instanceof SieveSyntaxError)) throw thrown
    return undefined
  }
  const rules: Rule[] = []
  let from = 0
  let first = 0
  let depth = 0
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'mark') depth += '{(['.includes(token.mark) ? 1 : isClosing(token) ? -1 : 0
    const isDone = depth === 0 && token.kind === 'mark' && ';}'.includes(token.mark)
    const next = tokens[at + 1]
    const goesOn = next?.kind === 'identifier' && ['elsif', 'else'].includes(next.text)
    if (token.kind !== 'end' && (!isDone || goesOn)) continue
    const { start } = tokens[first]!
    const lead = script.slice(from, start)
    rules.push({
      lead,
      text: script.slice(start, token.end),
      start,
      tokens: tokens.slice(first, at + 1),
    })
    from = token.end
    first = at + 1
  }
  return rules
}

const isClosing = (token: SieveToken): boolean =>
  token.kind === 'mark' && '})]'.includes(token.mark)

const isCommand = ({ tokens: [first] }: Rule, name: string): boolean =>
  first?.kind === 'identifier' && first.text === name

const requiredBy = (rule: Rule): readonly string[] =>
  isCommand(rule, 'require')
    ? rule.tokens.flatMap((token) => (token.kind === 'string' ? [token.text] : []))
    : []

/** Mail is gone from here after it, or is somewhere else. */
const LOSSES = new Set(['discard', 'reject', 'ereject', 'redirect'])
const isLoss = (token: SieveToken): boolean => token.kind === 'identifier' && LOSSES.has(token.text)

const FLAGS: Readonly<Record<string, string>> = { flagged: '\\Flagged', read: '\\Seen' }

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

function translated(rule: Rule): { readonly text: string; readonly notes: readonly string[] } {
  const { tokens } = rule
  const edits: Edit[] = []
  const notes: string[] = []
  /** Behind the brace of each block that is open, what marks its mail before anything files it. */
  const blocks: { readonly at: number; readonly marks: string[] }[] = [
    { at: rule.start, marks: [] },
  ]
  let isOff = false
  const close = (): void => {
    const { at, marks } = blocks.pop()!
    if (marks.length > 0) edits.push({ start: at, end: at, text: marks.join('') })
  }
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    if (token.kind === 'mark' && token.mark === '{') {
      if (isOff) edits.push({ start: token.start, end: token.start, text: ') ' })
      isOff = false
      blocks.push({ at: token.end, marks: [] })
    } else if (token.kind === 'mark' && token.mark === '}') close()
    else if (token.kind !== 'identifier') continue
    else if (token.text === 'disabled_if') {
      // A comma keeps the test whole, whatever it is.
      edits.push({ start: token.start, end: token.end, text: 'if allof (false,' })
      isOff = true
    } else if (token.text === 'tag' || token.text === 'flag') {
      const [name, end] = [tokens[at + 1], tokens[at + 2]]
      if (name?.kind !== 'string' || end?.kind !== 'mark' || end.mark !== ';') continue
      const flag = token.text === 'tag' ? keywordOf(name.text) : FLAGS[name.text.toLowerCase()]
      if (flag === undefined)
        notes.push(`${nameOf(rule)} marks with ${name.text}, which no mail can be marked with here`)
      else blocks.at(-1)!.marks.push(` addflag "${flag.replaceAll('\\', '\\\\')}";`)
      edits.push({ start: token.start, end: end.end, text: '' })
      at += 2
    }
  }
  while (blocks.length > 0) close()
  return { text: edited(rule, edits), notes }
}

/** A keyword of IMAP (RFC 9051 §9: an atom); undefined: such a tag is none. */
const keywordOf = (tag: string): string | undefined =>
  /^[^\u0000-\u0020\u007f-\uffff(){%*"\\\]]{1,255}$/.test(tag) ? tag : undefined

function edited({ text, start }: Rule, edits: readonly Edit[]): string {
  let made = ''
  let at = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    made += text.slice(at, edit.start - start) + edit.text
    at = edit.end - start
  }
  return made + text.slice(at)
}

/** As people named it: Zimbra writes that in a comment in front of the rule. */
function nameOf({ lead, tokens }: Rule): string {
  const comment = lead.match(/^[ \t]*#[ \t]*(\S[^\r\n]*)$/gm)?.at(-1)
  const name = comment?.replace(/^[ \t]*#[ \t]*/, '').trim()
  return name === undefined ? `the rule at line ${tokens[0]!.line}` : `the rule '${name}'`
}

const requireOf = (extensions: readonly string[]): string =>
  extensions.length === 0 ? '' : `require [${extensions.map((each) => `"${each}"`).join(', ')}];`

function faultOf(rule: string, extensions: readonly string[]): string | undefined {
  const compiled = compileSieve(requireOf([...new Set(extensions)]) + rule)
  return compiled.ok ? undefined : (compiled.error[0]?.message ?? 'it does not compile')
}

/** What was asked for and is known, and of what is only spoken that which cannot be missed. */
function neededBy(body: string, asked: ReadonlySet<string>): readonly string[] {
  let needed = [...new Set([...asked, ...SPOKEN])]
  for (const each of SPOKEN) {
    const without = needed.filter((other) => other !== each)
    if (!asked.has(each) && faultOf(body, without) === undefined) needed = without
  }
  return needed
}

const commented = (text: string, why: string): string =>
  [`# Left out: ${why.replaceAll(/\s+/g, ' ')}`, ...text.split(/\r?\n/)]
    .map((line, at) => (at === 0 ? line : `# ${line}`))
    .join('\n')
