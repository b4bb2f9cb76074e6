/** Sets of the documents of one segment, a bit each. */
export type Bits = Uint32Array

export const emptyBits = (count: number): Bits => new Uint32Array((count + 31) >>> 5)

export function fullBits(count: number): Bits {
  const bits = emptyBits(count).fill(0xffff_ffff)
  if ((count & 31) !== 0) bits[bits.length - 1] = 2 ** (count & 31) - 1
  return bits
}

export const hasBit = (bits: Bits, at: number): boolean =>
  ((bits[at >>> 5]! >>> (at & 31)) & 1) === 1

export const setBit = (bits: Bits, at: number): void => {
  bits[at >>> 5]! |= 1 << (at & 31)
}

export function intersect(into: Bits, other: Bits): void {
  for (let at = 0; at < into.length; at++) into[at]! &= other[at]!
}

export function unite(into: Bits, other: Bits): void {
  for (let at = 0; at < into.length; at++) into[at]! |= other[at]!
}

/** Those that are not in it, of a set of `count`. */
export function complement(bits: Bits, count: number): Bits {
  const result = fullBits(count)
  for (let at = 0; at < result.length; at++) result[at]! &= ~bits[at]!
  return result
}

export function countBits(bits: Bits): number {
  let count = 0
  for (const word of bits) {
    let rest = word - ((word >>> 1) & 0x5555_5555)
    rest = (rest & 0x3333_3333) + ((rest >>> 2) & 0x3333_3333)
    count += Math.imul((rest + (rest >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
  }
  return count
}

/** Numbers in the set, ascending. */
export function* numbersOf(bits: Bits): Generator<number> {
  for (let word = 0; word < bits.length; word++)
    for (let rest = bits[word]!; rest !== 0; rest &= rest - 1)
      yield word * 32 + 31 - Math.clz32(rest & -rest)
}
