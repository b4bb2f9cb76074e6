import type { TFunction } from 'i18next'

import { plain } from './nouns.ts'
import type { Mailbox } from './nouns.ts'

const ROLES = new Set(['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash'])
/** Of the mailboxes that every account has, the one without a role whose name says something. */
const SUSPECTED = 'Suspected SPAM'

/** Special mailboxes in the user's language, all others as they were called. */
export function mailboxName(t: TFunction, { role, name }: Pick<Mailbox, 'role' | 'name'>): string {
  if (role !== null && ROLES.has(role)) return t(`box.${role}`)
  return name === SUSPECTED ? t('box.suspected') : plain(name)
}

/** `迷惑メール / SPAM`; `渡辺 太郎 / 会議` where it is somebody else's. */
export function mailboxPath(t: TFunction, mailbox: Mailbox, all: readonly Mailbox[]): string {
  const parent = all.find(({ id }) => id === mailbox.parentId)
  const name = mailboxName(t, mailbox)
  if (parent === undefined && mailbox.owner !== undefined)
    return `${plain(mailbox.owner.name)} / ${name}`
  return parent === undefined ? name : `${mailboxPath(t, parent, all)} / ${name}`
}

/** The mailboxes in the order of their tree, each with its depth. */
export function inTreeOrder(
  all: readonly Mailbox[],
): readonly { readonly mailbox: Mailbox; readonly depth: number }[] {
  const ids = new Set(all.map(({ id }) => id))
  const parentOf = ({ parentId }: Mailbox): string =>
    parentId !== null && ids.has(parentId) ? parentId : ''
  const children = Map.groupBy(all, parentOf)
  const sorted = (list: readonly Mailbox[]): readonly Mailbox[] =>
    list.toSorted((a, b) => a.sortOrder - b.sortOrder || a.name.localeCompare(b.name))
  const below = (id: string, depth: number): ReturnType<typeof inTreeOrder> =>
    depth > 50
      ? []
      : sorted(children.get(id) ?? []).flatMap((mailbox) => [
          { mailbox, depth },
          ...below(mailbox.id, depth + 1),
        ])
  return below('', 0)
}
