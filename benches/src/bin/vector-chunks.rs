//! The texts that the vector benchmark embeds: `vector-chunks CORPUS COUNT OUTPUT`.
//!
//! Cuts every source file below CORPUS as the engine does and writes COUNT distinct chunks as JSON lines: `language`,
//! `code`, and, where the chunk is about one documented function or type, `question` (the first sentence of its
//! documentation) and `answer` (the chunk without that documentation). Which chunks, and in which order, depends on
//! the text alone: languages take turns, and within one the chunks are in the order of a hash. A language that runs
//! out leaves its turns to the others.

use anyhow::{Context, Result};
use ast_core_benches::corpus;
use ast_core_model::{ContentHash, Symbol};
use ast_core_parse::{Parser, SourceText};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::io::Write;

/// Too little to have a meaning of its own, in bytes.
const LEAST_BYTES: usize = 80;

#[derive(Serialize)]
struct Piece {
    language: &'static str,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    documented: Option<Documented>,
}

#[derive(Serialize)]
struct Documented {
    question: String,
    answer: String,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: vector-chunks CORPUS COUNT OUTPUT";
    let (corpus, count, output) =
        (args.next().context(usage)?, args.next().context(usage)?, args.next().context(usage)?);
    let count: usize = count.parse()?;

    let mut parser = Parser::default();
    let mut seen = HashSet::new();
    let mut by_language: BTreeMap<&str, Vec<(ContentHash, Piece)>> = BTreeMap::new();
    for (language, bytes) in corpus::read(corpus.as_ref())? {
        // What the engine leaves out is left out.
        let Ok(source) = SourceText::decode(&bytes) else { continue };
        let Ok(file) = parser.parse_source(&source, language) else { continue };
        let language = if language.as_str() == "tsx" { "typescript" } else { language.as_str() };
        for chunk in &file.chunks {
            let code = source.slice(chunk.span);
            let words: Vec<&str> = code.split_whitespace().collect();
            let hash = ContentHash::of(words.join(" ").as_bytes());
            if code.len() < LEAST_BYTES || !seen.insert(hash) {
                continue;
            }
            let symbol = chunk.symbol.and_then(|index| file.symbols.get(index as usize));
            let documented = symbol
                .filter(|symbol| chunk.span.contains(symbol.name_span))
                .and_then(|symbol| documented(symbol, code));
            let piece = Piece { language, code: code.to_owned(), documented };
            by_language.entry(language).or_default().push((hash, piece));
        }
    }
    for pieces in by_language.values_mut() {
        // Read from the end.
        pieces.sort_unstable_by_key(|piece| std::cmp::Reverse(piece.0));
    }

    let mut file = std::io::BufWriter::new(std::fs::File::create(&output).context(output.clone())?);
    let mut written = 0;
    while written < count {
        let turn: Vec<Piece> = by_language.values_mut().filter_map(|p| Some(p.pop()?.1)).collect();
        anyhow::ensure!(!turn.is_empty(), "{corpus} has only {written} chunks; run `cargo xtask corpus`");
        for piece in turn.into_iter().take(count - written) {
            serde_json::to_writer(&mut file, &piece)?;
            file.write_all(b"\n")?;
            written += 1;
        }
    }
    file.flush()?;
    Ok(())
}

/// The first sentence of the documentation, and the chunk without any of it, if there is a sentence to ask with and
/// code left to find.
fn documented(symbol: &Symbol, code: &str) -> Option<Documented> {
    let doc = symbol.doc.as_deref()?;
    let paragraph: Vec<&str> = doc.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    let question = paragraph.split_once(". ").map_or(&*paragraph, |(first, _)| first).trim();
    if !(4..=40).contains(&question.split_whitespace().count()) || !question.is_ascii() {
        return None;
    }
    let lines: HashSet<&str> = doc.lines().map(bare).filter(|line| !line.is_empty()).collect();
    let answer: Vec<&str> = code.lines().filter(|line| !lines.contains(bare(line))).collect();
    let answer = answer.join("\n");
    let gone = !answer.contains(question);
    (gone && answer.len() >= LEAST_BYTES).then(|| Documented { question: question.to_owned(), answer })
}

/// A line of documentation without what marks it as such.
fn bare(line: &str) -> &str {
    line.trim_matches(|c: char| c.is_whitespace() || "/*!#\"'".contains(c))
}
