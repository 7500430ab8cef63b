// The official clients, brought to one form, and trees for them to work on.

import { Client as SplitClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as SplitTransport } from '@modelcontextprotocol/client/stdio'
import { Client as SdkClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as SdkTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const IDENTITY = { name: 'ast-core-tests', version: '1.0.0' }

/** The binary; `cargo xtask mcp` builds it and says where it is. */
export const BINARY = process.env.AST_CORE_BINARY
if (!BINARY) {
  throw new Error('AST_CORE_BINARY is not set; run `cargo xtask mcp`')
}

/** Each client that is tested: how it is made, and how it calls a tool. */
export const CLIENTS = {
  '@modelcontextprotocol/sdk': {
    make: () => new SdkClient(IDENTITY),
    Transport: SdkTransport,
    call: (client, params, options) => client.callTool(params, undefined, options)
  },
  '@modelcontextprotocol/client': {
    make: () => new SplitClient(IDENTITY),
    Transport: SplitTransport,
    call: (client, params, options) => client.callTool(params, options)
  },
  '@modelcontextprotocol/client, newest protocol': {
    make: () => new SplitClient(IDENTITY, { versionNegotiation: { mode: 'auto' } }),
    Transport: SplitTransport,
    call: (client, params, options) => client.callTool(params, options)
  }
}

/**
 * A client with a server of its own on a tree, until the end of the test. What the server writes to standard error is
 * collected.
 */
export async function connect(test, kind, tree, args = []) {
  const { make, Transport, call } = kind
  const client = make()
  const transport = new Transport({ command: BINARY, args: ['mcp', tree, ...args], stderr: 'pipe' })
  const errors = []
  transport.stderr?.on('data', (chunk) => errors.push(chunk.toString()))
  await client.connect(transport)
  test.after(() => client.close())
  return {
    client,
    errors: () => errors.join(''),
    call: (name, args = {}, options = undefined) => call(client, { name, arguments: args }, options),
    close: () => client.close()
  }
}

/** A tree with these files, which is removed after the test. */
export async function tree(test, files) {
  const root = await mkdtemp(join(tmpdir(), 'ast-core-mcp-'))
  test.after(() => rm(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

/** Files that take a while to be indexed. */
export function manyFiles(count) {
  const files = {}
  for (let file = 0; file < count; file++) {
    let text = ''
    for (let number = 0; number < 20; number++) {
      text += `/** Opens valve ${number} of pump ${file}. */\nexport function openValve${file}_${number}(pressure) {\n`
      text += `  return pressure > ${number} ? pressure - ${file} : ${number}\n}\n\n`
    }
    files[`src/part${file % 25}/pump${file}.js`] = text
  }
  return files
}
