const UNITS = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const

/** Octets of `2GiB`, `1.5 g`, `40000`; undefined: it is no size. Units are of 1,024, however they are written. */
export function readSize(text: string): number | undefined {
  const [, digits, unit] =
    /^(\d{1,15}(?:\.\d{1,3})?)\s*(?:([kmgt])?(?:i?b)?)?$/i.exec(text.trim()) ?? []
  if (digits === undefined) return undefined
  return Math.round(Number(digits) * UNITS[(unit ?? '').toLowerCase() as keyof typeof UNITS])
}

/** What `readSize` reads as the same octets: `2 GiB`, `1.5 MiB`, `40001`. */
export function writeSize(bytes: number): string {
  for (const unit of ['t', 'g', 'm', 'k'] as const) {
    const text = String(bytes / UNITS[unit])
    if (bytes >= UNITS[unit] && /^\d+(?:\.\d{1,3})?$/.test(text))
      return `${text} ${unit.toUpperCase()}iB`
  }
  return String(bytes)
}
