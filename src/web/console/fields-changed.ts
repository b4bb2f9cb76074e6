/** A field of a row, before and after a change; both are empty where only that it changed may be told. */
export interface FieldChange {
  readonly name: string
  readonly before: string
  readonly after: string
}

/** Longer ones are cut: who wants all of it has the API. */
const TEXT_MAX = 200
/** What is told by another field, or is of no meaning to people. */
const UNTOLD = new Set(['id', 'credentialVersion', 'expiryNotice'])
const SECRET = new Set(['credential', 'scram', 'appPasswords', 'bind'])

/** What is other in the row of an account, as it lies in the directory's history. */
export function fieldsChanged(before: unknown, after: unknown): readonly FieldChange[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((name) => {
    if (UNTOLD.has(name) || JSON.stringify(old[name]) === JSON.stringify(now[name])) return []
    if (SECRET.has(name)) return [{ name, before: '', after: '' }]
    return [{ name, before: textOf(old[name]), after: textOf(now[name]) }]
  })
}

/** A row is `{kind, account: {…}}`. */
function fieldsOf(row: unknown): Readonly<Record<string, unknown>> {
  if (typeof row !== 'object' || row === null) return {}
  const { account } = row as { readonly account?: unknown }
  return typeof account === 'object' && account !== null ? { ...account } : {}
}

function textOf(value: unknown): string {
  const text = Array.isArray(value) ? value.map(partOf).join(', ') : partOf(value)
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
}

function partOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value !== 'object') return JSON.stringify(value)
  const { localpart, domain } = value as { localpart?: unknown; domain?: unknown }
  return typeof localpart === 'string' && typeof domain === 'string'
    ? `${localpart}@${domain}`
    : JSON.stringify(value)
}
