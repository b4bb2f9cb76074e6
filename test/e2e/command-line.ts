import assert from 'node:assert/strict'

import { runCli } from '#app/cli/run.ts'
import type { Installation, Ran } from './installation.ts'

/**
 * The command line of an installation, as a user's terminal and a user's script see it. It runs in
 * the test's own process, for a process of its own each time would be most of the test's time.
 */
export interface CommandLine {
  /** Whatever comes of it. */
  call(args: readonly string[], input?: string | Buffer): Promise<Ran>
  /** Exit status 0 and no complaint; what it printed. */
  run(args: readonly string[], input?: string | Buffer): Promise<string>
  /** The same with --json; the API's body. */
  json<T>(args: readonly string[], input?: string | Buffer): Promise<T>
  /** A refusal: this exit status, one line on standard error, and the same as JSON with --json. */
  refused(args: readonly string[], status: 1 | 2, input?: string): Promise<string>
  /** `noun verb` of each command that was run, single words too. */
  readonly ran: ReadonlySet<string>
}

export function commandLine(watari: Installation): CommandLine {
  const ran = new Set<string>()
  const call = async (args: readonly string[], input: string | Buffer = ''): Promise<Ran> => {
    let [stdout, stderr] = ['', '']
    const status = await runCli([...args, '--data', watari.dir], {
      out: (text) => void (stdout += text),
      err: (text) => void (stderr += text),
      stdin: () => Promise.resolve(Buffer.from(input)),
      async *input() {
        yield Buffer.from(input)
      },
      env: {},
    })
    return { status, stdout, stderr }
  }
  const run = async (args: readonly string[], input?: string | Buffer): Promise<string> => {
    for (const words of [args.slice(0, 1), args.slice(0, 2)]) ran.add(words.join(' '))
    const { status, stdout, stderr } = await call(args, input)
    assert.equal(status, 0, `${args.join(' ')}: ${stderr}`)
    // A loaded machine may need longer than a write waits for its nodes; it is durable all the same.
    assert.match(stderr, /^(?:watari: written, but [^\n]+\n)*$/, args.join(' '))
    return stdout
  }
  return {
    ran,
    call,
    run,
    json: async <T>(args: readonly string[], input?: string | Buffer) =>
      JSON.parse(await run([...args, '--json'], input)) as T,
    refused: async (args, status, input) => {
      const human = await call(args, input)
      assert.equal(human.status, status, `${args.join(' ')}: ${human.stdout}${human.stderr}`)
      assert.equal(human.stdout, '', args.join(' '))
      assert.match(human.stderr, /^watari: [^\n]+\. [^\n]+\n$/)
      const script = await call([...args, '--json'], input)
      assert.equal(script.status, status)
      const body = JSON.parse(script.stderr) as { error: Record<string, string> }
      assert.deepEqual(Object.keys(body.error), ['code', 'message', 'remedy'])
      return human.stderr
    },
  }
}

/** Each column of a table begins where its title does, two blanks after the one before. */
export function assertAligned(table: string): void {
  const [titles = '', ...rows] = table.trimEnd().split('\n')
  const starts = [...titles.matchAll(/(?<= {2})\S/g)].map(({ index }) => index)
  for (const row of rows) {
    // One character a place: Japanese letters take two.
    const places = row.replace(/[\u3041-\u9fff]/g, '二二')
    for (const start of starts)
      if (places.length > start) assert.equal(places.slice(start - 2, start), '  ', table)
  }
}
