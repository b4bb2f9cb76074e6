/** Blanks around signs, and case, say nothing (RFC 4514 §3, as programs write it). */
export const dnKey = (dn: string): string =>
  dn
    .toLowerCase()
    .normalize('NFC')
    .split(/(?<!\\)[,;]/)
    .map((rdn) => rdn.replace(/^\s*([^=]*?)\s*=\s*/, '$1=').trim())
    .join(',')

/** The first part, for people to know who is meant. */
export const firstOfDn = (dn: string): string => dn.split(/(?<!\\)[,;]/)[0]!
