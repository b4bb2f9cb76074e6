import type { DirectorySource } from '#model/source.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'

const SERVERS_MAX = 16
const SOURCE_TEXT_LENGTH_MAX = 10_000

/** Undefined where the source may be written. */
export function checkSource(source: DirectorySource): DirectoryRefusal | undefined {
  const { name, order, servers, base, filter = '', key } = source
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    return refuse('invalid', `${name} is no name for a source`, 'Give a word such as campus-ldap.')
  if (!Number.isInteger(order) || order < 1 || order > 1_000_000)
    return refuse('invalid', `${order} is no place in an order`, 'Give a number from 1 on.')
  if (servers.length === 0 || servers.length > SERVERS_MAX)
    return refuse('limit', 'a source has 1 to 16 servers', 'Give --url for each of them.')
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(key))
    return refuse('invalid', `${key} is no attribute`, 'Give one such as employeeNumber.')
  if (base === '' || `${base}${filter}`.length > SOURCE_TEXT_LENGTH_MAX)
    return refuse('invalid', 'the base is missing or too long', 'Give --base DN.')
  return undefined
}
