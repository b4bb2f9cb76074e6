import './mail.css'
import './letter.css'

import { startPage } from '#web/parts/start.tsx'

import { App } from './app.tsx'
import { EN } from './words-en.ts'
import { JA } from './words-ja.ts'

await startPage({ words: { en: EN, ja: JA }, page: <App /> })
