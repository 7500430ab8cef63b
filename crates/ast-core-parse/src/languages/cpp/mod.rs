//! C++.

use super::{Spec, Syntax};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static CPP: Spec = Spec::new(
    "cpp",
    &[
        "cpp", "C", "H", "c++", "cc", "cppm", "cxx", "h", "h++", "hh", "hpp", "hxx", "inl", "ipp", "ixx",
        "tcc", "tpp",
    ],
    "tree-sitter-cpp",
    "0.23.4",
    || tree_sitter_cpp::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "alias_declaration",
            "class_specifier",
            "concept_definition",
            "declaration",
            "enum_specifier",
            "enumerator",
            "field_declaration",
            "function_definition",
            "namespace_alias_definition",
            "namespace_definition",
            "preproc_def",
            "preproc_function_def",
            "struct_specifier",
            "type_definition",
            "union_specifier",
        ],
        define,
        wrappers: &["template_declaration"],
        outer_wrappers: &[],
        attributes: &["attribute_declaration"],
        comments: &["comment"],
        is_doc: |comment| !["// NOLINT", "// clang-format"].iter().any(|tool| comment.starts_with(tool)),
        sections: &["access_specifier"],
        opaque: &[
            "argument_list",
            "base_class_clause",
            "field_initializer_list",
            "parameter_list",
            "preproc_include",
            "raw_string_literal",
            "string_literal",
            "template_argument_list",
            "template_parameter_list",
            "using_declaration",
        ],
        members: &["enumerator_list", "field_declaration_list"],
        values_are_code: false,
        ..Syntax::NONE
    },
);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "class_specifier" => define_type(visit, found, Kind::Class),
        "struct_specifier" => define_type(visit, found, Kind::Struct),
        "union_specifier" => define_type(visit, found, Kind::Union),
        "enum_specifier" => define_type(visit, found, Kind::Enum),
        "enumerator" => push_named(visit, found, Kind::EnumMember, None),
        "namespace_definition" | "namespace_alias_definition" => {
            let Some(name) = visit.field("name") else { return };
            found.push(Definition::new(Kind::Namespace, name).body(visit.field("body")));
        }
        "alias_declaration" | "concept_definition" => push_named(visit, found, Kind::Type, visibility(visit)),
        // An include guard defines nothing anyone would look for.
        "preproc_def" if visit.field("value").is_none() && is_include_guard(visit) => {}
        "preproc_def" | "preproc_function_def" => push_named(visit, found, Kind::Macro, None),
        "function_definition" => {
            if let Some(declarator) = visit.field("declarator") {
                let body = visit.child("field_initializer_list").or_else(|| visit.field("body"));
                push_function(visit, found, declarator, body);
            }
        }
        "type_definition" => {
            for declarator in visit.node.children_in("declarator") {
                let Some(name) = declared_name(declarator) else { continue };
                let body = visit.field("type").and_then(|node| node.field("body"));
                found.push(Definition::new(Kind::Type, name).body(body).visibility(visibility(visit)));
            }
        }
        "field_declaration" | "declaration" => define_declared(visit, found),
        _ => {}
    }
}

/// A class, struct, union or enum that has a body; without one it only mentions the type.
fn define_type<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>, kind: SymbolKind) {
    let (Some(body), Some(name)) = (visit.field("body"), visit.field("name")) else { return };
    let (name, qualifier) = split_name(name);
    let mut definition = Definition::new(kind, name).body(Some(body)).visibility(visibility(visit));
    definition.qualifier = qualifier;
    found.push(definition);
}

/// Functions, variables and data members without a body here.
fn define_declared<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    if visit.in_code() {
        return;
    }
    let is_member = visit.kind() == "field_declaration";
    let first = found.len();
    for declarator in visit.node.children_in("declarator") {
        if is_function_declarator(declarator) {
            push_function(visit, found, declarator, None);
            continue;
        }
        let Some(name) = declared_name(declarator) else { continue };
        let (name, qualifier) = split_name(name);
        let kind = match is_member {
            true => SymbolKind::Field,
            false if is_constant(visit) => SymbolKind::Constant,
            false => SymbolKind::Variable,
        };
        let value = declarator.field("value");
        let body = value.filter(|value| value.end() - value.start() > 80);
        let mut definition = Definition::new(kind, name).body(body).visibility(visibility(visit));
        definition.qualifier = qualifier;
        if found.len() > first {
            definition.node = Some(declarator);
        }
        found.push(definition);
    }
}

fn push_function<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    declarator: Node<'tree>,
    body: Option<Node<'tree>>,
) {
    use SymbolKind as Kind;
    let Some(name) = declared_name(declarator) else { return };
    let (name, qualifier) = split_name(name);
    let text = name.text();
    let enclosing = visit.enclosing().filter(|symbol| is_class(symbol.kind));
    let class =
        enclosing.map(|symbol| &*symbol.name).or(qualifier.as_deref().and_then(|q| q.rsplit("::").next()));
    let kind = match class {
        Some(class) if class.split('<').next() == Some(text) => Kind::Constructor,
        Some(_) => Kind::Method,
        None => Kind::Function,
    };
    let mut definition = Definition::new(kind, name).body(body).visibility(visibility(visit));
    definition.qualifier = qualifier;
    if name.kind() == "operator_cast" {
        // `operator bool` without the `() const` after it.
        let end = name.field("declarator").map_or(name.end(), |after| after.start());
        definition.name_text = visit.source.get(name.start() as usize..end as usize).map(str::to_owned);
    }
    found.push(definition);
}

fn push_named<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    visibility: Option<Visibility>,
) {
    if let Some(name) = visit.field("name") {
        let body = visit.field("value").or_else(|| visit.field("body"));
        found.push(Definition::new(kind, name).body(body).visibility(visibility));
    }
}

/// The name inside a declarator: `f` of `*f(int)`.
fn declared_name(declarator: Node<'_>) -> Option<Node<'_>> {
    let mut node = declarator;
    loop {
        match node.kind() {
            "identifier"
            | "field_identifier"
            | "type_identifier"
            | "qualified_identifier"
            | "destructor_name"
            | "operator_name"
            | "operator_cast"
            | "template_function"
            | "template_method"
            | "primitive_type" => {
                return Some(node);
            }
            _ => {}
        }
        node = node.field("declarator").or_else(|| {
            // Reference and parenthesised declarators have no field.
            node.named_children()
                .find(|child| child.kind().ends_with("declarator") || child.kind().ends_with("identifier"))
        })?;
    }
}

fn is_function_declarator(declarator: Node<'_>) -> bool {
    let mut node = declarator;
    loop {
        match node.kind() {
            // A pointer to a function, `int (*f)(int)`, is a variable.
            "function_declarator" => {
                let inner = node.field("declarator");
                return inner.is_some_and(|inner| inner.kind() != "parenthesized_declarator");
            }
            "operator_cast" => return true,
            "pointer_declarator" | "reference_declarator" | "attributed_declarator" | "init_declarator" => {}
            _ => return false,
        }
        let inner = node
            .field("declarator")
            .or_else(|| node.named_children().find(|child| child.kind().ends_with("declarator")));
        match inner {
            Some(inner) => node = inner,
            None => return false,
        }
    }
}

/// `f` and `A::B` of `A::B::f`; template arguments stay with the name they follow.
fn split_name<'tree>(name: Node<'tree>) -> (Node<'tree>, Option<String>) {
    let mut node = name;
    let mut scopes: Vec<String> = Vec::new();
    loop {
        match node.kind() {
            "qualified_identifier" => {
                if let Some(scope) = node.field("scope") {
                    scopes.push(base_name(scope).text().to_owned());
                }
                match node.field("name") {
                    Some(inner) => node = inner,
                    None => break,
                }
            }
            "template_function" | "template_method" | "template_type" => match node.field("name") {
                Some(inner) => node = inner,
                None => break,
            },
            _ => break,
        }
    }
    (node, (!scopes.is_empty()).then(|| scopes.join("::")))
}

fn base_name(scope: Node<'_>) -> Node<'_> {
    match scope.kind() {
        "template_type" => scope.field("name").unwrap_or(scope),
        _ => scope,
    }
}

fn is_class(kind: SymbolKind) -> bool {
    matches!(kind, SymbolKind::Class | SymbolKind::Struct | SymbolKind::Union)
}

fn is_constant(visit: &Visit<'_, '_>) -> bool {
    visit
        .node
        .named_children()
        .filter(|child| child.kind() == "type_qualifier")
        .any(|qualifier| matches!(qualifier.text(), "const" | "constexpr"))
}

/// Members are as visible as their section says, or as their kind of class begins; the rest is not said.
fn visibility(visit: &Visit<'_, '_>) -> Option<Visibility> {
    match visit.enclosing_kind() {
        Some(kind) if is_class(kind) => Some(visit.section().unwrap_or(match kind {
            SymbolKind::Class => Visibility::Private,
            _ => Visibility::Public,
        })),
        _ => None,
    }
}

/// `#ifndef X` with `#define X` as its first line.
fn is_include_guard(visit: &Visit<'_, '_>) -> bool {
    visit.ancestor(1).filter(|node| node.kind() == "preproc_ifdef").is_some_and(|ifdef| {
        let tested = ifdef.field("name").map(|name| name.text());
        tested.is_some() && tested == visit.field("name").map(|name| name.text())
    })
}
