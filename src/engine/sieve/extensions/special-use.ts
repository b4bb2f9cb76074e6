import { checkedText, checkedTexts } from '#engine/sieve/arguments.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import type { SieveTarget } from '#engine/sieve/action.ts'
import type { SieveRun } from '#engine/sieve/run.ts'

/** Takes `:specialuse` or `:mailboxid`: which mailbox is meant before the one of the name. */
export function takePlace(
  args: Arguments,
): (run: SieveRun) => Pick<SieveTarget, 'specialUse' | 'mailboxId'> {
  // RFC 9042 §4.2
  if (args.stands('specialuse') && args.stands('mailboxid'))
    fail(':specialuse and :mailboxid exclude one another')
  const use = args.tagText('specialuse', 'special-use')
  const id = args.tagText('mailboxid', 'mailboxid')
  if (use === undefined && id === undefined) return () => ({})
  const checked = use && checkedText(use, attribute)
  return (run) => ({
    ...(checked !== undefined && { specialUse: checked.of(run) }),
    ...(id !== undefined && { mailboxId: id.of(run) }),
  })
}

/** RFC 6154 §2: `\Sent`. */
const attribute = (text: string): string =>
  /^\\[A-Za-z0-9-]{1,60}$/.test(text) ? text : fail(`"${text}" is no special use`)

const specialuseExists: SieveTestRule = {
  needs: 'special-use',
  compile(args) {
    const first = args.texts('a mailbox or special uses')
    const second = args.left > 0 ? args.texts('special uses') : undefined
    const uses = checkedTexts(second ?? first, (texts) => texts.map(attribute))
    return (run) => {
      const { mailboxOf } = run.message
      const places = uses.of(run).map((use) => mailboxOf?.({ specialUse: use }))
      if (second === undefined) return places.every((place) => place !== undefined)
      // Both: one mailbox that has all of them (RFC 8579 §3).
      const [name = ''] = first.of(run)
      return places.every((place) => place === name)
    }
  },
}

export const specialUse: SieveExtension = {
  names: { 'special-use': 'RFC 8579' },
  tests: { specialuse_exists: specialuseExists },
}

const mailboxIdExists: SieveTestRule = {
  needs: 'mailboxid',
  compile(args) {
    const ids = args.texts('ids of mailboxes')
    return (run) =>
      ids.of(run).every((mailboxId) => run.message.mailboxOf?.({ mailboxId }) !== undefined)
  },
}

export const mailboxId: SieveExtension = {
  names: { mailboxid: 'RFC 9042' },
  tests: { mailboxidexists: mailboxIdExists },
}
