import { together } from '#web/parts/words.ts'

import { ACCESS } from './access.ts'
import { BULK } from './bulk.ts'
import { DESTINATIONS } from './destinations.ts'
import { HOME } from './home.ts'
import { IMPORT } from './import.ts'
import { LIFE } from './life.ts'
import { NODES } from './nodes.ts'
import { OVERVIEW } from './overview.ts'
import { PEOPLE } from './people.ts'
import { QUEUE } from './queue.ts'
import { SETTINGS } from './settings.ts'
import { SIGNING } from './signing.ts'
import { SHELL } from './shell.ts'
import { SOURCES } from './sources.ts'
import { TRACE } from './trace.ts'

/** Each sentence of the console; a page's stand in a file of its own, both languages beside each other. */
export const WORDS = together([
  SHELL,
  OVERVIEW,
  TRACE,
  QUEUE,
  ACCESS,
  DESTINATIONS,
  PEOPLE,
  SOURCES,
  HOME,
  IMPORT,
  BULK,
  LIFE,
  NODES,
  SETTINGS,
  SIGNING,
])
