import i18next from 'i18next'

import type { Desk } from './desk.ts'
import type { Mailbox } from './nouns.ts'

/** What is done with emails, whichever way it was asked for. Each says what happened, or what lacks. */
export class Acts {
  readonly #desk: Desk
  constructor(desk: Desk) {
    this.#desk = desk
  }

  archive(ids: readonly string[]): void {
    this.#into('archive', ids, (count) => i18next.t('told.archived', { count }))
  }

  junk(ids: readonly string[]): void {
    this.#into('junk', ids, (count) => i18next.t('told.junk', { count }), {
      $junk: true,
      $notjunk: false,
    })
  }

  notJunk(ids: readonly string[]): void {
    this.#into('inbox', ids, (count) => i18next.t('told.notJunk', { count }), {
      $junk: false,
      $notjunk: true,
    })
  }

  /** Into the trash; false where they are in it already, and would go for good. */
  trash(ids: readonly string[]): boolean {
    const trash = this.#desk.byRole('trash')
    if (trash !== undefined && ids.every((id) => this.#isIn(id, trash))) return false
    this.#into('trash', ids, (count) => i18next.t('told.trashed', { count }))
    return true
  }

  move(ids: readonly string[], to: Mailbox): void {
    void this.#desk.move(ids, to)
  }

  mark(ids: readonly string[], keyword: string, isSet: boolean): void {
    void this.#desk.mark(ids, keyword, isSet)
  }

  /** Sets the keyword where any lacks it, else takes it from all. */
  toggle(ids: readonly string[], keyword: string): void {
    const isSet = ids.some((id) => this.#desk.row(id)?.keywords[keyword] !== true)
    void this.#desk.mark(ids, keyword, isSet)
  }

  /** Whether they lie in the junk mailbox, or below it. */
  areJunk(ids: readonly string[]): boolean {
    const { mailboxes } = this.#desk
    const isJunk = (id: string): boolean => {
      const box = mailboxes.find((each) => each.id === id)
      return box !== undefined && (box.role === 'junk' || isJunk(box.parentId ?? ''))
    }
    return (
      ids.length > 0 &&
      ids.every((id) => Object.keys(this.#desk.row(id)?.mailboxIds ?? {}).some(isJunk))
    )
  }

  #isIn(id: string, { id: box }: Mailbox): boolean {
    return this.#desk.row(id)?.mailboxIds[box] === true
  }

  // oxlint-disable-next-line max-params -- a line each above
  #into(
    role: string,
    ids: readonly string[],
    said: (count: number) => string,
    keywords: Readonly<Record<string, boolean>> = {},
  ): void {
    const to = this.#desk.byRole(role)
    if (to === undefined)
      return this.#desk.telling.tell(
        i18next.t('told.noMailbox', { box: i18next.t(`box.${role}`) }),
        {
          isTrouble: true,
        },
      )
    void this.#desk.move(ids, to, { keywords, said: said(ids.length) })
  }
}
