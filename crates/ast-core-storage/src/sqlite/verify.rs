//! Holds all that a store says against each other.

use super::fence::{REPOSITORY, WRITER, number, value};
use super::files::{FileRow, ROWS};
use super::pages::{PageTable, Pages};
use super::store::GENERATION;
use super::{SqliteStore, checksum, direct};
use crate::names::names_of;
use crate::signatures::signature_of;
use crate::vectors::{codes_of, kinds_of};
use crate::{
    Derive, Derived, Document, FileRecord, Finding, Part, Remedy, RepositoryId, StoreError, Verification,
};
use ast_core_lexical::{FileTerms, LexicalError, Manifest, PageId, Verify};
use ast_core_model::{ChunkId, ContentHash, FileId, RepoPath, Span};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is wrong with the store, by what is to be done about it.
#[derive(Debug, Default)]
pub(crate) struct Diagnosis {
    pub(crate) verification: Verification,
    /// Files that are to be taken out, by the numbers in their rows.
    pub(crate) drop: BTreeSet<i64>,
    /// Files of which vectors, kinds, signatures or the number of definitions are to be made anew.
    pub(crate) derive: BTreeSet<FileId>,
    /// Indexes that are to be made anew.
    pub(crate) rebuild: BTreeSet<PageTable>,
    /// What the number of the last commit is to be, if it is not to stay.
    pub(crate) generation: Option<i64>,
    /// Whether the store does not say which repository it is of.
    pub(crate) has_no_repository: bool,
}

impl Diagnosis {
    fn add(&mut self, finding: Finding) {
        self.verification.findings.push(finding);
    }
}

impl SqliteStore {
    /// In memory it has about 40 bytes a chunk.
    pub(crate) async fn verify(&self, mut derive: Box<dyn Derive>) -> Result<Verification, StoreError> {
        let connection = self.reader().await?;
        direct::read(connection, self.path.clone(), move |connection, path| {
            let begun = connection.transaction().map_err(|error| StoreError::from_rusqlite(path, error))?;
            Ok(diagnose(&begun, path, &mut *derive)?.verification)
        })
        .await
    }
}

/// Damage that makes reading impossible is a finding, too.
pub(crate) fn diagnose(
    connection: &Connection,
    path: &Path,
    derive: &mut dyn Derive,
) -> Result<Diagnosis, StoreError> {
    let mut diagnosis = Diagnosis::default();
    match look(connection, path, derive, &mut diagnosis) {
        Err(StoreError::Corrupt { reason, .. }) => {
            diagnosis.add(Finding::new(Part::Database, reason, "rows that can be read", Remedy::SetAside));
        }
        Err(StoreError::NotADatabase { .. }) => {
            diagnosis.add(Finding::new(Part::Database, "no database", "a database", Remedy::SetAside));
        }
        other => other?,
    }
    Ok(diagnosis)
}

fn look(
    connection: &Connection,
    path: &Path,
    derive: &mut dyn Derive,
    diagnosis: &mut Diagnosis,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    check_database(connection, diagnosis).map_err(failed)?;
    if diagnosis.verification.findings.iter().any(|finding| finding.remedy == Remedy::SetAside) {
        // What is read now may be of another row.
        return Ok(());
    }
    let files = check_files(connection, diagnosis).map_err(failed)?;
    check_generation(connection, diagnosis).map_err(failed)?;
    check_identity(connection, diagnosis).map_err(failed)?;
    check_orphans(connection, diagnosis).map_err(failed)?;
    let expected = check_contents(connection, &files, derive, diagnosis).map_err(failed)?;
    check_pages(connection, path, PageTable::Words, &expected.words, &files, diagnosis)?;
    check_pages(connection, path, PageTable::Names, &expected.names, &files, diagnosis)
}

/// How many faults SQLite is to look for.
const MOST_FAULTS: u32 = 100;

fn check_database(connection: &Connection, diagnosis: &mut Diagnosis) -> rusqlite::Result<()> {
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({MOST_FAULTS})"))?;
    let faults: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for fault in faults.into_iter().filter(|fault| fault != "ok") {
        // What an index says that its table does not can be made anew; all other damage loses something.
        let is_of_index = fault.contains(" index ") && !fault.contains("page");
        let remedy = if is_of_index { Remedy::Reindex } else { Remedy::SetAside };
        diagnosis.add(Finding::new(Part::Database, fault, "a sound database", remedy));
    }
    Ok(())
}

/// The files whose rows are as they should be, by their ids.
type Files = BTreeMap<FileId, FileRecord>;

fn check_files(connection: &Connection, diagnosis: &mut Diagnosis) -> rusqlite::Result<Files> {
    let mut statement = connection.prepare(ROWS)?;
    let mut rows = statement.query([])?;
    let mut files = BTreeMap::new();
    while let Some(row) = rows.next()? {
        diagnosis.verification.files += 1;
        let row = FileRow::read(row)?;
        let (id, path) = (row.id, row.path.clone());
        match row.check() {
            Ok(record) => drop(files.insert(record.id, record)),
            Err(found) => {
                diagnosis.drop.insert(id);
                let path = RepoPath::new(path.as_str()).ok();
                let found = format!("{found}, in the row of {path:?}");
                let expected = "a value that can have been written";
                diagnosis.add(Finding::new(Part::Files, found, expected, Remedy::ReadAgain).of(path));
            }
        }
    }
    Ok(files)
}

fn check_generation(connection: &Connection, diagnosis: &mut Diagnosis) -> rusqlite::Result<()> {
    let last: Option<i64> =
        connection.query_row("SELECT max(generation) FROM files", [], |row| row.get(0))?;
    let last = last.unwrap_or(0).max(0);
    let text = value(connection, GENERATION)?;
    let number = text.as_ref().map(|text| text.parse().ok().filter(|number: &i64| *number >= 0));
    // Before the first commit there is none.
    if number.unwrap_or(Some(0)).is_none_or(|number| number < last) {
        diagnosis.generation = Some(last);
        let found = format!("generation {text:?}");
        diagnosis.add(Finding::new(Part::Meta, found, format!("at least {last}"), Remedy::Set));
    }
    Ok(())
}

fn check_identity(connection: &Connection, diagnosis: &mut Diagnosis) -> rusqlite::Result<()> {
    let repository = value(connection, REPOSITORY)?;
    if repository.as_deref().is_none_or(|text| text.parse::<RepositoryId>().is_err()) {
        diagnosis.has_no_repository = true;
        let found = format!("repository {repository:?}");
        diagnosis.add(Finding::new(Part::Meta, found, "32 hexadecimal digits", Remedy::Set));
    }
    let writer = value(connection, WRITER)?;
    if writer.as_deref().and_then(number).is_none() {
        // Whoever opens the store to write sets it.
        let found = format!("writer {writer:?}");
        diagnosis.add(Finding::new(Part::Meta, found, "the number of the last writer", Remedy::Set));
    }
    Ok(())
}

/// Of each table the rows that are of no file: a condition, for a table whose rows are of files.
pub(crate) const ORPHANS: [(Part, &str, &str); 3] = [
    (Part::Documents, "documents", "file_id NOT IN (SELECT id FROM files)"),
    (Part::Vectors, "vectors", "file_id NOT IN (SELECT id FROM files)"),
    (Part::Signatures, "signatures", "file_id NOT IN (SELECT id FROM files)"),
];

fn check_orphans(connection: &Connection, diagnosis: &mut Diagnosis) -> rusqlite::Result<()> {
    for (part, table, condition) in ORPHANS {
        let count = format!("SELECT count(*) FROM {table} WHERE {condition}");
        let count: i64 = connection.query_row(&count, [], |row| row.get(0))?;
        if count > 0 {
            let found = format!("{count} rows of no file");
            diagnosis.add(Finding::new(part, found, "rows of files that there are", Remedy::Remove));
        }
    }
    Ok(())
}

/// What is to be in the indexes: documents in order, each with the fingerprint of its terms.
#[derive(Default)]
struct Expected {
    words: Vec<(ChunkId, u64)>,
    names: Vec<(ChunkId, u64)>,
}

impl Expected {
    fn add(&mut self, file: FileId, document: &Document, derived: &Derived) -> Result<(), LexicalError> {
        let words = FileTerms::new(&derived.terms)?;
        let names = names_of(document)?;
        let of_file = |terms: &FileTerms| {
            let ids = (0..).map_while(|ordinal| ChunkId::in_file(file, ordinal));
            ids.zip(terms.fingerprints()).collect::<Vec<_>>()
        };
        self.words.extend(of_file(&words));
        self.names.extend(of_file(&names));
        Ok(())
    }
}

fn check_contents(
    connection: &Connection,
    files: &Files,
    derive: &mut dyn Derive,
    diagnosis: &mut Diagnosis,
) -> rusqlite::Result<Expected> {
    let mut content = connection.prepare("SELECT content, checksum FROM documents WHERE file_id = ?")?;
    let mut vectors = connection.prepare("SELECT kinds, codes, checksum FROM vectors WHERE file_id = ?")?;
    let mut signatures = connection.prepare("SELECT bits, checksum FROM signatures WHERE file_id = ?")?;
    let mut counts = connection.prepare("SELECT symbols, chunks FROM files WHERE id = ?")?;
    let mut expected = Expected::default();
    for (id, record) in files {
        let number = id.get().cast_signed();
        let path = || Some(record.path.clone());
        let bytes: Option<(Vec<u8>, Option<i64>)> =
            content.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (document, derived) = match check_document(record, bytes.as_ref(), derive) {
            Ok(Some(checked)) => checked,
            Ok(None) => (Document::default(), Derived::default()),
            Err((found, expected)) => {
                diagnosis.drop.insert(number);
                let finding = Finding::new(Part::Documents, found, expected, Remedy::ReadAgain);
                diagnosis.add(finding.of(path()));
                continue;
            }
        };
        diagnosis.verification.chunks += document.chunks.len() as u64;
        let there = vectors.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let keeps = derive.keeps_vectors();
        if let Err((found, expected)) = check_vectors(*id, &document, &derived, keeps, there.optional()?) {
            diagnosis.derive.insert(*id);
            diagnosis.add(Finding::new(Part::Vectors, found, expected, Remedy::Derive).of(path()));
        }
        let there = signatures.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        // That of a file without a document is not looked at.
        if bytes.is_some()
            && let Err((found, expected)) = check_signature(*id, &document, there)
        {
            diagnosis.derive.insert(*id);
            diagnosis.add(Finding::new(Part::Signatures, found, expected, Remedy::Derive).of(path()));
        }
        let counts: (i64, Option<i64>) = counts.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let counted = [
            ("definitions", Some(counts.0), document.symbols.len()),
            ("chunks", counts.1, document.chunks.len()),
        ];
        // What was stored before chunks were counted is not told how many there are.
        for (what, counted, there) in
            counted.into_iter().filter_map(|(what, n, there)| Some((what, n?, there)))
        {
            if usize::try_from(counted) != Ok(there) {
                diagnosis.derive.insert(*id);
                let (found, wanted) = (format!("{counted} {what}"), format!("the {there} of its document"));
                diagnosis.add(Finding::new(Part::Files, found, wanted, Remedy::Derive).of(path()));
            }
        }
        // Of a file that has no document there is nothing to be found.
        if bytes.is_some()
            && let Err(error) = expected.add(*id, &document, &derived)
        {
            diagnosis.drop.insert(number);
            let found = Finding::new(Part::Documents, error.to_string(), "terms", Remedy::ReadAgain);
            diagnosis.add(found.of(path()));
        }
    }
    Ok(expected)
}

/// What is there, and what was expected.
type Difference = (String, String);

/// The document of a file and what follows from it, `None` if it is to have none.
fn check_document(
    record: &FileRecord,
    stored: Option<&(Vec<u8>, Option<i64>)>,
    derive: &mut dyn Derive,
) -> Result<Option<(Document, Derived)>, Difference> {
    let Some((bytes, noted)) = stored else {
        return match record.status.is_searchable() {
            true => Err(("no document".into(), format!("one, as the file is {}", record.status))),
            false => Ok(None),
        };
    };
    if !record.status.is_searchable() {
        return Err(("a document".into(), format!("none, as the file is {}", record.status)));
    }
    let sound = |reason| (reason, "a sound document".to_owned());
    let of = || checksum::of_row(record.id.get().cast_signed(), &[bytes]);
    checksum::check(*noted, of).map_err(sound)?;
    let document = Document::from_stored(bytes).map_err(sound)?;
    let hash = ContentHash::of(&document.source);
    if record.content_hash != Some(hash) {
        let recorded = record.content_hash.map_or("none".to_owned(), |hash| hash.to_string());
        return Err((
            format!("a source with the hash {hash}"),
            format!("the hash that was noted, {recorded}"),
        ));
    }
    let end = document.source.len() as u64;
    let within = |span: Span| span.start <= span.end && u64::from(span.end) <= end;
    let is_out = document.chunks.iter().any(|chunk| !within(chunk.span))
        || document.symbols.iter().any(|symbol| !within(symbol.extent) || !within(symbol.span));
    if is_out {
        return Err(sound(format!("a place beyond the {end} bytes of its source")));
    }
    let derived = derive.derive(record, &document).map_err(sound)?;
    if derived.terms.len() != document.chunks.len() {
        return Err(sound(format!("terms of {} chunks", derived.terms.len())));
    }
    Ok(Some((document, derived)))
}

fn check_vectors(
    file: FileId,
    document: &Document,
    derived: &Derived,
    keeps: bool,
    there: Option<(Vec<u8>, Vec<u8>, Option<i64>)>,
) -> Result<(), Difference> {
    let (kinds, codes) = (kinds_of(document), codes_of(document, &derived.vectors));
    let Some((found_kinds, found_codes, noted)) = there else {
        let expected = || format!("vectors of {} chunks", kinds.len());
        return if kinds.is_empty() { Ok(()) } else { Err(("none".into(), expected())) };
    };
    let of = || checksum::of_row(file.get().cast_signed(), &[&found_kinds, &found_codes]);
    checksum::check(noted, of).map_err(|found| (found, "the checksum that was noted".to_owned()))?;
    let is_without = !keeps && found_codes.is_empty();
    let codes = if is_without { Vec::new() } else { codes };
    if found_kinds.len() != kinds.len() || found_codes.len() != codes.len() {
        let size = |kinds: usize, codes: usize| format!("{kinds} kinds and {codes} values");
        return Err((size(found_kinds.len(), found_codes.len()), size(kinds.len(), codes.len())));
    }
    if found_kinds != kinds || kinds.is_empty() {
        return Err(("other kinds of chunks".into(), "those of its definitions".into()));
    }
    // Another machine may have rounded otherwise.
    let differ = |(a, b): (&u8, &u8)| a.cast_signed().abs_diff(b.cast_signed()) > 1;
    match found_codes.iter().zip(&codes).filter(|pair| differ(*pair)).count() {
        0 => Ok(()),
        count => Err((format!("{count} other values"), "the vectors of its chunks".into())),
    }
}

fn check_signature(
    file: FileId,
    document: &Document,
    there: Option<(Vec<u8>, i64)>,
) -> Result<(), Difference> {
    let expected = || "the signature of its source".to_owned();
    let (bits, noted) = there.ok_or_else(|| ("none".to_owned(), expected()))?;
    checksum::check(Some(noted), || checksum::of_row(file.get().cast_signed(), &[&bits]))
        .map_err(|found| (found, "the checksum that was noted".to_owned()))?;
    if bits == signature_of(&document.source) { Ok(()) } else { Err(("another".to_owned(), expected())) }
}

/// Holds a table of pages against the chunks that are to be in it.
fn check_pages(
    connection: &Connection,
    path: &Path,
    table: PageTable,
    expected: &[(ChunkId, u64)],
    files: &Files,
    diagnosis: &mut Diagnosis,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let add = |diagnosis: &mut Diagnosis, path, found: String, expected: &str| {
        diagnosis.rebuild.insert(table);
        diagnosis.add(Finding::new(table.part(), found, expected, Remedy::Derive).of(path));
    };
    let mut pages = Pages::of(connection, table).map_err(failed)?;
    let manifest = match pages.get(PageId::MANIFEST).map_err(failed)?.map(|page| Manifest::read(Some(page))) {
        None => Manifest::default(),
        Some(Ok(manifest)) => manifest,
        Some(Err(fault)) => {
            add(diagnosis, None, fault.to_string(), "a manifest");
            return Ok(());
        }
    };
    let verified = pages.run(Verify::new(&manifest)).map_err(|error| error.into_store_error(path))?;
    diagnosis.verification.pages += verified.pages;
    let strangers = pages.names().map_err(failed)?;
    let strangers = strangers.iter().filter(|page| !page.is_some_and(|page| manifest.names(page))).count();
    if strangers > 0 {
        add(diagnosis, None, format!("{strangers} pages that nothing names"), "pages of the index");
    }
    for fault in &verified.faults {
        let (LexicalError::Damaged { .. } | LexicalError::Missing { .. }) = fault else { continue };
        add(diagnosis, None, fault.to_string(), "a sound page");
    }
    if !verified.faults.is_empty() {
        // What is missing is missing for that.
        return Ok(());
    }
    let wrong = differing_files(expected, &verified.documents);
    for file in wrong {
        if diagnosis.drop.contains(&file.get().cast_signed()) {
            continue;
        }
        let path = files.get(&file).map(|record| record.path.clone());
        let found = match path {
            Some(_) => "other terms than those of its document".to_owned(),
            None => format!("terms of {file:?}, which is not there"),
        };
        add(diagnosis, path, found, "the terms of each document, once");
    }
    Ok(())
}

/// The files of which there are other documents than expected; both are in order.
fn differing_files(expected: &[(ChunkId, u64)], found: &[(ChunkId, u64)]) -> BTreeSet<FileId> {
    let mut differing = BTreeSet::new();
    let (mut expected, mut found) = (expected.iter().peekable(), found.iter().peekable());
    loop {
        let differs = match (expected.peek(), found.peek()) {
            (None, None) => return differing,
            (Some(one), Some(other)) if one == other => {
                expected.next();
                found.next();
                continue;
            }
            (Some(one), Some(other)) if one <= other => expected.next(),
            (Some(_), None) => expected.next(),
            (_, Some(_)) => found.next(),
        };
        differing.extend(differs.map(|(chunk, _)| chunk.file()));
    }
}
