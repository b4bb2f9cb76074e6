import { readFile } from 'node:fs/promises'
import { LF, bufferOf, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'

/** The octets of a file; `-` is standard input. */
export async function octetsOf(io: CliIo, file: string): Promise<Octets> {
  if (file === '-') return io.stdin()
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CliError(
      'notFound',
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      'Name a file that is there.',
    )
  }
}

/** The text of a file in UTF-8, which gives the same octets again. */
export async function textOf(io: CliIo, file: string): Promise<string> {
  const octets = await octetsOf(io, file)
  const text = toUtf8Strict(octets)
  if (text !== undefined) return text
  throw new CliError(
    'invalid',
    `${file}, line ${lineOf(octets)}: the text is not UTF-8`,
    'Save it as UTF-8.',
  )
}

/** The first line, from 1, that is not UTF-8. */
function lineOf(octets: Octets): number {
  const all = bufferOf(octets)
  let line = 1
  for (let at = 0; at < all.byteLength; line++) {
    const lf = all.indexOf(LF, at)
    const end = lf < 0 ? all.byteLength : lf + 1
    if (toUtf8Strict(all.subarray(at, end)) === undefined) return line
    at = end
  }
  return line
}

/** A password on standard input: octets up to the end less one final LF (DESIGN section 6), opaque, so in base64. */
export async function passwordBase64(io: CliIo): Promise<string> {
  const octets = Buffer.from(await io.stdin())
  return (octets.at(-1) === LF ? octets.subarray(0, -1) : octets).toString('base64')
}

/** Of what node:fs throws: there is nothing of that name. */
export const isFileAbsent = (thrown: unknown): boolean =>
  (thrown as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
