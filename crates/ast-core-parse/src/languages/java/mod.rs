//! Java.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Modifiers, Parameter, one_line};
use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

pub(crate) static JAVA: Spec = Spec::new(
    "java",
    &["java"],
    "tree-sitter-java",
    "0.23.5",
    || tree_sitter_java::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "annotation_type_declaration",
            "annotation_type_element_declaration",
            "class_declaration",
            "compact_constructor_declaration",
            "constructor_declaration",
            "enum_constant",
            "enum_declaration",
            "formal_parameter",
            "interface_declaration",
            "method_declaration",
            "module_declaration",
            "package_declaration",
            "record_declaration",
            "spread_parameter",
            "variable_declarator",
        ],
        define,
        wrappers: &["constant_declaration", "field_declaration"],
        comments: &["block_comment", "line_comment"],
        is_doc: |comment| comment.starts_with("/**") && comment != "/**/",
        members: &["annotation_type_body", "class_body", "enum_body", "interface_body"],
        type_names: &["type_identifier"],
        type_paths: &["scoped_type_identifier"],
        heritage: &[("extends_interfaces", ""), ("super_interfaces", ""), ("superclass", "")],
        references: &[
            "annotation",
            "explicit_constructor_invocation",
            "import_declaration",
            "marker_annotation",
            "method_invocation",
            "method_reference",
            "object_creation_expression",
            "provides_module_directive",
            "requires_module_directive",
            "uses_module_directive",
        ],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("else", Branch::Else),
            ("for_statement", Branch::Loop),
            ("enhanced_for_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("do_statement", Branch::Loop),
            ("switch_expression", Branch::Switch),
            ("switch_label", Branch::Case),
            ("catch_clause", Branch::Catch),
            ("ternary_expression", Branch::Ternary),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
            ("break_statement", Branch::Jump),
            ("continue_statement", Branch::Jump),
            ("lambda_expression", Branch::Lambda),
        ],
        parameters,
        ..Syntax::NONE
    },
)
.round_members("class A {\n")
.highlights(&[tree_sitter_java::HIGHLIGHTS_QUERY]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let kind = match visit.kind() {
        "class_declaration" | "record_declaration" => Kind::Class,
        "interface_declaration" | "annotation_type_declaration" => Kind::Interface,
        "enum_declaration" => Kind::Enum,
        "enum_constant" => Kind::EnumMember,
        "method_declaration" | "annotation_type_element_declaration" => Kind::Method,
        "constructor_declaration" | "compact_constructor_declaration" => Kind::Constructor,
        "module_declaration" => Kind::Module,
        "package_declaration" => {
            let name = visit.child("scoped_identifier").or_else(|| visit.child("identifier"));
            found.extend(name.map(|name| Definition::new(Kind::Namespace, name)));
            return;
        }
        // The components of a record.
        "formal_parameter" | "spread_parameter"
            if visit.ancestor(2).is_some_and(|node| node.kind() == "record_declaration") =>
        {
            Kind::Field
        }
        "variable_declarator" => match visit.ancestor(1) {
            Some(owner) if matches!(owner.kind(), "field_declaration" | "constant_declaration") => {
                define_field(visit, owner, found);
                return;
            }
            _ => return,
        },
        _ => return,
    };
    let Some(name) = name_of(visit.node) else { return };
    let mut definition = Definition::new(kind, name).body(visit.field("body"));
    definition.start = after_annotations(visit.node);
    definition.modifiers = modifiers_of(visit.node);
    definition.return_type = visit.field("type").filter(|_| kind == Kind::Method);
    definition.visibility = match kind {
        Kind::EnumMember | Kind::Field => Some(Visibility::Public),
        Kind::Module => None,
        // Nobody else sees the classes of a method.
        _ if visit.in_code() => None,
        _ => Some(declared_visibility(visit, visit.node)),
    };
    found.push(definition);
}

/// The name of a definition or parameter; that of `String... names` is in a declarator.
fn name_of(node: Node<'_>) -> Option<Node<'_>> {
    node.field("name").or_else(|| node.child("variable_declarator")?.field("name"))
}

fn define_field<'tree>(visit: &Visit<'_, 'tree>, owner: Node<'tree>, found: &mut Definitions<'tree>) {
    let Some(name) = visit.field("name") else { return };
    let modifiers = modifiers_of(owner);
    let is_constant = owner.kind() == "constant_declaration"
        || (modifiers.contains(Modifier::Static) && modifiers.contains(Modifier::Final));
    let kind = if is_constant { SymbolKind::Constant } else { SymbolKind::Field };
    let body = visit.field("value").filter(|value| value.end() - value.start() > 80);
    let mut definition = Definition::new(kind, name).body(body);
    definition.start = after_annotations(owner).filter(|_| owner.field("declarator") == Some(visit.node));
    definition.modifiers = modifiers;
    definition.visibility = Some(declared_visibility(visit, owner));
    found.push(definition);
}

/// The modifiers of a declaration, which begins with them; it may go on with any number of names.
fn modifiers(node: Node<'_>) -> Option<Node<'_>> {
    node.first_child().filter(|first| first.kind() == "modifiers")
}

/// The words before a declaration that are not annotations.
fn modifier_words(node: Node<'_>) -> impl Iterator<Item = &str> {
    modifiers(node).into_iter().flat_map(Node::children).filter(|child| !child.is_named()).map(Node::text)
}

fn modifiers_of(node: Node<'_>) -> Modifiers {
    let mut modifiers = Modifiers::default();
    modifier_words(node).filter_map(Modifier::of_word).for_each(|modifier| modifiers.insert(modifier));
    modifiers
}

fn declared_visibility(visit: &Visit<'_, '_>, node: Node<'_>) -> Visibility {
    let word = modifier_words(node)
        .find_map(|word| word.parse().ok().filter(|visibility| *visibility != Visibility::Internal));
    match word {
        Some(visibility) => visibility,
        // Members of an interface are public, whatever is left out; the rest is the package's.
        None if visit.enclosing_kind() == Some(SymbolKind::Interface) => Visibility::Public,
        None => Visibility::Internal,
    }
}

/// The first child that is no annotation, looking into the modifiers.
fn after_annotations(node: Node<'_>) -> Option<Node<'_>> {
    let is_annotation = |node: &Node<'_>| {
        matches!(node.kind(), "annotation" | "block_comment" | "line_comment" | "marker_annotation")
    };
    let modifiers = modifiers(node)?;
    let keyword = modifiers.children().find(|child| !is_annotation(child));
    keyword.or_else(|| modifiers.next_sibling())
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    use ReferenceKind as Kind;
    let node = visit.node;
    match node.kind() {
        "method_invocation" => {
            mentions.extend(visit.field("name").map(|name| mention::last_of(Kind::Call, node, name)))
        }
        "object_creation_expression" => {
            mentions.extend(visit.field("type").and_then(|made| named_type(Kind::Call, made)));
        }
        // `super(...)` and `this(...)`
        "explicit_constructor_invocation" => {
            mentions.extend(visit.field("constructor").map(|name| Mention::new(Kind::Call, name)));
        }
        // `Type::method` is there to be called.
        "method_reference" => {
            let name = node.children().last().filter(|name| name.kind() == "identifier");
            mentions.extend(name.map(|name| mention::last_of(Kind::Call, node, name)));
        }
        "annotation" | "marker_annotation" => {
            mentions.extend(visit.field("name").and_then(|name| mention::named(Kind::Type, name)));
        }
        "import_declaration" => {
            let Some(path) = node.named_children().find(|child| child.kind().ends_with("identifier")) else {
                return;
            };
            mentions.extend(match visit.child("asterisk") {
                Some(sign) => Some(Mention::new(Kind::Import, sign).qualifier(path.text())),
                None => mention::named(Kind::Import, path),
            });
        }
        "requires_module_directive" => {
            mentions.extend(visit.field("module").and_then(|module| mention::named(Kind::Import, module)));
        }
        "uses_module_directive" => {
            mentions.extend(visit.field("type").and_then(|used| mention::named(Kind::Type, used)));
        }
        "provides_module_directive" => {
            let types = node.named_children();
            mentions.extend(types.filter_map(|provided| mention::named(Kind::Type, provided)));
        }
        _ => {}
    }
}

/// The mention of a type by its name, without what it is applied to: `List` of `java.util.List<String>`.
fn named_type(kind: ReferenceKind, node: Node<'_>) -> Option<Mention<'_>> {
    let path = match node.kind() {
        "generic_type" => node.named_children().next()?,
        _ => node,
    };
    let name = match path.kind() {
        "scoped_type_identifier" => path.named_children().last()?,
        _ => path,
    };
    Some(mention::last_of(kind, path, name))
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let parameter = match node.kind() {
        "formal_parameter" => Parameter {
            name: name_of(node).map(one_line).unwrap_or_default(),
            type_name: node.field("type").map(one_line),
            ..Parameter::default()
        },
        "spread_parameter" => {
            let is_type =
                |child: &Node<'_>| !matches!(child.kind(), "modifiers" | "annotation" | "marker_annotation");
            let type_name = node.named_children().find(is_type).map(one_line);
            Parameter {
                name: name_of(node).map(|name| format!("...{}", name.text()).into()).unwrap_or_default(),
                type_name,
                optional: true,
                ..Parameter::default()
            }
        }
        "receiver_parameter" => Parameter {
            name: node.child("this").map(one_line).unwrap_or_default(),
            type_name: node
                .named_children()
                .find(|child| child.kind().ends_with("type") || child.kind() == "type_identifier")
                .map(one_line),
            ..Parameter::default()
        },
        _ => return,
    };
    parameters.push(parameter);
}
