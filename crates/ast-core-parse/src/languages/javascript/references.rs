//! What JavaScript and TypeScript mention: imports, also by `require`, calls, components in JSX, and superclasses.

use super::value::{MAX_WRAPS, is_wrap, plain};
use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::Visit;
use ast_core_model::ReferenceKind;

pub(in crate::languages) fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    let node = visit.node;
    match node.kind() {
        "call_expression" => {
            if let Some(module) = module_of_call(node) {
                import_by_call(node, module, mentions);
            }
            mentions.extend(node.first_child().and_then(call));
        }
        // A component is called when it is shown; the names of elements begin in lower case.
        "jsx_opening_element" | "jsx_self_closing_element" => {
            let is_component = |name: &Node<'_>| {
                name.kind() == "member_expression"
                    || name.text().starts_with(|first: char| !first.is_lowercase())
            };
            mentions.extend(visit.field("name").filter(is_component).and_then(call));
        }
        // One that is called is a call like others.
        "decorator" => {
            let function = node.named_children().next().filter(|inner| inner.kind() != "call_expression");
            mentions.extend(function.and_then(call));
        }
        "class_heritage" => mentions.extend(node.named_children().next().and_then(inherited)),
        "extends_clause" => {
            mentions.extend(node.children_in("value").filter_map(inherited));
        }
        "import_statement" => import(node, mentions),
        "import_alias" => {
            let mut names = node.named_children();
            if let (Some(alias), Some(target)) = (names.next(), names.next()) {
                let mention = mention::named(ReferenceKind::Import, target);
                mentions.extend(mention.map(|mention| mention.alias(Some(alias))));
            }
        }
        "export_statement" => {
            if let (Some(sign), Some(module)) = (visit.child("*"), visit.field("source")) {
                mentions.push(Mention::new(ReferenceKind::Import, sign).qualifier(plain(module)));
            }
        }
        "namespace_export" => {
            let module = visit.ancestor(1).and_then(|statement| statement.field("source"));
            if let (Some(sign), Some(module)) = (visit.child("*"), module) {
                let alias = node.named_children().next();
                mentions.push(imported(sign, alias, plain(module)));
            }
        }
        "export_specifier" => {
            let module = visit.ancestor(2).and_then(|statement| statement.field("source"));
            if let (Some(name), Some(module)) = (visit.field("name"), module) {
                mentions.push(imported(name, visit.field("alias"), plain(module)));
            }
        }
        _ => {}
    }
}

/// The call of what an expression names; that of a call's result, or of a function written there, names nothing.
fn call(function: Node<'_>) -> Option<Mention<'_>> {
    let is_nameless = matches!(function.kind(), "call_expression" | "import" | "parenthesized_expression");
    mention::named(ReferenceKind::Call, function).filter(|_| !is_nameless)
}

/// What a class extends; for a call, the function that makes the superclass.
fn inherited(expression: Node<'_>) -> Option<Mention<'_>> {
    mention::named(ReferenceKind::Inherit, expression)
}

/// The import of a name, or of everything by the sign for it.
fn imported<'tree>(name: Node<'tree>, alias: Option<Node<'_>>, module: &str) -> Mention<'tree> {
    let mut mention = Mention::new(ReferenceKind::Import, name).name_text(plain(name)).qualifier(module);
    mention.alias = alias.map(|alias| plain(alias).to_owned());
    mention
}

/// The import of a module as a whole; `alias` is what the module is called here.
fn imported_module<'tree>(module: Node<'tree>, alias: Option<Node<'_>>) -> Mention<'tree> {
    let path = plain(module);
    let last = path.trim_end_matches('/').rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(path);
    let mention = Mention::new(ReferenceKind::Import, module).name_text(last).qualifier(path);
    mention.alias(alias.filter(|alias| alias.text() != last))
}

/// `import a, { b as c } from "module"`, and TypeScript's `import a = require("module")`.
fn import<'tree>(statement: Node<'tree>, mentions: &mut Mentions<'tree>) {
    if let Some(clause) = statement.child("import_require_clause") {
        let module = clause.field("source");
        mentions.extend(module.map(|module| imported_module(module, clause.named_children().next())));
        return;
    }
    let Some(module) = statement.field("source") else { return };
    let Some(clause) = statement.child("import_clause") else {
        mentions.push(imported_module(module, None));
        return;
    };
    let path = plain(module);
    for child in clause.named_children() {
        match child.kind() {
            "identifier" => {
                mentions.push(imported(child, Some(child), path).name_text("default"));
            }
            "namespace_import" => {
                let alias = child.named_children().next();
                mentions.extend(child.first_child().map(|sign| imported(sign, alias, path)));
            }
            _ => {
                for specifier in child.named_children() {
                    let name = specifier.field("name");
                    mentions.extend(name.map(|name| imported(name, specifier.field("alias"), path)));
                }
            }
        }
    }
}

/// The module that a call of `require` or `import` brings.
pub(super) fn module_of_call(call: Node<'_>) -> Option<Node<'_>> {
    let function = call.first_child().filter(|_| call.kind() == "call_expression")?;
    let is_import =
        function.kind() == "import" || function.kind() == "identifier" && function.text() == "require";
    let arguments = call.field("arguments").filter(|_| is_import)?;
    arguments.named_children().next().filter(|module| module.kind() == "string")
}

/// `const { a, b: c } = require("module")` and the like: what is bound says what is imported.
fn import_by_call<'tree>(call: Node<'tree>, module: Node<'tree>, mentions: &mut Mentions<'tree>) {
    let mut value = call;
    let mut member = None;
    for _ in 0..MAX_WRAPS {
        let Some(parent) = value.parent() else { break };
        if parent.kind() == "member_expression" && member.is_none() {
            member = parent.field("property");
        } else if !is_wrap(parent.kind()) && parent.kind() != "await_expression" {
            break;
        }
        value = parent;
    }
    let declarator = value.parent().filter(|parent| parent.kind() == "variable_declarator");
    let target = declarator.and_then(|declarator| declarator.field("name"));
    let identifier = target.filter(|target| target.kind() == "identifier");
    match (member, target) {
        (Some(member), _) => {
            let alias = identifier.filter(|alias| alias.text() != member.text());
            mentions.push(imported(member, alias, plain(module)));
        }
        (None, Some(pattern)) if pattern.kind() == "object_pattern" => {
            import_pattern(pattern, plain(module), mentions);
        }
        _ => mentions.push(imported_module(module, identifier)),
    }
}

fn import_pattern<'tree>(pattern: Node<'tree>, module: &str, mentions: &mut Mentions<'tree>) {
    let without_default = |node: Node<'tree>| node.field("left").unwrap_or(node);
    for member in pattern.named_children().map(without_default) {
        match member.kind() {
            "shorthand_property_identifier_pattern" => mentions.push(imported(member, None, module)),
            "pair_pattern" => {
                let alias =
                    member.field("value").map(without_default).filter(|value| value.kind() == "identifier");
                mentions.extend(member.field("key").map(|key| imported(key, alias, module)));
            }
            _ => {}
        }
    }
}
