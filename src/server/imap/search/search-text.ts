import { fromLatin1, toUtf8 } from '#base/octets.ts'
import { foldText } from '#codec/mime/fold-text.ts'

/** What BADCHARSET names (RFC 9051 §6.4.4). */
export const SEARCH_CHARSETS = ['UTF-8', 'US-ASCII', 'ISO-2022-JP', 'SHIFT_JIS', 'EUC-JP'] as const

/** How search texts of that charset are read (one character an octet); undefined for one we do not know. */
export function textReader(charset: string | undefined): ((text: string) => string) | undefined {
  const name = (charset ?? 'UTF-8').toUpperCase()
  if (name === 'UTF-8' || name === 'US-ASCII') return (text) => foldText(toUtf8(fromLatin1(text)))
  const label = name === 'CP932' || name === 'WINDOWS-31J' ? 'SHIFT_JIS' : name
  if (!(SEARCH_CHARSETS as readonly string[]).includes(label)) return undefined
  const decoder = new TextDecoder(label.toLowerCase())
  return (text) => foldText(decoder.decode(fromLatin1(text)))
}
