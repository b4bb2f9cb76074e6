import { clientNetwork } from '#base/client-network.ts'

export interface AdmissionLimits {
  readonly connectionsMax: number
  /** Of one IPv4 address, or one /64 of IPv6. */
  readonly connectionsPerIpMax: number
}

/** A connection that was let in. */
export interface Admitted {
  /** It is somebody's from here on: it gives way to nobody. */
  readonly loggedIn: () => void
  /** It is nobody's again. */
  readonly loggedOut: () => void
  /** It has ended. */
  readonly leave: () => void
}

interface Entry {
  /** Ends the connection. */
  readonly end: () => void
}

interface Network {
  count: number
  /** Who has not logged in yet, the oldest first. */
  readonly strangers: Set<Entry>
}

/**
 * Lets connections in, so many in all and of one network. Those that have not logged in yet take half
 * of either at most, and give way to newcomers: the oldest of the network that has most of them. Who
 * opens thousands and logs in by none ends their own ones so, and keeps nobody out.
 */
export class Admission {
  readonly #networks = new Map<string, Network>()
  #total = 0
  #strangers = 0

  /** Undefined: too many are logged in. `end` is called where it has to give way, once. */
  admit(ip: string, limits: AdmissionLimits, end: () => void): Admitted | undefined {
    const { connectionsMax, connectionsPerIpMax } = limits
    const key = clientNetwork(ip)
    const network = this.#networks.get(key) ?? { count: 0, strangers: new Set<Entry>() }
    if (
      (network.count >= connectionsPerIpMax ||
        network.strangers.size >= half(connectionsPerIpMax)) &&
      !this.#giveWay(network)
    )
      return undefined
    if (
      (this.#total >= connectionsMax || this.#strangers >= half(connectionsMax)) &&
      !this.#giveWay(this.#largest())
    )
      return undefined
    this.#networks.set(key, network)
    return this.#enter(key, network, end)
  }

  #enter(key: string, network: Network, end: () => void): Admitted {
    let isThere = true
    const leave = (): void => {
      if (!isThere) return
      isThere = false
      loggedIn()
      this.#total--
      network.count--
      if (network.count === 0) this.#networks.delete(key)
    }
    const entry: Entry = {
      end: () => {
        leave()
        end()
      },
    }
    const loggedIn = (): void => void (network.strangers.delete(entry) && this.#strangers--)
    const loggedOut = (): void => {
      if (!isThere || network.strangers.has(entry)) return
      network.strangers.add(entry)
      this.#strangers++
    }
    this.#total++
    network.count++
    loggedOut()
    return { loggedIn, loggedOut, leave }
  }

  /** False where all of them are logged in. */
  #giveWay(network: Network | undefined): boolean {
    const [oldest] = network?.strangers ?? []
    oldest?.end()
    return oldest !== undefined
  }

  #largest(): Network | undefined {
    let largest: Network | undefined
    for (const network of this.#networks.values())
      if (network.strangers.size > (largest?.strangers.size ?? 0)) largest = network
    return largest
  }
}

const half = (limit: number): number => Math.ceil(limit / 2)
