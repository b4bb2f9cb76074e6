const OWN = /tag:[^,:@\s"]+,\d{4}(?:-\d{2}){0,2}:own\/([^"]+)"/gi

/** What a script may call a list of one's own (RFC 4151); `own/NAME` in a domain of ours. */
export const ownListTag = (domain: string, name: string): string =>
  `tag:${domain},2026:own/${name.replace(/[%"\\]/g, encodeURIComponent)}`

/** The lists of one's own that a script asks, by their names in small letters. */
export function listsInScript(text: string): ReadonlySet<string> {
  const names = [...text.matchAll(OWN)].map(([, name = '']) =>
    unescaped(name).normalize('NFC').toLowerCase(),
  )
  return new Set(names)
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
