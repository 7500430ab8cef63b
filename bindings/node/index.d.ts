/// <reference lib="esnext.disposable" />

/** The version of the native library. */
export declare const version: string;

/** The languages that can be parsed, in order of their names. */
export declare const languages: readonly { readonly name: string; readonly extensions: readonly string[] }[];

/**
 * An index of a source tree: its files, definitions, mentions and pieces, and vectors of those, in one SQLite file.
 *
 * ```ts
 * const engine = new AstCoreEngineApi();
 * await engine.initialize('/path/to/database.db');
 * ```
 *
 * The work is done on threads of the engine, neither on the event loop nor on the threads that Node has for files and
 * cryptography. Calls may overlap: searches do not wait for index runs, and see each of their commits as it is made.
 * Index runs, `processFile` and batches wait for each other. An engine that is open does not keep the process alive; a
 * call that is under way does.
 *
 * Whatever is wrong rejects with an `AstCoreError`, and nothing throws.
 *
 * **Positions.** `startLine`, `endLine` and `line` count from 1, and a last line is part of what it ends. `start` and
 * `end` are units of a JavaScript string from 0, for `slice` on the whole text of the file, and `end` is behind the last
 * one; `startByte` and `endByte` are the same in bytes of the file on disk.
 *
 * **Paths** that come out are relative to the tree, with `/`, unless it says otherwise.
 */
export declare class AstCoreEngineApi {
  /** Nothing is opened yet: that does `initialize`. */
  constructor(options?: EngineOptions);

  /**
   * Opens the index at this path; it is made if it is missing. The same as `new` and `initialize`.
   */
  static open(database: string, options?: EngineOptions): Promise<AstCoreEngineApi>;

  /** Opens the index that a tree has in itself: `.ast-core/index.db`, as the command line does. */
  static openTree(root: string, options?: EngineOptions): Promise<AstCoreEngineApi>;

  /**
   * Opens the index at this path; it is made if it is missing, unless `readOnly` is set. Its folder must exist. Calls that
   * are made meanwhile wait. After `close` it may be called again.
   *
   * Rejects with `ERR_ALREADY_INITIALIZED`, `ERR_INDEX_MISSING`, `ERR_INDEX_LOCKED` if another process has it open for
   * writing, `ERR_INDEX_CORRUPT`, `ERR_NOT_AN_INDEX`, `ERR_INDEX_VERSION`, `ERR_INDEX_OPEN` or `ERR_READ_ONLY`.
   */
  initialize(database: string, options?: EngineOptions): Promise<void>;

  /** Whether calls can be made. */
  readonly isOpen: boolean;

  /** The settings that hold, defaults included; `null` while it is not open. */
  readonly configuration: Configuration | null;

  /**
   * Brings the index up to the tree at `root`: parses what is new or changed, and drops what is gone. A file that
   * cannot be indexed is no error: it is in the report.
   *
   * Files are committed as they are done: a run that is cancelled keeps what it had, and the next goes on from there.
   *
   * Rejects with `ERR_NOT_A_DIRECTORY`, `ERR_OTHER_TREE` if the index is of another tree, `ERR_CANCELLED`,
   * `ERR_READ_ONLY` or `ERR_DISK_FULL`.
   */
  index(root: string, options?: IndexOptions): Promise<IndexReport>;

  /**
   * Reads and parses one file, whatever the rules say of what is ignored, and brings the index up to it. A syntax error
   * is no error: it is among the diagnostics. A file that cannot be indexed, as it is outside of the tree or the index is
   * open for reading, is parsed all the same, and `index` says so.
   *
   * Which tree the index is of is said by the option `root` of the engine. Without, it is that of the index; before there
   * is one, the repository that the file is in, by the nearest directory with a `.git`; else the directory of the
   * database, if the file is in it; else the file's own.
   *
   * Rejects with `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_TOO_LARGE`, `ERR_FILE_BINARY`,
   * `ERR_UNKNOWN_LANGUAGE`, or what `index` rejects with.
   */
  processFile(path: string, options?: ProcessFileOptions): Promise<ProcessedFile>;

  /**
   * Begins to bring the index up to these files, and tells the number of the batch. It goes on by itself, and does not
   * keep the process alive: if that ends before it, the next one resumes it by its number. A file that cannot be indexed
   * is among the failures of its progress. Of which tree they are is decided as in `processFile`.
   *
   * Rejects with `ERR_OUTSIDE_TREE` if one is not in the tree, `ERR_NOT_A_DIRECTORY`, `ERR_OTHER_TREE` or
   * `ERR_READ_ONLY`.
   */
  processBatch(paths: readonly string[], options?: BatchOptions): Promise<number>;

  /** The same for all files of a tree, as `index` finds them. */
  processDirectory(root: string, options?: BatchOptions): Promise<number>;

  /** Where a batch stands. Rejects with `ERR_BATCH_NOT_FOUND`; of those that are over, the last hundred are kept. */
  getBatchProgress(batchId: number): Promise<BatchProgress>;

  /** All batches and index runs that are known, the newest first. */
  listBatches(): Promise<BatchProgress[]>;

  /** Holds a batch up: it starts no further file. Other index runs wait for it. Rejects with `ERR_BATCH_STATE` if it is over. */
  pauseBatch(batchId: number): Promise<void>;

  /**
   * Goes on with a batch that is paused, or was cancelled, interrupted or failed, in this process or another. What it
   * committed is not done again. Rejects with `ERR_BATCH_STATE` if it is done.
   */
  resumeBatch(batchId: number): Promise<void>;

  /** Ends a batch before its time; what it committed is kept. `waitForBatch` tells when it has ended. */
  cancelBatch(batchId: number): Promise<void>;

  /** Waits until a batch is over, however it ended. The signal ends the wait, and not the batch. */
  waitForBatch(batchId: number, options?: WaitOptions): Promise<BatchProgress>;

  /** How a batch goes on: its progress now, then as it changes, some ten times a second, and last how it ended. */
  batchEvents(batchId: number, options?: SignalOptions): AsyncGenerator<BatchProgress, void, undefined>;

  /**
   * Finds the pieces of the tree that best match a few words, a name, or a question. The same query on the same
   * index gives the same answer.
   *
   * Rejects with `ERR_INVALID_ARGUMENT` if there is no word in the text, and `ERR_INDEX_OUTDATED` if the index was
   * made with another embedder.
   */
  search(text: string, options?: SearchOptions): Promise<SearchReply>;

  /**
   * The vectors of a collection of one's own that are nearest to this one, best first.
   *
   * Rejects with `ERR_DIMENSION_MISMATCH`, or `ERR_INVALID_ARGUMENT` if the vector has no direction.
   */
  searchSimilar(vector: Vector, options: CollectionSearchOptions): Promise<VectorMatch[]>;

  /**
   * The pieces of the tree whose vectors are nearest to this one, best first. It is to be one of the engine's embedder,
   * as `embed` makes them; its length does not matter. The score is the cosine.
   *
   * Rejects with `ERR_DIMENSION_MISMATCH`, `ERR_INVALID_ARGUMENT` if the vector has no direction, or
   * `ERR_INDEX_OUTDATED` if the vectors of the index are of another embedder.
   */
  searchSimilar(vector: Vector, options?: SimilarOptions): Promise<SearchHit[]>;

  /**
   * Finds what is like the code round a line of a file: copies, also in other names, and code that does the same in other
   * words or another language. The path is absolute, or relative to the tree. If the file has changed since it was indexed,
   * or is not indexed, it is read as it is now.
   *
   * Rejects with `ERR_INVALID_ARGUMENT` if there is no code at that line, `ERR_FILE_UNREADABLE`, `ERR_OUTSIDE_TREE` or
   * `ERR_INDEX_OUTDATED`.
   */
  similarTo(path: string, line: number, options?: SimilarToOptions): Promise<SimilarReply>;

  /** Finds what is like a piece of code, which need not be whole. */
  similarToCode(text: string, options?: SimilarToCodeOptions): Promise<SimilarReply>;

  /** The definitions of the index, or those of a name, a page at a time. */
  symbols(options?: SymbolOptions): Promise<SymbolPage>;

  /**
   * Where a name is mentioned: called, imported, used as a type, inherited from. It may have names round it before it:
   * `open`, `Engine.open`, `engine::Engine::open`.
   */
  references(name: string, options?: ReferenceOptions): Promise<ReferenceReply>;

  /** Where a name is called. */
  callers(name: string, options?: CallOptions): Promise<ReferenceReply>;

  /** What the definitions of a name call. */
  callees(name: string, options?: CallOptions): Promise<CalleeReply>;

  /** What is in files, or in the files of directories, straight from the parser. Paths are as given, or below those. */
  outline(paths: string | readonly string[], options?: OutlineOptions): Promise<OutlineReply<CodeSymbol>>;

  /** The same, with what the syntax says of each definition: modifiers, parameters, types, complexity. */
  annotate(paths: string | readonly string[], options?: OutlineOptions): Promise<OutlineReply<AnnotatedSymbol>>;

  /** The vector of a text, of length 1; all zeros if the embedder finds nothing in it. */
  embed(text: string, options?: EmbedOptions): Promise<Float32Array>;
  /** The vectors of texts. They are parts of one buffer. */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;

  /**
   * Keeps a vector of one's own in a collection, which is made with the first; it takes the place of the one of its id.
   * Collections are in a file of their own beside the index and outlive it. When the promise is fulfilled, it survives
   * the end of the process and of the machine.
   *
   * Rejects with `ERR_DIMENSION_MISMATCH` if those of the collection have another number of values,
   * `ERR_INVALID_ARGUMENT` if it has no direction, or `ERR_READ_ONLY`.
   */
  insertVector(id: string, vector: Vector, options?: InsertOptions): Promise<void>;

  /** The same for many, which is much faster than one by one: all are kept, or none. */
  insertVectors(items: readonly VectorItem[], options?: CollectionOptions): Promise<void>;

  /** A vector of one's own as it was kept; `null` if there is none of this id. */
  getVector(id: string, options?: CollectionOptions): Promise<StoredVector | null>;

  /** Removes a vector of one's own; whether there was one. */
  deleteVector(id: string, options?: CollectionOptions): Promise<boolean>;

  /** Removes vectors of one's own; how many there were. */
  deleteVectors(ids: readonly string[], options?: CollectionOptions): Promise<number>;

  /** The collections of one's own vectors, in order of their names. */
  listCollections(): Promise<CollectionInfo[]>;

  /** Removes a collection with all that is in it; whether there was one. */
  deleteCollection(collection: string): Promise<boolean>;

  /**
   * Notes something of a file of the tree, in place of what was noted before. It may be anything that JSON has. It
   * stays when the file changes or is gone, until it is deleted. Tells the path in the tree that it is kept under.
   *
   * Rejects with `ERR_OUTSIDE_TREE` or `ERR_READ_ONLY`.
   */
  setFileMetadata(path: string, metadata: unknown): Promise<string>;

  /** What was noted of a file; `null` if nothing was. */
  getFileMetadata(path: string): Promise<FileMetadata | null>;

  /** Forgets what was noted of a file; whether there was something. */
  deleteFileMetadata(path: string): Promise<boolean>;

  /** What was noted of files, in order of their paths. */
  listFileMetadata(options?: ListMetadataOptions): Promise<FileMetadata[]>;

  /**
   * Brings the index up to a tree, and goes on doing so as the tree changes, until it is closed:
   *
   * ```ts
   * for await (const event of await engine.watch(root)) console.log(event.kind);
   * ```
   *
   * Rejects, as its events do, with what `index` rejects with. Closing the engine ends it.
   */
  watch(root: string, options?: WatchOptions): Promise<Watcher>;

  /** What the index holds, what it left out and why, and how the tree differs from it. */
  status(options?: SignalOptions): Promise<StatusReport>;

  /** Whether the index can be used, told in a moment; with `deep`, all of it is read and compared with what it should be. */
  health(options?: HealthOptions): Promise<HealthReport>;

  /** What was measured since the engine was made, what the process uses and the machine has. Takes some milliseconds. */
  metrics(): MetricsSnapshot;

  /** What the engine measured and the process uses, in the text format of Prometheus; `null` while it is not open. */
  prometheus(): string | null;

  /**
   * Closes the index: cancels index runs, interrupts batches, waits for the calls that are under way, and lets go of the
   * file. Later calls reject with `ERR_CLOSED`. May be called again.
   */
  close(): Promise<void>;

  /** The same as `close`, for `await using`. Node has it since 20.4. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface EngineOptions {
  /** The tree that the index is of; what decides without it is said at `processFile`. */
  root?: string | undefined;
  /** Default: false. For search only: any number of processes can at a time, also while another one writes. */
  readOnly?: boolean | undefined;
  /** The threads that work, from 1 to 1024. Default: as many as there are processors for this process. */
  parallelWorkers?: number | undefined;
  /**
   * Bounds what index runs take so that the process stays below so many bytes of memory, or near to it; at least
   * 201,326,592. Default: files in flight take 192 MiB by estimates.
   */
  maxMemoryBytes?: number | undefined;
  /** A larger file is left out. Default: 2,097,152. */
  maxFileBytes?: number | undefined;
  /** How long a file may take in an index run, in milliseconds. Default: 60,000. */
  fileTimeLimitMs?: number | undefined;
}

export interface Configuration {
  /** Where the index is, as given. */
  database: string;
  /** The tree that was named; `null` if none was. */
  root: string | null;
  readOnly: boolean;
  parallelWorkers: number;
  /** What the files in flight may take, by estimates. */
  memoryBudgetBytes: number;
  maxFileBytes: number;
  fileTimeLimitMs: number;
  /** What makes vectors. */
  embedder: string;
  /** How many values its vectors have. */
  dimension: number;
}

export interface SignalOptions {
  /** Gives the call up: it rejects with `ERR_CANCELLED`, and the signal's reason is the error's `cause`. */
  signal?: AbortSignal | undefined;
}

export interface RunOptions {
  /** The threads that work on it, from 1 to 1024. Default: as many as the engine has. */
  parallelWorkers?: number | undefined;
  /** The most files that are committed together, and can be found at once then. Default: 512. */
  batchSize?: number | undefined;
}

export interface IndexOptions extends RunOptions, SignalOptions {
  /** Parses every file again, whether it changed or not. Default: false. */
  rebuild?: boolean | undefined;
  /**
   * Is told of the progress, some ten times a second while files are worked on, and once more when all are done. What
   * it throws is a process warning, and the run goes on.
   */
  onProgress?: ((progress: IndexProgress) => void) | undefined;
}

export interface ProcessFileOptions extends RunOptions, SignalOptions {
  /** The language, such as `rust`. Default: what the name of the file and its content tell. */
  language?: string | undefined;
  /**
   * Whether what is known already will do: what was found in the file while its content is the same, and what the
   * index has of it. Default: true.
   */
  enableCaching?: boolean | undefined;
  /** Whether the index is brought up to the file, too. Default: true. */
  index?: boolean | undefined;
}

export interface BatchOptions extends RunOptions {
  /** Whether files that the index has as they are need not be parsed again. Default: true. */
  enableCaching?: boolean | undefined;
  /** Is told how the batch goes on, as by `batchEvents`; keeps the process alive until it is over. */
  onProgress?: ((progress: BatchProgress) => void) | undefined;
  /** Cancels the batch. */
  signal?: AbortSignal | undefined;
}

export interface WaitOptions extends SignalOptions {
  /** Is told how the batch goes on, as by `batchEvents`. */
  onProgress?: ((progress: BatchProgress) => void) | undefined;
}

export interface FilterOptions {
  /** Only files in one of these languages, such as `rust`; all if empty. */
  languages?: readonly string[] | undefined;
  /**
   * Only files whose path matches one of these globs; all if empty. `*` does not match `/`, `**` does; a pattern
   * without `/` matches the file name.
   */
  paths?: readonly string[] | undefined;
}

export interface SearchOptions extends FilterOptions, SignalOptions {
  /** The most hits, from 1. Default: 10. */
  limit?: number | undefined;
  /** By words, by vectors, or by both. Default: `hybrid`. */
  mode?: 'hybrid' | 'lexical' | 'semantic' | undefined;
  /** Only definitions of one of these kinds; all if empty. */
  kinds?: readonly SymbolKind[] | undefined;
  /** Only hits of at least this score, from 0 to 1. Default: 0. */
  threshold?: number | undefined;
  /** Lines before and after each hit that are shown with it. Default: 0. */
  context?: number | undefined;
}

export interface SimilarOptions extends FilterOptions, SignalOptions {
  /** The most hits, from 1. Default: 10. */
  maxResults?: number | undefined;
  /** Only hits whose cosine with the vector is at least this, from -1 to 1. Default: -1. */
  threshold?: number | undefined;
  /** Only definitions of one of these kinds; all if empty. */
  kinds?: readonly SymbolKind[] | undefined;
  /** Lines before and after each hit that are shown with it. Default: 0. */
  context?: number | undefined;
  collection?: undefined;
}

export interface SimilarToOptions extends FilterOptions, SignalOptions {
  /** The most hits, from 1. Default: 10. */
  limit?: number | undefined;
  /** Only definitions of one of these kinds; all if empty. */
  kinds?: readonly SymbolKind[] | undefined;
  /** Only hits of at least this score, from 0 to 1. Default: 0. */
  threshold?: number | undefined;
  /** Lines before and after each hit that are shown with it. Default: 0. */
  context?: number | undefined;
}

export interface SimilarToCodeOptions extends SimilarToOptions {
  /** Its language. Without, names that it defines are not told from others. */
  language?: string | undefined;
}

export interface CollectionSearchOptions extends SignalOptions {
  /** The collection of one's own vectors. */
  collection: string;
  /** The most vectors, from 1. Default: 10. */
  maxResults?: number | undefined;
  /** Only those whose cosine with the vector is at least this, from -1 to 1. Default: -1. */
  threshold?: number | undefined;
}

export interface ReferenceOptions extends FilterOptions, SignalOptions {
  /** Only mentions of these kinds; all if empty. */
  kinds?: readonly ReferenceKind[] | undefined;
  /** The most mentions, from 1. Default: 100. */
  limit?: number | undefined;
}

export interface CallOptions extends FilterOptions, SignalOptions {
  /** The most calls, from 1. Default: 100. */
  limit?: number | undefined;
}

export interface SymbolOptions extends FilterOptions, SignalOptions {
  /** Only definitions of this name, or of those like it. */
  name?: string | undefined;
  /** How names are compared with it; all but `exact` take upper and lower case for the same. Default: `exact`. */
  matching?: 'exact' | 'ignore-case' | 'prefix' | 'substring' | undefined;
  /** Only definitions of one of these kinds; all if empty. */
  kinds?: readonly SymbolKind[] | undefined;
  /** The most definitions of a page, from 1. Default: 1,000. */
  limit?: number | undefined;
  /** What the page before gave as `next`. */
  after?: string | undefined;
}

export interface OutlineOptions extends SignalOptions {
  /** The language of all files. Default: what the name of each and its content tell. */
  language?: string | undefined;
}

export interface EmbedOptions extends SignalOptions {
  /** What the text is: what somebody is looking for, or code that can be found. Default: `query`. */
  as?: 'query' | 'code' | undefined;
}

export interface CollectionOptions {
  /** Default: `default`. */
  collection?: string | undefined;
}

export interface InsertOptions extends CollectionOptions {
  /** Anything that JSON has. It comes back with the vector. */
  metadata?: unknown;
}

export interface ListMetadataOptions {
  /** Only files whose path in the tree begins with this. */
  prefix?: string | undefined;
  /** Only files behind this path: the last one of the page before. */
  after?: string | undefined;
  /** The most files, from 1. Default: 1,000. */
  limit?: number | undefined;
}

export interface WatchOptions extends SignalOptions {
  /** How long nothing must have changed before what did is indexed, in milliseconds. Default: 50. */
  quietMs?: number | undefined;
  /** How long changes are waited for at most, if they do not end, in milliseconds. Default: 1,000. */
  maxWaitMs?: number | undefined;
  /** How often all of the tree is looked at where the system does not tell of changes, in milliseconds. Default: 2,000. */
  pollMs?: number | undefined;
}

export interface HealthOptions extends SignalOptions {
  /** Whether all of the index is read, which takes about as long as making it. Default: false. */
  deep?: boolean | undefined;
}

/** Numbers. They are copied before the call returns. */
export type Vector = Float32Array | Float64Array | readonly number[];

export interface VectorItem {
  id: string;
  vector: Vector;
  /** Anything that JSON has. */
  metadata?: unknown;
}

export interface StoredVector {
  id: string;
  vector: Float32Array;
  /** `null` if there was none. */
  metadata: unknown;
}

/** A vector of one's own that was found. */
export interface VectorMatch {
  id: string;
  /** Its cosine with the vector that was looked for, from -1 to 1. */
  score: number;
  /** `null` if there was none. */
  metadata: unknown;
}

export interface CollectionInfo {
  name: string;
  /** How many values each of its vectors has. */
  dimension: number;
  /** How many vectors it has. */
  vectors: number;
}

export interface FileMetadata {
  path: string;
  metadata: unknown;
  updatedAt: Date;
}

export type SymbolKind =
  | 'module'
  | 'namespace'
  | 'class'
  | 'struct'
  | 'union'
  | 'enum'
  | 'interface'
  | 'trait'
  | 'impl'
  | 'type'
  | 'function'
  | 'method'
  | 'constructor'
  | 'field'
  | 'property'
  | 'constant'
  | 'static'
  | 'variable'
  | 'enum_member'
  | 'macro';

export type Visibility = 'public' | 'internal' | 'protected' | 'private';

export type ReferenceKind = 'call' | 'type' | 'import' | 'inherit';

/** A place in a file. */
export interface Place {
  /** The first line, from 1. */
  startLine: number;
  /** The last line; it is part of the place. */
  endLine: number;
  /** The first unit in the text of the file as a JavaScript string, from 0. */
  start: number;
  /** The unit behind the last one. */
  end: number;
  /** The first byte in the file on disk, from 0. */
  startByte: number;
  /** The byte behind the last one. */
  endByte: number;
}

/** A definition. Its place is without its documentation, decorators and attributes. */
export interface CodeSymbol extends Place {
  name: string;
  kind: SymbolKind;
  /** The names round it, outermost first. */
  scope: string[];
  /** The place in the list of the definition that it is inside of; `null` at the top. */
  parent: number | null;
  /** What comes before its body, on one line. */
  signature: string;
  /** Its documentation, without the marks of comments; `null` without. */
  doc: string | null;
  /** Who can see it, where the language says so. */
  visibility: Visibility | null;
}

export interface AnnotatedSymbol extends CodeSymbol {
  annotation: Annotation;
}

/** A definition of the index. */
export interface ListedSymbol extends Omit<CodeSymbol, 'parent'> {
  path: string;
  language: string;
}

/** What the syntax says of a definition. */
export interface Annotation {
  /** Words that modify it, such as `async` or `static`. */
  modifiers: string[];
  /** As written, with the brackets: `<T: Ord>`. */
  typeParameters: string | null;
  /** In order; a receiver such as `&self` is one of them. */
  parameters: Parameter[];
  /** As written. */
  returnType: string | null;
  /** How involved its body is; `null` if it is no function. */
  complexity: Complexity | null;
}

export interface Parameter {
  /** The name, or the pattern, as written; empty where the declaration leaves it out. */
  name: string;
  /** As written. */
  type: string | null;
  /** As written. */
  default: string | null;
  /** Whether a call may leave it out. */
  optional: boolean;
}

export interface Complexity {
  /** McCabe's: one more than the decisions in the body. */
  cyclomatic: number;
  /** How hard it is to follow, nesting counted. */
  cognitive: number;
  /** How deep decisions are inside of each other. */
  maxNesting: number;
}

/** A mention of a name in a file. */
export interface CodeReference {
  kind: ReferenceKind;
  /** Without what qualifies it: `push` of `self.items.push(1)`. */
  name: string;
  /** `self.items` of `self.items.push(1)`; of an import, its module. */
  qualifier: string | null;
  /** The name that an import gives it. */
  alias: string | null;
  /** The place in the list of symbols of the innermost definition that it is inside of; `null` at the top. */
  symbol: number | null;
  /** Its line, from 1. */
  line: number;
  start: number;
  end: number;
  startByte: number;
  endByte: number;
}

/** A piece of a file, as it can be found. */
export interface CodeChunk extends Place {
  /** The place in the list of symbols of the definition that it is about; `null` if it is about none. */
  symbol: number | null;
}

export interface Diagnostic {
  severity: 'error' | 'warning';
  message: string;
  /** The line, from 1; known of the first place only. */
  line: number | null;
  start: number | null;
  end: number | null;
  startByte: number | null;
  endByte: number | null;
}

/** What is in a file. Its lists are made of `columns` when they are first read: a microsecond a row, or less. */
export interface FileOutline<S extends CodeSymbol = CodeSymbol> {
  /** As given, or below the directory as given; of a processed file absolute, without links on the way. */
  path: string;
  language: string;
  encoding: 'utf-8' | 'utf-8-lossy' | 'utf-16le' | 'utf-16be';
  /** How many lines it has. */
  lines: number;
  /** Whether a comment at its beginning says that a program wrote it. */
  generated: boolean;
  /** What of it was not understood: the first 32 syntax errors, or why it has no symbols. */
  diagnostics: Diagnostic[];
  /** Its definitions, outer before inner. */
  symbols: S[];
  /** What the syntax says of each definition, in the same order. */
  annotations: Annotation[];
  /** What it mentions, in order. */
  references: CodeReference[];
  /** Its pieces, in order. Whatever is not white space is in exactly one. */
  chunks: CodeChunk[];
  /** The same as arrays of numbers. Not enumerable. */
  readonly columns: FileColumns;
}

export interface ProcessedFile extends FileOutline {
  /** Its size. */
  bytes: number;
  /** The hash of its content: the first 16 bytes of BLAKE3, in hexadecimal. */
  hash: string;
  /** Whether what is in it was known from an earlier call. */
  fromCache: boolean;
  /** What became of it in the index. */
  index: {
    state: 'indexed' | 'unchanged' | 'skipped';
    /** Its path in the tree; `null` if it was skipped. */
    path: string | null;
    /** The number of the last commit; `null` if it was skipped. */
    generation: number | null;
    /** Why it was skipped. */
    reason: string | null;
  };
  /** In milliseconds. */
  timings: {
    readMs: number;
    /** 0 if what is in it was known. */
    parseMs: number;
    /** The wait for other index runs included. */
    indexMs: number;
    totalMs: number;
  };
}

export interface OutlineReply<S extends CodeSymbol> {
  /** In the order of the paths as given, and of names in a directory. */
  files: FileOutline<S>[];
  /** Files of which nothing can be told. */
  failures: FileFailure[];
}

/**
 * A column of texts: of each row where its text begins and ends in the text of the columns; 4,294,967,295 twice where
 * there is none.
 */
export type TextColumn = Uint32Array;

/** A column of pairs: of each row a first and a last or the one behind. */
export type PairColumn = Uint32Array;

export interface SymbolColumns {
  length: number;
  name: TextColumn;
  /** Places in the list of `SymbolKind`, in the order of the type. */
  kind: Uint8Array;
  /** Places in the list of `Visibility`, in the order of the type; 255 for none. */
  visibility: Uint8Array;
  /** Names with NUL characters between them. */
  scope: TextColumn;
  signature: TextColumn;
  doc: TextColumn;
  /** -1 for none. Of a page of symbols, places in the lists of their files. */
  parent: Int32Array;
  lines: PairColumn;
  bytes: PairColumn;
  /** Units of a JavaScript string. */
  range: PairColumn;
  nameBytes: PairColumn;
}

export interface AnnotationColumns {
  /** Words with NUL characters between them. */
  modifiers: TextColumn;
  typeParameters: TextColumn;
  returnType: TextColumn;
  /** Three a row: cyclomatic, cognitive, nesting; -1 if it is no function. */
  complexity: Int32Array;
  /** Where the parameters of each row begin, and behind the last where they end. */
  firstParameter: Uint32Array;
  parameterName: TextColumn;
  parameterType: TextColumn;
  parameterDefault: TextColumn;
  parameterOptional: Uint8Array;
}

export interface ReferenceColumns {
  length: number;
  /** Places in the list of `ReferenceKind`, in the order of the type. */
  kind: Uint8Array;
  name: TextColumn;
  qualifier: TextColumn;
  alias: TextColumn;
  /** -1 for none. */
  symbol: Int32Array;
  line: Uint32Array;
  bytes: PairColumn;
  range: PairColumn;
}

export interface ChunkColumns {
  length: number;
  /** -1 for none. */
  symbol: Int32Array;
  lines: PairColumn;
  bytes: PairColumn;
  range: PairColumn;
}

export interface FileColumns {
  text: string;
  symbols: SymbolColumns;
  annotations: AnnotationColumns;
  references: ReferenceColumns;
  chunks: ChunkColumns;
}

export interface ListedColumns {
  /** The text of all columns but `doc`. */
  text: string;
  /** The text of the column `doc`. */
  docs: string;
  paths: string[];
  languages: string[];
  /** Of each row the place of its file in `paths` and `languages`. */
  file: Uint32Array;
  symbols: SymbolColumns;
}

export interface SymbolPage {
  /** Made of `columns` when they are first read. */
  symbols: ListedSymbol[];
  /** The same as arrays of numbers. Not enumerable. */
  readonly columns: ListedColumns;
  /** What the next page is asked for with; `null` after the last. */
  next: string | null;
  /** The number of the last commit of the index that was read. */
  generation: number;
  /** Whether the last index run came to its end; if not, files may be missing. */
  complete: boolean;
  tookMs: number;
}

/** A definition that is mentioned. */
export interface Definition {
  path: string;
  language: string;
  kind: SymbolKind;
  name: string;
  scope: string[];
  startLine: number;
  endLine: number;
  signature: string;
}

/**
 * What speaks for it that a mention means a definition: that they are in one file, that the file imports it, or the name
 * alone.
 */
export type Evidence = 'same_file' | 'import' | 'name';

export interface Mention {
  path: string;
  language: string;
  kind: ReferenceKind;
  /** As it is written there, which is another one where an import renames it. */
  name: string;
  qualifier: string | null;
  alias: string | null;
  line: number;
  start: number;
  end: number;
  startByte: number;
  endByte: number;
  /** The text of its line, without the space around it; the first 200 characters. */
  text: string;
  /** The innermost definition that it is inside of; `null` at the top of a file. */
  within: Definition | null;
  evidence: Evidence;
  /** Which of the definitions it means by that evidence, by their places in the list. */
  targets: number[];
  /** Whether its file has changed since it was indexed; `null` if that could not be told. */
  changed: boolean | null;
}

export interface ReferenceReply {
  /** The definitions of the name. Empty if it is defined outside of the tree. */
  definitions: Definition[];
  /** Whether there are more definitions than are listed and looked at. */
  moreDefinitions: boolean;
  mentions: Mention[];
  /** Files that may have further mentions and were not looked into, as there were enough. */
  unreadFiles: number;
  generation: number;
  complete: boolean;
  tookMs: number;
}

/** Something that definitions call. */
export interface Callee {
  /** Which of the definitions calls it, by its place in the list. */
  caller: number;
  name: string;
  qualifier: string | null;
  /** The lines of the calls. */
  lines: number[];
  evidence: Evidence;
  /** The definitions that are meant by that evidence; by the name alone, ten at most. */
  targets: Definition[];
  targetCount: number;
}

export interface CalleeReply {
  definitions: Definition[];
  moreDefinitions: boolean;
  callees: Callee[];
  /** Whether there is more than the limit. */
  more: boolean;
  generation: number;
  complete: boolean;
  tookMs: number;
}

export interface IndexProgress {
  /** Files that are done, those that failed included. */
  filesDone: number;
  /** Files in the run; `null` if that is not known. */
  filesTotal: number | null;
  filesFailed: number;
  /** Bytes of source that are done. */
  bytesDone: number;
  /** Bytes of source in the run; `null` if that is not known. */
  bytesTotal: number | null;
  /** Time since the first file was begun. */
  elapsedMs: number;
}

/** What an index run did. */
export interface IndexReport {
  files: FileCounts;
  /** Bytes of the files that were parsed in this run. */
  bytes: number;
  /** Their lines. */
  lines: number;
  /** Their symbols. */
  symbols: number;
  /** Their chunks: the pieces that can be found. */
  chunks: number;
  elapsedMs: number;
  /** The most memory that the process had at any time so far; `null` where the system does not tell. */
  peakRssBytes: number | null;
  /** The number of the last commit. */
  generation: number;
  /** Each file that could not be indexed wholly, in order of paths. */
  failures: FileFailure[];
}

/** What became of the files of a tree. The others add up to `seen`. */
export interface FileCounts {
  seen: number;
  /** Parsed and written to the index; in a status, those that it holds. */
  indexed: number;
  /** In the index, and as they were. */
  unchanged: number;
  /** No longer there, and taken out of the index. */
  removed: number;
  /** Left out by an ignore rule or because they are hidden; a directory counts as one. */
  ignored: number;
  /** Left out because they are larger than the limit. */
  tooLarge: number;
  /** Left out because they are not text. */
  binary: number;
  /** Left out because their language is not known; also links, sockets and the like. */
  unsupported: number;
  /** Took too long to parse: searchable as text, without symbols. */
  timedOut: number;
  /** Could not be read or understood. */
  failed: number;
}

export interface FileFailure {
  path: string;
  reason: string;
}

/** Where a batch stands. It tells of the batch as a whole, however often it was interrupted. */
export interface BatchProgress {
  batchId: number;
  /** `interrupted`: its process or its engine ended before it did. */
  state: 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  /** The tree. */
  root: string;
  /** The files of the batch; of a directory `null` until that was looked at, and then those to be read. */
  totalFiles: number | null;
  processedFiles: number;
  /** How many could not be indexed wholly. */
  failedFiles: number;
  totalBytes: number | null;
  processedBytes: number;
  /** What became of files, as far as that is committed. */
  files: FileCounts;
  lines: number;
  symbols: number;
  chunks: number;
  /** The first hundred files that could not be indexed wholly. */
  failures: FileFailure[];
  /** Why it could not go on, if it failed. */
  error: string | null;
  filesPerSecond: number | null;
  bytesPerSecond: number | null;
  /** Time to its end at that rate; `null` if nothing can be told. */
  remainingMs: number | null;
  /** How long it ran, pauses left out. */
  activeMs: number;
  /** When it was begun first, and last, and when it ended: milliseconds since 1970, as of `Date.now`. */
  createdMs: number;
  startedMs: number | null;
  finishedMs: number | null;
  /** The number of its last commit; 0 before the first. */
  generation: number;
}

export interface SearchReply {
  /** Best first. */
  hits: SearchHit[];
  /** The generation of the index that was searched. */
  generation: number;
  /** Whether the last index run came to its end; if not, files may be missing. */
  complete: boolean;
  tookMs: number;
  /** What was left out of the search, and why: its vectors, say, if they are of another embedder. */
  notices: string[];
}

/** A piece of a file that was found. */
export interface SearchHit extends Place {
  path: string;
  language: string;
  /** The definition it is about; `null` if it is about none. */
  name: string | null;
  kind: SymbolKind | null;
  /** The names round that definition, outermost first. */
  scope: string[];
  /** From 0 to 1: 1 for what is first both by words and by vectors. Of a search by a vector, the cosine with it. */
  score: number;
  /** Its text as it was indexed, with as many lines round it as were asked for. */
  snippet: string;
  /** The first line of the snippet. */
  snippetStartLine: number;
  /** What the score is made of. */
  why: {
    /** Its BM25 score; `null` if it was not found by words. */
    lexical: number | null;
    /** The cosine of its vector and the query's; `null` if it was not found by its vector. */
    semantic: number | null;
    /** What rules added. */
    boosts: { name: string; value: number }[];
    /** In what it is like the code that was looked for, each from 0 to 1; `null` unless code was looked for. */
    likeness: { meaning: number | null; shape: number; words: number } | null;
  };
  /** Whether its file has changed since it was indexed; `null` if that could not be told. */
  changed: boolean | null;
}

/** What is like other code. */
export interface SimilarReply {
  /** What the hits are like; `null` if the text was given. */
  place: {
    path: string;
    language: string | null;
    startLine: number;
    endLine: number;
    name: string | null;
    kind: SymbolKind | null;
    scope: string[];
    /** Whether this is not what is indexed of the file: it has changed since, or is not indexed. */
    unindexed: boolean;
  } | null;
  /** The most alike first. */
  hits: SearchHit[];
  generation: number;
  complete: boolean;
  tookMs: number;
  notices: string[];
}

/** What a watch tells. */
export type WatchEvent =
  | {
      /** The index is up to the tree, and changes are waited for. */
      kind: 'ready';
      report: IndexReport;
      /** How many directories the system tells of; `null` if it does not, and the tree is looked at now and then. */
      watched: number | null;
    }
  | {
      /** Something changed, and is in the index now. */
      kind: 'updated';
      report: IndexReport;
    }
  | {
      /** The index could not be brought up. It is tried again. */
      kind: 'failed';
      reason: string;
    };

/** The events of a watch. Who waits for the next one keeps the process alive; the watch itself does not. */
export interface Watcher extends AsyncIterableIterator<WatchEvent> {
  next(): Promise<IteratorResult<WatchEvent, undefined>>;
  return(): Promise<IteratorResult<WatchEvent, undefined>>;
  [Symbol.asyncIterator](): Watcher;
  /** Ends the watch. Whoever waits for the next event is told that there is none. */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What an index holds. */
export interface StatusReport {
  /** The tree it is of; `null` if there was no run yet. */
  root: string | null;
  /** Whether the last run came to its end; if not, files may be missing. */
  complete: boolean;
  files: FileCounts;
  bytes: number;
  lines: number;
  symbols: number;
  chunks: number;
  /** The number of the last commit. */
  generation: number;
  /** What made its vectors; `null` if there was no run yet. */
  embedder: { id: string; dimension: number } | null;
  /** The embedder of the engine. If it is another, the next run embeds everything anew. */
  configuredEmbedder: string;
  /** Files whose vectors are of another embedder, so that they are found by words alone. */
  foreignFiles: number;
  /** How long it took to find all this out. */
  elapsedMs: number;
  /** The most memory that the process had at any time so far; `null` where the system does not tell. */
  peakRssBytes: number | null;
  /** The version of its tables. */
  schemaVersion: number;
  /** The version of what is in them. */
  formatVersion: number;
  /** Each file that it does not hold wholly, in order of paths. */
  failures: FileFailure[];
  /** What differs between the tree and the index; `null` if the tree could not be looked at. */
  stale: { path: string; change: 'new' | 'changed' | 'removed' }[] | null;
}

export interface HealthReport {
  /** Whether a search finds all that it should. */
  ok: boolean;
  /** The number of the last commit; 0 before the first. */
  generation: number;
  /** Whether the last index run came to its end; if not, files may be missing. */
  complete: boolean;
  /** The tree; `null` if there was no run yet. */
  root: string | null;
  rootExists: boolean;
  writable: boolean;
  /** The embedder that made the vectors, if it is not the engine's: it is searched by words alone then. */
  otherEmbedder: string | null;
  searchableFiles: number;
  tookMs: number;
  /** What reading all of it found; `null` unless that was asked for. */
  verified: {
    sound: boolean;
    findings: { part: string; path: string | null; found: string; expected: string }[];
    files: number;
    chunks: number;
    elapsedMs: number;
  } | null;
}

/** What was measured. What is not known is `null`. */
export interface MetricsSnapshot {
  /** Since it was opened; `null` while it is not open. */
  uptimeMs: number | null;
  /** Calls that came to their end, by the names of methods, as JavaScript saw them. */
  calls: Record<string, { count: number; failed: number; totalMs: number; maxMs: number }>;
  /** What the engine measured since it was opened; `null` while it is not open. */
  engine: EngineMetrics | null;
  /** What the process uses. */
  process: {
    rssBytes: number | null;
    peakRssBytes: number | null;
    /** Processor time of all threads. */
    cpuMs: number | null;
    threads: number | null;
    openFiles: number | null;
  };
  /** What the machine has. */
  system: {
    totalMemoryBytes: number | null;
    availableMemoryBytes: number | null;
    /** Logical processors. */
    cpus: number | null;
    /** Runnable tasks, the means of 1, 5 and 15 minutes. */
    loadAverage: [number, number, number] | null;
  };
}

/** What an engine measured since it was opened. Rates are over the last minute, and `null` in the engine's first second. */
export interface EngineMetrics {
  /** Whether the engine measures. */
  enabled: boolean;
  index: {
    /** Runs that came to their end. */
    runs: Times;
    /** Runs that failed or were cancelled. */
    failed: number;
    /** Runs that are under way. */
    active: number;
    /** What was committed. */
    files: number;
    bytes: number;
    lines: number;
    symbols: number;
    chunks: number;
    filesPerSecond: number | null;
    bytesPerSecond: number | null;
  };
  search: {
    /** Searches by text that were answered. */
    searches: Times;
    failed: number;
    active: number;
    hits: number;
    searchesPerSecond: number | null;
  };
  /** The stages of index runs and of searches, in the order in which a file or a query goes through them. */
  stages: Record<StageName, StageMetrics>;
}

/** The stages of an index run, and then those of a search. */
export type StageName =
  | 'discover'
  | 'plan'
  | 'read'
  | 'parse'
  | 'chunk'
  | 'terms'
  | 'embed'
  | 'encode'
  | 'commit'
  | 'vector_insert'
  | 'refresh'
  | 'query_embed'
  | 'lexical'
  | 'vector_search'
  | 'definitions'
  | 'rank'
  | 'rerank'
  | 'hydrate';

export interface StageMetrics {
  work: 'index' | 'search';
  /** What `items` are, such as `files` or `chunks`. */
  unit: string;
  /** What went through the stage. */
  items: number;
  /** The bytes of it; 0 for a stage that works on none. */
  bytes: number;
  /** How long it took for a file, a batch or a search. `totalMs` is over all threads. */
  times: Times;
}

export interface Times {
  count: number;
  totalMs: number;
  /** Percentiles are exact to three digits; `null` if there are no times. */
  distribution: {
    minMs: number;
    meanMs: number;
    p50Ms: number;
    p90Ms: number;
    p95Ms: number;
    p99Ms: number;
    p999Ms: number;
    maxMs: number;
  } | null;
}

/** What every call rejects with. */
export declare class AstCoreError extends Error {
  constructor(code: AstCoreErrorCode, message: string, options?: { cause?: unknown; path?: string | undefined });
  /** Stable, unlike the message. */
  readonly code: AstCoreErrorCode;
  /** The file or directory that it is about, if it is about one. */
  readonly path?: string;
}

/** A call was made in a way that cannot go well: `ERR_INVALID_ARGUMENT`, `ERR_DIMENSION_MISMATCH`. */
export declare class InvalidArgumentError extends AstCoreError {}

/** The engine is not open: `ERR_NOT_INITIALIZED`, `ERR_CLOSED`; or is already: `ERR_ALREADY_INITIALIZED`. */
export declare class EngineStateError extends AstCoreError {}

/** A file or a directory is not what it would have to be: `ERR_FILE_*`, `ERR_NOT_A_DIRECTORY`, `ERR_OUTSIDE_TREE`, `ERR_UNKNOWN_LANGUAGE`. */
export declare class FileError extends AstCoreError {}

/** The index cannot be opened, read or written: `ERR_INDEX_*`, `ERR_NOT_AN_INDEX`, `ERR_OTHER_TREE`, `ERR_READ_ONLY`, `ERR_DISK_FULL`. */
export declare class IndexError extends AstCoreError {}

/** A batch is not there, or not where it would have to be: `ERR_BATCH_*`. */
export declare class BatchError extends AstCoreError {}

/** A call was given up: `ERR_CANCELLED`. */
export declare class CancelledError extends AstCoreError {}

/** The native library is missing or does not load: `ERR_NATIVE_BINDING`. */
export declare class NativeBindingError extends AstCoreError {}

/** A defect of this package, or something that the machine lacks: `ERR_INTERNAL`, `ERR_THREADS`, `ERR_EMBEDDER`. */
export declare class InternalError extends AstCoreError {}

export type AstCoreErrorCode =
  /** The engine is open already. */
  | 'ERR_ALREADY_INITIALIZED'
  /** There is no batch of this number, or no longer. */
  | 'ERR_BATCH_NOT_FOUND'
  /** What was asked of a batch cannot be done where it stands. */
  | 'ERR_BATCH_STATE'
  /** The call was given up, by its signal or by `close`. What was committed is kept. */
  | 'ERR_CANCELLED'
  /** The engine is closed. */
  | 'ERR_CLOSED'
  /** A vector has another number of values than those that it is to be compared with. */
  | 'ERR_DIMENSION_MISMATCH'
  /** There is no space left on the device. What was committed is kept. */
  | 'ERR_DISK_FULL'
  /** The embedder failed. */
  | 'ERR_EMBEDDER'
  /** The file is not text. */
  | 'ERR_FILE_BINARY'
  /** There is no such file. */
  | 'ERR_FILE_NOT_FOUND'
  /** The file is larger than the limit. */
  | 'ERR_FILE_TOO_LARGE'
  /** The file cannot be read, or is none. */
  | 'ERR_FILE_UNREADABLE'
  /** The index is damaged: delete it and index the tree again. */
  | 'ERR_INDEX_CORRUPT'
  /** Another process wrote to the index although this one had it open for writing, or replaced it: open it again. */
  | 'ERR_INDEX_FENCED'
  /** Another process, or another engine, has the index open for writing. */
  | 'ERR_INDEX_LOCKED'
  /** There is no index at this path. */
  | 'ERR_INDEX_MISSING'
  /** The file of the index cannot be opened or made. */
  | 'ERR_INDEX_OPEN'
  /** The index was made with another embedder or other settings: index the tree again. */
  | 'ERR_INDEX_OUTDATED'
  /** The index was made by a newer version. */
  | 'ERR_INDEX_VERSION'
  /** A defect of this package. */
  | 'ERR_INTERNAL'
  /** An argument is not what was expected; the message names it. */
  | 'ERR_INVALID_ARGUMENT'
  /** The native library is missing or does not load; thrown when the package is loaded. */
  | 'ERR_NATIVE_BINDING'
  /** The tree to be indexed is no directory, or cannot be read. */
  | 'ERR_NOT_A_DIRECTORY'
  /** The file is not an index, but something else. */
  | 'ERR_NOT_AN_INDEX'
  /** The engine was not opened. */
  | 'ERR_NOT_INITIALIZED'
  /** The index is of another tree. */
  | 'ERR_OTHER_TREE'
  /** A file that was named is not in the tree of the index. */
  | 'ERR_OUTSIDE_TREE'
  /** The index is open for search only, or cannot be written. */
  | 'ERR_READ_ONLY'
  /** Threads could not be started. */
  | 'ERR_THREADS'
  /** Nothing tells the language of a file. */
  | 'ERR_UNKNOWN_LANGUAGE';
