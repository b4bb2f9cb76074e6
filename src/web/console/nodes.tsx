import { Button, Skeleton, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { NodeBody, StatusBody } from '#contract/admin/status.ts'
import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import { useNotices } from '#web/parts/notices.tsx'
import { dateText, relativeText } from '#web/parts/times.ts'

import { ask, part } from '#web/parts/api.ts'
import { Confirm } from './confirm.tsx'
import { May, useMay } from './may.tsx'
import { NodeMark } from './node-mark.tsx'
import { Trouble } from '#web/parts/trouble.tsx'

const LIVE_MS = 5_000

interface Token {
  readonly name: string
  readonly role: string
  readonly token: string
  readonly expires: string
}

/** All machines: how they are, what is in force there, and who may join. */
export function Nodes(): ReactNode {
  const { t } = useWords()
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => ask<StatusBody>('GET', '/status', { background: true, signal }),
    refetchInterval: LIVE_MS,
  })
  const [removing, setRemoving] = useState<string>()
  const [isInviting, setInviting] = useState(false)
  const { drain, remove } = useNodeActs()
  return (
    <>
      <h1>{t('nodes.title')}</h1>
      <div className="filters">
        <May do="nodes.write">
          <Button onClick={() => setInviting(true)}>{t('nodes.invite')}</Button>
        </May>
      </div>
      {status.error !== null && <Trouble error={status.error} />}
      {status.data === undefined ? (
        <Skeleton height={120} />
      ) : (
        <ul className="cards">
          {status.data.nodes.map((node) => (
            <NodeCard
              key={node.node}
              node={node}
              inForce={status.data.settings}
              onDrain={(draining) => void drain(node.node, draining)}
              onRemove={() => setRemoving(node.node)}
            />
          ))}
        </ul>
      )}
      {removing !== undefined && (
        <Confirm
          title={t('nodes.removeTitle')}
          text={t('nodes.removeText', { name: removing })}
          ask={t('nodes.removeAsk', { name: removing })}
          word={removing}
          action={t('nodes.remove')}
          onClose={() => setRemoving(undefined)}
          onConfirm={() => {
            setRemoving(undefined)
            void remove(removing)
          }}
        />
      )}
      {isInviting && <Invite onClose={() => setInviting(false)} />}
    </>
  )
}

function NodeCard(props: {
  readonly node: NodeBody
  readonly inForce: StatusBody['settings']
  readonly onDrain: (draining: boolean) => void
  readonly onRemove: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { node, inForce } = props
  const may = useMay()
  const isBehind = node.hash !== undefined && node.hash !== inForce.hash
  return (
    <li className="sheet">
      <h2>
        {node.node} <NodeMark node={node} />
      </h2>
      {node.reason !== undefined && <p>{node.reason}</p>}
      {node.error !== undefined && <p className="said-no">{node.error}</p>}
      <dl className="facts facts-narrow">
        <div>
          <dt>{t('nodes.role')}</dt>
          <dd>{t(`role.${node.role}`)}</dd>
        </div>
        <div>
          <dt>{t('nodes.settings')}</dt>
          <dd>
            {node.generation ?? '–'} <span className="code">{node.hash?.slice(0, 8)}</span>{' '}
            {isBehind && <Mark kind="warn">{t('nodes.behind')}</Mark>}
          </dd>
        </div>
        <div>
          <dt>{t('nodes.heard')}</dt>
          <dd title={node.lastBeat && dateText(language, node.lastBeat)}>
            {node.lastBeat === undefined ? '–' : relativeText(language, node.lastBeat)}
          </dd>
        </div>
        <div>
          <dt>{t('nodes.version')}</dt>
          <dd>{node.version ?? '–'}</dd>
        </div>
        {node.address !== undefined && (
          <div>
            <dt>{t('nodes.place')}</dt>
            <dd>
              {node.address} {node.port}
            </dd>
          </div>
        )}
      </dl>
      {/* The roles of control's own machine have not joined: they can be neither drained nor removed. */}
      {node.address !== undefined && may('nodes.write') && (
        <div className="acts">
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => props.onDrain(node.draining !== true)}
          >
            {t(node.draining === true ? 'nodes.resume' : 'nodes.drain')}
          </Button>
          <Button color="red.9" size="compact-sm" onClick={props.onRemove}>
            {t('nodes.remove')}
          </Button>
        </div>
      )}
    </li>
  )
}

function useNodeActs() {
  const { t } = useWords()
  const tell = useNotices()
  const client = useQueryClient()
  const done = async (work: Promise<unknown>, text: string, undo?: () => void): Promise<void> => {
    try {
      await work
      tell({ kind: 'done', text, ...(undo !== undefined && { undo }) })
    } catch (thrown) {
      tell({ kind: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) })
    }
    await client.invalidateQueries({ queryKey: ['status'] })
  }
  const drain = (name: string, draining: boolean): Promise<void> =>
    done(
      ask('PUT', `/nodes/${part(name)}/draining`, { body: { draining } }),
      t(draining ? 'nodes.drained' : 'nodes.resumed', { name }),
      () => void drain(name, !draining),
    )
  const remove = (name: string): Promise<void> =>
    done(ask('DELETE', `/nodes/${part(name)}`), t('nodes.removed', { name }))
  return { drain, remove }
}

/** A one-time token: shown once, for the machine that shall join. */
function Invite({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t, language } = useWords()
  const [name, setName] = useState('')
  const [role, setRole] = useState('gateway')
  const made = useMutation({
    mutationFn: () => ask<Token>('POST', '/nodes/tokens', { body: { name, role } }),
  })
  return (
    <Dialog title={t('nodes.invite')} onClose={onClose}>
      {made.data === undefined ? (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            made.mutate()
          }}
        >
          <p>{t('nodes.inviteText')}</p>
          <TextInput
            label={t('nodes.name')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            withAsterisk={false}
          />
          <label className="field">
            {t('nodes.role')}
            <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>
              {['gateway', 'store', 'deliver', 'serve'].map((each) => (
                <option key={each} value={each}>
                  {t(`role.${each}`)}
                </option>
              ))}
            </select>
          </label>
          {made.error !== null && <Trouble error={made.error} />}
          <div className="acts">
            <Button type="submit" loading={made.isPending}>
              {t('nodes.make')}
            </Button>
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
          </div>
        </form>
      ) : (
        <div className="stack">
          <p>
            {t('nodes.tokenText', {
              name: made.data.name,
              time: dateText(language, made.data.expires),
            })}
          </p>
          <textarea
            className="code token"
            aria-label={t('nodes.token')}
            readOnly
            rows={5}
            value={made.data.token}
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button variant="default" onClick={onClose}>
            {t('close')}
          </Button>
        </div>
      )}
    </Dialog>
  )
}
