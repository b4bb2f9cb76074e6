import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { bufferOf, concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'

/** Contents that were compressed together and become one record; they are read together as well. */
export interface Block {
  readonly octets: Octets
  /** Where each content lies once the block is decompressed, in order. */
  readonly parts: readonly { readonly within: number; readonly length: number }[]
}

/** Octets of content in a block: what reading one of them decompresses. One content may be larger. */
export const BLOCK_BYTES_MAX = 256 * 1024
/** A block never decompresses to more, whatever stands in it. */
const DECOMPRESSED_BYTES_MAX = 2 * BLOCK_BYTES_MAX
const LEVEL = 6

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Compresses contents of one owner, so that a damaged block harms nobody else. */
export async function packBlock(contents: readonly Octets[]): Promise<Block> {
  let within = 0
  const parts = contents.map(({ byteLength: length }) => {
    const part = { within, length }
    within += length
    return part
  })
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL }
  return { octets: await compress(bufferOf(concatOctets(contents)), { params }), parts }
}

/** All contents of a block, one behind the other. Throws Fault `corrupt`. */
export async function unpackBlock(octets: Octets, where: string): Promise<Octets> {
  try {
    return await decompress(octets, { maxOutputLength: DECOMPRESSED_BYTES_MAX })
  } catch (cause) {
    throw new Fault('corrupt', `${where}: the block does not decompress`, { cause })
  }
}
