import { useMantineColorScheme } from '@mantine/core'
import type { MantineColorScheme } from '@mantine/core'
import type { ReactNode } from 'react'

import { chooseLanguage, useWords } from './language.ts'

const SCHEMES: readonly MantineColorScheme[] = ['auto', 'light', 'dark']

/** Language and light or dark, as this browser shall have it. */
export function Preferences(): ReactNode {
  const { t, language } = useWords()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <div className="preferences">
      <button
        type="button"
        lang={language === 'ja' ? 'en' : 'ja'}
        onClick={() => void chooseLanguage(language === 'ja' ? 'en' : 'ja')}
      >
        {language === 'ja' ? 'English' : '日本語'}
      </button>
      <select
        aria-label={t('look.scheme')}
        value={colorScheme}
        onChange={(event) => setColorScheme(event.currentTarget.value as MantineColorScheme)}
      >
        {SCHEMES.map((each) => (
          <option key={each} value={each}>
            {t(`look.${each}`)}
          </option>
        ))}
      </select>
    </div>
  )
}
