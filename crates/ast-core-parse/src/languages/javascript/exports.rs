//! What a module exports by `export`, and who can see what it defines.

use super::value::{MAX_WRAPS, body_of_value, is_class, is_function, kind_of_value, plain, unwrapped};
use crate::annotation::Modifier;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

/// `export default` of something that has no name, and TypeScript's `export =` and `export as namespace`.
pub(super) fn define_default_export<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let mut sign = None;
    let mut value = None;
    let mut is_namespace = false;
    for child in visit.node.children() {
        match child.kind() {
            "default" | "=" => sign = Some(child),
            "namespace" => is_namespace = true,
            _ if child.is_named() && child.kind() != "decorator" => value = Some(child),
            _ => {}
        }
    }
    let Some(value) = value.map(unwrapped) else { return };
    if is_namespace {
        let definition = Definition::new(SymbolKind::Namespace, value).modifier(Modifier::Export);
        found.push(definition.visibility(Some(Visibility::Public)));
        return;
    }
    let Some(sign) = sign else { return };
    if value.kind() == "identifier" {
        found.push(Definition::publishing(value));
        return;
    }
    // What has a name speaks for itself.
    if value.field("name").is_some() {
        return;
    }
    let function = Some(value).filter(|value| is_function(*value) || is_class(*value));
    let definition = Definition::new(kind_of_value(value), sign).name_text(name_of_module(visit));
    let definition = definition.body(body_of_value(value)).function(function).modifier(Modifier::Default);
    found.push(definition.visibility(Some(Visibility::Public)));
}

/// A name of `export { a, b as c } from "module"`, which are the other module's, or of `export { a, b as c }`.
pub(super) fn define_exported<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(name) = visit.field("name") else { return };
    let alias = visit.field("alias");
    let exported = alias.unwrap_or(name);
    let is_reexport = visit.ancestor(2).is_some_and(|statement| statement.field("source").is_some());
    let text = match plain(exported) {
        "default" if is_reexport => name_of_module(visit),
        text => text.to_owned(),
    };
    let mut definition = Definition::new(SymbolKind::Variable, exported).modifier(Modifier::Export);
    if is_reexport {
        definition = definition.modifier(Modifier::Reexport);
    } else {
        found.push(Definition::publishing(name));
        if text == name.text() || text == "default" {
            return;
        }
    }
    found.push(definition.name_text(text).visibility(Some(Visibility::Public)));
}

/// What a module is called that gives no name to what it exports: as its file.
pub(super) fn name_of_module(visit: &Visit<'_, '_>) -> String {
    let stem = visit.stem.strip_suffix(".d").unwrap_or(visit.stem);
    if stem.is_empty() { "default" } else { stem }.to_owned()
}

/// Exported or declared is public; anything else of a module is its own.
pub(in crate::languages) fn module_visibility(visit: &Visit<'_, '_>) -> Option<Visibility> {
    if visit.is_wrapped_in("export_statement") || visit.is_wrapped_in("ambient_declaration") {
        Some(Visibility::Public)
    } else if visit.in_code() {
        None
    } else if visit.stem.ends_with(".d")
        || visit.enclosing_kind() == Some(SymbolKind::Module)
        || is_in_declared_namespace(visit)
    {
        // Nothing is kept back where all is declared.
        Some(Visibility::Public)
    } else {
        Some(Visibility::Private)
    }
}

/// Whether the definition is a member of a namespace that is declared to be there.
pub(super) fn is_in_declared_namespace(visit: &Visit<'_, '_>) -> bool {
    let block = std::iter::successors(visit.ancestor(1), |node| node.parent())
        .take(MAX_WRAPS)
        .find(|node| node.kind() == "statement_block");
    block.and_then(|block| block.ancestor(2)).is_some_and(|owner| owner.kind() == "ambient_declaration")
}
