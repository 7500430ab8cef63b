//! What the lexical benchmarks index and ask: the corpus cut as the engine cuts it, and queries made of its terms.

use crate::corpus;
use anyhow::{Context, Result};
use ast_core_model::terms::{TermSplitter, is_stop_word};
use ast_core_model::{ChunkTerms, RepoPath, scope_of};
use ast_core_parse::{Parser, SourceText};
use ast_core_search::Document;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A file of the corpus.
pub struct File {
    /// Its size in bytes.
    pub bytes: u64,
    /// The terms of its chunks.
    pub chunks: Vec<ChunkTerms>,
}

/// Every source file below a directory, cut into chunks and these into terms.
///
/// # Errors
/// A directory or file that cannot be read.
pub fn files(dir: &Path) -> Result<Vec<File>> {
    let mut parser = Parser::default();
    let mut splitter = TermSplitter::default();
    let mut files = Vec::new();
    for (number, (language, bytes)) in corpus::read(dir)?.into_iter().enumerate() {
        let Ok(source) = SourceText::decode(&bytes) else { continue };
        let Ok(file) = parser.parse_source(&source, language) else { continue };
        // Ten files a folder, whatever they are called.
        let path = format!("source/folder{}/file{number}.{}", number / 10, language.as_str());
        let path = RepoPath::new(path).context("a path of letters and digits")?;
        let chunks = file.chunks.iter().map(|chunk| {
            let main = chunk.symbol.map(|index| index as usize);
            let scope = main.map_or(Vec::new(), |index| scope_of(&file.symbols, index));
            let place =
                [path.as_str()].into_iter().chain(scope.iter().copied()).collect::<Vec<_>>().join(" ");
            let inside = file.symbols.iter().filter(|symbol| chunk.span.contains(symbol.name_span));
            let main = main.and_then(|index| file.symbols.get(index));
            let names = main.into_iter().chain(inside.filter(|symbol| main != Some(*symbol)));
            let names: Vec<&str> = names.map(|symbol| &*symbol.name).chain(scope).collect();
            let document = Document {
                names: &names.join(" "),
                place: &place,
                doc: main.and_then(|symbol| symbol.doc.as_deref()).unwrap_or(""),
                body: source.slice(chunk.span),
            };
            document.terms(&mut splitter)
        });
        files.push(File { bytes: bytes.len() as u64, chunks: chunks.collect() });
    }
    Ok(files)
}

/// Queries of one kind.
pub struct Queries {
    /// What kind.
    pub name: &'static str,
    /// The terms of each.
    pub terms: Vec<Vec<String>>,
}

/// Of each kind so many queries, made of the terms of some files: terms that are in few chunks, terms that are in
/// the most, and three to five terms of the documentation of one chunk. They depend on the files alone.
pub fn queries(files: &[File], count: usize) -> Vec<Queries> {
    let mut frequencies: HashMap<&str, u32> = HashMap::new();
    let mut mixed = Vec::new();
    for chunk in files.iter().flat_map(|file| &file.chunks) {
        let all = [&chunk.name, &chunk.path, &chunk.doc, &chunk.body];
        let distinct: HashSet<&str> = all.iter().flat_map(|field| field.split(' ')).collect();
        for term in distinct.into_iter().filter(|term| !term.is_empty()) {
            *frequencies.entry(term).or_default() += 1;
        }
        let mut words: Vec<&str> = Vec::new();
        for word in chunk.doc.split(' ').filter(|word| !word.is_empty() && !is_stop_word(word)) {
            if !words.contains(&word) && words.len() < 3 + mixed.len() % 3 {
                words.push(word);
            }
        }
        if words.len() >= 3 {
            mixed.push(words.into_iter().map(str::to_owned).collect::<Vec<_>>());
        }
    }
    let mut by_frequency: Vec<(u32, &str)> = frequencies
        .into_iter()
        .filter(|(term, _)| !is_stop_word(term))
        .map(|(term, frequency)| (frequency, term))
        .collect();
    by_frequency.sort_unstable();
    let single =
        |terms: &[(u32, &str)]| every(terms, count).map(|(_, term)| vec![(*term).to_owned()]).collect();
    let from = by_frequency.partition_point(|&(frequency, _)| frequency < 5);
    let to = by_frequency.partition_point(|&(frequency, _)| frequency <= 100);
    let most = by_frequency.len().saturating_sub(count);
    vec![
        Queries { name: "one rare term", terms: single(&by_frequency[from..to]) },
        Queries { name: "one common term", terms: single(&by_frequency[most..]) },
        Queries { name: "three to five terms", terms: every(&mixed, count).cloned().collect() },
    ]
}

/// About so many of the items, spread over all of them.
fn every<T>(items: &[T], count: usize) -> impl Iterator<Item = &T> {
    items.iter().step_by((items.len() / count.max(1)).max(1)).take(count)
}
