//! Rust.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Parameter, one_line};
use crate::mention::{Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

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
        opaque: &["attribute_item", "char_literal", "raw_string_literal", "string_literal"],
        members: &[],
        calls: &[("call_expression", "function"), ("macro_invocation", "macro")],
        type_names: &["type_identifier"],
        type_paths: &["scoped_type_identifier"],
        heritage: &[("impl_item", "trait"), ("trait_item", "bounds")],
        references: &["token_tree", "use_declaration"],
        refer,
        branches: &[
            ("if_expression", Branch::If),
            ("else_clause", Branch::Else),
            ("for_expression", Branch::Loop),
            ("while_expression", Branch::Loop),
            ("loop_expression", Branch::Endless),
            ("match_expression", Branch::Switch),
            ("match_arm", Branch::Arm),
            ("try_expression", Branch::Decision),
            ("let_declaration", Branch::WithAlternative),
            ("if", Branch::Word),
            ("for", Branch::Word),
            ("while", Branch::Word),
            ("?", Branch::Word),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("closure_expression", Branch::Lambda),
        ],
        modifiers: &["extern_modifier", "function_modifiers"],
        parameters,
        values_are_code: true,
        ..Syntax::NONE
    },
)
.highlights(&[tree_sitter_rust::HIGHLIGHTS_QUERY]);

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
    let visibility = match visit.child("visibility_modifier").map(|node| node.text()) {
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

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "use_declaration" => {
            if let Some(argument) = visit.field("argument") {
                import(argument, mentions);
            }
        }
        "token_tree" => call_in_tokens(visit.node, visit.source, mentions),
        _ => {}
    }
}

/// How many nodes of a `use` declaration are looked at for the path to a name.
const MAX_USE_DEPTH: usize = 64;
/// The longest part of such a path that is kept, in bytes.
const MAX_SCOPE_BYTES: usize = 200;

/// The leaves of a `use` declaration.
fn import<'tree>(argument: Node<'tree>, mentions: &mut Mentions<'tree>) {
    let list = |node: Node<'_>| matches!(node.kind(), "scoped_use_list" | "use_list");
    for node in argument.descendants().filter(|node| !list(*node)) {
        let parent = node.parent();
        let is_leaf = node == argument || parent.is_some_and(|parent| parent.kind() == "use_list");
        if !is_leaf {
            continue;
        }
        let (path, alias) = match node.kind() {
            "use_as_clause" => (node.field("path"), node.field("alias")),
            _ => (Some(node), None),
        };
        let Some(path) = path else { continue };
        let (name, own_scope) = match path.kind() {
            "scoped_identifier" => (path.field("name"), path.field("path")),
            "use_wildcard" => (Some(path), path.first_child()),
            _ => (Some(path), None),
        };
        let Some(name) = name else { continue };
        let mut scopes: Vec<&str> = own_scope.map(Node::text).into_iter().collect();
        let outer = std::iter::successors(parent, |outer| outer.parent());
        for outer in outer.take_while(|outer| outer.row() >= argument.row()).take(MAX_USE_DEPTH) {
            scopes.extend(outer.field("path").filter(|_| outer.kind() == "scoped_use_list").map(Node::text));
        }
        scopes.retain(|scope| scope.len() <= MAX_SCOPE_BYTES);
        scopes.reverse();
        let path = scopes.join("::");
        let mut mention = Mention::new(ReferenceKind::Import, name).alias(alias);
        mention = match (name.kind(), path.rsplit_once("::")) {
            ("use_wildcard", _) => mention.name_text("*").qualifier(path),
            // `std::fs::{self}` brings `fs`.
            ("self", Some((outer, module))) => mention.name_text(module).qualifier(outer),
            ("self", None) if !path.is_empty() => mention.name_text(path),
            _ => mention.qualifier(path),
        };
        mentions.push(mention);
    }
}

/// What looks like a call in the arguments of a macro, which are tokens and no expressions: a name before
/// parentheses.
fn call_in_tokens<'tree>(tokens: Node<'tree>, source: &str, mentions: &mut Mentions<'tree>) {
    let mut before: Option<Node<'tree>> = None;
    for token in tokens.children() {
        let is_arguments = token.kind() == "token_tree" && token.text().starts_with('(');
        let name = before.filter(|name| name.kind() == "identifier" && name.end() == token.start());
        if let Some(name) = name.filter(|_| is_arguments) {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let path = source.get(tokens.start() as usize..name.start() as usize);
            let path = path.and_then(|before| before.strip_suffix("::"));
            let path = path.and_then(|before| before.rsplit(|c| !is_part(c)).next());
            mentions.push(Mention::new(ReferenceKind::Call, name).qualifier(path.unwrap_or("")));
        }
        before = Some(token);
    }
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let parameter = match node.kind() {
        "parameter" => Parameter {
            name: node.field("pattern").map(one_line).unwrap_or_default(),
            type_name: node.field("type").map(one_line),
            ..Parameter::default()
        },
        "self_parameter" => Parameter { name: one_line(node), ..Parameter::default() },
        "variadic_parameter" => Parameter { name: one_line(node), optional: true, ..Parameter::default() },
        // Of a closure.
        kind if kind.ends_with("pattern") || kind == "identifier" => {
            Parameter { name: one_line(node), ..Parameter::default() }
        }
        _ => return,
    };
    parameters.push(parameter);
}

/// The name in a type: `Vec` of `&mut std::vec::Vec<T>`.
fn base_type(mut node: Node<'_>) -> Node<'_> {
    loop {
        let inner = match node.kind() {
            "generic_type" | "reference_type" | "pointer_type" => node.field("type"),
            "scoped_type_identifier" => node.field("name"),
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
    visit.ancestor(2).is_some_and(|owner| owner.kind() == "impl_item" && owner.field("trait").is_some())
}
