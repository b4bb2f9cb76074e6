import type { Language } from './times.ts'

import { SCRIPT_SENTENCES } from './script-sentences.ts'

interface Sentence {
  readonly english: RegExp
  readonly japanese: string
  /** Letters that it fixes: of two that fit, the one that says more is meant. */
  readonly weight: number
}

const BLANK = /\{(\w+)\}/g
const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)

const SENTENCES: readonly Sentence[] = SCRIPT_SENTENCES.map(([english, japanese]) => {
  const parts = english.split(/(\{\w+\})/)
  const source = parts.map((each) =>
    /^\{\w+\}$/.test(each) ? `(?<${each.slice(1, -1)}>.+?)` : literally(each),
  )
  return {
    english: new RegExp(`^${source.join('')}$`, 's'),
    japanese,
    weight: english.replace(BLANK, '').length,
  }
}).toSorted((a, b) => b.weight - a.weight)

/** What the checker says of a script, in a language; `isOwn` is false of what there are no words for in it. */
export function scriptSays(
  message: string,
  language: Language,
): { readonly text: string; readonly isOwn: boolean } {
  if (language === 'en') return { text: message, isOwn: true }
  for (const { english, japanese } of SENTENCES) {
    const found = english.exec(message)
    if (found === null) continue
    const text = japanese.replace(BLANK, (_, name: string) => {
      const value = found.groups?.[name] ?? ''
      // What is wrong with a part is a sentence itself.
      return name === 'error' ? scriptSays(value, language).text : value
    })
    return { text, isOwn: true }
  }
  return { text: message, isOwn: false }
}

/** The same of a refusal that names its lines: `line 3: there is no command "x"; line 5: …; and 2 more`. */
export function refusalSays(description: string, language: Language): string {
  if (language === 'en') return description
  const parts = description.split(/; (?=line \d+: |and \d+ more$)/)
  return parts
    .map((part) => {
      const [, line, message] = /^line (\d+): (.*)$/s.exec(part) ?? []
      if (message !== undefined) return `${line} 行目: ${scriptSays(message, language).text}`
      const [, more] = /^and (\d+) more$/.exec(part) ?? []
      return more === undefined ? scriptSays(part, language).text : `ほか ${more} 件`
    })
    .join(' / ')
}
