import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const MAC_BYTES = 10

/** A secret of one list: whatever comes back to the list with a mark made by it was sent out by us. */
export const newListKey = (): string => randomBytes(24).toString('hex')

/** The mark of what is said, 20 signs: nobody makes one without the key, nor takes it for another. */
export const mark = (key: string, ...said: readonly (string | number)[]): string =>
  createHmac('sha256', key)
    .update(JSON.stringify(said))
    .digest('hex')
    .slice(0, 2 * MAC_BYTES)

/** Whether it is the mark of that; programs on the way may have changed its case. */
export function isMark(text: string, key: string, ...said: readonly (string | number)[]): boolean {
  const given = Buffer.from(text.toLowerCase())
  const right = Buffer.from(mark(key, ...said))
  return given.length === right.length && timingSafeEqual(given, right)
}
