//! Swift.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Parameter, one_line, one_line_text};
use crate::mention::{Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

pub(crate) static SWIFT: Spec = Spec::new(
    "swift",
    &["swift"],
    "tree-sitter-swift",
    "0.7.4",
    || tree_sitter_swift::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "associatedtype_declaration",
            "class_declaration",
            "deinit_declaration",
            "enum_entry",
            "function_declaration",
            "init_declaration",
            "macro_declaration",
            "property_declaration",
            "protocol_declaration",
            "protocol_function_declaration",
            "protocol_property_declaration",
            "subscript_declaration",
            "typealias_declaration",
        ],
        define,
        comments: &["comment", "multiline_comment"],
        is_doc: |comment| comment.starts_with("///") || comment.starts_with("/**") && comment != "/**/",
        calls: &[("call_expression", "")],
        references: &["constructor_expression", "import_declaration", "user_type"],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("guard_statement", Branch::If),
            ("else", Branch::Else),
            ("for_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("repeat_while_statement", Branch::Loop),
            ("switch_statement", Branch::Switch),
            ("switch_entry", Branch::Case),
            ("catch_block", Branch::Catch),
            ("ternary_expression", Branch::Ternary),
            ("lambda_literal", Branch::Lambda),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("??", Branch::Logical),
        ],
        modifiers: &["modifiers"],
        parameters,
        stand_in: without_conditions,
        ..Syntax::NONE
    },
)
.round_members("class A {\n")
.highlights(&[tree_sitter_swift::HIGHLIGHTS_QUERY])
.interpreters(&["swift"]);

/// The text with blanks for `#if` and its like, which may stand where the grammar expects none: between the cases of a
/// `switch`, say. What is between them stays, whatever the condition.
fn without_conditions(source: &str) -> Option<Vec<u8>> {
    let mut blanked: Option<Vec<u8>> = None;
    for at in memchr::memchr_iter(b'#', source.as_bytes()) {
        let rest = source.get(at..).unwrap_or("");
        let is_condition = ["#if ", "#elseif ", "#else", "#endif"].iter().any(|word| rest.starts_with(word));
        let mut before = source.as_bytes()[..at].iter().rev().take_while(|byte| **byte != b'\n');
        if is_condition && before.all(u8::is_ascii_whitespace) {
            let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
            let bytes = blanked.get_or_insert_with(|| source.as_bytes().to_vec());
            bytes.get_mut(at..at + length).unwrap_or_default().fill(b' ');
        }
    }
    blanked
}

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let is_member = visit.enclosing_kind().is_some_and(is_type) && !visit.in_code();
    match visit.kind() {
        "class_declaration" => {
            let (Some(word), Some(name)) = (visit.field("declaration_kind"), visit.field("name")) else {
                return;
            };
            let kind = match word.text() {
                "struct" => Kind::Struct,
                "enum" => Kind::Enum,
                "extension" => Kind::Impl,
                _ => Kind::Class,
            };
            let (name, qualifier) = last_name(name);
            let mut definition = Definition::new(kind, name).body(visit.field("body"));
            definition.qualifier =
                Some(qualifier.replace('.', "::")).filter(|qualifier| !qualifier.is_empty());
            found.push(definition);
        }
        "protocol_declaration" => push(visit, found, Kind::Interface, visit.field("name")),
        "associatedtype_declaration" | "typealias_declaration" => {
            push(visit, found, Kind::Type, visit.field("name"))
        }
        "macro_declaration" => push(visit, found, Kind::Macro, visit.child("simple_identifier")),
        "function_declaration" | "protocol_function_declaration" => {
            push_function(visit, found, if is_member { Kind::Method } else { Kind::Function });
        }
        "init_declaration" => push(visit, found, Kind::Constructor, visit.child("init")),
        "deinit_declaration" => push(visit, found, Kind::Method, visit.child("deinit")),
        "subscript_declaration" => push(visit, found, Kind::Method, visit.child("subscript")),
        "enum_entry" => {
            for name in visit.node.children_in("name").filter(|name| name.kind() == "simple_identifier") {
                push(visit, found, Kind::EnumMember, Some(name));
            }
        }
        "protocol_property_declaration" => {
            for name in bound_names(visit.node) {
                push(visit, found, Kind::Property, Some(name));
            }
        }
        "property_declaration" if !visit.in_code() => {
            let computed = visit.field("computed_value");
            let is_constant = visit.child("value_binding_pattern").is_some_and(|word| word.text() == "let");
            let kind = match computed {
                Some(_) => Kind::Property,
                None if is_member => Kind::Field,
                None if is_constant => Kind::Constant,
                None => Kind::Variable,
            };
            let body = computed.or_else(|| visit.field("value").filter(|value| value.len() > 80));
            for name in bound_names(visit.node) {
                push(visit, found, kind, Some(name));
                if let Some(definition) = found.last_mut() {
                    definition.body = body.or(visit.child("willset_didset_block"));
                    definition.function = computed;
                }
            }
        }
        _ => {}
    }
    let is_asynchronous = visit.child("async").is_some();
    let is_of_class = visit.kind() == "function_declaration" && visit.child("class").is_some();
    for definition in found {
        definition.visibility = visibility(visit, definition.kind);
        definition.start = behind_attributes(visit.node);
        definition.modifiers.extend(is_asynchronous.then_some(Modifier::Async));
        definition.modifiers.extend(is_of_class.then_some(Modifier::Static));
    }
}

fn push<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    name: Option<Node<'tree>>,
) {
    let Some(name) = name else { return };
    let body = visit.field("body").or_else(|| visit.child("computed_property"));
    let mut definition = Definition::new(kind, name).body(body).return_type(return_type(visit.node));
    definition.parameter_list = visit.child("parameter").map(|_| visit.node);
    if let Some(inner) = name.text().strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
        definition = definition.name_text(inner);
    }
    found.push(definition);
}

/// The name of a function may be the sign of an operator, which may be among the signs that are not kept.
fn push_function<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>, kind: SymbolKind) {
    let Some(keyword) = visit.child("func") else { return };
    let named =
        keyword.next_sibling().filter(|next| next.field_name() == "name" && next.kind() != "parameter");
    let between =
        |name: Node<'_>| visit.source.get(keyword.end() as usize..name.start() as usize).unwrap_or("(");
    if let Some(name) = named.filter(|name| between(*name).trim().is_empty()) {
        return push(visit, found, kind, Some(name));
    }
    let rest = visit.source.get(keyword.end() as usize..visit.node.end() as usize).unwrap_or("");
    let sign = rest.split('(').next().unwrap_or("").trim();
    if !sign.is_empty() && !sign.contains(char::is_whitespace) {
        push(visit, found, kind, Some(keyword));
        if let Some(definition) = found.last_mut() {
            definition.name_text = Some(sign.to_owned());
        }
    }
}

/// What follows the arrow.
fn return_type(declaration: Node<'_>) -> Option<Node<'_>> {
    declaration.child("->")?.next_sibling()
}

/// The names that a declaration binds, in order: `a` and `b` of `let (a, b) = f()`.
fn bound_names(declaration: Node<'_>) -> Vec<Node<'_>> {
    let patterns = declaration.children_in("name").filter(|child| child.kind() == "pattern");
    let is_name = |node: &Node<'_>| node.kind() == "simple_identifier" && node.parent_kind() == "pattern";
    patterns.flat_map(Node::descendants).filter(is_name).collect()
}

/// The last name of a type's path, and what is before it.
fn last_name(path: Node<'_>) -> (Node<'_>, &str) {
    let Some(name) = path.named_children().filter(|child| child.kind() == "type_identifier").last() else {
        return (path, "");
    };
    let before = path.text().get(..(name.start() - path.start()) as usize).unwrap_or("");
    (name, before.trim_end().trim_end_matches('.'))
}

fn is_type(kind: SymbolKind) -> bool {
    use SymbolKind as Kind;
    matches!(kind, Kind::Class | Kind::Enum | Kind::Impl | Kind::Interface | Kind::Struct)
}

/// What says nothing is the module's own; what is of a protocol or a case is as visible as that.
fn visibility(visit: &Visit<'_, '_>, kind: SymbolKind) -> Option<Visibility> {
    let modifiers = visit.child("modifiers");
    // `private(set)` is of the setter only.
    let mut words = modifiers
        .into_iter()
        .flat_map(Node::named_children)
        .filter(|child| child.kind() == "visibility_modifier" && !child.text().contains('('));
    match words.next().map(Node::text) {
        Some("open" | "public") => Some(Visibility::Public),
        Some("fileprivate" | "private") => Some(Visibility::Private),
        Some(_) => Some(Visibility::Internal),
        None if visit.in_code() || matches!(kind, SymbolKind::EnumMember | SymbolKind::Impl) => None,
        None if visit.enclosing_kind() == Some(SymbolKind::Interface) => None,
        None => Some(Visibility::Internal),
    }
}

/// What follows the attributes that a declaration begins with, if it does.
fn behind_attributes(declaration: Node<'_>) -> Option<Node<'_>> {
    let modifiers = declaration.first_child().filter(|first| first.kind() == "modifiers")?;
    let word = modifiers.named_children().find(|child| child.kind() != "attribute");
    word.or_else(|| modifiers.next_sibling())
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "import_declaration" => {
            let Some(path) = visit.child("identifier") else { return };
            let Some(name) = path.named_children().last() else { return };
            // `import struct Module.Name`
            let is_part = visit.node.children().any(|child| !child.is_named() && child.kind() != "import");
            let before = path.text().get(..(name.start() - path.start()) as usize).unwrap_or("");
            let qualifier = if is_part { before.trim_end_matches('.') } else { path.text() };
            mentions.push(Mention::new(ReferenceKind::Import, name).qualifier(qualifier));
        }
        "constructor_expression" => {
            let Some(class) = visit.field("constructed_type").filter(|class| class.kind() == "user_type")
            else {
                return;
            };
            let (name, qualifier) = last_name(class);
            mentions.push(Mention::new(ReferenceKind::Call, name).qualifier(qualifier));
        }
        _ => {
            let (name, qualifier) = last_name(visit.node);
            let kind = match visit.parent_kind() {
                "inheritance_specifier" => ReferenceKind::Inherit,
                // `@objc` and its like are no types, property wrappers are.
                "attribute" if !name.text().starts_with(char::is_uppercase) => return,
                _ => ReferenceKind::Type,
            };
            mentions.push(Mention::new(kind, name).qualifier(qualifier));
        }
    }
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    if node.kind() != "parameter" {
        return;
    }
    let Some(name) = node.children_in("name").next() else { return };
    let type_text = node.text().split_once(':').map_or("", |(_, type_text)| type_text.trim());
    let sign = node.next_sibling().filter(|next| next.kind() == "=");
    let default = sign.and_then(Node::next_sibling).filter(|next| next.field_name() == "default_value");
    // The dots are behind the node.
    let list = node.parent().map_or("", Node::text);
    let from = node.parent().map_or(0, |parent| (node.end() - parent.start()) as usize);
    let is_variadic = type_text.ends_with("...")
        || list.get(from..).is_some_and(|rest| rest.trim_start().starts_with("..."));
    parameters.push(Parameter {
        name: if is_variadic { format!("...{}", name.text()).into() } else { one_line(name) },
        type_name: Some(one_line_text(type_text.trim_end_matches("...").trim_end()))
            .filter(|text| !text.is_empty()),
        optional: is_variadic || default.is_some(),
        default: default.map(one_line),
    });
}
