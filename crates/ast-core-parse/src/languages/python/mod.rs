//! Python.

mod docstring;
mod mentions;

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Parameter, one_line};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static PYTHON: Spec = Spec::new(
    "python",
    &["py", "pyi", "pyw"],
    "tree-sitter-python",
    "0.25.0",
    || tree_sitter_python::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "assignment",
            "augmented_assignment",
            "class_definition",
            "function_definition",
            "named_expression",
            "type_alias_statement",
        ],
        define,
        wrappers: &["expression_statement"],
        outer_wrappers: &["decorated_definition"],
        attributes: &["decorator"],
        comments: &["comment"],
        is_doc: |comment| {
            let text = comment.trim_start_matches(['#', '!', ' ']);
            !["type:", "noqa", "pragma:", "pylint:", "fmt:", "isort:", "/usr", "-*-", "ruff:", "mypy:"]
                .iter()
                .any(|tool| text.starts_with(tool))
        },
        calls: &[("call", "function")],
        references: &[
            "class_definition",
            "class_pattern",
            "decorator",
            "except_clause",
            "future_import_statement",
            "import_from_statement",
            "import_statement",
            "raise_statement",
            "type",
        ],
        refer: mentions::refer,
        branches: &[
            ("if_statement", Branch::If),
            ("elif_clause", Branch::ElseIf),
            ("else_clause", Branch::Else),
            ("conditional_expression", Branch::Ternary),
            ("for_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("match_statement", Branch::Switch),
            ("case_clause", Branch::Case),
            ("except_clause", Branch::Catch),
            // Taken after each of two ways.
            ("finally_clause", Branch::Decision),
            ("for_in_clause", Branch::Decision),
            ("if_clause", Branch::Decision),
            ("and", Branch::Logical),
            ("or", Branch::Logical),
            ("lambda", Branch::Lambda),
        ],
        parameters,
        ..Syntax::NONE
    },
)
.highlights(&[tree_sitter_python::HIGHLIGHTS_QUERY])
.interpreters(&["pypy", "python"]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    match visit.kind() {
        "function_definition" => define_function(visit, found),
        "class_definition" => {
            let Some(name) = visit.field("name") else { return };
            let body = visit.field("body");
            let mut definition =
                Definition::new(SymbolKind::Class, name).body(body).visibility(visibility(name));
            definition.doc = body.and_then(docstring);
            found.push(decorated(visit, definition));
        }
        "assignment" => define_assigned(visit, found),
        // These change what is there, or bind in passing: a definition only if nothing else binds the name.
        "augmented_assignment" | "named_expression" if !visit.in_code() => {
            let name = visit.field("left").or_else(|| visit.field("name"));
            let Some(name) = name.filter(|name| name.kind() == "identifier") else { return };
            if !in_lambda(visit) {
                found.push(Definition::new(kind_of(visit, name), name).visibility(visibility(name)).once());
            }
        }
        "type_alias_statement" => {
            // `type Name[T] = ...`: the name is the first identifier of the left side.
            let Some(mut name) = visit.field("left") else { return };
            while let Some(inner) = name.named_children().next() {
                name = inner;
            }
            found.push(Definition::new(SymbolKind::Type, name).visibility(visibility(name)));
        }
        _ => {}
    }
}

fn define_function<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let Some(name) = visit.field("name") else { return };
    let kind = match (visit.enclosing_kind() == Some(Kind::Class), name.text()) {
        (true, "__init__" | "__new__") => Kind::Constructor,
        (true, _) if is_property(visit) => Kind::Property,
        (true, _) => Kind::Method,
        (false, _) => Kind::Function,
    };
    let body = visit.field("body");
    let mut definition =
        Definition::new(kind, name).body(body).visibility(visibility(name)).function(Some(visit.node));
    definition.doc = body.and_then(docstring);
    found.push(decorated(visit, definition));
}

/// What an assignment binds: names of the module or class, the fields of `self`, and everywhere a lambda's name.
fn define_assigned<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    // `a = b = 1`: the outer one speaks for all.
    if visit.parent_kind() == "assignment" {
        return;
    }
    let mut assignment = visit.node;
    let mut targets = Vec::new();
    let value = loop {
        if let Some(left) = assignment.field("left") {
            push_targets(left, &mut targets);
        }
        match assignment.field("right") {
            Some(right) if right.kind() == "assignment" => assignment = right,
            value => break value,
        }
    };
    let type_text = visit.field("type").map_or("", Node::text);
    let doc = attribute_docstring(visit);
    for target in targets {
        let Some(mut definition) = bound(visit, target, value) else { continue };
        if type_text.contains("Final") {
            definition = definition.modifier(Modifier::Final);
        }
        if type_text.contains("ClassVar") {
            definition = definition.modifier(Modifier::Static);
        }
        if type_text.ends_with("TypeAlias") {
            definition.kind = SymbolKind::Type;
        }
        definition.doc.clone_from(&doc);
        found.push(definition);
    }
}

/// The definition that an assignment to a target is, if it is one.
fn bound<'tree>(
    visit: &Visit<'_, 'tree>,
    target: Node<'tree>,
    value: Option<Node<'tree>>,
) -> Option<Definition<'tree>> {
    // A long value is not part of the signature.
    let body = value.filter(|value| value.len() > 80);
    if target.kind() == "attribute" {
        let name = target.field("attribute")?;
        let object = target.field("object").filter(|object| matches!(object.text(), "self" | "cls"))?;
        if !visit.in_code() {
            return None;
        }
        let class = visit.enclosing_of(&[SymbolKind::Class])?;
        if is_set_by_property(visit, name.text()) {
            return None;
        }
        let field = Definition::new(SymbolKind::Field, name).body(body).visibility(visibility(name));
        let field = field.owner(Some(class)).once();
        return Some(if object.text() == "cls" { field.modifier(Modifier::Static) } else { field });
    }
    if let Some(lambda) = value.filter(|value| value.kind() == "lambda") {
        let is_member = visit.enclosing_kind() == Some(SymbolKind::Class);
        let kind = if is_member { SymbolKind::Method } else { SymbolKind::Function };
        let definition = Definition::new(kind, target).body(lambda.field("body"));
        return Some(definition.visibility(visibility(target)).function(Some(lambda)));
    }
    let definition = Definition::new(kind_of(visit, target), target);
    (!visit.in_code()).then(|| definition.body(body).visibility(visibility(target)))
}

/// The names and attributes that the left side of an assignment binds.
fn push_targets<'tree>(left: Node<'tree>, targets: &mut Vec<Node<'tree>>) {
    left.descend(|node| match node.kind() {
        "pattern_list" | "tuple_pattern" | "list_pattern" | "list_splat_pattern" => true,
        // Of several values, what nobody wants.
        "identifier" if node.text() == "_" && node != left => false,
        "identifier" | "attribute" => {
            targets.push(node);
            false
        }
        _ => false,
    });
}

/// What a name that is bound in a module or class is.
fn kind_of(visit: &Visit<'_, '_>, name: Node<'_>) -> SymbolKind {
    let is_member = visit.enclosing_kind() == Some(SymbolKind::Class);
    let text = name.text();
    let is_constant = text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
    match (is_member, is_constant) {
        (true, _) if visit.field("right").is_some() && is_enum(visit) => SymbolKind::EnumMember,
        (_, true) => SymbolKind::Constant,
        (true, false) => SymbolKind::Field,
        (false, false) => SymbolKind::Variable,
    }
}

/// By convention: a leading underscore is for the module's or class's own use.
fn visibility(name: Node<'_>) -> Option<Visibility> {
    let name = name.text();
    let is_special = name.starts_with("__") && name.ends_with("__");
    Some(if name.starts_with('_') && !is_special { Visibility::Private } else { Visibility::Public })
}

/// Whether what the node binds is a lambda's own.
fn in_lambda(visit: &Visit<'_, '_>) -> bool {
    // Whoever nests deeper than this gets a variable too many.
    const MAX_DEPTH: usize = 16;
    std::iter::successors(visit.node.parent(), |node| node.parent())
        .take(MAX_DEPTH)
        .any(|node| node.kind() == "lambda")
}

/// The decorators of the definition without their sign.
fn decorators<'tree>(visit: &Visit<'_, 'tree>) -> impl Iterator<Item = &'tree str> {
    let wrapper = visit.ancestor(1).filter(|node| node.kind() == "decorated_definition");
    let decorators = wrapper.into_iter().flat_map(Node::named_children);
    decorators
        .filter(|node| node.kind() == "decorator")
        .map(|node| node.text().trim_start_matches('@').trim())
}

fn is_property(visit: &Visit<'_, '_>) -> bool {
    decorators(visit).any(makes_property)
}

fn makes_property(decorator: &str) -> bool {
    decorator.ends_with("property")
        || [".setter", ".getter", ".deleter"].iter().any(|end| decorator.ends_with(end))
}

/// Whether the class that the node is in has a property of the name, which is what an assignment to it calls.
fn is_set_by_property(visit: &Visit<'_, '_>, name: &str) -> bool {
    // Whoever nests deeper, or has more members, gets a field too many.
    const MAX_DEPTH: usize = 32;
    const MAX_MEMBERS: usize = 256;
    let round = std::iter::successors(visit.node.parent(), |node| node.parent());
    let class = round.take(MAX_DEPTH).find(|node| node.kind() == "class_definition");
    let Some(body) = class.and_then(|class| class.field("body")) else { return false };
    let mut members = body.named_children().take(MAX_MEMBERS);
    members.any(|member| {
        let is_of_name = member.kind() == "decorated_definition"
            && member.field("definition").and_then(|definition| definition.field("name")).map(Node::text)
                == Some(name);
        let mut decorators = member.named_children().filter(|child| child.kind() == "decorator");
        is_of_name && decorators.any(|node| makes_property(node.text().trim_start_matches('@').trim()))
    })
}

/// Adds what decorators of the standard library say.
fn decorated<'tree>(visit: &Visit<'_, 'tree>, mut definition: Definition<'tree>) -> Definition<'tree> {
    for decorator in decorators(visit) {
        let modifier = match decorator.rsplit('.').next() {
            Some("staticmethod" | "classmethod") => Modifier::Static,
            Some("abstractmethod" | "abstractproperty") => Modifier::Abstract,
            Some("final") => Modifier::Final,
            Some("override") => Modifier::Override,
            _ => continue,
        };
        definition = definition.modifier(modifier);
    }
    definition
}

/// Whether the class that the node is directly in derives from an enumeration.
fn is_enum(visit: &Visit<'_, '_>) -> bool {
    (1..=4).filter_map(|up| visit.ancestor(up)).find(|node| node.kind() == "class_definition").is_some_and(
        |class| {
            let bases = class.field("superclasses").map_or("", |bases| bases.text());
            bases
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|base| base.ends_with("Enum") || base.ends_with("Flag"))
        },
    )
}

fn docstring(body: Node<'_>) -> Option<Box<str>> {
    let first = body.named_children().next()?;
    let string = match first.kind() {
        "expression_statement" => first.named_children().next()?,
        _ => first,
    };
    (string.kind() == "string").then(|| docstring::text(string.text())).flatten()
}

/// The string after an assignment, which documents what it binds: PEP 257.
fn attribute_docstring(visit: &Visit<'_, '_>) -> Option<Box<str>> {
    let statement = visit.ancestor(1).filter(|node| node.kind() == "expression_statement")?;
    let next = statement.next_sibling().filter(|node| node.kind() == "expression_statement")?;
    let string = next.first_child().filter(|node| node.kind() == "string")?;
    docstring::text(string.text())
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let is_collector =
        |node: Node<'_>| matches!(node.kind(), "list_splat_pattern" | "dictionary_splat_pattern");
    let parameter = match node.kind() {
        "typed_parameter" => {
            let Some(name) = node.first_child() else { return };
            Parameter {
                name: parameter_name(name),
                type_name: node.field("type").map(one_line),
                optional: is_collector(name),
                default: None,
            }
        }
        "default_parameter" | "typed_default_parameter" => Parameter {
            name: node.field("name").map(one_line).unwrap_or_default(),
            type_name: node.field("type").map(one_line),
            optional: true,
            default: node.field("value").map(one_line),
        },
        "identifier" | "tuple_pattern" => Parameter { name: one_line(node), ..Parameter::default() },
        "list_splat_pattern" | "dictionary_splat_pattern" | "keyword_separator" | "positional_separator" => {
            Parameter { name: parameter_name(node), optional: true, ..Parameter::default() }
        }
        _ => return,
    };
    parameters.push(parameter);
}

/// A name with its mark, between which there may be space.
fn parameter_name(node: Node<'_>) -> Box<str> {
    node.text().split_whitespace().collect::<String>().into()
}
