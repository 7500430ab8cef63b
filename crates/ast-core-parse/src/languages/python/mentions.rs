//! What Python code mentions besides calls.

use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::Visit;
use ast_core_model::ReferenceKind as Kind;

pub(super) fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "class_definition" => bases(visit, mentions),
        "class_pattern" => {
            mentions.extend(visit.node.first_child().and_then(|class| dotted(Kind::Type, class)));
        }
        "decorator" => {
            let named = visit.node.named_children().next().filter(|node| node.kind() != "call");
            mentions.extend(named.and_then(|node| mention::named(Kind::Call, node)));
        }
        "except_clause" => {
            for caught in visit.node.children_in("value") {
                types_in(caught, mentions);
            }
        }
        "raise_statement" => {
            // `raise ValueError`: by convention a class, where `raise error` is a variable.
            let raised = visit.node.named_children().next();
            let raised = raised.filter(|node| matches!(node.kind(), "identifier" | "attribute"));
            let named = raised.and_then(|node| mention::named(Kind::Type, node));
            mentions.extend(named.filter(|class| class.name.text().starts_with(char::is_uppercase)));
        }
        "type" if !declares_parameter(visit.node) && !is_metadata(visit.node) => {
            visit.node.children().for_each(|child| types_in(child, mentions));
        }
        "import_statement" => {
            for imported in visit.node.children_in("name") {
                import(imported, |path| dotted(Kind::Import, path), mentions);
            }
        }
        "import_from_statement" | "future_import_statement" => {
            let module = visit.field("module_name").map_or("__future__", Node::text);
            let of_module = |name| Some(Mention::new(Kind::Import, name).qualifier(module));
            for imported in visit.node.children_in("name") {
                import(imported, of_module, mentions);
            }
            mentions.extend(visit.child("wildcard_import").and_then(of_module));
        }
        _ => {}
    }
}

/// An import of what `mention` makes of the path, under another name if it has one.
fn import<'tree>(
    imported: Node<'tree>,
    mention: impl Fn(Node<'tree>) -> Option<Mention<'tree>>,
    mentions: &mut Mentions<'tree>,
) {
    let alias = imported.field("alias");
    let path = imported.field("name").unwrap_or(imported);
    mentions.extend(mention(path).map(|mention| mention.alias(alias)));
}

/// The mention of the last of dotted names, qualified with the others.
fn dotted<'tree>(kind: Kind, path: Node<'tree>) -> Option<Mention<'tree>> {
    let name = path.named_children().last()?;
    let before = path.text().get(..(name.start() - path.start()) as usize).unwrap_or("");
    Some(Mention::new(kind, name).qualifier(before.trim_end_matches(|c: char| c == '.' || c.is_whitespace())))
}

fn bases<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    let Some(list) = visit.field("superclasses") else { return };
    for base in list.named_children() {
        match base.kind() {
            "identifier" | "attribute" => mentions.extend(mention::named(Kind::Inherit, base)),
            "subscript" => {
                let class = base.field("value");
                mentions.extend(class.and_then(|class| mention::named(Kind::Inherit, class)));
                base.children_in("subscript").for_each(|argument| types_in(argument, mentions));
            }
            "keyword_argument" => base.field("value").into_iter().for_each(|value| types_in(value, mentions)),
            _ => {}
        }
    }
}

/// The types that an expression in the place of a type names. What is a `type` node again speaks for itself, and so
/// do calls.
fn types_in<'tree>(expression: Node<'tree>, mentions: &mut Mentions<'tree>) {
    // The arguments of `Annotated` that are no types.
    let mut metadata = 0..0;
    expression.descend(|node| {
        if metadata.contains(&node.row()) {
            return false;
        }
        match node.kind() {
            "identifier" => mentions.push(Mention::new(Kind::Type, node)),
            "attribute" => mentions.extend(mention::named(Kind::Type, node)),
            "string" => {
                let text = node.child("string_content");
                text.into_iter().for_each(|text| quoted_types(text, mentions));
            }
            "subscript" => {
                let class = node.field("value");
                let name = class.map_or("", Node::text);
                if name.ends_with("Literal") {
                    mentions.extend(class.and_then(|class| mention::named(Kind::Type, class)));
                    return false;
                }
                if name.ends_with("Annotated") {
                    let first = node.field("subscript").map_or(node.next_row(), Node::next_row);
                    metadata = first..node.next_row();
                }
            }
            _ => {}
        }
        !matches!(
            node.kind(),
            "as_pattern_target" | "attribute" | "call" | "keyword_argument" | "lambda" | "string" | "type"
        )
    });
}

/// The types of an annotation in quotes, which may name what is not defined yet.
fn quoted_types<'tree>(text: Node<'tree>, mentions: &mut Mentions<'tree>) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let is_type = |c: char| is_part(c) || matches!(c, '[' | ']' | ',' | '|' | ' ');
    if !text.text().chars().all(is_type) {
        return;
    }
    for path in text.text().split(|c| !is_part(c)).filter(|path| mention::is_name(path) && *path != "None") {
        let (qualifier, name) = path.rsplit_once('.').unwrap_or(("", path));
        mentions.push(Mention::new(Kind::Type, text).name_text(name).qualifier(qualifier));
    }
}

/// Whether a type node stands where a type parameter gets its name.
fn declares_parameter(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    match parent.kind() {
        "type_alias_statement" => node.field_name() == "left",
        // `T: Bound`
        "constrained_type" => parent.first_child() == Some(node),
        "type_parameter" => {
            // `type Name[T] = ...`
            let alias = parent.ancestor(2).filter(|left| left.parent_kind() == "type_alias_statement");
            parent.field_name() == "type_parameters" || alias.is_some_and(|left| left.field_name() == "left")
        }
        _ => false,
    }
}

/// Whether a type node is a value after all: an argument of `Literal`, or one of `Annotated` but the first.
fn is_metadata(node: Node<'_>) -> bool {
    let Some(list) = node.parent().filter(|parent| parent.kind() == "type_parameter") else { return false };
    let class = list.parent().and_then(Node::first_child).map_or("", Node::text);
    class == "Literal" || class == "Annotated" && list.first_child() != Some(node)
}
