import type { Octets } from '#base/octets.ts'
import { runCli } from './cli/run.ts'

async function stdin(): Promise<Octets> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') process.exit(0)
  throw cause
})

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin,
  input: () => process.stdin as AsyncIterable<Buffer>,
  env: process.env,
})
