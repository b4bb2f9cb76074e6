import { parseContentType, parseDisposition } from '#codec/mime/content-type.ts'
import { paramOf } from '#codec/mime/encoded-word.ts'
import { asciiLower } from '#base/text.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule, SieveExtension, SieveTexts } from '#engine/sieve/language.ts'
import type { SieveHeader, WrittenAddress } from '#engine/sieve/message.ts'
import {
  allParts,
  atPart,
  currentPart,
  partHeader,
  partsIn,
  readableText,
  rootPart,
} from '#engine/sieve/parts.ts'
import type { SieveRun } from '#engine/sieve/run.ts'
import type { MimePart } from '#model/message.ts'

import { writtenAddress } from './addresses.ts'
import { enclose } from './enclose.ts'
import { replace } from './replace.ts'
import { takeModifiers, takeVariable } from './variables.ts'

/** Loops within loops: each goes over all parts below the part of the one around it. */
const LOOPS_MAX = 4

/** Where a test of header fields looks. */
interface Mime {
  values(run: SieveRun, name: string): readonly string[]
  addresses(run: SieveRun, name: string): readonly (readonly WrittenAddress[])[]
}

/** What of a field is compared (RFC 5703 §4.2). */
type Detail = (name: string, value: string, run: SieveRun) => readonly string[]

/** Takes `:mime`, `:anychild` and, for `header`, what of a MIME field is meant (RFC 5703 §4). */
export function takeMime(args: Arguments, options: { readonly hasParts?: boolean } = {}): Mime {
  if (!args.flag('mime', 'mime')) {
    if (args.stands('anychild') || standsDetail(args)) fail(`${args.name} needs :mime for that`)
    return {
      values: (run, name) => trimmed(run.header.header(name)),
      addresses: (run, name) => addressFields(run.header, name),
    }
  }
  const anyChild = args.flag('anychild')
  const detail = options.hasParts === true ? takeDetail(args) : undefined
  const headers = (run: SieveRun): readonly SieveHeader[] => {
    const part = currentPart(run) ?? rootPart(run)
    if (part === undefined) return [run.header]
    return (anyChild ? [...allParts(part)] : [part]).map((each) => partHeader(run, each))
  }
  return {
    values(run, name) {
      const values = headers(run).flatMap((header) => trimmed(header.header(name)))
      run.step(values.length)
      return detail === undefined ? values : values.flatMap((value) => detail(name, value, run))
    },
    addresses: (run, name) => headers(run).flatMap((header) => addressFields(header, name)),
  }
}

const addressFields = (header: SieveHeader, name: string): readonly (readonly WrittenAddress[])[] =>
  header.addressFields?.(name) ?? [header.addresses(name).map(writtenAddress)]

const trimmed = (values: readonly string[]): readonly string[] =>
  values.map((value) => value.trim())

const DETAILS = ['type', 'subtype', 'contenttype', 'param'] as const
const standsDetail = (args: Arguments): boolean =>
  args.name === 'header' && DETAILS.some((name) => args.stands(name))

function takeDetail(args: Arguments): Detail | undefined {
  const standing = DETAILS.filter((name) => args.stands(name))
  if (standing.length > 1) fail(`:${standing[0]} and :${standing[1]} exclude one another`)
  const [kind] = standing
  if (kind === undefined) return undefined
  if (kind === 'param') return paramDetail(args.tagTexts('param')!)
  args.flag(kind)
  return (name, value) => {
    if (name === 'content-disposition') {
      const disposition = parseDisposition(value)?.kind ?? ''
      return [kind === 'subtype' ? '' : disposition]
    }
    const found = name === 'content-type' ? parseContentType(value) : undefined
    if (found === undefined) return ['']
    if (kind === 'contenttype') return [`${found.type}/${found.subtype}`]
    return [kind === 'type' ? found.type : found.subtype]
  }
}

const paramDetail =
  (names: SieveTexts): Detail =>
  (field, value, run) => {
    const params =
      field === 'content-type' ? parseContentType(value)?.params : parseDisposition(value)?.params
    return names.of(run).flatMap((name) => paramOf(params ?? [], asciiLower(name)) ?? [])
  }

const foreverypart: SieveCommandRule = {
  needs: 'foreverypart',
  compile(args) {
    const name = args.tagConstant('name')
    const { loops } = args.compiling
    if (loops.length >= LOOPS_MAX) fail(`loops over parts nest deeper than ${LOOPS_MAX}`)
    loops.push(name)
    const block = args.block()
    loops.pop()
    return (run) => {
      for (const part of partsToVisit(run)) {
        // What was replaced has no parts of its own any more.
        if (run.edits?.isReplaced(part.body) === true) continue
        run.step()
        const flow = atPart(run, part, () => block(run))
        if (flow?.kind === 'break' && (flow.loop === undefined || flow.loop === name)) break
        if (flow !== undefined) return flow
      }
      return undefined
    }
  },
}

/** RFC 5703 §3.1: all parts; within another loop those below its part. */
function partsToVisit(run: SieveRun): Iterable<MimePart> {
  const outer = currentPart(run)
  if (outer !== undefined) return partsIn(outer).flatMap((part) => [...allParts(part)])
  const root = rootPart(run)
  return root === undefined ? [] : allParts(root)
}

const breakLoop: SieveCommandRule = {
  needs: 'foreverypart',
  compile(args) {
    const loop = args.tagConstant('name')
    const { loops } = args.compiling
    if (loops.length === 0) fail('break stands in no loop')
    if (loop !== undefined && !loops.includes(loop)) fail(`there is no loop "${loop}" around it`)
    const flow = { kind: 'break', loop } as const
    return () => flow
  },
}

const extracttext: SieveCommandRule = {
  needs: 'extracttext',
  compile(args) {
    args.needs('variables')
    if (args.compiling.loops.length === 0) fail('extracttext stands in no loop')
    const modify = takeModifiers(args)
    const first = args.tagNumber('first')
    const assign = takeVariable(args)
    return (run) => {
      const part = currentPart(run)
      const text = (part && readableText(run, part)) ?? ''
      assign(run, modify(first === undefined ? text : firstOf(text, first)))
    }
  },
}

/** Whole characters. */
function firstOf(text: string, count: number): string {
  const cut = text.slice(0, count * 2)
  return Array.from(cut).slice(0, count).join('')
}

export const mime: SieveExtension = {
  names: {
    mime: 'RFC 5703 §4',
    foreverypart: 'RFC 5703 §3',
    extracttext: 'RFC 5703 §7',
    replace: 'RFC 5703 §5',
    enclose: 'RFC 5703 §6',
  },
  commands: { foreverypart, break: breakLoop, extracttext, replace, enclose },
}
