import { random } from '#test/e2e/random.ts'

/** Choices of a generator: the same for the same seed. */
export interface Chance {
  readonly below: (n: number) => number
  /** True for one of so many. */
  readonly one: (of: number) => boolean
  readonly of: <T>(all: readonly T[]) => T
  /** One to `max` of them. */
  readonly some: <T>(max: number, make: () => T) => T[]
}

export function chanceOf(seed: number): Chance {
  const below = random(seed)
  // The first numbers of near seeds are near.
  for (let i = 0; i < 5; i++) below(2)
  return {
    below,
    one: (of) => below(of) === 0,
    of: (all) => all[below(all.length)]!,
    some: (max, make) => Array.from({ length: 1 + below(max) }, make),
  }
}
