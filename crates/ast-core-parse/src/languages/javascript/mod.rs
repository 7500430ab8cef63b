//! JavaScript with JSX; TypeScript's folder builds on it.

use super::{Spec, Syntax};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

#[cfg(feature = "javascript")]
pub(crate) static JAVASCRIPT: Spec = Spec::new(
    "javascript",
    &["js", "cjs", "jsx", "mjs"],
    "tree-sitter-javascript",
    "0.25.0",
    || tree_sitter_javascript::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "assignment_expression",
            "class_declaration",
            "export_statement",
            "field_definition",
            "function_declaration",
            "generator_function_declaration",
            "method_definition",
            "pair",
            "variable_declarator",
        ],
        define,
        wrappers: &[
            "export_statement",
            "expression_statement",
            "lexical_declaration",
            "variable_declaration",
        ],
        outer_wrappers: &[],
        attributes: &["decorator"],
        comments: &["comment"],
        is_doc,
        sections: &[],
        opaque: &["import_statement", "formal_parameters", "regex", "string", "template_string"],
        members: &["class_body"],
        values_are_code: true,
        ..Syntax::NONE
    },
)
.interpreters(&["bun", "deno", "node", "nodejs"]);

/// Any comment but those for tools.
pub(super) fn is_doc(comment: &str) -> bool {
    let text = comment.trim_start_matches(['/', '*', '!', ' ']);
    !["eslint", "@ts-", "prettier-", "istanbul", "c8 ", "biome-", "#region", "#endregion", "global "]
        .iter()
        .any(|tool| text.starts_with(tool))
}

pub(super) fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let body = visit.field("body");
    match visit.kind() {
        "function_declaration" | "generator_function_declaration" => {
            push_named(visit, found, Kind::Function, module_visibility(visit));
        }
        "class_declaration" => push_named(visit, found, Kind::Class, module_visibility(visit)),
        "method_definition" => {
            let Some(name) = visit.field("name") else { return };
            let kind = match name.text() {
                "constructor" if visit.parent_kind() == "class_body" => Kind::Constructor,
                _ if visit.child("get").or_else(|| visit.child("set")).is_some() => Kind::Property,
                _ => Kind::Method,
            };
            push_member(visit, found, kind, name, body);
        }
        "field_definition" => {
            let Some(name) = visit.field("property") else { return };
            let value = visit.field("value");
            let kind = if value.is_some_and(|value| is_function(value)) { Kind::Method } else { Kind::Field };
            push_member(visit, found, kind, name, value.and_then(body_of_value));
        }
        "variable_declarator" => {
            let Some(name) = visit.field("name").filter(|name| name.kind() == "identifier") else { return };
            let value = visit.field("value");
            let kind = match value {
                Some(value) if is_function(value) => Kind::Function,
                Some(value) if is_class(value) => Kind::Class,
                _ if visit.in_code() => return,
                _ if declared_with(visit, "const") => Kind::Constant,
                _ => Kind::Variable,
            };
            let definition = Definition::new(kind, name).body(value.and_then(body_of_value));
            found.push(definition.visibility(module_visibility(visit)));
        }
        "assignment_expression" => define_assigned(visit, found),
        "pair" => {
            let Some(value) = visit.field("value").filter(|value| is_function(*value)) else { return };
            let Some(name) = visit.field("key") else { return };
            push_member(visit, found, Kind::Method, name, body_of_value(value));
        }
        "export_statement" => define_default_export(visit, found),
        _ => {}
    }
}

/// `exports.name = function () {}`, `Name.prototype.method = () => {}` and their like.
fn define_assigned<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let (Some(left), Some(right)) = (visit.field("left"), visit.field("right")) else { return };
    let kind = if is_class(right) {
        SymbolKind::Class
    } else if is_function(right) {
        SymbolKind::Function
    } else {
        return;
    };
    let (name, owner) = match left.kind() {
        "identifier" => (left, ""),
        "member_expression" => match (left.field("property"), left.field("object")) {
            (Some(name), Some(owner)) => (name, owner.text()),
            _ => return,
        },
        _ => return,
    };
    let prototype = owner.strip_suffix(".prototype");
    let kind = if prototype.is_some() && kind == SymbolKind::Function { SymbolKind::Method } else { kind };
    let exported = owner == "exports" || owner == "module.exports" || left.text() == "module.exports";
    let mut definition = Definition::new(kind, name).body(body_of_value(right));
    if left.text() == "module.exports" {
        match right.field("name") {
            Some(own_name) => definition.name = own_name,
            None => definition.name_text = Some("default".to_owned()),
        }
    }
    let qualifier = prototype.unwrap_or(owner);
    let is_plain_name = qualifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$.".contains(&byte));
    if !exported && is_plain_name && !matches!(qualifier, "" | "this" | "window" | "globalThis" | "self") {
        definition.qualifier = Some(qualifier.replace('.', "::"));
    }
    found.push(definition.visibility(exported.then_some(Visibility::Public)));
}

/// `export default` of something that has no name.
fn define_default_export<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(default) = visit.child("default") else { return };
    let Some(value) = visit.field("value").or_else(|| visit.field("declaration")) else { return };
    let kind = match value.kind() {
        // It speaks for itself.
        _ if value.field("name").is_some() => return,
        "identifier" | "call_expression" => return,
        _ if is_function(value) => SymbolKind::Function,
        _ if is_class(value) => SymbolKind::Class,
        _ => SymbolKind::Constant,
    };
    let definition = Definition::new(kind, default).body(body_of_value(value));
    found.push(definition.visibility(Some(Visibility::Public)));
}

pub(super) fn push_named<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    visibility: Option<Visibility>,
) {
    if let Some(name) = visit.field("name") {
        found.push(Definition::new(kind, name).body(visit.field("body")).visibility(visibility));
    }
}

/// A member of a class or an object literal.
pub(super) fn push_member<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    name: Node<'tree>,
    body: Option<Node<'tree>>,
) {
    let modifier = visit.child("accessibility_modifier").map(|node| node.text());
    let visibility = match modifier {
        Some(word) => word.parse().ok(),
        None if name.kind() == "private_property_identifier" => Some(Visibility::Private),
        None => Some(Visibility::Public),
    };
    let mut definition = Definition::new(kind, name).body(body).visibility(visibility);
    if matches!(name.kind(), "string" | "computed_property_name") {
        let text = name.text();
        definition = definition.name_text(text.trim_matches(['"', '\'', '`', '[', ']']));
    }
    found.push(definition);
}

/// Exported is public; anything else of a module is its own.
pub(super) fn module_visibility(visit: &Visit<'_, '_>) -> Option<Visibility> {
    if visit.is_wrapped_in("export_statement") {
        Some(Visibility::Public)
    } else if visit.in_code() {
        None
    } else {
        Some(Visibility::Private)
    }
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

/// Where the signature of what a name is bound to ends: at the body of a function or class, or before a literal's
/// members.
pub(super) fn body_of_value(value: Node<'_>) -> Option<Node<'_>> {
    match value.kind() {
        "object" | "array" => Some(value),
        _ => value.field("body"),
    }
}

fn declared_with(visit: &Visit<'_, '_>, keyword: &str) -> bool {
    visit
        .ancestor(1)
        .and_then(|declaration| declaration.first_child())
        .is_some_and(|first| first.kind() == keyword)
}
