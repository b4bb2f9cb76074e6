import type { UnixAlias, UnixTarget } from '#codec/unix/aliases.ts'
import type { UnixAccount } from '#codec/unix/passwd.ts'
import type { Census, CensusException, MailGroup } from '#model/person.ts'

/** Below it are accounts of programs (Debian policy 9.2.2), above it nobody. */
const FIRST_PERSON = 1_000
const NOBODY = 65_534
const INCLUDES_MAX = 10

/** People of a Unix system: those that are persons. */
export function fromPasswd(
  lines: readonly (UnixAccount | { readonly line: number; readonly text: string })[],
): Census {
  const exceptions: CensusException[] = []
  const people = lines.flatMap((row) => {
    const source = `line ${row.line}`
    if ('text' in row) {
      exceptions.push({ source, text: `no line of passwd: ${row.text.split(':')[0]}` })
      return []
    }
    if (row.uid < FIRST_PERSON || row.uid === NOBODY) return []
    const username = row.name.toLowerCase()
    return [
      {
        source,
        username,
        ...(row.fullName !== '' && { name: row.fullName }),
        addresses: [],
        // `x` means shadow, `*` and `!` that nobody logs in.
        ...(row.password.startsWith('$') && { passwordHash: `{CRYPT}${row.password}` }),
      },
    ]
  })
  return { people, groups: [], exceptions }
}

/** Aliases; what `:include:` names is asked for, programs and files are told and left. */
export async function fromAliases(
  lines: readonly (UnixAlias | { readonly line: number; readonly text: string })[],
  included: (path: string) => Promise<readonly UnixTarget[] | undefined>,
): Promise<Census> {
  const exceptions: CensusException[] = []
  const groups: MailGroup[] = []
  for (const row of lines) {
    const source = `line ${row.line}`
    if ('text' in row) {
      exceptions.push({ source, text: `no alias: ${row.text}` })
      continue
    }
    const to = new Set<string>()
    const take = async (targets: readonly UnixTarget[], depth: number): Promise<void> => {
      for (const target of targets) {
        if (target.kind === 'address') to.add(target.address.toLowerCase())
        else if (target.kind !== 'include')
          exceptions.push({
            source,
            text: `${row.name}: a ${target.kind} is not taken: ${target.path}`,
          })
        else {
          const inner = depth < INCLUDES_MAX ? await included(target.path) : undefined
          if (inner === undefined)
            exceptions.push({ source, text: `${row.name}: ${target.path} cannot be read` })
          else await take(inner, depth + 1)
        }
      }
    }
    await take(row.to, 0)
    to.delete(row.name.toLowerCase()) // `hanako: hanako, taro` keeps a copy
    if (to.size > 0) groups.push({ source, address: row.name.toLowerCase(), to: [...to] })
  }
  return { people: [], groups, exceptions }
}
