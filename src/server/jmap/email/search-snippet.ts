import { foldMapped } from '#codec/mime/fold-text.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import { bodiesOf } from './body-parts.ts'
import { compileFilter, wordsOf } from './email-filter.ts'
import { loadEmails, loadMetas } from './emails.ts'
import type { Email } from './emails.ts'
import { asText } from './header-forms.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { invalidArguments } from '#server/jmap/method/method-error.ts'
import { MAIL } from '#server/jmap/room.ts'
import type { Answer, Method } from '#server/jmap/room.ts'
import { storedSource } from './source.ts'
import type { Source } from './source.ts'

/** Octets of a text that are looked through, characters that are shown. */
const TEXT_BYTES_MAX = 64 * 1024
const SHOWN_MAX = 180
const BEFORE = 40

/** RFC 8621 §5.1: where the words of a search stand, marked, all else escaped. */
export const searchSnippetGet: Method = {
  name: 'SearchSnippet/get',
  capability: MAIL,
  args: ['filter', 'emailIds'],
  async run(call, args): Promise<Answer> {
    const { terms } = compileFilter(args.value('filter'))
    const words = terms
      .flatMap(wordsOf)
      .map((word) => word.trim())
      .filter((word) => word !== '')
    const ids = idsToGet(call, args, 'emailIds')
    if (ids === undefined) throw invalidArguments('emailIds is missing')
    const { emails } = await loadEmails(call, ids)
    const found = emails.filter((email) => email !== undefined)
    const snippets = new Map<string, Snippet>()
    for (let open: readonly Email[] = found; open.length > 0;) {
      const { metas, later } = await loadMetas(call, open)
      for (const email of open) {
        const stored = metas.get(email.emailId)
        if (stored === undefined) continue
        snippets.set(email.emailId, await snippetOf(storedSource(call, email, stored), words))
      }
      open = later
    }
    const list = ids.flatMap((id) => {
      const snippet = snippets.get(id)
      return snippet === undefined ? [] : [{ emailId: id, ...snippet }]
    })
    return { list, notFound: ids.filter((id) => !snippets.has(id)) }
  },
}

interface Snippet {
  readonly subject: string | null
  readonly preview: string | null
}

async function snippetOf(source: Source, words: readonly string[]): Promise<Snippet> {
  const { meta } = source
  return {
    subject: marked(asText(meta.envelope.subject ?? ''), words),
    preview:
      words.length === 0
        ? null
        : (marked(meta.preview, words) ?? marked(await textOf(source), words)),
  }
}

async function textOf(source: Source): Promise<string> {
  const [body] = bodiesOf(source.meta.root).text
  if (body === undefined || body.part.type !== 'text') return ''
  const { offset, length } = body.part.body
  const octets = await source.read(source.prefixBytes + offset, Math.min(length, TEXT_BYTES_MAX))
  const text = decodeText(body.part, octets)
  const plain = body.part.subtype === 'html' ? htmlToText(text) : text
  return plain.replace(/\s+/g, ' ')
}

/** The text around the first word found, or null. */
function marked(text: string, words: readonly string[]): string | null {
  if (words.length === 0) return null
  const { text: folded, starts, ends } = foldMapped(text)
  const first = Math.min(...words.map((word) => folded.indexOf(word)).filter((at) => at >= 0))
  if (first === Infinity) return null
  const from = Math.max(0, starts[first]! - BEFORE)
  const to = Math.min(text.length, from + SHOWN_MAX)
  let shown = ''
  let at = from
  for (let unit = first; unit < folded.length && starts[unit]! < to;) {
    const word = words.find((each) => folded.startsWith(each, unit))
    if (word === undefined) {
      unit++
      continue
    }
    const end = ends[unit + word.length - 1]!
    // Of a sign that folds to several, as ㈱ does, the whole is marked, once.
    const start = Math.max(at, starts[unit]!)
    if (end > start)
      shown += `${escaped(text.slice(at, start))}<mark>${escaped(text.slice(start, end))}</mark>`
    at = Math.max(at, end)
    unit += word.length
  }
  return (shown + escaped(text.slice(at, to))).toWellFormed()
}

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
