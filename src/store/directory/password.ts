import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Octets } from '#base/octets.ts'

/** DESIGN section 5: 19 MiB and 2 passes, about 29 ms of one core. */
const MEMORY_KIB = 19_456
const PASSES = 2
const SALT_BYTES = 16
const TAG_BYTES = 32
const PASSWORD_BYTES_MAX = 1_000
/** A brought-in hash may ask for more work than ours, but not for all of the machine. */
const MEMORY_KIB_MAX = 1_048_576
const PASSES_MAX = 20

/** A new argon2id hash as a PHC string. The password must be a possible one. */
export async function hashPassword(password: Octets): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const tag = await derive(password, {
    salt,
    memory: MEMORY_KIB,
    passes: PASSES,
    lanes: 1,
    bytes: TAG_BYTES,
  })
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${base64(salt)}$${base64(tag)}`
}

/** Opaque octets, 1 to 1,000 of them, without NUL, CR and LF. */
export const isPassword = (password: Octets): boolean =>
  password.byteLength >= 1 &&
  password.byteLength <= PASSWORD_BYTES_MAX &&
  !password.some((octet) => octet === 0x00 || octet === 0x0a || octet === 0x0d)

/** True where the password is the one of the hash. A hash that cannot be read matches nothing, after the same work. */
export async function verifyPassword(password: Octets, hash: string | undefined): Promise<boolean> {
  const parsed = hash === undefined ? undefined : parsePhc(hash)
  const { salt, memory, passes, lanes, tag } = parsed ?? UNKNOWN
  const found = await derive(password, { salt, memory, passes, lanes, bytes: tag.byteLength })
  return parsed !== undefined && timingSafeEqual(found, tag)
}

interface Phc {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Buffer
  readonly tag: Buffer
}

/** What is worked on where there is no such account: as costly as a real one. */
const UNKNOWN: Phc = {
  memory: MEMORY_KIB,
  passes: PASSES,
  lanes: 1,
  salt: Buffer.alloc(SALT_BYTES, 7),
  tag: Buffer.alloc(TAG_BYTES),
}

function parsePhc(text: string): Phc | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
      text,
    )
  if (match === null) return undefined
  const phc = {
    memory: Number(match[1]),
    passes: Number(match[2]),
    lanes: Number(match[3]),
    salt: Buffer.from(match[4]!, 'base64'),
    tag: Buffer.from(match[5]!, 'base64'),
  }
  const sound =
    phc.lanes >= 1 &&
    phc.memory >= 8 * phc.lanes &&
    phc.memory <= MEMORY_KIB_MAX &&
    phc.passes >= 1 &&
    phc.passes <= PASSES_MAX &&
    phc.salt.byteLength >= 8 &&
    phc.tag.byteLength >= 4
  return sound ? phc : undefined
}

interface Work {
  readonly salt: Buffer
  readonly memory: number
  readonly passes: number
  readonly lanes: number
  readonly bytes: number
}

const derive = (password: Octets, work: Work): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: password,
        nonce: work.salt,
        parallelism: work.lanes,
        tagLength: work.bytes,
        memory: work.memory,
        passes: work.passes,
      },
      (cause, tag) => (cause === null ? resolve(tag) : reject(cause)),
    )
  })

const base64 = (octets: Buffer): string => octets.toString('base64').replaceAll('=', '')
