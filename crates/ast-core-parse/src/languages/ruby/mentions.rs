//! What Ruby code mentions.

use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::Visit;
use ast_core_model::ReferenceKind as Kind;

pub(super) fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    match visit.kind() {
        "call" => {
            let Some(method) = visit.field("method") else { return };
            match import(visit, method) {
                Some(import) => mentions.push(import),
                None if mention::is_name(method.text()) => {
                    mentions.push(Mention::new(Kind::Call, method).of(visit.field("receiver")));
                }
                None => {}
            }
        }
        // With arguments it is the method of a call.
        "super" if visit.node.field_name() != "method" => mentions.push(Mention::new(Kind::Call, visit.node)),
        "constant" => mentions.extend(constant(visit)),
        _ => {}
    }
}

/// `require "path/name"` and its like.
fn import<'tree>(visit: &Visit<'_, 'tree>, method: Node<'tree>) -> Option<Mention<'tree>> {
    let word = method.text();
    if !matches!(word, "autoload" | "load" | "require" | "require_relative")
        || visit.field("receiver").is_some()
    {
        return None;
    }
    let mut arguments = visit.field("arguments")?.named_children();
    let first = arguments.next()?;
    let content = |string: Node<'tree>| {
        let content = string.first_child().filter(|content| content.kind() == "string_content")?;
        (string.kind() == "string" && content.next_sibling().is_none()).then_some(content)
    };
    if word == "autoload" {
        let path = content(arguments.next()?)?;
        return Some(
            Mention::new(Kind::Import, first)
                .name_text(first.text().trim_start_matches(':'))
                .qualifier(path.text()),
        );
    }
    let path = content(first)?;
    let (folder, name) = path.text().rsplit_once('/').unwrap_or(("", path.text()));
    let folder = match word {
        "require_relative" if folder.is_empty() => ".".to_owned(),
        "require_relative" if !folder.starts_with('.') => format!("./{folder}"),
        _ => folder.to_owned(),
    };
    Some(Mention::new(Kind::Import, path).name_text(name).qualifier(folder))
}

/// The use of a class or module.
fn constant<'tree>(visit: &Visit<'_, 'tree>) -> Option<Mention<'tree>> {
    let name = visit.node;
    let parent = name.parent()?;
    // What it is the last name of.
    let path = if parent.kind() == "scope_resolution" && name.field_name() == "name" { parent } else { name };
    let round = path.parent()?;
    let field = path.field_name();
    let is_defined = match round.kind() {
        "class" | "module" => field == "name",
        "assignment" | "operator_assignment" => field == "left",
        "left_assignment_list" => true,
        "call" => field == "method",
        "singleton_method" => field == "object",
        "scope_resolution" => field == "scope",
        _ => false,
    };
    if is_defined {
        return None;
    }
    let call = round.parent().filter(|call| round.kind() == "argument_list" && call.kind() == "call");
    let method = |call: Node<'tree>| call.field("method").map_or("", Node::text);
    let is_inherited = round.kind() == "superclass"
        || call.is_some_and(|call| match call.field("receiver").map(Node::text) {
            None => !visit.in_code() && matches!(method(call), "extend" | "include" | "prepend"),
            Some(maker) => maker.trim_start_matches("::") == "Class" && method(call) == "new",
        });
    let kind = if is_inherited { Kind::Inherit } else { Kind::Type };
    // In capitals it is rather a value.
    let is_type = is_inherited
        || name.text().contains(char::is_lowercase)
        || round.kind() == "exceptions"
        || round.kind() == "call" && field == "receiver" && method(round) == "new";
    is_type.then(|| Mention::new(kind, name).of(path.field("scope")))
}
