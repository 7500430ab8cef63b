//! JavaScript with JSX; TypeScript's folder builds on it.

mod references;

#[cfg(feature = "javascript")]
use super::Spec;
use crate::annotation::{Branch, Modifier, Parameter, one_line, type_text};
use crate::mention;
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};
pub(super) use references::refer;

#[cfg(feature = "javascript")]
pub(crate) static JAVASCRIPT: Spec = Spec::new(
    "javascript",
    &["js", "cjs", "jsx", "mjs"],
    "tree-sitter-javascript",
    "0.25.0",
    || tree_sitter_javascript::LANGUAGE.into(),
    super::Syntax {
        definitions: &[
            "assignment_expression",
            "class",
            "class_declaration",
            "export_specifier",
            "export_statement",
            "field_definition",
            "function_declaration",
            "function_expression",
            "generator_function",
            "generator_function_declaration",
            "method_definition",
            "namespace_export",
            "pair",
            "variable_declarator",
        ],
        define: |visit, found| {
            if !define_field_of_this(visit, found) {
                define(visit, found);
            }
        },
        wrappers: &[
            "export_statement",
            "expression_statement",
            "lexical_declaration",
            "using_declaration",
            "variable_declaration",
        ],
        attributes: &["decorator"],
        comments: &["comment"],
        is_doc,
        opaque: &["regex", "string"],
        members: &["class_body"],
        calls: &[("new_expression", "constructor")],
        references: &[
            "call_expression",
            "class_heritage",
            "decorator",
            "export_specifier",
            "export_statement",
            "import_statement",
            "jsx_opening_element",
            "jsx_self_closing_element",
            "namespace_export",
        ],
        refer,
        branches: BRANCHES,
        parameters,
        ..super::Syntax::NONE
    },
)
.interpreters(&["bun", "deno", "node", "nodejs"]);

/// What the grammars of JavaScript and TypeScript have in common.
pub(super) const BRANCHES: &[(&str, Branch)] = &[
    ("if_statement", Branch::If),
    ("else_clause", Branch::Else),
    ("for_statement", Branch::Loop),
    ("for_in_statement", Branch::Loop),
    ("while_statement", Branch::Loop),
    ("do_statement", Branch::Loop),
    ("switch_statement", Branch::Switch),
    ("switch_case", Branch::Case),
    ("catch_clause", Branch::Catch),
    ("ternary_expression", Branch::Ternary),
    ("&&", Branch::Logical),
    ("||", Branch::Logical),
    // What a value is unless there is one is a decision, but short for one that would be harder to read.
    ("??", Branch::Decision),
    ("&&=", Branch::Decision),
    ("||=", Branch::Decision),
    ("??=", Branch::Decision),
    ("assignment_pattern", Branch::Decision),
    ("object_assignment_pattern", Branch::Decision),
    ("break_statement", Branch::Jump),
    ("continue_statement", Branch::Jump),
    ("arrow_function", Branch::Lambda),
    ("function_expression", Branch::Lambda),
    ("generator_function", Branch::Lambda),
];

/// How many nodes that only wrap an expression, such as parentheses, are looked through.
const MAX_WRAPS: usize = 4;

/// Any comment but those for tools.
pub(super) fn is_doc(comment: &str) -> bool {
    let text = comment.trim_start_matches(['/', '*', '!', ' ']);
    !["eslint", "@ts-", "prettier-", "istanbul", "c8 ", "biome-", "#region", "#endregion", "global "]
        .iter()
        .any(|tool| text.starts_with(tool))
}

pub(super) fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "function_declaration" | "generator_function_declaration" => {
            push_named(visit, found, Kind::Function, module_visibility(visit));
        }
        "class_declaration" => push_named(visit, found, Kind::Class, module_visibility(visit)),
        "function_expression" | "generator_function" if !is_bound(visit.node) => {
            push_named(visit, found, Kind::Function, None);
        }
        "class" if !is_bound(visit.node) => push_named(visit, found, Kind::Class, None),
        "method_definition" => {
            let Some(name) = visit.field("name") else { return };
            let kind = match name.text() {
                "constructor" if visit.parent_kind() == "class_body" => Kind::Constructor,
                _ if is_accessor(visit.node) => Kind::Property,
                _ => Kind::Method,
            };
            push_member(visit, found, kind, name, visit.field("body"), Some(visit.node));
        }
        "field_definition" => {
            let Some(name) = visit.field("property") else { return };
            push_bound_member(visit, found, Kind::Field, name, visit.field("value"));
        }
        "variable_declarator" => define_variable(visit, found),
        "assignment_expression" => define_assigned(visit, found),
        "pair" => define_pair(visit, found),
        "export_statement" => define_default_export(visit, found),
        "export_specifier" => define_exported(visit, found),
        "namespace_export" => {
            let Some(name) = visit.node.named_children().next() else { return };
            let definition = Definition::new(Kind::Namespace, name).name_text(plain(name));
            let definition = definition.modifier(Modifier::Reexport).modifier(Modifier::Export);
            found.push(definition.visibility(Some(Visibility::Public)));
        }
        _ => {}
    }
}

/// What a declaration binds to a name: functions and classes anywhere, other values where they are the module's.
fn define_variable<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    let Some(target) = visit.field("name") else { return };
    let value = visit.field("value").map(unwrapped);
    let function = value.filter(|value| is_function(*value) || is_class(*value));
    let kind = match function {
        Some(value) if is_class(value) => Kind::Class,
        Some(_) => Kind::Function,
        None if !is_of_module(visit) => return,
        None if is_declared_constant(visit) => Kind::Constant,
        None => Kind::Variable,
    };
    let visibility = module_visibility(visit);
    if target.kind() == "identifier" {
        let definition = Definition::new(kind, target).body(value.and_then(body_of_value)).function(function);
        found.push(definition.visibility(visibility));
    } else {
        let names = bound_names(target).into_iter();
        found.extend(names.map(|name| Definition::new(kind, name).visibility(visibility)));
    }
}

/// The names that a pattern binds: `a`, `c`, `d` and `e` of `{ a, b: [c], d = 1, ...e }`.
fn bound_names(pattern: Node<'_>) -> Vec<Node<'_>> {
    let mut names = Vec::new();
    let mut skipped = 0;
    for node in pattern.descendants() {
        if node.row() < skipped {
            continue;
        }
        match (node.kind(), node.field_name()) {
            // What is taken apart, and what is taken if there is nothing.
            (_, "key" | "right") => skipped = node.next_row(),
            ("identifier" | "shorthand_property_identifier_pattern", _) => names.push(node),
            _ => {}
        }
    }
    names
}

/// A member of an object literal, if its value is a function or class, or the literal is all that a name of the
/// module stands for.
fn define_pair<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(key) = visit.field("key") else { return };
    let value = visit.field("value");
    let bound = value.map(unwrapped);
    if !bound.is_some_and(|value| is_function(value) || is_class(value)) {
        let is_named = key.kind() == "property_identifier"
            || key.kind() == "string" && mention::is_name(key.text().trim_matches(['"', '\'']));
        if !is_named || key.text() == "constructor" || !is_member_of_definition(visit) {
            return;
        }
    }
    push_bound_member(visit, found, SymbolKind::Property, key, value);
}

/// Whether the object literal that the node is a member of is all that a definition stands for, or a prototype.
fn is_member_of_definition(visit: &Visit<'_, '_>) -> bool {
    let Some(literal) = visit.ancestor(1) else { return false };
    let holder = holder_of(literal);
    let is_value = holder.is_some_and(|holder| {
        matches!(holder.kind(), "assignment_expression" | "export_statement" | "variable_declarator")
            && visit.is_in_scope_of(holder)
    });
    is_value || !visit.in_code() && prototype_of(literal).is_some()
}

/// What holds the value that an expression stands for, looking through what only wraps it.
fn holder_of(expression: Node<'_>) -> Option<Node<'_>> {
    let mut node = expression;
    for _ in 0..MAX_WRAPS {
        let parent = node.parent()?;
        node = match parent.kind() {
            kind if is_wrap(kind) => parent,
            // What is frozen is still what it was.
            "arguments" => {
                let call = parent.parent()?;
                let function = call.first_child().filter(|function| function.text() == "Object.freeze");
                function.map(|_| call)?
            }
            _ => return Some(parent),
        };
    }
    None
}

/// The class to whose prototype an object literal adds: `A` of `A.prototype = {}` and
/// `Object.assign(A.prototype, {})`.
fn prototype_of(literal: Node<'_>) -> Option<&str> {
    let parent = literal.parent()?;
    let target = match parent.kind() {
        "assignment_expression" => parent.field("left")?,
        "arguments" => {
            let function = parent.parent()?.first_child()?;
            parent.named_children().next().filter(|_| function.text() == "Object.assign")?
        }
        _ => return None,
    };
    target.text().strip_suffix(".prototype").filter(|class| is_plain_name(class))
}

/// `exports.name = function () {}`, `Name.prototype.method = () => {}` and their like.
fn define_assigned<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
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
fn aliases(assignment: Node<'_>, kind: SymbolKind) -> impl Iterator<Item = Definition<'_>> {
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
fn define_module_exports<'tree>(
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
fn define_export<'tree>(
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

/// `require("module")`, or a member of it.
fn is_require(value: Node<'_>) -> bool {
    let call = match value.kind() {
        "member_expression" => value.field("object"),
        _ => Some(value),
    };
    call.and_then(references::module_of_call).is_some()
}

/// `export default` of something that has no name, and TypeScript's `export =` and `export as namespace`.
fn define_default_export<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
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
fn define_exported<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
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

/// `this.name = value` in a constructor makes a field, the first time; methods are [`define_assigned`]'s. Whether it
/// is one.
#[cfg(feature = "javascript")]
fn define_field_of_this<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) -> bool {
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

/// What a module is called that gives no name to what it exports: as its file.
fn name_of_module(visit: &Visit<'_, '_>) -> String {
    let stem = visit.stem.strip_suffix(".d").unwrap_or(visit.stem);
    if stem.is_empty() { "default" } else { stem }.to_owned()
}

pub(super) fn push_named<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    visibility: Option<Visibility>,
) {
    if let Some(name) = visit.field("name") {
        found.push(Definition::new(kind, name).body(visit.field("body")).visibility(visibility));
    }
}

/// A member of a class or an object literal that is bound to a value: a method if that is a function, else of the
/// kind.
pub(super) fn push_bound_member<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    name: Node<'tree>,
    value: Option<Node<'tree>>,
) {
    let value = value.map(unwrapped);
    let function = value.filter(|value| is_function(*value));
    let kind = match value {
        _ if function.is_some() => SymbolKind::Method,
        Some(value) if is_class(value) => SymbolKind::Class,
        _ => kind,
    };
    push_member(visit, found, kind, name, value.and_then(body_of_value), function);
}

/// A member of a class or an object literal.
pub(super) fn push_member<'tree>(
    visit: &Visit<'_, 'tree>,
    found: &mut Definitions<'tree>,
    kind: SymbolKind,
    name: Node<'tree>,
    body: Option<Node<'tree>>,
    function: Option<Node<'tree>>,
) {
    let modifier = visit.child("accessibility_modifier").map(|node| node.text());
    let visibility = match modifier {
        Some(word) => word.parse().ok(),
        None if name.kind() == "private_property_identifier" => Some(Visibility::Private),
        None => Some(Visibility::Public),
    };
    let mut definition = Definition::new(kind, name).body(body).visibility(visibility);
    definition.function =
        function.filter(|_| matches!(kind, SymbolKind::Property) || function != Some(visit.node));
    if matches!(name.kind(), "string" | "computed_property_name") {
        definition = definition.name_text(plain(name));
    }
    if let Some(class) = visit.ancestor(1).and_then(prototype_of) {
        definition.qualifier = Some(class.replace('.', "::"));
    }
    found.push(definition);
}

/// Exported or declared is public; anything else of a module is its own.
pub(super) fn module_visibility(visit: &Visit<'_, '_>) -> Option<Visibility> {
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
fn is_in_declared_namespace(visit: &Visit<'_, '_>) -> bool {
    let block = std::iter::successors(visit.ancestor(1), |node| node.parent())
        .take(MAX_WRAPS)
        .find(|node| node.kind() == "statement_block");
    block.and_then(|block| block.ancestor(2)).is_some_and(|owner| owner.kind() == "ambient_declaration")
}

/// A name without its quotes or brackets.
pub(super) fn plain(name: Node<'_>) -> &str {
    let text = name.text();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.trim().trim_matches(['"', '\'', '`'])
}

/// Names joined by dots.
fn is_plain_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.'))
}

pub(super) fn is_accessor(method: Node<'_>) -> bool {
    method.child("get").or_else(|| method.child("set")).is_some()
}

pub(super) fn is_function(value: Node<'_>) -> bool {
    matches!(
        value.kind(),
        "arrow_function"
            | "function_expression"
            | "generator_function"
            | "function_declaration"
            | "generator_function_declaration"
    )
}

pub(super) fn is_class(value: Node<'_>) -> bool {
    matches!(value.kind(), "class" | "class_declaration" | "abstract_class_declaration")
}

fn kind_of_value(value: Node<'_>) -> SymbolKind {
    if is_function(value) {
        SymbolKind::Function
    } else if is_class(value) {
        SymbolKind::Class
    } else {
        SymbolKind::Constant
    }
}

/// Whether an expression only wraps another one.
fn is_wrap(kind: &str) -> bool {
    matches!(
        kind,
        "as_expression"
            | "non_null_expression"
            | "parenthesized_expression"
            | "satisfies_expression"
            | "type_assertion"
    )
}

/// The expression inside of parentheses, type assertions and their like.
fn unwrapped(value: Node<'_>) -> Node<'_> {
    let mut node = value;
    for _ in 0..MAX_WRAPS {
        if !is_wrap(node.kind()) {
            break;
        }
        // The type of `<T>value` comes first.
        let is_type = |child: &Node<'_>| child.kind() == "type_arguments";
        match node.named_children().find(|child| !is_type(child)) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// Whether a function or class that is an expression is known by the name of what holds it, or is only there to be
/// called.
fn is_bound(value: Node<'_>) -> bool {
    let mut outer = value;
    for _ in 0..MAX_WRAPS {
        match outer.parent() {
            Some(parent) if is_wrap(parent.kind()) => outer = parent,
            _ => break,
        }
    }
    let is_held = match outer.parent_kind() {
        "assignment_expression" => {
            let target = outer.parent().and_then(|assignment| assignment.field("left"));
            outer.field_name() == "right"
                && target.is_some_and(|target| matches!(target.kind(), "identifier" | "member_expression"))
        }
        "field_definition" | "pair" | "public_field_definition" | "variable_declarator" => {
            outer.field_name() == "value"
        }
        _ => false,
    };
    is_held || is_called_on_the_spot(value)
}

/// `(function () {})()`, also with `!` for the parentheses, and what is given to such a function or to a loader of
/// modules.
fn is_called_on_the_spot(function: Node<'_>) -> bool {
    let mut node = function;
    for _ in 0..MAX_WRAPS {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "parenthesized_expression" | "member_expression" => node = parent,
            "call_expression" => return parent.first_child() == Some(node),
            "arguments" => {
                let called = parent.parent().and_then(Node::first_child).map(unwrapped);
                return called.is_some_and(|called| {
                    is_function(called) || matches!(called.text(), "define" | "require" | "requirejs")
                });
            }
            _ => return false,
        }
    }
    false
}

/// Whether what is declared or assigned is the module's or the namespace's, not that of a block or function; a function
/// that is there to be called once stands for the module.
fn is_of_module(visit: &Visit<'_, '_>) -> bool {
    let mut holder = visit.ancestor(2);
    for _ in 0..2 {
        holder = holder
            .filter(|node| matches!(node.kind(), "ambient_declaration" | "export_statement"))
            .map_or(holder, Node::parent);
    }
    let Some(holder) = holder.filter(|_| !visit.in_code()) else { return false };
    match holder.kind() {
        "program" | "ERROR" => true,
        "statement_block" => holder.parent().is_some_and(|owner| match owner.kind() {
            "ambient_declaration" | "internal_module" | "module" => true,
            "arrow_function" | "function_expression" => is_called_on_the_spot(owner),
            _ => false,
        }),
        _ => false,
    }
}

/// Where the signature of what a name is bound to ends: at the body of a function or class, or before a literal's
/// members.
pub(super) fn body_of_value(value: Node<'_>) -> Option<Node<'_>> {
    match value.kind() {
        "object" | "array" => Some(value),
        _ => value.field("body"),
    }
}

fn is_declared_constant(visit: &Visit<'_, '_>) -> bool {
    let declaration = visit.ancestor(1);
    let keyword = declaration.and_then(Node::first_child);
    keyword.is_some_and(|first| matches!(first.kind(), "await" | "const" | "using"))
}

/// The parameters of JavaScript, and of TypeScript, whose grammar wraps each in a node of its own.
pub(super) fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let is_rest = |node: Node<'_>| node.kind() == "rest_pattern";
    let parameter = match node.kind() {
        "required_parameter" | "optional_parameter" => {
            let pattern = node.field("pattern");
            let default = node.field("value").map(one_line);
            Parameter {
                name: pattern.map(one_line).unwrap_or_default(),
                type_name: node.field("type").map(type_text),
                optional: node.kind() == "optional_parameter"
                    || default.is_some()
                    || pattern.is_some_and(is_rest),
                default,
            }
        }
        "assignment_pattern" => Parameter {
            name: node.field("left").map(one_line).unwrap_or_default(),
            optional: true,
            default: node.field("right").map(one_line),
            ..Parameter::default()
        },
        "identifier" | "array_pattern" | "object_pattern" | "rest_pattern" => {
            Parameter { name: one_line(node), optional: is_rest(node), ..Parameter::default() }
        }
        _ => return,
    };
    parameters.push(parameter);
}
