import { z } from 'zod'
import { err, ok } from '#base/outcome.ts'
import { choices, choicesPatch, writtenChoices } from '#contract/admin/choices.ts'
import { scriptFault } from '#engine/choices/chosen-script.ts'
import { readPatch } from '#engine/people/choices-patch.ts'
import { choicesView } from '#engine/people/choices-view.ts'
import type { AccountId } from '#model/account.ts'
import { choicesFault } from '#model/choices-fault.ts'
import { noChoices, withParts } from '#model/choices.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { writeDirectory } from './directory-writes.ts'
import type { Target } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { accountOf, mainAddress } from './lookup.ts'

const named = z.object({ user: z.string() })

/** What users have chosen of their own mail, for whoever helps them. */
export function choicesRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const view = (id: AccountId) =>
    choicesView(accountOf(directory, id), directory, deps.settings.settings)
  const target = (id: AccountId): Target => ({
    key: `choices:${id}`,
    name: `what ${mainAddress(accountOf(directory, id))} has chosen`,
    version: (now) => String(now.choices(id)?.revision ?? 0),
  })

  app.get(
    '/users/:user/choices',
    {
      config: { permission: 'people.read' },
      schema: { params: named, response: { 200: choices } },
    },
    async ({ params }) => view(accountOf(directory, params.user).id),
  )

  app.patch(
    '/users/:user/choices',
    {
      config: { permission: 'people.write' },
      schema: {
        params: named,
        body: choicesPatch.extend({
          revision: z.int().nonnegative().optional().describe('that was seen'),
        }),
        response: { 200: writtenChoices },
      },
    },
    async (request) => {
      const { id } = accountOf(directory, request.params.user)
      const { revision, ...body } = request.body
      const patch = readPatch(body)
      if (!patch.ok) throw new ApiError('invalid', patch.error, 'Give it as it is to be.')
      const which = target(id)
      const pending = await writeDirectory(deps, request, which, (now) => {
        const before = now.choices(id) ?? noChoices(id)
        if (revision !== undefined && revision !== before.revision)
          return err({
            code: 'conflict',
            message: `${which.name} has changed meanwhile`,
            remedy: 'Nothing of yours was written. Look at it as it is now, then change it again.',
          })
        const after = withParts(before, patch.value)
        const message = choicesFault(after) ?? scriptFault(now, after)
        if (message !== undefined)
          return err({ code: 'invalid', message, remedy: 'Give it as it is to be.' })
        return ok([{ kind: 'put', row: { kind: 'choices', choices: after } }])
      })
      return { ...view(id), pending }
    },
  )
}
