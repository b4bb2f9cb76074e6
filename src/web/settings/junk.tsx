import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { JUNK_TARGETS } from '#model/choice-limits.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'

const CLASSES = ['spam', 'suspected'] as const

/** Where junk goes, by its class. */
export function Junk(): ReactNode {
  const { t } = useWords()
  const { view, set } = useChoosing()
  // What is pressed is seen at once, and goes back where it could not be kept.
  const [chosen, setChosen] = useState(view.junk)
  useEffect(() => setChosen(view.junk), [view.junk])
  const choose = async (junk: typeof chosen): Promise<void> => {
    setChosen(junk)
    if (!(await set({ junk }, t('junk.done')))) setChosen(view.junk)
  }
  return (
    <>
      <p className="faint">{t('junk.what')}</p>
      {CLASSES.map((name) => (
        <fieldset key={name} className="sheet">
          <legend>{t(`junk.${name}`)}</legend>
          {JUNK_TARGETS.map((target) => (
            <label key={target} className="check">
              <input
                type="radio"
                name={name}
                checked={chosen[name] === target}
                onChange={() => void choose({ ...chosen, [name]: target })}
              />
              <span>{t(target === 'folder' ? `junk.folder.${name}` : `junk.${target}`)}</span>
            </label>
          ))}
        </fieldset>
      ))}
      <p className="faint">{t('junk.kept')}</p>
    </>
  )
}
