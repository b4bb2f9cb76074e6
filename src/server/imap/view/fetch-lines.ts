import { zoneMinutesAt } from '#base/time.ts'
import { formatDateTime } from '#codec/imap/date.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { formatFlags, formatRecentFlags } from '#codec/imap/flags.ts'
import type { Selected } from './selected.ts'

/** FETCH of flags that nobody asked for. */
export function flagLine(
  selected: Selected,
  row: number,
  withModSeq: boolean,
  withUid = false,
): string {
  const { view } = selected
  const uid = withUid || withModSeq ? `UID ${view.uids[row]!} ` : ''
  const modSeq = withModSeq ? ` MODSEQ (${view.modSeqs[row]!})` : ''
  const flags = flagsText(selected, row)
  return `* ${selected.seqOfRow(row)} FETCH (${uid}FLAGS ${flags}${modSeq})`
}

function flagsText(selected: Selected, row: number): string {
  const { flags, mailbox } = selected.view
  const format = selected.isRecentRow(row) ? formatRecentFlags : formatFlags
  return format(flags[row]!, mailbox.keywords)
}

/** A date-time as the clock on this machine's wall had it, by which SEARCH goes too (RFC 9051 §6.4.4). */
export const localDateTime = (ms: number): string => formatDateTime(ms, zoneMinutesAt(ms))

/** An item's text from the view alone; '' where it takes more. */
export function rowValue(selected: Selected, row: number, kind: FetchItem['kind']): string {
  const { view } = selected
  switch (kind) {
    case 'uid':
      return `UID ${view.uids[row]!}`
    case 'flags':
      return `FLAGS ${flagsText(selected, row)}`
    case 'internalDate':
      return `INTERNALDATE ${localDateTime(view.internalDatesMs[row]!)}`
    case 'saveDate':
      return `SAVEDATE ${localDateTime(view.savedAtMs[row]!)}`
    case 'size':
      return `RFC822.SIZE ${view.sizes[row]!}`
    case 'modSeq':
      return `MODSEQ (${view.modSeqs[row]!})`
    default:
      return ''
  }
}
