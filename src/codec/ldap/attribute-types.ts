/** `( 2.5.4.3 NAME ( 'cn' 'commonName' ) …`, as a schema describes an attribute (RFC 4512 §4.1.2). */
const NAMES = /^\s*\(\s*[\w.-]+\s+NAME\s+(?:'([^']+)'|\(([^)]+)\))/

/** The names of the attributes that these describe, in lower case; what describes none is passed over. */
export function attributeNames(descriptions: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const description of descriptions) {
    const [, one, several] = NAMES.exec(description) ?? []
    for (const name of one === undefined ? (several ?? '').split(/[\s']+/) : [one])
      if (name !== '') names.add(name.toLowerCase())
  }
  return names
}
