/** What is looked at of a subject. */
const CHARACTERS_MAX = 1_000
/** What programs put before a subject when they answer or hand on, Outlook's Japanese and German too. */
const LEADER = /^(?:(?:re|fwd?|fw|aw|wg|tr|返信|転送)(?:\s*\[\d{1,4}\]|\^\d{1,4})?\s*[:：]\s*)/iu

/**
 * The subject with the list's tag and the post's number in front. An older tag of the same list goes,
 * wherever answers have put it, and of several leaders the first stays.
 */
export function taggedSubject(decoded: string, tag: string, number: number): string {
  const old = tagPattern(tag)
  let rest = decoded.slice(0, CHARACTERS_MAX).trim()
  let leader = ''
  for (let again = true; again;) {
    again = false
    const tagged = old.exec(rest)
    if (tagged !== null && tagged[0] !== '') {
      rest = rest.slice(tagged[0].length)
      again = true
    }
    const led = LEADER.exec(rest)
    if (led !== null) {
      leader ||= led[0].trim()
      rest = rest.slice(led[0].length)
      again = true
    }
  }
  return [tag.replaceAll('%n', String(number)), leader, rest]
    .filter((part) => part !== '')
    .join(' ')
}

/** The tag with any number, and the blanks behind it. */
function tagPattern(tag: string): RegExp {
  const literal = tag
    .split('%n')
    .map((part) => part.trim().replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join('\\s{0,9}\\d{1,15}\\s{0,9}')
  return new RegExp(`^${literal}\\s*`, 'iu')
}
