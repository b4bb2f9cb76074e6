import { Command, CommanderError } from 'commander'
import { VERSION } from '#base/version.ts'
import { messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { nounOf, NOUNS } from './nouns.ts'

/** Runs one command; the exit status: 0 done, 1 refused or failed, 2 wrong usage. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const program = await programOf(args, io)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return 0
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    const isUsage = thrown instanceof CommanderError || thrown instanceof UsageError
    const { code, message, remedy } = explain(
      thrown instanceof CommanderError && thrown.code === 'commander.help'
        ? new UsageError(menuOf(program, args))
        : thrown,
      isUsage,
    )
    if (args.includes('--json')) io.err(`${JSON.stringify({ error: { code, message, remedy } })}\n`)
    else io.err(`watari: ${oneLine(`${message.replace(/[.。]$/, '')}. ${remedy}`, 2_000)}\n`)
    return isUsage ? 2 : 1
  }
}

/** What a noun that was given no verb has. */
function menuOf(program: Command, args: readonly string[]): string {
  let noun = program
  for (const arg of args) noun = noun.commands.find((each) => each.name() === arg) ?? noun
  const names = noun.commands.map((each) => each.name()).filter((name) => name !== 'help')
  return `give one of ${names.join(', ')}`
}

function explain(
  thrown: unknown,
  isUsage: boolean,
): { readonly code: string; readonly message: string; readonly remedy: string } {
  if (thrown instanceof CliError)
    return { code: thrown.code, message: thrown.message, remedy: thrown.remedy }
  const message = messageOf(thrown).replace(/^error: /, '')
  return isUsage
    ? { code: 'usage', message, remedy: 'Add --help to see what there is.' }
    : { code: 'internal', message, remedy: 'This is a fault of watari; please report it.' }
}

async function programOf(args: readonly string[], io: CliIo): Promise<Command> {
  const program = new Command('watari')
    .description('Watari (渡り): the command line')
    .version(VERSION)
    .option('--data <dir>', 'the data folder of the installation', 'var')
    .option('--json', "print the API's body")
    .option('--token-file <file>', 'a file that holds an API token')
    // Before the nouns: each of their commands inherits it.
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: () => undefined })
  const noun = nounOf(args)
  if (noun !== undefined) (await NOUNS[noun].load())(program, io)
  else for (const { usage, text } of Object.values(NOUNS)) program.command(usage).description(text)
  return program
}
