//! The tools: a file each, and one line in the list.

mod find_references;
mod find_similar;
mod find_symbol;
mod index_status;
mod index_workspace;
mod outline_file;
mod read_symbol;
mod repo_map;
mod search_code;

pub(crate) use index_status::status;
pub(crate) use outline_file::outline;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::workspace::Workspace;
use ast_core_engine::CancelToken;
use rmcp::model::{JsonObject, ProgressToken, Tool, ToolAnnotations};
use rmcp::{Peer, RoleServer};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;

/// A tool.
pub(crate) struct Entry {
    /// What clients are told of it.
    pub(crate) definition: fn() -> Tool,
    pub(crate) call: fn(Call) -> Answering,
    /// Whether it ends by itself when it is cancelled, and is to be waited for then.
    pub(crate) ends_by_itself: bool,
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// A call of a tool.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) arguments: JsonObject,
    /// Cancelled when the client does not want the answer any more, or is gone.
    pub(crate) cancel: CancelToken,
    /// Where to say how far it is, if the client wants to know.
    pub(crate) progress: Option<(Peer<RoleServer>, ProgressToken)>,
}

/// All tools, in the order that they are listed in.
pub(crate) const TOOLS: &[Entry] = &[
    entry(search_code::definition, |call| Box::pin(search_code::call(call))),
    entry(find_symbol::definition, |call| Box::pin(find_symbol::call(call))),
    entry(read_symbol::definition, |call| Box::pin(read_symbol::call(call))),
    entry(outline_file::definition, |call| Box::pin(outline_file::call(call))),
    entry(find_references::definition, |call| Box::pin(find_references::call(call))),
    entry(find_similar::definition, |call| Box::pin(find_similar::call(call))),
    entry(repo_map::definition, |call| Box::pin(repo_map::call(call))),
    entry(index_status::definition, |call| Box::pin(index_status::call(call))),
    Entry {
        definition: index_workspace::definition,
        call: |call| Box::pin(index_workspace::call(call)),
        ends_by_itself: true,
    },
];

const fn entry(definition: fn() -> Tool, call: fn(Call) -> Answering) -> Entry {
    Entry { definition, call, ends_by_itself: false }
}

/// The tool of this name.
pub(crate) fn named(name: &str) -> Option<&'static Entry> {
    TOOLS.iter().find(|entry| (entry.definition)().name == name)
}

/// A tool that only reads: its arguments and what is in its answer, as properties of JSON schemas.
fn reading(
    name: &'static str,
    description: &'static str,
    input: Value,
    required: &[&str],
    output: Value,
) -> Tool {
    tool(name, description, input, required, output).annotate(
        ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false),
    )
}

fn tool(
    name: &'static str,
    description: &'static str,
    input: Value,
    required: &[&str],
    output: Value,
) -> Tool {
    let mut input = object(json!({ "type": "object", "properties": input, "additionalProperties": false }));
    if !required.is_empty() {
        input.insert("required".into(), json!(required));
    }
    let output = object(json!({ "type": "object", "properties": output, "required": ["index"] }));
    Tool::new(name, description, Arc::new(input)).with_raw_output_schema(Arc::new(output))
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// The properties of an answer of rows, by those of a row.
fn rows(row: Value) -> Value {
    json!({
        "index": index_note(),
        "results": { "type": "array", "items": { "type": "object", "properties": row } },
        "more": { "type": "integer" },
        "next_cursor": { "type": "string" },
    })
}

/// What an answer says of the index, which explains itself.
fn index_note() -> Value {
    json!({ "type": "object" })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn number() -> Value {
    json!({ "type": "integer" })
}

fn yes_or_no(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

fn described(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

fn at_most(default: usize, most: usize) -> Value {
    json!({ "type": "integer", "maximum": most, "default": default })
}

fn max_tokens() -> Value {
    json!({ "type": "integer", "maximum": 20000, "default": 4000 })
}

#[cfg(test)]
mod tests;
