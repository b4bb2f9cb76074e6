import { z } from 'zod'
import type { Outcome } from '#base/outcome.ts'
import {
  script,
  scriptActive,
  scriptName,
  scriptPut,
  scriptRemoved,
  scripts,
  scriptsImport,
  scriptsImported,
  scriptText,
} from '#contract/admin/scripts.ts'
import type { ScriptsRefusal } from '#engine/deliver/scripts.ts'
import type { AdminDeps, AdminServer, RemoteScripts } from './context.ts'
import { ApiError } from './errors.ts'
import { accountOf, mainAddress } from './lookup.ts'
import { askStore, authorText } from './store-ask.ts'

const owner = z.object({ user: z.string() })
const named = owner.extend({ name: z.string() })

/** Users' own Sieve scripts, kept by the store that holds the account. */
export function scriptRoutes(app: AdminServer, deps: AdminDeps): void {
  const of = (user: string) => {
    const account = accountOf(deps.directory.directory, user)
    const { node, scripts: room } = deps.scripts(account.id)
    return {
      accountId: account.id,
      ask: <T>(work: (room: RemoteScripts) => Promise<T>): Promise<T> =>
        askStore(node, () => work(room)),
      taken: <T>(outcome: Outcome<T, ScriptsRefusal>): T => {
        if (outcome.ok) return outcome.value
        const { code, message } = outcome.error
        throw new ApiError(
          code === 'active' || code === 'exists' ? 'conflict' : code,
          message,
          remedyOf(outcome.error, mainAddress(account)),
        )
      },
    }
  }

  app.get(
    '/users/:user/scripts',
    {
      config: { permission: 'mailboxes.read' },
      schema: { params: owner, response: { 200: scripts } },
    },
    async ({ params }) => {
      const { accountId, ask } = of(params.user)
      return { items: [...(await ask((room) => room.list({ accountId })))] }
    },
  )

  app.post(
    '/users/:user/scripts/import',
    {
      config: { permission: 'content.write' },
      schema: { params: owner, body: scriptsImport, response: { 200: scriptsImported } },
    },
    async (request) => {
      const { accountId, ask } = of(request.params.user)
      const { separator, prefix, ...body } = request.body
      const declared = {
        ...(separator !== undefined && { separator }),
        ...(prefix !== undefined && { prefix }),
      }
      const given = { ...body, ...declared, accountId, by: authorText(request) }
      return scriptsImported.parse(await ask((room) => room.bringIn(given)))
    },
  )

  app.get(
    '/users/:user/scripts/:name',
    {
      config: { permission: 'content.read' },
      schema: { params: named, response: { 200: scriptText } },
    },
    async ({ params }) => {
      const { accountId, ask, taken } = of(params.user)
      const found = taken(await ask((room) => room.get({ accountId, name: params.name })))
      return {
        name: found.name,
        active: found.active,
        sizeBytes: Buffer.byteLength(found.text),
        script: found.text,
      }
    },
  )

  app.put(
    '/users/:user/scripts/:name',
    {
      config: { permission: 'content.write' },
      schema: { params: named, body: scriptPut, response: { 200: script } },
    },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const { script: text, activate } = request.body
      const put = { accountId, name: request.params.name, text, activate, by: authorText(request) }
      return taken(await ask((room) => room.put(put)))
    },
  )

  app.delete(
    '/users/:user/scripts/:name',
    {
      config: { permission: 'content.write' },
      schema: { params: named, response: { 200: scriptRemoved } },
    },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const remove = { accountId, name: request.params.name, by: authorText(request) }
      return { removed: taken(await ask((room) => room.remove(remove))) }
    },
  )

  app.put(
    '/users/:user/scripts/:name/name',
    {
      config: { permission: 'content.write' },
      schema: { params: named, body: scriptName, response: { 200: scriptName } },
    },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const { name } = request.params
      const rename = { accountId, name, to: request.body.name, by: authorText(request) }
      return { name: taken(await ask((room) => room.rename(rename))) }
    },
  )

  app.put(
    '/users/:user/active-script',
    {
      config: { permission: 'content.write' },
      schema: { params: owner, body: scriptActive, response: { 200: scriptActive } },
    },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const activate = { accountId, name: request.body.name, by: authorText(request) }
      return { name: taken(await ask((room) => room.activate(activate))) }
    },
  )
}

function remedyOf({ code, errors }: ScriptsRefusal, user: string): string {
  switch (code) {
    case 'notFound':
      return `watari sieve ls ${user} shows the scripts.`
    case 'active':
      return `Switch it off first: watari sieve activate ${user} --none, or another one's name.`
    case 'exists':
      return 'Nothing was renamed: give another name.'
    case 'limit':
      return 'Nothing was stored: make it shorter, or remove what is not needed with watari sieve rm.'
    case 'invalid':
      return errors === undefined
        ? 'Give another name.'
        : 'Nothing was stored: correct the script; watari sieve check FILE tries it.'
  }
}
