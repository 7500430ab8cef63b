//! Bash, and the shells whose scripts it can read.

use super::{Spec, Syntax};
use crate::annotation::{Branch, Modifier};
use crate::mention::{self, Mention, Mentions};
use crate::syntax::Node;
use crate::visit::{Definition, Definitions, Visit};
use ast_core_model::{ReferenceKind, SymbolKind, Visibility};

pub(crate) static BASH: Spec = Spec::new(
    "bash",
    &["bash", "sh"],
    "tree-sitter-bash",
    "0.25.1",
    || tree_sitter_bash::LANGUAGE.into(),
    Syntax {
        definitions: &["command", "function_definition", "variable_assignment", "variable_name"],
        define,
        outer_wrappers: &["declaration_command"],
        comments: &["comment"],
        is_doc: |comment| {
            let text = comment.trim_start_matches(['#', ' ']);
            !["!", "shellcheck ", "-*-", "vim:"].iter().any(|tool| text.starts_with(tool))
        },
        references: &["command"],
        refer,
        branches: &[
            ("if_statement", Branch::If),
            ("elif_clause", Branch::ElseIf),
            ("else_clause", Branch::Else),
            ("ternary_expression", Branch::Ternary),
            ("c_style_for_statement", Branch::Loop),
            ("for_statement", Branch::Loop),
            ("while_statement", Branch::Loop),
            ("case_statement", Branch::Switch),
            ("case_item", Branch::Case),
            ("&&", Branch::Logical),
            ("||", Branch::Logical),
        ],
        // The grammar's scanner asks the C library whether any character is a digit, which is undefined, and crashes,
        // for those that are no byte. To a shell they are all letters.
        stand_in: |text| {
            let letter = |byte: u8| if byte.is_ascii() { byte } else { b'_' };
            (!text.is_ascii()).then(|| text.bytes().map(letter).collect())
        },
        ..Syntax::NONE
    },
)
.highlights(&[tree_sitter_bash::HIGHLIGHT_QUERY])
.file_names(&[
    ".bash_aliases",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".profile",
    "APKBUILD",
    "PKGBUILD",
])
.interpreters(&["ash", "bash", "dash", "ksh", "sh"]);

fn define<'tree>(visit: &Visit<'_, 'tree>, found: &mut Definitions<'tree>) {
    if visit.kind() == "function_definition" {
        let Some(name) = visit.field("name") else { return };
        found.push(Definition::new(SymbolKind::Function, name).body(visit.field("body")));
        return;
    }
    // What a function assigns may be seen outside of it, but that is no place to look for it.
    if visit.in_code() {
        return;
    }
    match visit.kind() {
        "variable_assignment" | "variable_name" => {
            let round = visit.node.parent();
            match round.map_or("", Node::kind) {
                "declaration_command" => found.extend(round.and_then(|command| declared(visit, command))),
                "c_style_for_statement" | "command" => {}
                _ if visit.kind() == "variable_assignment" => found.extend(variable(visit)),
                _ => {}
            }
        }
        "command" if command_name(visit.node).is_some_and(|name| name.text() == "alias") => {
            for argument in visit.node.children_in("argument") {
                let name = argument.first_child().unwrap_or(argument);
                if let Some((text, _)) =
                    argument.text().split_once('=').filter(|(text, _)| mention::is_name(text))
                {
                    found.push(Definition::new(SymbolKind::Macro, name).name_text(text));
                }
            }
        }
        _ => {}
    }
}

/// A variable: what is assigned first defines it.
fn variable<'tree>(visit: &Visit<'_, 'tree>) -> Option<Definition<'tree>> {
    let name = visit.field("name").unwrap_or(visit.node);
    // A long value is not part of the signature.
    let body = visit.field("value").filter(|value| value.len() > 80);
    let definition = Definition::new(SymbolKind::Variable, name).body(body).once();
    (name.kind() == "variable_name").then_some(definition)
}

/// A variable of `declare`, `export` and their like.
fn declared<'tree>(visit: &Visit<'_, 'tree>, command: Node<'tree>) -> Option<Definition<'tree>> {
    // A command that goes on longer than this before the first name sets options that nobody heard of.
    const MAX_OPTIONS: usize = 8;
    let mut definition = variable(visit)?;
    definition.start = Some(command);
    let options = command.children().take(MAX_OPTIONS);
    for option in options.take_while(|child| !matches!(child.kind(), "variable_assignment" | "variable_name"))
    {
        match option.text() {
            "readonly" => definition.kind = SymbolKind::Constant,
            "export" => {
                definition = definition.modifier(Modifier::Export).visibility(Some(Visibility::Public));
            }
            flags if flags.starts_with('-') => {
                if flags.contains('r') {
                    definition.kind = SymbolKind::Constant;
                }
                if flags.contains('x') {
                    definition = definition.modifier(Modifier::Export).visibility(Some(Visibility::Public));
                }
            }
            _ => {}
        }
    }
    Some(definition)
}

/// The word that a command runs, if it is one.
fn command_name(command: Node<'_>) -> Option<Node<'_>> {
    command.field("name")?.first_child().filter(|name| name.kind() == "word")
}

fn refer<'tree>(visit: &Visit<'_, 'tree>, mentions: &mut Mentions<'tree>) {
    let Some(name) = command_name(visit.node) else { return };
    match name.text() {
        // They leave; there is nothing behind them.
        "break" | "continue" | "exit" | "return" => {}
        "." | "source" => {
            let Some(script) = visit.field("argument") else { return };
            let path = script.text().trim_matches(['"', '\'']);
            let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
            if !file.contains('$') {
                mentions.push(Mention::new(ReferenceKind::Import, script).name_text(file).qualifier(folder));
            }
        }
        "trap" => {
            mentions.push(Mention::new(ReferenceKind::Call, name));
            let handler = visit
                .field("argument")
                .filter(|handler| handler.kind() == "word" && mention::is_name(handler.text()));
            mentions.extend(handler.map(|handler| Mention::new(ReferenceKind::Call, handler)));
        }
        word if mention::is_name(word) => mentions.push(Mention::new(ReferenceKind::Call, name)),
        _ => {}
    }
}
