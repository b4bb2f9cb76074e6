import type { EnvelopeField } from '#codec/mime/message-texts.ts'

/** Where a term may stand: a field of the envelope, any field of the header, or a body. */
export type TextPlaceName = EnvelopeField | 'header' | 'body'

/** What is searched for; terms are folded. Serialisable. */
export type SearchQuery =
  | { readonly kind: 'text'; readonly places: readonly TextPlaceName[]; readonly term: string }
  /** In the values of one field by its lower-case name; an empty term asks whether it is there. */
  | { readonly kind: 'field'; readonly name: string; readonly term: string }
  | { readonly kind: 'and' | 'or'; readonly queries: readonly SearchQuery[] }
  | { readonly kind: 'not'; readonly query: SearchQuery }

export type SearchLeaf = Extract<SearchQuery, { readonly term: string }>

/** Nodes and characters of one query: more cost more than a person ever asks. */
const NODES_MAX = 4_000
const CHARACTERS_MAX = 200_000

/** False for a query that costs too much: it is searched by reading. */
export function isBounded(query: SearchQuery): boolean {
  let nodes = 0
  let characters = 0
  const visit = (node: SearchQuery): boolean => {
    if (++nodes > NODES_MAX) return false
    if ('term' in node) return (characters += node.term.length) <= CHARACTERS_MAX
    return node.kind === 'not' ? visit(node.query) : node.queries.every(visit)
  }
  return visit(query)
}
