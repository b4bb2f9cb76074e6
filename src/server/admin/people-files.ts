import { z } from 'zod'
import type { Octets } from '#base/octets.ts'
import { writeTable } from '#codec/table/table.ts'
import { census, FILE_FORMATS, readQuery } from '#contract/admin/import.ts'
import type { CensusBody } from '#contract/admin/import.ts'
import { PRESETS } from '#engine/people/attribute-map.ts'
import type { Preset } from '#engine/people/attribute-map.ts'
import { censusOf, formatOfName } from '#engine/people/read-file.ts'
import { toTable } from '#engine/people/to-table.ts'
import type { Account, Forward } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { factsAfter } from '#model/person-facts.ts'
import type { Person } from '#model/person.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { turn } from './lookup.ts'

const ROWS_AT_ONCE = 250
const BYTE_ORDER_MARK_BYTES = 3

/** Files of people: read to be looked at, and written for spreadsheets. */
export function peopleFileRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  app.post(
    '/directory/import/read',
    {
      config: { permission: 'people.write' },
      schema: { querystring: readQuery, response: { 200: census } },
    },
    async ({ query, body }) => read(query, body),
  )

  app.get(
    '/directory/export',
    {
      config: { permission: 'people.read' },
      schema: { response: { 200: z.string().describe('CSV (RFC 4180) in UTF-8 with its mark') } },
    },
    async (_, reply) => {
      const octets = Buffer.concat(await tableOf(directory))
      void reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="watari-people.csv"')
      return octets as unknown as string
    },
  )
}

/** What a file says; nothing of it is taken. */
async function read(query: z.infer<typeof readQuery>, body: unknown): Promise<CensusBody> {
  const { name, map } = query
  const format = query.format ?? formatOfName(name)
  if (format === undefined)
    throw new ApiError(
      'invalid',
      `what ${name} is cannot be seen`,
      `Give format: ${FILE_FORMATS.join(', ')}.`,
    )
  if (!(body instanceof Uint8Array))
    throw new ApiError('invalid', 'there is no file', 'Send it as application/octet-stream.')
  const preset = Object.keys(PRESETS).find((each) => each === map) as Preset | undefined
  if (map !== undefined && preset === undefined)
    throw new ApiError(
      'invalid',
      `there is no map ${map}`,
      `Known: ${Object.keys(PRESETS).join(', ')}.`,
    )
  // What `:include:` names are files of another machine: none of this one is opened for it.
  const included = async (): Promise<undefined> => undefined
  const found = await censusOf({ octets: body, format, preset, included })
  return { format, ...(found as unknown as Omit<CensusBody, 'format'>) }
}

/** All people, made piece by piece while others are served. */
async function tableOf(directory: Directory): Promise<readonly Octets[]> {
  const parts: Octets[] = []
  let people: Person[] = []
  const take = (): void => {
    const [titles = [], ...rows] = toTable(people)
    const isFirst = parts.length === 0
    const octets = writeTable(isFirst ? [titles, ...rows] : rows)
    parts.push(isFirst ? octets : octets.subarray(BYTE_ORDER_MARK_BYTES))
    people = []
  }
  for (const account of directory.accounts()) {
    people.push(personOf(account, directory.forward(account.id)))
    if (people.length < ROWS_AT_ONCE) continue
    take()
    await turn()
  }
  take()
  return parts
}

const personOf = (account: Account, forward: Forward | undefined): Person => ({
  source: account.id,
  username: account.username,
  domain: account.domain,
  ...(account.name !== undefined && { name: account.name }),
  ...factsAfter(account),
  addresses: account.addresses.map(formatAddress),
  ...(forward !== undefined && {
    forward: { to: forward.to.map(formatAddress), keep: forward.keep },
  }),
  ...(account.disabled && { disabled: true }),
  ...(account.quota !== undefined && { quota: account.quota }),
})
