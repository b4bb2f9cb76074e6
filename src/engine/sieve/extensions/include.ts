import { endRun, fail } from '#engine/sieve/language.ts'
import type {
  SieveCommandRule,
  SieveExtension,
  SieveInclusion,
  SieveStatement,
} from '#engine/sieve/language.ts'
import type { SieveRun, SieveSlot } from '#engine/sieve/run.ts'
import { variableName } from '#engine/sieve/text.ts'
import { SieveVariables } from '#engine/sieve/variables.ts'

/** Scripts within scripts (RFC 6609 §3.2), and all that one script may name. */
const INCLUDE_DEPTH_MAX = 10
const INCLUDES_MAX = 50

/** RFC 5804 §1.6 */
const SCRIPT_NAME = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029/]+$/

interface Included {
  /** Those that run now. */
  readonly open: string[]
  /** Those that have run. */
  readonly done: Set<string>
}

const included: SieveSlot<Included> = { first: () => ({ open: [], done: new Set() }) }

const include: SieveCommandRule = {
  needs: 'include',
  compile(args) {
    const location = args.choice(['personal', 'global']) ?? 'personal'
    const isOnce = args.flag('once')
    const isOptional = args.flag('optional')
    const name = args.constant('the name of a script')
    if (!SCRIPT_NAME.test(name)) fail(`"${name}" is no name of a script`)
    const inclusion: SieveInclusion = { location, name, isOptional }
    const { includes } = args.compiling
    const key = `${location} ${name}`
    // One that need not be there in one place must be there in another.
    if (!isOptional || !includes.has(key)) includes.set(key, inclusion)
    if (includes.size > INCLUDES_MAX) fail(`it includes more than ${INCLUDES_MAX} scripts`)
    return (run) => {
      if (isOnce && run.slot(included).done.has(key)) return undefined
      return runIncluded(run, inclusion, key)
    }
  },
}

function runIncluded(run: SieveRun, inclusion: SieveInclusion, key: string) {
  const { open, done } = run.slot(included)
  if (open.includes(key)) endRun(`the script "${inclusion.name}" includes itself`) // RFC 6609 §3.2
  if (open.length >= INCLUDE_DEPTH_MAX)
    endRun(`scripts include one another deeper than ${INCLUDE_DEPTH_MAX}`)
  const program = run.message.scripts?.(inclusion)
  if (program === undefined)
    return inclusion.isOptional
      ? undefined
      : endRun(`the ${inclusion.location} script "${inclusion.name}" is not there or has errors`)
  const { variables, line } = run
  open.push(key)
  done.add(key)
  run.variables = new SieveVariables(run.globals)
  const flow = program.statements(run)
  run.variables = variables
  run.line = line
  open.pop()
  // RFC 6609 §3.3: return ends the included script alone, stop ends all.
  return flow?.kind === 'stop' ? flow : undefined
}

const RETURN = { kind: 'return' } as const
const returns: SieveStatement = () => RETURN

const global: SieveCommandRule = {
  needs: 'include',
  compile(args) {
    args.needs('variables')
    const names = args.constants('names of variables').map((text) => {
      const { name, isGlobal } = variableName(text, args.compiling.required)
      if (isGlobal) fail(`"${text}" is global by its name`)
      // RFC 6609 §3.4.1: it cannot become another one.
      if (args.compiling.variables.has(name)) fail(`the variable "${text}" was set before`)
      return name
    })
    return (run) => {
      for (const name of names) run.variables.share(name)
    }
  },
}

export const includeExtension: SieveExtension = {
  names: { include: 'RFC 6609' },
  commands: { include, return: { needs: 'include', compile: () => returns }, global },
}
