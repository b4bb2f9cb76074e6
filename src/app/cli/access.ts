import type { Command } from 'commander'
import { z } from 'zod'
import { counted } from '#base/text.ts'
import { page } from '#contract/admin/common.ts'
import { accessWritten } from '#contract/admin/directory.ts'
import { verbOf } from './context.ts'
import { textOf } from './files.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'

/** The relay's access list. */
export function accessCommands(program: Command, io: CliIo): void {
  const noun = program.command('access').description('networks that may use the relay')
  const change = async (
    command: Command,
    rows: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
  ): Promise<void> => {
    const verb = verbOf(command, io)
    const body = await verb.api.post('/access', accessWritten, rows)
    verb.wrote(
      body,
      () =>
        `${body.added} added, ${body.removed} removed, ${counted(body.rows, 'network')} in all\n`,
    )
  }
  noun
    .command('add <network...>')
    .description('let these networks use the relay')
    .action((add: readonly string[], _: unknown, command: Command) => change(command, { add }))
  noun
    .command('rm <network...>')
    .description('take these networks off the list')
    .action((remove: readonly string[], _: unknown, command: Command) =>
      change(command, { remove }),
    )
  noun
    .command('ls')
    .description('show the list')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/access', page(z.string()))
      verb.show(body, () => body.items.map((row) => `${row}\n`).join(''))
    })
  noun
    .command('import <file>')
    .description('add each network of a file, one a line, # begins a comment; - is standard input')
    .action(async (file: string, _: unknown, command: Command) => {
      const lines = (await textOf(io, file)).split(/\r?\n/)
      const rows = lines
        .map((line, index) => ({ line: index + 1, network: line.replace(/#.*/, '').trim() }))
        .filter(({ network }) => network !== '')
      try {
        await change(command, { add: rows.map(({ network }) => network) })
      } catch (thrown) {
        throw inFile(thrown, file, rows)
      }
    })
}

/** Control counts the networks that it was sent; people count the lines of their file. */
function inFile(
  thrown: unknown,
  file: string,
  rows: readonly { readonly line: number }[],
): unknown {
  if (!(thrown instanceof CliError)) return thrown
  const row = /^relay\.access: (?:row (\d+): )?(.*)$/.exec(thrown.message)
  const place = rows[Number(row?.[1] ?? 1) - 1]
  if (row === null || place === undefined) return thrown
  return new CliError(thrown.code, `${file}, line ${place.line}: ${row[2]}`, thrown.remedy)
}
