/**
 * True where a field holds addresses, so that the test `address` may look at it (RFC 5228 §5.1). Ids of mails have
 * their form, and scripts of other servers sort by them; what a private field holds nobody can know.
 */
export const holdsAddresses = (name: string): boolean =>
  KNOWN.has(name.replace(/^resent-/, '')) || name.startsWith('x-')

/** Of RFC 5322 §3.6, of IANA's table of message headers, and what is met beside it. */
const KNOWN: ReadonlySet<string> = new Set(
  `from sender reply-to to cc bcc return-path message-id in-reply-to references
  author original-from original-sender apparently-to errors-to mail-from delivered-to
  envelope-from envelope-to original-recipient disposition-notification-to return-receipt-to
  return-receipt-requested read-receipt-to registered-mail-reply-requested-by
  generate-delivery-report mail-followup-to mail-reply-to mailing-list list-id list-owner list-post
  abuse-reports-to for-approval for-comment for-handling approved approved-by content-from`.split(
    /\s+/,
  ),
)
