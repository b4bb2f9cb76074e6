import type { Octets } from '#base/octets.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Strict: Buffer.from would skip what it does not know, and two texts would be one password. */
export const fromBase64 = (text: string): Octets | undefined =>
  BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
