//! Who mentions a name, who calls it, and what it calls, each with the evidence that the definition is meant.

pub(crate) mod imports;
pub(crate) mod resolver;

use crate::filter::path_filter;
use crate::hit::has_changed;
use crate::{Engine, EngineError};
use ast_core_model::{
    FileId, LanguageName, LineRange, Reference, ReferenceKind, RepoPath, Span, SymbolKind, scope_of,
};
use ast_core_parse::{Language, SourceText};
use ast_core_storage::{Document, FileRecord, NameMatch, NamingFile, SymbolQuery, SymbolRecord};
use globset::GlobSet;
use imports::Imports;
pub(crate) use imports::names_in;
use resolver::{Resolver, Target};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Definitions of one name that mentions are compared with; a name with more says less.
const MAX_DEFINITIONS: usize = 500;

/// Definitions of a callee that are named when only its name speaks for them.
const NAMED_TARGETS: usize = 10;

/// Files that are read at a time.
const FILES_AT_A_TIME: usize = 32;

/// Which mentions are looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceQuery {
    /// The name, which may have names round it before it: `open`, `Engine.open`, `engine::Engine::open`.
    pub name: String,
    /// Only mentions of these kinds; all if empty.
    pub kinds: Vec<ReferenceKind>,
    /// Only in files in one of these languages; in all if empty.
    pub languages: Vec<Language>,
    /// Only in files whose path matches one of these globs, as of [`SearchQuery`](crate::SearchQuery); in all if empty.
    pub paths: Vec<String>,
    /// The most mentions. Default: 100.
    pub limit: usize,
}

impl ReferenceQuery {
    /// Looks for mentions of this name everywhere.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), kinds: Vec::new(), languages: Vec::new(), paths: Vec::new(), limit: 100 }
    }
}

/// What speaks for it that a mention means a definition. It is told by the text and the paths of files; nothing is
/// compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// They have the same name, and no more is known.
    Name,
    /// The file of the mention imports the definition's file, module or package, or spells the name with all of its
    /// path; or both are in a package that sees itself without imports, as in Java and Go.
    Import,
    /// They are in the same file, and what stands before the mention does not speak against it.
    SameFile,
}

impl Evidence {
    /// A short name that does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameFile => "same_file",
            Self::Import => "import",
            Self::Name => "name",
        }
    }
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Definition {
    /// Its file, relative to the tree.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
    /// What it is.
    pub kind: SymbolKind,
    /// Its name.
    pub name: String,
    /// The names round it, outermost first.
    pub scope: Vec<String>,
    /// Its lines.
    pub lines: LineRange,
    /// What comes before its body, on one line.
    pub signature: String,
}

/// A mention of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mention {
    /// Its file, relative to the tree.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
    /// What it is.
    pub kind: ReferenceKind,
    /// The name as it is written there, which is another one where an import renames it.
    pub name: String,
    /// What the name is qualified with; of an import, its module.
    pub qualifier: Option<String>,
    /// The name that an import gives it.
    pub alias: Option<String>,
    /// Its line, from 1.
    pub line: u32,
    /// The bytes of the name.
    pub span: Span,
    /// The same in UTF-16 code units of the text of its file, as it was indexed.
    pub utf16: Span,
    /// The text of its line, without the space around it; the first 200 characters.
    pub text: String,
    /// The innermost definition that it is inside of; `None` at the top of a file.
    pub within: Option<Definition>,
    /// What speaks for it that it means one of the definitions.
    pub evidence: Evidence,
    /// Which of the reply's definitions it means by that evidence, by their places in the list; by the name alone, that
    /// is any of them.
    pub targets: Vec<usize>,
    /// Whether its file has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
}

/// The mentions of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReferenceReply {
    /// The definitions of the name, in the order of their places. Empty if it is defined outside of the tree.
    pub definitions: Vec<Definition>,
    /// Whether there are more definitions than are listed and looked at.
    pub more_definitions: bool,
    /// The mentions, in files that define the name first, then in files that import it, then in others, each in the order of
    /// their paths.
    pub mentions: Vec<Mention>,
    /// Files that may have further mentions and were not looked into, as there were enough.
    pub unread_files: usize,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

/// Something that definitions call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callee {
    /// Which of the reply's definitions calls it, by its place in the list.
    pub caller: usize,
    /// The name as it is called.
    pub name: String,
    /// What it is qualified with at the first call.
    pub qualifier: Option<String>,
    /// The lines of the calls, from 1.
    pub lines: Vec<u32>,
    /// What speaks for the targets.
    pub evidence: Evidence,
    /// The definitions that are meant by that evidence; by the name alone, all of the name that are known, and no more
    /// than ten. Empty if it is defined outside of the tree.
    pub targets: Vec<Definition>,
    /// How many definitions there are by that evidence.
    pub target_count: usize,
}

/// What the definitions of a name call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CalleeReply {
    /// The definitions of the name, in the order of their places.
    pub definitions: Vec<Definition>,
    /// Whether there are more definitions than are listed and looked at.
    pub more_definitions: bool,
    /// What they call, in the order of the first call of each.
    pub callees: Vec<Callee>,
    /// Whether there is more than the limit.
    pub more: bool,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

impl Engine {
    /// Where a name is mentioned: called, imported, used as a type, inherited from.
    ///
    /// With names round it, as in `Engine.open`, mentions that mean another definition of the name are left out, those that
    /// may mean any are not. A name that an import changes is followed within the file.
    ///
    /// # Errors
    /// [`EngineError::Pattern`] if a path filter is no glob, [`EngineError::Store`].
    pub async fn references(&self, query: &ReferenceQuery) -> Result<ReferenceReply, EngineError> {
        let begin = Instant::now();
        let generation = self.store.generation().await?;
        let paths = path_filter(&query.paths)?;
        let known = self.definitions(&query.name).await?;
        let naming = self.store.files_naming(&known.name, NameMatch::Exact).await?;
        let mut order = self.order(naming, query, paths.as_ref()).await?;
        let root = self.tree().await?;
        let mut mentions = Vec::new();
        let mut unread_files = 0;
        while !order.is_empty() {
            let rest = order.split_off(order.len().min(FILES_AT_A_TIME));
            if mentions.len() >= query.limit {
                unread_files = order.len() + rest.len();
                break;
            }
            let mut documents: HashMap<FileId, (FileRecord, Document)> =
                self.store.documents(&order).await?.into_iter().map(|read| (read.0.id, read)).collect();
            for (at, file) in order.iter().enumerate() {
                if mentions.len() >= query.limit {
                    unread_files = order.len() - at + rest.len();
                    break;
                }
                if let Some((record, document)) = documents.remove(file) {
                    let changed = root.as_deref().map(|root| has_changed(root, &record));
                    known.mentions(&record, &document, &query.kinds, changed, &mut mentions)?;
                }
            }
            order = rest;
        }
        mentions.truncate(query.limit);
        let complete = self.is_complete().await?;
        let Known { definitions, wanted, more, .. } = known;
        Ok(ReferenceReply {
            definitions: definitions.iter().take(wanted).map(definition_of).collect(),
            more_definitions: more,
            mentions,
            unread_files,
            generation,
            complete,
            took: begin.elapsed(),
        })
    }

    /// Where a name is called: [`references`](Self::references) of the kind [`ReferenceKind::Call`].
    ///
    /// # Errors
    /// As there.
    pub async fn callers(&self, query: &ReferenceQuery) -> Result<ReferenceReply, EngineError> {
        self.references(&ReferenceQuery { kinds: vec![ReferenceKind::Call], ..query.clone() }).await
    }

    /// What the definitions of a name call, those inside of them included; the kinds of the query do not matter.
    ///
    /// # Errors
    /// As of [`references`](Self::references).
    pub async fn callees(&self, query: &ReferenceQuery) -> Result<CalleeReply, EngineError> {
        let begin = Instant::now();
        let generation = self.store.generation().await?;
        let paths = path_filter(&query.paths)?;
        let mut known = self.definitions(&query.name).await?;
        known.definitions.truncate(known.wanted);
        known.definitions.retain(|found| takes_file(query, paths.as_ref(), &found.path, &found.language));
        let mut files: Vec<FileId> = known.definitions.iter().map(|found| found.id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let mut callees = Vec::new();
        let mut more = false;
        let mut looked_up: HashMap<String, Vec<SymbolRecord>> = HashMap::new();
        for files in files.chunks(FILES_AT_A_TIME) {
            for (record, document) in self.store.documents(files).await? {
                let Some(language) = &record.language else { continue };
                let imports = Imports::new(&record.path, language, &document.references);
                let resolver = Resolver { file: record.id, language, document: &document, imports: &imports };
                for (caller, found) in known.definitions.iter().enumerate() {
                    if found.id.file() != record.id || more {
                        continue;
                    }
                    for calls in calls_within(&document, found.id.ordinal()) {
                        if callees.len() == query.limit {
                            more = true;
                            break;
                        }
                        let name = called(&imports, calls[0]);
                        if !looked_up.contains_key(name) {
                            let query = SymbolQuery { limit: MAX_DEFINITIONS, ..SymbolQuery::exact(name) };
                            looked_up.insert(name.to_owned(), self.store.symbols(&query).await?);
                        }
                        callees.push(callee(caller, &calls, name, &resolver, &looked_up[name]));
                    }
                }
            }
        }
        Ok(CalleeReply {
            definitions: known.definitions.iter().map(definition_of).collect(),
            more_definitions: known.more,
            callees,
            more,
            generation,
            complete: self.is_complete().await?,
            took: begin.elapsed(),
        })
    }

    /// The definitions that a name, with or without names round it, may mean.
    async fn definitions(&self, text: &str) -> Result<Known, EngineError> {
        let query = |name: &str| SymbolQuery { limit: MAX_DEFINITIONS + 1, ..SymbolQuery::exact(name) };
        // Some names have dots in them: a file that is included, a namespace.
        let mut name = text.trim();
        let mut scope: Vec<String> = Vec::new();
        if self.store.files_naming(name, NameMatch::Exact).await?.is_empty() {
            let names: Vec<&str> = names_in(name).collect();
            if let Some((last, round)) = names.split_last().filter(|(_, round)| !round.is_empty()) {
                scope = round.iter().map(|name| (*name).to_owned()).collect();
                name = last;
            }
        }
        let mut definitions = self.store.symbols(&query(name)).await?;
        let more = definitions.len() > MAX_DEFINITIONS;
        definitions.truncate(MAX_DEFINITIONS);
        definitions.sort_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
        // Those that are asked for come first, in the same order.
        let mut wanted = definitions.len();
        if !scope.is_empty() {
            let is_wanted = |found: &SymbolRecord| place_names(found).ends_with(&scope);
            let (asked, others): (Vec<_>, Vec<_>) = definitions.into_iter().partition(is_wanted);
            wanted = asked.len();
            definitions = asked;
            definitions.extend(others);
        }
        Ok(Known { name: name.to_owned(), definitions, wanted, scope, more })
    }

    /// The files to be looked into, those first that say most.
    async fn order(
        &self,
        naming: Vec<NamingFile>,
        query: &ReferenceQuery,
        paths: Option<&GlobSet>,
    ) -> Result<Vec<FileId>, EngineError> {
        let has_kind = |naming: &NamingFile| {
            let has = |kind: &ReferenceKind| match kind {
                // The name that a file gives to what it imports may be called.
                ReferenceKind::Call => naming.calls || naming.imports,
                ReferenceKind::Type | ReferenceKind::Inherit => naming.uses_types || naming.imports,
                ReferenceKind::Import => naming.imports,
            };
            query.kinds.iter().any(has)
                || query.kinds.is_empty() && (naming.calls || naming.uses_types || naming.imports)
        };
        let naming: HashMap<FileId, NamingFile> =
            naming.into_iter().filter(has_kind).map(|naming| (naming.file, naming)).collect();
        let ids: Vec<FileId> = naming.keys().copied().collect();
        let mut files = self.store.paths(&ids).await?;
        files.retain(|(_, path, language)| takes_file(query, paths, path, language));
        let rank = |file: &FileId| {
            naming.get(file).map_or((true, true), |naming| (!naming.defines, !naming.imports))
        };
        files.sort_by(|a, b| rank(&a.0).cmp(&rank(&b.0)).then_with(|| a.1.cmp(&b.1)));
        Ok(files.into_iter().map(|(file, _, _)| file).collect())
    }
}

fn takes_file(
    query: &ReferenceQuery,
    paths: Option<&GlobSet>,
    path: &RepoPath,
    language: &LanguageName,
) -> bool {
    (query.languages.is_empty() || query.languages.iter().any(|wanted| wanted.name() == *language))
        && paths.is_none_or(|paths| paths.is_match(path.as_str()))
}

/// The names round a definition: those of its file and of what it is inside of.
pub(crate) fn place_names(found: &SymbolRecord) -> Vec<String> {
    let path = found.path.as_str();
    let stem = path.strip_suffix(&format!(".{}", found.path.extension())).unwrap_or(path);
    let scope = found.scope.iter().flat_map(|scope| names_in(scope));
    stem.split('/').chain(scope).map(str::to_owned).collect()
}

pub(crate) fn definition_of(found: &SymbolRecord) -> Definition {
    Definition {
        path: found.path.clone(),
        language: found.language.clone(),
        kind: found.symbol.kind,
        name: found.symbol.name.to_string(),
        scope: found.scope.iter().map(ToString::to_string).collect(),
        lines: found.symbol.lines,
        signature: found.symbol.signature.to_string(),
    }
}

/// A definition of a document in memory.
pub(crate) fn definition_in(
    record: &FileRecord,
    document: &Document,
    index: Option<u32>,
) -> Option<Definition> {
    let index = index? as usize;
    let symbol = document.symbols.get(index)?;
    Some(Definition {
        path: record.path.clone(),
        language: record.language.clone()?,
        kind: symbol.kind,
        name: symbol.name.to_string(),
        scope: scope_of(&document.symbols, index).into_iter().map(str::to_owned).collect(),
        lines: symbol.lines,
        signature: symbol.signature.to_string(),
    })
}

/// A name and what it may mean.
struct Known {
    name: String,
    definitions: Vec<SymbolRecord>,
    /// The first so many of them are asked for.
    wanted: usize,
    /// The names round it that were asked for.
    scope: Vec<String>,
    more: bool,
}

impl Known {
    /// Adds what a file mentions.
    fn mentions(
        &self,
        record: &FileRecord,
        document: &Document,
        kinds: &[ReferenceKind],
        changed: Option<bool>,
        mentions: &mut Vec<Mention>,
    ) -> Result<(), EngineError> {
        let Some(language) = &record.language else { return Ok(()) };
        let imports = Imports::new(&record.path, language, &document.references);
        let aliases: HashSet<&str> = imports.aliases(&self.name).into_iter().collect();
        let source = SourceText::decode(&document.source)?;
        let resolver = Resolver { file: record.id, language, document, imports: &imports };
        let known: Vec<Target<'_>> = self.definitions.iter().map(Target::from).collect();
        let utf16 = source.utf16_places();
        for reference in &document.references {
            let is_import = reference.kind == ReferenceKind::Import;
            let is_named = *reference.name == *self.name
                || is_import && reference.alias.as_deref() == Some(&self.name)
                || !is_import && reference.qualifier.is_none() && aliases.contains(&*reference.name);
            if !is_named || !(kinds.is_empty() || kinds.contains(&reference.kind)) {
                continue;
            }
            let (evidence, mut targets) = resolver.resolve(reference, &self.name, &known);
            targets.retain(|target| *target < self.wanted);
            let is_other = match (self.scope.last(), self.wanted) {
                (None, _) => false,
                // What is asked for is defined outside of the tree.
                (Some(scope), 0) => {
                    let qualifier = reference.qualifier.as_deref();
                    evidence != Evidence::Name
                        || qualifier.and_then(|names| names_in(names).last()) != Some(scope)
                }
                (Some(_), _) => targets.is_empty(),
            };
            if is_other {
                continue;
            }
            mentions.push(Mention {
                path: record.path.clone(),
                language: language.clone(),
                kind: reference.kind,
                name: reference.name.to_string(),
                qualifier: reference.qualifier.as_deref().map(str::to_owned),
                alias: reference.alias.as_deref().map(str::to_owned),
                line: reference.line,
                span: reference.span,
                utf16: utf16.of_span(reference.span),
                text: line_of(&source, reference.span),
                within: definition_in(record, document, reference.symbol),
                evidence,
                targets,
                changed,
            });
        }
        Ok(())
    }
}

/// The name, where it is defined, of what is called: an import may have changed it.
fn called<'a>(imports: &Imports<'a>, call: &'a Reference) -> &'a str {
    let original = if call.qualifier.is_none() { imports.original(&call.name) } else { None };
    original.unwrap_or(&call.name)
}

/// The calls inside of a definition, and of those inside of it, those of the same name and qualifier together.
fn calls_within(document: &Document, ordinal: u32) -> Vec<Vec<&Reference>> {
    let mut inside: HashSet<u32> = HashSet::from([ordinal]);
    for (index, symbol) in (0..).zip(&document.symbols) {
        if symbol.parent.is_some_and(|parent| inside.contains(&parent)) {
            inside.insert(index);
        }
    }
    let mut calls: Vec<Vec<&Reference>> = Vec::new();
    let mut places: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    let within = document.references.iter().filter(|reference| {
        reference.kind == ReferenceKind::Call
            && reference.symbol.is_some_and(|symbol| inside.contains(&symbol))
    });
    for call in within {
        let place = *places.entry((&call.name, call.qualifier.as_deref())).or_insert(calls.len());
        match calls.get_mut(place) {
            Some(known) => known.push(call),
            None => calls.push(vec![call]),
        }
    }
    calls
}

fn callee(
    caller: usize,
    calls: &[&Reference],
    name: &str,
    resolver: &Resolver<'_>,
    definitions: &[SymbolRecord],
) -> Callee {
    let call = calls[0];
    let known: Vec<Target<'_>> = definitions.iter().map(Target::from).collect();
    let (evidence, targets) = resolver.resolve(call, name, &known);
    let target_count = targets.len();
    Callee {
        caller,
        name: call.name.to_string(),
        qualifier: call.qualifier.as_deref().map(str::to_owned),
        lines: calls.iter().map(|call| call.line).collect(),
        evidence,
        targets: targets.iter().take(NAMED_TARGETS).map(|at| definition_of(&definitions[*at])).collect(),
        target_count,
    }
}

/// The line of a place, without the space around it.
fn line_of(source: &SourceText<'_>, span: Span) -> String {
    const LONGEST: usize = 200;
    let text = source.text();
    let at = source.slice(Span::new(0, span.start)).len();
    let begin = text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let end = text[at..].find(['\n', '\r']).map_or(text.len(), |end| at + end);
    text[begin..end].trim().chars().take(LONGEST).collect()
}
