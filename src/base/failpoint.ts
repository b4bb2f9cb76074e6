/**
 * Named places where a test makes a process die, a write fail or a reply vanish.
 * Armed by app from WATARI_FAILPOINTS (`name=action[@count]`, comma-separated); free when not armed.
 */
export type FailpointAction = 'die' | 'throw' | 'hang' | 'drop'

interface Armed {
  readonly action: FailpointAction
  /** Passes still let through before it fires. */
  skip: number
}

const armed = new Map<string, Armed>()

/** Arms the failpoints that `spec` names, replacing all earlier ones. `@3` fires at the third pass and after. */
export function armFailpoints(spec: string): void {
  armed.clear()
  for (const entry of spec.split(',')) {
    const match = /^\s*([\w.-]+)=(die|throw|hang|drop)(?:@(\d+))?\s*$/.exec(entry)
    if (match === null) continue
    armed.set(match[1]!, {
      action: match[2] as FailpointAction,
      skip: match[3] === undefined ? 0 : Number(match[3]) - 1,
    })
  }
}

/**
 * Passes the named place. 'die' ends the process like kill -9, 'throw' throws an EIO,
 * 'drop' is returned for the caller to act on, 'hang' likewise.
 */
export function failpoint(name: string): 'pass' | 'drop' | 'hang' {
  if (armed.size === 0) return 'pass'
  const point = armed.get(name)
  if (point === undefined) return 'pass'
  if (point.skip > 0) {
    point.skip--
    return 'pass'
  }
  if (point.action === 'die') process.kill(process.pid, 'SIGKILL')
  if (point.action === 'throw')
    throw Object.assign(new Error(`EIO: failpoint ${name}`), { code: 'EIO' })
  return point.action === 'drop' ? 'drop' : 'hang'
}
