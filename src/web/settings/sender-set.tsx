import { useState } from 'react'
import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { LineForm } from './line-form.tsx'
import { NamedThing } from './named-thing.tsx'

/** `@example.org`, `example.org` or an address, as far as a page can tell; what saves it decides. */
const LIKELY = /^(?:@|[^\s@]+@)?[^\s@.]+(?:\.[^\s@.]+)*$/

/** Senders, added by one or by a pasted column, and taken out again. What is none stays where it was typed. */
export function SenderSet(props: {
  readonly senders: readonly string[]
  readonly save: (senders: readonly string[], said: { readonly added: number }) => Promise<boolean>
  readonly remove: (sender: string) => void
}): ReactNode {
  const { t } = useWords()
  const { senders, save, remove } = props
  const [odd, setOdd] = useState<readonly string[]>([])
  const add = async (text: string): Promise<boolean | string> => {
    // A column of a spreadsheet, or a line: whatever stands between them.
    const all = text.split(/[\s,;、，；]+/).filter((each) => each !== '')
    const wanted = all.filter((each) => LIKELY.test(each))
    const wrong = all.filter((each) => !LIKELY.test(each))
    setOdd(wrong)
    if (wanted.length === 0) return false
    const isDone = await save([...new Set([...senders, ...wanted])], { added: wanted.length })
    return isDone && wrong.length > 0 ? wrong.join(' ') : isDone
  }
  return (
    <>
      <LineForm
        label={t('senders.new')}
        hint={t('senders.hint')}
        word={t('add')}
        done={add}
        {...(odd.length > 0 && {
          fault: t('senders.odd', { count: odd.length, which: odd.slice(0, 5).join(' ') }),
        })}
      />
      {senders.length === 0 && <p className="faint">{t('senders.none')}</p>}
      <ul className="things">
        {senders.map((sender) => (
          <NamedThing key={sender} name={sender} remove={() => remove(sender)} />
        ))}
      </ul>
    </>
  )
}
