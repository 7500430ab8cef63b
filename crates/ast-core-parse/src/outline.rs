//! Definitions, mentions and measures of a file, found in one pass over its tree's columns.

use crate::annotation::{self, Measure};
use crate::languages::{Role, Spec};
use crate::mention::{self, Mention, Mentions};
use crate::syntax::{ERROR, Node, SyntaxTree, flags};
use crate::visit::{Definition, Definitions, Visit};
use crate::{Annotation, Complexity, SyntaxErrors, comment};
use ast_core_model::{LineRange, Reference, ReferenceKind, Span, Symbol, SymbolKind, Visibility};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// The longest signature kept, in bytes.
const MAX_SIGNATURE_BYTES: usize = 400;
/// The longest name, qualifier or alias kept, in bytes.
const MAX_NAME_BYTES: usize = 1024;
/// What is kept of a signature when a file's texts are used up, in bytes.
const MIN_SIGNATURE_BYTES: usize = 64;
/// How many bytes of documentation, signatures and annotations are kept for each byte of a file, and besides: ordinary
/// code has less than one, but a long comment may be that of any number of names that are declared together.
const TEXT_PER_BYTE: usize = 4;
const MIN_TEXT_BYTES: usize = 64 << 10;
/// How many definitions a definition may be inside of; what is deeper is not looked for.
const MAX_SCOPES: u32 = 256;
/// How many nodes are looked at for the list of arguments that a type is in.
const MAX_ARGUMENT_DEPTH: usize = 64;
/// How many bytes of white space at the end of a node are taken off.
const MAX_TRAILING_BYTES: usize = 4096;
/// The most syntax errors whose places are kept.
const MAX_ERROR_PLACES: usize = 32;

pub(crate) struct Outline {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) references: Vec<Reference>,
    pub(crate) syntax_errors: SyntaxErrors,
    /// Whether symbols were left out.
    pub(crate) limit_hit: bool,
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
                limit_hit: false,
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
            if role.is(Role::DEFINITION) && self.scopes.last().is_none_or(|scope| scope.depth < MAX_SCOPES) {
                let visit = self.visit(node);
                (self.spec.syntax.define)(&visit, &mut found);
                defined = self.push_all(&mut found, node);
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

    fn mention(&mut self, node: Node<'tree>, role: Role, mentions: &mut Mentions<'tree>) {
        while self.buffers.heritage.last().is_some_and(|&(_, end)| end <= node.row()) {
            self.buffers.heritage.pop();
        }
        if role.is(Role::HERITAGE) {
            let clause = self.tree.compiled.heritage(node);
            self.buffers.heritage.extend(clause.map(|clause| (clause.row(), clause.next_row())));
        }
        if role.is(Role::TYPE_NAME) {
            let begins_path = self.begins_path(node);
            // Packages and modules are spelled in lower case.
            let is_module = begins_path && node.text().starts_with(char::is_lowercase);
            if !is_module && !self.is_name_of_definition(node) {
                let inherits = !begins_path && self.inherits(node);
                let kind = if inherits { ReferenceKind::Inherit } else { ReferenceKind::Type };
                mentions.push(self.type_mention(kind, node));
            }
        } else if role.is(Role::CALL) {
            let is_call = |callee: &Node<'_>| self.role(callee.kind_id()).is(Role::CALL);
            // The call of a call's result names nothing.
            let callee = self.tree.compiled.callee(node).filter(|callee| !is_call(callee));
            mentions.extend(callee.and_then(|callee| mention::named(ReferenceKind::Call, callee)));
        }
        if role.is(Role::REFER) {
            (self.spec.syntax.refer)(&self.visit(node), mentions);
        }
        let symbol = self.scopes.last().and_then(|scope| scope.symbol);
        for mention in mentions.drain(..) {
            let name = cut(mention.name_text.as_deref().unwrap_or(mention.name.text()), MAX_NAME_BYTES);
            if name.is_empty() {
                continue;
            }
            let short = |text: String| Box::from(cut(&text, MAX_NAME_BYTES));
            if mention.kind == ReferenceKind::Call {
                self.count_recursion(name, mention.qualifier.as_deref());
            }
            let span = Span::new(mention.name.start(), mention.name.end());
            self.outline.references.push(Reference {
                kind: mention.kind,
                name: name.into(),
                qualifier: mention.qualifier.map(short),
                alias: mention.alias.map(short),
                span,
                line: self.buffers.lines.of(span.start),
                symbol,
            });
        }
    }

    /// The mention of a type, qualified with the path that it ends.
    fn type_mention(&self, kind: ReferenceKind, node: Node<'tree>) -> Mention<'tree> {
        mention::last_of(kind, self.type_path(node), node)
    }

    /// Whether more of a path follows the name.
    fn begins_path(&self, node: Node<'tree>) -> bool {
        let path_round = |inner: Node<'tree>| {
            inner.parent().filter(|path| self.spec.syntax.type_paths.contains(&path.kind()))
        };
        // What follows the name in C++'s `name<T>` are its arguments.
        let is_more =
            |inner: Node<'tree>, path: Node<'tree>| path.end() != inner.end() && inner.field_name() != "name";
        let goes_on = |inner: Node<'tree>| path_round(inner).is_some_and(|path| is_more(inner, path));
        // What ends a path may begin the one that this path begins.
        goes_on(node) || path_round(node).is_some_and(goes_on)
    }

    /// The longest path that ends in the name of a type; its arguments may follow.
    fn type_path(&self, name: Node<'tree>) -> Node<'tree> {
        let paths = self.spec.syntax.type_paths;
        let is_end = |node: Node<'tree>, path: Node<'tree>| {
            paths.contains(&path.kind()) && (path.end() == node.end() || node.field_name() == "name")
        };
        let longer = |node: &Node<'tree>| node.parent().filter(|path| is_end(*node, *path));
        std::iter::successors(Some(name), longer).last().unwrap_or(name)
    }

    /// Whether the type is one that is extended or implemented, not an argument of it.
    fn inherits(&self, node: Node<'tree>) -> bool {
        self.buffers.heritage.last().is_some_and(|&(begin, end)| {
            let is_inside = begin <= node.row() && node.row() < end;
            let round = std::iter::successors(node.parent(), |node| node.parent());
            is_inside
                && !round
                    .take(MAX_ARGUMENT_DEPTH)
                    .take_while(|node| node.row() > begin)
                    .any(|node| node.kind().ends_with("arguments") || node.kind().ends_with("argument_list"))
        })
    }

    /// Whether a type's name stands where a definition or a type parameter gets its name.
    fn is_name_of_definition(&self, node: Node<'tree>) -> bool {
        let node = self.type_path(node);
        let Some(parent) = node.parent() else { return false };
        if parent.kind().contains("type_parameter") {
            return matches!(node.field_name(), "name" | "left" | "")
                && parent.named_children().next() == Some(node);
        }
        // Type definitions in C have the new name in the field, or inside of declarators.
        let is_definition = self.role(parent.kind_id()).is(Role::DEFINITION);
        is_definition && matches!(node.field_name(), "name" | "declarator")
            || parent.kind().ends_with("declarator")
    }

    /// A function that calls itself takes one more step to follow.
    fn count_recursion(&mut self, name: &str, qualifier: Option<&str>) {
        let Some(function) = self.scopes.last().and_then(|scope| scope.function) else { return };
        let symbol = &self.outline.symbols[function.symbol as usize];
        // A constructor that calls one of its name makes another value, or leaves the work to an overload.
        let is_own = matches!(qualifier, None | Some("self" | "Self" | "this" | "cls" | "$this" | "static"))
            && symbol.kind != SymbolKind::Constructor
            && (qualifier.is_some() || symbol.kind == SymbolKind::Function);
        if is_own && *symbol.name == *name && self.buffers.recursive != Some(function.symbol) {
            self.buffers.recursive = Some(function.symbol);
            if let Some(complexity) = &mut self.outline.annotations[function.symbol as usize].complexity {
                complexity.cognitive += 1;
            }
        }
    }

    /// Turns what `define` found into symbols; the first of them.
    fn push_all(&mut self, found: &mut Definitions<'tree>, node: Node<'tree>) -> Option<Defined> {
        let mut first = None;
        let is_alone = found.len() == 1;
        for definition in found.drain(..) {
            if definition.publishes {
                self.buffers.published.push(definition.name.row());
                continue;
            }
            if self.outline.symbols.len() >= self.buffers.max_symbols {
                self.outline.limit_hit = true;
                break;
            }
            let has_rest = definition.has_rest;
            if has_rest {
                self.end_rest(node);
            }
            let function = definition.function.unwrap_or(node);
            let body =
                function.field("body").filter(|_| self.spec.syntax.body_alone_counts).map_or(0, Node::row);
            let function = function.row();
            let (has_function, owner, once) =
                (definition.function.is_some(), definition.owner, definition.once);
            let mut annotation = annotation::annotate(&definition, node, &self.spec.syntax);
            let Some(mut symbol) = self.symbol(definition, node, is_alone) else { continue };
            symbol.parent = owner.or(symbol.parent);
            if once && self.buffers.names.has(&self.outline.symbols, &symbol) {
                continue;
            }
            self.spend(&mut symbol, &mut annotation);
            if is_function(symbol.kind) || symbol.kind == SymbolKind::Property && has_function {
                annotation.complexity = Some(Complexity::default());
            }
            if owner.is_none() || is_function(symbol.kind) {
                first.get_or_insert(Defined {
                    symbol: self.outline.symbols.len() as u32,
                    function,
                    body,
                    has_rest,
                });
            }
            self.outline.symbols.push(symbol);
            self.outline.annotations.push(annotation);
        }
        first
    }

    /// Takes the texts of a definition from what the file may give; if that is used up, they are left out.
    fn spend(&mut self, symbol: &mut Symbol, annotation: &mut Annotation) {
        let length = |text: &Option<Box<str>>| text.as_deref().map_or(0, str::len);
        let parameters: usize = annotation
            .parameters
            .iter()
            .map(|parameter| {
                let texts = length(&parameter.type_name) + length(&parameter.default);
                size_of_val(parameter) + parameter.name.len() + texts
            })
            .sum();
        let texts = symbol.signature.len()
            + length(&symbol.doc)
            + length(&annotation.type_parameters)
            + length(&annotation.return_type)
            + parameters;
        match self.buffers.text_left.checked_sub(texts) {
            Some(left) => self.buffers.text_left = left,
            None => {
                symbol.signature = cut(&symbol.signature, MIN_SIGNATURE_BYTES).into();
                symbol.doc = None;
                *annotation = Annotation { modifiers: annotation.modifiers, ..Annotation::default() };
            }
        }
    }

    /// Closes the scope of a definition beside the node that what follows was inside of.
    fn end_rest(&mut self, node: Node<'tree>) {
        let is_beside = |scope: &Scope| self.tree.node(scope.row).parent() == node.parent();
        if self.scopes.last().is_some_and(is_beside) {
            self.scopes.pop();
        }
    }

    /// The symbol of what is defined at a node, alone or with others.
    fn symbol(
        &mut self,
        definition: Definition<'tree>,
        visited: Node<'tree>,
        is_alone: bool,
    ) -> Option<Symbol> {
        let source = self.tree.source;
        let name = match &definition.name_text {
            Some(name) => name.as_str(),
            None => definition.name.text(),
        };
        let name: Box<str> = fold_space(&mut self.buffers.fold, cut(name, MAX_NAME_BYTES)).into();
        if name.is_empty() {
            return None;
        }
        let node = definition.node.unwrap_or(visited);
        let mut end = end_of(node, source);
        let mut start_node = node;
        let has_doc = definition.doc.is_some();
        let cached = self.buffers.lead.take().filter(|lead| !is_alone && lead.row == node.row());
        let mut lead = cached.unwrap_or_else(|| self.lead(node, !has_doc || !is_alone));
        let mut extent_start = lead.begin;
        let mut has_docs = lead.has_docs;
        let mut doc = definition.doc;
        if !has_doc {
            doc = if is_alone { lead.doc.take() } else { lead.doc.clone() };
        }
        let after_attributes = lead.after_attributes;
        if !is_alone {
            self.buffers.lead = Some(lead);
        }
        // The wrappers that stand for the definition, unless they did so for another one.
        if definition.node.is_none() {
            let mut outer = node;
            while let Some(wrapper) = outer.parent().filter(|parent| self.stands_for_child(*parent)) {
                let round = self.lead(wrapper, !has_doc && !has_docs);
                extent_start = extent_start.min(round.begin);
                if !has_docs && !has_doc {
                    doc = round.doc;
                    has_docs = round.has_docs;
                }
                if self.role(wrapper.kind_id()).is(Role::WRAPPER) {
                    start_node = wrapper;
                    let wrapper_end = end_of(wrapper, source);
                    let rest = source.get(end as usize..wrapper_end as usize).unwrap_or("x");
                    if rest.bytes().all(|byte| byte == b';' || byte.is_ascii_whitespace()) {
                        end = wrapper_end;
                    }
                }
                outer = wrapper;
            }
            if outer != node {
                self.wrapped = node.parent().map(Node::row);
            }
        }
        let start_node = definition.start.unwrap_or_else(|| match start_node == node {
            true => self.tree.node(after_attributes),
            false => self.after_attributes(start_node),
        });
        let start = start_node.start();
        let end = end.max(start);
        let signature_end = definition.body.map_or(end, Node::start).max(start);
        let start_line = self.buffers.lines.of(start);
        let end_line = self.buffers.lines.of(end.saturating_sub(1).max(start));
        Some(Symbol {
            name,
            qualifier: definition.qualifier.map(|qualifier| cut(&qualifier, MAX_NAME_BYTES).into()),
            kind: definition.kind,
            parent: self.scopes.last().and_then(|scope| scope.symbol),
            span: Span::new(start, end),
            lines: LineRange::new(start_line, end_line),
            extent: Span::new(extent_start.min(start), end),
            name_span: Span::new(definition.name.start(), definition.name.end()),
            signature: signature(
                &mut self.buffers.fold,
                source.get(start as usize..signature_end as usize).unwrap_or(""),
            ),
            doc,
            visibility: definition.visibility,
        })
    }

    /// Whether a node stands for the definition inside it, and did not for another one before.
    fn stands_for_child(&self, node: Node<'tree>) -> bool {
        self.role(node.kind_id()).is(Role::WRAPPER.or(Role::OUTER_WRAPPER))
            && self.scopes.last().is_none_or(|scope| scope.row != node.row())
            && self.wrapped.is_none_or(|wrapped| wrapped < node.row())
            && (self.spec.syntax.is_wrapper)(node)
    }

    /// What leads up to a node; with the documentation's text if that is wanted.
    fn lead(&self, node: Node<'tree>, wants_doc: bool) -> Lead {
        let source = self.tree.source;
        let mut begin = node.start();
        let is_next = |before: Node<'tree>, begin: u32| {
            let between = source.get(end_of(before, source) as usize..begin as usize).map(str::as_bytes);
            between.is_some_and(|between| {
                between.iter().all(u8::is_ascii_whitespace)
                    && memchr::memchr_iter(b'\n', between).count() <= 1
                    && before.parent() == node.parent()
            })
        };
        let is_comment = |node: Node<'_>| self.role(node.kind_id()).is(Role::COMMENT);
        let mut led_by: Vec<Node<'tree>> = Vec::new();
        for &row in self.buffers.collected.iter().rev().skip_while(|&&row| row >= node.row()) {
            let before = self.tree.node(row);
            if !is_next(before, begin) {
                break;
            }
            begin = before.start();
            led_by.push(before);
        }
        // A comment that follows something on its line belongs to that.
        while led_by.last().is_some_and(|first| is_comment(*first) && follows_text(source, first.start())) {
            led_by.pop();
        }
        let is_doc = |node: &Node<'_>| is_comment(*node) && (self.spec.syntax.is_doc)(node.text());
        let mut docs = led_by.iter().copied().rev().filter(is_doc).peekable();
        let has_docs = docs.peek().is_some();
        let mut text = String::new();
        if wants_doc {
            docs.for_each(|node| comment::push_text(&mut text, node.text()));
        }
        Lead {
            row: node.row(),
            begin: led_by.last().map_or(node.start(), |first| first.start()),
            after_attributes: self.after_attributes(node).row(),
            has_docs,
            doc: comment::finish(&text),
        }
    }

    /// What follows the decorators and attributes that a node begins with.
    fn after_attributes(&self, node: Node<'tree>) -> Node<'tree> {
        let is_attribute = |child: &Node<'_>| self.role(child.kind_id()).is(Role::ATTRIBUTE);
        if !node.first_child().is_some_and(|first| is_attribute(&first)) {
            return node;
        }
        let is_lead = |child: &Node<'_>| self.role(child.kind_id()).is(Role::ATTRIBUTE.or(Role::COMMENT));
        node.children().find(|child| !is_lead(child)).unwrap_or(node)
    }
}

/// The comments and attributes that lead up to a node.
struct Lead {
    /// The node's row.
    row: u32,
    /// Where they begin, or the node itself.
    begin: u32,
    /// The row of what follows the attributes that the node begins with, or the node's.
    after_attributes: u32,
    /// Whether some of them are documentation.
    has_docs: bool,
    /// The documentation's text, if it was wanted.
    doc: Option<Box<str>>,
}

/// The names that definitions have inside of them; gathered when they are first asked for.
#[derive(Default)]
struct Names {
    /// A symbol for each name of a definition, by the definition and the name's hash.
    symbols: HashMap<(Option<u32>, u64), u32>,
    hasher: RandomState,
    /// How many symbols were gathered.
    gathered: usize,
}

impl Names {
    fn clear(&mut self) {
        self.symbols.clear();
        self.gathered = 0;
    }

    /// Whether a symbol of this one's name belongs to what this one belongs to.
    fn has(&mut self, symbols: &[Symbol], symbol: &Symbol) -> bool {
        for (index, known) in symbols.iter().enumerate().skip(self.gathered) {
            self.symbols.insert((known.parent, self.hasher.hash_one(&known.name)), index as u32);
        }
        self.gathered = symbols.len();
        let found = self.symbols.get(&(symbol.parent, self.hasher.hash_one(&symbol.name)));
        found.is_some_and(|&index| symbols[index as usize].name == symbol.name)
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

/// Whether something other than white space stands before the place on its line.
fn follows_text(source: &str, at: u32) -> bool {
    let before = source.as_bytes()[..at as usize].iter().rev();
    before.take_while(|&&byte| byte != b'\n').any(|byte| !byte.is_ascii_whitespace())
}

/// The beginning of a text, of at most so many bytes.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

fn is_function(kind: SymbolKind) -> bool {
    matches!(kind, SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor)
}

fn is_value(kind: SymbolKind) -> bool {
    use SymbolKind as Kind;
    matches!(kind, Kind::Constant | Kind::Static | Kind::Variable | Kind::Field | Kind::Property)
}

/// The end of a node without trailing white space, which some grammars include.
fn end_of(node: Node<'_>, source: &str) -> u32 {
    let bytes = &source.as_bytes()[..node.end() as usize];
    let mut end = bytes.len();
    let least = (node.start() as usize).max(end.saturating_sub(MAX_TRAILING_BYTES));
    while end > least && bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    end as u32
}

/// Where the lines of a text begin.
#[derive(Default)]
pub(crate) struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    pub(crate) fn find(&mut self, text: &str) {
        self.starts.clear();
        self.starts.push(0);
        self.starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
    }

    /// The line of a place, from 1.
    pub(crate) fn of(&self, at: u32) -> u32 {
        self.starts.partition_point(|&start| start <= at) as u32
    }
}

/// The text on one line, white space folded; borrowed if it is so already.
pub(crate) fn fold_space<'a>(buffer: &'a mut String, text: &'a str) -> &'a str {
    let text = text.trim();
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return text;
    }
    buffer.clear();
    for word in text.split_ascii_whitespace() {
        if !buffer.is_empty() {
            buffer.push(' ');
        }
        buffer.push_str(word);
    }
    buffer
}

fn signature(buffer: &mut String, head: &str) -> Box<str> {
    // Enough to fill a signature even if most of it is indentation.
    let head = &head[..head.floor_char_boundary(4 * MAX_SIGNATURE_BYTES)];
    let text = fold_space(buffer, head);
    let text =
        text.trim_end_matches(|c: char| matches!(c, '{' | ':' | ';' | ',' | '=' | '\\') || c.is_whitespace());
    if text.len() <= MAX_SIGNATURE_BYTES {
        text.into()
    } else {
        format!("{}…", &text[..text.floor_char_boundary(MAX_SIGNATURE_BYTES)]).into()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::{Annotation, Complexity, ParsedFile};
    use ast_core_model::scope_of;
    use std::fmt::Write;

    /// Symbols and chunks as text, checking on the way that they are where they say.
    pub(crate) fn render(bytes: &[u8], file: &ParsedFile) -> String {
        let mut out = String::new();
        let errors = &file.syntax_errors;
        writeln!(out, "{} lines, {} syntax errors, {:?}", file.lines, errors.count, file.coverage).unwrap();
        for (index, symbol) in file.symbols.iter().enumerate() {
            assert!(symbol.extent.contains(symbol.span), "{symbol:?}");
            assert!(symbol.parent.is_none_or(|parent| (parent as usize) < index), "{symbol:?}");
            let visibility = symbol.visibility.map_or("-", |visibility| visibility.as_str());
            let scope = scope_of(&file.symbols, index).join(".");
            write!(out, "{}-{} {} {}", symbol.lines.start, symbol.lines.end, symbol.kind, symbol.name)
                .unwrap();
            writeln!(out, " [{scope}] {visibility} | {}", symbol.signature).unwrap();
            if symbol.extent != symbol.span {
                let lead = &bytes[symbol.extent.start as usize..symbol.span.start as usize];
                writeln!(out, "    after {:?}", String::from_utf8_lossy(lead)).unwrap();
            }
            if let Some(doc) = &symbol.doc {
                writeln!(out, "    doc {doc:?}").unwrap();
            }
            render_annotation(&mut out, &file.annotations[index]);
        }
        assert_eq!(file.annotations.len(), file.symbols.len());
        for reference in &file.references {
            let inside = reference.symbol.map_or("-", |index| &*file.symbols[index as usize].name);
            write!(out, "{} {} {}", reference.line, reference.kind, reference.name).unwrap();
            if let Some(alias) = &reference.alias {
                write!(out, " as {alias}").unwrap();
            }
            if let Some(qualifier) = &reference.qualifier {
                write!(out, " of {qualifier}").unwrap();
            }
            writeln!(out, " in {inside}").unwrap();
        }
        for chunk in &file.chunks {
            let name = chunk.symbol.map_or("-", |index| &*file.symbols[index as usize].name);
            writeln!(
                out,
                "chunk {}-{} {} bytes {name}",
                chunk.lines.start,
                chunk.lines.end,
                chunk.span.len()
            )
            .unwrap();
        }
        out
    }

    fn render_annotation(out: &mut String, annotation: &Annotation) {
        let complexity = annotation.complexity.unwrap_or_default();
        if annotation.complexity.is_some() {
            let Complexity { cyclomatic, cognitive, max_nesting } = complexity;
            writeln!(out, "    cyclomatic {cyclomatic}, cognitive {cognitive}, nesting {max_nesting}")
                .unwrap();
        }
        if !annotation.modifiers.is_empty() {
            writeln!(out, "    modifiers {:?}", annotation.modifiers).unwrap();
        }
        if let Some(parameters) = &annotation.type_parameters {
            writeln!(out, "    type parameters {parameters}").unwrap();
        }
        for parameter in &annotation.parameters {
            write!(out, "    parameter {}", parameter.name).unwrap();
            if let Some(type_name) = &parameter.type_name {
                write!(out, ": {type_name}").unwrap();
            }
            if let Some(default) = &parameter.default {
                write!(out, " = {default}").unwrap();
            }
            writeln!(out, "{}", if parameter.optional { " (optional)" } else { "" }).unwrap();
        }
        if let Some(return_type) = &annotation.return_type {
            writeln!(out, "    returns {return_type}").unwrap();
        }
    }
}
