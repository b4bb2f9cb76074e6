import { foldText } from './fold-text.ts'

/** What is longer is cut: artefacts are taken off one by one. */
const CHARACTERS_MAX = 2_000

/** RFC 5256 §5 subj-leader: `[blob]`s, then `re` or `fw`, an optional blob, a colon. */
const LEADER =
  /^(?:\s|\[[^[\]]*\]\s*(?=(?:\[[^[\]]*\]\s*)*(?:re|fwd?)\s*(?:\[[^[\]]*\]\s*)?:)|(?:re|fwd?)\s*(?:\[[^[\]]*\]\s*)?:)/
const BLOB = /^\[[^[\]]*\]\s*(?=.)/
const TRAILER = /(?:\(fwd\)|\s)$/
const WRAPPED = /^\[fwd:(.*)\]$/

/** A decoded subject without what replying and forwarding add to it, folded (RFC 5256 §2.1). */
export function baseSubject(decoded: string): { readonly text: string; readonly isReply: boolean } {
  let text = foldText(decoded).slice(0, CHARACTERS_MAX)
  let isReply = false
  const strip = (pattern: RegExp, marksReply: boolean): boolean => {
    const found = pattern.exec(text)
    if (found === null) return false
    isReply ||= marksReply && found[0].trim() !== ''
    text = text.slice(0, found.index) + text.slice(found.index + found[0].length)
    return true
  }
  for (;;) {
    while (strip(TRAILER, true)); // step 2
    for (let more = true; more;) {
      more = strip(LEADER, true) // step 3
      // step 4: a blob goes where something is left behind it
      if (!more) more = strip(BLOB, false)
    }
    const wrapped = WRAPPED.exec(text) // step 6
    if (wrapped === null) return { text, isReply }
    text = wrapped[1]!
    isReply = true
  }
}
