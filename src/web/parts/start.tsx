import '@mantine/core/styles.css'
import './look.css'
import './login.css'

import { createTheme, MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'

import { ApiFailure } from './api.ts'
import { startLanguage } from './language.ts'
import type { Words } from './words.ts'
import type { Language } from './times.ts'
import { EN } from './words-en.ts'
import { JA } from './words-ja.ts'

const FONTS =
  'system-ui, "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, sans-serif'

const theme = createTheme({
  fontFamily: FONTS,
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace',
  headings: { fontFamily: FONTS, fontWeight: '600' },
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 4,
  cursorType: 'pointer',
  respectReducedMotion: true,
})

/** Puts an application of ours on the page: look, language, and the cache of what the server has said. */
export async function startPage(options: {
  /** Beside those that every page says. */
  readonly words: Readonly<Record<Language, Words>>
  readonly page: ReactNode
}): Promise<void> {
  const { en, ja } = options.words
  await startLanguage({ en: { ...EN, ...en }, ja: { ...JA, ...ja } })
  const root = document.querySelector('#root')
  if (root === null) throw new Error('the page has no #root')
  const nonce = document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content ?? ''
  // What was refused is refused again.
  const retry = (count: number, error: Error): boolean =>
    count < 1 && !(error instanceof ApiFailure && error.status >= 400 && error.status < 500)
  const client = new QueryClient({
    defaultOptions: { queries: { retry, staleTime: 2_000, refetchOnWindowFocus: true } },
  })
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={client}>{options.page}</QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
