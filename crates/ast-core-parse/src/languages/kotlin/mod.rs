//! Kotlin.

mod mentions;
mod rewrite;

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Parameter, one_line};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static KOTLIN: Spec = Spec::new(
    "kotlin",
    &["kt", "kts"],
    "tree-sitter-kotlin-ng",
    "1.1.0",
    || tree_sitter_kotlin_ng::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "class_declaration",
            "class_parameter",
            "companion_object",
            "enum_entry",
            "function_declaration",
            "infix_expression",
            "object_declaration",
            "package_header",
            "property_declaration",
            "secondary_constructor",
            "type_alias",
        ],
        define,
        outer_wrappers: &["annotated_expression"],
        comments: &["block_comment", "line_comment"],
        is_doc: |comment| comment.starts_with("/**") && comment != "/**/",
        members: &["class_body", "enum_class_body"],
        references: &["call_expression", "import", "infix_expression", "user_type"],
        refer: mentions::refer,
        branches: &[
            ("if_expression", Branch::If),
            ("else", Branch::Else),
            ("do_while_statement", Branch::Loop),
            ("for_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("when_expression", Branch::Switch),
            ("when_entry", Branch::Case),
            ("catch_block", Branch::Catch),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("?:", Branch::Logical),
            ("anonymous_function", Branch::Lambda),
            ("lambda_literal", Branch::Lambda),
        ],
        modifiers: &["modifiers"],
        parameters,
        stand_in: rewrite::stand_in,
        second_reading: rewrite::second_reading,
        ..Syntax::NONE
    },
)
.round_members("class A {\n")
.highlights(&[include_str!("highlights.scm")])
.interpreters(&["kotlin", "kotlinc"]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    define_node(visit, found);
    let start = after_annotations(visit.node);
    for definition in found {
        definition.start = start;
        if definition.name.text().starts_with('`') {
            definition.name_text = Some(definition.name.text().trim_matches('`').to_owned());
        }
    }
}

/// Where a declaration begins that has annotations among its modifiers.
fn after_annotations(declaration: Node<'_>) -> Option<Node<'_>> {
    let modifiers = declaration.child("modifiers")?;
    let is_annotation = |child: &Node<'_>| child.kind() == "annotation";
    modifiers.first_child().filter(is_annotation)?;
    modifiers
        .named_children()
        .find(|child| child.kind().ends_with("modifier"))
        .or_else(|| modifiers.next_sibling())
}

fn define_node<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "package_header" => {
            let name = visit.child("qualified_identifier");
            found.extend(name.map(|name| Definition::new(Kind::Namespace, name)));
        }
        "class_declaration" => {
            let Some(name) = visit.field("name") else { return };
            let kind = match word_before(visit) {
                Some("annotation" | "interface") => Kind::Interface,
                Some("enum") => Kind::Enum,
                _ => Kind::Class,
            };
            let constructor = visit.child("primary_constructor");
            let parameters = constructor.and_then(|constructor| constructor.child("class_parameters"));
            found.push(of_type(visit, kind, name).parameter_list(parameters));
        }
        "object_declaration" => {
            let name = visit.field("name");
            found.extend(name.map(|name| of_type(visit, Kind::Class, name).modifier(Modifier::Static)));
        }
        "companion_object" => {
            let name = visit.field("name");
            let Some(place) = name.or_else(|| visit.child("object")) else { return };
            let mut definition = of_type(visit, Kind::Class, place).modifier(Modifier::Static);
            if name.is_none() {
                definition = definition.name_text("Companion");
            }
            found.push(definition);
        }
        "enum_entry" => {
            let name = visit.child("identifier");
            let body = visit.child("class_body");
            found.extend(name.map(|name| Definition::new(Kind::EnumMember, name).body(body)));
        }
        "type_alias" => {
            let name = visit.field("type");
            found.extend(
                name.map(|name| Definition::new(Kind::Type, name).visibility(Some(visibility(visit.node)))),
            );
        }
        "secondary_constructor" => {
            let Some(word) = visit.child("constructor") else { return };
            let definition = Definition::new(Kind::Constructor, word).body(visit.child("block"));
            let definition = definition.parameter_list(visit.child("function_value_parameters"));
            found.push(definition.visibility(Some(visibility(visit.node))));
        }
        "class_parameter" => {
            let is_fixed = visit.child("val").is_some();
            let is_property = is_fixed || visit.child("var").is_some();
            let Some(name) = visit.child("identifier").filter(|_| is_property) else { return };
            let definition = Definition::new(Kind::Property, name).visibility(Some(visibility(visit.node)));
            found.push(if is_fixed { definition.modifier(Modifier::Readonly) } else { definition });
        }
        "infix_expression" => {
            let name = class_in_disguise(visit.node);
            found.extend(
                name.map(|name| Definition::new(Kind::Interface, name).visibility(Some(Visibility::Public))),
            );
        }
        "function_declaration" => define_function(visit, found),
        "property_declaration" => define_property(visit, found),
        _ => {}
    }
}

/// The name in `annotation class Name` behind annotations, which the grammar takes for a call of `class`.
fn class_in_disguise(infix: Node<'_>) -> Option<Node<'_>> {
    let mut parts = infix.children();
    let (first, word, name) = (parts.next()?, parts.next()?, parts.next()?);
    (first.text() == "annotation" && word.text() == "class" && name.kind() == "identifier").then_some(name)
}

/// The word that tells what kind of class a declaration is of.
fn word_before<'tree>(visit: &Visit<'_, 'tree>) -> Option<&'tree str> {
    let modifiers = visit.child("modifiers").into_iter().flat_map(Node::named_children);
    let class = modifiers.filter(|modifier| modifier.kind() == "class_modifier").map(Node::text);
    class
        .chain(visit.child("interface").map(Node::text))
        .find(|word| matches!(*word, "annotation" | "enum" | "interface"))
}

fn of_type<'tree>(visit: &Visit<'_, 'tree>, kind: SymbolKind, name: Node<'tree>) -> Definition<'tree> {
    let body = visit.child("class_body").or_else(|| visit.child("enum_class_body"));
    Definition::new(kind, name).body(body).visibility(Some(visibility(visit.node)))
}

fn is_member(visit: &Visit<'_, '_>) -> bool {
    matches!(visit.parent_kind(), "class_body" | "enum_class_body")
}

fn define_function<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(name) = visit.field("name") else { return };
    let kind = if is_member(visit) { SymbolKind::Method } else { SymbolKind::Function };
    let parameters = visit.child("function_value_parameters");
    let after_parameters = parameters.and_then(Node::next_sibling);
    let mut definition = Definition::new(kind, name)
        .body(visit.child("function_body"))
        .parameter_list(parameters)
        .return_type(after_parameters.filter(|node| is_type(*node)))
        .visibility(Some(visibility(visit.node)));
    // `fun String.name()`
    let receiver = visit.node.children().take_while(|child| *child != name).find(|child| is_type(*child));
    definition.qualifier = receiver.and_then(receiver_name);
    found.push(definition);
}

fn is_type(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "function_type" | "non_nullable_type" | "nullable_type" | "parenthesized_type" | "user_type"
    )
}

/// The name of a type without its arguments.
fn receiver_name(receiver: Node<'_>) -> Option<String> {
    // `(A?)` is two levels down.
    let class = receiver.descendants().take(4).find(|node| node.kind() == "user_type")?;
    let names: Vec<&str> =
        class.named_children().filter(|node| node.kind() == "identifier").map(Node::text).collect();
    Some(names.join("::"))
}

fn define_property<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let value = visit.child("=").and_then(Node::next_sibling);
    let function = value.filter(|value| matches!(value.kind(), "anonymous_function" | "lambda_literal"));
    // What a block declares is its own, but for functions.
    let is_declared = is_member(visit) || visit.parent_kind() == "source_file";
    if !is_declared && function.is_none() {
        return;
    }
    let accessor = visit.child("getter").or_else(|| visit.child("setter"));
    let modifiers = visit.child("modifiers");
    let is_const = modifiers.is_some_and(|modifiers| modifiers.children().any(|word| word.text() == "const"));
    let is_fixed = visit.child("val").is_some();
    let kind = match is_member(visit) {
        true if function.is_some() => Kind::Method,
        false if function.is_some() => Kind::Function,
        _ if is_const => Kind::Constant,
        true => Kind::Property,
        false if accessor.is_some() => Kind::Property,
        false if is_fixed => Kind::Constant,
        false => Kind::Variable,
    };
    // A long value is not part of the signature, and an accessor never is.
    let body = match function {
        Some(function) => Some(function.child("function_body").unwrap_or(function)),
        None => accessor.or(value.filter(|value| value.len() > 80)),
    };
    let parameters = function.and_then(|function| {
        function.child("function_value_parameters").or_else(|| function.child("lambda_parameters"))
    });
    let several = visit.child("multi_variable_declaration");
    let declared = several.unwrap_or(visit.node);
    let names = declared.named_children().filter(|child| child.kind() == "variable_declaration");
    for name in names.filter_map(|declaration| declaration.child("identifier")) {
        let mut definition = Definition::new(kind, name)
            .body(body)
            .parameter_list(parameters)
            .function(function.or(accessor))
            .visibility(Some(visibility(visit.node)));
        let receiver = visit.node.named_children().take_while(|child| child.end() <= name.start());
        definition.qualifier = receiver.filter(|child| is_type(*child)).last().and_then(receiver_name);
        found.push(if is_fixed { definition.modifier(Modifier::Readonly) } else { definition });
    }
}

/// What is not said to be anything else is public.
fn visibility(declaration: Node<'_>) -> Visibility {
    let modifiers = declaration.child("modifiers");
    let word = modifiers.and_then(|modifiers| modifiers.child("visibility_modifier")).map_or("", Node::text);
    word.parse().unwrap_or(Visibility::Public)
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let name = || node.child("identifier").map_or("", Node::text);
    let type_name = || node.named_children().find(|child| is_type(*child)).map(one_line);
    let value = |sign: Option<Node<'_>>| {
        sign.filter(|sign| sign.kind() == "=").and_then(Node::next_sibling).map(one_line)
    };
    let collects =
        |modifiers: Option<Node<'_>>| modifiers.is_some_and(|words| words.text().contains("vararg"));
    let mut parameter = Parameter { type_name: type_name(), ..Parameter::default() };
    let is_collector = match node.kind() {
        // The words before a parameter come by before it.
        "parameter_modifiers" if collects(Some(node)) => {
            parameters.push(Parameter { optional: true, ..Parameter::default() });
            return;
        }
        "parameter" => {
            let is_collector = parameters.last().is_some_and(|last| last.name.is_empty());
            if is_collector {
                parameters.pop();
            }
            // Its default is beside it.
            parameter.default = value(node.next_sibling());
            is_collector
        }
        "class_parameter" => {
            parameter.default = value(node.child("="));
            collects(node.child("modifiers"))
        }
        "variable_declaration" => false,
        "multi_variable_declaration" => {
            parameters.push(Parameter { name: one_line(node), ..Parameter::default() });
            return;
        }
        _ => return,
    };
    parameter.name = if is_collector { format!("vararg {}", name()).into() } else { name().into() };
    parameter.optional = is_collector || parameter.default.is_some();
    parameters.push(parameter);
}
