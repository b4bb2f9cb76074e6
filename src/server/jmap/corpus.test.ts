import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realMails } from '#test/corpus/mails.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

interface Part {
  readonly partId: string | null
  readonly blobId: string | null
  readonly size: number
  readonly type: string
  readonly subParts?: readonly Part[]
}

const leaves = (part: Part): readonly Part[] =>
  part.partId === null ? (part.subParts ?? []).flatMap(leaves) : [part]

const FORMS = [
  'From:asGroupedAddresses',
  'To:asAddresses:all',
  'Received:all',
  'Date:asDate',
  'Subject',
]

test('every real mail is shown whole, and each of its parts is a blob of the size that is told', async (t) => {
  const room = await jmapRoom(t)
  const mails = realMails()
  const get = async (blobId: string): Promise<Buffer> => {
    const path = `/jmap/download/${HANAKO.id}/${blobId}/x`
    return Buffer.from(await (await room.fetch(path, { as: 'hanako' })).arrayBuffer())
  }
  let parts = 0
  for (const { name, octets } of mails) {
    const id = await room.file(octets)
    const { list } = await room.call('Email/get', {
      ids: [id],
      properties: [
        ...'blobId size subject from to cc sentAt messageId references hasAttachment preview headers'.split(
          ' ',
        ),
        ...'bodyStructure textBody htmlBody attachments bodyValues'.split(' '),
        ...FORMS.map((form) => `header:${form}`),
      ],
      bodyProperties: [
        'partId',
        'blobId',
        'size',
        'type',
        'name',
        'charset',
        'headers',
        'subParts',
      ],
      fetchAllBodyValues: true,
    })
    const [email] = list
    assert.equal(email.size, octets.length, name)
    assert.ok((await get(email.blobId)).equals(octets), name)
    for (const part of leaves(email.bodyStructure)) {
      parts++
      const content = await get(part.blobId!)
      assert.equal(content.length, part.size, `${name} part ${part.partId} ${part.type}`)
      if (part.type === 'text/plain' || part.type === 'text/html')
        assert.equal(typeof email.bodyValues[part.partId!]?.value, 'string', name)
    }
    for (const text of [
      email.subject,
      ...(email.from ?? []).map((from: { name: string }) => from.name),
    ])
      assert.ok(text === null || text.isWellFormed(), name)
    const inner = leaves(email.bodyStructure).filter(({ type }) => type === 'message/rfc822')
    if (inner.length === 0) continue
    const blobIds = inner.map(({ blobId }) => blobId)
    const { parsed } = await room.call('Email/parse', { blobIds })
    assert.equal(Object.keys(parsed).length, inner.length, name)
  }
  t.diagnostic(`${mails.length} mails, ${parts} parts`)
  assert.ok(parts > mails.length, `${parts} parts of ${mails.length} mails`)
})
