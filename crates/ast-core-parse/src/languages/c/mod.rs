//! C, and what C++ shares with it.

pub(super) mod blank;
#[cfg(all(feature = "c", feature = "cpp"))]
mod dialect;
mod tokens;

#[cfg(feature = "c")]
use super::Spec;
use super::Syntax;
#[cfg(feature = "c")]
use crate::annotation::Branch;
use crate::annotation::{Modifier, Parameter, one_line, one_line_text};
use crate::mention::{Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

#[cfg(all(feature = "c", feature = "cpp"))]
pub(crate) use dialect::looks_like_cpp;

#[cfg(feature = "c")]
pub(crate) static C: Spec = Spec::new(
    "c",
    &["c"],
    "tree-sitter-c",
    "0.24.2",
    || tree_sitter_c::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "declaration",
            "enum_specifier",
            "enumerator",
            "field_declaration",
            "function_definition",
            "preproc_def",
            "preproc_function_def",
            "struct_specifier",
            "type_definition",
            "union_specifier",
        ],
        references: &["enum_specifier", "preproc_include", "struct_specifier", "union_specifier"],
        refer,
        calls: &[("call_expression", "function")],
        branches: &BRANCHES,
        stand_in: |source| blank::blank(source, false),
        ..BASE
    },
)
.highlights(&[tree_sitter_c::HIGHLIGHT_QUERY]);

/// What both languages have in common.
pub(super) const BASE: Syntax = Syntax {
    define,
    attributes: &["attribute_declaration"],
    comments: &["comment"],
    is_doc: |comment| !["// NOLINT", "// clang-format"].iter().any(|tool| comment.starts_with(tool)),
    opaque: &["char_literal", "string_literal"],
    members: &["enumerator_list", "field_declaration_list"],
    type_names: &["type_identifier"],
    body_alone_counts: true,
    modifiers: &["storage_class_specifier"],
    parameters,
    ..Syntax::NONE
};

/// The longest value, or list of members of a type without a name, that is part of a signature, in bytes.
const MAX_VALUE_BYTES: u32 = 80;

#[cfg(feature = "c")]
const BRANCHES: [(&str, Branch); 14] = [
    ("if_statement", Branch::If),
    ("else_clause", Branch::Else),
    ("for_statement", Branch::Loop),
    ("while_statement", Branch::Loop),
    ("do_statement", Branch::Loop),
    ("switch_statement", Branch::Switch),
    ("case_statement", Branch::Case),
    ("conditional_expression", Branch::Ternary),
    ("goto_statement", Branch::Jump),
    ("&&", Branch::Logical),
    ("||", Branch::Logical),
    ("#if", Branch::Decision),
    ("#ifdef", Branch::Decision),
    ("#elif", Branch::Decision),
];

pub(super) fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "class_specifier" | "enum_specifier" | "struct_specifier" | "union_specifier" => {
            let is_part =
                matches!(visit.parent_kind(), "declaration" | "field_declaration" | "type_definition");
            // What declares something of the type defines the type first.
            if !(is_part && visit.node.field_name() == "type") {
                push_type(visit, found, visit.node);
            }
        }
        "enumerator" => push_named(visit, found, Kind::EnumMember, None),
        // An include guard defines nothing anyone would look for.
        "preproc_def" if visit.field("value").is_none() && is_include_guard(visit) => {}
        "preproc_def" | "preproc_function_def" => push_named(visit, found, Kind::Macro, None),
        // What has no type there is a macro that a block follows.
        "function_definition" if is_local(visit) && visit.field("type").is_none() => {}
        "function_definition" => {
            if let Some(declarator) = visit.field("declarator") {
                let body = visit.child("field_initializer_list").or_else(|| visit.field("body"));
                push_function(visit, found, declarator, body);
            }
        }
        "type_definition" => define_alias(visit, found),
        "declaration" | "field_declaration" => define_declared(visit, found),
        _ => {}
    }
}

/// The kind of thing that a specifier specifies.
fn specifier_kind(specifier: Node<'_>) -> Option<SymbolKind> {
    Some(match specifier.kind() {
        "class_specifier" => SymbolKind::Class,
        "enum_specifier" => SymbolKind::Enum,
        "struct_specifier" => SymbolKind::Struct,
        "union_specifier" => SymbolKind::Union,
        _ => return None,
    })
}

/// A class, struct, union or enum that has a name and a body; without a body it is only mentioned. Whether there is
/// one.
fn push_type<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    specifier: Node<'tree>,
) -> bool {
    let Some(kind) = specifier_kind(specifier) else { return false };
    let (Some(body), Some(name)) = (specifier.field("body"), specifier.field("name")) else { return false };
    let (name, qualifier) = split_name(name);
    let mut definition = Definition::new(kind, name).body(Some(body)).visibility(visibility(visit));
    definition.qualifier = qualifier;
    found.push(definition);
    true
}

/// `typedef`: a type that has no name of its own goes by the first one it is given.
fn define_alias<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let specifier = visit.field("type");
    let body = specifier.and_then(|node| node.field("body"));
    let mut is_named = specifier.is_some_and(|specifier| push_type(visit, found, specifier));
    for declarator in visit.node.children_in("declarator") {
        let Some(name) = declared_name(declarator) else { continue };
        let own_kind = specifier.filter(|_| body.is_some() && declarator == name).and_then(specifier_kind);
        let kind = if is_named { None } else { own_kind };
        let mut definition =
            Definition::new(kind.unwrap_or(SymbolKind::Type), name).visibility(visibility(visit));
        if found.is_empty() {
            definition.body = body.filter(|body| body.len() > MAX_VALUE_BYTES);
        } else {
            definition.node = Some(declarator);
        }
        found.push(definition);
        is_named = true;
    }
}

/// Functions, variables and data members without a body here, and the type that is defined on the way.
fn define_declared<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    if let Some(specifier) = visit.field("type") {
        push_type(visit, found, specifier);
    }
    if visit.in_code() || is_local(visit) {
        return;
    }
    let is_member = visit.kind() == "field_declaration" || visit.enclosing_kind().is_some_and(is_class);
    let of_constants = has_qualifier(visit.node, "const") || has_qualifier(visit.node, "constexpr");
    for declarator in visit.node.children_in("declarator") {
        if function_declarator(declarator).is_some() {
            push_function(visit, found, declarator, None);
            continue;
        }
        let Some(name) = declared_name(declarator) else { continue };
        let (name, qualifier) = split_name(name);
        let is_constant = is_constant(declarator, of_constants);
        let value = declarator.field("value");
        let lambda = value.filter(|value| value.kind() == "lambda_expression");
        let kind = match lambda {
            _ if is_member => SymbolKind::Field,
            Some(_) => SymbolKind::Function,
            None if is_constant => SymbolKind::Constant,
            None => SymbolKind::Variable,
        };
        let body = match lambda {
            Some(lambda) => lambda.field("body"),
            None => value.filter(|value| value.len() > MAX_VALUE_BYTES),
        };
        let mut definition =
            Definition::new(kind, name).body(body).visibility(visibility(visit)).function(lambda);
        definition.qualifier = qualifier;
        if is_constant {
            definition = definition.modifier(Modifier::Const);
        }
        if !found.is_empty() {
            definition.node = Some(declarator);
        } else {
            let anonymous = visit.field("type").and_then(|specifier| specifier.field("body"));
            definition.body = anonymous.filter(|body| body.len() > MAX_VALUE_BYTES).or(definition.body);
        }
        found.push(definition);
    }
}

/// Whether a declaration is a statement, though in no function that is known as one: a macro may make it.
fn is_local(visit: &Visit<'_, '_>) -> bool {
    matches!(
        visit.parent_kind(),
        "case_statement"
            | "compound_statement"
            | "condition_clause"
            | "for_statement"
            | "init_statement"
            | "labeled_statement"
    )
}

/// Whether a declaration has this qualifier.
fn has_qualifier(declaration: Node<'_>, word: &str) -> bool {
    let qualifiers = declaration.children().take_while(|child| child.field_name() != "declarator");
    qualifiers.filter(|child| child.kind() == "type_qualifier").any(|qualifier| qualifier.text() == word)
}

pub(super) fn push_function<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    declarator: Node<'tree>,
    body: Option<Node<'tree>>,
) {
    use SymbolKind as Kind;
    let Some(name) = declared_name(declarator) else { return };
    let function = function_declarator(declarator);
    let (name, qualifier) = split_name(name);
    let text = name.text();
    if matches!(text, "for" | "if" | "return" | "sizeof" | "switch" | "while") {
        // What is left of code that could not be read.
        return;
    }
    let is_friend = visit.parent_kind() == "friend_declaration";
    let enclosing = visit.enclosing().filter(|symbol| is_class(symbol.kind) && !is_friend);
    let class = match enclosing {
        Some(symbol) => Some(&*symbol.name),
        None => qualifier.as_deref().and_then(|qualifier| qualifier.rsplit("::").next()),
    };
    let kind = match class {
        Some(class) if class.split('<').next() == Some(text) => Kind::Constructor,
        Some(_) => Kind::Method,
        None => Kind::Function,
    };
    let return_type = return_type(visit.node, declarator, function);
    // A macro is called where nothing is declared, or where a member has no type.
    let is_plain = matches!(name.kind(), "identifier" | "field_identifier");
    if return_type.is_none() && is_plain && kind != Kind::Constructor && body.is_none() && enclosing.is_some()
    {
        return;
    }
    let mut definition = Definition::new(kind, name).body(body).visibility(visibility(visit));
    if let Some(function) = function {
        for child in function.named_children() {
            match child.kind() {
                "type_qualifier" if child.text() == "const" => {
                    definition = definition.modifier(Modifier::Const)
                }
                "noexcept" => definition = definition.modifier(Modifier::Noexcept),
                "virtual_specifier" => {
                    definition.modifiers.extend(Modifier::of_word(child.text()));
                }
                _ => {}
            }
        }
    }
    if has_qualifier(visit.node, "constexpr") {
        definition = definition.modifier(Modifier::Constexpr);
    }
    let is_pure = visit.field("default_value").is_some_and(|value| value.text() == "0");
    if is_pure || visit.child("pure_virtual_clause").is_some() {
        definition = definition.modifier(Modifier::Abstract);
    }
    definition.qualifier = qualifier;
    definition.return_text = return_type;
    definition.parameter_list = function.and_then(|function| function.field("parameters"));
    if name.kind() == "operator_cast" {
        // `operator bool` without the `() const` after it.
        let end = function.or(name.field("declarator")).map_or(name.end(), Node::start);
        definition.name_text = visit.source.get(name.start() as usize..end as usize).map(str::to_owned);
    }
    if found.is_empty() {
        found.push(definition);
    } else {
        definition.node = Some(declarator);
        found.push(definition);
    }
}

/// What a function returns, as written but on one line and without what else is said of the function; `None` of a
/// constructor and its like.
fn return_type(declaration: Node<'_>, declarator: Node<'_>, function: Option<Node<'_>>) -> Option<Box<str>> {
    let trailing = function.and_then(|function| function.child("trailing_return_type"));
    if let Some(descriptor) = trailing.and_then(|trailing| trailing.named_children().next()) {
        return Some(one_line(descriptor));
    }
    let is_part = |child: &Node<'_>| match child.kind() {
        "type_qualifier" => matches!(child.text(), "const" | "volatile" | "_Atomic"),
        _ => child.field_name() == "type",
    };
    let head = declaration.children().take_while(|child| child.field_name() != "declarator");
    let mut text = String::new();
    let mut has_type = false;
    for part in head.filter(is_part) {
        has_type |= part.field_name() == "type";
        text.push_str(part.text());
        if part.end() != declarator.start() {
            text.push(' ');
        }
    }
    let function = function?;
    // What is behind the parameters belongs to it where a pointer to a function or an array is returned.
    let at = |place: u32| place.saturating_sub(declarator.start()) as usize;
    text.push_str(declarator.text().get(..at(function.start())).unwrap_or(""));
    text.push_str(declarator.text().get(at(function.end())..).unwrap_or(""));
    has_type.then(|| one_line_text(text.trim()))
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

/// What a declarator is wrapped round: `f(int)` of `*f(int)`.
fn inner_declarator(declarator: Node<'_>) -> Option<Node<'_>> {
    declarator.field("declarator").or_else(|| {
        // Reference and parenthesised declarators have no field.
        let is_inner = |child: &Node<'_>| child.kind().ends_with("declarator") || is_declared_name(*child);
        declarator.named_children().find(is_inner)
    })
}

fn is_declared_name(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "destructor_name"
            | "field_identifier"
            | "identifier"
            | "operator_cast"
            | "operator_name"
            | "primitive_type"
            | "qualified_identifier"
            | "template_function"
            | "template_method"
            | "type_identifier"
    )
}

/// The name inside a declarator: `f` of `*f(int)`.
pub(super) fn declared_name(declarator: Node<'_>) -> Option<Node<'_>> {
    std::iter::successors(Some(declarator), |node| inner_declarator(*node))
        .find(|node| is_declared_name(*node))
}

/// The declarator of the function that is declared: `f(int)` of `*f(int)`; `None` of `(*f)(int)`, which is a
/// variable. What is closest to the name says what the name is.
fn function_declarator(declarator: Node<'_>) -> Option<Node<'_>> {
    let mut closest = None;
    for node in std::iter::successors(Some(declarator), |node| inner_declarator(*node)) {
        match node.kind() {
            "function_declarator" => closest = Some(node),
            "operator_cast" => return converting_function(node),
            "qualified_identifier" => {
                // `A::operator bool()`
                let (name, _) = split_name(node);
                return match name.kind() {
                    "operator_cast" => converting_function(name),
                    _ => closest,
                };
            }
            _ if is_declared_name(node) => return closest,
            "attributed_declarator" | "init_declarator" | "parenthesized_declarator" => {}
            _ => closest = None,
        }
    }
    None
}

/// The declarator behind the type that an operator converts to: `()` of `operator char *()`.
fn converting_function(operator: Node<'_>) -> Option<Node<'_>> {
    let mut node = operator.field("declarator")?;
    while node.field("parameters").is_none() {
        // Reference declarators have no field.
        let inner = || node.named_children().find(|child| child.kind().starts_with("abstract"));
        node = node.field("declarator").or_else(inner)?;
    }
    Some(node)
}

/// Whether a variable may not be changed: of a pointer, the pointer.
fn is_constant(declarator: Node<'_>, of_constants: bool) -> bool {
    let round = std::iter::successors(Some(declarator), |node| inner_declarator(*node));
    let pointers =
        round.take_while(|node| !is_declared_name(*node)).filter(|node| node.kind() == "pointer_declarator");
    match pointers.last() {
        Some(pointer) => has_qualifier(pointer, "const"),
        None => of_constants,
    }
}

/// `f` and `A::B` of `A::B::f`; template arguments stay with the name they follow.
pub(super) fn split_name<'tree>(name: Node<'tree>) -> (Node<'tree>, Option<String>) {
    let mut node = name;
    let mut scopes = String::new();
    loop {
        let inner = match node.kind() {
            "qualified_identifier" => {
                if let Some(scope) = node.field("scope") {
                    let separator = if scopes.is_empty() { "" } else { "::" };
                    scopes.push_str(separator);
                    scopes.push_str(base_name(scope).text());
                }
                node.children_in("name").last()
            }
            "dependent_name" => node.named_children().next(),
            "template_function" | "template_method" | "template_type" => node.field("name"),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    (node, Some(scopes).filter(|scopes| !scopes.is_empty()))
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

/// Members are as visible as their section says, or as their kind of class begins; what is `static` elsewhere is the
/// file's own. The rest is not said.
pub(super) fn visibility(visit: &Visit<'_, '_>) -> Option<Visibility> {
    match visit.enclosing_kind() {
        Some(kind) if is_class(kind) => Some(visit.section().unwrap_or(match kind {
            SymbolKind::Class => Visibility::Private,
            _ => Visibility::Public,
        })),
        _ => {
            let mut head = visit.node.children().take_while(|child| child.field_name() != "declarator");
            let is_static =
                head.any(|child| child.kind() == "storage_class_specifier" && child.text() == "static");
            is_static.then_some(Visibility::Private)
        }
    }
}

/// `#ifndef X` as the first thing of the file, with `#define X` as its first line.
fn is_include_guard(visit: &Visit<'_, '_>) -> bool {
    /// How many comments may be before it.
    const MAX_COMMENTS: usize = 256;
    let Some(ifdef) = visit.ancestor(1).filter(|node| node.kind() == "preproc_ifdef") else { return false };
    let Some(file) = ifdef.parent().filter(|file| file.kind() == "translation_unit") else { return false };
    // `#pragma once`
    let is_before = |node: &Node<'_>| matches!(node.kind(), "comment" | "preproc_call");
    let name = ifdef.field("name");
    file.named_children().take(MAX_COMMENTS).find(|node| !is_before(node)) == Some(ifdef)
        && ifdef.named_children().take(MAX_COMMENTS).find(|node| !is_before(node) && Some(*node) != name)
            == Some(visit.node)
        && name.map(Node::text) == visit.field("name").map(Node::text)
}

pub(super) fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "preproc_include" => {
            let Some(path) = visit.field("path") else { return };
            let text = path.text().trim_matches(['<', '>', '"']);
            let name = text.rsplit('/').next().unwrap_or(text);
            mentions.push(Mention::new(ReferenceKind::Import, path).name_text(name).qualifier(text));
        }
        // Without a body it is no definition.
        "class_specifier" | "enum_specifier" | "struct_specifier" | "union_specifier" => {
            if visit.field("body").is_some() {
                return;
            }
            let Some((name, qualifier)) = visit.field("name").map(split_name) else { return };
            mentions.push(Mention::new(ReferenceKind::Type, name).qualifier(qualifier.unwrap_or_default()));
        }
        _ => {}
    }
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    match node.kind() {
        // Of a macro, or of a function whose parameters' types come after the list.
        "identifier" => parameters.push(Parameter { name: one_line(node), ..Parameter::default() }),
        "variadic_parameter" => {
            parameters.push(Parameter { name: "...".into(), optional: true, ..Parameter::default() });
        }
        "optional_parameter_declaration" | "parameter_declaration" | "variadic_parameter_declaration" => {
            let declarator = node.field("declarator");
            if declarator.is_none() && node.text() == "void" {
                return;
            }
            let name = declarator.and_then(declared_or_packed_name);
            let default = node.field("default_value");
            let is_pack = node.kind() == "variadic_parameter_declaration";
            parameters.push(Parameter {
                name: match (is_pack, name) {
                    (true, name) => format!("...{}", name.map_or("", Node::text)).into(),
                    (false, name) => name.map(one_line).unwrap_or_default(),
                },
                type_name: Some(parameter_type(node, name)),
                optional: is_pack || default.is_some(),
                default: default.map(one_line),
            });
        }
        _ => return,
    }
    // C++'s grammar has no node for the dots at the end.
    let Some(list) = node.parent().filter(|_| node.next_sibling().is_none()) else { return };
    let rest = list.text().get((node.end() - list.start()) as usize..).unwrap_or("");
    if rest.trim_start().trim_start_matches(',').trim_start().starts_with("...") {
        parameters.push(Parameter { name: "...".into(), optional: true, ..Parameter::default() });
    }
}

fn declared_or_packed_name(declarator: Node<'_>) -> Option<Node<'_>> {
    let packed = |node: Node<'_>| node.kind() == "variadic_declarator";
    let mut round = std::iter::successors(Some(declarator), |node| inner_declarator(*node));
    match round.find(|node| packed(*node)) {
        Some(pack) => pack.named_children().next(),
        None => declared_name(declarator),
    }
}

/// The type of a parameter: all that is written of it but its name and default.
fn parameter_type(parameter: Node<'_>, name: Option<Node<'_>>) -> Box<str> {
    let text = parameter.text();
    let at = |place: u32| (place - parameter.start()) as usize;
    let end = parameter.field("declarator").map_or_else(
        || parameter.field("type").map_or(text.len(), |node| at(node.end())),
        |declarator| at(declarator.end()),
    );
    let (before, after) = match name {
        Some(name) => (at(name.start()), at(name.end())),
        None => (end, end),
    };
    let before = text.get(..before).unwrap_or("").trim_end().trim_end_matches("...").trim_end();
    let after = text.get(after..end).unwrap_or("").trim();
    let is_array = after.starts_with('[') && !before.ends_with(['*', '&']);
    one_line_text(&[before, after].join(if is_array { " " } else { "" }))
}
