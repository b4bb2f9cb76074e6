import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { peerName, peerRoot, peersMissing } from './root.ts'

/** The programs that people and scripts read and send mail with. */
const PROGRAMS = ['curl', 'mbsync', 'mpop', 'python3', 'swaks'] as const
export type MailProgram = (typeof PROGRAMS)[number]

/** Those of the peers' root, where there is one; otherwise the machine's own. */
export const clientsMissing = (): string | undefined => {
  if (existsSync(peerRoot()) && peersMissing() === undefined) return undefined
  const missing = PROGRAMS.filter((program) => !onPath(program))
  return missing.length === 0 ? undefined : `no ${missing.join(', ')}, and ${peersMissing() ?? ''}`
}

/** Whether this machine has the program. */
export const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Others that people read mail with; those of this machine, where it has them. */
export type MachineProgram =
  | MailProgram
  | 'fetchmail'
  | 'getmail'
  | 'neomutt'
  | 'offlineimap'
  | 'php'
  | 'script'
  | 'sieve-connect'

/** Which of the programs this machine lacks, for a test to skip with. */
export const programsMissing = (programs: readonly MachineProgram[]): string | undefined => {
  const missing = programs.filter((program) => !onPath(program))
  return missing.length === 0 ? undefined : `no ${missing.join(', ')}`
}

/** What people ask directories with, by hand. */
export type DirectoryProgram = 'ldapcompare' | 'ldapmodify' | 'ldapsearch' | 'ldapwhoami'

export interface RanProgram {
  readonly status: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** A folder of a test's own that the programs see too. */
export interface ClientRoom<Program extends string = MailProgram> {
  /** The folder as this process sees it. */
  readonly folder: string
  /** The folder as the programs see it. */
  readonly inside: string
  /** Names of 127.0.0.1 and ::1 that the certificate has, for programs that compare names only. */
  readonly names: readonly string[]
  /** Which programs it runs, for a test to print. */
  readonly kind: 'of the peers’ root' | 'of this machine'
  /** Runs a program to its end; one that takes longer than two minutes is killed. */
  run(program: Program, args: readonly string[], input?: string | Buffer): Promise<RanProgram>
  remove(): void
}

const RUN_MS_MAX = 120_000

/** Only where `clientsMissing` says nothing. */
export const clientRoom = (): ClientRoom =>
  roomOf(existsSync(peerRoot()) && peersMissing() === undefined)

/** Likewise with this machine's own programs; `programsMissing` says which there are. */
export const machineRoom = (): ClientRoom<MachineProgram> => roomOf(false)

/** Only where `peersMissing` says nothing. */
export const directoryRoom = (): ClientRoom<DirectoryProgram> => roomOf(true)

function roomOf(isRoot: boolean): ClientRoom<MachineProgram | DirectoryProgram> {
  const inside = isRoot
    ? join('/var/lib', peerName('clients'))
    : mkdtempSync(join(tmpdir(), 'watari-clients-'))
  const folder = isRoot ? join(peerRoot(), inside) : inside
  mkdirSync(folder, { recursive: true })
  const env = {
    PATH: isRoot ? '/usr/sbin:/usr/bin:/sbin:/bin' : process.env['PATH'],
    HOME: inside,
    LC_ALL: 'C.UTF-8',
    TERM: 'xterm',
    WATARI_TEST_FILE: process.env['WATARI_TEST_FILE'],
  }
  return {
    folder,
    inside,
    names: isRoot ? ['localhost', 'imap.campus.example'] : ['localhost'],
    kind: isRoot ? 'of the peers’ root' : 'of this machine',
    run: (program, args, input) =>
      isRoot
        ? ran('chroot', [peerRoot(), program, ...args], { env, input })
        : ran(program, args, { env, input }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Runs a program of this machine to its end. */
export const runHere = (file: string, args: readonly string[]): Promise<RanProgram> =>
  ran(file, args, { env: process.env, input: undefined })

function ran(
  file: string,
  args: readonly string[],
  { env, input }: { readonly env: NodeJS.ProcessEnv; readonly input: string | Buffer | undefined },
): Promise<RanProgram> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'pipe', env, timeout: RUN_MS_MAX })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => undefined)
    child.once('error', reject)
    child.once('close', (status) =>
      resolve({
        status,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      }),
    )
    child.stdin.end(input)
  })
}
