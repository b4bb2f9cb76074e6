import type { BlobRef } from './blobs.ts'
import { recordBytes } from './record.ts'

/** Records that one read of their segment brings. */
export interface Run {
  readonly file: number
  readonly offset: number
  length: number
  /** Which of those asked for, ascending by place. */
  readonly indexes: number[]
}

/** What lies between two records is read along up to here: it costs less than another read. */
const GAP_BYTES_MAX = 16 * 1024
export const RUN_BYTES_MAX = 512 * 1024

/** Groups records of segments by what one read can bring; those of files of their own are left out. */
export function runsOf(refs: readonly BlobRef[]): Run[] {
  const order = [...refs.keys()].filter((index) => refs[index]!.kind === 'segment')
  order.sort((a, b) => refs[a]!.file - refs[b]!.file || refs[a]!.offset - refs[b]!.offset)
  const runs: Run[] = []
  let run: Run | undefined
  for (const index of order) {
    const { file, offset, length } = refs[index]!
    const end = offset + recordBytes(length)
    const isNear =
      run !== undefined &&
      run.file === file &&
      offset - (run.offset + run.length) <= GAP_BYTES_MAX &&
      end - run.offset <= RUN_BYTES_MAX
    if (run === undefined || !isNear) {
      run = { file, offset, length: 0, indexes: [] }
      runs.push(run)
    }
    run.length = Math.max(run.length, end - run.offset)
    run.indexes.push(index)
  }
  return runs
}
