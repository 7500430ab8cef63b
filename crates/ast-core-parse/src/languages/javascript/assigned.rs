//! What an assignment defines: members of prototypes, of `this`, and what a CommonJS module exports.

use super::exports::name_of_module;
use super::value::{
    MAX_WRAPS, body_of_value, is_class, is_function, is_of_module, is_plain_name, is_require, kind_of_value,
    unwrapped,
};
use crate::annotation::Modifier;
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

/// `exports.name = function () {}`, `Name.prototype.method = () => {}` and their like.
pub(super) fn define_assigned<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let (Some(left), Some(right)) = (visit.field("left"), visit.field("right").map(unwrapped)) else {
        return;
    };
    let function = Some(right).filter(|right| is_function(*right) || is_class(*right));
    let (name, owner) = match left.kind() {
        "identifier" => (left, ""),
        "member_expression" => match (left.field("property"), left.field("object")) {
            (Some(name), Some(owner)) => (name, owner.text()),
            _ => return,
        },
        _ => return,
    };
    if left.text() == "module.exports" {
        define_module_exports(visit, name, right, found);
        return;
    }
    if matches!(owner, "exports" | "module.exports") {
        define_export(visit, name, right, found);
        return;
    }
    let prototype = owner.strip_suffix(".prototype");
    let Some(function) = function else {
        if right.kind() == "assignment_expression" {
            // The last one of a chain speaks for all.
            return;
        }
        // A class by its looks; anything else may be any value that has members.
        let is_member_of_class = owner.starts_with(char::is_uppercase)
            && name.text() != "prototype"
            && visit.parent_kind() == "expression_statement"
            && is_of_module(visit);
        if is_plain_name(owner) && (prototype.is_some() || is_member_of_class) {
            // What is not written out may well be a function.
            let is_method = prototype.is_some()
                && matches!(right.kind(), "call_expression" | "identifier" | "member_expression");
            let kind = if is_method { SymbolKind::Method } else { SymbolKind::Property };
            let mut definition = Definition::new(kind, name).body(body_of_value(right));
            definition.qualifier = Some(prototype.unwrap_or(owner).replace('.', "::"));
            found.push(definition);
            found.extend(aliases(visit.node, kind));
        }
        return;
    };
    let is_class = is_class(function);
    let of_this = owner == "this" && visit.enclosing().is_some();
    let kind = match prototype {
        _ if is_class => SymbolKind::Class,
        None if !of_this => SymbolKind::Function,
        _ => SymbolKind::Method,
    };
    let mut definition = Definition::new(kind, name).body(body_of_value(right)).function(Some(function));
    if of_this {
        // The method of a constructor's or another method's class.
        definition.owner = visit
            .enclosing_of(&[SymbolKind::Class])
            .filter(|_| matches!(visit.enclosing_kind(), Some(SymbolKind::Constructor | SymbolKind::Method)));
        definition.visibility = definition.owner.map(|_| Visibility::Public);
    }
    let qualifier = prototype.unwrap_or(owner);
    if is_plain_name(qualifier) && !matches!(qualifier, "this" | "window" | "globalThis" | "self") {
        definition.qualifier = Some(qualifier.replace('.', "::"));
    }
    found.push(definition);
    // `A.B = class AB {}` is known by both names.
    let own_name = function.field("name").filter(|own_name| is_class && own_name.text() != name.text());
    found.extend(own_name.map(|own_name| {
        let definition = Definition::new(SymbolKind::Class, own_name).body(body_of_value(function));
        Definition { node: Some(function), ..definition }
    }));
}

/// The other members of prototypes that a chain of assignments gives the same value.
pub(super) fn aliases(assignment: Node<'_>, kind: SymbolKind) -> impl Iterator<Item = Definition<'_>> {
    let round = std::iter::successors(assignment.parent(), |node| node.parent());
    let chain = round.take(MAX_WRAPS).take_while(|node| node.kind() == "assignment_expression");
    chain.filter_map(move |assignment| {
        let left = assignment.field("left").filter(|left| left.kind() == "member_expression")?;
        let class =
            left.field("object")?.text().strip_suffix(".prototype").filter(|class| is_plain_name(class))?;
        let definition = Definition::new(kind, left.field("property")?);
        Some(Definition { node: Some(assignment), qualifier: Some(class.replace('.', "::")), ..definition })
    })
}

/// `module.exports = value`.
pub(super) fn define_module_exports<'tree>(
    visit: &Visit<'_, 'tree>,
    name: Node<'tree>,
    value: Node<'tree>,
    found: &mut Definitions<'tree>,
) {
    let mut is_list = value.kind() == "identifier" || is_require(value);
    if value.kind() == "identifier" {
        found.push(Definition::publishing(value));
    } else if value.kind() == "object" {
        is_list = true;
        for member in value.named_children() {
            match member.kind() {
                "shorthand_property_identifier" => found.push(Definition::publishing(member)),
                "pair" | "method_definition" => is_list = false,
                _ => {}
            }
        }
    }
    if is_list || visit.in_code() {
        return;
    }
    let own_name = value.field("name").filter(|_| is_function(value) || is_class(value));
    let definition = Definition::new(kind_of_value(value), own_name.unwrap_or(name));
    let definition = match own_name {
        Some(_) => definition,
        None => definition.name_text(name_of_module(visit)),
    };
    let function = Some(value).filter(|value| is_function(*value) || is_class(*value));
    found.push(definition.body(body_of_value(value)).function(function).visibility(Some(Visibility::Public)));
}

/// `exports.name = value`.
pub(super) fn define_export<'tree>(
    visit: &Visit<'_, 'tree>,
    name: Node<'tree>,
    value: Node<'tree>,
    found: &mut Definitions<'tree>,
) {
    let function = Some(value).filter(|value| is_function(*value) || is_class(*value));
    let kind = match value.kind() {
        _ if function.is_some() => kind_of_value(value),
        _ if visit.in_code() => return,
        // What is made known before it is there, as compilers write it, and chains, whose last one says what it is.
        "assignment_expression" | "undefined" => return,
        "unary_expression" if value.text().starts_with("void") => return,
        "identifier" => {
            found.push(Definition::publishing(value));
            if value.text() == name.text() {
                return;
            }
            SymbolKind::Variable
        }
        _ => SymbolKind::Variable,
    };
    let mut definition = Definition::new(kind, name).body(body_of_value(value)).function(function);
    if is_require(value) {
        definition = definition.modifier(Modifier::Reexport);
    }
    found.push(definition.modifier(Modifier::Export).visibility(Some(Visibility::Public)));
}

/// `this.name = value` in a constructor makes a field, the first time; methods are [`define_assigned`]'s. Whether it
/// is one.
#[cfg(feature = "javascript")]
pub(super) fn define_field_of_this<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) -> bool {
    if visit.kind() != "assignment_expression" || visit.enclosing_kind() != Some(SymbolKind::Constructor) {
        return false;
    }
    let (Some(left), Some(value)) = (visit.field("left"), visit.field("right").map(unwrapped)) else {
        return false;
    };
    let is_of_this = left.field("object").is_some_and(|object| object.kind() == "this");
    let Some(name) = left.field("property").filter(|_| is_of_this && !is_function(value)) else {
        return false;
    };
    // A private one is always declared.
    if name.kind() == "property_identifier" {
        let definition = Definition::new(SymbolKind::Field, name).body(body_of_value(value));
        let owner = visit.enclosing_of(&[SymbolKind::Class]);
        let field = |owner| definition.visibility(Some(Visibility::Public)).owner(Some(owner)).once();
        found.extend(owner.map(field));
    }
    true
}
