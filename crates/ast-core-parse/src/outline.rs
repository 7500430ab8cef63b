//! The definitions of a syntax tree, found in one pass with a cursor.
//!
//! The pass is iterative, so no nesting is too deep for it, and it leaves out what cannot hold a definition:
//! node kinds that the language names as opaque, and, inside code, subtrees without any of its triggers.

use crate::languages::{Role, Spec};
use crate::visit::{Definition, Definitions, Visit};
use crate::{SyntaxErrors, comment};
use ast_core_model::{LineRange, Span, Symbol, SymbolKind, Visibility};
use tree_sitter::{Node, Tree};

/// The longest signature kept, in bytes.
const MAX_SIGNATURE_BYTES: usize = 400;

pub(crate) struct Outline {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) syntax_errors: SyntaxErrors,
    /// Whether symbols were left out.
    pub(crate) limit_hit: bool,
}

/// Comments and attributes that wait for the definition after them.
#[derive(Clone, Default)]
struct Leading {
    start: Option<u32>,
    end_row: usize,
    docs: Vec<Span>,
}

impl Leading {
    fn clear(&mut self) {
        self.start = None;
        self.docs.clear();
    }
}

/// The siblings that the cursor is among.
pub(crate) struct Level<'tree> {
    /// Their parent.
    pub(crate) owner: Node<'tree>,
    pub(crate) symbol: Option<u32>,
    /// Whether only triggers lead to definitions: in a function's body or a value.
    pub(crate) in_code: bool,
    pub(crate) section: Option<Visibility>,
    leading: Leading,
    /// The sibling before.
    before: Option<Node<'tree>>,
    /// Whether the parent is a wrapper.
    pub(crate) wraps: bool,
    /// What the wrapper gives to the first definition inside it.
    wrapper: Option<Wrapper<'tree>>,
}

#[derive(Clone)]
struct Wrapper<'tree> {
    /// What the span begins with, if the wrapper is part of it.
    span: Option<Node<'tree>>,
    extent_start: u32,
    docs: Vec<Span>,
}

/// Finds definitions; keeps its buffers.
pub(crate) struct Outliner {
    max_symbols: usize,
    fold: String,
    triggers: Vec<u32>,
    /// Looks at every node, to test that leaving out loses nothing.
    #[cfg(test)]
    look_at_all: bool,
}

impl Outliner {
    pub(crate) fn new(max_symbols: usize) -> Self {
        Self {
            max_symbols: max_symbols.min(u32::MAX as usize),
            fold: String::new(),
            triggers: Vec::new(),
            #[cfg(test)]
            look_at_all: false,
        }
    }

    pub(crate) fn run(&mut self, tree: &Tree, source: &str, spec: &Spec) -> Outline {
        let roles = &spec.compiled().roles;
        let syntax = &spec.syntax;
        let root = tree.root_node();
        let has_errors = root.has_error();
        let mut outline =
            Outline { symbols: Vec::new(), syntax_errors: SyntaxErrors::default(), limit_hit: false };
        let mut levels: Vec<Level<'_>> = Vec::with_capacity(32);
        let mut found: Definitions<'_> = Vec::new();
        syntax.triggers.find(source, &mut self.triggers);
        #[cfg(test)]
        if self.look_at_all {
            self.triggers = (0..=source.len() as u32).collect();
        }
        let mut next_trigger = 0;
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
            let role = roles.get(node.kind_id() as usize).copied().unwrap_or_default();
            if has_errors && (node.is_error() || node.is_missing()) {
                let line = node.start_position().row as u32 + 1;
                outline.syntax_errors.count += 1;
                outline.syntax_errors.first_line.get_or_insert(line);
            }
            let mut defined = None;
            if role.is_plain() {
                if let Some(level) = levels.last_mut() {
                    level.leading.clear();
                    level.before = Some(node);
                }
            } else if role.is(Role::TOKEN) {
                // Commas and braces stand between a definition and its neighbour's trailing comment.
                if let Some(level) = levels.last_mut() {
                    level.before = Some(node);
                }
            } else if let Some(level) = levels.last_mut().filter(|_| role.is(COLLECTED)) {
                level.collect(node, role, source, syntax.is_doc);
            } else if role.is(Role::DEFINITION) && outline.symbols.len() < self.max_symbols {
                let visit = Visit::new(node, source, &outline.symbols, &levels);
                (syntax.define)(&visit, &mut found);
                defined = self.push_all(&mut found, node, source, roles, &mut levels, &mut outline.symbols);
            } else if role.is(Role::DEFINITION) {
                outline.limit_hit = true;
            }
            let leave_out = role.is(LEFT_OUT)
                || levels.last().is_some_and(|level| level.in_code)
                    && !role.is(Role::MEMBERS)
                    && !holds_trigger(&self.triggers, &mut next_trigger, node);
            if (!leave_out || has_errors && node.has_error()) && cursor.goto_first_child() {
                let level = Level::inside(
                    node,
                    role,
                    defined,
                    levels.last_mut(),
                    &outline.symbols,
                    syntax.values_are_code,
                );
                levels.push(level);
                continue;
            }
            while !cursor.goto_next_sibling() {
                levels.pop();
                if !cursor.goto_parent() {
                    return outline;
                }
                if let Some(level) = levels.last_mut() {
                    level.leading.clear();
                    level.before = Some(cursor.node());
                }
            }
        }
    }

    /// Turns what `define` found into symbols; the index of the first.
    fn push_all<'tree>(
        &mut self,
        found: &mut Definitions<'tree>,
        node: Node<'tree>,
        source: &str,
        roles: &[Role],
        levels: &mut [Level<'tree>],
        symbols: &mut Vec<Symbol>,
    ) -> Option<u32> {
        let first = (!found.is_empty()).then_some(symbols.len() as u32);
        for definition in found.drain(..) {
            if let Some(symbol) = self.symbol(definition, node, source, roles, levels) {
                symbols.push(symbol);
            }
        }
        first.filter(|&index| (index as usize) < symbols.len())
    }

    fn symbol<'tree>(
        &mut self,
        definition: Definition<'tree>,
        visited: Node<'tree>,
        source: &str,
        roles: &[Role],
        levels: &mut [Level<'tree>],
    ) -> Option<Symbol> {
        let name = match &definition.name_text {
            Some(name) => name.as_str(),
            None => source.get(definition.name.byte_range())?,
        };
        let name: Box<str> = fold_space(&mut self.fold, name).into();
        if name.is_empty() {
            return None;
        }
        let node = definition.node.unwrap_or(visited);
        let (mut end, mut end_row) = end_of(node, source);
        let mut start_node = node;
        let mut extent_start = node.start_byte() as u32;
        let mut doc = definition.doc;
        let mut parent = None;
        if let Some(level) = levels.last_mut() {
            parent = level.symbol;
            let row = node.start_position().row;
            let leading = &mut level.leading;
            let mut docs: &[Span] = &[];
            if let Some(start) = leading.start.filter(|_| row <= leading.end_row + 1) {
                extent_start = start;
                docs = &leading.docs;
            }
            if let Some(wrapper) = &level.wrapper {
                extent_start = extent_start.min(wrapper.extent_start);
                if docs.is_empty() {
                    docs = &wrapper.docs;
                }
                if let Some(span) = wrapper.span {
                    start_node = span;
                    let (wrapper_end, wrapper_end_row) = end_of(span, source);
                    let rest = source.get(end as usize..wrapper_end as usize).unwrap_or("x");
                    if rest.bytes().all(|byte| byte == b';' || byte.is_ascii_whitespace()) {
                        (end, end_row) = (wrapper_end, wrapper_end_row);
                    }
                }
            }
            if doc.is_none() && !docs.is_empty() {
                let mut text = String::new();
                for span in docs {
                    comment::push_text(&mut text, source.get(span.range()).unwrap_or(""));
                }
                doc = comment::finish(&text);
            }
            level.wrapper = None;
            level.leading.clear();
        }
        let start_node = definition.start.unwrap_or_else(|| after_attributes(start_node, roles));
        let start = start_node.start_byte() as u32;
        let end = end.max(start);
        let signature_end =
            definition.body.map_or(end as usize, |body| body.start_byte()).max(start as usize);
        let start_line = start_node.start_position().row as u32 + 1;
        Some(Symbol {
            name,
            qualifier: definition.qualifier.map(String::into_boxed_str),
            kind: definition.kind,
            parent,
            span: Span::new(start, end),
            lines: LineRange::new(start_line, (end_row as u32 + 1).max(start_line)),
            extent: Span::new(extent_start.min(start), end),
            name_span: Span::new(definition.name.start_byte() as u32, definition.name.end_byte() as u32),
            signature: signature(&mut self.fold, source.get(start as usize..signature_end).unwrap_or("")),
            doc,
            visibility: definition.visibility,
        })
    }
}

/// Whether one of the places is inside of the node. `next` is where to look on, as nodes come in order.
fn holds_trigger(places: &[u32], next: &mut usize, node: Node<'_>) -> bool {
    let start = node.start_byte() as u32;
    while places.get(*next).is_some_and(|&place| place <= start) {
        *next += 1;
    }
    places.get(*next).is_some_and(|&place| (place as usize) < node.end_byte())
}

/// Roles of nodes that are kept for the definition after them.
const COLLECTED: Role = Role::COMMENT.or(Role::ATTRIBUTE).or(Role::SECTION);
/// Roles of nodes that are not looked into.
const LEFT_OUT: Role = COLLECTED.or(Role::OPAQUE).or(Role::TOKEN);

impl<'tree> Level<'tree> {
    /// The level of the children of `node`.
    fn inside(
        node: Node<'tree>,
        role: Role,
        defined: Option<u32>,
        outer: Option<&mut Level<'tree>>,
        symbols: &[Symbol],
        values_are_code: bool,
    ) -> Self {
        let mut level = Level {
            owner: node,
            symbol: defined,
            in_code: false,
            section: None,
            leading: Leading::default(),
            before: None,
            wraps: false,
            wrapper: None,
        };
        let Some(outer) = outer else { return level };
        match defined.and_then(|index| symbols.get(index as usize)) {
            Some(symbol) => {
                level.in_code = is_function(symbol.kind) || (values_are_code && is_value(symbol.kind));
            }
            None => {
                level.symbol = outer.symbol;
                level.in_code = outer.in_code;
            }
        }
        if role.is(Role::MEMBERS) {
            level.in_code = false;
        }
        if role.is(Role::WRAPPER.or(Role::OUTER_WRAPPER)) && defined.is_none() {
            level.section = outer.section;
            level.wraps = true;
            level.wrapper = Some(outer.wrap(node, role));
        }
        level
    }

    /// What the definition inside this wrapper gets of what stands before the wrapper.
    fn wrap(&mut self, node: Node<'tree>, role: Role) -> Wrapper<'tree> {
        let start = node.start_byte() as u32;
        let leading = std::mem::take(&mut self.leading);
        let attached = leading.start.is_some() && node.start_position().row <= leading.end_row + 1;
        let own_span = role.is(Role::WRAPPER).then_some(node);
        let mut wrapper = Wrapper { span: own_span, extent_start: start, docs: Vec::new() };
        if attached {
            wrapper.extent_start = leading.start.unwrap_or(start);
            wrapper.docs = leading.docs;
        }
        if let Some(outer) = self.wrapper.take() {
            wrapper.extent_start = wrapper.extent_start.min(outer.extent_start);
            wrapper.span = outer.span.or(wrapper.span);
            if wrapper.docs.is_empty() {
                wrapper.docs = outer.docs;
            }
        }
        wrapper
    }

    /// Keeps a comment or attribute for the definition after it, or notes a section's visibility.
    fn collect(&mut self, node: Node<'tree>, role: Role, source: &str, is_doc: fn(&str) -> bool) {
        let text = source.get(node.byte_range()).unwrap_or("");
        if role.is(Role::SECTION) {
            self.section = text.trim_end_matches(':').trim().parse().ok();
            self.leading.clear();
            self.before = Some(node);
            return;
        }
        let row = node.start_position().row;
        if self.leading.start.is_some() && row > self.leading.end_row + 1 {
            self.leading.clear();
        }
        let trails = self.leading.start.is_none()
            && self.before.is_some_and(|before| before.end_position().row == row);
        if trails {
            return;
        }
        self.leading.start.get_or_insert(node.start_byte() as u32);
        self.leading.end_row = end_of(node, source).1;
        if role.is(Role::COMMENT) && is_doc(text) {
            self.leading.docs.push(Span::new(node.start_byte() as u32, node.end_byte() as u32));
        }
    }
}

/// What follows the decorators and attributes that a node begins with.
fn after_attributes<'tree>(node: Node<'tree>, roles: &[Role]) -> Node<'tree> {
    let is_attribute =
        |child: Node<'_>| roles.get(child.kind_id() as usize).is_some_and(|role| role.is(Role::ATTRIBUTE));
    if !node.child(0).is_some_and(is_attribute) {
        return node;
    }
    let mut cursor = node.walk();
    node.children(&mut cursor).find(|child| !is_attribute(*child)).unwrap_or(node)
}

fn is_function(kind: SymbolKind) -> bool {
    matches!(kind, SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor)
}

fn is_value(kind: SymbolKind) -> bool {
    use SymbolKind as Kind;
    matches!(kind, Kind::Constant | Kind::Static | Kind::Variable | Kind::Field | Kind::Property)
}

/// The end of a node without trailing white space, which some grammars include: byte and row.
fn end_of(node: Node<'_>, source: &str) -> (u32, usize) {
    let mut end = node.end_byte();
    let mut row = node.end_position().row;
    let bytes = source.as_bytes();
    while end > node.start_byte() && bytes.get(end - 1).is_some_and(u8::is_ascii_whitespace) {
        end -= 1;
        row -= usize::from(bytes[end] == b'\n');
    }
    (end as u32, row)
}

/// The text on one line, white space folded; borrowed if it is so already.
fn fold_space<'a>(buffer: &'a mut String, text: &'a str) -> &'a str {
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
    use super::*;
    use crate::{Language, ParsedFile};
    use ast_core_model::{RepoPath, scope_of};
    use std::fmt::Write;

    #[test]
    fn leaving_out_loses_nothing() {
        let languages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/languages");
        let mut folders = vec![languages];
        let mut compared = 0;
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = RepoPath::new(path.file_name().unwrap().to_str().unwrap()).unwrap();
                let Some(language) = Language::of_path(&name) else { continue };
                let text = std::fs::read_to_string(&path).unwrap();
                let mut parser = tree_sitter::Parser::new();
                parser.set_language(language.0.grammar()).unwrap();
                let tree = parser.parse(&text, None).unwrap();
                let mut outliner = Outliner::new(usize::MAX);
                let some = outliner.run(&tree, &text, language.0).symbols;
                outliner.look_at_all = true;
                let all = outliner.run(&tree, &text, language.0).symbols;
                assert_eq!(some, all, "{}", path.display());
                compared += all.len();
            }
        }
        assert!(compared > 250, "{compared}");
    }

    /// Symbols and chunks as text, checking on the way that they are where they say.
    pub(crate) fn render(bytes: &[u8], file: &ParsedFile) -> String {
        let mut out = String::new();
        let errors = file.syntax_errors;
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
}
