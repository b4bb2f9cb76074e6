import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

import { missingPage, NONCE } from './missing-pages.ts'

/** Answers a request for a web page or a file of one. */
export type ServePages = (incoming: IncomingMessage, response: ServerResponse) => void

interface Page {
  readonly path: RegExp
  /** Its HTML, below the folder of the built pages. */
  readonly html: string
}

/** The addresses of the pages; each keeps its state in what follows. */
const PAGES: readonly Page[] = [
  { path: /^\/console(?:\/|$)/, html: 'console/index.html' },
  { path: /^\/lists(?:\/|$)/, html: 'lists/index.html' },
  { path: /^\/settings(?:\/|$)/, html: 'settings/index.html' },
  { path: /^\/(?:$|mail(?:\/|$))/, html: 'mail/index.html' },
]

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
}
/** Names hold a hash of their content. */
const ASSET = /^\/assets\/([\w.-]+)$/
const FOREVER = 'public, max-age=31536000, immutable'

/**
 * Serves what preparePages has built. While it is not there yet, or could not be built, each page
 * says so itself; nothing here is needed for mail. Files are read once, when they are first asked for.
 */
export function servePages(folder: string): ServePages {
  const files = new Map<string, Promise<Buffer>>()
  let names: Promise<ReadonlySet<string>> | undefined
  const read = (name: string): Promise<Buffer> => {
    const found = files.get(name) ?? readFile(join(folder, name))
    files.set(name, found)
    found.catch(() => files.delete(name)) // it may be built by then
    return found
  }
  const assets = (): Promise<ReadonlySet<string>> => {
    names ??= readdir(join(folder, 'assets')).then((all) => new Set(all))
    names.catch(() => (names = undefined))
    return names
  }
  return (incoming, response) => {
    const path = (incoming.url ?? '/').split('?')[0]!
    const page = PAGES.find((each) => each.path.test(path))
    const asset = ASSET.exec(path)?.[1]
    if (page === undefined && asset === undefined) return sendNothing(response)
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    const work =
      page === undefined
        ? sendAsset(incoming, response, { name: asset!, read, assets })
        : sendPage(response, { html: () => read(page.html), folder })
    work.catch(() => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    })
  }
}

async function sendPage(
  response: ServerResponse,
  page: { readonly html: () => Promise<Buffer>; readonly folder: string },
): Promise<void> {
  const nonce = randomBytes(16).toString('base64')
  const text = await page.html().then(String, () => undefined)
  const reason =
    text === undefined
      ? await readFile(failureOf(page.folder), 'utf8').catch(() => undefined)
      : undefined
  response.writeHead(text === undefined ? 503 : 200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': policy(nonce),
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    ...(text === undefined && waits(reason === undefined ? 3 : 60)),
  })
  response.end((text ?? missingPage(reason)).replaceAll(NONCE, nonce))
}

/** Where the build says why there is no folder. */
export const failureOf = (folder: string): string => `${folder}.failed`

const waits = (seconds: number): Record<string, string> => ({
  'retry-after': String(seconds),
  refresh: String(seconds),
})

/**
 * No script but our own files. Styles: our files, and the style elements that Mantine makes, which
 * carry the nonce of this one answer. Nobody may frame the pages.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

async function sendAsset(
  incoming: IncomingMessage,
  response: ServerResponse,
  ask: {
    readonly name: string
    readonly read: (name: string) => Promise<Buffer>
    readonly assets: () => Promise<ReadonlySet<string>>
  },
): Promise<void> {
  const { name } = ask
  const names = await ask.assets().catch(() => new Set<string>())
  const type = TYPES[extname(name)]
  if (!names.has(name) || type === undefined) return sendNothing(response)
  const coding = codingOf(incoming.headers['accept-encoding'])
  const ending = coding === 'br' ? '.br' : coding === 'gzip' ? '.gz' : ''
  const isCoded = ending !== '' && names.has(`${name}${ending}`)
  const octets = await ask.read(`assets/${name}${isCoded ? ending : ''}`)
  response.writeHead(200, {
    'content-type': type,
    'content-length': octets.byteLength,
    'cache-control': FOREVER,
    vary: 'accept-encoding',
    ...(isCoded && { 'content-encoding': coding }),
  })
  response.end(incoming.method === 'HEAD' ? undefined : octets)
}

/** The best coding that the browser takes (RFC 9110 §12.5.3); `q=0` is a refusal. */
function codingOf(header: string | string[] | undefined): 'br' | 'gzip' | undefined {
  const taken = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !/;\s*q=0(?:\.0*)?$/.test(part))
    .map((part) => part.split(';')[0]!.trim())
  return taken.includes('br') ? 'br' : taken.includes('gzip') ? 'gzip' : undefined
}

function sendNothing(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
  response.end('There is no page here. The API: /api/v1/openapi.json\n')
}
