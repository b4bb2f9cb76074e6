import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import type { ChoicesBody } from '#contract/admin/choices.ts'
import { FILTER_TEXT_MAX } from '#model/choice-limits.ts'
import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { LineForm } from './line-form.tsx'
import { listsInScript, ownListTag } from './lists-in-script.ts'
import { ownScripts } from './own-scripts.ts'
import { SenderSet } from './sender-set.tsx'

type OwnList = NonNullable<ChoicesBody['lists']>[number]

/** Named lists of senders, for one's own scripts to ask (RFC 6134). */
export function OwnLists({ client }: { readonly client: MailClient }): ReactNode {
  const { t } = useWords()
  const { view, set } = useChoosing()
  const [fault, setFault] = useState<string>()
  const [opened, setOpened] = useState<string>()
  const lists = view.lists ?? []
  const uses = useUses(client, lists.length > 0)
  const create = async (text: string): Promise<boolean> => {
    const name = text.normalize('NFC')
    const why = nameFault(name, lists)
    setFault(why && t(`ownLists.${why}`))
    if (why !== undefined) return false
    const isMade = await set(
      { lists: [...lists, { name, senders: [] }] },
      t('ownLists.made', { name }),
    )
    if (isMade) setOpened(name)
    return isMade
  }
  return (
    <section className="sheet" aria-labelledby="own-lists-title">
      <h2 id="own-lists-title">{t('ownLists.title')}</h2>
      <p className="faint">{t('ownLists.what')}</p>
      <LineForm
        label={t('ownLists.name')}
        hint={t('ownLists.name')}
        word={t('ownLists.create')}
        done={create}
        {...(fault !== undefined && { fault })}
      />
      {lists.length === 0 && <p className="faint">{t('ownLists.none')}</p>}
      {lists.map((list) => (
        <One
          key={list.name}
          list={list}
          usedBy={uses?.filter(({ asks }) => asks.has(list.name.toLowerCase()))}
          isOpen={opened === list.name}
          open={(isOpen) => setOpened(isOpen ? list.name : undefined)}
        />
      ))}
    </section>
  )
}

function One(props: {
  readonly list: OwnList
  /** Undefined: not known yet. */
  readonly usedBy: readonly Use[] | undefined
  readonly isOpen: boolean
  readonly open: (isOpen: boolean) => void
}): ReactNode {
  const { t } = useWords()
  const { view, set, isBusy } = useChoosing()
  const { list, usedBy, isOpen, open } = props
  const { name, senders } = list
  const lists = view.lists ?? []
  const put = (next: readonly string[]): readonly OwnList[] =>
    lists.map((each) => (each.name === name ? { name, senders: [...next] } : each))
  const domain = view.address.main.slice(view.address.main.lastIndexOf('@') + 1)
  return (
    <details
      className="own-list"
      open={isOpen}
      onToggle={(event) => {
        const { open: isNow } = event.currentTarget
        if (isNow !== isOpen) open(isNow)
      }}
    >
      <summary>
        <bdi>{name}</bdi>{' '}
        <span className="faint small">{t('ownLists.count', { count: senders.length })}</span>
      </summary>
      <div className="own-list-inside">
        <SenderSet
          senders={senders}
          save={(next, { added }) =>
            set({ lists: [...put(next)] }, t('senders.welcome.added', { count: added }))
          }
          remove={(sender) =>
            void set(
              { lists: [...put(senders.filter((each) => each !== sender))] },
              t('senders.removed', { name: sender }),
            )
          }
        />
        <p className="small">
          {t('ownLists.tag')} <code>{`"${ownListTag(domain, name)}"`}</code>
        </p>
        {usedBy !== undefined && (
          <p className="small">
            {usedBy.length === 0
              ? t('ownLists.unused')
              : t('ownLists.usedBy', { scripts: usedBy.map((each) => each.script).join(', ') })}
          </p>
        )}
        <button
          type="button"
          className="plain-button"
          disabled={isBusy}
          onClick={() =>
            void set(
              { lists: lists.filter((each) => each.name !== name) },
              t('senders.removed', { name }),
            )
          }
        >
          {t('ownLists.remove', { name })}
        </button>
      </div>
    </details>
  )
}

/** Why this is no name of a further list; undefined: it is one. */
function nameFault(name: string, lists: readonly OwnList[]): 'badName' | 'sameName' | undefined {
  const plain = name.toLowerCase()
  if (name.length > FILTER_TEXT_MAX || name.includes('/')) return 'badName'
  const taken = ['blocked', 'welcome', ...lists.map((each) => each.name.toLowerCase())]
  return taken.includes(plain) ? 'sameName' : undefined
}

interface Use {
  readonly script: string
  readonly asks: ReadonlySet<string>
}

/** Which lists each of one's own scripts asks; undefined while that is not known. */
function useUses(client: MailClient, isWanted: boolean): readonly Use[] | undefined {
  const [uses, setUses] = useState<readonly Use[]>()
  useEffect(() => {
    if (!isWanted) return undefined
    let isHere = true
    const load = async (): Promise<readonly Use[]> => {
      const { list } = await ownScripts(client)
      return Promise.all(
        list.map(async ({ name, blobId }) => ({
          script: name,
          asks: listsInScript(await client.text(blobId)),
        })),
      )
    }
    load().then(
      (found) => isHere && setUses(found),
      // It is said of a list where it is known, and the lists work without it.
      () => undefined,
    )
    return () => {
      isHere = false
    }
  }, [client, isWanted])
  return uses
}
