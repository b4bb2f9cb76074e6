import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { DirectoryMaps } from './directory-maps.ts'
import type { DirectoryParts } from './directory-maps.ts'
import type { DirectoryImages } from './image-file.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { imageOf, readImage } from './packed/image.ts'
import { readChanges, readWhole } from './rows-text.ts'
import type { RowsText } from './rows-text.ts'

/** Raised with each change of what rows are found by, or of how they lie in memory. */
const IMAGE_FORM = 4
const PAGE_CHANGES = 2_000
const PIECE_BYTES = 4 * 1024 * 1024

interface ImageHead extends Omit<DirectoryParts, 'packed'> {
  readonly form: number
  readonly seq: number
  readonly lineage: string
}

/**
 * A directory as the database has it, in the place of what it held: from the image and what came after
 * it, or row by row where there is none, or none that can be believed.
 */
export async function loadDirectory(
  directory: MemoryDirectory,
  from: {
    readonly rows: (ask: { readonly after: number; readonly limit: number }) => Promise<RowsText>
    readonly images?: DirectoryImages | undefined
  },
): Promise<{ readonly fromImage: boolean }> {
  const { images } = from
  if (images !== undefined) {
    const found = await imagedDirectory(images)
    if (found.ok) {
      const { seq, maps } = found.value
      directory.replace(seq, maps)
      return { fromImage: true }
    }
    if (found.error === 'wrong') await images.dropImage()
  }
  const { seq, maps } = await readWhole(from.rows)
  directory.replace(seq, maps)
  return { fromImage: false }
}

/** none: there is no image that can be read. wrong: what it tells is not what the database says. */
async function imagedDirectory(
  images: DirectoryImages,
): Promise<Outcome<{ readonly seq: number; readonly maps: DirectoryMaps }, 'none' | 'wrong'>> {
  const image = await readImage(async (at) => (await images.readImage({ at })).octets)
  if (image === undefined) return err('none')
  const head = image.head as ImageHead
  if (head.form !== IMAGE_FORM) return err('wrong')
  const packed = image.kinds as DirectoryParts['packed']
  const held = new MemoryDirectory([], head.seq)
  const maps = new DirectoryMaps({ ...head, packed })
  if (!maps.isSound()) return err('wrong')
  held.replace(head.seq, maps)
  for (;;) {
    const page = await images.since({ since: held.seq, limit: PAGE_CHANGES })
    if (page.lineage !== head.lineage || page.isCut || page.seq < held.seq) return err('wrong')
    held.apply(readChanges(page))
    if (page.last === undefined || held.seq >= page.seq) {
      return held.seq === page.seq ? ok({ seq: held.seq, maps }) : err('wrong')
    }
  }
}

/**
 * Writes an image of the directory as it stands now, and keeps it where it is still one of that
 * directory when it is whole. A disk without room for it has none.
 */
export async function saveImage(
  directory: MemoryDirectory,
  images: DirectoryImages,
  isStill: () => boolean,
): Promise<void> {
  const { lineage } = await images.since({ since: directory.seq, limit: 1 })
  const seq = directory.seq
  const { packed, few, scram } = directory.parts()
  const head: ImageHead = { form: IMAGE_FORM, seq, lineage, few, scram }
  let at = 0
  let piece: Uint8Array[] = []
  let length = 0
  const write = async (): Promise<boolean> => {
    const { isTaken } = await images.writeImage({ at, octets: Buffer.concat(piece, length) })
    at += length
    piece = []
    length = 0
    return isTaken
  }
  for (const octets of imageOf(head, packed)) {
    piece.push(octets)
    length += octets.length
    if (length >= PIECE_BYTES && !(await write())) return
  }
  if (length > 0 && !(await write())) return
  if (isStill()) await images.keepImage({ seq })
}
