//! Ruby.

mod mentions;

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier, Parameter, one_line};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{SymbolKind, Visibility};

pub(crate) static RUBY: Spec = Spec::new(
    "ruby",
    &["rb", "gemspec", "podspec", "rake", "ru"],
    "tree-sitter-ruby",
    "0.23.1",
    || tree_sitter_ruby::LANGUAGE.into(),
    Syntax {
        definitions: &[
            "alias",
            "assignment",
            "call",
            "class",
            "method",
            "module",
            "operator_assignment",
            "singleton_method",
        ],
        define,
        // `private def name`
        outer_wrappers: &["argument_list", "call"],
        is_wrapper: |node| {
            let arguments = node.field("arguments").unwrap_or(node);
            let word = node.text().get(..(arguments.start() - node.start()) as usize);
            word.is_some_and(|word| !word.contains(['\n', '.']))
        },
        comments: &["comment"],
        is_doc: |comment| {
            let text = comment.trim_start_matches(['#', '!', ' ']);
            !["/usr", "-*-", ":nodoc:", "encoding:", "frozen_string_literal:", "rubocop:", "typed:"]
                .iter()
                .any(|tool| text.starts_with(tool))
        },
        sections: &["identifier"],
        is_section: |name| {
            matches!(name.text(), "private" | "protected" | "public")
                && matches!(name.parent_kind(), "body_statement" | "program")
        },
        members: &["class", "module", "singleton_class"],
        references: &["call", "constant", "super"],
        refer: mentions::refer,
        branches: &[
            ("if", Branch::If),
            ("if_modifier", Branch::If),
            ("unless", Branch::If),
            ("unless_modifier", Branch::If),
            ("elsif", Branch::ElseIf),
            ("else", Branch::Else),
            ("conditional", Branch::Ternary),
            ("for", Branch::Loop),
            ("until", Branch::Loop),
            ("until_modifier", Branch::Loop),
            ("while", Branch::Loop),
            ("while_modifier", Branch::Loop),
            ("case", Branch::Switch),
            ("case_match", Branch::Switch),
            ("when", Branch::Case),
            ("in_clause", Branch::Case),
            ("if_guard", Branch::Decision),
            ("unless_guard", Branch::Decision),
            ("rescue", Branch::Catch),
            ("rescue_modifier", Branch::Catch),
            ("&&", Branch::Logical),
            ("and", Branch::Logical),
            ("||", Branch::Logical),
            ("or", Branch::Logical),
            ("&&=", Branch::Decision),
            ("||=", Branch::Decision),
            ("block", Branch::Lambda),
            ("do_block", Branch::Lambda),
        ],
        parameters,
        ..Syntax::NONE
    },
)
.highlights(&[tree_sitter_ruby::HIGHLIGHTS_QUERY])
.file_names(&[
    "Brewfile",
    "Capfile",
    "Fastfile",
    "Gemfile",
    "Guardfile",
    "Podfile",
    "Rakefile",
    "Vagrantfile",
])
.interpreters(&["jruby", "ruby"]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    use SymbolKind as Kind;
    match visit.kind() {
        "class" | "module" => {
            let kind = if visit.kind() == "class" { Kind::Class } else { Kind::Module };
            let Some(path) = visit.field("name") else { return };
            found.push(of_path(kind, path).body(body(visit)).visibility(Some(Visibility::Public)));
        }
        "method" | "singleton_method" => define_method(visit, found),
        "alias" => {
            // The new name is the first.
            let Some(name) = visit.field("name").filter(|name| name.kind() != "global_variable") else {
                return;
            };
            found.push(method(visit, name).name_text(symbol_name(name)));
        }
        "assignment" | "operator_assignment" => {
            let Some(left) = visit.field("left") else { return };
            let value = visit.field("right");
            match left.kind() {
                "left_assignment_list" => {
                    found.extend(left.named_children().filter_map(|target| bound(visit, target, None)));
                }
                _ => found.extend(bound(visit, left, value)),
            }
        }
        "call" => define_called(visit, found),
        _ => {}
    }
}

/// Where the signature ends.
fn body<'tree>(visit: &Visit<'_, 'tree>) -> Option<Node<'tree>> {
    visit.field("body").or_else(|| visit.child("end"))
}

fn is_type(kind: Option<SymbolKind>) -> bool {
    matches!(kind, Some(SymbolKind::Class | SymbolKind::Module))
}

fn method<'tree>(visit: &Visit<'_, 'tree>, name: Node<'tree>) -> Definition<'tree> {
    let kind = match is_type(visit.enclosing_kind()) {
        true => SymbolKind::Method,
        false => SymbolKind::Function,
    };
    Definition::new(kind, name).visibility(Some(visibility(visit)))
}

fn define_method<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(name) = visit.field("name") else { return };
    let mut definition = method(visit, name).body(body(visit));
    if definition.kind == SymbolKind::Method && name.text() == "initialize" {
        definition.kind = SymbolKind::Constructor;
    }
    let object = visit.field("object");
    // The methods of `class << self` are two levels down.
    let is_static =
        object.is_some() || visit.ancestor(2).is_some_and(|node| node.kind() == "singleton_class");
    if let Some(class) = object.filter(|object| matches!(object.kind(), "constant" | "scope_resolution")) {
        definition.kind = SymbolKind::Method;
        if visit.enclosing().is_none_or(|enclosing| *enclosing.name != *class.text()) {
            definition.qualifier = Some(class.text().to_owned());
        }
    }
    let is_static = is_static && definition.kind == SymbolKind::Method;
    found.push(if is_static { definition.modifier(Modifier::Static) } else { definition });
}

/// The definition that an assignment to a target is, if it is one.
fn bound<'tree>(
    visit: &Visit<'_, 'tree>,
    target: Node<'tree>,
    value: Option<Node<'tree>>,
) -> Option<Definition<'tree>> {
    use SymbolKind as Kind;
    // A long value is not part of the signature.
    let long_value = value.filter(|value| value.len() > 80);
    let lambda = value.filter(|value| value.kind() == "lambda");
    match target.kind() {
        "constant" | "scope_resolution" => {
            let (kind, body) = match value.and_then(|value| made_type(value).map(|kind| (kind, value))) {
                Some((kind, value)) => (kind, value.field("block")),
                None if lambda.is_some() => (Kind::Function, lambda.and_then(|lambda| lambda.field("body"))),
                None => (Kind::Constant, long_value),
            };
            let definition = of_path(kind, target).body(body).function(lambda);
            Some(definition.visibility(Some(Visibility::Public)))
        }
        "identifier" => {
            let definition = Definition::new(Kind::Function, target).function(lambda);
            lambda.map(|lambda| definition.body(lambda.field("body")))
        }
        "instance_variable" | "class_variable" => {
            let owner = visit.enclosing_of(&[Kind::Class, Kind::Module])?;
            let definition = Definition::new(Kind::Field, target).body(long_value).once();
            let definition = definition.visibility(Some(Visibility::Private)).owner(Some(owner));
            let is_static = target.kind() == "class_variable" || !visit.in_code();
            Some(if is_static { definition.modifier(Modifier::Static) } else { definition })
        }
        "global_variable" if !visit.in_code() => {
            let definition = Definition::new(Kind::Variable, target).body(long_value).once();
            Some(definition.visibility(Some(Visibility::Public)))
        }
        _ => None,
    }
}

/// What `Struct.new(:name)` and its like make.
fn made_type(value: Node<'_>) -> Option<SymbolKind> {
    let call = Some(value).filter(|value| value.kind() == "call")?;
    let (maker, method) = (call.field("receiver")?.text(), call.field("method")?.text());
    match (maker.trim_start_matches("::"), method) {
        ("Class" | "Struct", "new") | ("Data", "define") => Some(SymbolKind::Class),
        ("Module", "new") => Some(SymbolKind::Module),
        _ => None,
    }
}

/// What a call defines that stands for a definition.
fn define_called<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    let Some(word) = visit.field("method").filter(|_| !visit.in_code()) else { return };
    let Some(arguments) = visit.field("arguments") else { return };
    let names = || arguments.named_children().filter(|argument| !symbol_name(*argument).is_empty());
    if visit.field("receiver").is_some() {
        // The members of a struct are those of the constant it is assigned to.
        if visit.parent_kind() == "assignment" && made_type(visit.node) == Some(SymbolKind::Class) {
            let members = names().filter(|argument| argument.kind() == "simple_symbol");
            found.extend(members.map(|name| property(visit, name).body(visit.field("block"))));
        }
        return;
    }
    match word.text() {
        "alias_method" => found.extend(names().take(1).map(|name| named_by_symbol(method(visit, name)))),
        "define_method" | "define_singleton_method" => {
            let Some(name) = names().next() else { return };
            let block = visit.field("block");
            let body = block.and_then(|block| block.field("body"));
            let definition = named_by_symbol(method(visit, name)).body(body).function(block);
            let is_static = word.text() == "define_singleton_method";
            found.push(if is_static { definition.modifier(Modifier::Static) } else { definition });
        }
        accessor => {
            let (prefix, access) = match accessor.rsplit_once('_') {
                Some(parts) => parts,
                None => (accessor, "accessor"),
            };
            let is_static = match prefix {
                "attr" => false,
                "cattr" | "mattr" | "thread_cattr" | "thread_mattr" => true,
                "class" if access == "attribute" => true,
                _ => return,
            };
            if !matches!(access, "accessor" | "attribute" | "reader" | "writer") {
                return;
            }
            for name in names() {
                let mut definition = property(visit, name).visibility(Some(visibility(visit)));
                if is_static {
                    definition = definition.modifier(Modifier::Static);
                }
                if access == "reader" {
                    definition = definition.modifier(Modifier::Readonly);
                }
                found.push(definition);
            }
        }
    }
}

/// A property of the type that the node is in.
fn property<'tree>(visit: &Visit<'_, 'tree>, name: Node<'tree>) -> Definition<'tree> {
    let owner = visit.enclosing_of(&[SymbolKind::Class, SymbolKind::Module]);
    let definition = Definition::new(SymbolKind::Property, name).visibility(Some(Visibility::Public));
    named_by_symbol(definition.owner(owner))
}

fn named_by_symbol(definition: Definition<'_>) -> Definition<'_> {
    let name = symbol_name(definition.name);
    definition.name_text(name)
}

/// What a symbol or string without interpolation names, `""` for anything else.
fn symbol_name(node: Node<'_>) -> &str {
    match node.kind() {
        "simple_symbol" => node.text().trim_start_matches(':'),
        "string" if node.child("interpolation").is_none() => node.text().trim_matches(['"', '\'']),
        "identifier" | "constant" | "operator" | "setter" => node.text(),
        _ => "",
    }
}

/// A definition by a path, `A::B`.
fn of_path(kind: SymbolKind, path: Node<'_>) -> Definition<'_> {
    let mut definition = Definition::new(kind, path.field("name").unwrap_or(path));
    definition.qualifier = path.field("scope").map(|scope| scope.text().to_owned());
    definition
}

/// As the section says that the node is in, or the word it is an argument of: `private def name`.
fn visibility(visit: &Visit<'_, '_>) -> Visibility {
    let call = visit.ancestor(2).filter(|call| call.kind() == "call");
    let word = call.and_then(|call| call.field("method")).map_or("", Node::text);
    match word {
        "private_class_method" => Visibility::Private,
        // No section is about the methods of the class itself.
        _ if visit.kind() == "singleton_method" => Visibility::Public,
        word => word.parse().ok().or(visit.section()).unwrap_or(Visibility::Public),
    }
}

fn parameters(node: Node<'_>, parameters: &mut Vec<Parameter>) {
    let name = node.field("name").map(one_line);
    let default = node.field("value").map(one_line);
    let parameter = match node.kind() {
        "identifier" | "destructured_parameter" => Parameter { name: one_line(node), ..Parameter::default() },
        "keyword_parameter" | "optional_parameter" => Parameter {
            name: name.unwrap_or_default(),
            optional: default.is_some(),
            default,
            ..Parameter::default()
        },
        "block_parameter" | "forward_parameter" | "hash_splat_parameter" | "splat_parameter" => {
            Parameter { name: one_line(node), optional: true, ..Parameter::default() }
        }
        _ => return,
    };
    parameters.push(parameter);
}
