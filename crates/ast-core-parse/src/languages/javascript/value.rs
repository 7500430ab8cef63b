//! What an expression stands for, and what holds it.

use super::references;
use crate::syntax::Node;
use crate::visit::Visit;
use ast_core_model::SymbolKind;

/// How many nodes that only wrap an expression, such as parentheses, are looked through.
pub(super) const MAX_WRAPS: usize = 4;

/// The names that a pattern binds: `a`, `c`, `d` and `e` of `{ a, b: [c], d = 1, ...e }`.
pub(super) fn bound_names(pattern: Node<'_>) -> Vec<Node<'_>> {
    let mut names = Vec::new();
    let mut skipped = 0;
    for node in pattern.descendants() {
        if node.row() < skipped {
            continue;
        }
        match (node.kind(), node.field_name()) {
            // What is taken apart, and what is taken if there is nothing.
            (_, "key" | "right") => skipped = node.next_row(),
            ("identifier" | "shorthand_property_identifier_pattern", _) => names.push(node),
            _ => {}
        }
    }
    names
}

/// What holds the value that an expression stands for, looking through what only wraps it.
pub(super) fn holder_of(expression: Node<'_>) -> Option<Node<'_>> {
    let mut node = expression;
    for _ in 0..MAX_WRAPS {
        let parent = node.parent()?;
        node = match parent.kind() {
            kind if is_wrap(kind) => parent,
            // What is frozen is still what it was.
            "arguments" => {
                let call = parent.parent()?;
                let function = call.first_child().filter(|function| function.text() == "Object.freeze");
                function.map(|_| call)?
            }
            _ => return Some(parent),
        };
    }
    None
}

/// The class to whose prototype an object literal adds: `A` of `A.prototype = {}` and
/// `Object.assign(A.prototype, {})`.
pub(super) fn prototype_of(literal: Node<'_>) -> Option<&str> {
    let parent = literal.parent()?;
    let target = match parent.kind() {
        "assignment_expression" => parent.field("left")?,
        "arguments" => {
            let function = parent.parent()?.first_child()?;
            parent.named_children().next().filter(|_| function.text() == "Object.assign")?
        }
        _ => return None,
    };
    target.text().strip_suffix(".prototype").filter(|class| is_plain_name(class))
}

/// `require("module")`, or a member of it.
pub(super) fn is_require(value: Node<'_>) -> bool {
    let call = match value.kind() {
        "member_expression" => value.field("object"),
        _ => Some(value),
    };
    call.and_then(references::module_of_call).is_some()
}

/// A name without its quotes or brackets.
pub(in crate::languages) fn plain(name: Node<'_>) -> &str {
    let text = name.text();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.trim().trim_matches(['"', '\'', '`'])
}

/// Names joined by dots.
pub(super) fn is_plain_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.'))
}

pub(in crate::languages) fn is_accessor(method: Node<'_>) -> bool {
    method.child("get").or_else(|| method.child("set")).is_some()
}

pub(super) fn is_function(value: Node<'_>) -> bool {
    matches!(
        value.kind(),
        "arrow_function"
            | "function_expression"
            | "generator_function"
            | "function_declaration"
            | "generator_function_declaration"
    )
}

pub(super) fn is_class(value: Node<'_>) -> bool {
    matches!(value.kind(), "class" | "class_declaration" | "abstract_class_declaration")
}

pub(super) fn kind_of_value(value: Node<'_>) -> SymbolKind {
    if is_function(value) {
        SymbolKind::Function
    } else if is_class(value) {
        SymbolKind::Class
    } else {
        SymbolKind::Constant
    }
}

/// Whether an expression only wraps another one.
pub(super) fn is_wrap(kind: &str) -> bool {
    matches!(
        kind,
        "as_expression"
            | "non_null_expression"
            | "parenthesized_expression"
            | "satisfies_expression"
            | "type_assertion"
    )
}

/// The expression inside of parentheses, type assertions and their like.
pub(super) fn unwrapped(value: Node<'_>) -> Node<'_> {
    let mut node = value;
    for _ in 0..MAX_WRAPS {
        if !is_wrap(node.kind()) {
            break;
        }
        // The type of `<T>value` comes first.
        let is_type = |child: &Node<'_>| child.kind() == "type_arguments";
        match node.named_children().find(|child| !is_type(child)) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// Whether a function or class that is an expression is known by the name of what holds it, or is only there to be
/// called.
pub(super) fn is_bound(value: Node<'_>) -> bool {
    let mut outer = value;
    for _ in 0..MAX_WRAPS {
        match outer.parent() {
            Some(parent) if is_wrap(parent.kind()) => outer = parent,
            _ => break,
        }
    }
    let is_held = match outer.parent_kind() {
        "assignment_expression" => {
            let target = outer.parent().and_then(|assignment| assignment.field("left"));
            outer.field_name() == "right"
                && target.is_some_and(|target| matches!(target.kind(), "identifier" | "member_expression"))
        }
        "field_definition" | "pair" | "public_field_definition" | "variable_declarator" => {
            outer.field_name() == "value"
        }
        _ => false,
    };
    is_held || is_called_on_the_spot(value)
}

/// `(function () {})()`, also with `!` for the parentheses, and what is given to such a function or to a loader of
/// modules.
pub(super) fn is_called_on_the_spot(function: Node<'_>) -> bool {
    let mut node = function;
    for _ in 0..MAX_WRAPS {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "parenthesized_expression" | "member_expression" => node = parent,
            "call_expression" => return parent.first_child() == Some(node),
            "arguments" => {
                let called = parent.parent().and_then(Node::first_child).map(unwrapped);
                return called.is_some_and(|called| {
                    is_function(called) || matches!(called.text(), "define" | "require" | "requirejs")
                });
            }
            _ => return false,
        }
    }
    false
}

/// Whether what is declared or assigned is the module's or the namespace's, not that of a block or function; a function
/// that is there to be called once stands for the module.
pub(super) fn is_of_module(visit: &Visit<'_, '_>) -> bool {
    let mut holder = visit.ancestor(2);
    for _ in 0..2 {
        holder = holder
            .filter(|node| matches!(node.kind(), "ambient_declaration" | "export_statement"))
            .map_or(holder, Node::parent);
    }
    let Some(holder) = holder.filter(|_| !visit.in_code()) else { return false };
    match holder.kind() {
        "program" | "ERROR" => true,
        "statement_block" => holder.parent().is_some_and(|owner| match owner.kind() {
            "ambient_declaration" | "internal_module" | "module" => true,
            "arrow_function" | "function_expression" => is_called_on_the_spot(owner),
            _ => false,
        }),
        _ => false,
    }
}

/// Where the signature of what a name is bound to ends: at the body of a function or class, or before a literal's
/// members.
pub(super) fn body_of_value(value: Node<'_>) -> Option<Node<'_>> {
    match value.kind() {
        "object" | "array" => Some(value),
        _ => value.field("body"),
    }
}

pub(super) fn is_declared_constant(visit: &Visit<'_, '_>) -> bool {
    let declaration = visit.ancestor(1);
    let keyword = declaration.and_then(Node::first_child);
    keyword.is_some_and(|first| matches!(first.kind(), "await" | "const" | "using"))
}
