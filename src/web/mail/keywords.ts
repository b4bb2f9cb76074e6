import type { Mailbox, Row } from './nouns.ts'

/** Keywords that may be set there. */
export const keptBy = ({ myRights }: Mailbox, keywords: Row['keywords']): Row['keywords'] =>
  Object.fromEntries(
    Object.keys(keywords)
      .filter((name) => (name === '$seen' ? myRights.maySetSeen : myRights.maySetKeywords))
      .map((name) => [name, true as const]),
  )

/** Of a row once they are set or taken. */
export const keywordsWith = (
  row: Row,
  change: Readonly<Record<string, boolean>>,
): { readonly keywords: Row['keywords'] } => {
  const names = new Set(Object.keys(row.keywords))
  for (const [name, isSet] of Object.entries(change))
    if (isSet) names.add(name)
    else names.delete(name)
  return { keywords: Object.fromEntries([...names].map((name) => [name, true as const])) }
}

/** As a patch of JMAP has it (RFC 8620 §5.3). */
export const patchOf = (keywords: Readonly<Record<string, boolean>>): Record<string, true | null> =>
  Object.fromEntries(
    Object.entries(keywords).map(([name, isSet]) => [`keywords/${name}`, isSet ? true : null]),
  )
