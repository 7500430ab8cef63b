//! TypeScript, and TypeScript with JSX.

mod rewrite;

use super::{Spec, Syntax, javascript};
use crate::annotation::{Branch, Modifier};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static TYPESCRIPT: Spec = Spec::new(
    "typescript",
    &["ts", "cts", "mts"],
    "tree-sitter-typescript",
    "0.23.2",
    || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    SYNTAX,
)
.round_members("class A {\n")
.highlights(&[tree_sitter_javascript::HIGHLIGHT_QUERY, tree_sitter_typescript::HIGHLIGHTS_QUERY])
.interpreters(&["ts-node", "tsx"]);

pub(crate) static TSX: Spec = Spec::new(
    "tsx",
    &["tsx"],
    "tree-sitter-typescript",
    "0.23.2",
    || tree_sitter_typescript::LANGUAGE_TSX.into(),
    Syntax {
        references: &[
            "call_expression",
            "decorator",
            "export_specifier",
            "export_statement",
            "extends_clause",
            "import_alias",
            "import_statement",
            "jsx_opening_element",
            "jsx_self_closing_element",
            "namespace_export",
        ],
        ..SYNTAX
    },
)
.round_members("class A {\n")
.highlights(&[
    tree_sitter_javascript::HIGHLIGHT_QUERY,
    tree_sitter_javascript::JSX_HIGHLIGHT_QUERY,
    tree_sitter_typescript::HIGHLIGHTS_QUERY,
]);

const SYNTAX: Syntax = Syntax {
    definitions: &[
        "abstract_class_declaration",
        "abstract_method_signature",
        "ambient_declaration",
        "assignment_expression",
        "class",
        "class_declaration",
        "construct_signature",
        "enum_assignment",
        "enum_declaration",
        "export_specifier",
        "export_statement",
        "function_declaration",
        "function_expression",
        "function_signature",
        "generator_function",
        "generator_function_declaration",
        "import_alias",
        "interface_declaration",
        "internal_module",
        "method_definition",
        "method_signature",
        "module",
        "namespace_export",
        "optional_parameter",
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
    attributes: &["decorator"],
    comments: &["comment"],
    is_doc: javascript::is_doc,
    opaque: &["regex", "string"],
    members: &["class_body", "enum_body", "interface_body"],
    calls: &[("new_expression", "constructor")],
    type_names: &["type_identifier"],
    type_paths: &["nested_type_identifier"],
    heritage: &[("extends_type_clause", ""), ("implements_clause", "")],
    references: &[
        "call_expression",
        "decorator",
        "export_specifier",
        "export_statement",
        "extends_clause",
        "import_alias",
        "import_statement",
        "namespace_export",
    ],
    refer: javascript::refer,
    branches: &BRANCHES,
    modifiers: &["override_modifier"],
    parameters: javascript::parameters,
    stand_in: rewrite::rewrite,
    second_reading: rewrite::as_written,
    ..Syntax::NONE
};

/// Those of JavaScript, and parameters with a default, which have a node of their own here.
const BRANCHES: [(&str, Branch); javascript::BRANCHES.len() + 1] = {
    let mut branches = [("required_parameter", Branch::WithValue); javascript::BRANCHES.len() + 1];
    let mut index = 0;
    while index < javascript::BRANCHES.len() {
        branches[index] = javascript::BRANCHES[index];
        index += 1;
    }
    branches
};

/// How many types round a member of a type literal are looked at to tell whose it is.
const MAX_TYPES: usize = 64;

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let push_named = |found: &mut Definitions<'tree>, kind| {
        javascript::push_named(visit, found, kind, javascript::module_visibility(visit));
    };
    match visit.kind() {
        "abstract_class_declaration" => push_named(found, Kind::Class),
        "function_signature" => push_named(found, Kind::Function),
        "interface_declaration" => push_named(found, Kind::Interface),
        "enum_declaration" => push_named(found, Kind::Enum),
        "internal_module" | "module" => {
            let Some(name) = visit.field("name") else { return };
            let text = name.text().trim_matches(['"', '\'']);
            let kind = if name.kind() == "string" { Kind::Module } else { Kind::Namespace };
            let definition = Definition::new(kind, name).name_text(text).body(visit.field("body"));
            found.push(definition.visibility(javascript::module_visibility(visit)));
        }
        "ambient_declaration" => {
            // `declare global {}`
            let name = visit.child("global");
            let body = visit.child("statement_block");
            found.extend(name.map(|name| Definition::new(Kind::Module, name).body(body)));
        }
        "type_alias_declaration" => {
            let Some(name) = visit.field("name") else { return };
            let body = visit.field("value").filter(|value| value.kind() == "object_type");
            let definition = Definition::new(Kind::Type, name).body(body);
            found.push(definition.visibility(javascript::module_visibility(visit)));
        }
        "import_alias" => {
            let name = visit.node.named_children().next().filter(|_| visit.is_wrapped_in("export_statement"));
            found.extend(name.map(|name| {
                let definition = Definition::new(Kind::Variable, name).modifier(Modifier::Reexport);
                definition.visibility(Some(Visibility::Public))
            }));
        }
        "enum_assignment" => {
            let Some(name) = visit.field("name") else { return };
            found.push(Definition::new(Kind::EnumMember, name).name_text(javascript::plain(name)));
        }
        "property_identifier" => {
            if visit.parent_kind() == "enum_body" {
                found.push(Definition::new(Kind::EnumMember, visit.node));
            }
        }
        "method_signature" | "abstract_method_signature" => {
            let Some(name) = visit.field("name").filter(|_| is_of_named_type(visit)) else { return };
            let kind = match name.text() {
                "constructor" if visit.parent_kind() == "class_body" => Kind::Constructor,
                _ if javascript::is_accessor(visit.node) => Kind::Property,
                _ => Kind::Method,
            };
            javascript::push_member(visit, found, kind, name, None, None);
        }
        // `new (size: number): Store`
        "construct_signature" => {
            let name = visit.child("new").filter(|_| is_of_named_type(visit));
            found.extend(name.map(|name| {
                let definition = Definition::new(Kind::Constructor, name).return_type(visit.field("type"));
                definition.visibility(Some(Visibility::Public))
            }));
        }
        "property_signature" => {
            if let Some(name) = visit.field("name").filter(|_| is_of_named_type(visit)) {
                javascript::push_member(visit, found, Kind::Property, name, None, None);
            }
        }
        "public_field_definition" => {
            let Some(name) = visit.field("name") else { return };
            javascript::push_bound_member(visit, found, Kind::Field, name, visit.field("value"));
        }
        "optional_parameter" | "required_parameter" => define_parameter_property(visit, found),
        _ => javascript::define(visit, found),
    }
}

/// `constructor(private name: string)` declares a field of the class.
fn define_parameter_property<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let is_modifier = |child: &Node<'_>| {
        matches!(child.kind(), "accessibility_modifier" | "override_modifier" | "readonly")
    };
    if visit.enclosing_kind() != Some(SymbolKind::Constructor)
        || !visit.node.children().any(|child| is_modifier(&child))
    {
        return;
    }
    let Some(name) = visit.field("pattern") else { return };
    let first = found.len();
    javascript::push_member(visit, found, SymbolKind::Field, name, None, None);
    for definition in &mut found[first..] {
        definition.owner = visit.enclosing_of(&[SymbolKind::Class]);
        definition.once = true;
    }
}

/// Members of a type literal inside an expression or a signature are part of it.
fn is_of_named_type(visit: &Visit<'_, '_>) -> bool {
    match visit.parent_kind() {
        "class_body" | "interface_body" => true,
        "object_type" => {
            let mut round = std::iter::successors(visit.ancestor(2), |node| node.parent()).take(MAX_TYPES);
            let is_combined = |node: &Node<'_>| {
                matches!(
                    node.kind(),
                    "intersection_type" | "parenthesized_type" | "readonly_type" | "union_type"
                )
            };
            round.find(|node| !is_combined(node)).is_some_and(|node| node.kind() == "type_alias_declaration")
        }
        _ => false,
    }
}
