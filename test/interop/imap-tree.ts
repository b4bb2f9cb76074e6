/** A parenthesised IMAP value: atoms and numbers as they stand, strings in quotes, NIL as null. */
export type Tree = string | null | readonly Tree[]

/** Reads one value of a response (RFC 9051 §4); `text` holds one character an octet. Throws where it is none. */
export function parseTree(text: string, from = 0): { readonly value: Tree; readonly end: number } {
  if (text[from] === '(') {
    const list: Tree[] = []
    let at = from + 1
    while (text[at] !== ')') {
      const { value, end } = parseTree(text, at)
      list.push(value)
      at = text[end] === ' ' ? end + 1 : end
    }
    return { value: list, end: at + 1 }
  }
  TOKEN.lastIndex = from
  const match = TOKEN.exec(text)
  if (match === null) throw new Error(`no value: ${text.slice(from, from + 80)}`)
  const end = TOKEN.lastIndex
  const [atom, quoted, length] = match
  if (quoted !== undefined) return { value: `"${quoted.replace(/\\(["\\])/g, '$1')}"`, end }
  if (length === undefined) return { value: atom === 'NIL' ? null : atom, end }
  return { value: `"${text.slice(end, end + Number(length))}"`, end: end + Number(length) }
}

const TOKEN = /"((?:[^"\\\r\n]|\\["\\])*)"|\{(\d+)\}\r\n|BODY\[[^\]]*\]|[^\s()"{}\\]+/y
