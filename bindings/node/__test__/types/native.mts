// What the native library has is what `index.d.ts` says: the shapes that are handed on as they are, or nearly so, have the
// same properties there. Those that are read from columns and records are checked where they are read.

import type * as told from 'ast-core-engine';
import type * as native from '../../native.js';

/** A type with its words as strings, and with all that may be left out; the library knows of no more. */
type Plain<T> = T extends string
  ? string
  : T extends number | boolean | null | Float32Array | Int32Array | Uint8Array | Uint32Array
    ? T
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : { [Key in keyof T]-?: Plain<Exclude<T[Key], undefined>> };

type Same<One, Other> = [Plain<One>, Plain<Other>] extends [Plain<Other>, Plain<One>] ? true : false;

/** Fails to compile if two types are not the same. */
function same<One, Other>(_: Same<One, Other>): void {}

same<native.Configuration, told.Configuration>(true);
same<native.IndexProgress, told.IndexProgress>(true);
same<native.IndexReport, told.IndexReport>(true);
same<native.FileCounts, told.FileCounts>(true);
same<native.FileFailure, told.FileFailure>(true);
same<native.BatchProgress, told.BatchProgress>(true);
same<native.StatusReport, told.StatusReport>(true);
same<native.HealthReport, Omit<told.HealthReport, 'verified'>>(true);
same<native.VerifyReport, NonNullable<told.HealthReport['verified']>>(true);
same<native.ProcessFigures, told.MetricsSnapshot['process']>(true);
same<native.SystemFigures, told.MetricsSnapshot['system']>(true);
same<native.IndexMetrics, told.EngineMetrics['index']>(true);
same<native.SearchMetrics, told.EngineMetrics['search']>(true);
same<Omit<native.StageMetrics, 'stage'>, told.StageMetrics>(true);
same<native.LanguageInfo, (typeof told.languages)[number]>(true);
same<native.Collection, told.CollectionInfo>(true);

same<native.SymbolColumns, told.SymbolColumns>(true);
same<native.AnnotationColumns, told.AnnotationColumns>(true);
same<native.ReferenceColumns, told.ReferenceColumns>(true);
same<native.ChunkColumns, told.ChunkColumns>(true);
same<native.ListedColumns, told.ListedColumns>(true);
same<Pick<native.FileColumns, keyof told.FileColumns>, told.FileColumns>(true);

same<native.SearchOptions, Omit<told.SearchOptions, 'signal'>>(true);
same<native.ReferenceOptions, Omit<told.ReferenceOptions, 'signal'>>(true);
same<native.SymbolOptions, Omit<told.SymbolOptions, 'signal'>>(true);
same<native.WatchOptions, Omit<told.WatchOptions, 'signal'>>(true);
same<native.IndexOptions, Omit<told.IndexOptions, 'signal' | 'onProgress'>>(true);
