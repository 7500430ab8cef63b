//! Questions about repositories, and the files that answer them.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

/// A question about a package, and its answers. Written for this project by reading the package.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    /// The language that the package counts for.
    pub language: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What kind of question it is.
    pub kind: QuestionKind,
    /// What is asked.
    pub query: String,
    /// The files that answer it, relative to the package.
    pub files: Vec<String>,
}

/// What kind of question it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuestionKind {
    /// How something is done.
    How,
    /// Where something is.
    Where,
    /// What something is, or does.
    What,
    /// A name.
    Symbol,
}

/// All questions of a folder, one JSON document a line, in the order of files and lines.
///
/// # Errors
/// If there are none, or one cannot be read; the error names the file and the line.
pub fn read_questions(folder: &Path) -> Result<Vec<Question>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("questions in {}", folder.display()))?;
    let mut files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut questions = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for (line, text) in (1..).zip(text.lines()) {
            let place = || format!("{}:{line}", file.display());
            questions.push(serde_json::from_str(text).with_context(place)?);
        }
    }
    anyhow::ensure!(!questions.is_empty(), "no questions in {}", folder.display());
    Ok(questions)
}
