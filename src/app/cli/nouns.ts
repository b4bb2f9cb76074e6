import type { Command } from 'commander'
import type { CliIo } from './io.ts'

interface Noun {
  readonly usage: string
  /** As its module says it: a test compares. */
  readonly text: string
  readonly load: () => Promise<(program: Command, io: CliIo) => void>
}

const mail = async () => (await import('./mail.ts')).mailCommands
const status = async () => (await import('./status.ts')).statusCommands

/** What the command line begins with, in the order of its help. A command loads its own module and no other. */
export const NOUNS = {
  status: { usage: 'status', text: 'how the installation is', load: status },
  node: { usage: 'node', text: 'machines and roles', load: status },
  domain: {
    usage: 'domain',
    text: 'domains that are ours',
    load: async () => (await import('./domain.ts')).domainCommands,
  },
  user: {
    usage: 'user',
    text: 'people and offices with mailboxes',
    load: async () => (await import('./user.ts')).userCommands,
  },
  alias: {
    usage: 'alias',
    text: 'addresses that lead to others',
    load: async () => (await import('./alias.ts')).aliasCommands,
  },
  forward: {
    usage: 'forward',
    text: 'users whose mail goes elsewhere',
    load: async () => (await import('./forward.ts')).forwardCommands,
  },
  list: {
    usage: 'list',
    text: 'mailing lists and who is in them',
    load: async () => (await import('./list.ts')).listCommands,
  },
  directory: {
    usage: 'directory',
    text: 'people and groups of other systems, in and out',
    load: async () => (await import('./directory.ts')).directoryCommands,
  },
  token: {
    usage: 'token',
    text: 'tokens of programs for the API',
    load: async () => (await import('./token.ts')).tokenCommands,
  },
  dkim: {
    usage: 'dkim',
    text: 'keys that mail of our domains is signed by',
    load: async () => (await import('./dkim.ts')).dkimCommands,
  },
  route: {
    usage: 'route',
    text: 'where mail goes next, by domain or address',
    load: async () => (await import('./route.ts')).routeCommands,
  },
  access: {
    usage: 'access',
    text: 'networks that may use the relay',
    load: async () => (await import('./access.ts')).accessCommands,
  },
  queue: { usage: 'queue', text: 'mail that waits, on all nodes', load: mail },
  trace: {
    usage: 'trace <message>',
    text: 'one message over all roles, by delivery id, Message-ID or address',
    load: mail,
  },
  scan: {
    usage: 'scan <file...>',
    text: 'judge messages in files, and show why',
    load: async () => (await import('./scan.ts')).scanCommand,
  },
  sieve: {
    usage: 'sieve',
    text: 'filter scripts (RFC 5228)',
    load: async () => (await import('./sieve.ts')).sieveCommands,
  },
  mailbox: {
    usage: 'mailbox',
    text: 'what mailboxes keep, and for how long',
    load: async () => (await import('./mailbox.ts')).mailboxCommands,
  },
  store: {
    usage: 'store',
    text: 'the mail store of this machine, while it is stopped',
    load: async () => (await import('./store.ts')).storeCommands,
  },
  search: {
    usage: 'search',
    text: 'the index that searches are answered from',
    load: async () => (await import('./search.ts')).searchCommands,
  },
  settings: {
    usage: 'settings',
    text: 'settings, in numbered generations',
    load: async () => (await import('./settings.ts')).settingsCommands,
  },
  spam: {
    usage: 'spam',
    text: 'spam judgement',
    load: async () => (await import('./spam.ts')).spamCommands,
  },
} as const satisfies Readonly<Record<string, Noun>>

const WITH_VALUE: readonly string[] = ['--data', '--token-file']

/** The noun that a command line is about; undefined where it names none that there is. */
export function nounOf(args: readonly string[]): keyof typeof NOUNS | undefined {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (WITH_VALUE.includes(arg)) at++
    else if (!arg.startsWith('-') && arg !== 'help')
      return Object.hasOwn(NOUNS, arg) ? (arg as keyof typeof NOUNS) : undefined
  }
  return undefined
}
