import assert from 'node:assert/strict'

import { runProgram } from './installation.ts'
import type { InstallOptions } from './installation.ts'

/** A machine of its own for the network: a namespace with one address. */
export interface Machine {
  readonly address: string
  /** What an installation that runs there needs. */
  readonly place: InstallOptions
  /** No packet passes any more, and nobody is told: connections stay half open. */
  silence(): Promise<void>
  /** Its cable is pulled. */
  cut(): Promise<void>
  /** Its address is gone. */
  vanish(): Promise<void>
  /** All is as it was. */
  heal(): Promise<void>
}

/** Machines on one switch, which this machine is connected to as well. */
export interface Network {
  machine(name: string): Promise<Machine>
  remove(): Promise<void>
}

const ip = async (...args: readonly string[]): Promise<void> => {
  const ran = await runProgram('ip', args)
  assert.equal(ran.status, 0, `ip ${args.join(' ')}: ${ran.stderr}`)
}

/** Why there can be no such network here; undefined: it can be. */
export async function noNetwork(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root'
  const name = `wt${process.pid}probe`
  const made = await runProgram('ip', ['netns', 'add', name]).catch(() => undefined)
  if (made?.status !== 0) return 'needs ip netns (package iproute2) and the right to use it'
  await runProgram('ip', ['netns', 'del', name])
  return undefined
}

export async function network(): Promise<Network> {
  const id = process.pid
  const hub = `wt${id}-switch`
  const own = `wt${id}`
  const subnet = `10.${64 + (id % 64)}.${(id >> 6) % 256}`
  const spaces = [hub]
  await ip('netns', 'add', hub)
  await ip('-n', hub, 'link', 'add', 'switch', 'type', 'bridge')
  await ip('-n', hub, 'link', 'set', 'switch', 'up')
  const plug = async (port: string): Promise<void> => {
    await ip('-n', hub, 'link', 'set', port, 'master', 'switch')
    await ip('-n', hub, 'link', 'set', port, 'up')
  }
  await ip('link', 'add', own, 'type', 'veth', 'peer', 'name', 'own', 'netns', hub)
  await plug('own')
  await ip('addr', 'add', `${subnet}.1/24`, 'dev', own)
  await ip('link', 'set', own, 'up')
  const machine = async (name: string): Promise<Machine> => {
    const space = `wt${id}-${name}`
    const port = `p-${name}`
    const address = `${subnet}.${9 + spaces.length}`
    await ip('netns', 'add', space)
    spaces.push(space)
    await ip('-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    await plug(port)
    await ip('-n', space, 'link', 'set', 'lo', 'up')
    await ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    await ip('-n', space, 'link', 'set', 'eth0', 'up')
    let heal = (): Promise<void> => Promise.resolve()
    return {
      address,
      place: { bind: [address], offset: 10_000, within: ['ip', 'netns', 'exec', space] },
      silence: async () => {
        await ip('-n', hub, 'link', 'set', port, 'nomaster')
        heal = () => ip('-n', hub, 'link', 'set', port, 'master', 'switch')
      },
      cut: async () => {
        await ip('-n', hub, 'link', 'set', port, 'down')
        heal = async () => {
          await ip('-n', hub, 'link', 'set', port, 'up')
        }
      },
      vanish: async () => {
        await ip('-n', space, 'addr', 'del', `${address}/24`, 'dev', 'eth0')
        heal = () => ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      },
      heal: () => heal(),
    }
  }
  return {
    machine,
    remove: async () => {
      for (const space of spaces) await runProgram('ip', ['netns', 'del', space])
      await runProgram('ip', ['link', 'del', own])
    },
  }
}
