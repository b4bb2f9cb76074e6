import type { RequestListener } from 'node:http'
import { messageOf } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { answerEarly } from '#app/web/alive.ts'

/** The API's framework costs some 50 MiB: it is loaded when somebody first asks. */
export function lazyAdmin(deps: AdminDeps, log: Log): RequestListener {
  let app: Promise<{ readonly listener: RequestListener }> | undefined
  return (request, response) => {
    if (answerEarly(request, response)) return
    app ??= import('#server/admin/app.ts').then(({ adminApp }) => adminApp(deps, log))
    app.then(
      ({ listener }) => listener(request, response),
      (cause: unknown) => {
        log.error('admin.failed', { cause: messageOf(cause) })
        app = undefined
        response.writeHead(500)
        response.end()
      },
    )
  }
}
