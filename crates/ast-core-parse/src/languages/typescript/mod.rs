//! TypeScript, and TypeScript with JSX.

use super::{Spec, Syntax, javascript};
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static TYPESCRIPT: Spec = Spec::new(
    "typescript",
    &["ts", "cts", "mts"],
    "tree-sitter-typescript",
    "0.23.2",
    || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    SYNTAX,
);

pub(crate) static TSX: Spec = Spec::new(
    "tsx",
    &["tsx"],
    "tree-sitter-typescript",
    "0.23.2",
    || tree_sitter_typescript::LANGUAGE_TSX.into(),
    SYNTAX,
);

const SYNTAX: Syntax = Syntax {
    definitions: &[
        "abstract_class_declaration",
        "abstract_method_signature",
        "assignment_expression",
        "class_declaration",
        "enum_assignment",
        "enum_declaration",
        "export_statement",
        "function_declaration",
        "function_signature",
        "generator_function_declaration",
        "interface_declaration",
        "internal_module",
        "method_definition",
        "method_signature",
        "module",
        "pair",
        "property_identifier",
        "property_signature",
        "public_field_definition",
        "required_parameter",
        "type_alias_declaration",
        "variable_declarator",
    ],
    define,
    wrappers: &[
        "ambient_declaration",
        "export_statement",
        "expression_statement",
        "lexical_declaration",
        "variable_declaration",
    ],
    outer_wrappers: &[],
    attributes: &["decorator"],
    comments: &["comment"],
    is_doc: javascript::is_doc,
    sections: &[],
    opaque: &[
        "extends_clause",
        "implements_clause",
        "import_statement",
        "regex",
        "string",
        "template_string",
        "type_annotation",
        "type_arguments",
        "type_parameters",
        "union_type",
    ],
    members: &["class_body", "enum_body", "interface_body"],
    values_are_code: true,
    ..Syntax::NONE
};

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "abstract_class_declaration" => {
            javascript::push_named(visit, found, Kind::Class, javascript::module_visibility(visit));
        }
        "function_signature" => {
            javascript::push_named(visit, found, Kind::Function, declared_visibility(visit));
        }
        "interface_declaration" => {
            javascript::push_named(visit, found, Kind::Interface, declared_visibility(visit));
        }
        "enum_declaration" => javascript::push_named(visit, found, Kind::Enum, declared_visibility(visit)),
        "internal_module" | "module" => {
            let Some(name) = visit.field("name") else { return };
            let text = name.text().trim_matches(['"', '\'']);
            let kind = if name.kind() == "string" { Kind::Module } else { Kind::Namespace };
            let definition = Definition::new(kind, name).name_text(text).body(visit.field("body"));
            found.push(definition.visibility(declared_visibility(visit)));
        }
        "type_alias_declaration" => {
            let Some(name) = visit.field("name") else { return };
            let body = visit.field("value").filter(|value| value.kind() == "object_type");
            found.push(Definition::new(Kind::Type, name).body(body).visibility(declared_visibility(visit)));
        }
        "enum_assignment" => {
            let Some(name) = visit.field("name") else { return };
            found.push(Definition::new(Kind::EnumMember, name));
        }
        "property_identifier" => {
            if visit.parent_kind() == "enum_body" {
                found.push(Definition::new(Kind::EnumMember, visit.node));
            }
        }
        "method_signature" | "abstract_method_signature" => {
            if let Some(name) = visit.field("name").filter(|_| is_of_named_type(visit)) {
                javascript::push_member(visit, found, Kind::Method, name, None);
            }
        }
        "property_signature" => {
            if let Some(name) = visit.field("name").filter(|_| is_of_named_type(visit)) {
                javascript::push_member(visit, found, Kind::Property, name, None);
            }
        }
        "public_field_definition" => {
            let Some(name) = visit.field("name") else { return };
            let value = visit.field("value");
            let function = value.filter(|value| javascript::is_function(*value));
            let kind = if function.is_some() { Kind::Method } else { Kind::Field };
            javascript::push_member(visit, found, kind, name, value.and_then(javascript::body_of_value));
        }
        "required_parameter" => {
            // `constructor(private name: string)` declares a field.
            let modifier = visit.child("accessibility_modifier");
            if let (Some(_), Some(name)) = (modifier, visit.field("pattern")) {
                javascript::push_member(visit, found, Kind::Field, name, None);
            }
        }
        _ => javascript::define(visit, found),
    }
}

/// Members of a type literal inside an expression or a signature are part of it.
fn is_of_named_type(visit: &Visit<'_, '_>) -> bool {
    match visit.parent_kind() {
        "class_body" | "interface_body" => true,
        "object_type" => visit.ancestor(2).is_some_and(|node| node.kind() == "type_alias_declaration"),
        _ => false,
    }
}

/// `declare` gives a name to everybody.
fn declared_visibility(visit: &Visit<'_, '_>) -> Option<Visibility> {
    if visit.is_wrapped_in("ambient_declaration") {
        Some(Visibility::Public)
    } else {
        javascript::module_visibility(visit)
    }
}
