// Python.

import { type Definition, type Mention, type Rules, type SymbolKind, type Visit, named } from '../outline.js'
import type { SyntaxTree } from '../syntax/tree.js'

export const python: Rules = {
  definitions: [
    'assignment', 'augmented_assignment', 'class_definition', 'function_definition', 'named_expression', 'type_alias_statement',
  ],
  define,
  wrappers: ['expression_statement'],
  outerWrappers: ['decorated_definition'],
  attributes: ['decorator'],
  comments: ['comment'],
  calls: { call: 'function' },
  references: [
    'class_definition', 'class_pattern', 'decorator', 'except_clause', 'future_import_statement', 'import_from_statement',
    'import_statement', 'raise_statement', 'type',
  ],
  refer,
}

function define(visit: Visit, found: Definition[]): void {
  const { tree } = visit
  switch (visit.kind) {
    case 'function_definition': {
      const name = visit.field('name')
      if (name >= 0) found.push({ kind: kindOfFunction(visit, name), name, body: visit.field('body') })
      return
    }
    case 'class_definition': {
      const name = visit.field('name')
      if (name >= 0) found.push({ kind: 'class', name, body: visit.field('body') })
      return
    }
    case 'assignment':
      defineAssigned(visit, found)
      return
    case 'type_alias_statement': {
      let name = visit.field('left')
      if (name < 0) return
      for (let inner = tree.firstNamedChild(name); inner >= 0; inner = tree.firstNamedChild(name)) name = inner
      found.push({ kind: 'type', name })
      return
    }
    default: {
      // These change what is there: a definition only if nothing else binds the name.
      if (visit.inCode) return
      const left = visit.field('left')
      const name = left >= 0 ? left : visit.field('name')
      if (tree.kind(name) === 'identifier' && !isInLambda(tree, visit.row)) {
        found.push({ kind: kindOfName(visit, name), name, once: true })
      }
    }
  }
}

function kindOfFunction(visit: Visit, name: number): SymbolKind {
  if (visit.enclosingKind !== 'class') return 'function'
  const text = visit.tree.nodeText(name)
  if (text === '__init__' || text === '__new__') return 'constructor'
  const wrapper = visit.tree.parents[visit.row]
  return isProperty(visit.tree, wrapper) ? 'property' : 'method'
}

function isProperty(tree: SyntaxTree, decorated: number): boolean {
  if (tree.kind(decorated) !== 'decorated_definition') return false
  for (let child = tree.firstChild(decorated); child >= 0; child = tree.nextSibling(child)) {
    if (tree.kind(child) === 'decorator' && /(property|\.setter|\.getter|\.deleter)\s*$/.test(tree.nodeText(child))) return true
  }
  return false
}

function defineAssigned(visit: Visit, found: Definition[]): void {
  const { tree, row } = visit
  // `a = b = 1`: the outer one speaks for all.
  if (visit.parentKind === 'assignment') return
  const targets: number[] = []
  let value = -1
  for (let assignment = row; ; ) {
    const left = tree.field(assignment, 'left')
    if (left >= 0) pushTargets(tree, left, targets)
    value = tree.field(assignment, 'right')
    if (tree.kind(value) !== 'assignment') break
    assignment = value
  }
  const typeRow = visit.field('type')
  const isAlias = typeRow >= 0 && tree.nodeText(typeRow).endsWith('TypeAlias')
  for (const target of targets) {
    const definition = bound(visit, target, value)
    if (definition === undefined) continue
    if (isAlias) definition.kind = 'type'
    found.push(definition)
  }
}

function pushTargets(tree: SyntaxTree, left: number, targets: number[]): void {
  for (let row = left; row < tree.nexts[left]; ) {
    switch (tree.kind(row)) {
      case 'pattern_list':
      case 'tuple_pattern':
      case 'list_pattern':
      case 'list_splat_pattern':
        row++
        continue
      case 'identifier':
        // Of several values, what nobody wants.
        if (row === left || tree.nodeText(row) !== '_') targets.push(row)
        break
      case 'attribute':
        targets.push(row)
        break
    }
    row = tree.nexts[row]
  }
}

function bound(visit: Visit, target: number, value: number): Definition | undefined {
  const { tree } = visit
  const body = value >= 0 && tree.ends[value] - tree.starts[value] > 80 ? value : -1
  if (tree.kind(target) === 'attribute') {
    const name = tree.field(target, 'attribute')
    const object = tree.nodeText(tree.field(target, 'object'))
    if (name < 0 || !visit.inCode || (object !== 'self' && object !== 'cls')) return undefined
    const owner = visit.enclosingOf('class')
    if (owner < 0 || isSetByProperty(tree, visit.row, tree.nodeText(name))) return undefined
    return { kind: 'field', name, body, owner, once: true }
  }
  if (tree.kind(value) === 'lambda') {
    return { kind: visit.enclosingKind === 'class' ? 'method' : 'function', name: target, body: tree.field(value, 'body') }
  }
  return visit.inCode ? undefined : { kind: kindOfName(visit, target), name: target, body }
}

/** Whether the class that a node is in has a property of the name, which is what an assignment to it calls. */
function isSetByProperty(tree: SyntaxTree, row: number, name: string): boolean {
  let node = tree.parents[row]
  while (node >= 0 && tree.kind(node) !== 'class_definition') node = tree.parents[node]
  const body = node < 0 ? -1 : tree.field(node, 'body')
  for (let member = tree.firstChild(body); member >= 0; member = tree.nextSibling(member)) {
    if (tree.kind(member) !== 'decorated_definition') continue
    const definition = tree.field(member, 'definition')
    if (definition >= 0 && tree.nodeText(tree.field(definition, 'name')) === name && isProperty(tree, member)) return true
  }
  return false
}

function kindOfName(visit: Visit, name: number): SymbolKind {
  const text = visit.tree.nodeText(name)
  const isMember = visit.enclosingKind === 'class'
  if (isMember && visit.field('right') >= 0 && isInEnum(visit)) return 'enum_member'
  if (/\p{Lu}/u.test(text) && !/\p{Ll}/u.test(text)) return 'constant'
  return isMember ? 'field' : 'variable'
}

function isInEnum(visit: Visit): boolean {
  const { tree } = visit
  for (let up = 1; up <= 4; up++) {
    const row = tree.ancestor(visit.row, up)
    if (tree.kind(row) !== 'class_definition') continue
    const bases = tree.field(row, 'superclasses')
    return bases >= 0 && /(Enum|Flag)(?![\p{L}\p{N}_])/u.test(tree.nodeText(bases))
  }
  return false
}

function isInLambda(tree: SyntaxTree, row: number): boolean {
  for (let node = tree.parents[row]; node >= 0; node = tree.parents[node]) if (tree.kind(node) === 'lambda') return true
  return false
}

function refer(visit: Visit, mentions: Mention[]): void {
  const { tree, row } = visit
  switch (visit.kind) {
    case 'class_definition': {
      const list = visit.field('superclasses')
      for (let base = tree.firstChild(list); base >= 0; base = tree.nextSibling(base)) {
        const kind = tree.kind(base)
        if (kind === 'identifier' || kind === 'attribute') mentions.push({ kind: 'inherit', row: named(tree, base) })
        else if (kind === 'subscript') mentions.push({ kind: 'inherit', row: named(tree, tree.field(base, 'value')) })
      }
      return
    }
    case 'class_pattern':
      mentions.push({ kind: 'type', row: tree.lastNamedChild(tree.firstChild(row)) })
      return
    case 'decorator': {
      const inner = tree.firstNamedChild(row)
      if (tree.kind(inner) !== 'call') mentions.push({ kind: 'call', row: named(tree, inner) })
      return
    }
    case 'except_clause':
      for (const caught of tree.childrenIn(row, 'value')) typesIn(tree, caught, mentions)
      return
    case 'raise_statement': {
      const raised = tree.firstNamedChild(row)
      const kind = tree.kind(raised)
      if (kind !== 'identifier' && kind !== 'attribute') return
      const name = named(tree, raised)
      if (name >= 0 && /^\p{Lu}/u.test(tree.nodeText(name))) mentions.push({ kind: 'type', row: name })
      return
    }
    case 'type':
      if (!visit.parentKind.includes('type_parameter') || tree.fieldName(row) === '') {
        for (let child = tree.firstChild(row); child >= 0; child = tree.nextSibling(child)) typesIn(tree, child, mentions)
      }
      return
    case 'import_statement':
      for (const imported of tree.childrenIn(row, 'name')) {
        const path = tree.field(imported, 'name')
        mentions.push({ kind: 'import', row: tree.lastNamedChild(path >= 0 ? path : imported) })
      }
      return
    default: {
      for (const imported of tree.childrenIn(row, 'name')) {
        const path = tree.field(imported, 'name')
        mentions.push({ kind: 'import', row: path >= 0 ? path : imported })
      }
      mentions.push({ kind: 'import', row: tree.child(row, 'wildcard_import') })
    }
  }
}

/** The types that an expression in the place of a type names; a `type` node inside speaks for itself. */
function typesIn(tree: SyntaxTree, expression: number, mentions: Mention[]): void {
  for (let row = expression; row < tree.nexts[expression]; ) {
    switch (tree.kind(row)) {
      case 'identifier':
        mentions.push({ kind: 'type', row })
        break
      case 'attribute':
        mentions.push({ kind: 'type', row: named(tree, row) })
        row = tree.nexts[row]
        continue
      case 'as_pattern_target':
      case 'call':
      case 'keyword_argument':
      case 'lambda':
      case 'string':
      case 'type':
        row = tree.nexts[row]
        continue
    }
    row++
  }
}
