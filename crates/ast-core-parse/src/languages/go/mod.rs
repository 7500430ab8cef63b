//! Go.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Parameter, one_line};
use crate::mention::{Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

pub(crate) static GO: Spec = Spec::new(
    "go",
    &["go"],
    "tree-sitter-go",
    "0.25.0",
    || tree_sitter_go::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "const_spec",
            "field_declaration",
            "function_declaration",
            "method_declaration",
            "method_elem",
            "package_clause",
            "type_alias",
            "type_spec",
            "var_spec",
        ],
        define,
        comments: &["comment"],
        is_doc: |comment| {
            !["//go:", "//line ", "//nolint", "// +build"].iter().any(|tool| comment.starts_with(tool))
        },
        opaque: &["interpreted_string_literal", "raw_string_literal", "rune_literal"],
        members: &["field_declaration_list"],
        calls: &[("call_expression", "function")],
        references: &["import_spec", "type_identifier"],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("else", Branch::Else),
            ("for_statement", Branch::Loop),
            ("expression_switch_statement", Branch::Switch),
            ("type_switch_statement", Branch::Switch),
            ("select_statement", Branch::Switch),
            ("expression_case", Branch::Case),
            ("type_case", Branch::Case),
            ("communication_case", Branch::Case),
            ("goto_statement", Branch::Jump),
            ("func_literal", Branch::Lambda),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
        ],
        parameters,
        ..Syntax::NONE
    },
)
.highlights(&[tree_sitter_go::HIGHLIGHTS_QUERY]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "package_clause" => {
            found.extend(
                visit.node.named_children().next().map(|name| Definition::new(Kind::Namespace, name)),
            );
        }
        "function_declaration" => push_function(visit, found, Kind::Function),
        "method_declaration" => {
            push_function(visit, found, Kind::Method);
            let receiver = visit.field("receiver").and_then(|list| list.named_children().next());
            let class = receiver.and_then(|receiver| receiver.field("type")).map(base_type);
            if let (Some(definition), Some(class)) = (found.last_mut(), class) {
                definition.qualifier = Some(class.text().to_owned());
            }
        }
        // Of a type that a name is given to, not of one that a value is asked for.
        "method_elem" if !visit.in_code() => push_function(visit, found, Kind::Method),
        "type_spec" | "type_alias" => {
            let (Some(name), Some(value)) = (visit.field("name"), visit.field("type")) else { return };
            let (kind, body) = match value.kind() {
                "struct_type" => (Kind::Struct, value.named_children().next()),
                "interface_type" => (Kind::Interface, value.named_children().next()),
                _ => (Kind::Type, None),
            };
            let kind = if visit.kind() == "type_alias" { Kind::Type } else { kind };
            found.push(declared(visit, kind, name).body(body));
        }
        "field_declaration" => {
            // Those of a table in a function are nobody's.
            if matches!(visit.enclosing_kind(), Some(Kind::Function | Kind::Method)) {
                return;
            }
            for name in visit.node.children_in("name").filter(|name| name.is_named()) {
                found.push(Definition::new(Kind::Field, name).visibility(visibility(name)));
            }
            if found.is_empty() {
                // A type that is embedded gives its name to the field.
                let name = visit.field("type").map(base_type);
                found
                    .extend(name.map(|name| Definition::new(Kind::Field, name).visibility(visibility(name))));
            }
        }
        "const_spec" | "var_spec" if !visit.in_code() => {
            let values = visit.field("value");
            let only = values.and_then(|values| values.named_children().next());
            let function = only.filter(|value| value.kind() == "func_literal");
            let kind = match function {
                _ if visit.kind() == "const_spec" => Kind::Constant,
                Some(_) => Kind::Function,
                None => Kind::Variable,
            };
            let body =
                function.map_or(values.filter(|values| values.len() > 80), |function| function.field("body"));
            let result = function.and_then(|function| function.field("result"));
            for name in visit.node.children_in("name").filter(|name| name.is_named() && name.text() != "_") {
                let definition = declared(visit, kind, name).body(body).return_type(result);
                found.push(definition.function(function));
            }
        }
        _ => {}
    }
}

fn push_function<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>, kind: SymbolKind) {
    let Some(name) = visit.field("name") else { return };
    let definition = Definition::new(kind, name).body(visit.field("body")).return_type(visit.field("result"));
    found.push(definition.visibility(visibility(name)));
}

/// What a specification declares: it is all of the declaration, unless this is a list of them.
fn declared<'tree>(visit: &Visit<'_, 'tree>, kind: SymbolKind, name: Node<'tree>) -> Definition<'tree> {
    let visibility = if visit.in_code() { None } else { visibility(name) };
    let mut definition = Definition::new(kind, name).visibility(visibility).function(Some(visit.node));
    let declaration = visit.ancestor(1).filter(|parent| parent.kind().ends_with("_declaration"));
    definition.node = declaration.filter(|declaration| {
        let head = (visit.node.start() - declaration.start()) as usize;
        !declaration.text().get(..head).unwrap_or("(").contains('(')
    });
    definition
}

/// Names that begin with a capital are exported; the others are the package's own.
fn visibility(name: Node<'_>) -> Option<Visibility> {
    let is_exported = name.text().chars().next().is_some_and(char::is_uppercase);
    Some(if is_exported { Visibility::Public } else { Visibility::Internal })
}

/// The name in a type: `T` of `*pkg.T[int]`.
fn base_type(mut node: Node<'_>) -> Node<'_> {
    loop {
        let inner = match node.kind() {
            "generic_type" => node.field("type"),
            "parenthesized_type" | "pointer_type" => node.named_children().next(),
            "qualified_type" => node.field("name"),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => return node,
        }
    }
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    if visit.kind() == "import_spec" {
        let Some(path) = visit.field("path") else { return };
        let text = path.text().trim_matches(['"', '`']);
        let alias = visit.field("name");
        let name = match alias.map(Node::kind) {
            Some("dot") => "*",
            _ => text.rsplit('/').next().unwrap_or(text),
        };
        let alias = alias.filter(|alias| alias.kind() == "package_identifier");
        mentions.push(Mention::new(ReferenceKind::Import, path).name_text(name).qualifier(text).alias(alias));
        return;
    }
    let name = visit.node;
    let is_declared =
        matches!(visit.parent_kind(), "type_alias" | "type_spec") && name.field_name() == "name";
    if is_declared || PREDECLARED.binary_search(&name.text()).is_ok() {
        return;
    }
    let package = visit.ancestor(1).filter(|parent| parent.kind() == "qualified_type");
    let qualifier = package.and_then(|parent| parent.field("package")).map_or("", Node::text);
    let kind = if is_embedded(name) { ReferenceKind::Inherit } else { ReferenceKind::Type };
    mentions.push(Mention::new(kind, name).qualifier(qualifier));
}

/// Whether a type's name stands for a field or an element of an interface, whose members it gives to the type round
/// it.
fn is_embedded(name: Node<'_>) -> bool {
    let mut node = name;
    loop {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "generic_type" if node.field_name() == "type" => {}
            "qualified_type" => {}
            "field_declaration" => return parent.field("name").is_none(),
            // Several make a constraint.
            "type_elem" => return parent.parent_kind() == "interface_type" && parent.text() == node.text(),
            _ => return false,
        }
        node = parent;
    }
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let type_name = node.field("type").map(one_line);
    match node.kind() {
        "parameter_declaration" => {
            let before = parameters.len();
            for name in node.children_in("name").filter(|name| name.is_named()) {
                let type_name = type_name.clone();
                parameters.push(Parameter { name: one_line(name), type_name, ..Parameter::default() });
            }
            if parameters.len() == before {
                parameters.push(Parameter { type_name, ..Parameter::default() });
            }
        }
        "variadic_parameter_declaration" => {
            let name = format!("...{}", node.field("name").map_or("", Node::text)).into();
            parameters.push(Parameter { name, type_name, optional: true, default: None });
        }
        _ => {}
    }
}

/// Types that are not declared anywhere, in order.
const PREDECLARED: [&str; 22] = [
    "any",
    "bool",
    "byte",
    "comparable",
    "complex128",
    "complex64",
    "error",
    "float32",
    "float64",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "rune",
    "string",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uintptr",
];
