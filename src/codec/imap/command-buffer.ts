import { toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** A literal that the client announces at the end of a line. */
export interface LiteralAsk {
  readonly sizeBytes: number
  /** True where the client waits for `+` (RFC 9051 §4.3); false for `{n+}` (RFC 7888). */
  readonly waits: boolean
}

/** The literal that a line ends with, if any. */
export function announced(line: string): LiteralAsk | undefined {
  const found = ANNOUNCED.exec(line)
  return found === null ? undefined : { sizeBytes: Number(found[1]), waits: found[2] === '' }
}

const ANNOUNCED = /~?\{(\d+)(\+?)\}$/

/** Gathers the lines and literals of one command. */
export class CommandBuffer {
  #parts: string[] = []
  #length = 0

  /** Octets gathered so far. */
  get length(): number {
    return this.#length
  }

  /** Takes a line without its CRLF; tells of the literal that must follow, or undefined when the command is whole. */
  line(line: Octets): LiteralAsk | undefined {
    const text = toLatin1(line)
    this.#push(text)
    return announced(text)
  }

  literal(octets: Octets): void {
    this.#push('\r\n')
    this.#push(toLatin1(octets))
  }

  #push(text: string): void {
    this.#parts.push(text)
    this.#length += text.length
  }

  /** The command as it came, one character an octet, without its last CRLF. */
  get text(): string {
    return this.#parts.join('')
  }
}
