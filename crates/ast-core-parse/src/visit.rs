//! What the languages are asked: what does this node define?

use crate::outline::Level;
use ast_core_model::{Symbol, SymbolKind, Visibility};
use tree_sitter::Node;

/// What a language's `define` sees of the node under the cursor.
pub(crate) struct Visit<'a, 'tree> {
    pub(crate) node: Node<'tree>,
    pub(crate) source: &'a str,
    symbols: &'a [Symbol],
    levels: &'a [Level<'tree>],
}

impl<'a, 'tree> Visit<'a, 'tree> {
    pub(crate) fn new(
        node: Node<'tree>,
        source: &'a str,
        symbols: &'a [Symbol],
        levels: &'a [Level<'tree>],
    ) -> Self {
        Self { node, source, symbols, levels }
    }

    /// The node's kind.
    pub(crate) fn kind(&self) -> &'tree str {
        self.node.kind()
    }

    /// The node's child in this field.
    pub(crate) fn field(&self, name: &str) -> Option<Node<'tree>> {
        self.node.child_by_field_name(name)
    }

    /// The node's first child of this kind.
    pub(crate) fn child(&self, kind: &str) -> Option<Node<'tree>> {
        child_of_kind(self.node, kind)
    }

    /// The text of a node.
    pub(crate) fn text(&self, node: Node<'_>) -> &'a str {
        self.source.get(node.byte_range()).unwrap_or("")
    }

    /// The node that this one is `up` levels inside of: 1 is its parent.
    pub(crate) fn ancestor(&self, up: usize) -> Option<Node<'tree>> {
        let at = self.levels.len().checked_sub(up)?;
        Some(self.levels.get(at)?.owner)
    }

    /// The kind of the node's parent, `""` at the root.
    pub(crate) fn parent_kind(&self) -> &'tree str {
        self.ancestor(1).map_or("", |node| node.kind())
    }

    /// The definition that the node is inside of.
    pub(crate) fn enclosing(&self) -> Option<&'a Symbol> {
        let index = self.levels.last()?.symbol?;
        self.symbols.get(index as usize)
    }

    /// The kind of the definition that the node is inside of.
    pub(crate) fn enclosing_kind(&self) -> Option<SymbolKind> {
        self.enclosing().map(|symbol| symbol.kind)
    }

    /// Whether the node is inside of a function's body or of a value.
    pub(crate) fn in_code(&self) -> bool {
        self.levels.last().is_some_and(|level| level.in_code)
    }

    /// The visibility that the section the node is in sets, as after C++'s `public:`.
    pub(crate) fn section(&self) -> Option<Visibility> {
        self.levels.last().and_then(|level| level.section)
    }

    /// Whether one of the nodes that stand for this one, such as an export statement, is of this kind.
    pub(crate) fn is_wrapped_in(&self, kind: &str) -> bool {
        self.levels.iter().rev().take_while(|level| level.wraps).any(|level| level.owner.kind() == kind)
    }
}

/// The node's first child of this kind.
pub(crate) fn child_of_kind<'tree>(node: Node<'tree>, kind: &str) -> Option<Node<'tree>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).find(|child| child.kind() == kind)
}

/// What a node defines.
pub(crate) struct Definition<'tree> {
    pub(crate) kind: SymbolKind,
    /// Where the name stands.
    pub(crate) name: Node<'tree>,
    /// The name, if it is not the text of `name`.
    pub(crate) name_text: Option<String>,
    pub(crate) qualifier: Option<String>,
    /// Where the signature ends.
    pub(crate) body: Option<Node<'tree>>,
    /// The definition, if it is not the visited node.
    pub(crate) node: Option<Node<'tree>>,
    /// Where the definition begins, after annotations that are inside the node.
    pub(crate) start: Option<Node<'tree>>,
    pub(crate) visibility: Option<Visibility>,
    /// Documentation that is not in a comment before the definition.
    pub(crate) doc: Option<Box<str>>,
}

impl<'tree> Definition<'tree> {
    pub(crate) fn new(kind: SymbolKind, name: Node<'tree>) -> Self {
        Self {
            kind,
            name,
            name_text: None,
            qualifier: None,
            body: None,
            node: None,
            start: None,
            visibility: None,
            doc: None,
        }
    }

    pub(crate) fn body(mut self, body: Option<Node<'tree>>) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn visibility(mut self, visibility: Option<Visibility>) -> Self {
        self.visibility = visibility;
        self
    }

    pub(crate) fn name_text(mut self, name: impl Into<String>) -> Self {
        self.name_text = Some(name.into());
        self
    }
}

/// What a visited node defines, in order. The first is the scope of what is inside the node.
pub(crate) type Definitions<'tree> = Vec<Definition<'tree>>;
