import { concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { headerLength } from '#codec/mime/header.ts'

import type { SieveEdited } from './action.ts'
import { headerView } from './header-view.ts'
import type { SieveMessage } from './message.ts'

/** The message as the next script finds it, after one that has changed it. */
export function editedMessage(
  message: SieveMessage,
  edited: SieveEdited | undefined,
): SieveMessage {
  if (edited === undefined) return message
  const content = editedOctets(edited, message.content ?? new Uint8Array(0))
  return { ...message, ...headerView(content.subarray(0, headerLength(content))), content }
}

export const editedOctets = (edited: SieveEdited, content: Octets): Octets =>
  edited.kind === 'whole' ? edited.octets : concatOctets([edited.prefix, content])

/** What two scripts have made of a message, one after the other. */
export function afterEdit(
  first: SieveEdited | undefined,
  second: SieveEdited | undefined,
): SieveEdited | undefined {
  if (first === undefined || second === undefined || second.kind === 'whole') return second ?? first
  return first.kind === 'whole'
    ? { kind: 'whole', octets: concatOctets([second.prefix, first.octets]) }
    : { kind: 'prefixed', prefix: concatOctets([second.prefix, first.prefix]) }
}
