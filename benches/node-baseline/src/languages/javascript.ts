// JavaScript with JSX; TypeScript builds on it.

import { type Definition, type Mention, type Rules, type SymbolKind, type Visit, isName, named } from '../outline.js'
import type { SyntaxTree } from '../syntax/tree.js'

/** How many nodes that only wrap an expression, such as parentheses, are looked through. */
const MAX_WRAPS = 4

export const WORDS = ['await', 'const', 'default', 'get', 'import', 'set', 'using', '*']

export const REFERENCES = [
  'call_expression', 'decorator', 'export_specifier', 'export_statement', 'import_statement', 'jsx_opening_element',
  'jsx_self_closing_element', 'namespace_export',
]

export const javascript: Rules = {
  definitions: [
    'assignment_expression', 'class', 'class_declaration', 'export_specifier', 'export_statement', 'field_definition',
    'function_declaration', 'function_expression', 'generator_function', 'generator_function_declaration',
    'method_definition', 'namespace_export', 'pair', 'variable_declarator',
  ],
  define(visit, found) {
    if (!defineFieldOfThis(visit, found)) define(visit, found)
  },
  wrappers: ['export_statement', 'expression_statement', 'lexical_declaration', 'using_declaration', 'variable_declaration'],
  attributes: ['decorator'],
  comments: ['comment'],
  opaque: ['regex', 'string'],
  members: ['class_body'],
  calls: { new_expression: 'constructor' },
  references: [...REFERENCES, 'class_heritage'],
  refer,
  words: WORDS,
}

export function define(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  switch (visit.kind) {
    case 'function_declaration':
    case 'generator_function_declaration':
      pushNamed(visit, found, 'function')
      return
    case 'class_declaration':
      pushNamed(visit, found, 'class')
      return
    case 'function_expression':
    case 'generator_function':
      if (!isBound(tree, row)) pushNamed(visit, found, 'function')
      return
    case 'class':
      if (!isBound(tree, row)) pushNamed(visit, found, 'class')
      return
    case 'method_definition': {
      const name = visit.field('name')
      if (name >= 0) pushMember(visit, found, kindOfMethod(visit, name), name, visit.field('body'))
      return
    }
    case 'field_definition': {
      const name = visit.field('property')
      if (name >= 0) pushBoundMember(visit, found, 'field', name, visit.field('value'))
      return
    }
    case 'variable_declarator':
      defineVariable(visit, found)
      return
    case 'assignment_expression':
      defineAssigned(visit, found)
      return
    case 'pair':
      definePair(visit, found)
      return
    case 'export_statement':
      defineDefaultExport(visit, found)
      return
    case 'export_specifier':
      defineExported(visit, found)
      return
    case 'namespace_export': {
      const name = tree.firstNamedChild(row)
      if (name >= 0) found.push({ kind: 'namespace', name, nameText: plain(tree, name) })
    }
  }
}

export function kindOfMethod(visit: Visit, name: number): SymbolKind {
  const { tree, row } = visit
  if (visit.parentKind === 'class_body' && tree.nodeText(name) === 'constructor') return 'constructor'
  return tree.child(row, '"get"') >= 0 || tree.child(row, '"set"') >= 0 ? 'property' : 'method'
}

export function pushNamed(visit: Visit, found: Definition[], kind: SymbolKind): void {
  const name = visit.field('name')
  if (name >= 0) found.push({ kind, name, body: visit.field('body') })
}

/** A member that is bound to a value: a method if that is a function, else of the kind. */
export function pushBoundMember(visit: Visit, found: Definition[], kind: SymbolKind, name: number, bound: number): void {
  const { tree } = visit
  const value = unwrapped(tree, bound)
  const valueKind = tree.kind(value)
  const own = FUNCTIONS.has(valueKind) ? 'method' : CLASSES.has(valueKind) ? 'class' : kind
  pushMember(visit, found, own, name, bodyOfValue(tree, value))
}

export function pushMember(visit: Visit, found: Definition[], kind: SymbolKind, name: number, body: number): void {
  const definition: Definition = { kind, name, body }
  const nameKind = visit.tree.kind(name)
  if (nameKind === 'string' || nameKind === 'computed_property_name') definition.nameText = plain(visit.tree, name)
  found.push(definition)
}

/** `this.name = value` in a constructor makes a field, the first time. */
function defineFieldOfThis(visit: Visit, found: Definition[]): boolean {
  if (visit.kind !== 'assignment_expression' || visit.enclosingKind !== 'constructor') return false
  const { tree } = visit
  const left = visit.field('left')
  const value = unwrapped(tree, visit.field('right'))
  const name = tree.field(left, 'property')
  if (value < 0 || name < 0 || tree.kind(tree.field(left, 'object')) !== 'this' || FUNCTIONS.has(tree.kind(value))) return false
  const owner = visit.enclosingOf('class')
  if (tree.kind(name) === 'property_identifier' && owner >= 0) {
    found.push({ kind: 'field', name, body: bodyOfValue(tree, value), owner, once: true })
  }
  return true
}

/** What a declaration binds: functions and classes anywhere, other values where they are the module's. */
function defineVariable(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const target = visit.field('name')
  if (target < 0) return
  const value = unwrapped(tree, visit.field('value'))
  const valueKind = tree.kind(value)
  let kind: SymbolKind
  if (CLASSES.has(valueKind)) kind = 'class'
  else if (FUNCTIONS.has(valueKind)) kind = 'function'
  else if (!isOfModule(visit)) return
  else {
    const keyword = tree.kind(tree.firstChild(tree.parents[row]))
    kind = keyword === '"const"' || keyword === '"using"' || keyword === '"await"' ? 'constant' : 'variable'
  }
  if (tree.kind(target) === 'identifier') {
    found.push({ kind, name: target, body: bodyOfValue(tree, value) })
  } else {
    for (const name of boundNames(tree, target)) found.push({ kind, name })
  }
}

/** `exports.name = function () {}`, `Name.prototype.method = () => {}` and their like. */
function defineAssigned(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const left = visit.field('left')
  const right = unwrapped(tree, visit.field('right'))
  if (left < 0 || right < 0) return
  const rightKind = tree.kind(right)
  const isClass = CLASSES.has(rightKind)
  const isFunction = isClass || FUNCTIONS.has(rightKind)
  let name = left
  let owner = ''
  if (tree.kind(left) === 'member_expression') {
    name = tree.field(left, 'property')
    const object = tree.field(left, 'object')
    if (name < 0 || object < 0) return
    owner = tree.nodeText(object)
  } else if (tree.kind(left) !== 'identifier') return
  if (owner === 'module' && tree.nodeText(left) === 'module.exports') {
    defineModuleExports(visit, name, right, found)
    return
  }
  if (owner === 'exports' || owner === 'module.exports') {
    defineExport(visit, name, right, found)
    return
  }
  const prototype = owner.endsWith('.prototype') ? owner.slice(0, -'.prototype'.length) : undefined
  const body = bodyOfValue(tree, right)
  if (!isFunction) {
    // The last one of a chain speaks for all.
    if (rightKind === 'assignment_expression') return
    const isMemberOfClass =
      /^\p{Lu}/u.test(owner) &&
      tree.nodeText(name) !== 'prototype' &&
      visit.parentKind === 'expression_statement' &&
      isOfModule(visit)
    if (isPlainName(owner) && (prototype !== undefined || isMemberOfClass)) {
      const isMethod = prototype !== undefined && /^(call_expression|identifier|member_expression)$/.test(rightKind)
      const kind = isMethod ? 'method' : 'property'
      found.push({ kind, name, body })
      pushAliases(tree, row, kind, found)
    }
    return
  }
  const ofThis = owner === 'this' && visit.enclosing !== undefined
  const kind = isClass ? 'class' : prototype === undefined && !ofThis ? 'function' : 'method'
  const definition: Definition = { kind, name, body }
  if (ofThis && (visit.enclosingKind === 'constructor' || visit.enclosingKind === 'method')) {
    definition.owner = visit.enclosingOf('class')
  }
  found.push(definition)
  // `A.B = class AB {}` is known by both names.
  const ownName = isClass ? tree.field(right, 'name') : -1
  if (ownName >= 0 && tree.nodeText(ownName) !== tree.nodeText(name)) {
    found.push({ kind: 'class', name: ownName, body, node: right })
  }
}

/** The other members of prototypes that a chain of assignments gives the same value. */
function pushAliases(tree: SyntaxTree, assignment: number, kind: SymbolKind, found: Definition[]): void {
  let row = tree.parents[assignment]
  for (let depth = 0; depth < MAX_WRAPS && tree.kind(row) === 'assignment_expression'; depth++, row = tree.parents[row]) {
    const left = tree.field(row, 'left')
    if (tree.kind(left) !== 'member_expression') continue
    const object = tree.nodeText(tree.field(left, 'object'))
    if (object.endsWith('.prototype') && isPlainName(object)) found.push({ kind, name: tree.field(left, 'property'), node: row })
  }
}

/** `module.exports = value`. */
function defineModuleExports(visit: Visit, name: number, value: number, found: Definition[]): void {
  const { tree } = visit
  const kind = tree.kind(value)
  let isList = kind === 'identifier' || isRequire(tree, value)
  if (kind === 'object') {
    isList = true
    for (let member = tree.firstChild(value); member >= 0; member = tree.nextSibling(member)) {
      const memberKind = tree.kind(member)
      if (memberKind === 'pair' || memberKind === 'method_definition') isList = false
    }
  }
  if (isList || visit.inCode) return
  const body = bodyOfValue(tree, value)
  const ownName = FUNCTIONS.has(kind) || CLASSES.has(kind) ? tree.field(value, 'name') : -1
  if (ownName >= 0) found.push({ kind: kindOfValue(kind), name: ownName, body })
  else found.push({ kind: kindOfValue(kind), name, body, nameText: nameOfModule(visit) })
}

/** `exports.name = value`. */
function defineExport(visit: Visit, name: number, value: number, found: Definition[]): void {
  const { tree } = visit
  const valueKind = tree.kind(value)
  let kind: SymbolKind = 'variable'
  if (FUNCTIONS.has(valueKind) || CLASSES.has(valueKind)) kind = kindOfValue(valueKind)
  else if (visit.inCode || valueKind === 'assignment_expression' || valueKind === 'undefined') return
  else if (valueKind === 'unary_expression' && tree.nodeText(value).startsWith('void')) return
  else if (valueKind === 'identifier' && tree.nodeText(value) === tree.nodeText(name)) return
  found.push({ kind, name, body: bodyOfValue(tree, value) })
}

/** A member of an object literal, if it is a function or class, or the literal is all that a name stands for. */
function definePair(visit: Visit, found: Definition[]): void {
  const { tree } = visit
  const key = visit.field('key')
  if (key < 0) return
  const value = visit.field('value')
  const valueKind = tree.kind(unwrapped(tree, value))
  if (!FUNCTIONS.has(valueKind) && !CLASSES.has(valueKind)) {
    const keyKind = tree.kind(key)
    const text = tree.nodeText(key)
    const isNamed = keyKind === 'property_identifier' || (keyKind === 'string' && isName(text.slice(1, -1)))
    if (!isNamed || text === 'constructor' || !isMemberOfDefinition(visit)) return
  }
  pushBoundMember(visit, found, 'property', key, value)
}

function isMemberOfDefinition(visit: Visit): boolean {
  const { tree } = visit
  const literal = tree.parents[visit.row]
  const holder = holderOf(tree, literal)
  const holderKind = tree.kind(holder)
  if (
    (holderKind === 'assignment_expression' || holderKind === 'export_statement' || holderKind === 'variable_declarator') &&
    visit.isInScopeOf(holder)
  ) {
    return true
  }
  return !visit.inCode && isOfPrototype(tree, literal)
}

/** `export default` of something that has no name, and TypeScript's `export =` and `export as namespace`. */
function defineDefaultExport(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  let sign = -1
  let last = -1
  let isNamespace = false
  for (let child = tree.firstChild(row); child >= 0; child = tree.nextSibling(child)) {
    const kind = tree.kind(child)
    if (kind === '"default"' || kind === '"="') sign = child
    else if (kind === '"namespace"') isNamespace = true
    else if (tree.isNamed(child) && kind !== 'decorator') last = child
  }
  const value = unwrapped(tree, last)
  if (value < 0) return
  if (isNamespace) {
    found.push({ kind: 'namespace', name: value })
    return
  }
  if (sign < 0 || tree.kind(value) === 'identifier' || tree.field(value, 'name') >= 0) return
  found.push({ kind: kindOfValue(tree.kind(value)), name: sign, nameText: nameOfModule(visit), body: bodyOfValue(tree, value) })
}

/** A name of `export { a, b as c } from "module"`, or of `export { a, b as c }`. */
function defineExported(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  const name = visit.field('name')
  if (name < 0) return
  const alias = visit.field('alias')
  const exported = alias >= 0 ? alias : name
  const isReexport = tree.field(tree.ancestor(row, 2), 'source') >= 0
  let text = plain(tree, exported)
  if (isReexport) {
    if (text === 'default') text = nameOfModule(visit)
  } else if (text === tree.nodeText(name) || text === 'default') return
  found.push({ kind: 'variable', name: exported, nameText: text })
}

function nameOfModule(visit: Visit): string {
  const stem = visit.stem.endsWith('.d') ? visit.stem.slice(0, -2) : visit.stem
  return stem === '' ? 'default' : stem
}

/** The names that a pattern binds: `a`, `c`, `d` and `e` of `{ a, b: [c], d = 1, ...e }`. */
function boundNames(tree: SyntaxTree, pattern: number): number[] {
  const names: number[] = []
  for (let row = pattern; row < tree.nexts[pattern]; ) {
    const field = row === pattern ? '' : tree.fieldName(row)
    if (field === 'key' || field === 'right') {
      row = tree.nexts[row]
      continue
    }
    const kind = tree.kind(row)
    if (kind === 'identifier' || kind === 'shorthand_property_identifier_pattern') names.push(row)
    row++
  }
  return names
}

/** What holds the value that an expression stands for, looking through what only wraps it. */
function holderOf(tree: SyntaxTree, expression: number): number {
  let row = expression
  for (let depth = 0; depth < MAX_WRAPS && row >= 0; depth++) {
    const parent = tree.parents[row]
    const kind = tree.kind(parent)
    if (WRAPS.has(kind)) row = parent
    else if (kind === 'arguments' && tree.nodeText(tree.firstChild(tree.parents[parent])) === 'Object.freeze') {
      row = tree.parents[parent]
    } else return kind === 'arguments' ? -1 : parent
  }
  return -1
}

/** Whether an object literal adds to a prototype: `A.prototype = {}` and `Object.assign(A.prototype, {})`. */
function isOfPrototype(tree: SyntaxTree, literal: number): boolean {
  const parent = tree.parents[literal]
  let target = -1
  if (tree.kind(parent) === 'assignment_expression') target = tree.field(parent, 'left')
  else if (tree.kind(parent) === 'arguments') {
    if (tree.nodeText(tree.firstChild(tree.parents[parent])) === 'Object.assign') target = tree.firstNamedChild(parent)
  }
  const text = tree.nodeText(target)
  return text.endsWith('.prototype') && isPlainName(text)
}

function isRequire(tree: SyntaxTree, value: number): boolean {
  return moduleOfCall(tree, tree.kind(value) === 'member_expression' ? tree.field(value, 'object') : value) >= 0
}

/** A name without its quotes or brackets. */
export function plain(tree: SyntaxTree, name: number): string {
  return tree.nodeText(name).replace(/^\[([^]*)\]$/, '$1').trim().replace(/^["'`]+|["'`]+$/g, '')
}

function isPlainName(text: string): boolean {
  return /^[\p{L}_$][\p{L}\p{N}_$.]*$/u.test(text)
}

const FUNCTIONS = new Set([
  'arrow_function', 'function_expression', 'generator_function', 'function_declaration', 'generator_function_declaration',
])
const CLASSES = new Set(['class', 'class_declaration', 'abstract_class_declaration'])
const WRAPS = new Set([
  'as_expression', 'non_null_expression', 'parenthesized_expression', 'satisfies_expression', 'type_assertion',
])

function kindOfValue(kind: string): SymbolKind {
  return FUNCTIONS.has(kind) ? 'function' : CLASSES.has(kind) ? 'class' : 'constant'
}

/** The expression inside of parentheses, type assertions and their like. */
function unwrapped(tree: SyntaxTree, value: number): number {
  let row = value
  for (let depth = 0; depth < MAX_WRAPS && WRAPS.has(tree.kind(row)); depth++) {
    let inner = tree.firstNamedChild(row)
    if (tree.kind(inner) === 'type_arguments') inner = tree.nextSibling(inner)
    if (inner < 0) break
    row = inner
  }
  return row
}

/** Whether a function or class that is an expression is known by the name of what holds it, or is only called there. */
function isBound(tree: SyntaxTree, value: number): boolean {
  let outer = value
  for (let depth = 0; depth < MAX_WRAPS && WRAPS.has(tree.kind(tree.parents[outer])); depth++) outer = tree.parents[outer]
  const parent = tree.parents[outer]
  const kind = tree.kind(parent)
  if (kind === 'assignment_expression') {
    const target = tree.kind(tree.field(parent, 'left'))
    if (tree.fieldName(outer) === 'right' && (target === 'identifier' || target === 'member_expression')) return true
  } else if (/^(field_definition|pair|public_field_definition|variable_declarator)$/.test(kind)) {
    if (tree.fieldName(outer) === 'value') return true
  }
  return isCalledOnTheSpot(tree, value)
}

/** `(function () {})()`, and what is given to such a function or to a loader of modules. */
function isCalledOnTheSpot(tree: SyntaxTree, value: number): boolean {
  let row = value
  for (let depth = 0; depth < MAX_WRAPS; depth++) {
    const parent = tree.parents[row]
    switch (tree.kind(parent)) {
      case 'parenthesized_expression':
      case 'member_expression':
        row = parent
        break
      case 'call_expression':
        return tree.firstChild(parent) === row
      case 'arguments': {
        const called = unwrapped(tree, tree.firstChild(tree.parents[parent]))
        return FUNCTIONS.has(tree.kind(called)) || /^(define|require|requirejs)$/.test(tree.nodeText(called))
      }
      default:
        return false
    }
  }
  return false
}

/** Whether what is declared is the module's or the namespace's, not that of a block or function. */
function isOfModule(visit: Visit): boolean {
  if (visit.inCode) return false
  const { tree } = visit
  let holder = tree.ancestor(visit.row, 2)
  for (let depth = 0; depth < 2 && /^(ambient_declaration|export_statement)$/.test(tree.kind(holder)); depth++) {
    holder = tree.parents[holder]
  }
  switch (tree.kind(holder)) {
    case 'program':
    case 'ERROR':
      return true
    case 'statement_block': {
      const owner = tree.parents[holder]
      const kind = tree.kind(owner)
      if (kind === 'ambient_declaration' || kind === 'internal_module' || kind === 'module') return true
      return (kind === 'arrow_function' || kind === 'function_expression') && isCalledOnTheSpot(tree, owner)
    }
    default:
      return false
  }
}

/** Where the signature of what a name is bound to ends. */
function bodyOfValue(tree: SyntaxTree, value: number): number {
  const kind = tree.kind(value)
  return kind === 'object' || kind === 'array' ? value : tree.field(value, 'body')
}

export function refer(visit: Visit, mentions: Mention[]): void {
  const { tree, row } = visit
  switch (visit.kind) {
    case 'call_expression': {
      const module = moduleOfCall(tree, row)
      if (module >= 0) mentions.push({ kind: 'import', row: module, name: lastOfPath(plain(tree, module)) })
      pushCall(tree, tree.firstChild(row), mentions)
      return
    }
    case 'jsx_opening_element':
    case 'jsx_self_closing_element': {
      const name = visit.field('name')
      // A component is called when it is shown; the names of elements begin in lower case.
      if (name >= 0 && (tree.kind(name) === 'member_expression' || !/^\p{Ll}/u.test(tree.nodeText(name)))) {
        pushCall(tree, name, mentions)
      }
      return
    }
    case 'decorator':
      pushCall(tree, tree.firstNamedChild(row), mentions)
      return
    case 'class_heritage':
      mentions.push({ kind: 'inherit', row: named(tree, tree.firstNamedChild(row)) })
      return
    case 'extends_clause':
      for (const value of tree.childrenIn(row, 'value')) mentions.push({ kind: 'inherit', row: named(tree, value) })
      return
    case 'import_statement':
      pushImports(visit, mentions)
      return
    case 'import_alias':
      mentions.push({ kind: 'import', row: named(tree, tree.lastNamedChild(row)) })
      return
    case 'export_statement':
      if (visit.field('source') >= 0) mentions.push({ kind: 'import', row: tree.child(row, '"*"'), name: '*' })
      return
    case 'namespace_export':
      mentions.push({ kind: 'import', row: tree.child(row, '"*"'), name: '*' })
      return
    case 'export_specifier': {
      const name = visit.field('name')
      if (name >= 0 && tree.field(tree.ancestor(row, 2), 'source') >= 0) {
        mentions.push({ kind: 'import', row: name, name: plain(tree, name) })
      }
    }
  }
}

function pushCall(tree: SyntaxTree, callee: number, mentions: Mention[]): void {
  if (!/^(call_expression|import|parenthesized_expression)$/.test(tree.kind(callee))) {
    mentions.push({ kind: 'call', row: named(tree, callee) })
  }
}

function lastOfPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1) || path
}

function pushImports(visit: Visit, mentions: Mention[]): void {
  const { tree, row } = visit
  const required = tree.child(row, 'import_require_clause')
  const module = required >= 0 ? tree.field(required, 'source') : visit.field('source')
  if (module < 0) return
  const clause = tree.child(row, 'import_clause')
  if (clause < 0) {
    mentions.push({ kind: 'import', row: module, name: lastOfPath(plain(tree, module)) })
    return
  }
  for (let child = tree.firstNamedChild(clause); child >= 0; child = tree.nextSibling(child)) {
    switch (tree.kind(child)) {
      case 'identifier':
        mentions.push({ kind: 'import', row: child, name: 'default' })
        break
      case 'namespace_import':
        mentions.push({ kind: 'import', row: child, name: '*' })
        break
      default:
        for (let specifier = tree.firstNamedChild(child); specifier >= 0; specifier = tree.nextSibling(specifier)) {
          const name = tree.field(specifier, 'name')
          if (name >= 0) mentions.push({ kind: 'import', row: name, name: plain(tree, name) })
        }
    }
  }
}

/** The module that a call of `require` or `import` brings; -1 if it is none. */
function moduleOfCall(tree: SyntaxTree, call: number): number {
  if (tree.kind(call) !== 'call_expression') return -1
  const callee = tree.firstChild(call)
  const kind = tree.kind(callee)
  if (kind !== 'import' && !(kind === 'identifier' && tree.nodeText(callee) === 'require')) return -1
  const module = tree.firstNamedChild(tree.field(call, 'arguments'))
  return tree.kind(module) === 'string' ? module : -1
}
