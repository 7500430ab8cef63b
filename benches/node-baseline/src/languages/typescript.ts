// TypeScript, and TypeScript with JSX.

import type { Definition, Rules, SymbolKind, Visit } from '../outline.js'
import { REFERENCES, WORDS, define, kindOfMethod, plain, pushBoundMember, pushMember, pushNamed, refer } from './javascript.js'

export const typescript: Rules = {
  definitions: [
    'abstract_class_declaration', 'abstract_method_signature', 'ambient_declaration', 'assignment_expression', 'class',
    'class_declaration', 'construct_signature', 'enum_assignment', 'enum_declaration', 'export_specifier',
    'export_statement', 'function_declaration', 'function_expression', 'function_signature', 'generator_function',
    'generator_function_declaration', 'import_alias', 'interface_declaration', 'internal_module', 'method_definition',
    'method_signature', 'module', 'namespace_export', 'optional_parameter', 'pair', 'property_identifier',
    'property_signature', 'public_field_definition', 'required_parameter', 'type_alias_declaration', 'variable_declarator',
  ],
  define: defineTyped,
  wrappers: ['ambient_declaration', 'export_statement', 'expression_statement', 'lexical_declaration', 'variable_declaration'],
  attributes: ['decorator'],
  comments: ['comment'],
  opaque: ['regex', 'string'],
  members: ['class_body', 'enum_body', 'interface_body'],
  calls: { new_expression: 'constructor' },
  typeNames: ['type_identifier'],
  typePaths: ['nested_type_identifier'],
  heritage: ['extends_type_clause', 'implements_clause'],
  references: [...REFERENCES, 'extends_clause', 'import_alias'],
  refer,
  words: [...WORDS, '=', 'global', 'namespace', 'new', 'readonly'],
}

const NAMED: Readonly<Record<string, SymbolKind>> = {
  abstract_class_declaration: 'class',
  function_signature: 'function',
  interface_declaration: 'interface',
  enum_declaration: 'enum',
}

function defineTyped(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const kind = visit.kind
  const own = NAMED[kind]
  if (own !== undefined) {
    pushNamed(visit, found, own)
    return
  }
  switch (kind) {
    case 'internal_module':
    case 'module': {
      const name = visit.field('name')
      if (name < 0) return
      const isString = tree.kind(name) === 'string'
      found.push({ kind: isString ? 'module' : 'namespace', name, nameText: plain(tree, name), body: visit.field('body') })
      return
    }
    case 'ambient_declaration': {
      // `declare global {}`
      const name = tree.child(row, '"global"')
      if (name >= 0) found.push({ kind: 'module', name, body: tree.child(row, 'statement_block') })
      return
    }
    case 'type_alias_declaration': {
      const name = visit.field('name')
      const value = visit.field('value')
      if (name >= 0) found.push({ kind: 'type', name, body: tree.kind(value) === 'object_type' ? value : -1 })
      return
    }
    case 'import_alias': {
      const name = tree.firstNamedChild(row)
      if (name >= 0 && visit.isWrappedIn('export_statement')) found.push({ kind: 'variable', name })
      return
    }
    case 'enum_assignment': {
      const name = visit.field('name')
      if (name >= 0) found.push({ kind: 'enum_member', name, nameText: plain(tree, name) })
      return
    }
    case 'property_identifier':
      if (visit.parentKind === 'enum_body') found.push({ kind: 'enum_member', name: row })
      return
    case 'method_signature':
    case 'abstract_method_signature': {
      const name = visit.field('name')
      if (name >= 0 && isOfNamedType(visit)) pushMember(visit, found, kindOfMethod(visit, name), name, -1)
      return
    }
    case 'construct_signature': {
      const name = tree.child(row, '"new"')
      if (name >= 0 && isOfNamedType(visit)) found.push({ kind: 'constructor', name })
      return
    }
    case 'property_signature': {
      const name = visit.field('name')
      if (name >= 0 && isOfNamedType(visit)) pushMember(visit, found, 'property', name, -1)
      return
    }
    case 'public_field_definition': {
      const name = visit.field('name')
      if (name >= 0) pushBoundMember(visit, found, 'field', name, visit.field('value'))
      return
    }
    case 'optional_parameter':
    case 'required_parameter':
      defineParameterProperty(visit, found)
      return
    default:
      define(visit, found)
  }
}

/** `constructor(private name: string)` declares a field of the class. */
function defineParameterProperty(visit: Visit, found: Definition[]): void {
  if (visit.enclosingKind !== 'constructor') return
  const { tree, row } = visit
  const name = visit.field('pattern')
  const isProperty =
    tree.child(row, 'accessibility_modifier') >= 0 ||
    tree.child(row, 'override_modifier') >= 0 ||
    tree.child(row, '"readonly"') >= 0
  if (name >= 0 && isProperty) found.push({ kind: 'field', name, owner: visit.enclosingOf('class'), once: true })
}

const COMBINED = new Set(['intersection_type', 'parenthesized_type', 'readonly_type', 'union_type'])

/** Members of a type literal inside an expression or a signature are part of it. */
function isOfNamedType(visit: Visit): boolean {
  const { tree } = visit
  const parentKind = visit.parentKind
  if (parentKind === 'class_body' || parentKind === 'interface_body') return true
  if (parentKind !== 'object_type') return false
  let row = tree.ancestor(visit.row, 2)
  while (COMBINED.has(tree.kind(row))) row = tree.parents[row]
  return tree.kind(row) === 'type_alias_declaration'
}
