import { whoIs } from '#engine/list/pasted.ts'
import { memberKey } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'

/** The keys of rows that are named by these, as the API shows them or by whom they mean. */
export async function whichMembers(
  { directory: { directory } }: AdminDeps,
  list: MailingList['id'],
  names: readonly string[],
): Promise<readonly string[]> {
  const keys = new Set<string>()
  for (const name of names) {
    if (directory.member(list, name) !== undefined) {
      keys.add(name)
      continue
    }
    const meant = await whoIs(name, directory)
    if (meant.kind === 'unclear')
      throw new ApiError(
        'conflict',
        meant.isPart === true
          ? `${name} is only a part of a name`
          : `${name} is the name of ${meant.candidates.length} people`,
        'Give a user name or an address. Nothing was changed.',
      )
    // Somebody elsewhere need not be anybody here to be taken out.
    const rows = (['member', 'excluded'] as const).flatMap((as) => {
      const key = meant.kind === 'member' ? memberKey({ who: meant.who, as }) : ''
      return directory.member(list, key) === undefined ? [] : [key]
    })
    if (rows.length === 0)
      throw new ApiError(
        'notFound',
        `${name} has no row in this list`,
        'watari list member ls shows them; who is in by a group is kept out by --exclude. Nothing was changed.',
      )
    for (const key of rows) keys.add(key)
  }
  return [...keys]
}
