import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { timeId } from '#store/spool/queue-id.ts'
import type { QueueFilter, QueueId } from '#store/spool/spool-store.ts'
import { adminApi, QUEUED } from '#test/fake/admin-api.ts'
import type { AdminApi, Answer } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('the queues by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('the queues of all gateways are shown and acted on', async () => {
    const { body } = await api.ask('GET', '/queue')
    assert.equal(body.items[0].from, '')
    assert.equal(body.items[0].recipients[0].address, '太郎@campus.example')
    assert.equal(body.items[0].recipients[0].lastStatus, '451 4.3.0 後で')
    assert.equal((await api.ask('GET', '/queue/Q1')).body.node, 'gateway-1')
    assert.equal((await api.ask('GET', '/queue/Q9')).status, 404)
    for (const act of ['hold', 'release', 'retry', 'drop']) {
      const acted = await api.ask('POST', `/queue/Q1/${act}`)
      assert.equal(acted.body.changed, 1)
    }
    assert.deepEqual(api.acts, ['hold', 'release', 'retry', 'drop'])
    assert.equal((await api.ask('POST', '/queue/Q1/burn')).status, 400)
  })

  test('a page of a large queue ends where a gateway has looked enough, empty or not', async () => {
    const asked: unknown[] = []
    const queue = {
      list: async (filter: QueueFilter) => {
        asked.push(filter.after)
        if (filter.after === undefined) return { messages: [], next: 'QA' as QueueId }
        return { messages: filter.after === 'QB' ? [] : [{ ...QUEUED, queueId: 'QB' as QueueId }] }
      },
      show: async () => ({}),
      act: async () => ({ changed: 0 }),
      status: async () => assert.fail('unasked'),
    }
    api.otherQueues.push({ node: 'gateway-0', queue })
    const pages: unknown[] = []
    let after: string | undefined
    do {
      const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
      const { body } = await api.ask(
        'GET',
        `/queue?limit=1&address=${encodeURIComponent('花')}${query}`,
      )
      pages.push(body.items.map(({ queueId }: { queueId: string }) => queueId))
      after = body.next
    } while (after !== undefined)
    api.otherQueues.pop()
    assert.deepEqual(pages, [[], ['QB'], ['Q1']])
    assert.deepEqual(asked, [undefined, 'QA'])
  })

  test('a page of the queues stands still: what has come since is counted, not shown', async () => {
    // Two queues in memory, by the rules of the real one.
    const ids: Record<string, QueueId[]> = {
      'gateway-0': [timeId(1_000), timeId(2_000)],
      'gateway-2': [],
    }
    for (const node of Object.keys(ids))
      api.otherQueues.push({
        node,
        queue: {
          list: async ({ after, before, from, order, limit }: QueueFilter) => {
            const found = ids[node]!.filter(
              (id) => (before === undefined || id < before) && (from === undefined || id >= from),
            )
            if (order === 'newest') found.reverse()
            const left = found.filter(
              (id) => after === undefined || (order === 'newest' ? id < after : id > after),
            )
            const shown = left.slice(0, limit)
            return {
              messages: shown.map((queueId) => ({ ...QUEUED, queueId })),
              ...(left.length > limit && { next: shown.at(-1)! }),
            }
          },
          show: async () => ({}),
          act: async () => ({ changed: 0 }),
          status: async () => assert.fail('unasked'),
        },
      })
    const news = async (query = ''): Promise<Answer['body']> =>
      (await api.ask('GET', `/queue/news${query}`)).body
    const shown = async (query: string): Promise<unknown> =>
      (await api.ask('GET', `/queue?${query}`)).body.items.map(
        ({ node, queueId }: { node: string; queueId: string }) => `${node} ${queueId}`,
      )
    const { mark, count } = await news()
    assert.equal(count, 0)
    ids['gateway-0']!.push(timeId(3_000))
    ids['gateway-2']!.push(timeId(500), timeId(4_000))
    const since = `?since=${encodeURIComponent(mark)}`
    assert.deepEqual([(await news(since)).count, (await news(since)).isMore], [3, false])
    assert.equal((await news(`${since}&from=1970-01-01T00:00:03Z`)).count, 2)
    const until = `until=${encodeURIComponent(mark)}`
    const before = ['gateway-0', 'gateway-0', 'gateway-1']
    const first = (await shown(until)) as string[]
    assert.deepEqual(
      first.map((row) => row.split(' ')[0]),
      before,
    )
    assert.deepEqual(await shown(`${until}&order=newest`), first.toReversed())
    const fresh = (await news(since)).mark
    assert.equal((await news(`?since=${encodeURIComponent(fresh)}`)).count, 0)
    assert.equal(((await shown(`until=${encodeURIComponent(fresh)}`)) as string[]).length, 6)
    const page = (await api.ask('GET', `/queue?order=newest&limit=2&${until}`)).body
    const rest = `order=newest&${until}&after=${encodeURIComponent(page.next)}`
    assert.deepEqual(await shown(rest), [first[0]])
    ids['gateway-0']!.push(...Array.from({ length: 150 }, (_, n) => timeId(9_000 + n)))
    const many = await news(since)
    assert.deepEqual([many.count, many.isMore], [102, true])
    assert.equal((await api.ask('GET', '/queue/news?since=無')).status, 400)
    api.otherQueues.length = 0
  })
})
