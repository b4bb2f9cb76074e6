/*
 * What the tests use of jmap-jam (MIT). Its own types come as sources which erasableSyntaxOnly refuses;
 * tsconfig.json names this file for them, and Node runs the package itself.
 */

type Args = Readonly<Record<string, unknown>>
// oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
type Answer = any

interface Meta {
  readonly sessionState: string
  readonly response: Response
}

type Operation = 'get' | 'set' | 'changes' | 'query' | 'queryChanges' | 'parse' | 'import' | 'copy'
type Entity = 'Mailbox' | 'Email' | 'Thread' | 'Identity' | 'EmailSubmission'

interface Draft {
  $ref(path: string): unknown
}

type By<Value> = {
  readonly [E in Entity]: { readonly [O in Operation]: (args: Args) => Value }
}

export class JamClient {
  authHeader: string
  session: Promise<Answer>
  constructor(config: { readonly bearerToken: string; readonly sessionUrl: string })
  static loadSession(sessionUrl: string, authHeader: string): Promise<Answer>
  readonly api: By<Promise<[Answer, Meta]>>
  requestMany<Drafts extends Readonly<Record<string, Draft>>>(
    drafts: (t: By<Draft>) => Drafts,
  ): Promise<[{ readonly [K in keyof Drafts]: Answer }, Meta]>
  getPrimaryAccount(): Promise<string>
  uploadBlob(accountId: string, body: Blob): Promise<Answer>
  downloadBlob(options: {
    readonly accountId: string
    readonly blobId: string
    readonly mimeType: string
    readonly fileName: string
  }): Promise<Response>
  connectEventSource(options: {
    readonly types: '*' | readonly string[]
    readonly ping: number
  }): Promise<{ readonly url: string }>
}
