import '#web/mail/mail.css'
import './settings.css'

import { EN as MAIL_EN } from '#web/mail/words-en.ts'
import { JA as MAIL_JA } from '#web/mail/words-ja.ts'
import { startPage } from '#web/parts/start.tsx'

import { App } from './app.tsx'
import { EN } from './words-en.ts'
import { JA } from './words-ja.ts'

await startPage({
  words: { en: { ...MAIL_EN, ...EN }, ja: { ...MAIL_JA, ...JA } },
  page: <App />,
})
