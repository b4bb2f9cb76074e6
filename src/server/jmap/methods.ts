import { blobCopy, emailCopy } from './copy.ts'
import { emailChanges, threadChanges } from './email-changes.ts'
import { emailGet, emailParse } from './email-get.ts'
import { emailImport } from './email-import.ts'
import { emailQuery } from './email-query.ts'
import { emailQueryChanges } from './email-query-changes.ts'
import { mailboxChanges, mailboxGet } from './mailbox-get.ts'
import { mailboxQuery, mailboxQueryChanges } from './mailbox-query.ts'
import { emailSet } from './email-set.ts'
import { identityChanges, identityGet } from './identity.ts'
import { identitySet } from './identity-set.ts'
import { mailboxSet } from './mailbox-set.ts'
import { emailExpunged, emailRestore } from './expunged.ts'
import { pushSubscriptionGet, pushSubscriptionSet } from './push-subscription.ts'
import { quotaChanges, quotaGet, quotaQuery, quotaQueryChanges } from './quota.ts'
import { searchSnippetGet } from './search-snippet.ts'
import {
  submissionChanges,
  submissionGet,
  submissionQuery,
  submissionQueryChanges,
} from './submission.ts'
import { submissionSet } from './submission-set.ts'
import { CORE } from './room.ts'
import type { Method } from './room.ts'
import { threadGet } from './thread.ts'

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
    submissionSet,
  ].map((method) => [method.name, method]),
)
