// Definitions and mentions of a file, found in one pass over the rows of its tree.

import { Grammar, type SyntaxTree } from './syntax/tree.js'

export const SYMBOL_KINDS = [
  'module', 'namespace', 'class', 'struct', 'union', 'enum', 'interface', 'trait', 'impl', 'type', 'function', 'method',
  'constructor', 'field', 'property', 'constant', 'static', 'variable', 'enum_member', 'macro',
] as const
export type SymbolKind = (typeof SYMBOL_KINDS)[number]

export const REFERENCE_KINDS = ['call', 'type', 'import', 'inherit'] as const
export type ReferenceKind = (typeof REFERENCE_KINDS)[number]

/** Places are UTF-16 units of the text, as JavaScript counts them; lines are from 1. */
export interface CodeSymbol {
  name: string
  kind: SymbolKind
  /** The index of the definition it is inside of, or -1. */
  parent: number
  start: number
  end: number
  /** Where its comments and decorators begin. */
  extentStart: number
  nameStart: number
  firstLine: number
  lastLine: number
  signature: string
}

export interface Reference {
  kind: ReferenceKind
  name: string
  start: number
  end: number
  line: number
  /** The index of the definition it is inside of, or -1. */
  symbol: number
}

/** What a node defines. Rows; -1 for none. */
export interface Definition {
  kind: SymbolKind
  name: number
  /** The name, if it is not the text of the row `name`. */
  nameText?: string
  /** Where the signature ends. */
  body?: number
  /** The definition, if it is not the visited node. */
  node?: number
  /** Where it begins, after annotations that are inside of the node. */
  start?: number
  /** The definition it belongs to, if not the one it is inside of. */
  owner?: number
  /** Only if what it belongs to has none of its name yet. */
  once?: boolean
}

/** What a node mentions: a name, and where it stands. */
export interface Mention {
  kind: ReferenceKind
  row: number
  name?: string
}

/** What a language says of its nodes; words and signs are in quotes. */
export interface Rules {
  definitions: readonly string[]
  define(visit: Visit, found: Definition[]): void
  /** Nodes that stand for the definition inside of them and widen its place. */
  wrappers?: readonly string[]
  /** Those that only widen what comes with it. */
  outerWrappers?: readonly string[]
  attributes?: readonly string[]
  comments: readonly string[]
  /** Not looked into. */
  opaque?: readonly string[]
  members?: readonly string[]
  /** Calls, with the field of what is called; '' is the first child. */
  calls?: Readonly<Record<string, string>>
  typeNames?: readonly string[]
  typePaths?: readonly string[]
  heritage?: readonly string[]
  references?: readonly string[]
  refer?(visit: Visit, mentions: Mention[]): void
  /** Words and signs that the rules ask for. */
  words?: readonly string[]
}

interface Scope {
  end: number
  row: number
  symbol: number
  inCode: boolean
}

const DEFINITION = 1
const WRAPPER = 2
const OUTER_WRAPPER = 4
const ATTRIBUTE = 8
const COMMENT = 16
const MEMBERS = 32
const CALL = 64
const TYPE_NAME = 128
const HERITAGE = 256
const REFER = 512
const MENTION = CALL | TYPE_NAME | HERITAGE | REFER

const MAX_SIGNATURE = 400
const MAX_NAME = 1024
const NAME_FIELDS = ['property', 'attribute', 'name', 'field', 'selector', 'suffix', 'function', 'type']

/** The rules of a language, ready for use. */
export class Language {
  readonly grammar: Grammar
  readonly typePaths: ReadonlySet<string>
  readonly definitions: ReadonlySet<string>

  constructor(readonly rules: Rules) {
    const bits = new Map<string, number>()
    const add = (names: readonly string[] | undefined, bit: number): void => {
      for (const name of names ?? []) bits.set(name, (bits.get(name) ?? 0) | bit)
    }
    add(rules.definitions, DEFINITION)
    add(rules.wrappers, WRAPPER)
    add(rules.outerWrappers, OUTER_WRAPPER)
    add(rules.attributes, ATTRIBUTE)
    add(rules.comments, COMMENT)
    add(rules.members, MEMBERS)
    add(Object.keys(rules.calls ?? {}), CALL)
    add(rules.typeNames, TYPE_NAME)
    add(rules.heritage, HERITAGE)
    add(rules.references, REFER)
    this.grammar = new Grammar([...(rules.opaque ?? []), ...rules.comments], rules.words ?? [], (kind) => bits.get(kind) ?? 0)
    this.typePaths = new Set(rules.typePaths)
    this.definitions = new Set(rules.definitions)
  }
}

/** What a language sees of the node that the pass has come to. */
export class Visit {
  row = 0

  constructor(
    readonly tree: SyntaxTree,
    readonly stem: string,
    readonly symbols: readonly CodeSymbol[],
    private readonly scopes: readonly Scope[],
    private readonly roles: Uint16Array,
  ) {}

  get kind(): string {
    return this.tree.kind(this.row)
  }

  get parentKind(): string {
    return this.tree.kind(this.tree.parents[this.row])
  }

  field(name: string): number {
    return this.tree.field(this.row, name)
  }

  get enclosing(): CodeSymbol | undefined {
    return this.symbols[this.scopes.at(-1)?.symbol ?? -1]
  }

  get enclosingKind(): SymbolKind | undefined {
    return this.enclosing?.kind
  }

  /** The index of the innermost definition of this kind round the node, or -1. */
  enclosingOf(kind: SymbolKind): number {
    let index = this.scopes.at(-1)?.symbol ?? -1
    while (index >= 0 && this.symbols[index].kind !== kind) index = this.symbols[index].parent
    return index
  }

  /** Whether the node is inside of a function's body or of a value. */
  get inCode(): boolean {
    return this.scopes.at(-1)?.inCode ?? false
  }

  isInScopeOf(row: number): boolean {
    return this.scopes.at(-1)?.row === row
  }

  isWrappedIn(kind: string): boolean {
    const { tree } = this
    for (let row = tree.parents[this.row]; row >= 0; row = tree.parents[row]) {
      if ((this.roles[tree.kinds[row]] & (WRAPPER | OUTER_WRAPPER)) === 0) return false
      if (tree.kind(row) === kind) return true
    }
    return false
  }
}

/** The name that an expression or a type ends in: `push` of `self.items.push`; -1 if it names nothing. */
export function named(tree: SyntaxTree, expression: number): number {
  let row = expression
  for (let depth = 0; depth < 32 && row >= 0; depth++) {
    const first = tree.firstChild(row)
    if (first < 0) return isName(tree.nodeText(row)) ? row : -1
    let best = -1
    let rank = NAME_FIELDS.length
    let only = -1
    for (let child = first; child >= 0; child = tree.nextSibling(child)) {
      if (!tree.isNamed(child)) continue
      only = only === -1 ? child : -2
      const at = NAME_FIELDS.indexOf(tree.fieldName(child))
      if (at >= 0 && at < rank) [best, rank] = [child, at]
    }
    row = best >= 0 ? best : only
  }
  return -1
}

/** Whether a text could be the name of something: not a literal, and not an operator. */
export function isName(text: string): boolean {
  return text.length <= 200 && /^[@$#~]*[\p{L}_][^\s"'({]*$/u.test(text)
}

export interface Outline {
  symbols: CodeSymbol[]
  references: Reference[]
  lines: number
}

/** How many lines a text has, of which it is known where each begins. */
export function lineCount(text: string, starts: Uint32Array): number {
  return starts.length - (text.length === 0 || text.endsWith('\n') ? 1 : 0)
}

/** The lines of a text: where each begins. */
export function linesOf(text: string): Uint32Array {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return Uint32Array.from(starts)
}

/** The line of a place, from 1. */
export function lineOf(starts: Uint32Array, at: number): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (starts[middle] <= at) low = middle + 1
    else high = middle
  }
  return low
}

/** Reads definitions and mentions out of a tree. `stem` is the file's name without extension. */
export function outline(tree: SyntaxTree, language: Language, stem: string): Outline {
  return new Pass(tree, language, stem).run()
}

class Pass {
  private readonly symbols: CodeSymbol[] = []
  private readonly references: Reference[] = []
  private readonly scopes: Scope[] = []
  private readonly lines: Uint32Array
  /** Rows of comments and attributes. */
  private readonly collected: number[] = []
  /** Where types are inherited: rows, from and to. */
  private readonly heritage: [number, number][] = []
  private readonly names = new Set<string>()
  private gathered = 0
  private wrapped = -1

  constructor(
    private readonly tree: SyntaxTree,
    private readonly language: Language,
    private readonly stem: string,
  ) {
    this.lines = linesOf(tree.text)
  }

  run(): Outline {
    const { tree, scopes } = this
    const { rules, grammar: { roles } } = this.language
    const visit = new Visit(tree, this.stem, this.symbols, scopes, roles)
    const found: Definition[] = []
    const mentions: Mention[] = []
    let scopeEnd = Infinity
    for (let row = 0; row < tree.length; ) {
      const role = roles[tree.kinds[row]]
      if (role === 0) {
        row++
        continue
      }
      while (scopeEnd <= row) {
        scopes.pop()
        scopeEnd = scopes.at(-1)?.end ?? Infinity
      }
      const node = row++
      if (role & (COMMENT | ATTRIBUTE)) {
        const last = this.collected.at(-1)
        if (last === undefined || tree.nexts[last] <= node) this.collected.push(node)
        if (!(role & ATTRIBUTE)) {
          row = tree.nexts[node]
          continue
        }
      }
      visit.row = node
      let defined = -1
      if (role & DEFINITION) {
        rules.define(visit, found)
        if (found.length > 0) defined = this.pushAll(found, node)
      }
      if (tree.nexts[node] > node + 1 && (defined >= 0 || role & MEMBERS)) {
        const outer = scopes.at(-1)
        const kind = this.symbols[defined]?.kind
        scopes.push({
          end: tree.nexts[node],
          row: node,
          symbol: defined >= 0 ? defined : (outer?.symbol ?? -1),
          inCode: kind !== undefined && !(role & MEMBERS) && (isFunction(kind) || isValue(kind)),
        })
        scopeEnd = tree.nexts[node]
      }
      if (role & MENTION) this.mention(visit, role, mentions)
    }
    this.references.sort((a, b) => a.start - b.start || a.end - b.end)
    this.sortSymbols()
    return { symbols: this.symbols, references: this.references, lines: lineCount(tree.text, this.lines) }
  }

  /** Puts symbols in order of their beginning, outer before inner. */
  private sortSymbols(): void {
    const { symbols } = this
    let sorted = true
    for (let at = 1; at < symbols.length && sorted; at++) sorted = symbols[at - 1].extentStart <= symbols[at].extentStart
    if (sorted) return
    const order = symbols.map((_, index) => index)
    order.sort((a, b) => symbols[a].extentStart - symbols[b].extentStart || symbols[b].end - symbols[a].end || a - b)
    const movedTo = new Int32Array(order.length)
    order.forEach((from, to) => (movedTo[from] = to))
    const moved = order.map((from) => symbols[from])
    moved.forEach((symbol, to) => {
      const parent = symbol.parent < 0 ? -1 : movedTo[symbol.parent]
      symbol.parent = parent < to ? parent : -1
      symbols[to] = symbol
    })
    for (const reference of this.references) if (reference.symbol >= 0) reference.symbol = movedTo[reference.symbol]
  }

  /** Turns what was found at a node into symbols; the index of the first, or -1. */
  private pushAll(found: Definition[], node: number): number {
    let first = -1
    for (const definition of found) {
      const symbol = this.symbolOf(definition, node)
      if (symbol === undefined) continue
      const owner = definition.owner ?? -1
      if (owner >= 0) symbol.parent = owner
      if (definition.once && this.isKnown(symbol)) continue
      if (first < 0 && (owner < 0 || isFunction(symbol.kind))) first = this.symbols.length
      this.symbols.push(symbol)
    }
    found.length = 0
    return first
  }

  private isKnown(symbol: CodeSymbol): boolean {
    for (; this.gathered < this.symbols.length; this.gathered++) {
      const known = this.symbols[this.gathered]
      this.names.add(`${known.parent} ${known.name}`)
    }
    return this.names.has(`${symbol.parent} ${symbol.name}`)
  }

  private symbolOf(definition: Definition, visited: number): CodeSymbol | undefined {
    const { tree } = this
    const name = folded(definition.nameText ?? tree.nodeText(definition.name)).slice(0, MAX_NAME)
    if (name === '') return undefined
    const node = definition.node ?? visited
    let end = this.endOf(node)
    let first = node
    let extentStart = this.leadOf(node)
    if (definition.node === undefined) {
      let outer = node
      for (let wrapper = tree.parents[outer]; wrapper >= 0 && this.standsForChild(wrapper); wrapper = tree.parents[outer]) {
        extentStart = Math.min(extentStart, this.leadOf(wrapper))
        if (this.language.grammar.roles[tree.kinds[wrapper]] & WRAPPER) {
          first = wrapper
          const wrapperEnd = this.endOf(wrapper)
          if (/^[;\s]*$/.test(tree.text.slice(end, wrapperEnd))) end = wrapperEnd
        }
        outer = wrapper
      }
      if (outer !== node) this.wrapped = tree.parents[node]
    }
    const startRow = definition.start ?? this.afterAttributes(first)
    const start = tree.starts[startRow]
    end = Math.max(end, start)
    const body = definition.body ?? -1
    return {
      name,
      kind: definition.kind,
      parent: this.scopes.at(-1)?.symbol ?? -1,
      start,
      end,
      extentStart: Math.min(extentStart, start),
      nameStart: tree.starts[definition.name],
      firstLine: lineOf(this.lines, start),
      lastLine: lineOf(this.lines, Math.max(end - 1, start)),
      signature: this.signature(start, Math.max(body >= 0 ? tree.starts[body] : end, start)),
    }
  }

  private signature(start: number, end: number): string {
    const text = folded(this.tree.text.slice(start, Math.min(end, start + 4 * MAX_SIGNATURE))).replace(/[{:;,=\\\s]+$/, '')
    return text.length <= MAX_SIGNATURE ? text : `${text.slice(0, MAX_SIGNATURE)}…`
  }

  private standsForChild(row: number): boolean {
    return (
      (this.language.grammar.roles[this.tree.kinds[row]] & (WRAPPER | OUTER_WRAPPER)) !== 0 &&
      this.scopes.at(-1)?.row !== row &&
      this.wrapped < row
    )
  }

  /** Where the comments and attributes begin that lead up to a node. */
  private leadOf(node: number): number {
    const { tree, collected } = this
    const { roles } = this.language.grammar
    let begin = tree.starts[node]
    const ledBy: number[] = []
    for (let at = collected.length - 1; at >= 0; at--) {
      const before = collected[at]
      if (before >= node) continue
      if (tree.parents[before] !== tree.parents[node] || !isBlankLine(tree.text, this.endOf(before), begin)) break
      begin = tree.starts[before]
      ledBy.push(before)
    }
    // A comment that follows something on its line belongs to that.
    for (let last = ledBy.at(-1); last !== undefined; last = ledBy.at(-1)) {
      if (!(roles[tree.kinds[last]] & COMMENT) || !followsText(tree.text, tree.starts[last])) break
      ledBy.pop()
    }
    const last = ledBy.at(-1)
    return last === undefined ? tree.starts[node] : tree.starts[last]
  }

  /** What follows the decorators that a node begins with. */
  private afterAttributes(node: number): number {
    const { tree } = this
    const { roles } = this.language.grammar
    let child = tree.firstChild(node)
    if (child < 0 || !(roles[tree.kinds[child]] & ATTRIBUTE)) return node
    while (child >= 0 && roles[tree.kinds[child]] & (ATTRIBUTE | COMMENT)) child = tree.nextSibling(child)
    return child < 0 ? node : child
  }

  /** The end of a node without trailing white space. */
  private endOf(node: number): number {
    const { text } = this.tree
    const start = this.tree.starts[node]
    let end = this.tree.ends[node]
    while (end > start && text.charCodeAt(end - 1) <= 32) end--
    return end
  }

  private mention(visit: Visit, role: number, mentions: Mention[]): void {
    const { tree, heritage } = this
    const { rules } = this.language
    const node = visit.row
    for (let last = heritage.at(-1); last !== undefined && last[1] <= node; last = heritage.at(-1)) heritage.pop()
    if (role & HERITAGE) heritage.push([node, tree.nexts[node]])
    if (role & TYPE_NAME) {
      if (!this.isNameOfDefinition(node)) {
        mentions.push({ kind: heritage.length > 0 && !this.isArgument(node) ? 'inherit' : 'type', row: node })
      }
    } else if (role & CALL) {
      const field = rules.calls?.[tree.kind(node)] ?? ''
      const callee = field === '' ? tree.firstNamedChild(node) : tree.field(node, field)
      // The call of a call's result names nothing.
      const isCall = callee >= 0 && (this.language.grammar.roles[tree.kinds[callee]] & CALL) !== 0
      if (callee >= 0 && !isCall) mentions.push({ kind: 'call', row: named(tree, callee) })
    }
    if (role & REFER) rules.refer?.(visit, mentions)
    const symbol = this.scopes.at(-1)?.symbol ?? -1
    for (const { kind, row, name } of mentions) {
      if (row < 0) continue
      const text = (name ?? tree.nodeText(row)).slice(0, MAX_NAME)
      if (text === '') continue
      const start = tree.starts[row]
      this.references.push({ kind, name: text, start, end: tree.ends[row], line: lineOf(this.lines, start), symbol })
    }
    mentions.length = 0
  }

  private isArgument(node: number): boolean {
    const { tree } = this
    const begin = this.heritage.at(-1)?.[0] ?? -1
    for (let row = tree.parents[node]; row > begin; row = tree.parents[row]) {
      const kind = tree.kind(row)
      if (kind.endsWith('arguments') || kind.endsWith('argument_list')) return true
    }
    return false
  }

  /** Whether a type's name stands where a definition or a type parameter gets its name. */
  private isNameOfDefinition(name: number): boolean {
    const { tree, language } = this
    let node = name
    for (let path = tree.parents[node]; path >= 0 && language.typePaths.has(tree.kind(path)); path = tree.parents[node]) {
      if (tree.ends[path] !== tree.ends[node] && tree.fieldName(node) !== 'name') break
      node = path
    }
    const parent = tree.parents[node]
    if (parent < 0) return false
    const kind = tree.kind(parent)
    if (kind.includes('type_parameter')) return tree.firstNamedChild(parent) === node
    if (kind.endsWith('declarator')) return true
    if (!language.definitions.has(kind)) return false
    const field = tree.fieldName(node)
    return field === 'name' || field === 'declarator'
  }
}

function isFunction(kind: SymbolKind): boolean {
  return kind === 'function' || kind === 'method' || kind === 'constructor'
}

function isValue(kind: SymbolKind): boolean {
  return kind === 'constant' || kind === 'static' || kind === 'variable' || kind === 'field' || kind === 'property'
}

/** The text on one line, white space folded. */
function folded(text: string): string {
  return /\s/.test(text) ? text.trim().replace(/\s+/g, ' ') : text
}

/** Whether there is nothing but white space between two places, and at most one line break. */
function isBlankLine(text: string, from: number, to: number): boolean {
  let breaks = 0
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 32) return false
    if (unit === 10) breaks++
  }
  return breaks <= 1
}

/** Whether something other than white space stands before a place on its line. */
function followsText(text: string, at: number): boolean {
  for (let before = at - 1; before >= 0; before--) {
    const unit = text.charCodeAt(before)
    if (unit === 10) return false
    if (unit > 32) return true
  }
  return false
}
