import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { asciiUpper } from '#base/text.ts'
import type { Address } from '#model/address.ts'
import type { BodyKind, NotifyEvent } from '#model/envelope.ts'
import { parsePath } from './path.ts'
import { decodeUtf8Xtext, decodeXtext } from './xtext.ts'

/** The operands of MAIL, before anybody has judged them. */
export interface MailOperands {
  readonly reversePath: Address | 'postmaster' | null
  readonly body?: BodyKind
  readonly smtpUtf8: boolean
  readonly sizeBytes?: number
  readonly ret?: 'full' | 'hdrs'
  readonly envid?: string
  /** Our own parameter between joined nodes: base64url. */
  readonly xwatari?: string
}

/** The operands of RCPT. */
export interface RcptOperands {
  readonly address: Address | 'postmaster'
  readonly original?: string
  readonly notify?: readonly NotifyEvent[]
}

/** path: 501 5.1.7 or 5.1.3; parameter: 501 5.5.4; unknown: 555 5.5.4 (RFC 5321 §4.1.1.11). */
export interface OperandFault {
  readonly kind: 'syntax' | 'path' | 'parameter' | 'unknown'
  readonly text: string
}

/** RFC 3461 §4.4 and §4.2. */
const ENVID_BYTES_MAX = 100
const ORCPT_BYTES_MAX = 500
const PARAMETERS_MAX = 20

/** `FROM:<a@b> SIZE=1 BODY=8BITMIME …` (RFC 5321 §4.1.1.2, RFC 1870 §6, RFC 6152 §3, RFC 6531 §3.4, RFC 4954 §5). */
export function parseMail(rest: string): Outcome<MailOperands, OperandFault> {
  const read = operandsOf(rest, 'FROM:')
  if (!read.ok) return read
  const { path, params } = read.value
  const found: { -readonly [K in keyof MailOperands]?: MailOperands[K] } = {}
  for (const [name, value] of params) {
    const fault = mailParameter(found, name, value)
    if (fault !== undefined) return err(fault)
  }
  const reversePath =
    path.kind === 'null' ? null : path.kind === 'postmaster' ? 'postmaster' : path.address
  return ok({ smtpUtf8: false, ...found, reversePath })
}

function mailParameter(
  found: { -readonly [K in keyof MailOperands]?: MailOperands[K] },
  name: string,
  value: string | undefined,
): OperandFault | undefined {
  const upper = asciiUpper(value ?? '')
  switch (name) {
    case 'SIZE':
      if (!/^\d{1,20}$/.test(upper)) return bad(name)
      found.sizeBytes = Number(upper)
      return undefined
    case 'BODY':
      if (upper !== '7BIT' && upper !== '8BITMIME' && upper !== 'BINARYMIME') return bad(name)
      found.body = upper === '7BIT' ? '7bit' : upper === '8BITMIME' ? '8bitmime' : 'binarymime'
      return undefined
    case 'SMTPUTF8':
      if (value !== undefined) return bad(name)
      found.smtpUtf8 = true
      return undefined
    case 'RET':
      if (upper !== 'FULL' && upper !== 'HDRS') return bad(name)
      found.ret = upper === 'FULL' ? 'full' : 'hdrs'
      return undefined
    case 'ENVID': {
      const envid = (value ?? '').length > ENVID_BYTES_MAX ? undefined : decodeXtext(value ?? '')
      if (envid === undefined || envid === '') return bad(name)
      found.envid = envid
      return undefined
    }
    case 'AUTH': // who wrote it, says a server that we do not trust: checked and dropped
      return decodeXtext(value ?? '') === undefined || value === undefined ? bad(name) : undefined
    case 'XWATARI':
      if (value === undefined || !/^[A-Za-z0-9_-]+$/.test(value)) return bad(name)
      found.xwatari = value
      return undefined
    default:
      return { kind: 'unknown', text: `unknown parameter ${name}` }
  }
}

/** `TO:<a@b> NOTIFY=… ORCPT=…` (RFC 5321 §4.1.1.3, RFC 3461 §4). */
export function parseRcpt(rest: string): Outcome<RcptOperands, OperandFault> {
  const read = operandsOf(rest, 'TO:')
  if (!read.ok) return read
  const { path, params } = read.value
  if (path.kind === 'null') return err({ kind: 'path', text: 'a recipient is wanted' })
  let original: string | undefined
  let notify: readonly NotifyEvent[] | undefined
  for (const [name, value] of params) {
    if (name === 'ORCPT') {
      original = parseOrcpt(value ?? '')
      if (original === undefined) return err(bad(name))
    } else if (name === 'NOTIFY') {
      notify = parseNotify(value ?? '')
      if (notify === undefined) return err(bad(name))
    } else return err({ kind: 'unknown', text: `unknown parameter ${name}` })
  }
  return ok({
    address: path.kind === 'postmaster' ? 'postmaster' : path.address,
    ...(original === undefined ? {} : { original }),
    ...(notify === undefined ? {} : { notify }),
  })
}

const bad = (name: string): OperandFault => ({ kind: 'parameter', text: `malformed ${name}` })

function parseOrcpt(value: string): string | undefined {
  if (Buffer.byteLength(value) > ORCPT_BYTES_MAX) return undefined
  const match = /^([A-Za-z0-9-]{1,40});(.+)$/u.exec(value)
  if (match === null) return undefined
  const type = match[1]!.toLowerCase()
  // An xtext reading of the utf-8 type is what many send (RFC 6533 §3 wants its own).
  const address =
    type === 'utf-8'
      ? (decodeUtf8Xtext(match[2]!) ??
        (match[2]!.includes('\\') ? undefined : decodeXtext(match[2]!)))
      : decodeXtext(match[2]!)
  return address === undefined || address === '' ? undefined : `${match[1]!};${address}`
}

function parseNotify(value: string): readonly NotifyEvent[] | undefined {
  const words = asciiUpper(value).split(',')
  if (words.length === 1 && words[0] === 'NEVER') return []
  const events = new Set<NotifyEvent>()
  for (const word of words) {
    if (word === 'SUCCESS') events.add('success')
    else if (word === 'FAILURE') events.add('failure')
    else if (word === 'DELAY') events.add('delay')
    else return undefined
  }
  return [...events]
}

type Operands = {
  readonly path: (ReturnType<typeof parsePath> & { readonly ok: true })['value']
  readonly params: readonly (readonly [name: string, value: string | undefined])[]
}

function operandsOf(rest: string, word: 'FROM:' | 'TO:'): Outcome<Operands, OperandFault> {
  if (asciiUpper(rest.slice(0, word.length)) !== word)
    return err({ kind: 'syntax', text: `${word}<address> is wanted` })
  const path = parsePath(rest.slice(word.length).trimStart())
  if (!path.ok) return err({ kind: 'path', text: path.error })
  const words = path.value.rest.split(/[ \t]+/).filter((one) => one !== '')
  if (words.length > PARAMETERS_MAX) return err({ kind: 'parameter', text: 'too many parameters' })
  const params = new Map<string, string | undefined>()
  for (const one of words) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\u{10ffff}]+))?$/u.exec(one)
    if (match === null) return err({ kind: 'parameter', text: 'malformed parameter' })
    const name = asciiUpper(match[1]!)
    if (params.has(name)) return err({ kind: 'parameter', text: `${name} is given twice` })
    params.set(name, match[2])
  }
  return ok({ path: path.value, params: [...params] })
}
