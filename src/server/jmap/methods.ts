import { blobCopy, emailCopy } from '#server/jmap/email/copy.ts'
import { blobGet } from '#server/jmap/blob/blob-get.ts'
import { blobLookup } from '#server/jmap/blob/blob-lookup.ts'
import { blobUpload } from '#server/jmap/blob/blob-upload.ts'
import { emailChanges, threadChanges } from '#server/jmap/email/email-changes.ts'
import { emailGet, emailParse } from '#server/jmap/email/email-get.ts'
import { emailImport } from '#server/jmap/email/email-import.ts'
import { emailQuery } from '#server/jmap/email/email-query.ts'
import { emailQueryChanges } from '#server/jmap/email/email-query-changes.ts'
import { mailboxChanges, mailboxGet } from '#server/jmap/mailbox/mailbox-get.ts'
import { mailboxQuery, mailboxQueryChanges } from '#server/jmap/mailbox/mailbox-query.ts'
import { emailSet } from '#server/jmap/email/email-set.ts'
import { identityChanges, identityGet } from '#server/jmap/submission/identity.ts'
import { identitySet } from '#server/jmap/submission/identity-set.ts'
import { mailboxSet } from '#server/jmap/mailbox/mailbox-set.ts'
import { emailExpunged, emailRestore } from '#server/jmap/email/expunged.ts'
import { pushSubscriptionGet, pushSubscriptionSet } from '#server/jmap/http/push-subscription.ts'
import {
  quotaChanges,
  quotaGet,
  quotaQuery,
  quotaQueryChanges,
} from '#server/jmap/mailbox/quota.ts'
import { searchSnippetGet } from '#server/jmap/email/search-snippet.ts'
import {
  submissionChanges,
  submissionGet,
  submissionQuery,
  submissionQueryChanges,
} from '#server/jmap/submission/submission.ts'
import { submissionSet } from '#server/jmap/submission/submission-set.ts'
import { scriptGet } from '#server/jmap/sieve/script-get.ts'
import { scriptQuery } from '#server/jmap/sieve/script-query.ts'
import { scriptSet } from '#server/jmap/sieve/script-set.ts'
import { scriptTest } from '#server/jmap/sieve/script-test.ts'
import { scriptValidate } from '#server/jmap/sieve/script-validate.ts'
import { vacationGet, vacationSet } from '#server/jmap/submission/vacation.ts'
import { CORE } from './room.ts'
import type { Method } from './room.ts'
import { threadGet } from '#server/jmap/email/thread.ts'

/** RFC 8620 §4: what came goes back; the dispatcher answers it, with any arguments. */
const echo: Method = {
  name: 'Core/echo',
  capability: CORE,
  args: [],
  run: () => Promise.resolve({}),
}

/** Every method by its name. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  [
    echo,
    mailboxGet,
    mailboxChanges,
    mailboxQuery,
    mailboxQueryChanges,
    threadGet,
    threadChanges,
    emailGet,
    emailChanges,
    emailQuery,
    emailQueryChanges,
    emailParse,
    emailExpunged,
    emailRestore,
    emailSet,
    emailImport,
    mailboxSet,
    searchSnippetGet,
    identityGet,
    identityChanges,
    identitySet,
    submissionGet,
    submissionQuery,
    submissionQueryChanges,
    submissionChanges,
    quotaGet,
    quotaChanges,
    quotaQuery,
    quotaQueryChanges,
    pushSubscriptionGet,
    pushSubscriptionSet,
    emailCopy,
    blobCopy,
    blobUpload,
    blobGet,
    blobLookup,
    submissionSet,
    vacationGet,
    vacationSet,
    scriptGet,
    scriptSet,
    scriptQuery,
    scriptValidate,
    scriptTest,
  ].map((method) => [method.name, method]),
)
