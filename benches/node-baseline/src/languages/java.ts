// Java.

import { type Definition, type Mention, type Rules, type SymbolKind, type Visit, named } from '../outline.js'
import type { SyntaxTree } from '../syntax/tree.js'

const KINDS: Readonly<Record<string, SymbolKind>> = {
  annotation_type_declaration: 'interface',
  annotation_type_element_declaration: 'method',
  class_declaration: 'class',
  compact_constructor_declaration: 'constructor',
  constructor_declaration: 'constructor',
  enum_constant: 'enum_member',
  enum_declaration: 'enum',
  interface_declaration: 'interface',
  method_declaration: 'method',
  module_declaration: 'module',
  record_declaration: 'class',
}

export const java: Rules = {
  definitions: [...Object.keys(KINDS), 'formal_parameter', 'package_declaration', 'spread_parameter', 'variable_declarator'],
  define,
  wrappers: ['constant_declaration', 'field_declaration'],
  comments: ['block_comment', 'line_comment'],
  opaque: ['string_literal', 'character_literal'],
  members: ['annotation_type_body', 'class_body', 'enum_body', 'interface_body'],
  typeNames: ['type_identifier'],
  typePaths: ['scoped_type_identifier'],
  heritage: ['extends_interfaces', 'super_interfaces', 'superclass'],
  references: [
    'annotation', 'explicit_constructor_invocation', 'import_declaration', 'marker_annotation', 'method_invocation',
    'method_reference', 'object_creation_expression', 'requires_module_directive', 'uses_module_directive',
  ],
  refer,
  words: ['abstract', 'default', 'final', 'private', 'protected', 'public', 'static'],
}

function define(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const nodeKind = visit.kind
  if (nodeKind === 'package_declaration') {
    const path = tree.child(row, 'scoped_identifier')
    const name = path >= 0 ? path : tree.child(row, 'identifier')
    if (name >= 0) found.push({ kind: 'namespace', name })
    return
  }
  if (nodeKind === 'variable_declarator') {
    const owner = tree.parents[row]
    const ownerKind = tree.kind(owner)
    if (ownerKind !== 'field_declaration' && ownerKind !== 'constant_declaration') return
    const name = visit.field('name')
    if (name < 0) return
    const words = modifiers(tree, owner)
    const constant = ownerKind === 'constant_declaration' || (hasWord(tree, words, 'static') && hasWord(tree, words, 'final'))
    const definition: Definition = { kind: constant ? 'constant' : 'field', name }
    if (tree.field(owner, 'declarator') === row) definition.start = afterAnnotations(tree, owner)
    found.push(definition)
    return
  }
  let kind = KINDS[nodeKind]
  if (kind === undefined) {
    // The components of a record.
    if (tree.kind(tree.ancestor(row, 2)) !== 'record_declaration') return
    kind = 'field'
  }
  let name = visit.field('name')
  if (name < 0) {
    const declarator = tree.child(row, 'variable_declarator')
    name = declarator < 0 ? -1 : tree.field(declarator, 'name')
  }
  if (name >= 0) found.push({ kind, name, body: visit.field('body'), start: afterAnnotations(tree, row) })
}

/** The modifiers of a declaration, which begins with them; -1 without. */
function modifiers(tree: SyntaxTree, row: number): number {
  const first = tree.firstChild(row)
  return tree.kind(first) === 'modifiers' ? first : -1
}

function hasWord(tree: SyntaxTree, words: number, word: string): boolean {
  return words >= 0 && tree.child(words, `"${word}"`) >= 0
}

/** The first child that is no annotation, looking into the modifiers. */
function afterAnnotations(tree: SyntaxTree, row: number): number {
  const words = modifiers(tree, row)
  if (words < 0) return row
  for (let child = tree.firstChild(words); child >= 0; child = tree.nextSibling(child)) {
    if (!/annotation$|_comment$/.test(tree.kind(child))) return child
  }
  const next = tree.nextSibling(words)
  return next < 0 ? row : next
}

function refer(visit: Visit, mentions: Mention[]): void {
  const { tree, row } = visit
  switch (visit.kind) {
    case 'method_invocation':
      mentions.push({ kind: 'call', row: visit.field('name') })
      return
    case 'object_creation_expression': {
      let made = visit.field('type')
      if (tree.kind(made) === 'generic_type') made = tree.firstNamedChild(made)
      if (tree.kind(made) === 'scoped_type_identifier') made = tree.lastNamedChild(made)
      mentions.push({ kind: 'call', row: made })
      return
    }
    case 'explicit_constructor_invocation':
      mentions.push({ kind: 'call', row: visit.field('constructor') })
      return
    case 'method_reference': {
      const name = tree.lastNamedChild(row)
      if (tree.kind(name) === 'identifier') mentions.push({ kind: 'call', row: name })
      return
    }
    case 'annotation':
    case 'marker_annotation':
      mentions.push({ kind: 'type', row: named(tree, visit.field('name')) })
      return
    case 'import_declaration': {
      const all = tree.child(row, 'asterisk')
      const path = tree.firstNamedChild(row)
      mentions.push(all >= 0 ? { kind: 'import', row: all, name: '*' } : { kind: 'import', row: named(tree, path) })
      return
    }
    default: {
      const field = visit.kind === 'requires_module_directive' ? 'module' : 'type'
      const target = visit.field(field)
      if (target >= 0) mentions.push({ kind: field === 'module' ? 'import' : 'type', row: named(tree, target) })
    }
  }
}
