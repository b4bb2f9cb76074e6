import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { SessionRules } from '#store/directory/browser-sessions.ts'

/** The limits of RFC 8620 §2, and our own. */
export interface JmapLimits {
  readonly maxSizeUpload: number
  readonly maxConcurrentUpload: number
  readonly maxSizeRequest: number
  readonly maxConcurrentRequests: number
  /** Blobs that an account is sent at once. */
  readonly downloadsPerAccountMax: number
  readonly maxCallsInRequest: number
  readonly maxObjectsInGet: number
  readonly maxObjectsInSet: number
  /** Octets of an account's uploads; the oldest give way. */
  readonly uploadBytesPerAccountMax: number
  /** Octets of decoded text that one answer may carry. */
  readonly bodyValueBytesMax: number
  /** How long one search may look into messages. */
  readonly searchMs: number
  readonly eventStreamsPerAccountMax: number
  readonly eventStreamsMax: number
  readonly webSocketsPerAccountMax: number
  readonly webSocketsMax: number
}

export const JMAP_LIMITS: JmapLimits = {
  maxSizeUpload: 52_428_800,
  maxConcurrentUpload: 4,
  maxSizeRequest: 10_000_000,
  maxConcurrentRequests: 8,
  downloadsPerAccountMax: 32,
  maxCallsInRequest: 32,
  maxObjectsInGet: 500,
  maxObjectsInSet: 500,
  uploadBytesPerAccountMax: 256_000_000,
  bodyValueBytesMax: 32_000_000,
  searchMs: 30 * SECOND_MS,
  eventStreamsPerAccountMax: 30,
  eventStreamsMax: 5_000,
  webSocketsPerAccountMax: 30,
  webSocketsMax: 5_000,
}

/** Octets that one call may read of blobs, and sources that one may be made of (RFC 9404 §3.1). */
export const BLOB_READ_BYTES_MAX = 256 * 1024 * 1024
export const BLOB_SOURCES_MAX = 64

/** Filters and sorts: conditions in all, and operators within one another. */
export const FILTER_CONDITIONS_MAX = 200
export const FILTER_DEPTH_MAX = 20
export const SORT_COMPARATORS_MAX = 10
/** How far ahead mail may be sent (RFC 4865). */
export const DELAYED_SEND_MS_MAX = 14 * DAY_MS
/** Lists and objects within one another in a request, and characters of a path. */
export const JSON_DEPTH_MAX = 64
export const PATH_LENGTH_MAX = 1_000
/** Values that one back-reference may bring. */
export const REFERENCED_VALUES_MAX = 10_000
/** Characters of a request's id on a WebSocket. */
export const REQUEST_ID_LENGTH_MAX = 255
export const LOGIN_BODY_BYTES_MAX = 16_384

/** Sessions of the webmail: twelve hours at most, one without use. */
export const WEB_SESSIONS: SessionRules = {
  cookie: '__Host-watari',
  lifetimeMs: 12 * HOUR_MS,
  idleMs: 60 * MINUTE_MS,
  perAccountMax: 30,
}
