import { together } from '#web/parts/words.ts'

import { MEMBERS } from './members.ts'
import { MINE } from './mine.ts'
import { POSTS } from './posts.ts'
import { RULES } from './rules.ts'
import { WAITING } from './waiting.ts'

/** Each sentence of the list manager; a page's stand in a file of its own, both languages beside each other. */
export const WORDS = together([MINE, MEMBERS, POSTS, WAITING, RULES])
