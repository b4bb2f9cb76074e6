import type { ChoicesBody } from '#contract/admin/choices.ts'
import { chosenScript } from '#engine/choices/chosen-script.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { isKept } from '#model/account-life.ts'
import { formatAddress } from '#model/address.ts'
import { DEFAULT_JUNK, noChoices } from '#model/choices.ts'
import type { Choices, MailFilter } from '#model/choices.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Settings } from '#store/settings/table.ts'
import { changesFromMs, mayChoose } from './own-address.ts'

/** All that a page of somebody's own settings shows, from a node's copy of the directory. */
export function choicesView(
  account: Account,
  directory: Directory,
  settings: Settings,
): ChoicesBody {
  const row = directory.choices(account.id) ?? noChoices(account.id)
  const { nowMs } = directory.moment
  const forward = directory.forward(account.id)
  const fromMs = changesFromMs(row, settings)
  const awaited = (row.awaited ?? []).filter(({ expiresAt }) => Date.parse(expiresAt) > nowMs)
  return {
    user: formatAddress(mainAddressOf(account)),
    ...partsBody(row),
    forward: forward === undefined ? null : { to: texts(forward.to), keep: forward.keep },
    awaited: awaited.map(({ address, use, expiresAt }) => ({
      address: formatAddress(address),
      use,
      expiresAt,
    })),
    proved: (row.proved ?? []).map(({ address, at }) => ({ address: formatAddress(address), at })),
    contact: row.contact === undefined ? null : formatAddress(row.contact),
    address: {
      main: formatAddress(mainAddressOf(account)),
      further: texts(account.addresses),
      chosen: (row.chosen ?? []).map(({ address, since }) => ({
        address: formatAddress(address),
        since,
      })),
      mayChoose: mayChoose(account, settings),
      max: settings['ownAddress.max'],
      patterns: [...settings['ownAddress.patterns']],
      lengthMin: settings['ownAddress.lengthMin'],
      changesFrom: fromMs > nowMs ? new Date(fromMs).toISOString() : null,
      former: (account.formerAddresses ?? [])
        .filter((former) => isKept(former, directory.moment))
        .map(({ address, keptUntil }) => ({ address: formatAddress(address), keptUntil })),
    },
    forwarding: settings['forwarding.policy'],
    domains: directory.domains().map(({ name }) => name),
    script: chosenScript(directory, account.id),
  }
}

const texts = (addresses: Account['addresses']): string[] => addresses.map(formatAddress)

const partsBody = (row: Choices) => {
  const { revision, junk, vacation, blocked, welcome, filters, lists } = row
  return {
    revision,
    junk: { ...(junk ?? DEFAULT_JUNK) },
    vacation: vacation === undefined ? null : { ...vacation },
    blocked: [...(blocked ?? [])],
    welcome: [...(welcome ?? [])],
    filters: (filters ?? []).map(filterBody),
    lists: (lists ?? []).map(({ name, senders }) => ({ name, senders: [...senders] })),
  }
}

const filterBody = ({ conditions, flags, ...filter }: MailFilter) => ({
  ...filter,
  conditions: conditions.map((each) => ({ ...each })),
  ...(flags !== undefined && { flags: [...flags] }),
})
