import { createHash } from 'node:crypto'
import { oneLine } from '#base/text.ts'
import { SECOND_MS } from '#base/time.ts'
import { formatAddress } from '#model/address.ts'
import type { Account } from '#model/account.ts'
import { MAILBOX_COMPONENT_BYTES_MAX, MAILBOX_DEPTH_MAX } from '#model/mailbox.ts'
import { SIEVE_EXTENSIONS } from '#engine/sieve/extensions.ts'
import { SIEVE_REDIRECTS_MAX } from '#engine/sieve/run.ts'
import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import { SCRIPT_NAME_BYTES_MAX, SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
import { DIGESTS } from '#server/jmap/blob/blob-get.ts'
import { LOOKED_UP } from '#server/jmap/blob/blob-lookup.ts'
import { SORTS } from '#server/jmap/email/email-query.ts'
import { BLOB_SOURCES_MAX, DELAYED_SEND_MS_MAX } from './limits.ts'
import type { JmapLimits } from './limits.ts'
import type { Share } from './shares.ts'
import {
  BLOB,
  CORE,
  MAIL,
  QUOTA,
  RETENTION,
  SIEVE,
  SIEVE_TRIAL,
  SUBMISSION,
  VACATION,
  WEBSOCKET,
} from './room.ts'

export interface Session {
  /** Of all that it says. */
  readonly state: string
  readonly [property: string]: unknown
}

/** The Session resource (RFC 8620 §2); URLs begin with the name that the client used. */
export function sessionResource(
  account: Account,
  {
    origin,
    limits,
    shared,
  }: {
    readonly origin: string
    readonly limits: JmapLimits
    /** Of others, who let this account see some of their mailboxes. */
    readonly shared: readonly { readonly account: Account; readonly share: Share }[]
  },
): Session {
  const username = addressOf(account)
  const mail = {
    maxMailboxesPerEmail: null,
    maxMailboxDepth: MAILBOX_DEPTH_MAX,
    maxSizeMailboxName: MAILBOX_COMPONENT_BYTES_MAX,
    maxSizeAttachmentsPerEmail: limits.maxSizeUpload,
    emailQuerySortOptions: SORTS,
    mayCreateTopLevelMailbox: true,
  }
  const blob = {
    maxSizeBlobSet: limits.maxSizeUpload,
    maxDataSources: BLOB_SOURCES_MAX,
    supportedTypeNames: LOOKED_UP,
    supportedDigestAlgorithms: Object.keys(DIGESTS),
  }
  const heldSeconds = DELAYED_SEND_MS_MAX / SECOND_MS
  const submission = {
    maxDelayedSend: heldSeconds,
    // RFC 4865 §3: the interval, and a date that is no limit beside it.
    submissionExtensions: { FUTURERELEASE: [`${heldSeconds}`, '9999-12-31T23:59:59Z'] },
  }
  const session = {
    capabilities: {
      [CORE]: {
        maxSizeUpload: limits.maxSizeUpload,
        maxConcurrentUpload: limits.maxConcurrentUpload,
        maxSizeRequest: limits.maxSizeRequest,
        maxConcurrentRequests: limits.maxConcurrentRequests,
        maxCallsInRequest: limits.maxCallsInRequest,
        maxObjectsInGet: limits.maxObjectsInGet,
        maxObjectsInSet: limits.maxObjectsInSet,
        collationAlgorithms: [],
      },
      [MAIL]: {},
      [BLOB]: {},
      [SUBMISSION]: {},
      [RETENTION]: {},
      [QUOTA]: {},
      [VACATION]: {},
      [SIEVE]: { implementation: 'Watari' },
      [SIEVE_TRIAL]: {},
      [WEBSOCKET]: { url: `${origin.replace(/^http/, 'ws')}${SOCKET_PATH}`, supportsPush: true },
    },
    accounts: {
      [account.id]: {
        name: nameOf(account),
        isPersonal: true,
        isReadOnly: false,
        accountCapabilities: {
          [CORE]: {},
          [MAIL]: mail,
          [BLOB]: blob,
          [SUBMISSION]: submission,
          [RETENTION]: {},
          [QUOTA]: {},
          [VACATION]: {},
          [SIEVE]: SIEVE_LIMITS,
          [SIEVE_TRIAL]: {},
        },
      },
      ...Object.fromEntries(
        shared.map(({ account: other, share }) => [
          other.id,
          {
            name: nameOf(other),
            isPersonal: false,
            isReadOnly: share.isReadOnly,
            accountCapabilities: {
              [CORE]: {},
              // RFC 8621 §1.3.1: the highest level is the owner's alone.
              [MAIL]: { ...mail, mayCreateTopLevelMailbox: false },
              [BLOB]: blob,
            },
          },
        ]),
      ),
    },
    primaryAccounts: {
      [CORE]: account.id,
      [MAIL]: account.id,
      [BLOB]: account.id,
      [SUBMISSION]: account.id,
      [RETENTION]: account.id,
      [QUOTA]: account.id,
      [VACATION]: account.id,
      [SIEVE]: account.id,
      [SIEVE_TRIAL]: account.id,
    },
    username,
    apiUrl: `${origin}/jmap/api`,
    downloadUrl: `${origin}/jmap/download/{accountId}/{blobId}/{name}?accept={type}`,
    uploadUrl: `${origin}/jmap/upload/{accountId}`,
    eventSourceUrl: `${origin}/jmap/eventsource?types={types}&closeafter={closeafter}&ping={ping}`,
  }
  const state = createHash('sha256')
    .update(JSON.stringify(session))
    .digest('base64url')
    .slice(0, 16)
  return { ...session, state }
}

/** Where connections become WebSockets (RFC 8887 §3). */
export const SOCKET_PATH = '/jmap/ws'

/** RFC 9661 §1.2.1. */
const SIEVE_LIMITS = {
  maxSizeScriptName: SCRIPT_NAME_BYTES_MAX,
  maxSizeScript: SCRIPT_BYTES_MAX,
  maxNumberScripts: SCRIPTS_PER_ACCOUNT_MAX,
  maxNumberRedirects: SIEVE_REDIRECTS_MAX,
  sieveExtensions: Object.keys(SIEVE_EXTENSIONS),
  notificationMethods: ['mailto'],
  externalLists: null,
}

const addressOf = ({ username, domain }: Account): string =>
  formatAddress({ localpart: username, domain })

const nameOf = (account: Account): string => oneLine(account.name ?? addressOf(account), 200)
