import { readFileSync } from 'node:fs'
import { crc32, zstdDecompressSync } from 'node:zlib'
import { HEAD_BYTES, TRAILER_BYTES, checkTrailer, readHead } from '#store/blob/record.ts'
import { JOURNAL_HEAD, ZEROS_BYTES_MIN, journalFiles, journalPath } from './journal-file.ts'
import { decodeJournal } from './journal-record.ts'
import type { JournalRecord } from './journal-record.ts'

/** A record in its turn, or a place where something cannot be read. */
export type JournalStep =
  | { readonly kind: 'record'; readonly record: JournalRecord }
  | { readonly kind: 'damage'; readonly where: string }
  /** The end of a file: `zeros` where it goes on in nothing, as of a process that was killed. */
  | { readonly kind: 'fileEnd'; readonly rest: 'none' | 'zeros' }

/** All that the files of a journal say, in order. What is damaged is passed over to the next record. */
export function* readJournal(dir: string): Generator<JournalStep> {
  for (const number of journalFiles(dir)) yield* readJournalFile(dir, number)
}

export function* readJournalFile(dir: string, number: number): Generator<JournalStep> {
  const path = journalPath(dir, number)
  const octets = readFileSync(path)
  if (!octets.subarray(0, JOURNAL_HEAD.length).equals(JOURNAL_HEAD))
    yield { kind: 'damage', where: `${path} at 0` }
  let at = JOURNAL_HEAD.length
  while (at < octets.length) {
    const where = `${path} at ${at}`
    const read = recordAt(octets, at, where)
    if (read !== undefined) {
      yield { kind: 'record', record: read.record }
      at = read.end
      continue
    }
    if (isZero(octets, at, Math.min(octets.length, at + ZEROS_BYTES_MIN))) {
      const next = octets.indexOf('WREC', at)
      if (next < 0 && octets.length - at >= ZEROS_BYTES_MIN) {
        yield { kind: 'fileEnd', rest: 'zeros' }
        return
      }
    }
    yield { kind: 'damage', where }
    const next = octets.indexOf('WREC', at + 1)
    if (next < 0) break
    at = next
  }
  yield { kind: 'fileEnd', rest: 'none' }
}

function recordAt(
  octets: Buffer,
  at: number,
  where: string,
): { readonly record: JournalRecord; readonly end: number } | undefined {
  try {
    const { length, codec } = readHead(octets.subarray(at, at + HEAD_BYTES), where)
    const from = at + HEAD_BYTES
    const end = from + length + TRAILER_BYTES
    if (end > octets.length) return undefined
    const content = octets.subarray(from, from + length)
    checkTrailer(octets.subarray(from + length, end), crc32(content), where)
    return {
      record: decodeJournal(codec === 'zstd' ? zstdDecompressSync(content) : content, where),
      end,
    }
  } catch {
    return undefined
  }
}

const isZero = (octets: Buffer, from: number, to: number): boolean =>
  octets.subarray(from, to).every((octet) => octet === 0)
