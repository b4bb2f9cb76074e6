import type { LdapConnection } from '#client/ldap/connection.ts'
import { searchWhole } from '#client/ldap/search.ts'
import { EntryTextReader } from '#codec/ldap/entry-texts.ts'
import type { EntryTexts } from '#model/directory-entry.ts'

/** Of one attribute of one entry: a group of everybody, twice over. */
const VALUES_MAX = 1_000_000

/** `member;range=0-1499`: the last piece of them would be `1500-*` ([MS-ADTS] §3.1.1.3.1.3.3). */
const PIECE = /^([^;]+);range=(\d+)-(\d+|\*)$/

interface Piece {
  readonly type: string
  readonly name: string
  readonly from: number
  /** The place of its last value; undefined: none follows. */
  readonly to: number | undefined
  readonly values: readonly string[]
}

/** Whether a server has told a part of an attribute, and would tell more. */
export const isCut = ({ hasOptions, texts }: EntryTexts): boolean =>
  hasOptions && piecesOf(texts).some(({ to }) => to !== undefined)

/**
 * The entry with all values of attributes that its server tells piece by piece, as Active Directory does
 * with large groups. One whose server tells anything else than the piece that it is asked for stays cut:
 * half a group would be taken for the whole.
 */
export async function withAllValues(
  connection: LdapConnection,
  entry: EntryTexts,
  options: { readonly answerMs: number },
): Promise<EntryTexts> {
  const texts = new Map(entry.texts)
  for (const piece of piecesOf(entry.texts)) {
    const values = await allOf(connection, { dn: entry.dn, piece }, options)
    if (values === undefined) continue
    texts.delete(piece.type)
    texts.set(piece.name, values)
  }
  return { ...entry, texts }
}

const piecesOf = (texts: EntryTexts['texts']): readonly Piece[] =>
  [...texts].flatMap(([type, values]) => {
    const [, name, from, to] = PIECE.exec(type) ?? []
    if (name === undefined) return []
    return [{ type, name, from: Number(from), to: to === '*' ? undefined : Number(to), values }]
  })

async function allOf(
  connection: LdapConnection,
  { dn, piece }: { readonly dn: string; readonly piece: Piece },
  { answerMs }: { readonly answerMs: number },
): Promise<readonly string[] | undefined> {
  if (piece.from !== 0) return undefined
  const values = [...piece.values]
  let { to } = piece
  while (to !== undefined) {
    if (to + 1 !== values.length || values.length > VALUES_MAX) return undefined
    const from = to + 1
    const filter = { kind: 'present', type: 'objectClass' } as const
    const attributes = [`${piece.name};range=${from}-*`]
    const ask = { base: dn, scope: 'base', filter, attributes } as const
    let next: Piece | undefined
    const reading = { answerMs, readEntryAs: new EntryTextReader().read }
    for await (const entries of searchWhole(connection, ask, reading))
      for (const { texts } of entries)
        next ??= piecesOf(texts).find(({ name }) => name === piece.name)
    if (next?.from !== from || (next.to !== undefined && next.to < from)) return undefined
    for (const value of next.values) values.push(value)
    to = next.to
  }
  return values
}
