import { isObject } from './args.ts'
import { PATH_LENGTH_MAX, REFERENCED_VALUES_MAX } from '#server/jmap/limits.ts'
import { MethodError } from './method-error.ts'

type Response = readonly [name: string, args: Readonly<Record<string, unknown>>, callId: string]

/**
 * The arguments with those named `#x` replaced by what an earlier response holds (RFC 8620 §3.7).
 * Only calls that have been answered can be meant, so that nothing goes in circles.
 */
export function referenced(
  args: Readonly<Record<string, unknown>>,
  responses: readonly Response[],
): Record<string, unknown> {
  const entries = Object.entries(args).map(([key, value]): [string, unknown] => {
    if (!key.startsWith('#')) return [key, value]
    if (Object.hasOwn(args, key.slice(1)))
      throw new MethodError('invalidArguments', `${key.slice(1, 100)} is given twice`)
    return [key.slice(1), resolve(value, responses)]
  })
  return Object.fromEntries(entries)
}

function resolve(reference: unknown, responses: readonly Response[]): unknown {
  if (
    !isObject(reference) ||
    typeof reference['resultOf'] !== 'string' ||
    typeof reference['name'] !== 'string' ||
    typeof reference['path'] !== 'string'
  )
    throw new MethodError('invalidArguments', 'a reference has resultOf, name and path')
  const { resultOf, name, path } = reference as Record<'resultOf' | 'name' | 'path', string>
  const response = responses.find(([, , callId]) => callId === resultOf)
  if (response === undefined) throw noResult('no call of that id was answered before')
  if (response[0] !== name) throw noResult(`the answer is a ${response[0]}`)
  if ((path !== '' && !path.startsWith('/')) || path.length > PATH_LENGTH_MAX)
    throw noResult('the path is no JSON Pointer')
  const steps = path === '' ? [] : path.slice(1).split('/').map(unescaped)
  return walk(response[1], steps)
}

const noResult = (why: string): MethodError => new MethodError('invalidResultReference', why)

/** RFC 6901 §4. */
const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')

function walk(value: unknown, steps: readonly string[]): unknown {
  const [step, ...rest] = steps
  if (step === undefined) return value
  if (Array.isArray(value)) {
    if (step === '*') return flattened(value as unknown[], rest)
    const index = /^(0|[1-9]\d{0,8})$/.test(step) ? Number(step) : -1
    if (index < 0 || index >= value.length) throw noResult('the path leads nowhere')
    return walk(value[index], rest)
  }
  if (!isObject(value) || !Object.hasOwn(value, step)) throw noResult('the path leads nowhere')
  return walk(value[step], rest)
}

/** `*`: each item's result, lists among them joined into one. */
function flattened(items: readonly unknown[], rest: readonly string[]): unknown[] {
  const all: unknown[] = []
  for (const item of items) {
    const value = walk(item, rest)
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) all.push(each)
    if (all.length > REFERENCED_VALUES_MAX) throw noResult('the reference brings too many values')
  }
  return all
}
