import type { RequestListener, ServerResponse } from 'node:http'

/** One figure of a role, in the names and units that Prometheus wants. */
export interface Metric {
  /** `watari_queue_messages`; counters end in `_total`. */
  readonly name: string
  readonly kind: 'gauge' | 'counter'
  readonly help: string
  readonly values: readonly {
    readonly labels?: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

/** How a role feels by its own word. */
interface HealthState {
  readonly state: string
  readonly reason?: string
}

/** `/healthz`: the process answers; `/readyz`: it takes work; `/metrics`: figures in Prometheus' text. */
export function healthApp(options: {
  readonly role: string
  readonly state: () => HealthState
  readonly metrics: () => readonly Metric[]
}): RequestListener {
  const { role } = options
  return (request, response) => {
    const path = (request.url ?? '/').split('?')[0]
    if (path === '/healthz') return send(response, 200, { status: 'ok', role })
    if (path === '/readyz') {
      const found = options.state()
      const isReady = found.state === 'ready'
      return send(response, isReady ? 200 : 503, {
        status: isReady ? 'ok' : 'failing',
        role,
        ...found,
      })
    }
    if (path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      response.end(renderMetrics(options.metrics()))
      return
    }
    send(response, 404, { status: 'not found' })
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body)}\n`)
}

function renderMetrics(metrics: readonly Metric[]): string {
  const lines: string[] = []
  for (const { name, kind, help, values } of metrics) {
    lines.push(`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`)
    lines.push(`# TYPE ${name} ${kind}`)
    for (const { labels = {}, value } of values)
      lines.push(`${name}${renderLabels(labels)} ${value}`)
  }
  return `${lines.join('\n')}\n`
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`,
  )
  return all.length === 0 ? '' : `{${all.join(',')}}`
}
