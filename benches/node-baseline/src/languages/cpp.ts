// C++.

import { type Definition, type Mention, type Rules, type SymbolKind, type Visit, named } from '../outline.js'
import type { SyntaxTree } from '../syntax/tree.js'

const SPECIFIERS: Readonly<Record<string, SymbolKind>> = {
  class_specifier: 'class',
  enum_specifier: 'enum',
  struct_specifier: 'struct',
  union_specifier: 'union',
}

export const cpp: Rules = {
  definitions: [
    ...Object.keys(SPECIFIERS), 'alias_declaration', 'concept_definition', 'declaration', 'enumerator', 'field_declaration',
    'function_definition', 'namespace_alias_definition', 'namespace_definition', 'preproc_def', 'preproc_function_def',
    'type_definition',
  ],
  define,
  wrappers: ['friend_declaration', 'linkage_specification', 'template_declaration'],
  attributes: ['attribute_declaration'],
  comments: ['comment'],
  opaque: ['char_literal', 'raw_string_literal', 'string_literal'],
  members: ['enumerator_list', 'field_declaration_list'],
  typeNames: ['type_identifier'],
  typePaths: ['dependent_name', 'qualified_identifier', 'template_type'],
  heritage: ['base_class_clause'],
  references: [...Object.keys(SPECIFIERS), 'call_expression', 'new_expression', 'preproc_include', 'using_declaration'],
  refer,
  words: ['namespace'],
}

function define(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const nodeKind = visit.kind
  switch (nodeKind) {
    case 'namespace_definition':
    case 'namespace_alias_definition':
      pushNamed(visit, found, 'namespace')
      return
    case 'alias_declaration':
    case 'concept_definition':
      pushNamed(visit, found, 'type')
      return
    case 'enumerator':
      pushNamed(visit, found, 'enum_member')
      return
    case 'preproc_def':
      if (visit.field('value') < 0 && isIncludeGuard(visit)) return
      pushNamed(visit, found, 'macro')
      return
    case 'preproc_function_def':
      pushNamed(visit, found, 'macro')
      return
    case 'function_definition': {
      // What has no type there is a macro that a block follows.
      if (isLocal(visit) && visit.field('type') < 0) return
      const declarator = visit.field('declarator')
      if (declarator < 0) return
      const initializers = tree.child(row, 'field_initializer_list')
      pushFunction(visit, found, declarator, initializers >= 0 ? initializers : visit.field('body'))
      return
    }
    case 'type_definition':
      defineAlias(visit, found)
      return
    case 'declaration':
    case 'field_declaration':
      defineDeclared(visit, found)
      return
    default: {
      // What declares something of the type defines the type first.
      const isPart = /^(declaration|field_declaration|type_definition)$/.test(visit.parentKind)
      if (!(isPart && tree.fieldName(row) === 'type')) pushType(tree, found, row)
    }
  }
}

function pushNamed(visit: Visit, found: Definition[], kind: SymbolKind): void {
  const name = visit.field('name')
  if (name < 0) return
  const value = visit.field('value')
  found.push({ kind, name, body: value >= 0 ? value : visit.field('body') })
}

/** A class, struct, union or enum that has a name and a body; without a body it is only mentioned. */
function pushType(tree: SyntaxTree, found: Definition[], specifier: number): boolean {
  const kind = SPECIFIERS[tree.kind(specifier)]
  if (kind === undefined) return false
  const body = tree.field(specifier, 'body')
  const name = tree.field(specifier, 'name')
  if (body < 0 || name < 0) return false
  found.push({ kind, name: splitName(tree, name)[0], body })
  return true
}

/** `typedef`: a type that has no name of its own goes by the first one it is given. */
function defineAlias(visit: Visit, found: Definition[]): void {
  const { tree } = visit
  const specifier = visit.field('type')
  const body = tree.field(specifier, 'body')
  let isNamed = specifier >= 0 && pushType(tree, found, specifier)
  for (const declarator of tree.childrenIn(visit.row, 'declarator')) {
    const name = declaredName(tree, declarator)
    if (name < 0) continue
    const ownKind = !isNamed && body >= 0 && declarator === name ? SPECIFIERS[tree.kind(specifier)] : undefined
    const definition: Definition = { kind: ownKind ?? 'type', name }
    if (found.length > 0) definition.node = declarator
    else if (body >= 0 && length(tree, body) > 80) definition.body = body
    found.push(definition)
    isNamed = true
  }
}

/** Functions, variables and data members without a body here, and the type that is defined on the way. */
function defineDeclared(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const type = visit.field('type')
  if (type >= 0) pushType(tree, found, type)
  if (visit.inCode || isLocal(visit)) return
  const isMember = visit.kind === 'field_declaration' || isClass(visit.enclosingKind)
  const ofConstants = hasQualifier(tree, row, 'const') || hasQualifier(tree, row, 'constexpr')
  for (const declarator of tree.childrenIn(row, 'declarator')) {
    if (functionDeclarator(tree, declarator) >= 0) {
      pushFunction(visit, found, declarator, -1)
      continue
    }
    const declared = declaredName(tree, declarator)
    if (declared < 0) continue
    const value = tree.field(declarator, 'value')
    const isLambda = tree.kind(value) === 'lambda_expression'
    const kind = isMember ? 'field' : isLambda ? 'function' : isConstant(tree, declarator, ofConstants) ? 'constant' : 'variable'
    const definition: Definition = { kind, name: splitName(tree, declared)[0] }
    if (isLambda) definition.body = tree.field(value, 'body')
    else if (value >= 0 && length(tree, value) > 80) definition.body = value
    if (found.length > 0) definition.node = declarator
    else {
      const anonymous = tree.field(type, 'body')
      if (anonymous >= 0 && length(tree, anonymous) > 80) definition.body = anonymous
    }
    found.push(definition)
  }
}

function length(tree: SyntaxTree, row: number): number {
  return tree.ends[row] - tree.starts[row]
}

/** Whether a declaration is a statement, though in no function that is known as one: a macro may make it. */
function isLocal(visit: Visit): boolean {
  return /^(case_statement|compound_statement|condition_clause|for_statement|init_statement|labeled_statement)$/.test(
    visit.parentKind,
  )
}

function hasQualifier(tree: SyntaxTree, declaration: number, word: string): boolean {
  for (let child = tree.firstChild(declaration); child >= 0; child = tree.nextSibling(child)) {
    if (tree.kind(child) === 'type_qualifier') {
      if (tree.nodeText(child) === word) return true
    } else if (tree.fieldName(child) === 'declarator') return false
  }
  return false
}

function pushFunction(visit: Visit, found: Definition[], declarator: number, body: number): void {
  const { tree } = visit
  const declared = declaredName(tree, declarator)
  if (declared < 0) return
  const callable = functionDeclarator(tree, declarator)
  const [name, scope] = splitName(tree, declared)
  const text = tree.nodeText(name)
  // What is left of code that could not be read.
  if (/^(for|if|return|sizeof|switch|while)$/.test(text)) return
  const isFriend = visit.parentKind === 'friend_declaration'
  const enclosing = isClass(visit.enclosingKind) && !isFriend ? visit.enclosing : undefined
  const className = enclosing?.name ?? scope
  const kind = className === '' ? 'function' : className.split('<')[0] === text ? 'constructor' : 'method'
  // A macro is called where nothing is declared, or where a member has no type.
  const nameKind = tree.kind(name)
  const isPlain = nameKind === 'identifier' || nameKind === 'field_identifier'
  if (body < 0 && enclosing !== undefined && isPlain && kind !== 'constructor' && !returnsSomething(tree, visit.row, callable)) {
    return
  }
  const definition: Definition = { kind, name, body }
  if (nameKind === 'operator_cast') {
    const inner = callable >= 0 ? callable : tree.field(name, 'declarator')
    definition.nameText = tree.text.slice(tree.starts[name], inner >= 0 ? tree.starts[inner] : tree.ends[name])
  }
  if (found.length > 0) definition.node = declarator
  found.push(definition)
}

function returnsSomething(tree: SyntaxTree, declaration: number, callable: number): boolean {
  return tree.child(callable, 'trailing_return_type') >= 0 || (callable >= 0 && tree.field(declaration, 'type') >= 0)
}

const NAMES = new Set([
  'destructor_name', 'field_identifier', 'identifier', 'operator_cast', 'operator_name', 'primitive_type',
  'qualified_identifier', 'template_function', 'template_method', 'type_identifier',
])

/** What a declarator is wrapped round: `f(int)` of `*f(int)`. */
function innerDeclarator(tree: SyntaxTree, declarator: number): number {
  const inner = tree.field(declarator, 'declarator')
  if (inner >= 0) return inner
  // Reference and parenthesised declarators have no field.
  for (let child = tree.firstNamedChild(declarator); child >= 0; child = tree.nextSibling(child)) {
    const kind = tree.kind(child)
    if (kind.endsWith('declarator') || NAMES.has(kind)) return child
  }
  return -1
}

/** The name inside a declarator: `f` of `*f(int)`. */
function declaredName(tree: SyntaxTree, declarator: number): number {
  let row = declarator
  while (row >= 0 && !NAMES.has(tree.kind(row))) row = innerDeclarator(tree, row)
  return row
}

/** The declarator of the function that is declared: `f(int)` of `*f(int)`; -1 of `(*f)(int)`, which is a variable. */
function functionDeclarator(tree: SyntaxTree, declarator: number): number {
  let closest = -1
  for (let row = declarator; row >= 0; row = innerDeclarator(tree, row)) {
    const kind = tree.kind(row)
    if (kind === 'function_declarator') closest = row
    else if (kind === 'operator_cast') return convertingFunction(tree, row)
    else if (kind === 'qualified_identifier') {
      const [name] = splitName(tree, row)
      return tree.kind(name) === 'operator_cast' ? convertingFunction(tree, name) : closest
    } else if (NAMES.has(kind)) return closest
    else if (!/^(attributed_declarator|init_declarator|parenthesized_declarator)$/.test(kind)) closest = -1
  }
  return -1
}

/** The declarator behind the type that an operator converts to: `()` of `operator char *()`. */
function convertingFunction(tree: SyntaxTree, operator: number): number {
  let row = tree.field(operator, 'declarator')
  while (row >= 0 && tree.field(row, 'parameters') < 0) {
    let inner = tree.field(row, 'declarator')
    for (let child = tree.firstNamedChild(row); inner < 0 && child >= 0; child = tree.nextSibling(child)) {
      if (tree.kind(child).startsWith('abstract')) inner = child
    }
    row = inner
  }
  return row
}

/** Whether a variable may not be changed: of a pointer, the pointer. */
function isConstant(tree: SyntaxTree, declarator: number, ofConstants: boolean): boolean {
  let pointer = -1
  for (let row = declarator; row >= 0 && !NAMES.has(tree.kind(row)); row = innerDeclarator(tree, row)) {
    if (tree.kind(row) === 'pointer_declarator') pointer = row
  }
  return pointer < 0 ? ofConstants : hasQualifier(tree, pointer, 'const')
}

/** `f`, and the last of what it is qualified with: `B` of `A::B::f`, '' without. */
function splitName(tree: SyntaxTree, name: number): [number, string] {
  let row = name
  let last = ''
  for (;;) {
    let inner = -1
    switch (tree.kind(row)) {
      case 'qualified_identifier': {
        const scope = tree.field(row, 'scope')
        if (scope >= 0) last = tree.nodeText(tree.kind(scope) === 'template_type' ? tree.field(scope, 'name') : scope)
        inner = tree.childrenIn(row, 'name').at(-1) ?? -1
        break
      }
      case 'dependent_name':
        inner = tree.firstNamedChild(row)
        break
      case 'template_function':
      case 'template_method':
      case 'template_type':
        inner = tree.field(row, 'name')
    }
    if (inner < 0) return [row, last]
    row = inner
  }
}

function isClass(kind: SymbolKind | undefined): boolean {
  return kind === 'class' || kind === 'struct' || kind === 'union'
}

/** `#ifndef X` as the first thing of the file, with `#define X` as its first line. */
function isIncludeGuard(visit: Visit): boolean {
  const { tree, row } = visit
  const ifdef = tree.parents[row]
  if (tree.kind(ifdef) !== 'preproc_ifdef') return false
  const file = tree.parents[ifdef]
  if (tree.kind(file) !== 'translation_unit') return false
  const name = tree.field(ifdef, 'name')
  const firstOf = (parent: number): number => {
    for (let child = tree.firstNamedChild(parent); child >= 0; child = tree.nextSibling(child)) {
      const kind = tree.kind(child)
      if (kind !== 'comment' && kind !== 'preproc_call' && child !== name) return child
    }
    return -1
  }
  return (
    firstOf(file) === ifdef && firstOf(ifdef) === row && tree.nodeText(name) === tree.nodeText(visit.field('name'))
  )
}

function refer(visit: Visit, mentions: Mention[]): void {
  const { tree, row } = visit
  switch (visit.kind) {
    case 'call_expression':
    case 'new_expression': {
      // `int(x)` calls nothing.
      const callee = visit.field(visit.kind === 'call_expression' ? 'function' : 'type')
      if (tree.kind(callee) !== 'primitive_type') mentions.push({ kind: 'call', row: named(tree, callee) })
      return
    }
    case 'using_declaration': {
      const used = tree.lastNamedChild(row)
      if (used < 0) return
      const isNamespace = tree.child(row, '"namespace"') >= 0
      mentions.push(isNamespace ? { kind: 'import', row: used, name: '*' } : { kind: 'import', row: splitName(tree, used)[0] })
      return
    }
    case 'preproc_include': {
      const path = visit.field('path')
      const text = tree.nodeText(path).replace(/^[<"]|[>"]$/g, '')
      mentions.push({ kind: 'import', row: path, name: text.slice(text.lastIndexOf('/') + 1) })
      return
    }
    default: {
      // Without a body it is no definition.
      const name = visit.field('name')
      if (name >= 0 && visit.field('body') < 0) mentions.push({ kind: 'type', row: splitName(tree, name)[0] })
    }
  }
}
