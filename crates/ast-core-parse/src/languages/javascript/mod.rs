//! JavaScript with JSX; TypeScript's folder builds on it.

mod assigned;
mod exports;
mod references;
mod value;

#[cfg(feature = "javascript")]
use super::Spec;
use crate::annotation::{Branch, Modifier, Parameter, one_line, type_text};
use crate::mention;
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use assigned::define_assigned;
#[cfg(feature = "javascript")]
use assigned::define_field_of_this;
use ast_core_model::{SymbolKind, Visibility};
pub(super) use exports::module_visibility;
use exports::{define_default_export, define_exported};
pub(super) use references::refer;
use value::{
    body_of_value, bound_names, holder_of, is_bound, is_class, is_declared_constant, is_function,
    is_of_module, prototype_of, unwrapped,
};
pub(super) use value::{is_accessor, plain};

#[cfg(feature = "javascript")]
pub(crate) static JAVASCRIPT: Spec = Spec::new(
    "javascript",
    &["js", "cjs", "jsx", "mjs"],
    "tree-sitter-javascript",
    "0.25.0",
    || tree_sitter_javascript::LANGUAGE.into(),
    super::Syntax {
        definitions: &[
            "assignment_expression",
            "class",
            "class_declaration",
            "export_specifier",
            "export_statement",
            "field_definition",
            "function_declaration",
            "function_expression",
            "generator_function",
            "generator_function_declaration",
            "method_definition",
            "namespace_export",
            "pair",
            "variable_declarator",
        ],
        define: |visit, found| {
            if !define_field_of_this(visit, found) {
                define(visit, found);
            }
        },
        wrappers: &[
            "export_statement",
            "expression_statement",
            "lexical_declaration",
            "using_declaration",
            "variable_declaration",
        ],
        attributes: &["decorator"],
        comments: &["comment"],
        is_doc,
        opaque: &["regex", "string"],
        members: &["class_body"],
        calls: &[("new_expression", "constructor")],
        references: &[
            "call_expression",
            "class_heritage",
            "decorator",
            "export_specifier",
            "export_statement",
            "import_statement",
            "jsx_opening_element",
            "jsx_self_closing_element",
            "namespace_export",
        ],
        refer,
        branches: BRANCHES,
        parameters,
        ..super::Syntax::NONE
    },
)
.round_members("class A {\n")
.highlights(&[tree_sitter_javascript::HIGHLIGHT_QUERY, tree_sitter_javascript::JSX_HIGHLIGHT_QUERY])
.interpreters(&["bun", "deno", "node", "nodejs"]);

/// What the grammars of JavaScript and TypeScript have in common.
pub(super) const BRANCHES: &[(&str, Branch)] = &[
    ("if_statement", Branch::If),
    ("else_clause", Branch::Else),
    ("for_statement", Branch::Loop),
    ("for_in_statement", Branch::Loop),
    ("while_statement", Branch::Loop),
    ("do_statement", Branch::Loop),
    ("switch_statement", Branch::Switch),
    ("switch_case", Branch::Case),
    ("catch_clause", Branch::Catch),
    ("ternary_expression", Branch::Ternary),
    ("&&", Branch::Logical),
    ("||", Branch::Logical),
    // What a value is unless there is one is a decision, but short for one that would be harder to read.
    ("??", Branch::Decision),
    ("&&=", Branch::Decision),
    ("||=", Branch::Decision),
    ("??=", Branch::Decision),
    ("assignment_pattern", Branch::Decision),
    ("object_assignment_pattern", Branch::Decision),
    ("break_statement", Branch::Jump),
    ("continue_statement", Branch::Jump),
    ("arrow_function", Branch::Lambda),
    ("function_expression", Branch::Lambda),
    ("generator_function", Branch::Lambda),
];

/// Any comment but those for tools.
pub(super) fn is_doc(comment: &str) -> bool {
    let text = comment.trim_start_matches(['/', '*', '!', ' ']);
    !["eslint", "@ts-", "prettier-", "istanbul", "c8 ", "biome-", "#region", "#endregion", "global "]
        .iter()
        .any(|tool| text.starts_with(tool))
}

pub(super) fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "function_declaration" | "generator_function_declaration" => {
            push_named(visit, found, Kind::Function, module_visibility(visit));
        }
        "class_declaration" => push_named(visit, found, Kind::Class, module_visibility(visit)),
        "function_expression" | "generator_function" if !is_bound(visit.node) => {
            push_named(visit, found, Kind::Function, None);
        }
        "class" if !is_bound(visit.node) => push_named(visit, found, Kind::Class, None),
        "method_definition" => {
            let Some(name) = visit.field("name") else { return };
            let kind = match name.text() {
                "constructor" if visit.parent_kind() == "class_body" => Kind::Constructor,
                _ if is_accessor(visit.node) => Kind::Property,
                _ => Kind::Method,
            };
            push_member(visit, found, kind, name, visit.field("body"), Some(visit.node));
        }
        "field_definition" => {
            let Some(name) = visit.field("property") else { return };
            push_bound_member(visit, found, Kind::Field, name, visit.field("value"));
        }
        "variable_declarator" => define_variable(visit, found),
        "assignment_expression" => define_assigned(visit, found),
        "pair" => define_pair(visit, found),
        "export_statement" => define_default_export(visit, found),
        "export_specifier" => define_exported(visit, found),
        "namespace_export" => {
            let Some(name) = visit.node.named_children().next() else { return };
            let definition = Definition::new(Kind::Namespace, name).name_text(plain(name));
            let definition = definition.modifier(Modifier::Reexport).modifier(Modifier::Export);
            found.push(definition.visibility(Some(Visibility::Public)));
        }
        _ => {}
    }
}

/// What a declaration binds to a name: functions and classes anywhere, other values where they are the module's.
fn define_variable<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let Some(target) = visit.field("name") else { return };
    let value = visit.field("value").map(unwrapped);
    let function = value.filter(|value| is_function(*value) || is_class(*value));
    let kind = match function {
        Some(value) if is_class(value) => Kind::Class,
        Some(_) => Kind::Function,
        None if !is_of_module(visit) => return,
        None if is_declared_constant(visit) => Kind::Constant,
        None => Kind::Variable,
    };
    let visibility = module_visibility(visit);
    if target.kind() == "identifier" {
        let definition = Definition::new(kind, target).body(value.and_then(body_of_value)).function(function);
        found.push(definition.visibility(visibility));
    } else {
        let names = bound_names(target).into_iter();
        found.extend(names.map(|name| Definition::new(kind, name).visibility(visibility)));
    }
}

/// A member of an object literal, if its value is a function or class, or the literal is all that a name of the
/// module stands for.
fn define_pair<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(key) = visit.field("key") else { return };
    let value = visit.field("value");
    let bound = value.map(unwrapped);
    if !bound.is_some_and(|value| is_function(value) || is_class(value)) {
        let is_named = key.kind() == "property_identifier"
            || key.kind() == "string" && mention::is_name(key.text().trim_matches(['"', '\'']));
        if !is_named || key.text() == "constructor" || !is_member_of_definition(visit) {
            return;
        }
    }
    push_bound_member(visit, found, SymbolKind::Property, key, value);
}

/// Whether the object literal that the node is a member of is all that a definition stands for, or a prototype.
fn is_member_of_definition(visit: &Visit<'_, '_>) -> bool {
    let Some(literal) = visit.ancestor(1) else { return false };
    let holder = holder_of(literal);
    let is_value = holder.is_some_and(|holder| {
        matches!(holder.kind(), "assignment_expression" | "export_statement" | "variable_declarator")
            && visit.is_in_scope_of(holder)
    });
    is_value || !visit.in_code() && prototype_of(literal).is_some()
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

/// A member of a class or an object literal that is bound to a value: a method if that is a function, else of the
/// kind.
pub(super) fn push_bound_member<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    name: Node<'tree>,
    value: Option<Node<'tree>>,
) {
    let value = value.map(unwrapped);
    let function = value.filter(|value| is_function(*value));
    let kind = match value {
        _ if function.is_some() => SymbolKind::Method,
        Some(value) if is_class(value) => SymbolKind::Class,
        _ => kind,
    };
    push_member(visit, found, kind, name, value.and_then(body_of_value), function);
}

/// A member of a class or an object literal.
pub(super) fn push_member<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    name: Node<'tree>,
    body: Option<Node<'tree>>,
    function: Option<Node<'tree>>,
) {
    let modifier = visit.child("accessibility_modifier").map(|node| node.text());
    let visibility = match modifier {
        Some(word) => word.parse().ok(),
        None if name.kind() == "private_property_identifier" => Some(Visibility::Private),
        None => Some(Visibility::Public),
    };
    let mut definition = Definition::new(kind, name).body(body).visibility(visibility);
    definition.function =
        function.filter(|_| matches!(kind, SymbolKind::Property) || function != Some(visit.node));
    if matches!(name.kind(), "string" | "computed_property_name") {
        definition = definition.name_text(plain(name));
    }
    if let Some(class) = visit.ancestor(1).and_then(prototype_of) {
        definition.qualifier = Some(class.replace('.', "::"));
    }
    found.push(definition);
}

/// The parameters of JavaScript, and of TypeScript, whose grammar wraps each in a node of its own.
pub(super) fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let is_rest = |node: Node<'_>| node.kind() == "rest_pattern";
    let parameter = match node.kind() {
        "required_parameter" | "optional_parameter" => {
            let pattern = node.field("pattern");
            let default = node.field("value").map(one_line);
            Parameter {
                name: pattern.map(one_line).unwrap_or_default(),
                type_name: node.field("type").map(type_text),
                optional: node.kind() == "optional_parameter"
                    || default.is_some()
                    || pattern.is_some_and(is_rest),
                default,
            }
        }
        "assignment_pattern" => Parameter {
            name: node.field("left").map(one_line).unwrap_or_default(),
            optional: true,
            default: node.field("right").map(one_line),
            ..Parameter::default()
        },
        "identifier" | "array_pattern" | "object_pattern" | "rest_pattern" => {
            Parameter { name: one_line(node), optional: is_rest(node), ..Parameter::default() }
        }
        _ => return,
    };
    parameters.push(parameter);
}
