import { argon2, timingSafeEqual } from 'node:crypto'
import type { Octets } from '#base/octets.ts'

/** A brought-in hash may ask for more work than ours, but not for all of the machine. */
const MEMORY_KIB_MAX = 1_048_576
const PASSES_MAX = 20

export interface Argon2Work {
  readonly kind: 'argon2id' | 'argon2i' | 'argon2d'
  readonly salt: Buffer
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  readonly tagBytes: number
}

/** The tag of these octets, worked out in a thread of libuv's pool (RFC 9106). */
export const argon2Tag = (password: Octets, work: Argon2Work): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    argon2(
      work.kind,
      {
        message: password,
        nonce: work.salt,
        parallelism: work.lanes,
        tagLength: work.tagBytes,
        memory: work.memoryKib,
        passes: work.passes,
      },
      (cause, tag) => (cause === null ? resolve(tag) : reject(cause)),
    )
  })

export const renderPhc = (work: Argon2Work, tag: Buffer): string =>
  `$${work.kind}$v=19$m=${work.memoryKib},t=${work.passes},p=${work.lanes}$${base64(work.salt)}$${base64(tag)}`

const base64 = (octets: Buffer): string => octets.toString('base64').replaceAll('=', '')

/** How to check a PHC string of argon2; undefined where it is none, or asks for more work than we give. */
export function argon2Check(text: string): ((password: Octets) => Promise<boolean>) | undefined {
  const match =
    /^\$(argon2id|argon2i|argon2d)\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
      text,
    )
  if (match === null) return undefined
  const tag = Buffer.from(match[6]!, 'base64')
  const work: Argon2Work = {
    kind: match[1] as Argon2Work['kind'],
    memoryKib: Number(match[2]),
    passes: Number(match[3]),
    lanes: Number(match[4]),
    salt: Buffer.from(match[5]!, 'base64'),
    tagBytes: tag.length,
  }
  const isSound =
    work.lanes >= 1 &&
    work.memoryKib >= 8 * work.lanes &&
    work.memoryKib <= MEMORY_KIB_MAX &&
    work.passes >= 1 &&
    work.passes <= PASSES_MAX &&
    work.salt.length >= 8 &&
    tag.length >= 4
  if (!isSound) return undefined
  return async (password) => timingSafeEqual(await argon2Tag(password, work), tag)
}
