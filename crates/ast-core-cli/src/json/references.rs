//! Who mentions a name, and what is called.

use super::{SCHEMA, rounded};
use ast_core_engine::{CalleeReply, ReferenceReply};
use serde::Serialize;

#[derive(Serialize)]
struct Definition<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    language: &'a str,
    kind: &'static str,
    name: &'a str,
    scope: &'a [String],
    signature: &'a str,
}

impl<'a> From<&'a ast_core_engine::Definition> for Definition<'a> {
    fn from(definition: &'a ast_core_engine::Definition) -> Self {
        Self {
            path: definition.path.as_str(),
            start_line: definition.lines.start,
            end_line: definition.lines.end,
            language: definition.language.as_str(),
            kind: definition.kind.as_str(),
            name: &definition.name,
            scope: &definition.scope,
            signature: &definition.signature,
        }
    }
}

/// What the answers about a name have in common.
#[derive(Serialize)]
struct About<'a> {
    schema: u32,
    query: &'a str,
    took_ms: f64,
    generation: u64,
    complete: bool,
    definitions: Vec<Definition<'a>>,
    more_definitions: bool,
}

/// Of any reply, as they have the same fields.
macro_rules! about {
    ($query:expr, $reply:expr) => {
        About {
            schema: SCHEMA,
            query: $query,
            took_ms: rounded($reply.took.as_secs_f64() * 1e3),
            generation: $reply.generation,
            complete: $reply.complete,
            definitions: $reply.definitions.iter().map(Definition::from).collect(),
            more_definitions: $reply.more_definitions,
        }
    };
}

#[derive(Serialize)]
pub(crate) struct Mentions<'a> {
    #[serde(flatten)]
    about: About<'a>,
    references: Vec<Mention<'a>>,
    unread_files: usize,
}

impl<'a> Mentions<'a> {
    pub(crate) fn new(query: &'a str, reply: &'a ReferenceReply) -> Self {
        Self {
            about: about!(query, reply),
            references: reply.mentions.iter().map(Mention::from).collect(),
            unread_files: reply.unread_files,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Mention<'a> {
    path: &'a str,
    language: &'a str,
    reference: &'static str,
    name: &'a str,
    qualifier: Option<&'a str>,
    alias: Option<&'a str>,
    line: u32,
    start_byte: u32,
    end_byte: u32,
    text: &'a str,
    within: Option<Definition<'a>>,
    evidence: &'static str,
    /// Places in the list of definitions.
    targets: &'a [usize],
    changed: Option<bool>,
}

impl<'a> From<&'a ast_core_engine::Mention> for Mention<'a> {
    fn from(mention: &'a ast_core_engine::Mention) -> Self {
        Self {
            path: mention.path.as_str(),
            language: mention.language.as_str(),
            reference: mention.kind.as_str(),
            name: &mention.name,
            qualifier: mention.qualifier.as_deref(),
            alias: mention.alias.as_deref(),
            line: mention.line,
            start_byte: mention.span.start,
            end_byte: mention.span.end,
            text: &mention.text,
            within: mention.within.as_ref().map(Definition::from),
            evidence: mention.evidence.as_str(),
            targets: &mention.targets,
            changed: mention.changed,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Callees<'a> {
    #[serde(flatten)]
    about: About<'a>,
    callees: Vec<Callee<'a>>,
    more: bool,
}

impl<'a> Callees<'a> {
    pub(crate) fn new(query: &'a str, reply: &'a CalleeReply) -> Self {
        Self {
            about: about!(query, reply),
            callees: reply.callees.iter().map(|callee| Callee::of(reply, callee)).collect(),
            more: reply.more,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Callee<'a> {
    caller: Definition<'a>,
    name: &'a str,
    qualifier: Option<&'a str>,
    lines: &'a [u32],
    evidence: &'static str,
    targets: Vec<Definition<'a>>,
    target_count: usize,
}

impl<'a> Callee<'a> {
    pub(crate) fn of(reply: &'a CalleeReply, callee: &'a ast_core_engine::Callee) -> Self {
        Self {
            caller: (&reply.definitions[callee.caller]).into(),
            name: &callee.name,
            qualifier: callee.qualifier.as_deref(),
            lines: &callee.lines,
            evidence: callee.evidence.as_str(),
            targets: callee.targets.iter().map(Definition::from).collect(),
            target_count: callee.target_count,
        }
    }
}
