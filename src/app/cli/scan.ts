import type { Command } from 'commander'
import type { Octets } from '#base/octets.ts'
import { verdict } from '#contract/admin/mail.ts'
import type { VerdictBody } from '#contract/admin/mail.ts'
import { verbOf } from './context.ts'
import type { Verb } from './context.ts'
import { octetsOf } from './files.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'
import { fields, table } from './print.ts'

/** scan: by the running installation with its settings and DNS; where none runs, by this process's own judge. */
export function scanCommand(program: Command, io: CliIo): void {
  program
    .command('scan <file...>')
    .description('judge messages in files, and show why')
    .option('--offline', 'without the installation, as spam score does')
    .action(async (files: readonly string[], options: { offline?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      await using scanner = new Scanner(verb)
      if (options.offline === true) await scanner.goOffline()
      const found: { file: string; verdict: VerdictBody }[] = []
      for (const file of files)
        found.push({ file, verdict: await scanner.scan(await octetsOf(io, file)) })
      verb.show(found.length === 1 ? found[0]!.verdict : { items: found }, () =>
        found.map((one) => verdictText(one.file, one.verdict)).join('\n'),
      )
    })
}

class Scanner {
  readonly #verb: Verb
  #scanOffline: ((message: Octets) => Promise<VerdictBody>) | undefined
  #close: (() => Promise<void>) | undefined

  constructor(verb: Verb) {
    this.#verb = verb
  }

  async scan(message: Octets): Promise<VerdictBody> {
    if (this.#scanOffline === undefined)
      try {
        return await this.#verb.api.upload('/scan', verdict, message)
      } catch (thrown) {
        if (!(thrown instanceof CliError) || thrown.code !== 'unreachable') throw thrown
        await this.goOffline(`${thrown.message}; `)
      }
    return this.#scanOffline!(message)
  }

  async goOffline(why = ''): Promise<void> {
    // Loaded only where it is needed: it is the larger part of the program.
    const { offlineJudge, OFFLINE } = await import('#app/judging/offline-judge.ts')
    const judge = offlineJudge()
    this.#verb.io.err(`watari: ${why}${OFFLINE}\n`)
    this.#close = () => judge.close()
    this.#scanOffline = async (message) =>
      verdict.parse(
        await judge.judge({
          sizeBytes: message.byteLength,
          read: (offset, length) => Promise.resolve(message.subarray(offset, offset + length)),
        }),
      )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close?.()
  }
}

function verdictText(file: string, found: VerdictBody): string {
  const virus = found.virus.name ?? found.virus.reason
  const head = fields([
    ['file', file],
    ['class', found.class],
    ['score', found.score],
    ['virus', virus === undefined ? found.virus.kind : `${found.virus.kind} (${virus})`],
    ...found.auth.map(
      ({ method, result, properties }) =>
        [method, [result, ...properties.map((pair) => pair.join('='))].join(' ')] as const,
    ),
    ['judged', found.degraded.length === 0 ? 'completely' : `without ${found.degraded.join(', ')}`],
    ['case', found.caseId],
  ])
  if (found.hits.length === 0) return head
  return `${head}\n${table(
    ['RULE', 'SCORE', 'EVIDENCE'],
    found.hits.map((hit) => [hit.name, hit.score, hit.detail]),
  )}`
}
