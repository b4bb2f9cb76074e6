import { LIST_FIELDS } from '#model/list.ts'

/** Named once more than they are there, so that nobody on the way adds one that is shown instead (RFC 6376 §8.15). */
const NONE_ADDED = [
  'from',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'to',
  'cc',
  'in-reply-to',
  'references',
  'content-type',
] as const

/** Signed as often as they are there; programs on the way may add them. */
const AS_THEY_ARE = [
  'sender',
  'mime-version',
  'content-transfer-encoding',
  'content-disposition',
  'auto-submitted',
  // RFC 2369 §3, RFC 2919 §3; RFC 8058 §4 asks for a signature over List-Unsubscribe-Post.
  ...LIST_FIELDS,
] as const

/** The names of h=, by how often each is there. */
export const signedNames = (counts: ReadonlyMap<string, number>): readonly string[] => [
  ...NONE_ADDED.flatMap((name) => repeated(name, (counts.get(name) ?? 0) + 1)),
  ...AS_THEY_ARE.flatMap((name) => repeated(name, counts.get(name) ?? 0)),
]

const repeated = (name: string, times: number): string[] => Array<string>(times).fill(name)
