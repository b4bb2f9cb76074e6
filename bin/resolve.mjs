// Finds our own modules without asking the disk: `#room/file.ts` and `./file.ts` name a file as it lies there.
// Node looks for each with several calls of the system, which is a fifth of a role's start. What is not ours,
// and all of it where this file is not loaded, Node finds by itself.
import { readFileSync } from 'node:fs'
import * as modules from 'node:module'

const ROOT = new URL('..', import.meta.url).href
const PACKAGES = `${ROOT}node_modules/`
/** What `#room/` stands for, with the slash. */
const ROOMS = new Map(
  Object.entries(
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).imports,
  )
    .filter(([name, folder]) => name.endsWith('/*') && folder.endsWith('/*'))
    .map(([name, folder]) => [name.slice(0, -1), new URL(folder.slice(0, -1), ROOT).href]),
)

// An older Node that one of our processes starts has no such hooks.
modules.registerHooks?.({
  resolve(specifier, context, next) {
    const url = isOurs(context.parentURL) ? urlOf(specifier, context.parentURL) : undefined
    if (url === undefined) return next(specifier, context)
    return { url, format: 'module-typescript', shortCircuit: true }
  },
})

const isOurs = (parent) =>
  parent !== undefined && parent.startsWith(ROOT) && !parent.startsWith(PACKAGES)

function urlOf(specifier, parent) {
  if (!specifier.endsWith('.ts')) return undefined
  if (specifier.startsWith('./') || specifier.startsWith('../'))
    return new URL(specifier, parent).href
  const room = ROOMS.get(specifier.slice(0, specifier.indexOf('/') + 1))
  return room === undefined
    ? undefined
    : new URL(specifier.slice(specifier.indexOf('/') + 1), room).href
}
