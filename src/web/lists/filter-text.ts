/** A filter that holds where the one before does and this attribute has the value (RFC 4515); `*` stays any text. */
export function withPart(filter: string, type: string, value: string): string {
  const part = `(${type}=${escaped(value)})`
  const before = filter.trim()
  if (before === '') return part
  const whole = before.startsWith('(') ? before : `(${before})`
  return whole.startsWith('(&') ? `${whole.slice(0, -1)}${part})` : `(&${whole}${part})`
}

/** RFC 4515 §3: what would be syntax is written by its octet. */
const escaped = (value: string): string =>
  value.replace(/[\\()\0]/g, (sign) => `\\${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)
