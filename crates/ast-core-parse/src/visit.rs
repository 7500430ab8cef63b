//! What the languages are asked: what does this node define?

use crate::annotation::{Modifier, Modifiers};
use crate::languages::Role;
use crate::outline::Scope;
use crate::syntax::Node;
use ast_core_model::{Symbol, SymbolKind, Visibility};

/// What a language sees of the node that the pass has come to.
pub(crate) struct Visit<'a, 'tree> {
    pub(crate) node: Node<'tree>,
    pub(crate) source: &'a str,
    /// The file's name without its extension, `""` if it has none.
    pub(crate) stem: &'a str,
    pub(crate) symbols: &'a [Symbol],
    pub(crate) scopes: &'a [Scope],
    pub(crate) roles: &'a [Role],
}

impl<'a, 'tree> Visit<'a, 'tree> {
    /// The node's kind.
    pub(crate) fn kind(&self) -> &'static str {
        self.node.kind()
    }

    /// The node's child in this field.
    pub(crate) fn field(&self, name: &str) -> Option<Node<'tree>> {
        self.node.field(name)
    }

    /// The node's first child of this kind.
    pub(crate) fn child(&self, kind: &str) -> Option<Node<'tree>> {
        self.node.child(kind)
    }

    /// The node that this one is `up` levels inside of: 1 is its parent.
    pub(crate) fn ancestor(&self, up: usize) -> Option<Node<'tree>> {
        self.node.ancestor(up)
    }

    /// The kind of the node's parent, `""` at the root.
    pub(crate) fn parent_kind(&self) -> &'static str {
        self.node.parent_kind()
    }

    /// The definition that the node is inside of.
    pub(crate) fn enclosing(&self) -> Option<&'a Symbol> {
        let index = self.scopes.last()?.symbol?;
        self.symbols.get(index as usize)
    }

    /// The index of the innermost definition round the node that is of one of the kinds.
    pub(crate) fn enclosing_of(&self, kinds: &[SymbolKind]) -> Option<u32> {
        // Deeper than this it is text that no person wrote, and each of its nodes would walk all the way up.
        const MAX_DEPTH: usize = 32;
        let innermost = self.scopes.last()?.symbol;
        let parent = |index: &u32| self.symbols.get(*index as usize)?.parent;
        let is_kind =
            |index: &u32| self.symbols.get(*index as usize).is_some_and(|s| kinds.contains(&s.kind));
        std::iter::successors(innermost, parent).take(MAX_DEPTH).find(is_kind)
    }

    /// Whether it is what the node defines that the visited node is immediately inside of.
    pub(crate) fn is_in_scope_of(&self, node: Node<'tree>) -> bool {
        self.scopes.last().is_some_and(|scope| scope.row == node.row())
    }

    /// The kind of the definition that the node is inside of.
    pub(crate) fn enclosing_kind(&self) -> Option<SymbolKind> {
        self.enclosing().map(|symbol| symbol.kind)
    }

    /// Whether the node is inside of a function's body or of a value.
    pub(crate) fn in_code(&self) -> bool {
        self.scopes.last().is_some_and(|scope| scope.in_code)
    }

    /// The visibility that the section the node is in sets, as after C++'s `public:`.
    pub(crate) fn section(&self) -> Option<Visibility> {
        self.scopes.last().and_then(|scope| scope.section)
    }

    /// Whether one of the nodes that stand for this one, such as an export statement, is of this kind.
    pub(crate) fn is_wrapped_in(&self, kind: &str) -> bool {
        std::iter::successors(self.node.parent(), |node| node.parent())
            .take_while(|node| {
                let role = self.roles.get(node.kind_id() as usize).copied().unwrap_or_default();
                role.is(Role::WRAPPER.or(Role::OUTER_WRAPPER))
            })
            .any(|node| node.kind() == kind)
    }
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
    /// The function that the name stands for, if it is not the node itself: its parameters are the definition's.
    pub(crate) function: Option<Node<'tree>>,
    /// What the function returns, if that is not in its field `return_type`.
    pub(crate) return_type: Option<Node<'tree>>,
    /// What the function returns, if no single node says so.
    pub(crate) return_text: Option<Box<str>>,
    /// The list of parameters, if it is not in the function's field `parameters`.
    pub(crate) parameter_list: Option<Node<'tree>>,
    /// Modifiers that are not words before the name.
    pub(crate) modifiers: Modifiers,
    /// The definition it belongs to, if it is not the one it is inside of, which then keeps what is inside the node,
    /// unless that is a function: in `self.size = f()` the call is the method's, the field its class's.
    pub(crate) owner: Option<u32>,
    /// Whether it is none, but says that what the file itself defines by this name is for everybody, as a list of
    /// exports does.
    pub(crate) publishes: bool,
    /// Whether what follows it, up to the end of what it is in, is inside of it, as after `namespace A;`.
    pub(crate) has_rest: bool,
    /// Whether it is one only if what it belongs to has no other of its name yet.
    pub(crate) once: bool,
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
            function: None,
            return_type: None,
            return_text: None,
            parameter_list: None,
            modifiers: Modifiers::default(),
            owner: None,
            publishes: false,
            has_rest: false,
            once: false,
        }
    }

    /// Says that what the file itself defines by the name is for everybody.
    pub(crate) fn publishing(name: Node<'tree>) -> Self {
        Self { publishes: true, ..Self::new(SymbolKind::Variable, name) }
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

    pub(crate) fn function(mut self, function: Option<Node<'tree>>) -> Self {
        self.function = function;
        self
    }

    pub(crate) fn return_type(mut self, node: Option<Node<'tree>>) -> Self {
        self.return_type = node;
        self
    }

    pub(crate) fn parameter_list(mut self, node: Option<Node<'tree>>) -> Self {
        self.parameter_list = node;
        self
    }

    pub(crate) fn modifier(mut self, modifier: Modifier) -> Self {
        self.modifiers.insert(modifier);
        self
    }

    pub(crate) fn owner(mut self, symbol: Option<u32>) -> Self {
        self.owner = symbol;
        self
    }

    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// What a visited node defines, in order. The first is the scope of what is inside the node.
pub(crate) type Definitions<'tree> = Vec<Definition<'tree>>;
