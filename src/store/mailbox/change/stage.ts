import type { BlobRef, Blobs, Content } from '#store/blob/blobs.ts'
import type { Placed } from './apply.ts'
import { placeBody, stageContent } from '#store/mailbox/rows/content.ts'
import type { MetaParser, PlacedContent, StagedContent } from '#store/mailbox/rows/content.ts'
import type { AccountCommit, CommitRequest, OutboxEntry } from '#store/mailbox/commit.ts'

/** A request whose octets are on their way to the disk. */
export interface Staged {
  /** Places the records; called once, before the flush that makes them durable. */
  place(): Placed
  /** False where there is no record to place. */
  readonly hasRecords: boolean
}

/**
 * Parses contents and gives large ones their files. `files` is told each file as it is made, so that
 * the caller can delete them where this throws or the request comes to nothing.
 */
export async function stageRequest(
  blobs: Blobs,
  request: CommitRequest,
  parser: () => MetaParser,
  files: BlobRef[],
): Promise<Staged> {
  const contents: StagedContent[] = []
  for (const content of request.contents)
    contents.push(await stageContent(blobs, content, parser(), files))
  const outbox: StagedEntry[][] = []
  for (const commit of request.commits) outbox.push(await stageOutbox(blobs, commit, files))
  return {
    hasRecords: contents.length > 0 || outbox.some((entries) => entries.length > 0),
    place: () => {
      const placed = contents.map((content) => content.place())
      return {
        contents: placed,
        outbox: outbox.map((entries) =>
          entries.map(({ entry, place }) => ({ entry, ref: place(placed) })),
        ),
      }
    },
  }
}

interface StagedEntry {
  readonly entry: OutboxEntry
  readonly place: (contents: readonly PlacedContent[]) => BlobRef
}

async function stageOutbox(
  blobs: Blobs,
  commit: AccountCommit,
  files: BlobRef[],
): Promise<StagedEntry[]> {
  const entries: StagedEntry[] = []
  for (const entry of commit.outbox ?? []) {
    const { content } = entry
    if (typeof content === 'number') {
      entries.push({ entry, place: (contents) => contents[content]!.ref })
      continue
    }
    const body = await placeBody(blobs, { octets: [content] }, files)
    entries.push({ entry, place: () => body.ref ?? blobs.append(body.octets) })
  }
  return entries
}

/** True where the request writes octets: that is refused below the reserve. */
export const bringsOctets = (request: CommitRequest): boolean =>
  request.contents.length > 0 || request.commits.some(({ outbox = [] }) => outbox.length > 0)

/** Gives up the files that the request's contents stand in and that have no number yet. */
export async function abortContents(blobs: Blobs, contents: readonly Content[]): Promise<void> {
  for (const content of contents)
    if ('large' in content) await blobs.abortLarge(content.large).catch(() => undefined)
}
