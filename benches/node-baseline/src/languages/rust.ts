// Rust.

import type { Definition, Mention, Rules, SymbolKind, Visit } from '../outline.js'
import type { SyntaxTree } from '../syntax/tree.js'

const KINDS: Readonly<Record<string, SymbolKind>> = {
  function_item: 'function',
  function_signature_item: 'function',
  struct_item: 'struct',
  union_item: 'union',
  enum_item: 'enum',
  enum_variant: 'enum_member',
  field_declaration: 'field',
  trait_item: 'trait',
  mod_item: 'module',
  type_item: 'type',
  associated_type: 'type',
  macro_definition: 'macro',
  const_item: 'constant',
  static_item: 'static',
  impl_item: 'impl',
}

export const rust: Rules = {
  definitions: Object.keys(KINDS),
  define,
  attributes: ['attribute_item'],
  comments: ['line_comment', 'block_comment'],
  opaque: ['attribute_item', 'char_literal', 'raw_string_literal', 'string_literal'],
  calls: { call_expression: 'function', macro_invocation: 'macro' },
  typeNames: ['type_identifier'],
  typePaths: ['scoped_type_identifier'],
  references: ['token_tree', 'use_declaration'],
  refer,
}

function define(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  let kind = KINDS[visit.kind]
  if (kind === 'impl') {
    const type = visit.field('type')
    if (type >= 0) found.push({ kind, name: baseType(tree, type), body: visit.field('body') })
    return
  }
  if (kind === 'function') {
    const outer = visit.enclosingKind
    if (outer === 'impl' || outer === 'trait') kind = 'method'
  }
  // Those of a function are part of it.
  if ((kind === 'constant' || kind === 'static') && visit.inCode) return
  const name = visit.field('name')
  if (name < 0) return
  let body = kind === 'constant' || kind === 'static' ? -1 : visit.field('body')
  if (kind === 'macro') body = tree.child(row, 'macro_rule')
  if (kind === 'struct' && tree.kind(body) !== 'field_declaration_list') body = -1
  found.push({ kind, name, body })
}

/** The name in a type: `Vec` of `&mut std::vec::Vec<T>`. */
function baseType(tree: SyntaxTree, type: number): number {
  for (let row = type; ; ) {
    const kind = tree.kind(row)
    let inner = -1
    if (kind === 'generic_type' || kind === 'reference_type' || kind === 'pointer_type') inner = tree.field(row, 'type')
    else if (kind === 'scoped_type_identifier') inner = tree.field(row, 'name')
    if (inner < 0) return row
    row = inner
  }
}

function refer(visit: Visit, mentions: Mention[]): void {
  const { tree, row } = visit
  if (visit.kind === 'token_tree') {
    callsInTokens(tree, row, mentions)
    return
  }
  const argument = visit.field('argument')
  if (argument < 0) return
  for (let node = argument; node < tree.nexts[argument]; node++) {
    const kind = tree.kind(node)
    if (kind === 'scoped_use_list' || kind === 'use_list') continue
    if (node !== argument && tree.kind(tree.parents[node]) !== 'use_list') continue
    if (kind === 'use_wildcard') {
      mentions.push({ kind: 'import', row: node, name: '*' })
      continue
    }
    const path = kind === 'use_as_clause' ? tree.field(node, 'path') : node
    mentions.push({ kind: 'import', row: tree.kind(path) === 'scoped_identifier' ? tree.field(path, 'name') : path })
  }
}

/** What looks like a call in the arguments of a macro: a name before parentheses. */
function callsInTokens(tree: SyntaxTree, tokens: number, mentions: Mention[]): void {
  let before = -1
  for (let token = tree.firstChild(tokens); token >= 0; token = tree.nextSibling(token)) {
    if (
      before >= 0 &&
      tree.kind(token) === 'token_tree' &&
      tree.kind(before) === 'identifier' &&
      tree.ends[before] === tree.starts[token] &&
      tree.text[tree.starts[token]] === '('
    ) {
      mentions.push({ kind: 'call', row: before })
    }
    before = token
  }
}
