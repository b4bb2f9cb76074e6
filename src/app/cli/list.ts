import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import { listImportCommand } from './list-import.ts'
import { listMemberCommands } from './list-member.ts'
import { listPostCommands } from './list-posts.ts'
import { listRuleCommands } from './list-rules.ts'

/** Mailing lists, whose members are persons. */
export function listCommands(program: Command, io: CliIo): void {
  const noun = program.command('list').description('mailing lists and who is in them')
  listRuleCommands(noun, io)
  listMemberCommands(noun, io)
  listImportCommand(noun, io)
  listPostCommands(noun, io)
}
