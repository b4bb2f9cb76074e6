import { z } from 'zod'
import type { Octets } from '#base/octets.ts'
import { readTable, writeTable } from '#codec/table/table.ts'
import { membersAdded } from '#contract/admin/lists.ts'
import { membersOf } from '#engine/list/member-table.ts'
import { PASTED_MAX } from '#engine/list/pasted.ts'
import { isInFrom, memberKey } from '#model/list-member.ts'
import type { ListMember } from '#model/list-member.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { AdminDeps, AdminServer } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { inTurns, turn } from '#server/admin/lookup.ts'
import { addMembers } from './adding.ts'
import { endOfDay } from './days.ts'
import { listFor } from './right.ts'
import { memberBody } from './shown.ts'

const named = z.object({ list: z.string() })

/** Of PASTED_MAX rows with long names; what is larger is parted by whoever has it. */
const FILE_BYTES_MAX = 8 * 1024 * 1024

/** Members as files for spreadsheets, in and out. */
export function memberFileRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.post(
    '/lists/:list/members/import',
    {
      config: { permission: 'known', list: 'change' },
      schema: {
        params: named,
        querystring: z.object({
          preview: z.enum(['true', 'false']).default('false').describe('tells who is meant'),
        }),
        response: { 200: membersAdded },
      },
    },
    async (request) => {
      const { id } = listFor(request, directory, request.params.list, 'change')
      const rows = rowsOf(request.body)
      const good = rows.filter(({ odd }) => odd === undefined)
      const done = await addMembers(deps, request, id, {
        text: good.map(({ text }) => text).join('\n'),
        isPreview: request.query.preview === 'true',
        how: (line) => {
          const { as = 'member', delivery, until } = good[line - 1]!
          return {
            as,
            ...(delivery !== undefined && { delivery }),
            ...(until !== undefined && {
              until:
                until === null || until.includes('T') ? until : endOfDay(until, directory.moment),
            }),
          }
        },
      })
      return {
        ...done,
        rows: [
          ...rows
            .filter(({ odd }) => odd !== undefined)
            .map(({ line, text, odd }) => ({
              line,
              text: text.replaceAll('\t', ' ').trim(),
              outcome: 'refused' as const,
              note: odd!,
              why: 'notUnderstood' as const,
            })),
          ...done.rows.map((row) => ({
            ...row,
            ...(row.line !== undefined && { line: good[row.line - 1]!.line }),
          })),
        ],
      }
    },
  )

  app.get(
    '/lists/:list/members.csv',
    {
      config: { permission: 'known', list: 'look' },
      schema: {
        params: named,
        response: { 200: z.string().describe('CSV (RFC 4180) in UTF-8 with its mark') },
      },
    },
    async (request, reply) => {
      const { id, address } = listFor(request, directory, request.params.list, 'look')
      const rows = directory
        .members(id)
        .filter(({ terms }) => isInFrom(terms, deps.clock.nowMs()))
        .toArray()
      void reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header(
          'content-disposition',
          `attachment; filename*=UTF-8''${encodeURIComponent(address.localpart)}.csv`,
        )
      return (await tableOf(directory, rows)) as unknown as string
    },
  )
}

function rowsOf(body: unknown) {
  if (!(body instanceof Uint8Array))
    throw new ApiError('invalid', 'there is no file', 'Send it as application/octet-stream.')
  if (body.byteLength > FILE_BYTES_MAX)
    throw new ApiError(
      'limit',
      `the file is larger than ${FILE_BYTES_MAX} octets`,
      'Part it, or leave out the columns that do not name members.',
    )
  if (isArchive(body))
    throw new ApiError(
      'invalid',
      'this is a workbook, not CSV',
      'Save the sheet as CSV (UTF-8) in Excel, or copy its column and paste it.',
    )
  const rows = membersOf(readTable(body))
  if (rows.length <= PASTED_MAX) return rows
  throw new ApiError(
    'limit',
    `the file has ${rows.length} rows, and ${PASTED_MAX} are taken at once`,
    'Part it into several files.',
  )
}

/** .xlsx and .ods are ZIP; .xls is OLE. */
const isArchive = ([a, b, c, d]: Octets): boolean =>
  (a === 0x50 && b === 0x4b && c === 3 && d === 4) ||
  (a === 0xd0 && b === 0xcf && c === 0x11 && d === 0xe0)

/** As `members/import` takes it again. */
async function tableOf(now: Directory, rows: readonly ListMember[]): Promise<Octets> {
  const titles = ['member', 'address', 'name', 'as', 'delivery', 'from', 'until']
  const cells = await inTurns(rows, (row) => {
    const { address = '', name = '', as, delivery, from, until = '' } = memberBody(now, row)
    return [memberKey(row), address, name, as, delivery, from, until]
  })
  await turn()
  return writeTable([titles, ...cells])
}
