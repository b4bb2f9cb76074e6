import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Puts a file in its place whole and durable: after a power loss there is the old one or the new one. */
export async function writeDurable(path: string, text: string, mode: number): Promise<void> {
  const file = await open(`${path}.new`, 'w', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
