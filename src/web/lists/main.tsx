import '#web/parts/page.css'
import './lists.css'

import { startPage } from '#web/parts/start.tsx'

import { App } from './app.tsx'
import { WORDS } from './words/all.ts'

await startPage({ words: WORDS, page: <App /> })
