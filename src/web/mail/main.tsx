import { startPage } from '#web/parts/start.tsx'

import { Coming } from './coming.tsx'
import { EN, JA } from './words.ts'

await startPage({ words: { en: EN, ja: JA }, page: <Coming /> })
