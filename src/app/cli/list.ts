import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import { listImportCommand } from './list-import.ts'
import { listPostCommands } from './list-posts.ts'

/** Mailing lists, whose members are persons. */
export function listCommands(program: Command, io: CliIo): void {
  const noun = program.command('list').description('mailing lists and who is in them')
  listImportCommand(noun, io)
  listPostCommands(noun, io)
}
