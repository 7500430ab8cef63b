//! Java.

use super::{Spec, Syntax};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static JAVA: Spec = Spec::new(
    "java",
    &["java"],
    "tree-sitter-java",
    "0.23.5",
    || tree_sitter_java::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "annotation_type_declaration",
            "annotation_type_element_declaration",
            "class_declaration",
            "compact_constructor_declaration",
            "constructor_declaration",
            "enum_constant",
            "enum_declaration",
            "formal_parameter",
            "interface_declaration",
            "method_declaration",
            "module_declaration",
            "package_declaration",
            "record_declaration",
            "variable_declarator",
        ],
        define,
        wrappers: &["constant_declaration", "field_declaration"],
        outer_wrappers: &[],
        attributes: &[],
        comments: &["block_comment", "line_comment"],
        is_doc: |comment| comment.starts_with("/**") && comment != "/**/",
        sections: &[],
        opaque: &["import_declaration", "modifiers", "type_arguments", "type_parameters"],
        members: &["annotation_type_body", "class_body", "enum_body", "interface_body"],
        values_are_code: true,
        ..Syntax::NONE
    },
);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let kind = match visit.kind() {
        "class_declaration" | "record_declaration" => Kind::Class,
        "interface_declaration" | "annotation_type_declaration" => Kind::Interface,
        "enum_declaration" => Kind::Enum,
        "enum_constant" => Kind::EnumMember,
        "method_declaration" | "annotation_type_element_declaration" => Kind::Method,
        "constructor_declaration" | "compact_constructor_declaration" => Kind::Constructor,
        "module_declaration" => Kind::Module,
        "package_declaration" => {
            let name = visit.child("scoped_identifier").or_else(|| visit.child("identifier"));
            found.extend(name.map(|name| Definition::new(Kind::Namespace, name)));
            return;
        }
        // The components of a record.
        "formal_parameter" if visit.ancestor(2).is_some_and(|node| node.kind() == "record_declaration") => {
            Kind::Field
        }
        "variable_declarator" => match visit.ancestor(1) {
            Some(owner) if matches!(owner.kind(), "field_declaration" | "constant_declaration") => {
                define_field(visit, owner, found);
                return;
            }
            _ => return,
        },
        _ => return,
    };
    let Some(name) = visit.field("name") else { return };
    let mut definition = Definition::new(kind, name).body(visit.field("body"));
    definition.start = after_annotations(visit.node);
    definition.visibility = match kind {
        Kind::EnumMember | Kind::Field => Some(Visibility::Public),
        Kind::Module => None,
        _ => Some(declared_visibility(visit, visit.node)),
    };
    found.push(definition);
}

fn define_field<'tree>(visit: &Visit<'_, 'tree>, owner: Node<'tree>, found: &mut Definitions<'tree>) {
    let Some(name) = visit.field("name") else { return };
    let modifiers = modifiers_of(owner).map_or("", |node| node.text());
    let has = |word: &str| modifiers.split_ascii_whitespace().any(|modifier| modifier == word);
    let is_constant = owner.kind() == "constant_declaration" || (has("static") && has("final"));
    let kind = if is_constant { SymbolKind::Constant } else { SymbolKind::Field };
    let body = visit.field("value").filter(|value| value.end() - value.start() > 80);
    let mut definition = Definition::new(kind, name).body(body);
    definition.start = after_annotations(owner).filter(|_| is_first_declarator(visit, owner));
    definition.visibility = Some(declared_visibility(visit, owner));
    found.push(definition);
}

fn is_first_declarator(visit: &Visit<'_, '_>, owner: Node<'_>) -> bool {
    owner.field("declarator") == Some(visit.node)
}

fn modifiers_of(node: Node<'_>) -> Option<Node<'_>> {
    node.child("modifiers")
}

fn declared_visibility(visit: &Visit<'_, '_>, node: Node<'_>) -> Visibility {
    let modifiers = modifiers_of(node).map_or("", |modifiers| modifiers.text());
    let word = modifiers
        .split_ascii_whitespace()
        .find_map(|word| word.parse().ok().filter(|visibility| *visibility != Visibility::Internal));
    match word {
        Some(visibility) => visibility,
        // Members of an interface are public, whatever is left out; the rest is the package's.
        None if visit.enclosing_kind() == Some(SymbolKind::Interface) => Visibility::Public,
        None => Visibility::Internal,
    }
}

/// The first child that is no annotation, looking into the modifiers.
fn after_annotations(node: Node<'_>) -> Option<Node<'_>> {
    let is_annotation = |node: &Node<'_>| matches!(node.kind(), "annotation" | "marker_annotation");
    let modifiers = modifiers_of(node)?;
    let keyword = modifiers.children().find(|child| !is_annotation(child));
    keyword.or_else(|| modifiers.next_sibling())
}
