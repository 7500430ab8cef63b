//! What a node mentions: calls, types, imports, what is inherited.

use crate::syntax::Node;
use ast_core_model::ReferenceKind;

/// What a node mentions.
pub(crate) struct Mention<'tree> {
    pub(crate) kind: ReferenceKind,
    /// Where the name stands.
    pub(crate) name: Node<'tree>,
    /// The name, if it is not the text of `name`.
    pub(crate) name_text: Option<String>,
    pub(crate) qualifier: Option<String>,
    pub(crate) alias: Option<String>,
}

impl<'tree> Mention<'tree> {
    pub(crate) fn new(kind: ReferenceKind, name: Node<'tree>) -> Self {
        Self { kind, name, name_text: None, qualifier: None, alias: None }
    }

    pub(crate) fn name_text(mut self, name: impl Into<String>) -> Self {
        self.name_text = Some(name.into());
        self
    }

    /// Sets what the name is qualified with; nothing if it is blank.
    pub(crate) fn qualifier(mut self, qualifier: impl Into<String>) -> Self {
        self.qualifier = Some(qualifier.into()).filter(|text: &String| !text.trim().is_empty());
        self
    }

    /// Sets what the name is qualified with to the text of what it is a member of, unless that is a page.
    pub(crate) fn of(self, object: Option<Node<'_>>) -> Self {
        match object.filter(|object| object.len() as usize <= MAX_QUALIFIER_BYTES) {
            Some(object) => self.qualifier(object.text().split_ascii_whitespace().collect::<String>()),
            None => self,
        }
    }

    pub(crate) fn alias(mut self, alias: Option<Node<'_>>) -> Self {
        self.alias = alias.map(|node| node.text().to_owned());
        self
    }
}

/// What a visited node mentions, in order.
pub(crate) type Mentions<'tree> = Vec<Mention<'tree>>;

/// The longest qualifier that is kept, in bytes: what a chain of calls is called on may be a page.
const MAX_QUALIFIER_BYTES: usize = 200;
/// The same as written, with line breaks and indentation.
const MAX_WRITTEN_QUALIFIER_BYTES: usize = 4096;
/// How many nodes are looked through for the name at the end of an expression.
const MAX_WRAPS: usize = 32;

/// Fields that hold the last name of a path or member access, in any grammar, and then those that hold what is called
/// or applied inside of a wrapping node, such as Rust's `f::<T>`. Where a node has several, the first counts.
pub(crate) const NAME_FIELDS: [&str; 8] =
    ["property", "attribute", "name", "field", "selector", "suffix", "function", "type"];

/// The mention of what an expression or a type names: `push` qualified with `self.items` of `self.items.push`.
/// `None` if it names nothing, as the call of a call's result does.
pub(crate) fn named<'tree>(kind: ReferenceKind, expression: Node<'tree>) -> Option<Mention<'tree>> {
    let mut node = expression;
    for _ in 0..MAX_WRAPS {
        if node.first_child().is_none() {
            return is_name(node.text()).then(|| last_of(kind, expression, node));
        }
        let in_name_field = node.named_children().filter(|child| child.name_rank().is_some());
        node = in_name_field.min_by_key(|child| child.name_rank()).or_else(|| only_named_child(node))?;
    }
    None
}

/// The mention of the name that a path ends in, qualified with the rest of the path.
pub(crate) fn last_of<'tree>(kind: ReferenceKind, path: Node<'tree>, name: Node<'tree>) -> Mention<'tree> {
    let mention = Mention::new(kind, name);
    match qualifier_between(path, name) {
        Some(before) => mention.qualifier(before),
        None => mention,
    }
}

fn only_named_child(node: Node<'_>) -> Option<Node<'_>> {
    let mut children = node.named_children();
    children.next().filter(|_| children.next().is_none())
}

/// What stands before the name in an expression, without the sign between them; `None` if that is too long.
fn qualifier_between(expression: Node<'_>, name: Node<'_>) -> Option<String> {
    let length = name.start().saturating_sub(expression.start()) as usize;
    if length > MAX_WRITTEN_QUALIFIER_BYTES {
        return None;
    }
    let text = expression.text().get(..length).unwrap_or("");
    let text = text.trim_end_matches(|c: char| {
        c.is_whitespace() || matches!(c, '.' | ':' | '?' | '!' | '-' | '>' | '#' | '\\')
    });
    let text = text.trim_start_matches(['(', '&', '*', ' ', '\\', '@']);
    let mut folded = String::with_capacity(text.len().min(MAX_QUALIFIER_BYTES));
    for word in text.split_ascii_whitespace() {
        // `new A()` stays two words.
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        if folded.ends_with(is_part) && word.starts_with(is_part) {
            folded.push(' ');
        }
        folded.push_str(word);
        if folded.len() > MAX_QUALIFIER_BYTES {
            return None;
        }
    }
    Some(folded)
}

/// Whether a text could be the name of something: not a literal, and not an operator.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.trim_start_matches(['@', '$', '#', '~']).chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && text.len() <= MAX_QUALIFIER_BYTES
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | '{'))
}
