// What the native library has, as JavaScript sees it. `cargo xtask node build` makes this file of the Rust sources.

/** What the syntax says of each definition. */
export interface AnnotationColumns {
  modifiers: Uint32Array
  typeParameters: Uint32Array
  returnType: Uint32Array
  complexity: Int32Array
  /** Where the parameters of each row begin; one more than there are rows. */
  firstParameter: Uint32Array
  parameterName: Uint32Array
  parameterType: Uint32Array
  parameterDefault: Uint32Array
  parameterOptional: Uint8Array
}

/** How a job goes on. It keeps no process alive; who waits for the next event does. */
export declare class BatchEvents {
  /** The next event; `null` after the last. */
  next(cancellation?: Cancellation | undefined | null): Promise<BatchProgress | undefined | null>
}

/** Where a job stands. */
export interface BatchProgress {
  batchId: number
  state: string
  root: string
  totalFiles: number | null
  processedFiles: number
  failedFiles: number
  totalBytes: number | null
  processedBytes: number
  files: FileCounts
  lines: number
  symbols: number
  chunks: number
  failures: Array<FileFailure>
  error: string | null
  filesPerSecond: number | null
  bytesPerSecond: number | null
  remainingMs: number | null
  activeMs: number
  createdMs: number
  startedMs: number | null
  finishedMs: number | null
  generation: number
}

export interface BatchRequest {
  root: string
  /** All of the tree without. */
  files?: Array<string>
  run: IndexOptions
}

/** Gives up the calls that it is given to. An engine makes them. */
export declare class Cancellation {
  /** Gives the calls up. */
  cancel(): void
}

/** Pieces, a row each. */
export interface ChunkColumns {
  length: number
  symbol: Int32Array
  lines: Uint32Array
  bytes: Uint32Array
  range: Uint32Array
}

export interface Collection {
  name: string
  dimension: number
  vectors: number
}

export interface Configuration {
  database: string
  root: string | null
  readOnly: boolean
  parallelWorkers: number
  memoryBudgetBytes: number
  maxFileBytes: number
  fileTimeLimitMs: number
  embedder: string
  dimension: number
}

export interface Distribution {
  minMs: number
  meanMs: number
  p50Ms: number
  p90Ms: number
  p95Ms: number
  p99Ms: number
  p999Ms: number
  maxMs: number
}

/** Vectors of texts. */
export interface Embedded {
  vectors: Float32Array
  dimension: number
}

export interface EmbedderStatus {
  id: string
  dimension: number
}

/** An index, open until `close`. */
export declare class Engine {
  /** Opens an index. */
  static open(options: OpenOptions): Promise<Engine>
  /** What gives up the calls that it is given to. */
  cancellation(): Cancellation
  /** The settings that hold. */
  configuration(): Configuration
  /** What the engine measured. */
  metrics(): EngineMetrics
  /** The same, and what the process uses, in the text format of Prometheus. */
  prometheus(): string
  /** Brings the index up to a tree. */
  index(root: string, options: IndexOptions, cancellation?: Cancellation | undefined | null, onProgress?: ((progress: IndexProgress) => void) | undefined | null): Promise<IndexRun>
  /** What the index holds. */
  status(cancellation?: Cancellation | undefined | null): Promise<StatusReport>
  /** Whether the index can be used. */
  health(): Promise<HealthReport>
  /** Reads the whole index, and says what is wrong with it. */
  verify(cancellation?: Cancellation | undefined | null): Promise<VerifyReport>
  /** Cancels index runs, waits for the calls that are under way, and closes. May be called again. */
  close(): Promise<undefined>
  /** Reads and parses a file, and brings the index up to it. */
  processFile(path: string, options: ProcessOptions, cancellation?: Cancellation | undefined | null): Promise<Processed>
  /** The tree that these files are taken to be of. */
  treeOf(files: Array<string>): Promise<string>
  /** What is in files, and in the files of directories, without the index. */
  outline(paths: Array<string>, language?: string | undefined | null, cancellation?: Cancellation | undefined | null): Promise<Outlined>
  /** Begins a job; its number. */
  submit(request: BatchRequest): Promise<number>
  /** Where a job stands. */
  job(id: number): Promise<BatchProgress>
  /** All jobs that are known, the newest first. */
  jobs(): Promise<Array<BatchProgress>>
  /** Holds a job up. */
  pauseJob(id: number): Promise<undefined>
  /** Goes on with a job. */
  resumeJob(id: number): Promise<undefined>
  /** Ends a job. */
  cancelJob(id: number): Promise<undefined>
  /** How a job goes on. */
  jobEvents(id: number): Promise<BatchEvents>
  /** Searches by words and by vectors. */
  search(text: string, options: SearchOptions, cancellation?: Cancellation | undefined | null): Promise<ReplyRecord>
  /** Searches by a vector. */
  searchVector(vector: Float32Array, options: SearchOptions, cancellation?: Cancellation | undefined | null): Promise<ReplyRecord>
  /** What is like the code round a line of a file. */
  similarTo(path: string, line: number, options: SearchOptions, cancellation?: Cancellation | undefined | null): Promise<ReplyRecord>
  /** What is like a piece of code. */
  similarToCode(text: string, language: string | undefined | null, options: SearchOptions, cancellation?: Cancellation | undefined | null): Promise<ReplyRecord>
  /** Who mentions a name. */
  references(name: string, options: ReferenceOptions, cancellation?: Cancellation | undefined | null): Promise<ReplyRecord>
  /** What the definitions of a name call. */
  callees(name: string, options: ReferenceOptions, cancellation?: Cancellation | undefined | null): Promise<ReplyRecord>
  /** The definitions of the index. */
  symbols(options: SymbolOptions, cancellation?: Cancellation | undefined | null): Promise<SymbolReply>
  /** The vectors of texts, as queries or as code. */
  embed(texts: Array<string>, asCode: boolean, cancellation?: Cancellation | undefined | null): Promise<Embedded>
  /** Keeps vectors, which lie behind each other, by their names. */
  putVectors(collection: string, names: Array<string>, values: Float32Array, metadata: Array<string | undefined | null>): Promise<undefined>
  /** Removes vectors; how many there were. */
  deleteVectors(collection: string, names: Array<string>): Promise<number>
  /** Removes a collection; whether there was one. */
  deleteCollection(collection: string): Promise<boolean>
  /** All collections. */
  collections(): Promise<Array<Collection>>
  /** A vector by its name. */
  userVector(collection: string, name: string): Promise<KeptVector | undefined | null>
  /** The nearest vectors of a collection. */
  searchCollection(collection: string, vector: Float32Array, limit: number, threshold: number, cancellation?: Cancellation | undefined | null): Promise<Array<VectorHit>>
  /** Notes something of a file; its path in the tree. */
  putFileMetadata(path: string, metadata: string): Promise<string>
  /** What was noted of a file. */
  fileMetadata(path: string): Promise<NotedFile | undefined | null>
  /** Forgets what was noted of a file; whether there was something. */
  deleteFileMetadata(path: string): Promise<boolean>
  /** What was noted of files. */
  listFileMetadata(prefix: string, after: string | undefined | null, limit: number): Promise<Array<NotedFile>>
  /** Brings the index up to a tree, and goes on doing so as the tree changes. */
  watch(root: string, options: WatchOptions): Promise<Watch>
}

export interface EngineMetrics {
  enabled: boolean
  index: IndexMetrics
  search: SearchMetrics
  stages: Array<StageMetrics>
}

export interface Figures {
  process: ProcessFigures
  system: SystemFigures
}

/** A file and what is in it. */
export interface FileColumns {
  path: string
  language: string
  encoding: string
  lines: number
  generated: boolean
  /** What of it was not understood; `null` if all was. */
  coverage: string | null
  hasSymbols: boolean
  syntaxErrors: number
  firstErrorLine: number | null
  /** The first of the places, in bytes and in UTF-16; a pair each. */
  errorBytes: Array<number>
  errorRange: Array<number>
  symbols: SymbolColumns
  annotations: AnnotationColumns
  references: ReferenceColumns
  chunks: ChunkColumns
  text: string
}

export interface FileCounts {
  seen: number
  indexed: number
  unchanged: number
  removed: number
  ignored: number
  tooLarge: number
  binary: number
  unsupported: number
  timedOut: number
  failed: number
}

export interface FileFailure {
  path: string
  reason: string
}

export interface Finding {
  part: string
  path: string | null
  found: string
  expected: string
}

export interface HealthReport {
  ok: boolean
  generation: number
  complete: boolean
  root: string | null
  rootExists: boolean
  writable: boolean
  otherEmbedder: string | null
  searchableFiles: number
  tookMs: number
}

export interface IndexMetrics {
  runs: Times
  failed: number
  active: number
  files: number
  bytes: number
  lines: number
  symbols: number
  chunks: number
  filesPerSecond: number | null
  bytesPerSecond: number | null
}

export interface IndexOptions {
  rebuild?: boolean
  parallelWorkers?: number
  batchSize?: number
}

export interface IndexProgress {
  filesDone: number
  filesTotal: number | null
  filesFailed: number
  bytesDone: number
  bytesTotal: number | null
  elapsedMs: number
}

export interface IndexReport {
  files: FileCounts
  bytes: number
  lines: number
  symbols: number
  chunks: number
  elapsedMs: number
  peakRssBytes: number | null
  generation: number
  failures: Array<FileFailure>
}

/** How an index run ended. The last progress comes with the report because callbacks on their way may be overtaken. */
export interface IndexRun {
  report: IndexReport
  progress: IndexProgress
}

/** A user's vector. */
export interface KeptVector {
  vector: Float32Array
  metadata: string | null
}

export interface LanguageInfo {
  name: string
  extensions: Array<string>
}

/** Definitions of many files. */
export interface ListedColumns {
  /** The paths of the files, and their languages. */
  paths: Array<string>
  languages: Array<string>
  /** Of each row its file. */
  file: Uint32Array
  symbols: SymbolColumns
  text: string
  /**
   * The text of documentation, apart, as it has other characters than ASCII more often: a text that has none takes half
   * as much.
   */
  docs: string
}

export interface NotedFile {
  path: string
  metadata: string
  updatedMs: number
}

export interface OpenOptions {
  /** Exactly one of `database` and `tree` is set. */
  database?: string
  /** A tree whose index is in it. */
  tree?: string
  /** What tree the index is of. */
  root?: string
  readOnly?: boolean
  parallelWorkers?: number
  maxMemoryBytes?: number
  maxFileBytes?: number
  fileTimeLimitMs?: number
}

/** Files and what is in them. */
export interface Outlined {
  files: Array<FileColumns>
  failures: Array<FileFailure>
}

export interface ProcessFigures {
  rssBytes: number | null
  peakRssBytes: number | null
  cpuMs: number | null
  threads: number | null
  openFiles: number | null
}

export interface ProcessOptions {
  language?: string
  enableCaching: boolean
  index: boolean
  run: IndexOptions
}

/** A file that was processed. */
export interface Processed {
  file: FileColumns
  bytes: number
  hash: string
  fromCache: boolean
  /** `indexed`, `unchanged` or `skipped`. */
  indexState: string
  indexPath: string | null
  indexGeneration: number | null
  indexReason: string | null
  readMs: number
  parseMs: number
  indexMs: number
  totalMs: number
}

/** Mentions, a row each. */
export interface ReferenceColumns {
  length: number
  kind: Uint8Array
  name: Uint32Array
  qualifier: Uint32Array
  alias: Uint32Array
  symbol: Int32Array
  line: Uint32Array
  bytes: Uint32Array
  range: Uint32Array
}

export interface ReferenceOptions {
  limit?: number
  languages?: Array<string>
  paths?: Array<string>
  kinds?: Array<string>
}

/** A reply, part by part. */
export interface ReplyRecord {
  /** The parts that are numbers, and the lengths of those that are not. */
  numbers: Float64Array
  /** The parts that are texts. */
  text: string
}

export interface SearchMetrics {
  searches: Times
  failed: number
  active: number
  hits: number
  searchesPerSecond: number | null
}

export interface SearchOptions {
  limit?: number
  mode?: string
  languages?: Array<string>
  paths?: Array<string>
  kinds?: Array<string>
  threshold?: number
  context?: number
}

export interface StageMetrics {
  stage: string
  work: string
  unit: string
  items: number
  bytes: number
  times: Times
}

export interface StaleFile {
  path: string
  change: string
}

export interface StatusReport {
  root: string | null
  complete: boolean
  files: FileCounts
  bytes: number
  lines: number
  symbols: number
  chunks: number
  generation: number
  embedder: EmbedderStatus | null
  configuredEmbedder: string
  foreignFiles: number
  elapsedMs: number
  peakRssBytes: number | null
  schemaVersion: number
  formatVersion: number
  failures: Array<FileFailure>
  stale: Array<StaleFile> | null
}

/** Definitions, a row each. */
export interface SymbolColumns {
  length: number
  name: Uint32Array
  kind: Uint8Array
  visibility: Uint8Array
  scope: Uint32Array
  signature: Uint32Array
  doc: Uint32Array
  parent: Int32Array
  lines: Uint32Array
  bytes: Uint32Array
  range: Uint32Array
  nameBytes: Uint32Array
}

export interface SymbolOptions {
  name?: string
  matching?: string
  limit?: number
  languages?: Array<string>
  paths?: Array<string>
  kinds?: Array<string>
  after?: string
}

/** A page of definitions. */
export interface SymbolReply {
  columns: ListedColumns
  next: string | null
  generation: number
  complete: boolean
  tookMs: number
}

export interface SystemFigures {
  totalMemoryBytes: number | null
  availableMemoryBytes: number | null
  cpus: number | null
  loadAverage: Array<number> | null
}

export interface Times {
  count: number
  totalMs: number
  distribution: Distribution | null
}

/** The version of the library. */
export const VERSION: string

export interface VectorHit {
  id: string
  score: number
  metadata: string | null
}

export interface VerifyReport {
  sound: boolean
  findings: Array<Finding>
  files: number
  chunks: number
  elapsedMs: number
}

/** The words that columns have numbers for, in the order of these. */
export interface Vocabulary {
  /** Kinds of definitions. */
  symbolKinds: Array<string>
  /** Who can see a definition. */
  visibilities: Array<string>
  /** Kinds of mentions. */
  referenceKinds: Array<string>
  /** Languages. */
  languages: Array<LanguageInfo>
}

/** A watch. It keeps no process alive; who waits for the next event does. */
export declare class Watch {
  /** The next event; `null` after the last. */
  next(cancellation?: Cancellation | undefined | null): Promise<WatchEvent | undefined | null>
  /** Ends it: after what is under way there are no more events. */
  close(): void
}

/** What a watch tells. */
export interface WatchEvent {
  /** `ready`, `updated` or `failed`. */
  kind: string
  report: IndexReport | null
  watched: number | null
  reason: string | null
}

export interface WatchOptions {
  quietMs?: number
  maxWaitMs?: number
  pollMs?: number
}

/** What the process uses and the machine has. */
export declare function figures(): Figures

/** The words that columns have numbers for. */
export declare function vocabulary(): Vocabulary
