//! PHP, also inside of other text.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Parameter, one_line, type_text};
use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

pub(crate) static PHP: Spec = Spec::new(
    "php",
    &["php", "phtml"],
    "tree-sitter-php",
    "0.25.1",
    || tree_sitter_php::LANGUAGE_PHP.into(),
    Syntax {
        definitions: &[
            "assignment_expression",
            "class_declaration",
            "const_element",
            "enum_case",
            "enum_declaration",
            "function_call_expression",
            "function_definition",
            "interface_declaration",
            "method_declaration",
            "namespace_definition",
            "property_declaration",
            "property_element",
            "property_promotion_parameter",
            "trait_declaration",
        ],
        define,
        wrappers: &["const_declaration", "expression_statement", "property_declaration"],
        attributes: &["attribute_list"],
        comments: &["comment"],
        is_doc,
        opaque: &["nowdoc", "string", "text"],
        members: &["declaration_list", "enum_declaration_list"],
        references: &[
            "attribute",
            "base_clause",
            "binary_expression",
            "class_constant_access_expression",
            "class_interface_clause",
            "function_call_expression",
            "include_expression",
            "include_once_expression",
            "member_call_expression",
            "named_type",
            "namespace_use_clause",
            "nullsafe_member_call_expression",
            "object_creation_expression",
            "require_expression",
            "require_once_expression",
            "scoped_call_expression",
            "scoped_property_access_expression",
            "use_declaration",
        ],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("else_if_clause", Branch::ElseIf),
            ("else_clause", Branch::Else),
            ("for_statement", Branch::Loop),
            ("foreach_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("do_statement", Branch::Loop),
            ("switch_statement", Branch::Switch),
            ("case_statement", Branch::Case),
            ("match_expression", Branch::Switch),
            ("match_conditional_expression", Branch::Decision),
            ("catch_clause", Branch::Catch),
            ("conditional_expression", Branch::Ternary),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("and", Branch::Logical),
            ("or", Branch::Logical),
            ("??", Branch::Decision),
            ("??=", Branch::Decision),
            ("goto_statement", Branch::Jump),
            ("break_statement", Branch::Jump),
            ("continue_statement", Branch::Jump),
            ("anonymous_function", Branch::Lambda),
            ("arrow_function", Branch::Lambda),
        ],
        modifiers: &["abstract_modifier", "final_modifier", "readonly_modifier", "static_modifier"],
        parameters,
        ..Syntax::NONE
    },
)
.opening("<?php ")
.round_members("class A {\n")
.highlights(&[tree_sitter_php::HIGHLIGHTS_QUERY])
.interpreters(&["php"]);

/// Any comment but those for tools.
fn is_doc(comment: &str) -> bool {
    let text = comment.trim_start_matches(['/', '*', '#', ' ']);
    ![
        "phpcs:",
        "@phpcs",
        "@phpstan-ignore",
        "phpstan-ignore",
        "@psalm-suppress",
        "@codeCoverageIgnore",
        "region",
    ]
    .iter()
    .any(|tool| text.starts_with(tool))
}

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let node = visit.node;
    let kind = match node.kind() {
        "namespace_definition" => Kind::Namespace,
        "class_declaration" => Kind::Class,
        "interface_declaration" => Kind::Interface,
        "trait_declaration" => Kind::Trait,
        "enum_declaration" => Kind::Enum,
        "enum_case" => Kind::EnumMember,
        "function_definition" => Kind::Function,
        "method_declaration" => match visit.field("name") {
            Some(name) if name.text().eq_ignore_ascii_case("__construct") => Kind::Constructor,
            _ => Kind::Method,
        },
        "assignment_expression" => return define_variable(visit, found),
        "function_call_expression" => return define_by_call(visit, found),
        "const_element" => {
            let visibility = node.parent().filter(|_| is_of_type(visit)).map(visibility);
            let name = node.first_child();
            found.extend(name.map(|name| Definition::new(Kind::Constant, name).visibility(visibility)));
            return;
        }
        "property_declaration" | "property_element" => return define_property(visit, found),
        "property_promotion_parameter" => {
            let Some(name) = visit.field("name").map(bare) else { return };
            let owner = visit.enclosing_of(&[Kind::Class, Kind::Trait, Kind::Enum]);
            let definition = Definition::new(Kind::Field, name).visibility(Some(visibility(node)));
            found.push(definition.owner(owner));
            return;
        }
        _ => return,
    };
    let Some(name) = visit.field("name") else { return };
    let body = visit.field("body");
    let mut definition = Definition::new(kind, name).body(body);
    definition.has_rest = kind == Kind::Namespace && body.is_none();
    definition.visibility = match kind {
        Kind::Method | Kind::Constructor => Some(visibility(node)),
        Kind::EnumMember => Some(Visibility::Public),
        _ => None,
    };
    found.push(definition);
}

/// A property; one with hooks is the whole declaration, as its code is beside the name.
fn define_property<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let is_element = visit.kind() == "property_element";
    let declaration = if is_element { visit.ancestor(1) } else { Some(visit.node) };
    let Some(declaration) = declaration else { return };
    // They follow the name, and then it is the only one.
    let mut names = declaration.children().skip_while(|child| child.kind() != "property_element");
    let hooks = names.nth(1).filter(|second| second.kind() == "property_hook_list");
    if hooks.is_some() == is_element {
        return;
    }
    let element = if is_element { Some(visit.node) } else { visit.child("property_element") };
    let Some(name) = element.and_then(|element| element.field("name")).map(bare) else { return };
    let kind = if is_element { SymbolKind::Field } else { SymbolKind::Property };
    let definition = Definition::new(kind, name).body(hooks).function(hooks.map(|_| declaration));
    found.push(definition.visibility(Some(visibility(declaration))));
}

/// `$name = value`: functions anywhere, other values where they are the file's, the first time.
fn define_variable<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let (Some(target), Some(value)) = (visit.field("left"), visit.field("right")) else { return };
    if matches!(value.kind(), "anonymous_function" | "arrow_function") {
        if target.kind() == "variable_name" {
            let definition = Definition::new(SymbolKind::Function, bare(target)).body(value.field("body"));
            found.push(definition.function(Some(value)));
        }
        return;
    }
    let is_statement = visit.parent_kind() == "expression_statement";
    let is_of_file = visit.ancestor(2).is_some_and(|holder| match holder.kind() {
        "program" => true,
        "compound_statement" => holder.parent_kind() == "namespace_definition",
        _ => false,
    });
    if visit.in_code() || !is_statement || !is_of_file {
        return;
    }
    let mut targets = vec![target];
    while let Some(target) = targets.pop() {
        match target.kind() {
            "variable_name" => found.push(Definition::new(SymbolKind::Variable, bare(target)).once()),
            "list_literal" => {
                let first = targets.len();
                targets.extend(target.named_children());
                targets[first..].reverse();
            }
            _ => {}
        }
    }
}

/// `define('NAME', value)` makes a constant.
fn define_by_call<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    if !visit.node.first_child().is_some_and(|function| function.text().eq_ignore_ascii_case("define")) {
        return;
    }
    let argument = visit.field("arguments").and_then(|arguments| arguments.named_children().next());
    let name = argument.and_then(|argument| string_content(argument.named_children().next()?));
    let is_name = |name: &Node<'_>| mention::is_name(name.text().trim_start_matches('\\'));
    found.extend(name.filter(is_name).map(|name| Definition::new(SymbolKind::Constant, name)));
}

/// Whether the node is a member of a type.
fn is_of_type(visit: &Visit<'_, '_>) -> bool {
    use SymbolKind as Kind;
    matches!(visit.enclosing_kind(), Some(Kind::Class | Kind::Enum | Kind::Interface | Kind::Trait))
}

/// What a declaration says, or public.
fn visibility(declaration: Node<'_>) -> Visibility {
    // Any number of names may follow.
    let is_name = |child: &Node<'_>| matches!(child.kind(), "const_element" | "property_element");
    let head = declaration.children().take_while(|child| !is_name(child));
    let mut said = head.filter(|child| child.kind() == "visibility_modifier");
    said.find_map(|modifier| modifier.text().to_ascii_lowercase().parse().ok()).unwrap_or(Visibility::Public)
}

/// A variable's name without its sign.
fn bare(variable: Node<'_>) -> Node<'_> {
    let mut node = variable;
    while matches!(node.kind(), "by_ref" | "variable_name") {
        match node.named_children().next() {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

fn string_content(literal: Node<'_>) -> Option<Node<'_>> {
    let is_string = matches!(literal.kind(), "string" | "encapsed_string");
    literal.named_children().next().filter(|content| is_string && content.kind() == "string_content")
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    use ReferenceKind as Kind;
    let node = visit.node;
    match node.kind() {
        "function_call_expression" => {
            mentions.extend(visit.field("function").and_then(|name| named(Kind::Call, name)))
        }
        "member_call_expression" | "nullsafe_member_call_expression" => mentions.extend(call(node)),
        "scoped_call_expression" => {
            mentions.extend(visit.field("scope").and_then(|class| named(Kind::Type, class)));
            mentions.extend(call(node));
        }
        "object_creation_expression" => {
            let Some(class) = node.named_children().next() else { return };
            mentions.extend(named(Kind::Call, class));
            mentions.extend(named(Kind::Type, class));
        }
        "class_constant_access_expression" | "scoped_property_access_expression" => {
            mentions.extend(node.first_child().and_then(|class| named(Kind::Type, class)));
        }
        "binary_expression" if node.children().nth(1).is_some_and(|sign| sign.kind() == "instanceof") => {
            mentions.extend(visit.field("right").and_then(|class| named(Kind::Type, class)));
        }
        "attribute" | "named_type" => {
            mentions.extend(node.named_children().next().and_then(|class| named(Kind::Type, class)));
        }
        "base_clause" | "class_interface_clause" | "use_declaration" => {
            mentions.extend(node.named_children().filter_map(|class| named(Kind::Inherit, class)));
        }
        "namespace_use_clause" => import(visit, mentions),
        "include_expression"
        | "include_once_expression"
        | "require_expression"
        | "require_once_expression" => {
            mentions.extend(node.named_children().next().and_then(include));
        }
        _ => {}
    }
}

/// The call of a method that is named where it is called.
fn call(node: Node<'_>) -> Option<Mention<'_>> {
    let name = node.field("name").filter(|name| name.kind() == "name")?;
    Some(mention::last_of(ReferenceKind::Call, node, name))
}

/// The mention of a function or class by its name; `static` is none.
fn named(kind: ReferenceKind, path: Node<'_>) -> Option<Mention<'_>> {
    let name = match path.kind() {
        "name" if !path.text().eq_ignore_ascii_case("static") => path,
        "qualified_name" | "relative_name" => path.named_children().last()?,
        _ => return None,
    };
    Some(mention::last_of(kind, path, name))
}

/// `use A\B as C`, also in `use A\{B as C}`.
fn import<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    let is_name = |child: &Node<'_>| matches!(child.kind(), "name" | "qualified_name");
    let Some(path) = visit.node.named_children().find(is_name) else { return };
    let Some(mention) = named(ReferenceKind::Import, path) else { return };
    let group = visit.ancestor(1).filter(|group| group.kind() == "namespace_use_group");
    let common = group.and_then(Node::parent).and_then(|declaration| declaration.child("namespace_name"));
    let qualifier = match (common.map(Node::text), mention.qualifier.as_deref()) {
        (Some(common), Some(own)) => format!("{common}\\{own}"),
        (common, own) => common.or(own).unwrap_or("").to_owned(),
    };
    mentions.push(mention.qualifier(qualifier).alias(visit.field("alias")));
}

/// The file that an `include` names, as far as it is written out.
fn include(path: Node<'_>) -> Option<Mention<'_>> {
    let mut path = path;
    while path.kind() == "parenthesized_expression" {
        path = path.named_children().next()?;
    }
    let literal = if path.kind() == "binary_expression" { path.field("right")? } else { path };
    let file = string_content(literal)?;
    let last = file.text().rsplit('/').next()?;
    Some(Mention::new(ReferenceKind::Import, file).name_text(last).qualifier(file.text()))
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let rest = match node.kind() {
        "simple_parameter" | "property_promotion_parameter" => "",
        "variadic_parameter" => "...",
        _ => return,
    };
    let default = node.field("default_value").map(one_line);
    let reference = node.field("reference_modifier").map_or("", Node::text);
    let name = node.field("name").map_or("", Node::text);
    parameters.push(Parameter {
        name: format!("{reference}{rest}{name}").into(),
        type_name: node.field("type").map(type_text),
        optional: default.is_some() || !rest.is_empty(),
        default,
    });
}
