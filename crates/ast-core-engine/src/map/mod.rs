//! The definitions that the rest of a tree leans on most, in as many tokens as there are.

mod graph;

use crate::engine::blocking;
use crate::filter::path_filter;
use crate::hit::has_changed;
use crate::{Engine, EngineError, estimated_tokens};
use ast_core_model::{FileId, LanguageName, LineRange, RepoPath, Symbol, SymbolKind, scope_of};
use ast_core_parse::Language;
use ast_core_search::{Graph, PathRole};
use ast_core_storage::FileRecord;
use globset::GlobSet;
use graph::Nodes;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Files that are read at a time.
const FILES_AT_A_TIME: usize = 32;

/// Definitions that are looked at at a time for whether they still fit.
const NODES_AT_A_TIME: usize = 256;

/// So many definitions in a row that do not fit end the map: what is left is of little weight.
const MOST_MISSES: usize = 64;

/// What begins a walk at a test, an example, or what others wrote, for 1 of anything else: they show what is used, and are
/// not what the tree is about.
const START_ASIDE: f64 = 0.1;

/// The part of all walks that begins in the focus.
const START_IN_FOCUS: f64 = 0.8;

/// The part of a rank that goes on to what is mentioned. Of those that were measured (docs/map.md) it finds most of what the
/// documentation of packages speaks of; more of it finds what lies deepest.
const DAMPING: f64 = 0.5;

/// What mentions weigh together that pass on all of this. A definition that mentions one other says little of it.
const FULL: f32 = 20.0;

/// The most characters of a signature.
const LONGEST_SIGNATURE: usize = 160;

/// What a map is to show.
#[derive(Debug, Clone, PartialEq)]
pub struct MapQuery {
    /// The most tokens of its text, as [`estimated_tokens`] counts. Default: 1024.
    pub budget: usize,
    /// Only definitions in files in one of these languages; in all if empty.
    pub languages: Vec<Language>,
    /// Only definitions in files whose path matches one of these globs, as of [`SearchQuery`](crate::SearchQuery). If empty,
    /// all but those in tests, examples, stubs and generated or vendored files.
    pub paths: Vec<String>,
    /// The map is to show what the files that match these globs lean on; if empty, what the whole tree leans on.
    pub focus: Vec<String>,
}

impl Default for MapQuery {
    fn default() -> Self {
        Self { budget: 1024, languages: Vec::new(), paths: Vec::new(), focus: Vec::new() }
    }
}

/// The most central definitions of a tree. [`Display`](fmt::Display) is its text: for each file its path, and a line for each definition, with the
/// number of its line.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MapReply {
    /// The files, that with the most central definition first.
    pub files: Vec<MapFile>,
    /// The tokens of the text, as [`estimated_tokens`] counts.
    pub tokens: usize,
    /// How many definitions there were to choose from.
    pub candidates: usize,
    /// How many files the [focus](MapQuery::focus) matches; `None` if the query has none. Where it is none of them, the map is
    /// that of the whole tree.
    pub focus_files: Option<usize>,
    /// The generation of the index that was read.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

/// A file of a map.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MapFile {
    /// Relative to the tree.
    pub path: RepoPath,
    /// Its language.
    pub language: LanguageName,
    /// Its definitions, in the order of their places.
    pub definitions: Vec<MapDefinition>,
    /// Whether it has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
}

/// A definition of a map.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MapDefinition {
    /// What it is.
    pub kind: SymbolKind,
    /// Its name.
    pub name: String,
    /// The names round it, outermost first.
    pub scope: Vec<String>,
    /// Its lines.
    pub lines: LineRange,
    /// What comes before its body, on one line, and cut off if that is long.
    pub signature: String,
    /// How many definitions it is inside of.
    pub depth: usize,
    /// Its PageRank, of 1 for all of the tree, and less if it is not for others to use. `None` if it is only there because of what is inside of it.
    pub rank: Option<f64>,
}

impl fmt::Display for MapFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path)?;
        self.definitions.iter().try_for_each(|definition| write!(f, "{definition}"))
    }
}

impl fmt::Display for MapDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>5} {:indent$}{}", self.lines.start, "", self.signature, indent = 2 * self.depth)
    }
}

impl fmt::Display for MapReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| write!(f, "{file}"))
    }
}

/// The graph of definitions of one generation.
#[derive(Default)]
pub(crate) struct DefinitionGraph {
    generation: u64,
    nodes: Nodes,
    graph: Graph,
}

impl Engine {
    /// The definitions that the code of the tree leans on most: PageRank over who mentions whom, as far as
    /// [`references`](Self::references) tell, in a text that keeps to a budget of tokens. As many as fit are chosen in the order of
    /// their ranks, each with the lines of what it is inside of.
    ///
    /// The first call of a generation reads the whole index; those after it are quick.
    ///
    /// # Errors
    /// [`EngineError::Pattern`] if a path filter is no glob, [`EngineError::Store`].
    pub async fn map(&self, query: &MapQuery) -> Result<MapReply, EngineError> {
        let begin = Instant::now();
        let paths = path_filter(&query.paths)?;
        let focus = path_filter(&query.focus)?;
        let definitions = self.definition_graph().await?;
        let languages: Vec<LanguageName> = query.languages.iter().map(|language| language.name()).collect();
        let ranked = {
            let definitions = definitions.clone();
            let pool = self.search_pool.clone();
            blocking(move || pool.install(|| definitions.ranked(&languages, paths.as_ref(), focus.as_ref())))
                .await?
        };
        let Ranked { nodes: ranked, focus_files } = ranked;
        let candidates = ranked.len();
        let mut map = Chosen { budget: query.budget, ..Chosen::default() };
        for ranked in ranked.chunks(NODES_AT_A_TIME) {
            let ids: Vec<_> = ranked
                .iter()
                .filter_map(|(node, rank)| Some((definitions.nodes.symbol(*node)?, *rank)))
                .collect();
            let mut files: Vec<FileId> = ids.iter().map(|(id, _)| id.file()).collect();
            files.sort_unstable();
            files.dedup();
            let mut documents = HashMap::new();
            for files in files.chunks(FILES_AT_A_TIME) {
                for (record, document) in self.store.outlines(files).await? {
                    documents.insert(record.id, (record, document.symbols));
                }
            }
            // What a commit took away meanwhile is left out.
            for (id, rank) in ids {
                if let Some((record, symbols)) = documents.get(&id.file()) {
                    map.add(record, symbols, id.ordinal(), rank);
                }
            }
            if map.misses >= MOST_MISSES {
                break;
            }
        }
        let root = self.tree().await?;
        let mut files = map.into_files();
        for (record, file) in &mut files {
            file.changed = root.as_deref().map(|root| has_changed(root, record));
        }
        let files: Vec<MapFile> = files.into_iter().map(|(_, file)| file).collect();
        let tokens = files.iter().map(tokens_of).sum();
        let complete = self.is_complete().await?;
        let generation = definitions.generation;
        Ok(MapReply { files, tokens, candidates, focus_files, generation, complete, took: begin.elapsed() })
    }

    /// The graph of the store's generation, which is kept until there is a newer one.
    async fn definition_graph(&self) -> Result<Arc<DefinitionGraph>, EngineError> {
        let mut known = self.definition_graph.lock().await;
        let generation = self.store.generation().await?;
        if known.generation != generation {
            *known = Arc::new(self.make_definition_graph(generation).await?);
        }
        Ok(known.clone())
    }

    async fn make_definition_graph(&self, generation: u64) -> Result<DefinitionGraph, EngineError> {
        let files: Vec<FileId> =
            self.store.searchable_files().await?.into_iter().map(|(file, _, _)| file).collect();
        let mut nodes = Nodes::default();
        for files in files.chunks(FILES_AT_A_TIME) {
            for (record, document) in self.store.outlines(files).await? {
                nodes.add(record, &document);
            }
        }
        nodes.finish();
        let nodes = Arc::new(nodes);
        let mut edges = Vec::new();
        let mut work = tokio::task::JoinSet::new();
        for files in files.chunks(FILES_AT_A_TIME) {
            let documents = self.store.documents(files).await?;
            // One batch is read while another is looked at.
            if let Some(done) = work.join_next().await {
                edges.extend::<Vec<_>>(done.map_err(internal)?);
            }
            let (nodes, pool) = (nodes.clone(), self.search_pool.clone());
            work.spawn_blocking(move || {
                pool.install(|| {
                    documents.iter().flat_map(|(record, document)| nodes.edges(record, document)).collect()
                })
            });
        }
        while let Some(done) = work.join_next().await {
            edges.extend::<Vec<_>>(done.map_err(internal)?);
        }
        let count = u32::try_from(nodes.len()).map_err(internal)?;
        let graph = blocking(move || Graph::new(count, edges, FULL)).await?;
        let nodes =
            Arc::into_inner(nodes).ok_or_else(|| internal("the graph of definitions is still being made"))?;
        Ok(DefinitionGraph { generation, nodes, graph })
    }
}

fn internal(what: impl fmt::Display) -> EngineError {
    EngineError::Internal { what: what.to_string() }
}

/// The nodes that may be shown.
struct Ranked {
    /// The most central first, with their ranks.
    nodes: Vec<(u32, f64)>,
    /// How many files the focus matches, if there is one.
    focus_files: Option<usize>,
}

/// Whether a file is beside the point of its tree.
fn is_aside(role: PathRole) -> bool {
    role.is_test || role.is_example || role.is_vendored || role.is_generated
}

impl DefinitionGraph {
    /// The nodes that may be shown.
    fn ranked(&self, languages: &[LanguageName], paths: Option<&GlobSet>, focus: Option<&GlobSet>) -> Ranked {
        let Nodes { files, nodes, .. } = &self.nodes;
        let file_of = |node: usize| match nodes.get(node) {
            Some(definition) => (definition.file as usize, definition.is_test),
            None => (node - nodes.len(), false),
        };
        let in_focus: Vec<bool> =
            files.iter().map(|file| focus.is_some_and(|focus| focus.is_match(file.path.as_str()))).collect();
        let focus_files = focus.map(|_| in_focus.iter().filter(|is_in| **is_in).count());
        let mut start: Vec<f64> = (0..self.nodes.len())
            .map(|node| {
                let (file, is_test) = file_of(node);
                if is_test || is_aside(files[file].role) { START_ASIDE } else { 1.0 }
            })
            .collect();
        if in_focus.contains(&true) {
            let is_in = |node: usize| in_focus[file_of(node).0];
            let inside = (0..start.len()).filter(|node| is_in(*node)).count() as f64;
            let outside: f64 = (0..start.len()).filter(|node| !is_in(*node)).map(|node| start[node]).sum();
            for (node, start) in start.iter_mut().enumerate() {
                *start = match is_in(node) {
                    true => START_IN_FOCUS / inside,
                    false => *start / outside * (1.0 - START_IN_FOCUS),
                };
            }
        }
        let ranks = self.graph.page_rank(&start, DAMPING);
        let may_be_shown = |at: usize| {
            let definition = &nodes[at];
            let file = &files[definition.file as usize];
            (languages.is_empty() || languages.contains(&file.language))
                && match paths {
                    Some(paths) => paths.is_match(file.path.as_str()),
                    None => !definition.is_test && !is_aside(file.role) && !file.role.is_stub,
                }
        };
        let mut shown: Vec<(u32, f64)> = (0u32..)
            .zip(&ranks)
            .take(nodes.len())
            .filter(|(at, _)| may_be_shown(*at as usize))
            .map(|(at, rank)| (at, *rank * nodes[at as usize].weight))
            .collect();
        let place = |at: u32| (&files[nodes[at as usize].file as usize].path, at);
        shown.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| place(a.0).cmp(&place(b.0))));
        Ranked { nodes: shown, focus_files }
    }
}

/// What is on the map so far.
#[derive(Default)]
struct Chosen {
    budget: usize,
    tokens: usize,
    /// How many in a row did not fit.
    misses: usize,
    files: Vec<ChosenFile>,
    places: HashMap<FileId, usize>,
}

struct ChosenFile {
    record: FileRecord,
    definitions: BTreeMap<u32, MapDefinition>,
}

impl Chosen {
    /// Adds a definition and what it is inside of, if that fits.
    fn add(&mut self, record: &FileRecord, symbols: &[Symbol], ordinal: u32, rank: f64) {
        let place = self.places.get(&record.id).copied();
        let known = place.map(|place| &self.files[place].definitions);
        if known.is_some_and(|known| known.contains_key(&ordinal)) {
            // It is there because of what is inside of it.
            if let Some(shown) = place.and_then(|place| self.files[place].definitions.get_mut(&ordinal)) {
                shown.rank = Some(rank);
            }
            return;
        }
        let mut new = Vec::new();
        let mut next = Some(ordinal);
        while let Some((at, symbol)) = next.and_then(|at| Some((at, symbols.get(at as usize)?))) {
            if !known.is_some_and(|known| known.contains_key(&at)) {
                new.push((at, definition(symbols, at, (at == ordinal).then_some(rank))));
            }
            next = symbol.parent;
        }
        let path = if place.is_none() { estimated_tokens(&format!("{}\n", record.path)) } else { 0 };
        let cost: usize =
            path + new.iter().map(|(_, shown)| estimated_tokens(&shown.to_string())).sum::<usize>();
        if self.tokens + cost > self.budget {
            self.misses += 1;
            return;
        }
        self.misses = 0;
        self.tokens += cost;
        let place = place.unwrap_or_else(|| {
            self.places.insert(record.id, self.files.len());
            self.files.push(ChosenFile { record: record.clone(), definitions: BTreeMap::new() });
            self.files.len() - 1
        });
        self.files[place].definitions.extend(new);
    }

    fn into_files(self) -> Vec<(FileRecord, MapFile)> {
        let files = self.files.into_iter().filter_map(|ChosenFile { record, definitions }| {
            let file = MapFile {
                path: record.path.clone(),
                language: record.language.clone()?,
                definitions: definitions.into_values().collect(),
                changed: None,
            };
            Some((record, file))
        });
        files.collect()
    }
}

/// The tokens of the lines of a file, added up line by line as they were when they were chosen.
fn tokens_of(file: &MapFile) -> usize {
    let lines = file.definitions.iter().map(|definition| estimated_tokens(&definition.to_string()));
    estimated_tokens(&format!("{}\n", file.path)) + lines.sum::<usize>()
}

fn definition(symbols: &[Symbol], at: u32, rank: Option<f64>) -> MapDefinition {
    let symbol = &symbols[at as usize];
    let mut depth = 0;
    let mut parent = symbol.parent;
    while let Some(round) = parent.and_then(|parent| symbols.get(parent as usize)) {
        depth += 1;
        parent = round.parent;
    }
    MapDefinition {
        kind: symbol.kind,
        name: symbol.name.to_string(),
        scope: scope_of(symbols, at as usize).into_iter().map(str::to_owned).collect(),
        lines: symbol.lines,
        signature: shortened(&symbol.signature),
        depth,
        rank,
    }
}

/// A signature that is not too long to be read in a list.
pub(crate) fn shortened(signature: &str) -> String {
    match signature.char_indices().nth(LONGEST_SIGNATURE) {
        Some((end, _)) => format!("{}…", signature[..end].trim_end()),
        None => signature.to_owned(),
    }
}
