//! What Kotlin code mentions.

use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::Visit;
use ast_core_model::ReferenceKind as Kind;

pub(super) fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "call_expression" => mentions.extend(visit.node.first_child().and_then(call)),
        "infix_expression" if super::class_in_disguise(visit.node).is_none() => {
            // `a to b`
            let name = visit.node.named_children().nth(1).filter(|name| name.kind() == "identifier");
            mentions.extend(name.map(|name| Mention::new(Kind::Call, name).of(visit.node.first_child())));
        }
        "import" => mentions.extend(import(visit)),
        "user_type" => mentions.extend(type_use(visit)),
        _ => {}
    }
}

/// The mention of what is called: `a.b` of `a.b(c)`. A call with a lambda behind it holds the call without.
fn call(callee: Node<'_>) -> Option<Mention<'_>> {
    let (name, object) = match callee.kind() {
        "identifier" => (callee, None),
        "navigation_expression" => (callee.named_children().last()?, callee.first_child()),
        _ => return None,
    };
    let is_name = name.kind() == "identifier" && mention::is_name(name.text());
    is_name.then(|| Mention::new(Kind::Call, name).of(object))
}

fn import<'tree>(visit: &Visit<'_, 'tree>) -> Option<Mention<'tree>> {
    let path = visit.child("qualified_identifier")?;
    if let Some(everything) = visit.child("*") {
        return Some(Mention::new(Kind::Import, everything).qualifier(path.text()));
    }
    let name = path.named_children().last()?;
    Some(qualified(Kind::Import, path, name).alias(visit.child("identifier")))
}

fn type_use<'tree>(visit: &Visit<'_, 'tree>) -> Option<Mention<'tree>> {
    let name = visit.node.named_children().filter(|child| child.kind() == "identifier").last()?;
    // `Base(1)` and `Base by other` are one level further in.
    let round = visit.node.parent();
    let round =
        round.filter(|round| !matches!(round.kind(), "constructor_invocation" | "explicit_delegation"));
    let is_base =
        round.or_else(|| visit.ancestor(2)).is_some_and(|round| round.kind() == "delegation_specifier");
    Some(qualified(if is_base { Kind::Inherit } else { Kind::Type }, visit.node, name))
}

/// The mention of the name that a path ends in.
fn qualified<'tree>(kind: Kind, path: Node<'tree>, name: Node<'tree>) -> Mention<'tree> {
    let before = path.text().get(..(name.start() - path.start()) as usize).unwrap_or("");
    let before: String = before.split_ascii_whitespace().collect();
    Mention::new(kind, name).qualifier(before.trim_end_matches('.'))
}
