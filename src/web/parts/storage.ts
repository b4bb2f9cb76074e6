import type { Language } from './times.ts'

const UNITS = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
] as const

/** Room for mail as limits of it are set: `1.5 GiB`, `0.1 MiB`; what is not empty is never nothing. */
export function storageText(language: Language, bytes: number): string {
  const [unit, factor] = UNITS.find(([, each]) => bytes >= each) ?? ['KiB', 1024]
  const value = bytes === 0 ? 0 : Math.max(bytes / factor, 0.1)
  const digits = value < 100 ? 1 : 0
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)} ${unit}`
}
