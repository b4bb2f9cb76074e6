import { z } from 'zod'
import { isFault } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import {
  script,
  scriptActive,
  scriptPut,
  scriptRemoved,
  scripts,
  scriptText,
} from '#contract/admin/scripts.ts'
import type { ScriptsRefusal } from '#engine/deliver/scripts.ts'
import { authorOf } from './context.ts'
import type { AdminDeps, AdminServer, RemoteScripts } from './context.ts'
import { ApiError } from './errors.ts'
import { accountOf, mainAddress } from './lookup.ts'

const owner = z.object({ user: z.string() })
const named = owner.extend({ name: z.string() })

/** Users' own Sieve scripts, kept by the store that holds the account. */
export function scriptRoutes(app: AdminServer, deps: AdminDeps): void {
  const of = (user: string) => {
    const account = accountOf(deps.directory.directory, user)
    const { node, scripts: room } = deps.scripts(account.id)
    return {
      accountId: account.id,
      /** The answer; a store that does not answer, or a refusal, as the API's error. */
      ask: async <T>(work: (room: RemoteScripts) => Promise<T>): Promise<T> => {
        try {
          return await work(room)
        } catch (thrown) {
          if (!isFault(thrown)) throw thrown
          throw new ApiError(
            thrown.code === 'full' || thrown.code === 'stalled' ? thrown.code : 'unavailable',
            `${node} cannot do it now: ${thrown.message}`,
            'Nothing was changed, as far as it is known. Try again when the store answers: watari status.',
          )
        }
      },
      taken: <T>(outcome: Outcome<T, ScriptsRefusal>): T => {
        if (outcome.ok) return outcome.value
        const { code, message } = outcome.error
        throw new ApiError(
          code === 'active' ? 'conflict' : code,
          message,
          remedyOf(outcome.error, mainAddress(account)),
        )
      },
    }
  }
  const by = (request: Parameters<typeof authorOf>[0]): string => {
    const { who, from } = authorOf(request)
    return `${who} by ${from}`
  }

  app.get(
    '/users/:user/scripts',
    { schema: { params: owner, response: { 200: scripts } } },
    async ({ params }) => {
      const { accountId, ask } = of(params.user)
      return { items: [...(await ask((room) => room.list({ accountId })))] }
    },
  )

  app.get(
    '/users/:user/scripts/:name',
    { schema: { params: named, response: { 200: scriptText } } },
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
    { schema: { params: named, body: scriptPut, response: { 200: script } } },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const { script: text, activate } = request.body
      const put = { accountId, name: request.params.name, text, activate, by: by(request) }
      return taken(await ask((room) => room.put(put)))
    },
  )

  app.delete(
    '/users/:user/scripts/:name',
    { schema: { params: named, response: { 200: scriptRemoved } } },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const remove = { accountId, name: request.params.name, by: by(request) }
      return { removed: taken(await ask((room) => room.remove(remove))) }
    },
  )

  app.put(
    '/users/:user/active-script',
    { schema: { params: owner, body: scriptActive, response: { 200: scriptActive } } },
    async (request) => {
      const { accountId, ask, taken } = of(request.params.user)
      const activate = { accountId, name: request.body.name, by: by(request) }
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
    case 'limit':
      return 'Nothing was stored: make it shorter, or remove what is not needed with watari sieve rm.'
    case 'invalid':
      return errors === undefined
        ? 'Give another name.'
        : 'Nothing was stored: correct the script; watari sieve check FILE tries it.'
  }
}
