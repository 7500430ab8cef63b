//! Text in memory to definitions and references; chunks and measures of functions come with them.

use super::{Arguments, Round, Side, files};
use crate::clock::Stopwatch;
use anyhow::Result;
use ast_core_parse::{Language, Parser, SourceText};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub(super) struct Parse {
    files: Vec<(String, Language, Vec<u8>)>,
    parsers: Vec<Parser>,
    bytes: u64,
}

impl Parse {
    pub(super) fn new(args: &Arguments) -> Result<Self> {
        let mut files = Vec::new();
        for file in files::list(args)? {
            let bytes = files::read(args, &file)?;
            files.push((file.path.file_stem().to_owned(), file.language, bytes));
        }
        if args.threads > 1 {
            // A large file at the end would keep one thread at work alone.
            files.sort_by_key(|(_, _, bytes)| std::cmp::Reverse(bytes.len()));
        }
        let bytes = files.iter().map(|(_, _, bytes)| bytes.len() as u64).sum();
        Ok(Self { files, parsers: (0..args.threads).map(|_| Parser::default()).collect(), bytes })
    }

    /// Parses all files; how many definitions and references there are.
    fn run(&mut self) -> (u64, u64) {
        let (next, definitions, references) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let files = &self.files;
        let work = |parser: &mut Parser| {
            while let Some((stem, language, bytes)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Ok(text) = SourceText::decode(bytes) else { continue };
                let Ok(file) = parser.parse_source(&text.named(stem), *language) else { continue };
                definitions.fetch_add(file.symbols.len() as u64, Ordering::Relaxed);
                references.fetch_add(file.references.len() as u64, Ordering::Relaxed);
            }
        };
        match self.parsers.as_mut_slice() {
            [parser] => work(parser),
            parsers => std::thread::scope(|scope| {
                for parser in parsers {
                    scope.spawn(|| work(parser));
                }
            }),
        }
        (definitions.into_inner(), references.into_inner())
    }
}

impl Side for Parse {
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    fn answers(&mut self) -> Result<Map<String, Value>> {
        let (definitions, references) = self.run();
        let mut answers = Map::new();
        answers.insert("files".into(), json!(self.files.len()));
        answers.insert("bytes".into(), json!(self.bytes));
        answers.insert("definitions".into(), json!(definitions));
        answers.insert("references".into(), json!(references));
        Ok(answers)
    }

    fn round(&mut self) -> Result<Round> {
        let clock = Stopwatch::start();
        self.run();
        Ok(Round::new(clock.took(), self.bytes))
    }
}
