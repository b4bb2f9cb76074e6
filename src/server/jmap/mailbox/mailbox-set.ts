import { FOREIGN_ROOTS, SPECIAL_USES } from '#model/mailbox.ts'
import type { MailboxPath, SpecialUse } from '#model/mailbox.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'
import { RETAIN_DAYS_MAX } from '#store/mailbox/mailbox-view.ts'
import type { MailboxRow, Retention } from '#store/mailbox/mailbox-view.ts'
import { picked } from '#server/jmap/method/args.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { describeMailbox, isInboxOf, loadTree, mailboxProperties } from './mailbox-get.ts'
import type { Tree } from './mailbox-get.ts'
import { invalidProperties, setErrorOf, SetRefusal } from '#server/jmap/method/method-error.ts'
import { asked, isShared, MAIL, RETENTION } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { mayRead } from '#server/jmap/shares.ts'
import { notFound, readSet, SetResult, SET_ARGS } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { mailboxState } from '#server/jmap/method/states.ts'

/** RFC 8621 §2.5. One object after another: a later one may lie in an earlier one. */
export const mailboxSet: Method = {
  name: 'Mailbox/set',
  capability: MAIL,
  args: [...SET_ARGS, 'onDestroyRemoveEmails'],
  writes: true,
  readersToo: true,
  async run(call, args): Promise<Answer> {
    const before = await loadTree(call)
    const ask = readSet(call, args, mailboxState(before.state))
    const withEmails = args.flag('onDestroyRemoveEmails')
    const result = new SetResult()
    for (const [creationId, properties] of ask.create)
      await create(call, args, properties).then(
        (object) => result.created(call, creationId, object),
        (thrown: unknown) => result.refuse('notCreated', creationId, thrown),
      )
    for (const [id, patch] of ask.update)
      await update(call, args, { id, patch }).then(
        () => result.updated(id),
        (thrown: unknown) => result.refuse('notUpdated', id, thrown),
      )
    for (const id of childrenFirst(ask.destroy, before))
      await destroy(call, id, withEmails ? 'withEmails' : 'empty').then(
        () => result.destroyed(id),
        (thrown: unknown) => result.refuse('notDestroyed', id, thrown),
      )
    const after = await loadTree(call)
    return {
      oldState: mailboxState(before.state),
      newState: mailboxState(after.state),
      ...result.answer(),
    }
  },
}

const SETTABLE = ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed']

function requireKnown(call: Call, properties: Properties): void {
  const settable = call.using.includes(RETENTION) ? [...SETTABLE, 'retention'] : SETTABLE
  const strange = Object.keys(properties).find((name) => !settable.includes(name))
  if (strange === undefined) return
  const isKnown = mailboxProperties(call).includes(strange)
  throw invalidProperties(
    isKnown ? `${strange} cannot be set` : `no property is called ${strange.slice(0, 100)}`,
    strange.slice(0, 100),
  )
}

async function create(
  call: Call,
  args: Args,
  properties: Properties,
): Promise<{ readonly id: string; readonly [more: string]: unknown }> {
  requireKnown(call, properties)
  const tree = await loadTree(call)
  const path = pathFor(args, tree, { ...properties, name: properties['name'] ?? '' }, [])
  const use = roleOf(properties['role'])
  const sortOrder = sortOrderOf(properties['sortOrder'])
  const subscribed = booleanOf(properties['isSubscribed'] ?? false)
  const changes: MailboxChange[] = [{ kind: 'create', path, ...(use === undefined ? {} : { use }) }]
  if (subscribed) changes.push({ kind: 'subscribe', path, on: true })
  const [made] = await commit(call, changes)
  if (made?.kind !== 'mailbox') throw new Error('create answered otherwise')
  let { mailbox } = made
  if (sortOrder !== undefined) {
    const [described] = await commit(call, [{ kind: 'describe', mailboxId: mailbox.id, sortOrder }])
    if (described?.kind === 'mailbox') mailbox = described.mailbox
  }
  if (Object.hasOwn(properties, 'retention')) {
    const [kept] = await commit(call, [retaining(mailbox, properties['retention'])])
    if (kept?.kind === 'mailbox') mailbox = kept.mailbox
  }
  const {
    name: _,
    parentId: __,
    ...shown
  } = picked(describeMailbox(mailbox, tree), new Set(mailboxProperties(call)))
  return {
    ...shown,
    id: mailbox.id,
    isSubscribed: subscribed,
    totalEmails: 0,
    unreadEmails: 0,
    totalThreads: 0,
    unreadThreads: 0,
  }
}

async function update(
  call: Call,
  args: Args,
  { id, patch }: { readonly id: string; readonly patch: Properties },
): Promise<void> {
  requireKnown(call, patch)
  const tree = await loadTree(call)
  const row = tree.byId.get(id)
  if (row === undefined) throw notFound()
  const shown = describeMailbox(row, tree)
  const changes: MailboxChange[] = []
  const described = describing(row, shown, patch)
  if (described !== undefined) changes.push(described)
  let { path } = row
  if (Object.hasOwn(patch, 'name') || Object.hasOwn(patch, 'parentId')) {
    const wanted: Properties = { name: shown['name'], parentId: shown['parentId'], ...patch }
    const isAsItIs = wanted['name'] === shown['name'] && wanted['parentId'] === shown['parentId']
    if (!isAsItIs) {
      if (isInboxOf(row))
        throw new SetRefusal({ type: 'forbidden', description: 'The inbox stays where it is' })
      // What lies above may be hidden: who names no other place leaves it where it is.
      const isThere = wanted['parentId'] === shown['parentId']
      path = isThere
        ? row.path.length === 1
          ? pathFor(args, tree, { ...wanted, parentId: null }, row.path)
          : [...row.path.slice(0, -1), nameFor(wanted['name'])]
        : pathFor(args, tree, wanted, row.path)
      changes.push({ kind: 'rename', mailboxId: row.id, path })
    }
  }
  if (Object.hasOwn(patch, 'isSubscribed'))
    changes.push({ kind: 'subscribe', path, on: booleanOf(patch['isSubscribed']) })
  if (Object.hasOwn(patch, 'retention')) changes.push(retaining(row, patch['retention']))
  if (changes.length > 0) await commit(call, changes)
}

/** Role and place among others, where the patch changes them. */
function describing(
  { id, use }: MailboxRow,
  shown: Properties,
  patch: Properties,
): MailboxChange | undefined {
  const hasNew = (name: string): boolean =>
    Object.hasOwn(patch, name) && (patch[name] ?? null) !== shown[name]
  const sortOrder = hasNew('sortOrder') ? (sortOrderOf(patch['sortOrder']) ?? 0) : undefined
  if (!hasNew('role'))
    return sortOrder === undefined ? undefined : { kind: 'describe', mailboxId: id, sortOrder }
  if (use === 'inbox') throw invalidProperties('the inbox keeps its role', 'role')
  return {
    kind: 'describe',
    mailboxId: id,
    use: roleOf(patch['role']) ?? null,
    ...(sortOrder === undefined ? {} : { sortOrder }),
  }
}

/** RFC 8621 §2: below 2^31. */
function sortOrderOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (!Number.isSafeInteger(value) || Number(value) < 0 || Number(value) >= 2 ** 31)
    throw invalidProperties('sortOrder is a number from 0 below 2^31', 'sortOrder')
  return value as number
}

function retaining({ id }: MailboxRow, value: unknown): MailboxChange {
  const isDays =
    Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= RETAIN_DAYS_MAX
  if (!isDays && value !== 'forever' && value !== 'inherit')
    throw invalidProperties(
      `retention is a number of days up to ${RETAIN_DAYS_MAX}, forever or inherit`,
      'retention',
    )
  return { kind: 'retain', mailboxId: id, retention: value as Retention }
}

async function destroy(call: Call, id: string, which: 'empty' | 'withEmails'): Promise<void> {
  const tree = await loadTree(call)
  const row = tree.byId.get(id)
  if (row === undefined) throw notFound()
  if ([...tree.parentIds.values()].includes(row.id))
    throw new SetRefusal({ type: 'mailboxHasChild' })
  // Who may not read is not told how many there are: only that they would go unseen.
  if ((row.messages > row.deleted || !mayRead(row)) && which === 'empty')
    throw new SetRefusal({ type: 'mailboxHasEmail' })
  await commit(call, [{ kind: 'delete', mailboxId: row.id }])
}

/** Deeper ones first: a tree can be destroyed by one call. */
function childrenFirst(ids: readonly string[], tree: Tree): readonly string[] {
  const depth = (id: string): number => tree.byId.get(id)?.path.length ?? 0
  return ids.toSorted((a, b) => depth(b) - depth(a))
}

function pathFor(args: Args, tree: Tree, asked: Properties, own: MailboxPath): MailboxPath {
  const { parentId = null } = asked
  const name = nameFor(asked['name'])
  if (parentId === null) {
    // Clients of IMAP look for mailboxes of others there.
    if (FOREIGN_ROOTS.includes(name)) throw invalidProperties('that name is taken', 'name')
    return [name]
  }
  const parent = typeof parentId === 'string' ? parentRow(args, tree, parentId) : undefined
  if (parent === undefined) throw invalidProperties('there is no such parent', 'parentId')
  const isBelow = own.length > 0 && own.every((step, index) => parent.path[index] === step)
  if (isBelow) throw invalidProperties('a mailbox cannot lie in itself', 'parentId')
  return [...parent.path, name]
}

function nameFor(name: unknown): string {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed())
    throw invalidProperties('name is a text', 'name')
  // The separator of IMAP, which shows the same mailboxes.
  if (name.includes('/')) throw invalidProperties('a name has no /', 'name')
  return name
}

const parentRow = (args: Args, tree: Tree, id: string): MailboxRow | undefined =>
  tree.byId.get(args.resolved(id))

function roleOf(value: unknown): SpecialUse | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && Object.hasOwn(SPECIAL_USES, value) && value !== 'inbox')
    return value as SpecialUse
  throw invalidProperties('that role cannot be given', 'role')
}

function booleanOf(value: unknown): boolean {
  if (typeof value !== 'boolean')
    throw invalidProperties('isSubscribed is true or false', 'isSubscribed')
  return value
}

async function commit(
  call: Call,
  changes: readonly MailboxChange[],
): Promise<readonly ChangeResult[]> {
  const { results } = await call.room.store.commit({
    contents: [],
    commits: [{ ...asked(call), changes }],
  })
  const [result] = results
  if (result?.kind === 'committed') return result.results
  if (result?.kind !== 'refused') throw new Error('a commit without delivery id was a duplicate')
  // The mailbox was there just now: what is not to be found is what lies above it, and hidden.
  const isAbove = result.refusal.code === 'noMailbox' && isShared(call)
  const { code } = isAbove ? { code: 'noPermission' as const } : result.refusal
  throw new SetRefusal(setErrorOf({ ...result.refusal, code }, 'name'))
}
