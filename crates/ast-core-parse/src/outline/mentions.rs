//! What a node mentions, and what it is inside of.

use super::text::cut;
use super::{MAX_NAME_BYTES, Pass};
use crate::languages::Role;
use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use ast_core_model::{Reference, ReferenceKind, Span, SymbolKind};

/// How many nodes are looked at for the list of arguments that a type is in.
const MAX_ARGUMENT_DEPTH: usize = 64;

impl<'tree> Pass<'_, 'tree> {
    pub(super) fn mention(&mut self, node: Node<'tree>, role: Role, mentions: &mut Mentions<'tree>) {
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
}
