import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { scriptSays } from '#web/parts/script-says.ts'

/** What is said of a script, in the language of the page. */
export function Said({ message }: { readonly message: string }): ReactNode {
  const { language } = useWords()
  const { text, isOwn } = scriptSays(message, language)
  return <span lang={isOwn ? language : 'en'}>{text}</span>
}
