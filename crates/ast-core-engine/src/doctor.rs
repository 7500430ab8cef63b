//! Looking for damage in an index, and mending it.

use crate::embeddings::Embeddings;
use crate::engine::blocking;
use crate::engine::meta_key;
use crate::metrics::Metrics;
use crate::prepare::Deriver;
use crate::{CancelToken, Engine, EngineConfig, EngineError, vector_file, vectors};
use ast_core_embed::EmbedError;
use ast_core_parse::SourceText;
use ast_core_storage::{
    Access, Derive, Derived, Document, FileRecord, Finding, Part, Remedy, SqliteStore, Store, StoreError,
    Verification, WriteBatch,
};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How damage is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DoctorOptions {
    /// Mends what is found. Nobody else can write meanwhile.
    pub repair: bool,
}

/// What is wrong with an index, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoctorReport {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What is still wrong: all of it unless it was to be mended.
    pub remaining: Vec<Finding>,
    /// Where a database that could not be read is now.
    pub set_aside: Option<PathBuf>,
    /// Whether files were taken out that the next index run has to read again.
    pub needs_index: bool,
    /// How many files were looked at.
    pub files: u64,
    /// How many chunks they have.
    pub chunks: u64,
    /// How many pages of the index of words were read.
    pub pages: u64,
    /// From beginning to end.
    pub elapsed: Duration,
}

impl DoctorReport {
    /// Whether nothing is wrong, or no longer.
    pub fn is_sound(&self) -> bool {
        self.remaining.is_empty()
    }
}

/// What the pipeline is noted as if nobody knows any more: the next run makes everything anew.
const UNKNOWN: &str = "unknown";

impl Engine {
    /// Reads the whole index of the configuration, and says what is wrong with it: what SQLite finds, each row, each
    /// document against the hash of its source, and everything that follows from documents (definitions, kinds, vectors,
    /// words) against what follows from them now.
    ///
    /// If it is to be repaired, what follows from documents is made anew; a file whose document is damaged is taken out,
    /// for the next index run to read again; and a database that cannot be read is given another name, and a new one
    /// made. Whether the configuration is for reading or writing does not matter.
    ///
    /// # Errors
    /// [`EngineError::OtherPipeline`] if the index was made by other settings, so that what it should hold is not known;
    /// [`EngineError::Embed`] if the embedder cannot be asked, so that neither is known;
    /// [`EngineError::Store`] if there is none, or it is not ours, is being written by somebody else, or may not be read
    /// or written. Damage is no error.
    pub async fn doctor(config: EngineConfig, options: &DoctorOptions) -> Result<DoctorReport, EngineError> {
        let begin = Instant::now();
        let config =
            EngineConfig { access: if options.repair { Access::Write } else { Access::Read }, ..config };
        if !config.database.exists() {
            return Err(StoreError::Missing { path: config.database }.into());
        }
        let mut report = match SqliteStore::open(&config.database, config.access, &config.store).await {
            Ok(store) => {
                let report = examine(&store, &config, options).await;
                store.close().await;
                report?
            }
            Err(StoreError::NotADatabase { path }) if !SqliteStore::was_written_at(&path) => {
                return Err(StoreError::NotADatabase { path }.into());
            }
            Err(error) => unreadable(error)?,
        };
        if options.repair && report.remaining.iter().any(|finding| finding.remedy == Remedy::SetAside) {
            // A copy of what is not there any more.
            vector_file::remove(&config.database);
            report.set_aside = Some(SqliteStore::set_aside(&config.database)?);
            // Readers find an index without files, not none.
            SqliteStore::open(&config.database, Access::Write, &config.store).await?.close().await;
            report.remaining.clear();
            report.needs_index = true;
        }
        report.elapsed = begin.elapsed();
        Ok(report)
    }
}

/// A database that cannot even be opened, as a finding.
fn unreadable(error: StoreError) -> Result<DoctorReport, EngineError> {
    let found = match error {
        StoreError::Corrupt { reason, .. } => reason,
        StoreError::NotADatabase { .. } => "no database".to_owned(),
        other => return Err(other.into()),
    };
    let finding = Finding::new(Part::Database, found, "a sound database", Remedy::SetAside);
    Ok(report(vec![finding.clone()], vec![finding], Verification::default()))
}

fn report(findings: Vec<Finding>, remaining: Vec<Finding>, looked_at: Verification) -> DoctorReport {
    DoctorReport {
        findings,
        remaining,
        set_aside: None,
        needs_index: false,
        files: looked_at.files,
        chunks: looked_at.chunks,
        pages: looked_at.pages,
        elapsed: Duration::ZERO,
    }
}

async fn examine(
    store: &dyn Store,
    config: &EngineConfig,
    options: &DoctorOptions,
) -> Result<DoctorReport, EngineError> {
    let pipeline = match store.meta(meta_key::PIPELINE).await {
        Ok(pipeline) => pipeline,
        Err(error) => return unreadable(error),
    };
    if let Some(indexed) = pipeline.filter(|indexed| *indexed != config.pipeline() && indexed != UNKNOWN) {
        let (database, current) = (config.database.clone(), config.pipeline());
        return Err(EngineError::OtherPipeline { database, indexed, current });
    }
    let settings = config.clone();
    let embeddings = blocking(move || Embeddings::open(&settings, Metrics::off())).await??;
    let unavailable = Arc::<Mutex<Option<EmbedError>>>::default();
    let derive = || {
        let deriver = Deriver::new(Some(embeddings.clone()), Metrics::off());
        let keeps_vectors = vectors::are_kept(config);
        Box::new(FromSource { deriver, keeps_vectors, unavailable: unavailable.clone() })
    };
    let is_available = || match unavailable.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(EngineError::Embed(error)),
        None => Ok(()),
    };
    if options.repair && config.embedder.is_costly() {
        // What cannot be embedded now is not damaged: nothing is mended before that is known of none.
        let looked = store.verify(derive()).await;
        is_available()?;
        if let Err(error) = looked {
            return unreadable(error);
        }
    }
    let looked = match options.repair {
        true => store.repair(derive()).await.map(|repair| (repair.before, repair.after)),
        false => store.verify(derive()).await.map(|found| (found.clone(), found)),
    };
    is_available()?;
    let (before, after) = match looked {
        Ok(looked) => looked,
        Err(error) => return unreadable(error),
    };
    let is_changed = options.repair && !before.findings.is_empty();
    let is_set_aside = before.findings.iter().any(|finding| finding.remedy == Remedy::SetAside);
    let mut report = report(before.findings.clone(), after.findings, before);
    if is_set_aside {
        return Ok(report);
    }
    let (findings, mended) = check_meta(store, config).await?;
    report.findings.extend(findings.iter().cloned());
    let of_copy = vector_file::check(store, config).await?;
    report.findings.extend(of_copy.iter().cloned());
    if !options.repair {
        report.remaining.extend(findings);
        report.remaining.extend(of_copy);
        return Ok(report);
    }
    let is_mended = |finding: &&Finding| !report.remaining.contains(finding);
    report.needs_index = report.findings.iter().filter(is_mended).any(|finding| finding.remedy.needs_index());
    let mut meta = mended;
    if report.needs_index {
        meta.push((meta_key::COMPLETE.into(), "false".into()));
    }
    if !meta.is_empty() {
        store.commit(WriteBatch { meta, ..WriteBatch::default() }).await?;
    }
    store.settle().await?;
    if is_changed || !of_copy.is_empty() {
        report.remaining.extend(mend_vector_file(store, config).await?);
    }
    Ok(report)
}

/// Writes the vector file anew: the vectors may be others now. What is wrong with it after that.
async fn mend_vector_file(store: &dyn Store, config: &EngineConfig) -> Result<Vec<Finding>, EngineError> {
    let versions = vector_file::versions(store, config).await?;
    match vector_file::write(store, config, &Metrics::off(), &versions, None, &CancelToken::new()).await {
        Ok(_) => {}
        // Whoever opens it finds out, and does without.
        Err(EngineError::Vector(error)) => tracing::warn!(%error, "the vector file could not be written"),
        Err(error) => return Err(error),
    }
    vector_file::check(store, config).await
}

/// What is wrong with what the engine noted beside the rows, and what is to be noted instead.
async fn check_meta(
    store: &dyn Store,
    config: &EngineConfig,
) -> Result<(Vec<Finding>, Vec<(String, String)>), EngineError> {
    let files = match store.files().await {
        Ok(files) => files,
        // That is found already, and what is noted cannot be held against it.
        Err(StoreError::Corrupt { .. }) => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(error.into()),
    };
    let mut findings = Vec::new();
    let mut mended = Vec::new();
    let mut wrong = |key: &str, found: Option<String>, expected: &str, set: String, remedy| {
        let found = format!("{key} {}", found.map_or("not set".into(), |found| format!("{found:?}")));
        findings.push(Finding::new(Part::Meta, found, expected, remedy));
        mended.push((key.to_owned(), set));
    };
    let next = store.meta(meta_key::NEXT_FILE_ID).await?;
    let least = files.iter().map(|file| file.id.get() + 1).max().unwrap_or(1);
    let is_beyond = |text: &String| text.parse::<u64>().is_ok_and(|next| next >= least);
    if !next.as_ref().map_or(files.is_empty(), is_beyond) {
        // What was given to files that are gone is not known, and they are not to be met again.
        let set = least.saturating_add(MORE_THAN_WERE_GIVEN);
        wrong(meta_key::NEXT_FILE_ID, next, &format!("at least {least}"), set.to_string(), Remedy::Set);
    }
    let model = config.embedder.model();
    let dimension = model.dimension.to_string();
    for (key, expected) in [(meta_key::EMBEDDER, &model.id), (meta_key::DIMENSION, &dimension)] {
        let found = store.meta(key).await?;
        if !found.as_ref().map_or(files.is_empty(), |found| found == expected) {
            wrong(key, found, expected, expected.clone(), Remedy::Set);
        }
    }
    let pipeline = store.meta(meta_key::PIPELINE).await?;
    if pipeline.is_none() && !files.is_empty() {
        wrong(meta_key::PIPELINE, pipeline, "what made the index", UNKNOWN.into(), Remedy::ReadAgain);
    }
    for key in [meta_key::LAST_RUN, meta_key::IGNORED, meta_key::UNSUPPORTED] {
        let found = store.meta(key).await?;
        if found.as_ref().is_some_and(|text| text.parse::<u64>().is_err()) {
            wrong(key, found, "a number", "0".into(), Remedy::Set);
        }
    }
    let complete = store.meta(meta_key::COMPLETE).await?;
    if complete.as_ref().is_some_and(|text| !["true", "false"].contains(&text.as_str())) {
        wrong(meta_key::COMPLETE, complete, "true or false", "false".into(), Remedy::Set);
    }
    Ok((findings, mended))
}

/// So many ids are passed over where it is not known which were given; there are 2,048 times as many.
const MORE_THAN_WERE_GIVEN: u64 = 1 << 32;

/// Makes from the source in a document what an index run made of it.
struct FromSource {
    deriver: Deriver,
    keeps_vectors: bool,
    /// That the embedder could not be asked, which is no fault of the document's.
    unavailable: Arc<Mutex<Option<EmbedError>>>,
}

impl Derive for FromSource {
    fn derive(&mut self, record: &FileRecord, document: &Document) -> Result<Derived, String> {
        let Document { source, symbols, chunks, .. } = document;
        let text = SourceText::decode(source).map_err(|error| error.to_string())?;
        let text = text.named(record.path.file_stem());
        let derived = self.deriver.derive(&record.path, &text, symbols, chunks);
        let (terms, vectors) = derived.map_err(|error| {
            let reason = error.to_string();
            if let EmbedError::Unavailable { .. } = error {
                self.unavailable.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            reason
        })?;
        Ok(Derived { terms, vectors })
    }

    fn keeps_vectors(&self) -> bool {
        self.keeps_vectors
    }
}
