import { foldText } from '#codec/mime/fold-text.ts'
import type { ListMember } from '#model/list-member.ts'
import { withoutVariants } from '#model/name-variants.ts'
import type { Directory } from '#store/directory/directory.ts'
import { memberBody } from './shown.ts'

/** Whether each word is in a member's name, reading or address; case, width, kana and the forms of a kanji do not count. */
export function wordsFind(
  search: string | undefined,
): (now: Directory, row: ListMember) => boolean {
  const words = (search ?? '').split(/\s+/u).map(folded).filter(Boolean)
  if (words.length === 0) return () => true
  return (now, row) => {
    const { address = '', name = '', filter = '' } = memberBody(now, row)
    const account = row.who.kind === 'account' ? now.account(row.who.id) : undefined
    const text = folded([address, name, filter, account?.reading ?? ''].join('\ue000'))
    return words.every((word) => text.includes(word))
  }
}

const folded = (text: string): string => withoutVariants(foldText(text)).trim()
