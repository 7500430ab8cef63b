//! Python.

use super::{Spec, Syntax};
use crate::comment;
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
        definitions: &["assignment", "class_definition", "function_definition", "type_alias_statement"],
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
        sections: &[],
        opaque: &["import_from_statement", "import_statement", "lambda", "parameters", "string", "type"],
        members: &[],
        values_are_code: true,
        ..Syntax::NONE
    },
)
.interpreters(&["pypy", "python"]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let is_member = visit.enclosing_kind() == Some(Kind::Class);
    match visit.kind() {
        "function_definition" | "class_definition" => {
            let Some(name) = visit.field("name") else { return };
            let kind = match (visit.kind(), is_member, name.text()) {
                ("class_definition", ..) => Kind::Class,
                (_, true, "__init__" | "__new__") => Kind::Constructor,
                (_, true, _) if is_property(visit) => Kind::Property,
                (_, true, _) => Kind::Method,
                (_, false, _) => Kind::Function,
            };
            let body = visit.field("body");
            let mut definition = Definition::new(kind, name).body(body).visibility(visibility(name));
            definition.doc = body.and_then(|body| docstring(body));
            found.push(definition);
        }
        "assignment" if !visit.in_code() => {
            let Some(left) = visit.field("left") else { return };
            // A bare annotation in a module declares nothing at run time, but names the thing.
            let body = visit.field("right").filter(|right| right.end() - right.start() > 80);
            let names: Vec<_> = match left.kind() {
                "identifier" => vec![left],
                "pattern_list" | "tuple_pattern" => {
                    left.named_children().filter(|node| node.kind() == "identifier").collect()
                }
                _ => return,
            };
            for name in names {
                let text = name.text();
                let is_constant = text.bytes().any(|byte| byte.is_ascii_uppercase())
                    && !text.bytes().any(|byte| byte.is_ascii_lowercase());
                let kind = match (is_member, is_constant) {
                    (true, _) if is_enum(visit) => Kind::EnumMember,
                    (_, true) => Kind::Constant,
                    (true, false) => Kind::Field,
                    (false, false) => Kind::Variable,
                };
                found.push(Definition::new(kind, name).body(body).visibility(visibility(name)));
            }
        }
        "type_alias_statement" => {
            // `type Name[T] = ...`: the name is the first identifier of the left side.
            let Some(mut name) = visit.field("left") else { return };
            while let Some(inner) = name.named_children().next() {
                name = inner;
            }
            found.push(Definition::new(Kind::Type, name).visibility(visibility(name)));
        }
        _ => {}
    }
}

/// By convention: a leading underscore is for the module's or class's own use.
fn visibility(name: Node<'_>) -> Option<Visibility> {
    let name = name.text();
    let is_special = name.starts_with("__") && name.ends_with("__");
    Some(if name.starts_with('_') && !is_special { Visibility::Private } else { Visibility::Public })
}

fn is_property(visit: &Visit<'_, '_>) -> bool {
    let Some(wrapper) = visit.ancestor(1).filter(|node| node.kind() == "decorated_definition") else {
        return false;
    };
    wrapper.named_children().filter(|node| node.kind() == "decorator").any(|decorator| {
        let name = decorator.text().trim_start_matches('@').trim();
        name == "property" || name.ends_with("cached_property") || name.ends_with(".setter")
    })
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
    (string.kind() == "string").then(|| comment::docstring(string.text())).flatten()
}
