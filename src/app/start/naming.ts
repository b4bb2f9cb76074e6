import { Fault, isFault } from '#base/outcome.ts'

/** Puts the file's name before a Fault `config` of what is read from it. */
export async function naming<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    if (!isFault(thrown, 'config')) throw thrown
    throw new Fault('config', `${path}: ${thrown.message}`, { cause: thrown })
  }
}
