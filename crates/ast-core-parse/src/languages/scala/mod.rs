//! Scala.

mod mentions;

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Parameter, one_line};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static SCALA: Spec = Spec::new(
    "scala",
    &["scala", "sbt", "sc"],
    "tree-sitter-scala",
    "0.26.9",
    || tree_sitter_scala::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "class_definition",
            "class_parameter",
            "enum_definition",
            "full_enum_case",
            "function_declaration",
            "function_definition",
            "given_definition",
            "object_definition",
            "package_clause",
            "package_object",
            "simple_enum_case",
            "trait_definition",
            "type_definition",
            "val_declaration",
            "val_definition",
            "var_declaration",
            "var_definition",
        ],
        define,
        wrappers: &["enum_case_definitions"],
        attributes: &["annotation"],
        comments: &["block_comment", "comment"],
        is_doc: |comment| comment.starts_with("/**") && comment != "/**/",
        members: &["enum_body", "template_body", "with_template_body"],
        calls: &[("call_expression", "function")],
        type_names: &["type_identifier"],
        type_paths: &["projected_type", "stable_type_identifier"],
        heritage: &[("derives_clause", ""), ("extends_clause", "")],
        references: &["import_declaration", "infix_expression", "instance_expression"],
        refer: mentions::refer,
        branches: &[
            ("if_expression", Branch::If),
            ("else", Branch::Else),
            ("do_while_expression", Branch::Loop),
            ("for_expression", Branch::Loop),
            ("while_expression", Branch::Loop),
            // The clause of a `catch` holds cases, as that of a `match`.
            ("catch_clause", Branch::Switch),
            ("match_expression", Branch::Switch),
            ("case_clause", Branch::Case),
            ("guard", Branch::Decision),
            ("operator_identifier", Branch::Logical),
            ("lambda_expression", Branch::Lambda),
        ],
        modifiers: &["modifiers"],
        parameters,
        ..Syntax::NONE
    },
)
.round_members("class A {\n")
.highlights(&[tree_sitter_scala::HIGHLIGHTS_QUERY])
.interpreters(&["amm", "scala", "scala-cli"]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    define_node(visit, found);
    for definition in found {
        if definition.name.text().starts_with('`') {
            definition.name_text = Some(definition.name.text().trim_matches('`').to_owned());
        }
    }
}

fn define_node<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let Some(name) = visit.field("name") else {
        if matches!(visit.kind(), "val_definition" | "var_definition") {
            define_values(visit, found);
        }
        return;
    };
    let body = visit.field("body");
    let public = Some(visibility(visit.node));
    let of_type = |kind| {
        let parameters = visit.field("class_parameters");
        Definition::new(kind, name).body(body).parameter_list(parameters).visibility(public)
    };
    match visit.kind() {
        "package_clause" => found.push(Definition::new(Kind::Namespace, name).body(body)),
        "package_object" => found.push(Definition::new(Kind::Namespace, name).body(body)),
        "class_definition" => found.push(of_type(Kind::Class)),
        "object_definition" => found.push(of_type(Kind::Class).modifier(Modifier::Static)),
        "trait_definition" => found.push(of_type(Kind::Trait)),
        "enum_definition" => found.push(of_type(Kind::Enum)),
        "full_enum_case" | "simple_enum_case" => {
            let parameters = visit.field("class_parameters");
            found.push(Definition::new(Kind::EnumMember, name).parameter_list(parameters));
        }
        "given_definition" => {
            // With members it is an object.
            let members = body.filter(|body| body.kind().ends_with("template_body"));
            let kind = if members.is_some() { Kind::Class } else { Kind::Constant };
            found.push(Definition::new(kind, name).body(body).visibility(public));
        }
        "class_parameter" if is_field(visit) => {
            let definition = Definition::new(Kind::Field, name).visibility(public);
            let is_fixed = visit.child("var").is_none();
            found.push(if is_fixed { definition.modifier(Modifier::Readonly) } else { definition });
        }
        "type_definition" if is_outside_of_types(visit) => {
            found.push(Definition::new(Kind::Type, name).visibility(public));
        }
        "function_declaration" | "function_definition" if is_outside_of_types(visit) => {
            found.push(function(visit, name));
        }
        "val_declaration" | "var_declaration" if is_declared(visit) => {
            let names = visit.node.children_in("name").filter(|name| name.is_named());
            found.extend(names.map(|name| value(visit, name)));
        }
        _ => {}
    }
}

/// Whether it is no part of a type, such as `{ def close(): Unit }`.
fn is_outside_of_types(visit: &Visit<'_, '_>) -> bool {
    !matches!(visit.parent_kind(), "refinement" | "structural_type")
}

fn is_in_body(visit: &Visit<'_, '_>) -> bool {
    matches!(
        visit.parent_kind(),
        "enum_body" | "extension_definition" | "template_body" | "with_template_body"
    )
}

/// Whether a value is one of a type or a package, and no block's own.
fn is_declared(visit: &Visit<'_, '_>) -> bool {
    !visit.in_code() && (is_in_body(visit) || visit.parent_kind() == "compilation_unit")
}

fn is_package(kind: Option<SymbolKind>) -> bool {
    matches!(kind, None | Some(SymbolKind::Namespace))
}

fn function<'tree>(visit: &Visit<'_, 'tree>, name: Node<'tree>) -> Definition<'tree> {
    let kind = match is_in_body(visit) && !is_package(visit.enclosing_kind()) {
        true if name.text() == "this" => SymbolKind::Constructor,
        true => SymbolKind::Method,
        false => SymbolKind::Function,
    };
    // The field of the parameters holds type parameters too.
    let parameters = visit.child("parameters");
    let mut definition = Definition::new(kind, name)
        .body(visit.field("body"))
        .parameter_list(parameters)
        .visibility(Some(visibility(visit.node)));
    if let Some(extension) = visit.ancestor(1).filter(|round| round.kind() == "extension_definition") {
        let extended = extension.child("parameters").and_then(|list| list.child("parameter"));
        let extended = extended.and_then(|parameter| parameter.field("type"));
        let class = extended.map(|node| node.field("type").unwrap_or(node).text());
        definition.qualifier = class.map(|class| class.replace('.', "::"));
    }
    definition
}

/// What the pattern of a value binds.
fn define_values<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(pattern) = visit.field("pattern") else { return };
    let lambda = visit.field("value").filter(|value| value.kind() == "lambda_expression");
    if let Some(lambda) = lambda.filter(|_| pattern.kind() == "identifier") {
        let kind = match is_in_body(visit) && !visit.in_code() && !is_package(visit.enclosing_kind()) {
            true => SymbolKind::Method,
            false => SymbolKind::Function,
        };
        let definition = Definition::new(kind, pattern).body(Some(lambda)).function(Some(lambda));
        let definition = definition.parameter_list(lambda.child("bindings"));
        found.push(definition.visibility(Some(visibility(visit.node))));
    } else if is_declared(visit) {
        let is_plain = matches!(pattern.kind(), "identifier" | "operator_identifier");
        let is_variable = |name: &Node<'_>| {
            // In a pattern, what begins with a capital is compared with.
            name.kind() == "identifier" && (is_plain || name.text().starts_with(char::is_lowercase))
        };
        let names = pattern.descendants().filter(|name| is_variable(name) || *name == pattern && is_plain);
        found.extend(names.map(|name| value(visit, name)));
    }
}

fn value<'tree>(visit: &Visit<'_, 'tree>, name: Node<'tree>) -> Definition<'tree> {
    let is_fixed = visit.kind().starts_with("val");
    let kind = match is_package(visit.enclosing_kind()) {
        true if is_fixed => SymbolKind::Constant,
        true => SymbolKind::Variable,
        false => SymbolKind::Field,
    };
    // A long value is not part of the signature.
    let body = visit.field("value").filter(|value| value.len() > 80);
    let definition = Definition::new(kind, name).body(body).visibility(Some(visibility(visit.node)));
    if is_fixed { definition.modifier(Modifier::Readonly) } else { definition }
}

/// Whether the parameter of a class is one of its fields: it says so, or the class is a case.
fn is_field(visit: &Visit<'_, '_>) -> bool {
    if visit.child("val").or_else(|| visit.child("var")).is_some() {
        return true;
    }
    let (Some(list), Some(class)) = (visit.ancestor(1), visit.ancestor(2)) else { return false };
    let is_case = class.kind() == "full_enum_case" || class.child("case").is_some();
    // Only those of the first list are.
    is_case && class.child("class_parameters") == Some(list)
}

/// What is not said to be anything else is public.
fn visibility(definition: Node<'_>) -> Visibility {
    let modifiers = definition.child("modifiers").unwrap_or(definition);
    let Some(access) = modifiers.child("access_modifier") else { return Visibility::Public };
    let text = access.text();
    match access.child("access_qualifier").map(Node::text) {
        Some("[this]") if text.starts_with("private") => Visibility::Private,
        // `private[library]`
        Some(_) if text.starts_with("private") => Visibility::Internal,
        _ if text.starts_with("protected") => Visibility::Protected,
        _ => Visibility::Private,
    }
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    if !matches!(node.kind(), "binding" | "class_parameter" | "parameter") {
        return;
    }
    let type_node = node.field("type");
    let default = node.field("default_value").map(one_line);
    let collects = type_node.is_some_and(|node| node.kind() == "repeated_parameter_type");
    parameters.push(Parameter {
        name: node.field("name").map(one_line).unwrap_or_default(),
        type_name: type_node.map(one_line),
        optional: default.is_some() || collects,
        default,
    });
}
