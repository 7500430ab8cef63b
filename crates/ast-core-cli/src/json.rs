//! The documents that go out, as docs/cli.md has them. A change here is a change of the contract.

use crate::commands::LeftOut;
use ast_core_engine::{
    DoctorReport, FileCounts, IndexReport, Language, Outline, PlanReport, ReferenceKind, SearchHit,
    SearchReply, StatusReport, VectorFileReport, VectorFileState, scope_of,
};
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;

const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub(crate) struct Files {
    seen: u64,
    indexed: u64,
    unchanged: u64,
    removed: u64,
    skipped: Skipped,
}

#[derive(Serialize)]
struct Skipped {
    ignored: u64,
    too_large: u64,
    binary: u64,
    unsupported: u64,
    timeout: u64,
    error: u64,
}

impl From<&FileCounts> for Files {
    fn from(counts: &FileCounts) -> Self {
        Self {
            seen: counts.seen(),
            indexed: counts.indexed,
            unchanged: counts.unchanged,
            removed: counts.removed,
            skipped: Skipped {
                ignored: counts.ignored,
                too_large: counts.too_large,
                binary: counts.binary,
                unsupported: counts.unsupported,
                timeout: counts.timed_out,
                error: counts.failed,
            },
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Failure<'a> {
    path: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a ast_core_engine::Failure> for Failure<'a> {
    fn from(failure: &'a ast_core_engine::Failure) -> Self {
        Self { path: &failure.path, reason: &failure.reason }
    }
}

#[derive(Serialize)]
pub(crate) struct Index<'a> {
    schema: u32,
    files: Files,
    bytes: u64,
    lines: u64,
    symbols: u64,
    chunks: u64,
    elapsed_ms: u64,
    peak_rss_bytes: Option<u64>,
    generation: u64,
    failures: Vec<Failure<'a>>,
}

impl<'a> From<&'a IndexReport> for Index<'a> {
    fn from(report: &'a IndexReport) -> Self {
        Self {
            schema: SCHEMA,
            files: (&report.files).into(),
            bytes: report.bytes,
            lines: report.lines,
            symbols: report.symbols,
            chunks: report.chunks,
            elapsed_ms: milliseconds(report.elapsed),
            peak_rss_bytes: report.peak_rss_bytes,
            generation: report.generation,
            failures: report.failures.iter().map(Failure::from).collect(),
        }
    }
}

/// Something that is wrong with an index.
#[derive(Serialize)]
pub(crate) struct Finding<'a> {
    part: &'static str,
    path: Option<&'a str>,
    found: &'a str,
    expected: &'a str,
    remedy: &'static str,
    mended: bool,
}

impl<'a> Finding<'a> {
    pub(crate) fn of(finding: &'a ast_core_engine::Finding, report: &DoctorReport) -> Self {
        Self {
            part: finding.part.as_str(),
            path: finding.path.as_ref().map(|path| path.as_str()),
            found: &finding.found,
            expected: &finding.expected,
            remedy: finding.remedy.as_str(),
            mended: !report.remaining.contains(finding),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Doctor<'a> {
    schema: u32,
    sound: bool,
    findings: Vec<Finding<'a>>,
    set_aside: Option<String>,
    needs_index: bool,
    files: u64,
    chunks: u64,
    pages: u64,
    elapsed_ms: u64,
}

impl<'a> From<&'a DoctorReport> for Doctor<'a> {
    fn from(report: &'a DoctorReport) -> Self {
        Self {
            schema: SCHEMA,
            sound: report.is_sound(),
            findings: report.findings.iter().map(|finding| Finding::of(finding, report)).collect(),
            set_aside: report.set_aside.as_ref().map(|path| path.display().to_string()),
            needs_index: report.needs_index,
            files: report.files,
            chunks: report.chunks,
            pages: report.pages,
            elapsed_ms: milliseconds(report.elapsed),
        }
    }
}

/// What a watch tells, one document each.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum WatchEvent<'a> {
    Ready {
        watched: Option<usize>,
        #[serde(flatten)]
        report: Index<'a>,
    },
    Updated {
        #[serde(flatten)]
        report: Index<'a>,
    },
    Failed {
        schema: u32,
        error: String,
    },
}

impl<'a> WatchEvent<'a> {
    /// `None` for what has no document.
    pub(crate) fn of(event: &'a ast_core_engine::WatchEvent) -> Option<Self> {
        use ast_core_engine::WatchEvent as Event;
        Some(match event {
            Event::Ready { report, watched } => Self::Ready { watched: *watched, report: report.into() },
            Event::Updated { report } => Self::Updated { report: report.into() },
            Event::Failed { error } => Self::Failed { schema: SCHEMA, error: error.to_string() },
            _ => return None,
        })
    }
}

#[derive(Serialize)]
pub(crate) struct Plan<'a> {
    schema: u32,
    files: Files,
    new: &'a [String],
    changed: &'a [String],
    removed: &'a [String],
}

impl<'a> From<&'a PlanReport> for Plan<'a> {
    fn from(report: &'a PlanReport) -> Self {
        Self {
            schema: SCHEMA,
            files: (&report.files).into(),
            new: &report.new,
            changed: &report.changed,
            removed: &report.removed,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Search<'a> {
    schema: u32,
    query: &'a str,
    took_ms: f64,
    generation: u64,
    hits: Vec<Hit<'a>>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(query: &'a str, reply: &'a SearchReply) -> Self {
        Self {
            schema: SCHEMA,
            query,
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            hits: reply.hits.iter().map(Hit::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Hit<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    language: &'a str,
    kind: Option<&'static str>,
    name: Option<&'a str>,
    scope: &'a [String],
    score: f64,
    snippet: &'a str,
    why: Why,
}

#[derive(Serialize)]
struct Why {
    lexical: Option<f64>,
    semantic: Option<f64>,
    boosts: Vec<(&'static str, f64)>,
}

impl<'a> From<&'a SearchHit> for Hit<'a> {
    fn from(hit: &'a SearchHit) -> Self {
        Self {
            path: hit.path.as_str(),
            start_line: hit.lines.start,
            end_line: hit.lines.end,
            language: hit.language.as_str(),
            kind: hit.kind.map(|kind| kind.as_str()),
            name: hit.name.as_deref(),
            scope: &hit.scope,
            score: rounded(hit.score),
            snippet: &hit.snippet,
            why: Why {
                lexical: hit.why.lexical.map(rounded),
                semantic: hit.why.semantic.map(rounded),
                boosts: hit.why.boosts.iter().map(|(name, value)| (*name, rounded(*value))).collect(),
            },
        }
    }
}

#[derive(Serialize)]
struct Definition<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    language: &'a str,
    kind: &'static str,
    name: &'a str,
    scope: &'a [String],
    signature: &'a str,
}

impl<'a> From<&'a ast_core_engine::Definition> for Definition<'a> {
    fn from(definition: &'a ast_core_engine::Definition) -> Self {
        Self {
            path: definition.path.as_str(),
            start_line: definition.lines.start,
            end_line: definition.lines.end,
            language: definition.language.as_str(),
            kind: definition.kind.as_str(),
            name: &definition.name,
            scope: &definition.scope,
            signature: &definition.signature,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Mentions<'a> {
    schema: u32,
    query: &'a str,
    took_ms: f64,
    generation: u64,
    complete: bool,
    definitions: Vec<Definition<'a>>,
    more_definitions: bool,
    references: Vec<Mention<'a>>,
    unread_files: usize,
}

impl<'a> Mentions<'a> {
    pub(crate) fn new(query: &'a str, reply: &'a ast_core_engine::ReferenceReply) -> Self {
        Self {
            schema: SCHEMA,
            query,
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            complete: reply.complete,
            definitions: reply.definitions.iter().map(Definition::from).collect(),
            more_definitions: reply.more_definitions,
            references: reply.mentions.iter().map(Mention::from).collect(),
            unread_files: reply.unread_files,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Mention<'a> {
    path: &'a str,
    language: &'a str,
    reference: &'static str,
    name: &'a str,
    qualifier: Option<&'a str>,
    alias: Option<&'a str>,
    line: u32,
    start_byte: u32,
    end_byte: u32,
    text: &'a str,
    within: Option<Definition<'a>>,
    evidence: &'static str,
    /// Places in the list of definitions.
    targets: &'a [usize],
    changed: Option<bool>,
}

impl<'a> From<&'a ast_core_engine::Mention> for Mention<'a> {
    fn from(mention: &'a ast_core_engine::Mention) -> Self {
        Self {
            path: mention.path.as_str(),
            language: mention.language.as_str(),
            reference: mention.kind.as_str(),
            name: &mention.name,
            qualifier: mention.qualifier.as_deref(),
            alias: mention.alias.as_deref(),
            line: mention.line,
            start_byte: mention.span.start,
            end_byte: mention.span.end,
            text: &mention.text,
            within: mention.within.as_ref().map(Definition::from),
            evidence: mention.evidence.as_str(),
            targets: &mention.targets,
            changed: mention.changed,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Callees<'a> {
    schema: u32,
    query: &'a str,
    took_ms: f64,
    generation: u64,
    complete: bool,
    definitions: Vec<Definition<'a>>,
    more_definitions: bool,
    callees: Vec<Callee<'a>>,
    more: bool,
}

impl<'a> Callees<'a> {
    pub(crate) fn new(query: &'a str, reply: &'a ast_core_engine::CalleeReply) -> Self {
        Self {
            schema: SCHEMA,
            query,
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            complete: reply.complete,
            definitions: reply.definitions.iter().map(Definition::from).collect(),
            more_definitions: reply.more_definitions,
            callees: reply.callees.iter().map(|callee| Callee::of(reply, callee)).collect(),
            more: reply.more,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Callee<'a> {
    caller: Definition<'a>,
    name: &'a str,
    qualifier: Option<&'a str>,
    lines: &'a [u32],
    evidence: &'static str,
    targets: Vec<Definition<'a>>,
    target_count: usize,
}

impl<'a> Callee<'a> {
    pub(crate) fn of(reply: &'a ast_core_engine::CalleeReply, callee: &'a ast_core_engine::Callee) -> Self {
        Self {
            caller: (&reply.definitions[callee.caller]).into(),
            name: &callee.name,
            qualifier: callee.qualifier.as_deref(),
            lines: &callee.lines,
            evidence: callee.evidence.as_str(),
            targets: callee.targets.iter().map(Definition::from).collect(),
            target_count: callee.target_count,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Symbol<'a> {
    path: &'a str,
    language: &'a str,
    name: &'a str,
    kind: &'static str,
    start_line: u32,
    end_line: u32,
    start_byte: u32,
    end_byte: u32,
    scope: Vec<&'a str>,
    signature: &'a str,
    doc: Option<&'a str>,
    visibility: Option<&'static str>,
}

impl<'a> Symbol<'a> {
    fn new(outline: &'a Outline, index: usize) -> Self {
        let symbol = &outline.file.symbols[index];
        Self {
            path: &outline.path,
            language: outline.file.language.as_str(),
            name: &symbol.name,
            kind: symbol.kind.as_str(),
            start_line: symbol.lines.start,
            end_line: symbol.lines.end,
            start_byte: symbol.span.start,
            end_byte: symbol.span.end,
            scope: scope_of(&outline.file.symbols, index),
            signature: &symbol.signature,
            doc: symbol.doc.as_deref(),
            visibility: symbol.visibility.map(|visibility| visibility.as_str()),
        }
    }

    pub(crate) fn all_of(outline: &'a Outline) -> impl Iterator<Item = Self> {
        (0..outline.file.symbols.len()).map(|index| Self::new(outline, index))
    }
}

#[derive(Serialize)]
pub(crate) struct Reference<'a> {
    path: &'a str,
    language: &'a str,
    reference: &'static str,
    name: &'a str,
    qualifier: Option<&'a str>,
    alias: Option<&'a str>,
    line: u32,
    start_byte: u32,
    end_byte: u32,
    /// The names of the definitions it is inside of.
    scope: Vec<&'a str>,
}

impl<'a> Reference<'a> {
    pub(crate) fn all_of(outline: &'a Outline) -> impl Iterator<Item = Self> {
        let symbols = &outline.file.symbols;
        outline.file.references.iter().map(move |reference| {
            let inside = reference.symbol.map(|index| index as usize).filter(|&index| index < symbols.len());
            let mut scope = inside.map_or(Vec::new(), |index| scope_of(symbols, index));
            scope.extend(inside.map(|index| &*symbols[index].name));
            Self {
                path: &outline.path,
                language: outline.file.language.as_str(),
                reference: reference.kind.as_str(),
                name: &reference.name,
                qualifier: reference.qualifier.as_deref(),
                alias: reference.alias.as_deref(),
                line: reference.line,
                start_byte: reference.span.start,
                end_byte: reference.span.end,
                scope,
            }
        })
    }
}

#[derive(Serialize)]
pub(crate) struct Symbols<'a> {
    schema: u32,
    symbols: Vec<Symbol<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Vec<Reference<'a>>>,
    failures: Vec<Failure<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<Failure<'a>>,
}

impl<'a> Symbols<'a> {
    pub(crate) fn new(outlines: &'a [Outline], left_out: &'a LeftOut, references: bool) -> Self {
        Self {
            schema: SCHEMA,
            symbols: outlines.iter().flat_map(Symbol::all_of).collect(),
            references: references.then(|| outlines.iter().flat_map(Reference::all_of).collect()),
            failures: left_out.failures.iter().map(Failure::from).collect(),
            incomplete: left_out.incomplete.iter().map(Failure::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Annotated<'a> {
    #[serde(flatten)]
    symbol: Symbol<'a>,
    modifiers: Vec<&'static str>,
    type_parameters: Option<&'a str>,
    parameters: Vec<Parameter<'a>>,
    return_type: Option<&'a str>,
    complexity: Option<Complexity>,
    imports: Vec<Import<'a>>,
    exports: Vec<&'a str>,
    calls: Vec<Call<'a>>,
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    r#type: Option<&'a str>,
    optional: bool,
    default: Option<&'a str>,
}

#[derive(Serialize)]
struct Complexity {
    cyclomatic: u32,
    cognitive: u32,
    max_nesting: u32,
}

#[derive(Serialize)]
struct Import<'a> {
    name: &'a str,
    module: Option<&'a str>,
    alias: Option<&'a str>,
}

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    qualifier: Option<&'a str>,
    line: u32,
}

impl<'a> Annotated<'a> {
    pub(crate) fn all_of(outline: &'a Outline) -> impl Iterator<Item = Self> {
        let file = &outline.file;
        file.annotations.iter().take(file.symbols.len()).enumerate().map(move |(index, annotation)| {
            let parameter = |parameter: &'a ast_core_engine::Parameter| Parameter {
                name: &parameter.name,
                r#type: parameter.type_name.as_deref(),
                optional: parameter.optional,
                default: parameter.default.as_deref(),
            };
            let import = |import: &'a ast_core_engine::Reference| Import {
                name: &import.name,
                module: import.qualifier.as_deref(),
                alias: import.alias.as_deref(),
            };
            let calls = file.references_of(index).filter(|reference| reference.kind == ReferenceKind::Call);
            let symbol = Symbol::new(outline, index);
            let exported = file.is_exported(index).then_some(symbol.name);
            Self {
                modifiers: annotation.modifiers.iter().map(|modifier| modifier.as_str()).collect(),
                type_parameters: annotation.type_parameters.as_deref(),
                parameters: annotation.parameters.iter().map(parameter).collect(),
                return_type: annotation.return_type.as_deref(),
                complexity: annotation.complexity.map(|complexity| Complexity {
                    cyclomatic: complexity.cyclomatic,
                    cognitive: complexity.cognitive,
                    max_nesting: complexity.max_nesting,
                }),
                imports: file.imports_of(index).into_iter().map(import).collect(),
                exports: exported.into_iter().collect(),
                calls: calls
                    .map(|call| Call {
                        name: &call.name,
                        qualifier: call.qualifier.as_deref(),
                        line: call.line,
                    })
                    .collect(),
                symbol,
            }
        })
    }
}

#[derive(Serialize)]
pub(crate) struct Annotations<'a> {
    schema: u32,
    symbols: Vec<Annotated<'a>>,
    failures: Vec<Failure<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<Failure<'a>>,
}

impl<'a> Annotations<'a> {
    pub(crate) fn new(outlines: &'a [Outline], left_out: &'a LeftOut) -> Self {
        Self {
            schema: SCHEMA,
            symbols: outlines.iter().flat_map(Annotated::all_of).collect(),
            failures: left_out.failures.iter().map(Failure::from).collect(),
            incomplete: left_out.incomplete.iter().map(Failure::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Status<'a> {
    schema: u32,
    files: Files,
    bytes: u64,
    lines: u64,
    symbols: u64,
    chunks: u64,
    elapsed_ms: u64,
    peak_rss_bytes: Option<u64>,
    generation: u64,
    failures: Vec<Failure<'a>>,
    embedder: Option<Embedder<'a>>,
    schema_version: u32,
    format_version: u32,
    complete: bool,
    stale: Option<Vec<Stale<'a>>>,
    vector_file: Option<VectorFile<'a>>,
}

#[derive(Serialize)]
struct VectorFile<'a> {
    path: Cow<'a, str>,
    state: &'static str,
    reason: Option<&'a str>,
    bytes: Option<u64>,
    generation: Option<u64>,
    files_beside: u64,
}

impl<'a> From<&'a VectorFileReport> for VectorFile<'a> {
    fn from(report: &'a VectorFileReport) -> Self {
        let reason = match &report.state {
            VectorFileState::Unusable { reason } => Some(reason.as_str()),
            _ => None,
        };
        Self {
            path: report.path.to_string_lossy(),
            state: report.state.as_str(),
            reason,
            bytes: report.bytes,
            generation: report.generation,
            files_beside: report.files_beside,
        }
    }
}

#[derive(Serialize)]
struct Embedder<'a> {
    id: &'a str,
    dimension: usize,
}

#[derive(Serialize)]
struct Stale<'a> {
    path: &'a str,
    change: &'static str,
}

impl<'a> From<&'a StatusReport> for Status<'a> {
    fn from(report: &'a StatusReport) -> Self {
        let stale = |stale: &'a Vec<ast_core_engine::Stale>| {
            stale.iter().map(|stale| Stale { path: &stale.path, change: stale.change.as_str() }).collect()
        };
        Self {
            schema: SCHEMA,
            files: (&report.files).into(),
            bytes: report.bytes,
            lines: report.lines,
            symbols: report.symbols,
            chunks: report.chunks,
            elapsed_ms: milliseconds(report.elapsed),
            peak_rss_bytes: report.peak_rss_bytes,
            generation: report.generation,
            failures: report.failures.iter().map(Failure::from).collect(),
            embedder: report.embedder.as_ref().map(|(id, dimension)| Embedder { id, dimension: *dimension }),
            schema_version: report.schema_version,
            format_version: report.format_version,
            complete: report.complete,
            stale: report.stale.as_ref().map(stale),
            vector_file: report.vector_file.as_ref().map(VectorFile::from),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Languages {
    schema: u32,
    languages: Vec<LanguageRow>,
}

#[derive(Serialize)]
pub(crate) struct LanguageRow {
    name: &'static str,
    extensions: &'static [&'static str],
    grammar: &'static str,
    grammar_version: &'static str,
}

impl From<Language> for LanguageRow {
    fn from(language: Language) -> Self {
        Self {
            name: language.as_str(),
            extensions: language.extensions(),
            grammar: language.grammar_crate(),
            grammar_version: language.grammar_version(),
        }
    }
}

impl Languages {
    pub(crate) fn all() -> Self {
        Self { schema: SCHEMA, languages: Language::all().map(LanguageRow::from).collect() }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// More digits say nothing and cost whoever reads them.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
