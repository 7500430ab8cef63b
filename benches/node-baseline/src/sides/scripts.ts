// TypeScript and JavaScript by parsers that know nothing else: the TypeScript compiler, and oxc. Their trees are their own,
// and so is what counts as a definition; the work is of the same kind: names, kinds and ranges of definitions and mentions.

import type TypeScript from 'typescript'
import { loadFiles } from '../corpus.js'
import { load, versions } from '../modules.js'
import type { Arguments, Side } from '../protocol.js'

interface Found {
  kind: string
  name: string
  start: number
  end: number
}

export function typescriptSide(args: Arguments): Side {
  const ts = load<typeof TypeScript>('typescript')
  const { SyntaxKind } = ts
  const definitionKinds = new Set([
    SyntaxKind.FunctionDeclaration, SyntaxKind.ClassDeclaration, SyntaxKind.ClassExpression, SyntaxKind.InterfaceDeclaration,
    SyntaxKind.TypeAliasDeclaration, SyntaxKind.EnumDeclaration, SyntaxKind.EnumMember, SyntaxKind.ModuleDeclaration,
    SyntaxKind.MethodDeclaration, SyntaxKind.MethodSignature, SyntaxKind.Constructor, SyntaxKind.GetAccessor,
    SyntaxKind.SetAccessor, SyntaxKind.PropertyDeclaration, SyntaxKind.PropertySignature, SyntaxKind.FunctionExpression,
  ])
  const readText = (text: string, path: string, definitions: Found[], references: Found[]): void => {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false)
    const add = (list: Found[], node: TypeScript.Node, name: TypeScript.Node): void => {
      list.push({ kind: SyntaxKind[node.kind], name: name.getText(source), start: node.getStart(source), end: node.end })
    }
    let depth = 0
    const visit = (node: TypeScript.Node): void => {
      const { kind } = node
      let isFunction = false
      if (definitionKinds.has(kind)) {
        const { name, body } = node as TypeScript.FunctionDeclaration
        if (name !== undefined) add(definitions, node, name)
        isFunction = body !== undefined
      } else if (kind === SyntaxKind.VariableDeclaration) {
        const { name, initializer } = node as TypeScript.VariableDeclaration
        const isCallable = initializer?.kind === SyntaxKind.ArrowFunction || initializer?.kind === SyntaxKind.FunctionExpression
        if (name.kind === SyntaxKind.Identifier && (depth === 0 || isCallable)) add(definitions, node, name)
      } else if (kind === SyntaxKind.CallExpression || kind === SyntaxKind.NewExpression) {
        let callee: TypeScript.Node = (node as TypeScript.CallExpression).expression
        if (ts.isPropertyAccessExpression(callee)) callee = callee.name
        if (callee.kind === SyntaxKind.Identifier) add(references, callee, callee)
      } else if (kind === SyntaxKind.TypeReference) {
        const { typeName } = node as TypeScript.TypeReferenceNode
        add(references, typeName, ts.isQualifiedName(typeName) ? typeName.right : typeName)
      } else if (kind === SyntaxKind.ImportSpecifier || kind === SyntaxKind.ExportSpecifier) {
        add(references, node, (node as TypeScript.ImportSpecifier).name)
      } else if (kind === SyntaxKind.ArrowFunction) isFunction = true
      if (isFunction) depth++
      ts.forEachChild(node, visit)
      if (isFunction) depth--
    }
    visit(source)
  }
  return side(args, 'typescript', readText)
}

interface OxcNode {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

const OXC_DEFINITIONS = new Set([
  'FunctionDeclaration', 'TSDeclareFunction', 'ClassDeclaration', 'ClassExpression', 'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration', 'TSEnumDeclaration', 'TSEnumMember', 'TSModuleDeclaration', 'MethodDefinition',
  'TSAbstractMethodDefinition', 'TSMethodSignature', 'PropertyDefinition', 'TSPropertySignature', 'FunctionExpression',
])

export function oxcSide(args: Arguments): Side {
  const { parseSync } = load<typeof import('oxc-parser')>('oxc-parser')
  const readText = (text: string, path: string, definitions: Found[], references: Found[]): void => {
    const { program } = parseSync(path, text)
    const nameOf = (node: unknown): string => {
      const { name, value } = (node ?? {}) as { name?: unknown; value?: unknown }
      return typeof name === 'string' ? name : typeof value === 'string' ? value : ''
    }
    const add = (list: Found[], node: OxcNode, named: unknown): void => {
      const name = nameOf(named)
      if (name !== '') list.push({ kind: node.type, name, start: node.start, end: node.end })
    }
    let depth = 0
    const visit = (node: OxcNode): void => {
      const { type } = node
      if (OXC_DEFINITIONS.has(type)) add(definitions, node, node.id ?? node.key)
      else if (type === 'VariableDeclarator') {
        const init = node.init as OxcNode | null
        const isCallable = init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression'
        if (depth === 0 || isCallable) add(definitions, node, node.id)
      } else if (type === 'CallExpression' || type === 'NewExpression') {
        const callee = node.callee as OxcNode
        add(references, callee, callee.type === 'MemberExpression' ? callee.property : callee)
      } else if (type === 'TSTypeReference') {
        const typeName = node.typeName as OxcNode
        add(references, typeName, typeName.type === 'TSQualifiedName' ? typeName.right : typeName)
      } else if (type === 'ImportSpecifier' || type === 'ExportSpecifier') add(references, node, node.imported ?? node.local)
      const isFunction = type.endsWith('FunctionExpression') || type === 'FunctionDeclaration'
      if (isFunction) depth++
      for (const key in node) {
        const child = node[key]
        if (typeof child !== 'object' || child === null) continue
        if (Array.isArray(child)) {
          for (const item of child as (OxcNode | null)[]) if (typeof item?.type === 'string') visit(item)
        } else if (typeof (child as OxcNode).type === 'string') visit(child as OxcNode)
      }
      if (isFunction) depth--
    }
    visit(program as unknown as OxcNode)
  }
  return side(args, 'oxc-parser', readText)
}

function side(
  args: Arguments,
  name: string,
  read: (text: string, path: string, definitions: Found[], references: Found[]) => void,
): Side {
  const files = loadFiles(args).filter(({ language }) => /^(typescript|tsx|javascript)$/.test(language))
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0)
  const run = (): { definitions: number; references: number } => {
    const counts = { definitions: 0, references: 0 }
    for (const file of files) {
      const definitions: Found[] = []
      const references: Found[] = []
      read(file.bytes.toString(), file.path, definitions, references)
      counts.definitions += definitions.length
      counts.references += references.length
    }
    return counts
  }
  return {
    packages: versions(name),
    threads: 1,
    prepare() {},
    answers: () => ({ files: files.length, bytes, ...run() }),
    round() {
      run()
      return { units: bytes }
    },
  }
}
