import type { Account, Forward } from '#model/account.ts'
import { mainAddressOf } from '#model/account.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import { choicesFault } from '#model/choices-fault.ts'
import type { Choices } from '#model/choices.ts'
import { checkAccount } from './check/account.ts'
import { checkAlias } from './check/alias.ts'
import { checkDomain, checkDomainRemoval } from './check/domain.ts'
import { checkList, checkListRemoval } from './check/list.ts'
import { checkMember, noAccount } from './check/member.ts'
import { checkPlan } from './check/plan.ts'
import { checkRoute } from './check/route.ts'
import { checkSource } from './check/source.ts'
import { checkTargets } from './check/targets.ts'
import type { Directory, DirectoryKey, DirectoryRow } from './directory.ts'
import { refuse } from './refusal.ts'
import type { DirectoryRefusal } from './refusal.ts'

/** A row to write, or a key to remove. */
export type DirectoryEdit =
  | { readonly kind: 'put'; readonly row: DirectoryRow }
  | { readonly kind: 'remove'; readonly key: DirectoryKey }

/** Undefined where the row may be written into this directory as it stands. */
export function checkRow(directory: Directory, row: DirectoryRow): DirectoryRefusal | undefined {
  switch (row.kind) {
    case 'domain':
      return checkDomain(directory, row.domain)
    case 'account':
      return checkAccount(directory, row.account)
    case 'alias':
      return checkAlias(directory, row.alias)
    case 'forward':
      return checkForward(directory, row.forward)
    case 'choices':
      return checkChoices(directory, row.choices)
    case 'route':
      return checkRoute(row.route)
    case 'source':
      return checkSource(row.source)
    case 'plan':
      return checkPlan(row.plan)
    case 'list':
      return checkList(directory, row.list)
    case 'member':
      return checkMember(directory, row.member)
  }
}

function checkForward(directory: Directory, forward: Forward): DirectoryRefusal | undefined {
  const account = directory.account(forward.accountId)
  if (account === undefined) return noAccount(forward.accountId)
  return checkTargets(forward.to, formatAddress(mainAddressOf(account)))
}

function checkChoices(directory: Directory, choices: Choices): DirectoryRefusal | undefined {
  if (directory.account(choices.accountId) === undefined) return noAccount(choices.accountId)
  const fault = choicesFault(choices)
  return fault === undefined ? undefined : refuse('invalid', fault, 'Give it as it is to be.')
}

/** Undefined where the row of this key may go. */
export function checkRemoval(
  directory: Directory,
  key: DirectoryKey,
): DirectoryRefusal | undefined {
  const colon = key.indexOf(':')
  const kind = key.slice(0, colon)
  const name = key.slice(colon + 1)
  if (!exists(directory, kind, name))
    return refuse(
      'notFound',
      `there is no ${kind} ${name}`,
      `watari ${NOUNS[kind] ?? kind} ls shows what there is.`,
    )
  if (kind === 'domain') return checkDomainRemoval(directory, name)
  if (kind === 'list') return checkListRemoval(directory, name as Account['id'])
  if (kind === 'account' && directory.forward(name as Account['id']) !== undefined)
    return refuse(
      'conflict',
      `account ${name} has a forward`,
      'Remove the forward in the same step.',
    )
  if (kind === 'account' && directory.choices(name as Account['id']) !== undefined)
    return refuse('conflict', `account ${name} has choices`, 'Remove the choices in the same step.')
  return undefined
}

const NOUNS: Readonly<Record<string, string>> = { account: 'user', plan: 'directory plans' }

function exists(directory: Directory, kind: string, name: string): boolean {
  switch (kind) {
    case 'domain':
      return directory.domain(name) !== undefined
    case 'account':
      return directory.account(name as Account['id']) !== undefined
    case 'forward':
      return directory.forward(name as Account['id']) !== undefined
    case 'choices':
      return directory.choices(name as Account['id']) !== undefined
    case 'route':
      return directory.route(name) !== undefined
    case 'source':
      return directory.source(name) !== undefined
    case 'plan':
      return directory.plan(name) !== undefined
    case 'list':
      return directory.list(name as Account['id']) !== undefined
    case 'member': {
      const colon = name.indexOf(':')
      const list = name.slice(0, colon) as Account['id']
      return directory.member(list, name.slice(colon + 1)) !== undefined
    }
    case 'alias': {
      const address = parseAddress(name)
      return address.ok && directory.alias(address.value) !== undefined
    }
    default:
      return false
  }
}
