/// <reference lib="esnext.disposable" />

/** The version of the native library. */
export declare const version: string;

/**
 * The index of a source tree, open for indexing and search.
 *
 * Calls may overlap: searches do not wait for an index run, and see each of its commits as it is made. Index runs
 * wait for each other. An engine that is open does not keep the process alive; a call that is under way does.
 */
export declare class Engine {
  private constructor();

  /**
   * Opens an index. It is made if it is missing, unless `readOnly` is set.
   *
   * Rejects with `ERR_INDEX_MISSING`, `ERR_INDEX_LOCKED` if another process has it open for writing,
   * `ERR_INDEX_CORRUPT`, `ERR_NOT_AN_INDEX`, `ERR_INDEX_VERSION`, `ERR_INDEX_OPEN` or `ERR_READ_ONLY`.
   */
  static open(options: OpenOptions): Promise<Engine>;

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
   * Finds the pieces of the tree that best match a few words, a name, or a question. The same query on the same
   * index gives the same answer.
   *
   * Rejects with `ERR_INVALID_ARGUMENT` if there is no word in the text, and `ERR_INDEX_OUTDATED` if the index was
   * made with another embedder.
   */
  search(text: string, options?: SearchOptions): Promise<SearchReply>;

  /** What the index holds, what it left out and why, and how the tree differs from it. */
  status(): Promise<StatusReport>;

  /**
   * Closes the index: cancels index runs, waits for the calls that are under way, and lets go of the file. Later
   * calls reject with `ERR_CLOSED`. May be called again.
   */
  close(): Promise<void>;

  /** The same as `close`, for `await using`. Node has it since 20.4. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type OpenOptions = {
  /** Default: false. For search only: any number of processes can at a time, also while another one writes. */
  readOnly?: boolean | undefined;
} & (
  | {
      /** Where the index is. Its folder must exist. */
      database: string;
      root?: undefined;
    }
  | {
      /** The tree whose index it is: the file `.ast-core/index.db` in it. */
      root: string;
      database?: undefined;
    }
);

export interface IndexOptions {
  /** Parses every file again, whether it changed or not. Default: false. */
  rebuild?: boolean | undefined;
  /**
   * Is told of the progress, some ten times a second while files are worked on, and once more when all are done. What
   * it throws is a process warning, and the run goes on.
   */
  onProgress?: ((progress: IndexProgress) => void) | undefined;
  /** Cancels the run: it rejects with `ERR_CANCELLED`, and the signal's reason is the error's `cause`. */
  signal?: AbortSignal | undefined;
}

export interface SearchOptions {
  /** The most hits, from 1. Default: 10. */
  limit?: number | undefined;
  /** By words, by vectors, or by both. Default: `hybrid`. */
  mode?: 'hybrid' | 'lexical' | 'semantic' | undefined;
  /** Only files in one of these languages, such as `rust`; all if empty. */
  languages?: readonly string[] | undefined;
  /**
   * Only files whose path matches one of these globs; all if empty. `*` does not match `/`, `**` does; a pattern
   * without `/` matches the file name.
   */
  paths?: readonly string[] | undefined;
  /** Only definitions of one of these kinds; all if empty. */
  kinds?: readonly SymbolKind[] | undefined;
  /** Only hits of at least this score, from 0 to 1. Default: 0. */
  threshold?: number | undefined;
  /** Lines before and after each hit that are shown with it. Default: 0. */
  context?: number | undefined;
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
  /** Relative to the tree, with `/`. */
  path: string;
  reason: string;
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
export interface SearchHit {
  /** Relative to the tree, with `/`. */
  path: string;
  language: string;
  /** The first line, from 1. */
  startLine: number;
  /** The last line; it is part of the piece. */
  endLine: number;
  /** The first byte in the file on disk, from 0. These are bytes, not units of a JavaScript string. */
  startByte: number;
  /** The byte behind the last one. */
  endByte: number;
  /** The definition it is about; `null` if it is about none. */
  name: string | null;
  kind: SymbolKind | null;
  /** The names round that definition, outermost first. */
  scope: string[];
  /** From 0 to 1: 1 for what is first both by words and by vectors. */
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
  };
  /** Whether its file has changed since it was indexed; `null` if that could not be told. */
  changed: boolean | null;
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
  /** The version of its tables. */
  schemaVersion: number;
  /** The version of what is in them. */
  formatVersion: number;
  /** Each file that it does not hold wholly, in order of paths. */
  failures: FileFailure[];
  /** What differs between the tree and the index; `null` if the tree could not be looked at. */
  stale: { path: string; change: 'new' | 'changed' | 'removed' }[] | null;
}

/** What every call rejects with. */
export declare class AstCoreError extends Error {
  constructor(code: AstCoreErrorCode, message: string, options?: { cause?: unknown });
  /** Stable, unlike the message. */
  readonly code: AstCoreErrorCode;
}

export type AstCoreErrorCode =
  /** The index run was cancelled, by its signal or by `close`. What was committed is kept. */
  | 'ERR_CANCELLED'
  /** The engine is closed. */
  | 'ERR_CLOSED'
  /** There is no space left on the device. What was committed is kept. */
  | 'ERR_DISK_FULL'
  /** The embedder failed. */
  | 'ERR_EMBEDDER'
  /** The index is damaged: delete it and index the tree again. */
  | 'ERR_INDEX_CORRUPT'
  /** Another process wrote to the index although this one had it open for writing: close the engine and open it again. */
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
  /** The index is of another tree. */
  | 'ERR_OTHER_TREE'
  /** The index is open for search only, or cannot be written. */
  | 'ERR_READ_ONLY'
  /** Threads could not be started. */
  | 'ERR_THREADS';
