//! What can be asked on the command line.

use crate::embedder::EmbedderChoice;
use crate::settings::Settings;
use ast_core_engine::{EngineConfig, EngineError, Language, ReferenceKind, SearchMode, SymbolKind};
use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Index and search source code, offline.
#[derive(Debug, Parser)]
#[command(name = "ast-core", version, styles = STYLES, after_help = "\
Examples:
  ast-core index                      index the current directory
  ast-core search \"retry a request\"   find code by words and by meaning
  ast-core symbols src/main.rs        the definitions in a file")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What every verb takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The index; by default `.ast-core/index.db` of the tree
    #[arg(long, global = true, value_name = "PATH", env = "AST_CORE_DB")]
    pub(crate) db: Option<PathBuf>,
    /// The user's settings; by default `ast-core/config.toml` in the user's folder for settings
    #[arg(long, global = true, value_name = "PATH", env = "AST_CORE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The form of the answer; by default human
    #[arg(long, global = true, value_name = "FORMAT", value_enum, env = "AST_CORE_FORMAT")]
    format: Option<Format>,
    /// Short for --format json
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    /// Say nothing but the answer
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more, and what is done on standard error; -vv in detail
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colours; by default on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", value_enum, env = "AST_CORE_COLOR")]
    pub(crate) color: Option<Color>,
    /// The settings of the user, which those of a tree may add to.
    #[arg(skip)]
    pub(crate) settings: Settings,
}

impl Global {
    /// The form that was asked for by a flag or its variable.
    pub(crate) fn format(&self) -> Option<Format> {
        if self.json { Some(Format::Json) } else { self.format }
    }
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Human,
    /// One JSON document
    Json,
    /// One JSON record a line
    Jsonl,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index a directory: parse what is new or changed, drop what is gone
    Index(IndexArguments),
    /// Search the index by words and by meaning
    #[command(after_help = "\
Examples:
  ast-core search \"where are retries configured\"
  ast-core search parse_header --lang rust --path 'src/**'
  ast-core search \"open a file\" --kind function --json")]
    Search(SearchArguments),
    /// Find lines by a regular expression, or a text as it is, in the files of the index
    #[command(after_help = "\
The pattern is a regular expression as ripgrep and the crate regex have them, within a line. One that begins with - goes behind --.

Examples:
  ast-core grep 'retry_\\w+' --lang rust
  ast-core grep -F 'Option<T>' --path 'src/**' -C 2
  ast-core grep -wi retries -p        with the definition that each line is in
  ast-core grep 'sleep\\(' --format jsonl | jq -r .within.name")]
    Grep(GrepArguments),
    /// Find code that is like the code at a place, or like code on standard input: copies, renamed or not, and relatives
    #[command(after_help = "\
Examples:
  ast-core similar src/retry.rs:40
  ast-core similar src/retry.rs:40 --threshold 0.8 --json
  pbpaste | ast-core similar - --as python --lang rust")]
    Similar(SimilarArguments),
    /// Print what to read to know what a query asks for, in as many tokens as there are
    #[command(after_help = "\
Examples:
  ast-core context \"how are retries configured\"
  ast-core context \"open the index\" --budget 2000 --lang rust
  ast-core context parse_header --json | jq -r '.files[].path'")]
    Context(ContextArguments),
    /// Print the definitions that the rest of the tree leans on most, in as many tokens as there are
    #[command(after_help = "\
Examples:
  ast-core map
  ast-core map --budget 4000 --lang python
  ast-core map --focus 'src/search/**'      what that part leans on")]
    Map(MapArguments),
    /// List the definitions of files, straight from the parser; no index is needed
    Symbols(SymbolsArguments),
    /// Say how definitions are made: parameters, complexity, calls, what they import and export
    #[command(after_help = "\
Examples:
  ast-core annotate src/parser.rs
  ast-core annotate src --format jsonl | jq 'select(.complexity.cognitive > 15) | .name'")]
    Annotate(SourceArguments),
    /// Match a query of tree-sitter against files; no index is needed
    #[command(after_help = "\
Examples:
  ast-core query rust '(function_item name: (identifier) @name)'
  ast-core query python '((call function: (identifier) @f) (#eq? @f \"print\"))' src
  ast-core query typescript '(import_statement source: (string) @module)' --format jsonl")]
    Query(QueryArguments),
    /// List where a name is mentioned: called, imported, used as a type, inherited from
    #[command(after_help = "\
Examples:
  ast-core refs Engine
  ast-core refs Engine.open --kind call
  ast-core refs parse --lang rust --path 'src/**' --json")]
    Refs(RefsArguments),
    /// List where a name is called, and from which definitions
    #[command(after_help = "\
Examples:
  ast-core callers parse_header
  ast-core callers Engine.open --limit 20")]
    Callers(NameArguments),
    /// List what the definitions of a name call
    #[command(after_help = "\
Examples:
  ast-core callees main
  ast-core callees Engine.open --json")]
    Callees(NameArguments),
    /// Keep the index up with a directory as it changes, until Ctrl-C
    #[command(after_help = "\
Examples:
  ast-core watch
  ast-core watch ~/project --format jsonl | jq .elapsed_ms")]
    Watch(WatchArguments),
    /// Say what the index holds, what it left out and why, and whether it is stale
    #[command(after_help = "\
Examples:
  ast-core status
  ast-core status --metrics --json | jq .metrics.process.peak_rss_bytes
  ast-core status --prometheus > ast_core.prom
  ast-core status --show-config       each setting, and where it is from")]
    Status(StatusArguments),
    /// Look for damage in the index, and mend it
    #[command(after_help = "\
Examples:
  ast-core doctor                     read all of the index and say what is wrong
  ast-core doctor --repair            mend it; what must be read again is read by the next `ast-core index`")]
    Doctor(DoctorArguments),
    /// Serve agents by the Model Context Protocol, on standard input and output
    #[cfg(feature = "mcp")]
    #[command(after_help = "\
Examples:
  ast-core mcp                        the tree that the client names, or the current directory
  ast-core mcp ~/project
  ast-core mcp --http 127.0.0.1:7321  on loopback, for clients that do not start it

docs/mcp.md says how to add it to Claude Code, VS Code, Cursor and Zed")]
    Mcp(McpArguments),
    /// List the languages, their file extensions and their grammars
    Languages,
    /// Print a script that completes commands in a shell
    #[command(after_help = "\
Examples:
  ast-core completions bash > ~/.local/share/bash-completion/completions/ast-core
  ast-core completions zsh > ~/.zfunc/_ast-core
  ast-core completions fish > ~/.config/fish/completions/ast-core.fish")]
    Completions(CompletionsArguments),
    /// Print the manual page, or write one for each verb
    #[command(after_help = "\
Examples:
  ast-core man | man -l -
  ast-core man --out ~/.local/share/man/man1")]
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub(crate) struct IndexArguments {
    /// The directory
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Parse every file again, changed or not
    #[arg(long)]
    pub(crate) rebuild: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) memory: MemoryArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

/// What is done where there is no index yet.
#[derive(Debug, Args)]
pub(crate) struct FirstArguments {
    /// Make the index first if there is none, without being asked
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}

/// What makes the vectors.
#[derive(Debug, Args)]
#[command(next_help_heading = "Embedder")]
pub(crate) struct EmbedderArguments {
    /// What makes vectors: builtin, hash, minilm:FOLDER, or http for a service
    #[arg(long, value_name = "EMBEDDER", env = "AST_CORE_EMBEDDER")]
    pub(crate) embedder: Option<EmbedderChoice>,
    /// Where the service is, such as http://localhost:11434/v1
    #[arg(long, value_name = "URL", env = "AST_CORE_EMBEDDER_URL")]
    pub(crate) embedder_url: Option<String>,
    /// The model of the service
    #[arg(long, value_name = "NAME", env = "AST_CORE_EMBEDDER_MODEL")]
    pub(crate) embedder_model: Option<String>,
    /// The dimension to ask the service for
    #[arg(long, value_name = "N", env = "AST_CORE_EMBEDDER_DIMENSIONS")]
    pub(crate) embedder_dimensions: Option<usize>,
    /// The environment variable that has the key of the service
    #[arg(long, value_name = "VARIABLE", env = "AST_CORE_EMBEDDER_KEY_ENV")]
    pub(crate) embedder_key_env: Option<String>,
}

/// What indexing may take.
#[derive(Debug, Default, Args)]
pub(crate) struct MemoryArguments {
    /// The most memory to take, in MiB, from 192; a file whose syntax tree would take too much of it is indexed as text
    #[arg(long, value_name = "MB", env = "AST_CORE_MAX_MEMORY")]
    max_memory: Option<u64>,
}

impl MemoryArguments {
    /// The configuration with what was asked for, or else is set.
    pub(crate) fn apply(
        &self,
        config: EngineConfig,
        settings: &Settings,
    ) -> Result<EngineConfig, EngineError> {
        match self.max_memory.or(settings.values.index.max_memory) {
            Some(megabytes) => config.with_max_memory(megabytes.saturating_mul(1 << 20)),
            None => Ok(config),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Say what this process uses and what the machine has, too
    #[arg(long)]
    pub(crate) metrics: bool,
    /// Say all of it in the text format of Prometheus, whatever --format says
    #[arg(long)]
    pub(crate) prometheus: bool,
    /// Say what each setting is and where it is from, and nothing of the index
    #[arg(long)]
    pub(crate) show_config: bool,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Mend what is found
    #[arg(long)]
    pub(crate) repair: bool,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The directory
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) memory: MemoryArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

#[cfg(feature = "mcp")]
#[derive(Debug, Args)]
pub(crate) struct McpArguments {
    /// The directory; by default the first root of the client, or else the current directory
    pub(crate) path: Option<PathBuf>,
    /// Do not bring the index up as files change
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// Serve over HTTP at this loopback address; the port 0 is any that is free
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<std::net::SocketAddr>,
    #[command(flatten)]
    pub(crate) memory: MemoryArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

/// What hits have to be.
#[derive(Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only files in this language; may be given more than once
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Vec<Language>,
    /// Only files whose path matches; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    /// Only definitions of this kind, such as function or class; may be given more than once
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<SymbolKind>,
    /// Only hits of at least this score, from 0 to 1; by default 0
    #[arg(long, value_name = "SCORE", value_parser = score)]
    pub(crate) threshold: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// Words, a name or a question
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// The most hits; by default 10
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// By what to find: hybrid, lexical or semantic; by default hybrid
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<SearchMode>,
    /// Lines shown before and after each hit; by default 0
    #[arg(long, short = 'C', value_name = "N")]
    pub(crate) context: Option<u32>,
    /// Put the first fifty hits in order anew, by another embedder; without one, by that of the settings
    #[arg(long, value_name = "EMBEDDER", num_args = 0..=1, require_equals = true)]
    pub(crate) rerank: Option<Option<EmbedderChoice>>,
    #[command(flatten)]
    pub(crate) first: FirstArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

impl SearchArguments {
    /// Several words need no quotes.
    pub(crate) fn query(&self) -> String {
        self.query.join(" ")
    }
}

#[derive(Debug, Args)]
pub(crate) struct GrepArguments {
    /// The regular expression
    pub(crate) pattern: String,
    /// Look for the pattern as it is: it is a text and no regular expression
    #[arg(long, short = 'F')]
    pub(crate) fixed_strings: bool,
    /// Upper and lower case are alike
    #[arg(long, short)]
    pub(crate) ignore_case: bool,
    /// Only whole words
    #[arg(long, short)]
    pub(crate) word_regexp: bool,
    /// Only the paths of files that have a match
    #[arg(long, short = 'l', conflicts_with = "count")]
    pub(crate) files_with_matches: bool,
    /// Only how many lines of each file match
    #[arg(long, short)]
    pub(crate) count: bool,
    /// Lines shown after each line that matches
    #[arg(long, short = 'A', value_name = "N")]
    pub(crate) after_context: Option<u32>,
    /// Lines shown before each line that matches
    #[arg(long, short = 'B', value_name = "N")]
    pub(crate) before_context: Option<u32>,
    /// Lines shown before and after each line that matches
    #[arg(long, short = 'C', value_name = "N", default_value_t = 0)]
    pub(crate) context: u32,
    /// Name the definition that lines are in before them
    #[arg(long, short = 'p')]
    pub(crate) scope: bool,
    /// The most lines that match, or with -l and -c the most files; by default all
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Only files in this language; may be given more than once
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Vec<Language>,
    /// Only files whose path matches; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    #[command(flatten)]
    pub(crate) first: FirstArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SimilarArguments {
    /// A line of a file, or - for code on standard input
    #[arg(value_name = "PATH:LINE", value_parser = place, allow_hyphen_values = true)]
    pub(crate) to: SimilarPlace,
    /// The language of the code on standard input; by default that of --lang, if there is one
    #[arg(long = "as", value_name = "LANGUAGE")]
    pub(crate) language: Option<Language>,
    /// The most hits; by default 10
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Lines shown before and after each hit; by default 0
    #[arg(long, short = 'C', value_name = "N")]
    pub(crate) context: Option<u32>,
    #[command(flatten)]
    pub(crate) first: FirstArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

/// What code is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SimilarPlace {
    /// What is on standard input.
    Input,
    /// What is round a line of a file.
    Line {
        path: PathBuf,
        /// From 1.
        line: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ContextArguments {
    /// Words, a name or a question
    #[arg(required = true, value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// The most tokens of the answer, as they are estimated without a model's vocabulary; by default 4096
    #[arg(long, short = 'b', value_name = "TOKENS")]
    pub(crate) budget: Option<usize>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// By what to find: hybrid, lexical or semantic; by default hybrid
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<SearchMode>,
    #[command(flatten)]
    pub(crate) first: FirstArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct MapArguments {
    /// The most tokens of the answer, as they are estimated without a model's vocabulary; by default 1024
    #[arg(long, short = 'b', value_name = "TOKENS")]
    pub(crate) budget: Option<usize>,
    /// Only definitions in this language; may be given more than once
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Vec<Language>,
    /// Only definitions in files whose path matches, tests and vendored files included; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    /// What files whose path matches lean on, not what all of the tree does; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pub(crate) focus: Vec<String>,
    #[command(flatten)]
    pub(crate) first: FirstArguments,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// The language whose files are looked at
    #[arg(value_name = "LANGUAGE")]
    pub(crate) language: Language,
    /// The query, in the S-expressions of tree-sitter
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
    /// Files or directories; the current directory if there are none
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// Write a page for each verb into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RefsArguments {
    #[command(flatten)]
    pub(crate) name: NameArguments,
    /// Only mentions of this kind: call, type, import or inherit; may be given more than once
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<ReferenceKind>,
}

#[derive(Debug, Args)]
pub(crate) struct NameArguments {
    /// The name, or with names round it, such as Engine.open or parser::tree::Node
    pub(crate) name: String,
    /// The most lines of the answer; by default 100
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Only files in this language; may be given more than once
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Vec<Language>,
    /// Only files whose path matches; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SymbolsArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// List what the files mention too: calls, types, imports, what is inherited
    #[arg(long)]
    pub(crate) references: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// Files or directories
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The language of the files, whatever their names and content say
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,
}

/// A place as answers and compilers name them: `src/a.rs:12`, `src/a.rs:12-30`, `src/a.rs:12:5`.
fn place(text: &str) -> Result<SimilarPlace, String> {
    let first_line = |lines: &str| {
        let first = lines.split_once('-').map_or(lines, |(first, _)| first);
        first.parse::<u32>().ok().filter(|line| *line > 0)
    };
    let split = |text: &'_ str| {
        let (path, lines) = text.rsplit_once(':')?;
        Some((path.to_owned(), first_line(lines)?)).filter(|(path, _)| !path.is_empty())
    };
    if text == "-" {
        return Ok(SimilarPlace::Input);
    }
    let Some(outer) = split(text) else {
        return Err("expected a file and a line, such as src/main.rs:12, or - for standard input".to_owned());
    };
    let (path, line) = split(&outer.0).unwrap_or(outer);
    Ok(SimilarPlace::Line { path: path.into(), line })
}

fn score(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => Err("expected a number from 0 to 1, such as 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_place_is_a_file_and_a_line_however_it_is_told() {
        let line = |path: &str, line| Ok(SimilarPlace::Line { path: path.into(), line });
        assert_eq!(place("src/a.rs:12"), line("src/a.rs", 12));
        assert_eq!(place("src/a.rs:12-30"), line("src/a.rs", 12));
        assert_eq!(place("src/a.rs:12:5"), line("src/a.rs", 12));
        assert_eq!(place("c:/a.rs:12"), line("c:/a.rs", 12));
        assert_eq!(place("-"), Ok(SimilarPlace::Input));
        for wrong in ["", "src/a.rs", "src/a.rs:", "src/a.rs:0", ":7", "src/a.rs:x", "7"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
