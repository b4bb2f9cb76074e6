import type { Account } from '#model/account.ts'
import type { FoundRow, RefusedRow } from './directory-home.ts'
import type { ChangeAuthor } from './directory-log.ts'
import type { DirectoryRow } from './directory.ts'
import type { MemoryDirectory } from './memory-directory.ts'
import type { DirectoryRefusal } from './refusal.ts'

/** Rows stand on those of kinds before theirs. */
const KINDS: readonly string[] = [
  'domain',
  'account',
  'alias',
  'forward',
  'choices',
  'list',
  'member',
]

/**
 * Which of the rows found may be taken, in an order in which they may. What others change has no order of
 * its own: each is tried again while any other goes through.
 */
export function chooseFound(
  directory: MemoryDirectory,
  found: readonly FoundRow[],
  refusalOf: (row: FoundRow) => DirectoryRefusal | undefined,
): { readonly chosen: readonly FoundRow[]; readonly refused: readonly RefusedRow[] } {
  const chosen: FoundRow[] = []
  let left = inOrder(found).map((row) => ({ row, message: '' }))
  const trial = directory.trial()
  try {
    for (let before = left.length + 1; left.length > 0 && left.length < before;) {
      before = left.length
      left = left.flatMap(({ row }) => {
        const settled = settle(directory, row)
        const refusal = refusalOf(settled)
        if (refusal !== undefined) return [{ row, message: refusal.message }]
        trial.put(settled.key, settled.row)
        chosen.push(settled)
        return []
      })
    }
  } finally {
    trial.end()
  }
  return { chosen, refused: left.map(({ row, message }) => ({ key: row.key, message })) }
}

/** Parts of one author, in their order. */
export function byAuthor(
  rows: readonly FoundRow[],
): readonly { readonly by: ChangeAuthor; readonly rows: readonly FoundRow[] }[] {
  const parts: { by: ChangeAuthor; rows: FoundRow[] }[] = []
  for (const row of rows) {
    const last = parts.at(-1)
    if (last?.by.who === row.by.who && last.by.from === row.by.from) last.rows.push(row)
    else parts.push({ by: row.by, rows: [row] })
  }
  return parts
}

function inOrder(found: readonly FoundRow[]): readonly FoundRow[] {
  const place = ({ key }: FoundRow): number => {
    const at = KINDS.indexOf(key.slice(0, key.indexOf(':')))
    return at < 0 ? KINDS.length : at
  }
  const put = found.filter(({ row }) => row !== null)
  const gone = found.filter(({ row }) => row === null)
  return [
    ...gone.toSorted((a, b) => place(b) - place(a)),
    ...put.toSorted((a, b) => place(a) - place(b)),
  ]
}

/**
 * Who sets a password there sets nothing else: keys of SCRAM would let the old one in, and what is
 * remembered of a check is keyed by the version.
 */
function settle(directory: MemoryDirectory, found: FoundRow): FoundRow {
  const { row } = found
  if (row?.kind !== 'account') return found
  const before = directory.account(row.account.id)
  if (before === undefined) return found
  const { credential, credentialVersion, scram } = row.account
  if (credential === before.credential || credentialVersion > before.credentialVersion) return found
  const { scram: _, ...rest } = row.account
  const account: Account = {
    ...rest,
    ...(scram !== undefined && scram !== before.scram && { scram }),
    credentialVersion: before.credentialVersion + 1,
  }
  const settled: DirectoryRow = { kind: 'account', account }
  return { ...found, row: settled, isSettled: true }
}
