//! Functions rewritten by program: other names, another order, another layout.

use anyhow::{Context, Result};
use ast_core_engine::Language;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use tree_sitter::{Node, Parser, Tree};

/// What is done to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transformation {
    /// Parameters and local variables get other names, each the same everywhere.
    Locals,
    /// So does all else that is not defined in another file.
    Names,
    /// So does everything that is a name.
    AllNames,
    /// Neighbouring statements that share no name, and do not leave the function, change places.
    Order,
    /// Comments are left out, and lines broken and indented in another way.
    Layout,
}

impl Transformation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Locals, Self::Names, Self::AllNames, Self::Order, Self::Layout];

    /// What it is called in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locals => "locals renamed",
            Self::Names => "all renamed but what other files define",
            Self::AllNames => "every name renamed",
            Self::Order => "statements reordered",
            Self::Layout => "comments stripped, reformatted",
        }
    }
}

/// A function rewritten; `None` if there is nothing in it to be changed so. `known` are the names that other files define.
///
/// # Errors
/// A text that the parser gives no tree of.
pub fn transformed(
    text: &str,
    function: &Range<usize>,
    language: Language,
    transformation: Transformation,
    known: &HashSet<String>,
) -> Result<Option<String>> {
    let tree = tree(text, language)?;
    let node = tree.root_node().descendant_for_byte_range(function.start, function.end).context("no node")?;
    let mut leaves = Vec::new();
    collect(node, function, text, &mut Vec::new(), &mut leaves);
    let names = leaves.iter().filter(|leaf| leaf.is_name && !is_receiver(leaf.text)).map(|leaf| leaf.text);
    Ok(match transformation {
        Transformation::Locals => renamed(text, function, &leaves, &locals(&leaves)),
        Transformation::Names => {
            let mut unknown = locals(&leaves);
            unknown.extend(names.filter(|name| !known.contains(*name)));
            renamed(text, function, &leaves, &unknown)
        }
        Transformation::AllNames => renamed(text, function, &leaves, &names.collect()),
        Transformation::Order => reordered(text, function, node),
        Transformation::Layout => Some(relaid(text, function, &leaves, language.as_str() == "python")),
    })
}

/// The names in a function, each once.
///
/// # Errors
/// A text that the parser gives no tree of.
pub fn names(text: &str, function: &Range<usize>, language: Language) -> Result<Vec<String>> {
    let tree = tree(text, language)?;
    let mut leaves = Vec::new();
    collect(tree.root_node(), function, text, &mut Vec::new(), &mut leaves);
    let mut names: Vec<String> =
        leaves.iter().filter(|leaf| leaf.is_name).map(|leaf| leaf.text.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn tree(text: &str, language: Language) -> Result<Tree> {
    let mut parser = Parser::new();
    parser.set_language(language.grammar())?;
    parser.parse(text, None).context("no tree")
}

/// A token of the syntax tree; a string is one.
struct Leaf<'a> {
    text: &'a str,
    range: Range<usize>,
    is_name: bool,
    is_comment: bool,
    /// Whether a variable begins to be here.
    binds: bool,
}

fn collect<'a>(
    node: Node<'_>,
    function: &Range<usize>,
    text: &'a str,
    round: &mut Vec<(String, Option<String>)>,
    leaves: &mut Vec<Leaf<'a>>,
) {
    if node.end_byte() <= function.start || node.start_byte() >= function.end || node.byte_range().is_empty()
    {
        return;
    }
    let kind = node.kind();
    let is_whole =
        ["string", "template", "regex", "char_literal", "comment"].iter().any(|part| kind.contains(part));
    if node.child_count() == 0 || is_whole {
        let range = node.start_byte().max(function.start)..node.end_byte().min(function.end);
        let is_name = node.is_named() && kind.contains("identifier");
        leaves.push(Leaf {
            text: &text[range.clone()],
            range,
            is_name,
            is_comment: kind.contains("comment"),
            binds: is_name && kind.ends_with("identifier") && !kind.starts_with("type") && is_bound(round),
        });
        return;
    }
    for at in 0..node.child_count() {
        if let Some(child) = node.child(at) {
            round.push((kind.to_owned(), node.field_name_for_child(at).map(str::to_owned)));
            collect(child, function, text, round, leaves);
            round.pop();
        }
    }
}

/// What declares variables, in the grammars of the six languages, parameters aside.
const DECLARING: [&str; 14] = [
    "let_declaration",
    "let_condition",
    "variable_declarator",
    "init_declarator",
    "local_variable_declaration",
    "assignment",
    "named_expression",
    "for_statement",
    "for_in_statement",
    "for_expression",
    "enhanced_for_statement",
    "for_range_loop",
    "for_in_clause",
    "declaration",
];

/// Whether a name with these nodes round it, each with the field of it that the next is in, is that of a variable that begins
/// to be here.
fn is_bound(round: &[(String, Option<String>)]) -> bool {
    for (kind, field) in round.iter().rev().take(5) {
        let field = field.as_deref();
        let is_target =
            matches!(field, Some("name" | "pattern" | "left" | "declarator" | "alias" | "parameter"));
        if kind.contains("parameter") {
            return !matches!(field, Some("type" | "value" | "default_value"));
        }
        if DECLARING.contains(&kind.as_str()) {
            return is_target;
        }
        if field.is_some() && !is_target && field != Some("parameters") {
            return false;
        }
    }
    false
}

fn is_receiver(name: &str) -> bool {
    matches!(name, "self" | "this" | "cls" | "super")
}

/// The names of parameters and local variables.
fn locals<'a>(leaves: &[Leaf<'a>]) -> HashSet<&'a str> {
    let mut locals: HashSet<&str> =
        leaves.iter().filter(|leaf| leaf.binds && !is_receiver(leaf.text)).map(|leaf| leaf.text).collect();
    for (at, leaf) in leaves.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| leaves[before].text);
        let is_member = matches!(before, "." | "->" | "::" | "?.");
        // A name that is a member's as well cannot be told from it.
        if is_member {
            locals.remove(leaf.text);
        }
    }
    locals
}

/// Words for what is renamed.
const WORDS: [&str; 24] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "ivory", "jade", "koala",
    "lotus", "maple", "north", "ocean", "pearl", "quartz", "raven", "slate", "tulip", "umber", "violet",
    "willow", "zephyr",
];

fn renamed(
    text: &str,
    function: &Range<usize>,
    leaves: &[Leaf<'_>],
    names: &HashSet<&str>,
) -> Option<String> {
    let mut given: HashMap<&str, String> = HashMap::new();
    let mut out = String::new();
    let mut at = function.start;
    for leaf in leaves.iter().filter(|leaf| leaf.is_name && names.contains(leaf.text)) {
        let number = given.len();
        let new = given.entry(leaf.text).or_insert_with(|| {
            let word = WORDS[number % WORDS.len()];
            let times = number / WORDS.len();
            let word = if times == 0 { word.to_owned() } else { format!("{word}{times}") };
            // Types and classes are written large.
            match leaf.text.starts_with(char::is_uppercase) {
                true => word[..1].to_uppercase() + &word[1..],
                false => word,
            }
        });
        out.push_str(&text[at..leaf.range.start]);
        out.push_str(new);
        at = leaf.range.end;
    }
    out.push_str(&text[at..function.end]);
    (!given.is_empty()).then_some(out)
}

/// What keeps a statement in its place.
const LEAVING: [&str; 10] =
    ["return", "break", "continue", "throw", "raise", "yield", "await", "goto", "?", "assert"];

fn reordered(text: &str, function: &Range<usize>, node: Node<'_>) -> Option<String> {
    let mut swaps: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    find_swaps(node, function, text, &mut swaps);
    if swaps.is_empty() {
        return None;
    }
    swaps.sort_by_key(|(first, _)| first.start);
    let mut out = String::new();
    let mut at = function.start;
    for (first, second) in swaps {
        out.push_str(&text[at..first.start]);
        out.push_str(&text[second.clone()]);
        out.push_str(&text[first.end..second.start]);
        out.push_str(&text[first]);
        at = second.end;
    }
    out.push_str(&text[at..function.end]);
    Some(out)
}

fn find_swaps(
    node: Node<'_>,
    function: &Range<usize>,
    text: &str,
    swaps: &mut Vec<(Range<usize>, Range<usize>)>,
) {
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node
        .named_children(&mut cursor)
        .filter(|child| function.start <= child.start_byte() && child.end_byte() <= function.end)
        .collect();
    let is_block = node.kind().contains("block") || node.kind() == "compound_statement";
    let mut at = 0;
    while at < children.len() {
        if is_block && at + 1 < children.len() {
            let (first, second) = (children[at], children[at + 1]);
            let [mut a, mut b] = [Vec::new(), Vec::new()];
            collect(first, function, text, &mut Vec::new(), &mut a);
            collect(second, function, text, &mut Vec::new(), &mut b);
            let is_free = |leaves: &[Leaf<'_>]| {
                !leaves.iter().any(|leaf| leaf.is_comment || LEAVING.contains(&leaf.text))
            };
            let names = |leaves: &[Leaf<'_>]| -> HashSet<String> {
                let names = leaves.iter().filter(|leaf| leaf.is_name && !is_receiver(leaf.text));
                names.map(|leaf| leaf.text.to_owned()).collect()
            };
            if is_free(&a) && is_free(&b) && names(&a).is_disjoint(&names(&b)) {
                swaps.push((first.byte_range(), second.byte_range()));
                at += 2;
                continue;
            }
        }
        find_swaps(children[at], function, text, swaps);
        at += 1;
    }
}

/// Without comments; indented by tabs, and, where lines mean nothing, with more of them.
fn relaid(text: &str, function: &Range<usize>, leaves: &[Leaf<'_>], lines_matter: bool) -> String {
    let mut out = String::new();
    let mut at = function.start;
    let mut before = "";
    for leaf in leaves.iter().filter(|leaf| !leaf.is_comment) {
        let gap = &text[at.min(leaf.range.start)..leaf.range.start];
        let is_comma = before == "," && !lines_matter;
        if gap.contains('\n') || is_comma && !gap.is_empty() {
            let line = text[..leaf.range.start].rfind('\n').map_or(0, |line| line + 1);
            let blank = text[line..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            out.push('\n');
            out.push_str(&"\t".repeat(blank.div_ceil(4)));
        } else if !gap.is_empty() && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(leaf.text);
        at = leaf.range.end;
        before = leaf.text;
    }
    out
}
