import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface RealMail {
  /** Its path in the collection. */
  readonly name: string
  readonly octets: Buffer
}

const ROOT = join(import.meta.dirname, '../..')
const CORPUS = join(ROOT, 'test/corpus/mails')

const SHARED = process.env['WATARI_SHARED']
/** The whole collection: where WATARI_SHARED says, else beside the checkout or that of a worktree. */
const WHOLE = (SHARED === undefined ? [join(ROOT, '../shared'), join(ROOT, '../../shared')] : [SHARED])
  .map((path) => join(path, 'fixtures/mails'))
  .find((path) => existsSync(path))

/** Why a test of the whole collection is skipped, or false. */
export const noWholeCollection =
  WHOLE === undefined && 'no ../shared/fixtures/mails here: only test/corpus/mails'

/** The selection that is always here. */
export const corpusMails = (): readonly RealMail[] => mailsOf(CORPUS)

/** The whole collection where it is here, else the selection. */
export const realMails = (): readonly RealMail[] => mailsOf(WHOLE ?? CORPUS)

const mailsOf = (folder: string): readonly RealMail[] =>
  globSync('**/*.eml', { cwd: folder })
    .toSorted()
    .map((name) => ({ name, octets: readFileSync(join(folder, name)) }))
