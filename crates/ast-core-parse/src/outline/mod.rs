//! Definitions, mentions and measures of a file, found in one pass over its tree's columns.

mod leads;
mod lines;
mod mentions;
mod names;
mod symbols;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use crate::annotation::Measure;
use crate::languages::{Role, Spec};
use crate::mention::Mentions;
use crate::syntax::{ERROR, Node, SyntaxTree, flags};
use crate::visit::{Definitions, Visit};
use crate::{Annotation, Coverage, SyntaxErrors};
use ast_core_model::{Reference, Span, Symbol, SymbolKind, Visibility};
use leads::Lead;
use lines::Lines;
use names::Names;
use std::collections::HashSet;
pub(crate) use text::fold_space;

/// The longest name, qualifier or alias kept, in bytes.
const MAX_NAME_BYTES: usize = 1024;
/// How many bytes of documentation, signatures and annotations are kept for each byte of a file, and besides: ordinary
/// code has less than one, but a long comment may be that of any number of names that are declared together.
const TEXT_PER_BYTE: usize = 4;
const MIN_TEXT_BYTES: usize = 64 << 10;
/// How many definitions a definition may be inside of; what is deeper is left out.
const MAX_SCOPES: u32 = 256;
/// The most syntax errors whose places are kept.
const MAX_ERROR_PLACES: usize = 32;

pub(crate) struct Outline {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) references: Vec<Reference>,
    pub(crate) syntax_errors: SyntaxErrors,
    /// Whether symbols were left out, and why.
    pub(crate) coverage: Coverage,
}

impl Outline {
    /// Puts symbols in order of their beginning, outer before inner: the new name of a type stands after what the type
    /// is made of.
    fn sort_symbols(&mut self) {
        let place = |symbol: &Symbol| (symbol.extent.start, std::cmp::Reverse(symbol.extent.end));
        if self.symbols.is_sorted_by_key(|symbol| symbol.extent.start) {
            return;
        }
        let mut order: Vec<u32> = (0..self.symbols.len() as u32).collect();
        order.sort_by_key(|&index| place(&self.symbols[index as usize]));
        let mut moved_to = vec![0; order.len()];
        for (to, &from) in order.iter().enumerate() {
            moved_to[from as usize] = to as u32;
        }
        let mut symbols: Vec<Option<Symbol>> =
            std::mem::take(&mut self.symbols).into_iter().map(Some).collect();
        let mut annotations = std::mem::take(&mut self.annotations);
        for (to, &from) in order.iter().enumerate() {
            let Some(mut symbol) = symbols[from as usize].take() else { continue };
            // What is inside of another begins after it.
            symbol.parent =
                symbol.parent.map(|parent| moved_to[parent as usize]).filter(|&parent| parent < to as u32);
            self.symbols.push(symbol);
            self.annotations.push(std::mem::take(&mut annotations[from as usize]));
        }
        for reference in &mut self.references {
            reference.symbol = reference.symbol.map(|symbol| moved_to[symbol as usize]);
        }
    }
}

/// What the nodes of a subtree are inside of.
pub(crate) struct Scope {
    /// The row after the subtree.
    end: u32,
    /// The row of its root.
    pub(crate) row: u32,
    pub(crate) symbol: Option<u32>,
    /// Whether it is a function's body or a value, whose variables are nobody else's.
    pub(crate) in_code: bool,
    pub(crate) section: Option<Visibility>,
    /// The function whose complexity counts what is here.
    function: Option<Function>,
    /// How many definitions it is inside of.
    depth: u32,
}

/// Finds what a file defines and mentions; keeps its buffers.
pub(crate) struct Outliner {
    max_symbols: usize,
    fold: String,
    /// Rows of comments, attributes and the like.
    collected: Vec<u32>,
    /// Where types are inherited: rows, from and to.
    heritage: Vec<(u32, u32)>,
    lines: Lines,
    measure: Measure,
    /// Which names a definition has inside of it, for definitions that are made once.
    names: Names,
    /// The rows of names that the file says are for everybody.
    published: Vec<u32>,
    /// The last function that was found to call itself.
    recursive: Option<u32>,
    /// What leads up to the node at which several names are defined.
    lead: Option<Lead>,
    /// How many bytes of texts the file may still give.
    text_left: usize,
}

impl Outliner {
    pub(crate) fn new(max_symbols: usize) -> Self {
        Self {
            max_symbols: max_symbols.min(u32::MAX as usize),
            fold: String::new(),
            collected: Vec::new(),
            heritage: Vec::new(),
            lines: Lines::default(),
            measure: Measure::default(),
            names: Names::default(),
            published: Vec::new(),
            recursive: None,
            lead: None,
            text_left: 0,
        }
    }

    pub(crate) fn run(&mut self, tree: &SyntaxTree<'_>, spec: &'static Spec, stem: &str) -> Outline {
        self.collected.clear();
        self.heritage.clear();
        self.measure.clear();
        self.names.clear();
        self.published.clear();
        self.recursive = None;
        self.lead = None;
        self.text_left = MIN_TEXT_BYTES + TEXT_PER_BYTE * tree.source.len();
        self.lines.find(tree.source);
        let mut pass = Pass {
            tree,
            spec,
            roles: &tree.compiled.roles,
            stem,
            outline: Outline {
                symbols: Vec::new(),
                annotations: Vec::new(),
                references: Vec::new(),
                syntax_errors: SyntaxErrors::default(),
                coverage: Coverage::Full,
            },
            scopes: Vec::with_capacity(16),
            wrapped: None,
            buffers: self,
        };
        pass.count_errors();
        pass.run();
        pass.publish();
        let mut outline = pass.outline;
        // What is called comes after its arguments, where a chain of calls begins.
        outline.references.sort_by_key(|reference| (reference.span.start, reference.span.end));
        outline.sort_symbols();
        outline
    }
}

struct Pass<'a, 'tree> {
    tree: &'tree SyntaxTree<'tree>,
    spec: &'static Spec,
    roles: &'static [Role],
    /// The file's name without extension.
    stem: &'a str,
    outline: Outline,
    scopes: Vec<Scope>,
    /// The row of the last wrapper, the inmost of its kind, that stood for a definition.
    wrapped: Option<u32>,
    buffers: &'a mut Outliner,
}

impl<'tree> Pass<'_, 'tree> {
    fn run(&mut self) {
        let columns = self.tree.columns;
        let rows = columns.len() as u32;
        let mut found: Definitions<'tree> = Vec::new();
        let mut mentions: Mentions<'tree> = Vec::new();
        let mut row = 0;
        let mut scope_end = u32::MAX;
        while row < rows {
            let role = self.role(columns.kind[row as usize]);
            if role.is_plain() {
                row += 1;
                continue;
            }
            while scope_end <= row {
                self.scopes.pop();
                scope_end = self.scopes.last().map_or(u32::MAX, |scope| scope.end);
            }
            let node = self.tree.node(row);
            row += 1;
            if role.is(COLLECTED) {
                self.collect(node, role);
                if !role.is(Role::ATTRIBUTE) {
                    row = node.next_row();
                    continue;
                }
            }
            if role.is(Role::OPAQUE) && columns.flags[node.row() as usize] & flags::HAS_ERROR == 0 {
                row = node.next_row();
                continue;
            }
            let mut defined = None;
            if role.is(Role::DEFINITION) {
                let visit = self.visit(node);
                (self.spec.syntax.define)(&visit, &mut found);
                if self.scopes.last().is_none_or(|scope| scope.depth < MAX_SCOPES) {
                    defined = self.push_all(&mut found, node);
                } else if !found.is_empty() {
                    found.clear();
                    if self.outline.coverage == Coverage::Full {
                        self.outline.coverage = Coverage::NestingLimit { limit: MAX_SCOPES };
                    }
                }
            }
            if role.is(Role::BRANCH) {
                self.count_branch(node);
            }
            if node.next_row() > node.row() + 1 && (defined.is_some() || role.is(Role::MEMBERS)) {
                scope_end = self.open_scope(node, role, defined);
            }
            if role.is(Role::MENTION) {
                self.mention(node, role, &mut mentions);
            }
        }
    }

    /// Gives the file's own definitions the visibility that its lists of exports say.
    fn publish(&mut self) {
        if self.buffers.published.is_empty() {
            return;
        }
        let names: HashSet<&str> =
            self.buffers.published.iter().map(|&row| self.tree.node(row).text()).collect();
        let symbols = self.outline.symbols.iter_mut();
        for symbol in symbols.filter(|symbol| symbol.parent.is_none() && names.contains(&*symbol.name)) {
            symbol.visibility = Some(Visibility::Public);
        }
    }

    fn role(&self, kind: u16) -> Role {
        self.roles.get(kind as usize).copied().unwrap_or_default()
    }

    fn visit(&self, node: Node<'tree>) -> Visit<'_, 'tree> {
        Visit {
            node,
            source: self.tree.source,
            stem: self.stem,
            symbols: &self.outline.symbols,
            scopes: &self.scopes,
            roles: self.roles,
        }
    }

    fn count_errors(&mut self) {
        let columns = self.tree.columns;
        if columns.flags.first().is_none_or(|flag| flag & flags::HAS_ERROR == 0) {
            return;
        }
        let errors = &mut self.outline.syntax_errors;
        for row in 0..columns.len() {
            if columns.kind[row] == ERROR || columns.flags[row] & flags::MISSING != 0 {
                errors.count += 1;
                if errors.places.len() < MAX_ERROR_PLACES {
                    errors.places.push(Span::new(columns.start[row], columns.end[row]));
                    let line = self.buffers.lines.of(columns.start[row]);
                    errors.first_line.get_or_insert(line);
                }
            }
        }
    }

    /// Keeps a comment or attribute for the definition after it, or notes a section's visibility.
    fn collect(&mut self, node: Node<'tree>, role: Role) {
        if role.is(Role::SECTION) {
            if let Some(scope) = self.scopes.last_mut().filter(|_| (self.spec.syntax.is_section)(node)) {
                scope.section = node.text().trim_end_matches(':').trim().parse().ok();
            }
        } else if self
            .buffers
            .collected
            .last()
            .is_none_or(|&last| self.tree.node(last).next_row() <= node.row())
        {
            // What is inside of an attribute does not stand between that and the definition.
            self.buffers.collected.push(node.row());
        }
    }

    /// Opens the scope of what was defined or of a list of members; the row after it.
    fn open_scope(&mut self, node: Node<'tree>, role: Role, defined: Option<Defined>) -> u32 {
        let outer = self.scopes.last();
        let rest = defined.filter(|defined| defined.has_rest).and_then(|_| node.parent());
        let end = rest.unwrap_or(node).next_row();
        let mut scope = Scope {
            end,
            row: node.row(),
            symbol: outer.and_then(|outer| outer.symbol),
            in_code: false,
            // The members of a type without a name are those of the type round it.
            section: outer.filter(|_| defined.is_none()).and_then(|outer| outer.section),
            function: outer.and_then(|outer| outer.function),
            depth: outer.map_or(0, |outer| outer.depth),
        };
        if let Some(defined) = defined {
            let index = defined.symbol as usize;
            let kind = self.outline.symbols[index].kind;
            scope.symbol = Some(defined.symbol);
            scope.depth += 1;
            scope.in_code = !role.is(Role::MEMBERS)
                && (is_function(kind) || self.spec.syntax.values_are_code && is_value(kind));
            if self.outline.annotations[index].complexity.is_some() {
                let base = self.buffers.measure.depth(node.row());
                scope.function = Some(Function {
                    symbol: defined.symbol,
                    row: defined.function,
                    body: defined.body,
                    base,
                });
            }
        }
        self.scopes.push(scope);
        end
    }

    fn count_branch(&mut self, node: Node<'tree>) {
        let Some(function) = self.scopes.last().and_then(|scope| scope.function) else { return };
        let Some(branch) = self.tree.compiled.branch(node.kind_id()) else { return };
        // The function itself, bound to its name, nests nothing.
        if node.row() == function.row || node.row() < function.body {
            return;
        }
        if let Some(complexity) = &mut self.outline.annotations[function.symbol as usize].complexity {
            self.buffers.measure.count(branch, node, function.base, complexity);
        }
    }
}

/// A definition that was found at a node.
#[derive(Clone, Copy)]
struct Defined {
    symbol: u32,
    /// The row of the function it names, or of the node itself.
    function: u32,
    /// Whether what follows is inside of it.
    has_rest: bool,
    /// The row from which on its complexity is counted.
    body: u32,
}

/// The function that what is visited is in.
#[derive(Clone, Copy)]
struct Function {
    symbol: u32,
    row: u32,
    /// The row from which on its complexity is counted.
    body: u32,
    /// How many constructs were open where it begins.
    base: usize,
}

/// Roles of nodes that are kept for the definition after them.
const COLLECTED: Role = Role::COMMENT.or(Role::ATTRIBUTE).or(Role::SECTION);

fn is_function(kind: SymbolKind) -> bool {
    matches!(kind, SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor)
}

fn is_value(kind: SymbolKind) -> bool {
    use SymbolKind as Kind;
    matches!(kind, Kind::Constant | Kind::Static | Kind::Variable | Kind::Field | Kind::Property)
}
