import i18next from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import type { TFunction } from 'i18next'

import type { Language } from './times.ts'
import type { Words } from './words.ts'

const STORED = 'watari.language'

/** Begins with the language of the last choice, else of the browser. */
export async function startLanguage(words: Readonly<Record<Language, Words>>): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: firstLanguage(),
    fallbackLng: 'en',
    resources: { en: { translation: words.en }, ja: { translation: words.ja } },
    // Keys have dots of their own; React escapes.
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  })
  document.documentElement.lang = i18next.language
}

function firstLanguage(): Language {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages]
  for (const each of wanted) {
    if (each?.startsWith('ja') === true) return 'ja'
    if (each?.startsWith('en') === true) return 'en'
  }
  return 'en'
}

/** Changes the language now and for the next time. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED, language)
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
}

/** The sentences of the language that is chosen. */
export function useWords(): { readonly t: TFunction; readonly language: Language } {
  const { t, i18n } = useTranslation()
  return { t, language: i18n.language === 'ja' ? 'ja' : 'en' }
}
