//! Every setting: its name, who may set it, and what it may be.

use super::Values;
use super::given::Given;
use crate::embedder::EmbedderChoice;
use ast_core_engine::FileSelection;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// A setting.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name, with those of its tables.
    pub(crate) name: &'static str,
    /// The variable of the environment that sets it.
    pub(crate) variable: &'static str,
    /// The flag that sets it, and of which verbs; empty if there is none.
    pub(crate) flag: &'static str,
    /// Whether the settings of a tree may have it.
    pub(crate) who: Who,
    /// As TOML; empty if it is not set.
    pub(crate) default: &'static str,
    /// What it is to be.
    pub(crate) expected: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
    /// Takes a value that may be relative to a folder, and gives what was understood; `None` if it is not as expected.
    pub(super) take: fn(&mut Values, &Given, &Path) -> Option<Value>,
}

/// Who may set something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The user alone: it says where code is sent, what is run or opened, what of the machine is taken, or how answers
    /// look to scripts of the user.
    User,
    /// The tree, too: what it may say is what of it is indexed, and how much of it is shown.
    Tree,
}

use Who::{Tree, User};

/// The largest file that settings may let in, in bytes: far below what an index run may hold.
const MOST_FILE_BYTES: u64 = 64 << 20;

/// Hits, lines and tokens that settings may ask for by default.
const MOST_HITS: u64 = 1000;
const MOST_LINES: u64 = 1000;
const MOST_TOKENS: u64 = 1_000_000;

const MODE: &str = "\"hybrid\", \"lexical\" or \"semantic\"";
const SHARE: &str = "a number from 0 to 1";
const HITS: &str = "a whole number from 0 to 1000";
const LINES: &str = HITS;
const TOKENS: &str = "a whole number from 0 to 1000000";
const COUNT: &str = "a whole number from 1";
const TEXT: &str = "a text";
const EMBEDDER: &str = "\"builtin\", \"hash\", \"minilm:FOLDER\" or \"http\"";

/// All of them, in the order in which they are shown.
pub(crate) static KEYS: &[Key] = &[
    Key {
        name: "color",
        variable: "AST_CORE_COLOR",
        flag: "--color",
        who: User,
        default: "\"auto\"",
        expected: "\"auto\", \"always\" or \"never\"",
        about: "when to use colours",
        take: |to, given, _| put_choice(&mut to.color, given.choice()),
    },
    Key {
        name: "format",
        variable: "AST_CORE_FORMAT",
        flag: "--format",
        who: User,
        default: "\"human\"",
        expected: "\"human\", \"json\" or \"jsonl\"",
        about: "the form of answers",
        take: |to, given, _| put_choice(&mut to.format, given.choice()),
    },
    Key {
        name: "index.languages",
        variable: "AST_CORE_INDEX_LANGUAGES",
        flag: "",
        who: Tree,
        default: "[]",
        expected: "a list of languages as `ast-core languages` names them, such as [\"rust\", \"python\"]",
        about: "only files in these languages are indexed; all if it is empty",
        take: |to, given, _| {
            let names = given.list()?;
            let languages = names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<_>>>()?;
            to.index.languages = languages;
            put(&mut to.index.language_names, Some(names))
        },
    },
    Key {
        name: "index.exclude",
        variable: "AST_CORE_INDEX_EXCLUDE",
        flag: "",
        who: Tree,
        default: "[]",
        expected: "a list of globs, such as [\"vendor\", \"**/*.min.js\"]",
        about: "files and directories that are not indexed, beside those that ignore rules leave out; globs as of `--path`",
        take: |to, given, _| {
            let globs = given.list()?;
            FileSelection::new(Vec::new(), globs.clone()).ok()?;
            put(&mut to.index.exclude, Some(globs))
        },
    },
    Key {
        name: "index.max_file_bytes",
        variable: "AST_CORE_INDEX_MAX_FILE_BYTES",
        flag: "",
        who: Tree,
        default: "2097152",
        expected: "a whole number from 1024 to 67108864",
        about: "the largest file that is indexed, in bytes",
        take: |to, given, _| put(&mut to.index.max_file_bytes, given.whole(1024..=MOST_FILE_BYTES)),
    },
    Key {
        name: "index.max_memory",
        variable: "AST_CORE_MAX_MEMORY",
        flag: "--max-memory of index, watch and mcp",
        who: User,
        default: "",
        expected: "a whole number from 192",
        about: "the most memory that indexing may take, in MiB",
        take: |to, given, _| put_some(&mut to.index.max_memory, given.whole(192..=u64::MAX >> 20)),
    },
    Key {
        name: "index.yes",
        variable: "AST_CORE_YES",
        flag: "--yes of search, similar, context and map",
        who: User,
        default: "false",
        expected: "true or false",
        about: "make the index if there is none, without being asked",
        take: |to, given, _| put(&mut to.index.yes, given.flag()),
    },
    Key {
        name: "search.limit",
        variable: "AST_CORE_SEARCH_LIMIT",
        flag: "--limit",
        who: Tree,
        default: "10",
        expected: HITS,
        about: "the most hits",
        take: |to, given, _| put(&mut to.search.limit, given.whole(0..=MOST_HITS)),
    },
    Key {
        name: "search.mode",
        variable: "AST_CORE_SEARCH_MODE",
        flag: "--mode",
        who: Tree,
        default: "\"hybrid\"",
        expected: MODE,
        about: "by what to find",
        take: |to, given, _| put_named(&mut to.search.mode, given.parsed()),
    },
    Key {
        name: "search.context",
        variable: "AST_CORE_SEARCH_CONTEXT",
        flag: "--context",
        who: Tree,
        default: "0",
        expected: LINES,
        about: "lines shown before and after each hit",
        take: |to, given, _| put(&mut to.search.context, given.whole(0..=MOST_LINES)),
    },
    Key {
        name: "search.threshold",
        variable: "AST_CORE_SEARCH_THRESHOLD",
        flag: "--threshold",
        who: Tree,
        default: "0.0",
        expected: SHARE,
        about: "only hits of at least this score",
        take: |to, given, _| put(&mut to.search.threshold, given.share()),
    },
    Key {
        name: "similar.limit",
        variable: "AST_CORE_SIMILAR_LIMIT",
        flag: "--limit",
        who: Tree,
        default: "10",
        expected: HITS,
        about: "the most hits",
        take: |to, given, _| put(&mut to.similar.limit, given.whole(0..=MOST_HITS)),
    },
    Key {
        name: "similar.context",
        variable: "AST_CORE_SIMILAR_CONTEXT",
        flag: "--context",
        who: Tree,
        default: "0",
        expected: LINES,
        about: "lines shown before and after each hit",
        take: |to, given, _| put(&mut to.similar.context, given.whole(0..=MOST_LINES)),
    },
    Key {
        name: "similar.threshold",
        variable: "AST_CORE_SIMILAR_THRESHOLD",
        flag: "--threshold",
        who: Tree,
        default: "0.0",
        expected: SHARE,
        about: "only hits of at least this score",
        take: |to, given, _| put(&mut to.similar.threshold, given.share()),
    },
    Key {
        name: "context.budget",
        variable: "AST_CORE_CONTEXT_BUDGET",
        flag: "--budget",
        who: Tree,
        default: "4096",
        expected: TOKENS,
        about: "the most tokens of the answer",
        take: |to, given, _| put(&mut to.context.budget, given.whole(0..=MOST_TOKENS)),
    },
    Key {
        name: "context.mode",
        variable: "AST_CORE_CONTEXT_MODE",
        flag: "--mode",
        who: Tree,
        default: "\"hybrid\"",
        expected: MODE,
        about: "by what to find",
        take: |to, given, _| put_named(&mut to.context.mode, given.parsed()),
    },
    Key {
        name: "context.threshold",
        variable: "AST_CORE_CONTEXT_THRESHOLD",
        flag: "--threshold",
        who: Tree,
        default: "0.0",
        expected: SHARE,
        about: "only hits of at least this score",
        take: |to, given, _| put(&mut to.context.threshold, given.share()),
    },
    Key {
        name: "map.budget",
        variable: "AST_CORE_MAP_BUDGET",
        flag: "--budget",
        who: Tree,
        default: "1024",
        expected: TOKENS,
        about: "the most tokens of the answer",
        take: |to, given, _| put(&mut to.map_budget, given.whole(0..=MOST_TOKENS)),
    },
    Key {
        name: "refs.limit",
        variable: "AST_CORE_REFS_LIMIT",
        flag: "--limit of refs, callers and callees",
        who: Tree,
        default: "100",
        expected: HITS,
        about: "the most lines of the answer",
        take: |to, given, _| put(&mut to.refs_limit, given.whole(0..=MOST_HITS)),
    },
    Key {
        name: "mcp.watch",
        variable: "AST_CORE_MCP_WATCH",
        flag: "--no-watch",
        who: User,
        default: "true",
        expected: "true or false",
        about: "bring the index up as files change",
        take: |to, given, _| put(&mut to.mcp_watch, given.flag()),
    },
    Key {
        name: "embedder.use",
        variable: "AST_CORE_EMBEDDER",
        flag: "--embedder",
        who: User,
        default: "\"builtin\"",
        expected: EMBEDDER,
        about: "what makes vectors; a folder is relative to the file of the settings",
        take: |to, given, folder| put_named(&mut to.embedder.choice, embedder(given, folder)),
    },
    Key {
        name: "embedder.http.url",
        variable: "AST_CORE_EMBEDDER_URL",
        flag: "--embedder-url",
        who: User,
        default: "",
        expected: TEXT,
        about: "where the service is",
        take: |to, given, _| put_some(&mut to.embedder.url, given.text()),
    },
    Key {
        name: "embedder.http.model",
        variable: "AST_CORE_EMBEDDER_MODEL",
        flag: "--embedder-model",
        who: User,
        default: "",
        expected: TEXT,
        about: "the model of the service",
        take: |to, given, _| put_some(&mut to.embedder.model, given.text()),
    },
    Key {
        name: "embedder.http.dimensions",
        variable: "AST_CORE_EMBEDDER_DIMENSIONS",
        flag: "--embedder-dimensions",
        who: User,
        default: "",
        expected: COUNT,
        about: "the dimension to ask for, of models that have more than one; without it the model's own",
        take: |to, given, _| put_some(&mut to.embedder.dimensions, given.whole(1..=u64::MAX)),
    },
    Key {
        name: "embedder.http.key_env",
        variable: "AST_CORE_EMBEDDER_KEY_ENV",
        flag: "--embedder-key-env",
        who: User,
        default: "",
        expected: TEXT,
        about: "the variable that has the key of the service",
        take: |to, given, _| put_some(&mut to.embedder.key_env, given.text()),
    },
    Key {
        name: "embedder.http.document_prefix",
        variable: "AST_CORE_EMBEDDER_DOCUMENT_PREFIX",
        flag: "",
        who: User,
        default: "\"\"",
        expected: TEXT,
        about: "written before each piece of code, such as `search_document: `",
        take: |to, given, _| put(&mut to.embedder.document_prefix, given.text()),
    },
    Key {
        name: "embedder.http.query_prefix",
        variable: "AST_CORE_EMBEDDER_QUERY_PREFIX",
        flag: "",
        who: User,
        default: "\"\"",
        expected: TEXT,
        about: "written before each query",
        take: |to, given, _| put(&mut to.embedder.query_prefix, given.text()),
    },
    Key {
        name: "embedder.http.batch_texts",
        variable: "AST_CORE_EMBEDDER_BATCH_TEXTS",
        flag: "",
        who: User,
        default: "64",
        expected: COUNT,
        about: "the most texts of a request",
        take: |to, given, _| put(&mut to.embedder.batch_texts, given.whole(1..=u64::MAX)),
    },
    Key {
        name: "embedder.http.batch_tokens",
        variable: "AST_CORE_EMBEDDER_BATCH_TOKENS",
        flag: "",
        who: User,
        default: "16384",
        expected: COUNT,
        about: "the most tokens of a request, by an estimate of three bytes each",
        take: |to, given, _| put(&mut to.embedder.batch_tokens, given.whole(1..=u64::MAX)),
    },
    Key {
        name: "embedder.http.text_tokens",
        variable: "AST_CORE_EMBEDDER_TEXT_TOKENS",
        flag: "",
        who: User,
        default: "2048",
        expected: COUNT,
        about: "of a longer text the beginning is embedded",
        take: |to, given, _| put(&mut to.embedder.text_tokens, given.whole(1..=u64::MAX)),
    },
    Key {
        name: "embedder.http.concurrency",
        variable: "AST_CORE_EMBEDDER_CONCURRENCY",
        flag: "",
        who: User,
        default: "4",
        expected: COUNT,
        about: "the most requests under way at a time",
        take: |to, given, _| put(&mut to.embedder.concurrency, given.whole(1..=u64::MAX)),
    },
    Key {
        name: "embedder.http.base64",
        variable: "AST_CORE_EMBEDDER_BASE64",
        flag: "",
        who: User,
        default: "false",
        expected: "true or false",
        about: "ask for vectors in base64, which is half as long",
        take: |to, given, _| put(&mut to.embedder.base64, given.flag()),
    },
    Key {
        name: "embedder.http.timeout_s",
        variable: "AST_CORE_EMBEDDER_TIMEOUT_S",
        flag: "",
        who: User,
        default: "60",
        expected: COUNT,
        about: "how long one attempt may take, in seconds",
        take: |to, given, _| put(&mut to.embedder.timeout_s, given.whole(1..=u32::MAX.into())),
    },
    Key {
        name: "embedder.http.attempts",
        variable: "AST_CORE_EMBEDDER_ATTEMPTS",
        flag: "",
        who: User,
        default: "6",
        expected: COUNT,
        about: "the most attempts of one request",
        take: |to, given, _| put(&mut to.embedder.attempts, given.whole(1..=u32::MAX.into())),
    },
    Key {
        name: "embedder.minilm.threads",
        variable: "AST_CORE_EMBEDDER_THREADS",
        flag: "",
        who: User,
        default: "",
        expected: COUNT,
        about: "the threads of the transformer; without it one a processor",
        take: |to, given, _| put_some(&mut to.embedder.threads, given.whole(1..=u64::MAX)),
    },
    Key {
        name: "rerank.use",
        variable: "AST_CORE_RERANK",
        flag: "--rerank of search",
        who: User,
        default: "",
        expected: EMBEDDER,
        about: "what puts hits in order anew for `search --rerank`",
        take: |to, given, folder| {
            let choice = embedder(given, folder)?;
            let told = choice.to_string().into();
            to.rerank = Some(choice);
            Some(told)
        },
    },
    Key {
        name: "rerank.share",
        variable: "AST_CORE_RERANK_SHARE",
        flag: "",
        who: User,
        default: "0.2",
        expected: SHARE,
        about: "what that counts for against the order there is",
        take: |to, given, _| put(&mut to.rerank_share, given.share()),
    },
];

/// Puts a value in its place, if it is one, and tells it.
fn put<T: Serialize>(place: &mut T, value: Option<T>) -> Option<Value> {
    *place = value?;
    serde_json::to_value(place).ok()
}

/// The same where there need not be one.
fn put_some<T: Serialize>(place: &mut Option<T>, value: Option<T>) -> Option<Value> {
    *place = Some(value?);
    serde_json::to_value(place).ok()
}

/// The same for what is told by its name.
fn put_named<T: ToString>(place: &mut T, value: Option<T>) -> Option<Value> {
    *place = value?;
    Some(place.to_string().into())
}

/// The same for what a flag chooses from a list.
fn put_choice<T: ValueEnum>(place: &mut T, value: Option<T>) -> Option<Value> {
    *place = value?;
    Some(place.to_possible_value()?.get_name().into())
}

fn embedder(given: &Given, folder: &Path) -> Option<EmbedderChoice> {
    Some(given.parsed::<EmbedderChoice>()?.below(folder))
}

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The setting whose name is most like this one; the last part of a name counts nearly as much as the whole, for what is in
/// the wrong table.
pub(super) fn nearest(name: &str) -> &'static str {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |key: &Key| {
        let whole = strsim::jaro_winkler(key.name, name);
        whole.max(0.9 * strsim::jaro_winkler(&last(key.name), &last(name)))
    };
    let mut nearest = ("", 0.0);
    for key in KEYS {
        let likeness = likeness(key);
        if likeness > nearest.1 {
            nearest = (key.name, likeness);
        }
    }
    nearest.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_what_was_meant() {
        for (wrong, meant) in [
            ("search.limt", "search.limit"),
            ("serach.mode", "search.mode"),
            ("limit", "search.limit"),
            ("embedder.http.key", "embedder.http.key_env"),
            ("http.url", "embedder.http.url"),
            ("index.exclud", "index.exclude"),
            ("index.max-memory", "index.max_memory"),
            ("colour", "color"),
        ] {
            assert_eq!(nearest(wrong), meant, "{wrong}");
        }
    }
}
