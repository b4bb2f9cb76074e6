import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { ioFault } from '#store/db/fault.ts'

/** Says whether the disk still answers, though nobody sends mail. */
export interface Probe {
  /**
   * Writes and syncs one octet that has its block already; a store that could not write the last time
   * tries it again. Resolves with what is wrong though all is served, a line each. Throws Fault `io`.
   */
  probe(): Promise<readonly string[]>
}

export async function openProbe(
  dir: string,
  stores: { trial(): Promise<void>; ailments(): readonly string[] },
): Promise<Probe> {
  const path = join(dir, 'probe')
  try {
    const file = await open(path, 'w', 0o600)
    const octet = Buffer.alloc(1)
    await file.write(octet, 0, 1, 0)
    return {
      async probe() {
        try {
          await file.write(octet, 0, 1, 0)
          await file.datasync()
        } catch (thrown) {
          throw ioFault(thrown, path)
        }
        await stores.trial()
        return stores.ailments()
      },
    }
  } catch (thrown) {
    throw ioFault(thrown, path)
  }
}
