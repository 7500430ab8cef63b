//! The graph of definitions: which of them lean on which.

use crate::references::Evidence;
use crate::references::imports::{Candidate, Imports};
use crate::references::resolver::{Resolver, Target};
use ast_core_model::{
    FileId, LanguageName, Reference, ReferenceKind, RepoPath, Span, Symbol, SymbolId, SymbolKind, Visibility,
    scope_of,
};
use ast_core_search::PathRole;
use ast_core_storage::{Document, FileRecord};
use std::collections::HashMap;
use std::sync::Arc;

/// A name with more definitions says nothing of which is meant, unless they are in the file that mentions it.
const MAX_DEFINITIONS: usize = 200;

/// If nothing but the name speaks for them, so many definitions may be meant by one mention; with more it says nothing.
const MAX_BY_NAME: usize = 8;

/// What a mention weighs that only the name speaks for, and one in the file of the definition: that a file leans on its own
/// parts says how it is made, and little of what the tree leans on. Others weigh 1.
const BY_NAME: f32 = 0.3;
const IN_ITS_FILE: f32 = 0.2;

/// A file whose definitions may be on the map.
pub(super) struct GraphFile {
    pub(super) id: FileId,
    pub(super) path: RepoPath,
    pub(super) language: LanguageName,
    pub(super) role: PathRole,
    /// The first of its nodes.
    begin: u32,
    /// Of each node of the file, its place in the list of symbols; in that order.
    ordinals: Vec<u32>,
}

/// The names round definitions, shared by those that are side by side.
type Scope = Arc<[Box<str>]>;

/// A definition on the map.
pub(super) struct Node {
    /// Its file, by its place in the list.
    pub(super) file: u32,
    pub(super) kind: SymbolKind,
    /// Whether it is inside of what is only there for tests.
    pub(super) is_test: bool,
    /// What its rank counts for.
    pub(super) weight: f64,
    name: Box<str>,
    name_span: Span,
    scope: Scope,
}

/// The definitions of a tree. They are nodes of a graph in this order; a node for each file, for what is at its top, comes behind.
#[derive(Default)]
pub(super) struct Nodes {
    pub(super) files: Vec<GraphFile>,
    pub(super) nodes: Vec<Node>,
    by_file: HashMap<FileId, u32>,
    by_name: HashMap<Box<str>, Vec<u32>>,
}

/// Whether a definition is a place of the map: what code is told by, not what it is made of, and not what only marks it.
fn is_place(symbols: &[Symbol], symbol: &Symbol) -> bool {
    let round = symbol.parent.and_then(|parent| symbols.get(parent as usize));
    let is_associated = symbol.kind == SymbolKind::Type
        && round.is_some_and(|round| matches!(round.kind, SymbolKind::Impl | SymbolKind::Trait));
    let is_annotation = symbol.kind == SymbolKind::Interface && symbol.signature.contains("@interface ");
    let is_part = matches!(
        symbol.kind,
        SymbolKind::Module
            | SymbolKind::Namespace
            | SymbolKind::Impl
            | SymbolKind::Field
            | SymbolKind::Property
            | SymbolKind::EnumMember
            | SymbolKind::Variable
    );
    !(is_part || is_associated || is_annotation)
}

/// Whether a name is not one that anything might have, such as `get`, `join` or `len`: it is made of several words.
fn is_telling(name: &str) -> bool {
    let name = name.trim_matches('_').as_bytes();
    name.contains(&b'_')
        || name.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// What the rank of a definition counts for: a map is for who comes from outside.
fn weight(symbol: &Symbol) -> f64 {
    match symbol.visibility {
        _ if symbol.name.starts_with('_') => 0.1,
        Some(Visibility::Public) | None => 1.0,
        Some(Visibility::Internal) => 0.3,
        Some(Visibility::Protected | Visibility::Private) => 0.1,
    }
}

/// Whether what it is inside of is seen from outside.
fn is_inside_a_body(symbols: &[Symbol], symbol: &Symbol) -> bool {
    let mut parent = symbol.parent;
    while let Some(round) = parent.and_then(|parent| symbols.get(parent as usize)) {
        if !round.kind.is_container() {
            return true;
        }
        parent = round.parent;
    }
    false
}

impl Nodes {
    /// Adds the definitions of a file.
    pub(super) fn add(&mut self, record: FileRecord, document: &Document) {
        let Some(language) = record.language else { return };
        let (Ok(file), Ok(begin)) = (u32::try_from(self.files.len()), u32::try_from(self.nodes.len())) else {
            return;
        };
        let symbols = &document.symbols;
        let mut scopes: HashMap<(Option<u32>, Option<&str>), Scope> = HashMap::new();
        let mut ordinals = Vec::new();
        for (ordinal, symbol) in (0u32..).zip(symbols) {
            if !is_place(symbols, symbol) || is_inside_a_body(symbols, symbol) {
                continue;
            }
            let scope = scopes
                .entry((symbol.parent, symbol.qualifier.as_deref()))
                .or_insert_with(|| scope_of(symbols, ordinal as usize).into_iter().map(Into::into).collect());
            ordinals.push(ordinal);
            self.nodes.push(Node {
                file,
                kind: symbol.kind,
                is_test: scope.iter().any(|name| matches!(&**name, "tests" | "test")),
                weight: weight(symbol),
                name: symbol.name.clone(),
                name_span: symbol.name_span,
                scope: scope.clone(),
            });
        }
        self.by_file.insert(record.id, file);
        let role = PathRole::of(record.path.as_str());
        self.files.push(GraphFile { id: record.id, path: record.path, language, role, begin, ordinals });
    }

    /// To be done once all are there.
    pub(super) fn finish(&mut self) {
        for (at, node) in (0..).zip(&self.nodes) {
            match self.by_name.get_mut(&node.name) {
                Some(known) => known.push(at),
                None => drop(self.by_name.insert(node.name.clone(), vec![at])),
            }
        }
    }

    /// Where a node is in the store; `None` if there cannot be one.
    pub(super) fn symbol(&self, node: u32) -> Option<SymbolId> {
        let file = &self.files[self.nodes[node as usize].file as usize];
        SymbolId::in_file(file.id, *file.ordinals.get((node - file.begin) as usize)?)
    }

    /// The number of nodes of the graph.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() + self.files.len()
    }

    fn target(&self, node: u32) -> Target<'_> {
        let Node { file, kind, name, name_span, scope, .. } = &self.nodes[node as usize];
        let GraphFile { id, path, language, .. } = &self.files[*file as usize];
        let place = Candidate { path, language, name, scope };
        Target { file: *id, kind: *kind, name_span: *name_span, place }
    }

    /// The node that something in a file is inside of.
    fn node_round(&self, file: u32, symbols: &[Symbol], mut symbol: Option<u32>) -> u32 {
        let GraphFile { begin, ordinals, .. } = &self.files[file as usize];
        while let Some(ordinal) = symbol {
            if let Ok(at) = ordinals.binary_search(&ordinal) {
                return begin + at as u32;
            }
            symbol = symbols.get(ordinal as usize).and_then(|symbol| symbol.parent);
        }
        (self.nodes.len() + file as usize) as u32
    }

    /// The edges from what is in a file to what it mentions. What mentions another often leans on it more, but not as much more
    /// as it does so more often.
    pub(super) fn edges(&self, record: &FileRecord, document: &Document) -> Vec<(u32, u32, f32)> {
        let (Some(file), Some(language)) = (self.by_file.get(&record.id), &record.language) else {
            return Vec::new();
        };
        let imports = Imports::new(&record.path, language, &document.references);
        let resolver = Resolver { file: record.id, language, document, imports: &imports };
        let mut known: HashMap<&str, Vec<(u32, f32)>> = HashMap::new();
        let mut weights: HashMap<(u32, u32), f32> = HashMap::new();
        for reference in &document.references {
            let bare = reference.qualifier.is_none() && reference.kind != ReferenceKind::Import;
            let original = if bare { imports.original(&reference.name) } else { None };
            let name = original.unwrap_or(&reference.name);
            let Some(nodes) = self.by_name.get(name) else { continue };
            let from = self.node_round(*file, &document.symbols, reference.symbol);
            let mut add = |targets: &[(u32, f32)]| {
                for &(to, weight) in targets {
                    *weights.entry((from, to)).or_default() += weight;
                }
            };
            // Calls without anything before the name mean the same wherever they are in the file.
            let is_alike = reference.kind == ReferenceKind::Call && reference.qualifier.is_none();
            match known.get(&*reference.name) {
                Some(targets) if is_alike => add(targets),
                _ => {
                    let targets = self.resolve(&resolver, reference, name, nodes);
                    add(&targets);
                    if is_alike {
                        known.insert(&reference.name, targets);
                    }
                }
            }
        }
        weights.into_iter().map(|((from, to), weight)| (from, to, weight.sqrt())).collect()
    }

    /// The nodes that a mention means, and what it weighs for each.
    fn resolve(
        &self,
        resolver: &Resolver<'_>,
        reference: &Reference,
        name: &str,
        nodes: &[u32],
    ) -> Vec<(u32, f32)> {
        let is_here = |node: &&u32| self.files[self.nodes[**node as usize].file as usize].id == resolver.file;
        let nodes: Vec<u32> = match nodes.len() > MAX_DEFINITIONS {
            true => nodes.iter().filter(is_here).copied().collect(),
            false => nodes.to_vec(),
        };
        let targets: Vec<Target<'_>> = nodes.iter().map(|node| self.target(*node)).collect();
        let (evidence, meant) = resolver.resolve(reference, name, &targets);
        let weight = match evidence {
            Evidence::Name if meant.len() > MAX_BY_NAME || !is_telling(name) => return Vec::new(),
            Evidence::Name => BY_NAME,
            Evidence::SameFile => IN_ITS_FILE,
            Evidence::Import => 1.0,
        };
        meant.iter().map(|at| (nodes[*at], weight / meant.len() as f32)).collect()
    }
}
