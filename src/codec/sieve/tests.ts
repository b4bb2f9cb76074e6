import { Arguments, fail } from './arguments.ts'
import type { SieveTest } from './ast.ts'
import type { SieveAddressPart, SieveCondition } from './program.ts'

const ENVELOPE_PARTS = ['from', 'to']
// The fields that hold addresses: RFC 5228 §5.1 lets an implementation restrict `address` to such.
const HEADER_NAME = /^[!-9;-~]+$/

/** One test, checked. Throws SieveCheckError. */
export function compileTest(test: SieveTest, required: ReadonlySet<string>): SieveCondition {
  const args = new Arguments(test, required)
  const condition = conditionOf(test, args, required)
  args.end()
  return condition
}

function conditionOf(
  test: SieveTest,
  args: Arguments,
  required: ReadonlySet<string>,
): SieveCondition {
  const isCombining = ['not', 'allof', 'anyof'].includes(test.name)
  if (!isCombining && test.tests.length > 0) fail(`${test.name} takes no test`, test.line)
  switch (test.name) {
    case 'true':
    case 'false':
      return { kind: test.name }
    case 'not':
      if (test.tests.length !== 1) fail('not needs exactly one test', test.line)
      return { kind: 'not', test: compileTest(test.tests[0]!, required) }
    case 'allof':
    case 'anyof':
      if (test.tests.length === 0) fail(`${test.name} needs a list of tests`, test.line)
      return { kind: test.name, tests: test.tests.map((each) => compileTest(each, required)) }
    case 'size': {
      const over = args.tag('over')
      if (over === args.tag('under')) fail('size needs :over or :under', test.line)
      return { kind: 'size', over, limit: args.number('a limit') }
    }
    case 'exists':
      return { kind: 'exists', headers: headerNames(args.strings('names of fields')) }
    case 'header': {
      const match = args.match()
      const headers = headerNames(args.strings('names of fields'))
      return { kind: 'header', match, headers, keys: args.strings('keys') }
    }
    case 'address': {
      const match = args.match()
      const part = addressPart(args)
      const headers = headerNames(args.strings('names of fields'))
      return { kind: 'address', match, part, headers, keys: args.strings('keys') }
    }
    case 'envelope':
      return envelope(args)
    case 'mailboxexists':
      args.needs('mailbox')
      return { kind: 'mailboxexists', mailboxes: args.strings('names of mailboxes') }
    case 'spamtest': {
      args.needs('spamtest')
      const match = args.match()
      return { kind: 'spamtest', match, key: args.string('a value') }
    }
    case 'hasflag': {
      args.needs('imap4flags')
      const match = args.match()
      return { kind: 'hasflag', match, keys: args.strings('flags') }
    }
    default:
      return fail(`there is no test "${test.name}"`, test.line)
  }
}

function envelope(args: Arguments): SieveCondition {
  args.needs('envelope')
  const match = args.match()
  const part = addressPart(args)
  const headers = args.strings('parts of the envelope').map((name) => name.toLowerCase())
  for (const name of headers)
    if (!ENVELOPE_PARTS.includes(name)) fail(`the envelope has no part "${name}"`)
  return { kind: 'envelope', match, part, headers, keys: args.strings('keys') }
}

function addressPart(args: Arguments): SieveAddressPart {
  const parts = (['all', 'localpart', 'domain', 'user', 'detail'] as const).filter((part) =>
    args.tag(part, part === 'user' || part === 'detail' ? 'subaddress' : undefined),
  )
  if (parts.length > 1) fail(`:${parts[0]} and :${parts[1]} exclude one another`)
  return parts[0] ?? 'all'
}

function headerNames(names: readonly string[]): readonly string[] {
  for (const name of names) if (!HEADER_NAME.test(name)) fail(`"${name}" is no name of a field`)
  return names.map((name) => name.toLowerCase())
}

/** Flags as RFC 5232 §2 reads them: each string may hold several, divided by blanks. */
export function parseFlags(texts: readonly string[]): readonly string[] {
  const flags = texts.flatMap((text) => text.split(/ +/)).filter((flag) => flag !== '')
  for (const flag of flags)
    // RFC 5232 §2: \Recent cannot be set; a flag is an IMAP flag or keyword.
    if (
      !/^(?:\\(?:seen|answered|flagged|deleted|draft)|[^\\\u0000- (){%*"\]\u007f-\uffff]+)$/i.test(
        flag,
      )
    )
      fail(`"${flag}" is no flag that a script can set`)
  return flags
}
