import { CliError } from './io.ts'

/** The list with some in and some out; what is not in it cannot be taken out. */
export function changed(
  before: readonly string[],
  add: readonly string[] = [],
  remove: readonly string[] = [],
): readonly string[] {
  const key = (address: string): string => address.toLowerCase().normalize('NFC')
  const left = new Map(before.map((address) => [key(address), address]))
  for (const address of remove)
    if (!left.delete(key(address)))
      throw new CliError('notFound', `${address} is not among them`, 'watari user show lists them.')
  for (const address of add) left.set(key(address), address)
  return [...left.values()]
}

/** Of an option that may be given again. */
export const collect = (
  value: string,
  before: readonly string[] | undefined,
): readonly string[] => [...(before ?? []), value]
