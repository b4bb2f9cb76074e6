/** folder: the one of the class below Junk. */
export const JUNK_TARGETS = ['folder', 'junk', 'inbox'] as const
export const FILTER_FIELDS = ['from', 'to', 'cc', 'recipient', 'subject', 'list'] as const
export const FILTER_FLAGS = ['flagged', 'seen'] as const

/** What is answered where nothing was written. */
export const AWAY_TEXT = `ただいま不在にしております。メールは届いておりますので、戻りましたら拝見します。

I am away at the moment. Your mail has arrived, and I will read it when I am back.
`
export const SENDERS_MAX = 1_000
export const SENDER_LISTS_MAX = 50
export const FILTERS_MAX = 100
export const CONDITIONS_MAX = 20
export const VACATION_TEXT_MAX = 10_000
export const VACATION_SUBJECT_MAX = 200
export const VACATION_DAYS_MAX = 30
export const FILTER_TEXT_MAX = 250
/** Of one account at a time: each is a mail to somebody who did not ask for it. */
export const AWAITED_MAX = 5
export const PROVED_MAX = 50
