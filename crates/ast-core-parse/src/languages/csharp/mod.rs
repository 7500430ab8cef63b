//! C#.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Parameter, one_line};
use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

pub(crate) static CSHARP: Spec = Spec::new(
    "csharp",
    &["cs", "csx"],
    "tree-sitter-c-sharp",
    "0.23.5",
    || tree_sitter_c_sharp::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "class_declaration",
            "constructor_declaration",
            "conversion_operator_declaration",
            "delegate_declaration",
            "destructor_declaration",
            "enum_declaration",
            "enum_member_declaration",
            "event_declaration",
            "file_scoped_namespace_declaration",
            "indexer_declaration",
            "interface_declaration",
            "local_function_statement",
            "method_declaration",
            "namespace_declaration",
            "operator_declaration",
            "parameter",
            "property_declaration",
            "record_declaration",
            "struct_declaration",
            "variable_declarator",
        ],
        define,
        wrappers: &[
            "event_field_declaration",
            "field_declaration",
            "global_statement",
            "local_declaration_statement",
            "variable_declaration",
        ],
        attributes: &["attribute_list"],
        comments: &["comment"],
        is_doc: |comment| {
            (comment.starts_with("///") && !comment.starts_with("////"))
                || (comment.starts_with("/**") && comment != "/**/")
        },
        opaque: &["character_literal", "raw_string_literal", "string_literal", "verbatim_string_literal"],
        members: &["declaration_list", "enum_member_declaration_list"],
        // Types have no nodes of their own: a name is one by where it stands.
        references: &[
            "constructor_initializer",
            "identifier",
            "invocation_expression",
            "object_creation_expression",
            "using_directive",
        ],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("else", Branch::Else),
            ("for_statement", Branch::Loop),
            ("foreach_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("do_statement", Branch::Loop),
            ("switch_statement", Branch::Switch),
            ("switch_section", Branch::Case),
            ("switch_expression", Branch::Switch),
            ("switch_expression_arm", Branch::Arm),
            ("catch_clause", Branch::Catch),
            ("conditional_expression", Branch::Ternary),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("??", Branch::Decision),
            ("??=", Branch::Decision),
            ("goto_statement", Branch::Jump),
            ("anonymous_method_expression", Branch::Lambda),
            ("lambda_expression", Branch::Lambda),
        ],
        modifiers: &["modifier"],
        parameters,
        ..Syntax::NONE
    },
)
.round_members("class A {\n")
.highlights(&[tree_sitter_c_sharp::HIGHLIGHTS_QUERY]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let node = visit.node;
    let kind = match node.kind() {
        "namespace_declaration" | "file_scoped_namespace_declaration" => Kind::Namespace,
        "class_declaration" => Kind::Class,
        "struct_declaration" => Kind::Struct,
        "record_declaration" => {
            if visit.child("struct").is_some() {
                Kind::Struct
            } else {
                Kind::Class
            }
        }
        "interface_declaration" => Kind::Interface,
        "enum_declaration" => Kind::Enum,
        "enum_member_declaration" => Kind::EnumMember,
        "delegate_declaration" => Kind::Type,
        "method_declaration"
        | "operator_declaration"
        | "conversion_operator_declaration"
        | "destructor_declaration" => Kind::Method,
        "local_function_statement" => Kind::Function,
        "constructor_declaration" => Kind::Constructor,
        "property_declaration" | "indexer_declaration" | "event_declaration" => Kind::Property,
        "variable_declarator" => return define_variable(visit, found),
        // The components of a record are properties of it.
        "parameter" if visit.ancestor(2).is_some_and(|owner| owner.kind() == "record_declaration") => {
            Kind::Property
        }
        _ => return,
    };
    let is_special = |child: &Node<'_>| matches!(child.kind(), "operator" | "this" | "~");
    let name = visit.field("name").filter(|_| node.kind() != "destructor_declaration");
    let Some(name) = name.or_else(|| node.children().find(is_special)) else { return };
    // What an `if` in broken code may be taken for.
    if kind == Kind::Function && matches!(name.text(), "catch" | "if" | "switch" | "while") {
        return;
    }
    let body = ["body", "accessors"].into_iter().find_map(|field| visit.field(field));
    let mut definition =
        Definition::new(kind, name).body(body.or_else(|| visit.child("arrow_expression_clause")));
    definition.name_text = match node.kind() {
        "operator_declaration" => visit.field("operator").map(|sign| format!("operator {}", sign.text())),
        "conversion_operator_declaration" => {
            visit.field("type").map(|to| format!("operator {}", one_line(to)))
        }
        "destructor_declaration" => visit.field("name").map(|class| format!("~{}", class.text())),
        "indexer_declaration" => Some("this[]".to_owned()),
        _ => None,
    };
    let is_function = matches!(kind, Kind::Method | Kind::Function | Kind::Property | Kind::Type);
    let is_component = node.kind() == "parameter";
    definition.return_type = visit.field("returns").or_else(|| visit.field("type")).filter(|_| is_function);
    definition.function = Some(node).filter(|_| kind == Kind::Property && has_code(node));
    let is_explicit = visit.child("explicit_interface_specifier").is_some();
    definition.visibility = match kind {
        Kind::Namespace | Kind::Function => None,
        Kind::EnumMember => Some(Visibility::Public),
        _ if is_component => Some(Visibility::Public),
        // Seen through the interface only.
        _ if is_explicit => None,
        _ => Some(visibility(visit, node)),
    };
    definition.has_rest = node.kind() == "file_scoped_namespace_declaration";
    found.push(definition);
}

/// Whether a property has accessors that do more than keep a value.
fn has_code(property: Node<'_>) -> bool {
    let accessors = property.field("accessors");
    let has_body = |accessor: Node<'_>| accessor.field("body").is_some();
    property.child("arrow_expression_clause").is_some()
        || accessors.is_some_and(|list| list.named_children().any(has_body))
}

/// A field, or a variable of a program without a class round it.
fn define_variable<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(declaration) = visit.ancestor(2) else { return };
    let is_member = matches!(declaration.kind(), "field_declaration" | "event_field_declaration");
    if !is_member && declaration.parent_kind() != "global_statement" {
        return;
    }
    let Some(name) = visit.field("name") else { return };
    let has = |word: &str| modifiers(declaration).any(|modifier| modifier == word);
    let kind = if has(Modifier::Const.as_str()) || has("static") && has("readonly") {
        SymbolKind::Constant
    } else if is_member {
        SymbolKind::Field
    } else {
        SymbolKind::Variable
    };
    let visibility = if is_member { visibility(visit, declaration) } else { Visibility::Private };
    let value = visit.node.named_children().last();
    let body = value.filter(|value| value.end() - value.start() > 80 && *value != name);
    found.push(Definition::new(kind, name).body(body).visibility(Some(visibility)));
}

fn modifiers(declaration: Node<'_>) -> impl Iterator<Item = &str> {
    declaration.children().filter(|child| child.kind() == "modifier").map(Node::text)
}

fn visibility(visit: &Visit<'_, '_>, declaration: Node<'_>) -> Visibility {
    use SymbolKind as Kind;
    let (mut is_private, mut is_internal) = (false, false);
    for modifier in modifiers(declaration) {
        match modifier {
            "public" => return Visibility::Public,
            // Whether or not the assembly sees it too.
            "protected" => return Visibility::Protected,
            "internal" => is_internal = true,
            "private" | "file" => is_private = true,
            _ => {}
        }
    }
    match visit.enclosing_kind() {
        _ if is_private => Visibility::Private,
        _ if is_internal => Visibility::Internal,
        Some(Kind::Class | Kind::Struct) => Visibility::Private,
        Some(Kind::Interface) => Visibility::Public,
        _ => Visibility::Internal,
    }
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    use ReferenceKind as Kind;
    let node = visit.node;
    match node.kind() {
        "identifier" => mentions.extend(type_mention(node)),
        "invocation_expression" => {
            let Some(function) = visit.field("function") else { return };
            let name =
                last_name(function).filter(|name| name.kind() == "identifier" && name.text() != "nameof");
            mentions.extend(name.map(|name| mention::last_of(Kind::Call, function, name)));
        }
        "object_creation_expression" => {
            let Some(made) = visit.field("type") else { return };
            let name = last_name(made).filter(|name| name.kind() == "identifier");
            mentions.extend(name.map(|name| mention::last_of(Kind::Call, made, name)));
        }
        // `: base(...)` and `: this(...)`
        "constructor_initializer" => {
            mentions.extend(
                node.first_child().filter(|word| !word.is_named()).map(|word| Mention::new(Kind::Call, word)),
            );
        }
        "using_directive" => {
            let alias = visit.field("name");
            let path = node.named_children().find(|child| Some(*child) != alias);
            let name = path.and_then(last_name);
            mentions.extend(
                path.zip(name).map(|(path, name)| mention::last_of(Kind::Import, path, name).alias(alias)),
            );
        }
        _ => {}
    }
}

/// The last name of a path: `List` of `System.Collections.List<int>`, `Add` of `items.Add<int>`.
fn last_name(path: Node<'_>) -> Option<Node<'_>> {
    let mut node = path;
    loop {
        node = match node.kind() {
            "generic_name" => node.first_child()?,
            "member_access_expression"
            | "member_binding_expression"
            | "qualified_name"
            | "alias_qualified_name" => node.field("name")?,
            "conditional_access_expression" => node.named_children().last()?,
            "nullable_type" | "array_type" => node.field("type")?,
            _ => return Some(node),
        };
    }
}

/// The mention of a type, if the name stands where one does.
fn type_mention(name: Node<'_>) -> Option<Mention<'_>> {
    let mut path = name;
    let mut parent = name.parent()?;
    loop {
        let ends_path = match parent.kind() {
            "generic_name" => parent.first_child() == Some(path),
            "qualified_name" | "alias_qualified_name" => path.field_name() == "name",
            _ => false,
        };
        if !ends_path {
            break;
        }
        path = parent;
        parent = path.parent()?;
    }
    let kind = match (parent.kind(), path.field_name()) {
        ("base_list" | "primary_constructor_base_type", _) => ReferenceKind::Inherit,
        ("explicit_interface_specifier" | "type_argument_list", _) => ReferenceKind::Type,
        ("attribute", "name") | ("as_expression" | "is_expression", "right") => ReferenceKind::Type,
        (_, "type" | "returns") => ReferenceKind::Type,
        _ => return None,
    };
    Some(mention::last_of(kind, path, name))
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let parameter = match (node.kind(), node.field_name()) {
        ("parameter", _) => {
            let default = node.children().skip_while(|child| child.kind() != "=").nth(1).map(one_line);
            let type_name = node.field("type").map(one_line);
            let mut words: Vec<&str> = modifiers(node).collect();
            words.extend(type_name.as_deref());
            Parameter {
                name: node.field("name").map(one_line).unwrap_or_default(),
                type_name: (!words.is_empty()).then(|| words.join(" ").into()),
                optional: default.is_some(),
                default,
            }
        }
        // `params int[] rest` has no node of its own.
        (_, "name") => Parameter {
            name: format!("params {}", node.text()).into(),
            type_name: node.parent().and_then(|list| list.field("type")).map(one_line),
            optional: true,
            ..Parameter::default()
        },
        _ => return,
    };
    parameters.push(parameter);
}
