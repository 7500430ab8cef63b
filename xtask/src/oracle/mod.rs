//! `cargo xtask oracle`: compares what the engine says of the corpus with what other tools say.
//!
//! The engine is asked through its released binary, so that what is compared is what a user gets. docs/oracles.md
//! tells what is compared, how, and what the differences are.

mod complexity;
mod corpus;
mod ctags;
mod engine;
mod grep;
mod language;
mod lizard;
mod names;
mod report;
mod rules;
mod source;
mod symbols;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use complexity::Agreement;
use corpus::Corpus;
use engine::Engine;
use language::Language;
use symbols::Comparison;

/// The share of ctags' definitions that have to be ours too, in percent, in every language.
const SYMBOLS_GOAL: f64 = 98.0;

/// The share of functions whose cyclomatic complexity has to be lizard's, in percent, of all languages together.
const COMPLEXITY_GOAL: f64 = 97.0;

/// How many functions of all languages together are compared with lizard's.
const FUNCTIONS: usize = 5000;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this comparison.
    #[arg(value_enum)]
    what: Option<What>,
    /// Only this language.
    #[arg(long, value_enum)]
    language: Option<Language>,
    /// At most so many files of each language, spread over the corpus.
    #[arg(long, value_name = "FILES")]
    limit: Option<usize>,
    /// Print every place of this class or rule; `missing` stands for all that we lack, `different` for every function
    /// whose complexity differs.
    #[arg(long, value_name = "CLASS")]
    list: Option<String>,
    /// The `ast-core` to ask; by default it is built.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Compare over this folder, which has a folder a language, called as the engine calls it; only its definitions
    /// are compared in languages that the fetched corpus has not.
    #[arg(long, value_name = "PATH")]
    corpus: Option<PathBuf>,
    /// Keep the figures in this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What is compared.
#[derive(ValueEnum, Clone, Copy, PartialEq)]
enum What {
    /// Definitions, with Universal Ctags.
    Symbols,
    /// Cyclomatic complexity, with lizard.
    Complexity,
    /// Lines that match patterns, with ripgrep.
    Grep,
}

impl Options {
    fn wants(&self, what: What) -> bool {
        self.what.is_none_or(|only| only == what)
    }
}

/// What came of all comparisons.
#[derive(Serialize, Default)]
pub(crate) struct Figures {
    symbols: Vec<(Language, Comparison)>,
    complexity: Vec<(Language, Agreement)>,
    grep: Vec<grep::Agreement>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let corpus = Corpus::open(options.corpus.as_deref(), options.limit)?;
    let engine = Engine::new(options.binary.as_deref())?;
    let mut languages = corpus.languages();
    languages.retain(|language| options.language.is_none_or(|only| only == *language));
    if languages.is_empty() {
        bail!(
            "the corpus has none of the languages; its folders are to be called as they are: rust, cpp, csharp, …"
        );
    }
    let list = options.list.as_deref();
    let mut figures = Figures::default();
    let mut below = Vec::new();
    if options.wants(What::Symbols) {
        figures.symbols = symbols::compare(&engine, &corpus, &languages)?;
        report::symbols(&figures.symbols, list);
        let low = figures.symbols.iter().filter(|(_, comparison)| comparison.total().share() < SYMBOLS_GOAL);
        below.extend(low.map(|(language, comparison)| {
            format!("symbols of {}: {:.2} % of {SYMBOLS_GOAL} %", language.name(), comparison.total().share())
        }));
    }
    languages.retain(|language| Language::PINNED.contains(language));
    if options.wants(What::Complexity) {
        figures.complexity = complexity::compare(&engine, &corpus, &languages, FUNCTIONS)?;
        report::complexity(&figures.complexity, list);
        let share = complexity::share(&figures.complexity);
        if share < COMPLEXITY_GOAL {
            below.push(format!("complexity: {share:.2} % of {COMPLEXITY_GOAL} %"));
        }
    }
    if options.wants(What::Grep) {
        figures.grep = grep::compare(&engine, corpus.folder())?;
        grep::report(&figures.grep);
        let different = figures.grep.iter().filter(|agreement| !agreement.different.is_empty()).count();
        if different > 0 {
            below.push(format!("grep: {different} patterns find other lines than ripgrep"));
        }
    }
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)? + "\n")
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    if !below.is_empty() {
        bail!("below the goals: {}", below.join("; "));
    }
    Ok(())
}
