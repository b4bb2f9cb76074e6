import { SELECTED } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done } from '#server/imap/session/completion.ts'
import { may } from '#server/imap/view/rights.ts'
import { expungeSelected } from './expunge.ts'

/** RFC 9051 §6.4.1: expunges without telling. */
export const close: ImapCommand<'CLOSE'> = {
  name: 'CLOSE',
  states: SELECTED,
  async run(session) {
    const { selected } = session
    // RFC 4314 §4: without e it closes, and expunges nothing.
    if (selected !== undefined && !selected.readOnly && may(selected.view.mailbox, 'e')) {
      const refused = await expungeSelected(session, selected, 'all')
      if (refused !== undefined) return refused
    }
    // RFC 7162 §3.2.8. A client that takes it for what it knows would never hear of what others did.
    const isKnown = session.qresync && selected?.endsWithDeleted() === true
    const code = isKnown ? `HIGHESTMODSEQ ${selected.view.mailbox.highestModSeq}` : undefined
    session.deselect()
    return done('Closed', code)
  },
}

/** RFC 9051 §6.4.2, of RFC 3691 §2. */
export const unselect: ImapCommand<'UNSELECT'> = {
  name: 'UNSELECT',
  states: SELECTED,
  run(session) {
    session.deselect()
    return Promise.resolve(done('Unselected'))
  },
}
