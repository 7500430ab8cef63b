//! Modifiers, type parameters, parameters and return types.

use super::{Annotation, Modifier, Parameter};
use crate::languages::Syntax;
use crate::outline::fold_space;
use crate::syntax::{HEAD, Node};
use crate::visit::Definition;

/// Adds the parameters that a child of a parameter list declares.
pub(crate) type Parameters = for<'tree> fn(Node<'tree>, &mut Vec<Parameter>);

/// The longest type or default that is kept, in bytes.
const MAX_BYTES: usize = 400;

/// The most parameters that are kept of a definition: what has more is a table, and each of its rows may ask for all.
const MAX_PARAMETERS: usize = 256;

/// What the syntax of a definition says; `visited` is the node that it was found at.
pub(crate) fn annotate<'tree>(
    definition: &Definition<'tree>,
    visited: Node<'tree>,
    syntax: &Syntax,
) -> Annotation {
    let mut annotation = Annotation { modifiers: definition.modifiers, ..Annotation::default() };
    let node = definition.node.unwrap_or(visited);
    let mut wrapper = visited.parent();
    while let Some(outer) = wrapper.filter(|outer| syntax.wrappers.contains(&outer.kind())) {
        add_modifiers(&mut annotation, outer, visited.row(), syntax);
        annotation.type_parameters =
            annotation.type_parameters.or_else(|| outer.child("template_parameter_list").map(one_line));
        // `template <>`
        annotation.type_parameters = annotation.type_parameters.filter(|list| &**list != "<>");
        wrapper = outer.parent();
    }
    let head_end =
        definition.body.map_or(node.next_row(), Node::row).min(definition.name.row().max(node.row() + 1));
    add_modifiers(&mut annotation, node, head_end, syntax);
    let function = definition.function.unwrap_or(node);
    if function != node {
        add_modifiers(&mut annotation, function, function.next_row(), syntax);
    }
    let type_parameters = function.field("type_parameters").or_else(|| {
        ["type_parameters", "type_parameter_list"].into_iter().find_map(|kind| function.child(kind))
    });
    annotation.type_parameters = type_parameters.map(one_line).or(annotation.type_parameters);
    for receiver in function.field("receiver").into_iter().flat_map(Node::named_children) {
        (syntax.parameters)(receiver, &mut annotation.parameters);
    }
    if let Some(list) = definition.parameter_list.or_else(|| parameter_list(function)) {
        // Scala has several.
        let next = |list: &Node<'tree>| {
            let is_list =
                |next: &Node<'_>| next.kind_id() == list.kind_id() && next.field_id() == list.field_id();
            // In Swift, the function itself is the list.
            list.next_sibling().filter(|next| *list != function && is_list(next))
        };
        let children = std::iter::successors(Some(list), next).flat_map(Node::named_children);
        for child in children.take(MAX_PARAMETERS) {
            (syntax.parameters)(child, &mut annotation.parameters);
        }
    } else if let Some(parameter) = function.field("parameter") {
        // `x => x`
        (syntax.parameters)(parameter, &mut annotation.parameters);
    }
    annotation.return_type = definition.return_type.or_else(|| function.field("return_type")).map(type_text);
    annotation.return_type = annotation.return_type.or_else(|| definition.return_text.clone());
    annotation
}

/// The list of parameters of a function: in C and its kin it is inside of declarators.
fn parameter_list(function: Node<'_>) -> Option<Node<'_>> {
    // That of a class, for its constructor, is in no field.
    let of_class = function.child("parameter_list").filter(|list| list.field_name().is_empty());
    if of_class.is_some() {
        return of_class;
    }
    let mut node = function;
    loop {
        if let Some(list) = node.field("parameters") {
            return Some(list);
        }
        node = node.field("declarator").or_else(|| {
            // Reference declarators have no field.
            node.named_children().take(HEAD).find(|child| child.kind() == "function_declarator")
        })?;
    }
}

/// How many nodes of a declaration are looked at for modifiers. Any number of other names may stand before a name, and
/// each of them would look at all before it.
const MAX_HEAD_NODES: usize = 64;

fn add_modifiers(annotation: &mut Annotation, node: Node<'_>, before_row: u32, syntax: &Syntax) {
    for child in node.children().take(MAX_HEAD_NODES).take_while(|child| child.row() < before_row) {
        if !child.is_named() {
            if let Some(modifier) = Modifier::of_word(child.text()) {
                annotation.modifiers.insert(modifier);
            }
        } else if syntax.modifiers.contains(&child.kind()) {
            let is_word = |part: &Node<'_>| !part.kind().contains("annotation");
            let parts = child.children().chain(child.first_child().is_none().then_some(child));
            let words = parts.filter(is_word).flat_map(|part| part.text().split_ascii_whitespace());
            for modifier in words.filter_map(Modifier::of_word) {
                annotation.modifiers.insert(modifier);
            }
        }
    }
}

/// A type without the sign that introduces it.
pub(crate) fn type_text(node: Node<'_>) -> Box<str> {
    let text = node.text().trim_start();
    let text = text.strip_prefix("->").or_else(|| text.strip_prefix(':')).unwrap_or(text);
    one_line_text(text)
}

/// The text of a node on one line.
pub(crate) fn one_line(node: Node<'_>) -> Box<str> {
    one_line_text(node.text())
}

/// A text on one line.
pub(crate) fn one_line_text(text: &str) -> Box<str> {
    let mut buffer = String::new();
    let head = &text[..text.floor_char_boundary(4 * MAX_BYTES)];
    let folded = fold_space(&mut buffer, head);
    if folded.len() <= MAX_BYTES && head.len() == text.len() {
        folded.into()
    } else {
        format!("{}…", &folded[..folded.floor_char_boundary(MAX_BYTES)]).into()
    }
}
