// Syntax trees as columns of numbers.
//
// Asking a tree-sitter binding for one thing about one node crosses from JavaScript to WebAssembly or C++ each time. So a
// tree is read once, in one walk, into typed arrays; everything after that is JavaScript over numbers.

const UNKNOWN = 0
const DROPPED = 1
const LEAF = 2
const INNER = 3

/** What the node kinds and fields of a grammar are, as far as they were met. */
export class Grammar {
  /** The names of node kinds, by their id; those of words and signs are in quotes. */
  readonly kinds: string[] = []
  /** The names of fields, by their id. */
  readonly fields: string[] = ['']
  /** By kind, whether it is one of the grammar's rules, not a word or sign. */
  readonly named = new Uint8Array(1 << 16)
  /** By kind, what it is to the rules of the language: bits. */
  readonly roles = new Uint16Array(1 << 16)
  /** By kind, whether it is kept, and with what is inside of it. */
  readonly kept = new Uint8Array(1 << 16)
  private readonly leaves: ReadonlySet<string>
  private readonly words: ReadonlySet<string>

  constructor(
    leaves: readonly string[],
    words: readonly string[],
    private readonly roleOf: (kind: string) => number,
  ) {
    this.leaves = new Set(leaves)
    this.words = new Set(words)
  }

  /** Notes a kind when it is first met; how it is kept. */
  learn(id: number, type: string, isNamed: boolean): number {
    const name = isNamed ? type : `"${type}"`
    this.kinds[id] = name
    this.named[id] = isNamed ? 1 : 0
    this.roles[id] = this.roleOf(name)
    if (isNamed) this.kept[id] = this.leaves.has(type) ? LEAF : INNER
    else this.kept[id] = this.words.has(type) ? LEAF : DROPPED
    return this.kept[id]
  }
}

/** What both bindings of tree-sitter have in their cursors. */
export interface Cursor {
  readonly nodeTypeId: number
  readonly nodeType: string
  readonly nodeIsNamed: boolean
  readonly startIndex: number
  readonly endIndex: number
  readonly currentFieldId: number
  readonly currentFieldName: string | null
  gotoFirstChild(): boolean
  gotoNextSibling(): boolean
  gotoParent(): boolean
}

/** What both bindings have in their nodes. */
export interface NodeObject {
  readonly typeId: number
  readonly type: string
  readonly isNamed: boolean
  readonly startIndex: number
  readonly endIndex: number
  readonly children: readonly (NodeObject | null)[]
  childForFieldName(name: string): NodeObject | null
  childrenForFieldName(name: string): readonly (NodeObject | null)[]
  fieldNameForChild(index: number): string | null
}

/** A tree in rows, in order of the walk; -1 is no row. Its arrays are used again for the next tree. */
export class SyntaxTree {
  text = ''
  length = 0
  grammar = new Grammar([], [], () => 0)
  kinds = new Uint16Array(1 << 12)
  starts = new Uint32Array(1 << 12)
  ends = new Uint32Array(1 << 12)
  /** The row after the subtree. */
  nexts = new Uint32Array(1 << 12)
  parents = new Int32Array(1 << 12)
  protected fieldIds = new Uint8Array(1 << 12)

  protected begin(grammar: Grammar, text: string): void {
    this.grammar = grammar
    this.text = text
    this.length = 0
  }

  protected push(kind: number, field: number, start: number, end: number, parent: number): number {
    const row = this.length++
    if (row === this.kinds.length) this.grow()
    this.kinds[row] = kind
    this.fieldIds[row] = field
    this.starts[row] = start
    this.ends[row] = end
    this.nexts[row] = row + 1
    this.parents[row] = parent
    return row
  }

  private grow(): void {
    const twice = <T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(array: T): T => {
      const larger = new (array.constructor as new (length: number) => T)(array.length * 2)
      larger.set(array)
      return larger
    }
    this.kinds = twice(this.kinds)
    this.fieldIds = twice(this.fieldIds)
    this.starts = twice(this.starts)
    this.ends = twice(this.ends)
    this.nexts = twice(this.nexts)
    this.parents = twice(this.parents)
  }

  /** Reads a whole tree through a cursor at its root. */
  readCursor(grammar: Grammar, text: string, cursor: Cursor): void {
    this.begin(grammar, text)
    const { kept, fields } = grammar
    let parent = -1
    for (;;) {
      const kind = cursor.nodeTypeId
      let keep = kept[kind]
      if (keep === UNKNOWN) keep = grammar.learn(kind, cursor.nodeType, cursor.nodeIsNamed)
      if (keep >= LEAF) {
        const field = cursor.currentFieldId
        if (fields[field] === undefined) fields[field] = cursor.currentFieldName ?? ''
        const row = this.push(kind, field, cursor.startIndex, cursor.endIndex, parent)
        if (keep === INNER && cursor.gotoFirstChild()) {
          parent = row
          continue
        }
      }
      while (!cursor.gotoNextSibling()) {
        if (!cursor.gotoParent()) {
          if (this.length > 0) this.nexts[0] = this.length
          return
        }
        this.nexts[parent] = this.length
        parent = this.parents[parent]
      }
    }
  }

  kind(row: number): string {
    return row < 0 ? '' : (this.grammar.kinds[this.kinds[row]])
  }

  nodeText(row: number): string {
    return row < 0 ? '' : this.text.slice(this.starts[row], this.ends[row])
  }

  firstChild(row: number): number {
    return row >= 0 && row + 1 < this.nexts[row] ? row + 1 : -1
  }

  nextSibling(row: number): number {
    const next = this.nexts[row]
    const parent = this.parents[row]
    return parent >= 0 && next < this.nexts[parent] ? next : -1
  }

  isNamed(row: number): boolean {
    return this.grammar.named[this.kinds[row]] !== 0
  }

  firstNamedChild(row: number): number {
    for (let child = this.firstChild(row); child >= 0; child = this.nextSibling(child)) {
      if (this.isNamed(child)) return child
    }
    return -1
  }

  lastNamedChild(row: number): number {
    let last = -1
    for (let child = this.firstChild(row); child >= 0; child = this.nextSibling(child)) {
      if (this.isNamed(child)) last = child
    }
    return last
  }

  /** The first child of this kind; words of the language are in quotes. */
  child(row: number, kind: string): number {
    for (let child = this.firstChild(row); child >= 0; child = this.nextSibling(child)) {
      if (this.kind(child) === kind) return child
    }
    return -1
  }

  /** The first child in this field. */
  field(row: number, name: string): number {
    const { fields } = this.grammar
    for (let child = this.firstChild(row); child >= 0; child = this.nextSibling(child)) {
      const field = this.fieldIds[child]
      if (field !== 0 && fields[field] === name) return child
    }
    return -1
  }

  /** All children in this field. */
  childrenIn(row: number, name: string): number[] {
    const found: number[] = []
    for (let child = this.firstChild(row); child >= 0; child = this.nextSibling(child)) {
      if (this.fieldName(child) === name) found.push(child)
    }
    return found
  }

  /** The field that a node is in. */
  fieldName(row: number): string {
    return this.grammar.fields[this.fieldIds[row]] ?? ''
  }

  ancestor(row: number, up: number): number {
    let node = row
    for (let level = 0; level < up && node >= 0; level++) node = this.parents[node]
    return node
  }
}

/** The same, read by node objects as most programs do, which ask for fields where they need them. */
export class NodeTree extends SyntaxTree {
  private objects: NodeObject[] = []
  /** Of each node its place among its siblings. */
  private places: number[] = []

  readNodes(grammar: Grammar, text: string, root: NodeObject): void {
    this.begin(grammar, text)
    this.objects = []
    this.places = []
    const { kept } = grammar
    const open: { row: number; children: readonly (NodeObject | null)[]; at: number }[] = []
    const enter = (node: NodeObject, parent: number, place: number): void => {
      const kind = node.typeId
      const keep = kept[kind] === UNKNOWN ? grammar.learn(kind, node.type, node.isNamed) : kept[kind]
      if (keep < LEAF) return
      const row = this.push(kind, 0, node.startIndex, node.endIndex, parent)
      this.objects.push(node)
      this.places.push(place)
      if (keep === INNER) open.push({ row, children: node.children, at: 0 })
    }
    enter(root, -1, 0)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (top.at < top.children.length) {
        const place = top.at++
        const child = top.children[place]
        if (child !== null) enter(child, top.row, place)
      } else {
        this.nexts[top.row] = this.length
        open.pop()
      }
    }
  }

  private rowOf(parent: number, node: NodeObject | null): number {
    if (node === null) return -1
    const { startIndex, endIndex, typeId } = node
    for (let child = this.firstChild(parent); child >= 0; child = this.nextSibling(child)) {
      if (this.starts[child] === startIndex && this.ends[child] === endIndex && this.kinds[child] === typeId) return child
    }
    return -1
  }

  override field(row: number, name: string): number {
    return row < 0 ? -1 : this.rowOf(row, this.objects[row].childForFieldName(name))
  }

  override childrenIn(row: number, name: string): number[] {
    return this.objects[row].childrenForFieldName(name).map((node) => this.rowOf(row, node)).filter((child) => child >= 0)
  }

  override fieldName(row: number): string {
    const parent = this.parents[row]
    return parent < 0 ? '' : (this.objects[parent].fieldNameForChild(this.places[row]) ?? '')
  }
}
