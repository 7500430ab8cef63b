// What the official clients make of the server. They hold every answer against the schema of its tool.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLIENTS, connect, manyFiles, tree } from './clients.mjs'

const TOOLS = [
  'search_code',
  'find_symbol',
  'read_symbol',
  'outline_file',
  'find_references',
  'find_similar',
  'repo_map',
  'index_status',
  'index_workspace'
]

const FILES = {
  'src/checksum.py': 'def fletcher32(payload):\n    """The Fletcher-32 checksum of a payload."""\n    return sum(payload)\n',
  'src/main.py': 'from checksum import fletcher32\n\n\ndef main():\n    print(fletcher32(b"abc"))\n'
}

for (const [name, kind] of Object.entries(CLIENTS)) {
  describe(name, () => {
    it('lists the tools without a complaint', async (test) => {
      const complaints = []
      for (const level of ['warn', 'error']) {
        test.mock.method(console, level, (...words) => complaints.push(words.join(' ')))
      }
      const session = await connect(test, kind, await tree(test, FILES))
      assert.match(session.client.getInstructions(), /search_code/)
      const { tools } = await session.client.listTools()
      assert.deepEqual(tools.map((tool) => tool.name), TOOLS)
      for (const tool of tools) {
        assert.equal(tool.annotations.readOnlyHint, tool.name !== 'index_workspace')
        assert.equal(tool.inputSchema.type, 'object')
        assert.equal(tool.outputSchema.type, 'object')
      }
      await session.call('index_status')
      await session.close()
      assert.deepEqual(complaints, [])
      assert.equal(session.errors(), '')
    })

    it('indexes, searches and reads', async (test) => {
      const session = await connect(test, kind, await tree(test, FILES))
      await session.client.listTools()
      const refused = await session.call('search_code', { query: 'checksum' })
      assert.equal(refused.isError, true)
      assert.match(refused.content[0].text, /index_workspace/)

      const run = await session.call('index_workspace')
      assert.equal(run.structuredContent.indexed, 2)
      const found = await session.call('search_code', { query: 'checksum of a payload', bodies: true })
      const [best] = found.structuredContent.results
      assert.equal(best.name, 'fletcher32')
      assert.match(best.body, /Fletcher-32/)
      assert.match(found.content[0].text, /^src\/checksum\.py:1-3 function fletcher32 /)

      const symbol = await session.call('find_symbol', { name: 'fletcher32' })
      assert.equal(symbol.structuredContent.results[0].path, 'src/checksum.py')
      const body = await session.call('read_symbol', { path: 'src/main.py', line: 5 })
      assert.match(body.structuredContent.results[0].body, /^def main/)
      const outline = await session.call('outline_file', { path: 'src/main.py' })
      assert.deepEqual(outline.structuredContent.results.map((row) => row.name), ['main'])
      const mentions = await session.call('find_references', { name: 'fletcher32', kind: 'call' })
      assert.equal(mentions.structuredContent.results[0].within, 'main')
      const status = await session.call('index_status')
      assert.equal(status.structuredContent.files, 2)

      const { contents } = await session.client.readResource({ uri: 'ast-core://file/src/main.py/outline' })
      assert.match(contents[0].text, /function main/)
      const { resources } = await session.client.listResources()
      assert.equal(resources[0].uri, 'ast-core://status')
      const { resourceTemplates } = await session.client.listResourceTemplates()
      assert.equal(resourceTemplates.length, 1)
      await assert.rejects(session.client.readResource({ uri: 'ast-core://file/..%2Fx/outline' }))
      const wrong = await session.call('search_code', { query: 'x', limit: -1 })
      assert.equal(wrong.isError, true)
      await assert.rejects(session.call('no_such_tool'))
      await session.close()
      assert.equal(session.errors(), '')
    })

    it('pages, tells how far it is, and cancels', async (test) => {
      const root = await tree(test, manyFiles(1500))
      const session = await connect(test, kind, root)
      await session.client.listTools()
      const abort = new AbortController()
      const cancelled = session.call('index_workspace', {}, {
        signal: abort.signal,
        onprogress: () => abort.abort()
      })
      await assert.rejects(cancelled)

      const told = []
      const run = await session.call('index_workspace', { rebuild: true }, {
        onprogress: (progress) => told.push(progress)
      })
      assert.equal(run.structuredContent.indexed, 1500)
      assert.ok(told.length > 0, 'it tells how far it is')
      assert.ok(told.every(({ progress }, at) => at === 0 || progress > told[at - 1].progress))
      assert.equal(told.at(-1).total, 1500)

      const names = []
      let cursor
      do {
        const page = await session.call('find_symbol', { name: 'openValve7_', limit: 7, cursor })
        names.push(...page.structuredContent.results.map((row) => row.name))
        cursor = page.structuredContent.next_cursor
      } while (cursor)
      assert.equal(new Set(names).size, 20)
      assert.equal(names.length, 20)

      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, number) => session.call('find_symbol', { name: `openValve${number}_3` }))
      )
      answers.forEach((answer, number) => {
        assert.equal(answer.structuredContent.results[0].name, `openValve${number}_3`)
      })
      await session.close()
      assert.equal(session.errors(), '')
    })
  })
}
