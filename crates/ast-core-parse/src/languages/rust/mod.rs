//! Rust.

use super::{Spec, Syntax};
use crate::triggers::Triggers;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};
use tree_sitter::Node;

pub(crate) static RUST: Spec = Spec::new(
    "rust",
    &["rs"],
    "tree-sitter-rust",
    "0.24.2",
    || tree_sitter_rust::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "associated_type",
            "const_item",
            "enum_item",
            "enum_variant",
            "field_declaration",
            "function_item",
            "function_signature_item",
            "impl_item",
            "macro_definition",
            "mod_item",
            "static_item",
            "struct_item",
            "trait_item",
            "type_item",
            "union_item",
        ],
        define,
        wrappers: &[],
        outer_wrappers: &[],
        attributes: &["attribute_item"],
        comments: &["line_comment", "block_comment"],
        is_doc: |comment| {
            (comment.starts_with("///") && !comment.starts_with("////"))
                || (comment.starts_with("/**") && !comment.starts_with("/***") && comment != "/**/")
        },
        sections: &[],
        opaque: &[
            "bounded_type",
            "generic_type",
            "parameters",
            "reference_type",
            "scoped_identifier",
            "scoped_type_identifier",
            "string_literal",
            "token_tree",
            "type_arguments",
            "type_parameters",
            "use_declaration",
            "where_clause",
        ],
        members: &[],
        triggers: Triggers {
            keywords: &["enum", "fn", "impl", "macro_rules", "mod", "struct", "trait", "type", "union"],
            operators: &[],
            braces: false,
        },
        values_are_code: true,
    },
);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let enclosing = visit.enclosing_kind();
    let is_member = matches!(enclosing, Some(Kind::Impl | Kind::Trait));
    let kind = match visit.kind() {
        "function_item" | "function_signature_item" if is_member => Kind::Method,
        "function_item" | "function_signature_item" => Kind::Function,
        "struct_item" => Kind::Struct,
        "union_item" => Kind::Union,
        "enum_item" => Kind::Enum,
        "enum_variant" => Kind::EnumMember,
        "field_declaration" => Kind::Field,
        "trait_item" => Kind::Trait,
        "impl_item" => Kind::Impl,
        "mod_item" => Kind::Module,
        "type_item" | "associated_type" => Kind::Type,
        "macro_definition" => Kind::Macro,
        // Those of a function are part of it.
        _ if visit.in_code() => return,
        "const_item" => Kind::Constant,
        "static_item" => Kind::Static,
        _ => return,
    };
    if kind == Kind::Impl {
        let Some(name) = visit.field("type").map(base_type) else { return };
        found.push(Definition::new(kind, name).body(visit.field("body")));
        return;
    }
    let Some(name) = visit.field("name") else { return };
    let visibility = match visit.child("visibility_modifier").map(|node| visit.text(node)) {
        Some("pub") => Some(Visibility::Public),
        Some(_) => Some(Visibility::Internal),
        // As visible as the trait or enum they are of.
        None if kind == Kind::EnumMember || kind == Kind::Macro => None,
        None if enclosing == Some(Kind::Trait) || in_trait_impl(visit) => None,
        None if enclosing == Some(Kind::EnumMember) => None,
        None => Some(Visibility::Private),
    };
    let body = match kind {
        Kind::Macro => visit.child("macro_rule").or_else(|| visit.child("{")),
        Kind::Constant | Kind::Static => None,
        // The types of a tuple struct are its signature.
        Kind::Struct => visit.field("body").filter(|body| body.kind() == "field_declaration_list"),
        _ => visit.field("body"),
    };
    found.push(Definition::new(kind, name).body(body).visibility(visibility));
}

/// The name in a type: `Vec` of `&mut std::vec::Vec<T>`.
fn base_type(mut node: Node<'_>) -> Node<'_> {
    loop {
        let inner = match node.kind() {
            "generic_type" | "reference_type" | "pointer_type" => node.child_by_field_name("type"),
            "scoped_type_identifier" => node.child_by_field_name("name"),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => return node,
        }
    }
}

fn in_trait_impl(visit: &Visit<'_, '_>) -> bool {
    // The members of an impl are two levels down: impl_item, declaration_list.
    visit
        .ancestor(2)
        .is_some_and(|owner| owner.kind() == "impl_item" && owner.child_by_field_name("trait").is_some())
}
