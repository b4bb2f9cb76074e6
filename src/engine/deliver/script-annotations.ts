import { isFault } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'
import { endRun } from '#engine/sieve/language.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { AccountId } from '#model/account.ts'
import { annotationOf, annotationText } from '#store/mailbox/kept-object.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { DeliveryMailboxes, ScriptAnnotation } from './delivery-mailboxes.ts'

const EXTENSIONS = ['mboxmetadata', 'servermetadata']
/** How many days a mailbox keeps its messages, as IMAP shows it. */
const RETAIN_ENTRY = '/private/vendor/watari/retain'

/** Characters of all values together: an answer of one machine to another holds them. */
const CHARS_MAX = 4 * 1024 * 1024

/** All that an account's own mailboxes are noted with, as their owner sees it; undefined: too much. */
export async function annotationsOf(
  store: Pick<MailboxStore, 'objects' | 'mailboxes'>,
  accountId: AccountId,
): Promise<readonly ScriptAnnotation[] | undefined> {
  const [{ objects }, { mailboxes }] = await Promise.all([
    store.objects({ accountId, kind: 'Annotation' }),
    store.mailboxes({ accountId }),
  ])
  const chars = objects.reduce((sum, { value }) => sum + String(value['text']).length, 0)
  if (chars > CHARS_MAX) return undefined
  const names = new Map(mailboxes.map(({ id, path }) => [id, path.join('/')]))
  return [
    ...objects.flatMap(({ id, value }): ScriptAnnotation[] => {
      const { mailboxId, entry } = annotationOf(id)
      const text = annotationText(value)
      if (mailboxId === undefined) return [{ entry, value: text }]
      const mailbox = names.get(mailboxId)
      return mailbox === undefined ? [] : [{ mailbox, entry, value: text }] // of others
    }),
    ...mailboxes.flatMap(({ path, retention }): ScriptAnnotation[] =>
      retention === 'inherit'
        ? []
        : [{ mailbox: path.join('/'), entry: RETAIN_ENTRY, value: String(retention) }],
    ),
  ]
}

/** The annotations that the programs may ask for (RFC 5490), fetched before they run; undefined: none of them does. */
export async function annotationsFor(
  mailboxes: Pick<DeliveryMailboxes, 'annotations'>,
  accountId: AccountId,
  programs: readonly SieveProgram[],
): Promise<SieveMessage['annotation']> {
  const isAsking = programs.some(({ extensions }) =>
    EXTENSIONS.some((name) => extensions.has(name)),
  )
  if (!isAsking || mailboxes.annotations === undefined) return undefined
  const found = new Map<string, string>()
  try {
    const { annotations } = await mailboxes.annotations({ accountId })
    if (annotations === undefined) return () => endRun('its mailboxes are noted with too much')
    for (const { mailbox, entry, value } of annotations) found.set(keyOf(mailbox, entry), value)
  } catch (thrown) {
    // An owner of mailboxes that is older than this program tells none.
    if (!isFault(thrown, 'notFound')) throw thrown
  }
  return (mailbox, entry) => found.get(keyOf(mailbox, entry))
}

/** Names of entries have no case (RFC 5464 §3.2), nor has that of the inbox. */
const keyOf = (mailbox: string | undefined, entry: string): string => {
  const name = mailbox === undefined ? '' : ` ${mailbox.normalize('NFC')}`
  return `${asciiLower(entry)}${asciiLower(name) === ' inbox' ? ' INBOX' : name}`
}
