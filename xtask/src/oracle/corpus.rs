//! The files of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::engine::Engine;
use super::language::Language;
use super::source::Source;
use crate::workspace;

/// The folder that `cargo xtask corpus` fills, or one of the user's own.
pub(super) struct Corpus {
    folder: PathBuf,
    limit: Option<usize>,
    is_own: bool,
}

impl Corpus {
    pub(super) fn open(own: Option<&Path>, limit: Option<usize>) -> Result<Self> {
        let folder = own.map_or_else(|| workspace::root().join("benches/corpus"), Path::to_owned);
        if !folder.is_dir() {
            match own {
                Some(path) => bail!("{} is no folder", path.display()),
                None => bail!("the corpus is missing; fetch it with `cargo xtask corpus`"),
            }
        }
        Ok(Self { folder, limit, is_own: own.is_some() })
    }

    /// The languages to compare: of the user's own corpus those that it has a folder for.
    pub(super) fn languages(&self) -> Vec<Language> {
        let known = Language::PINNED.into_iter().chain(Language::OTHERS);
        match self.is_own {
            true => known.filter(|language| self.folder.join(language.name()).is_dir()).collect(),
            false => Language::PINNED.to_vec(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files of the language's packages that the engine takes for files of the language, sorted. Paths are
    /// relative to the folder, with `/`.
    pub(super) fn files(&self, language: Language, engine: &Engine) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let mut open = vec![language.name().to_owned()];
        while let Some(at) = open.pop() {
            let entries = fs::read_dir(self.folder.join(&at)).with_context(|| {
                format!("{at} of the corpus is missing; fetch it with `cargo xtask corpus`")
            })?;
            for entry in entries {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = format!("{at}/{name}");
                if entry.file_type()?.is_dir() {
                    open.push(path);
                } else if engine.reads(language, &name) {
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(spread(files, self.limit))
    }

    pub(super) fn read(&self, path: &str) -> Result<Source> {
        let text = fs::read(self.folder.join(path)).with_context(|| format!("failed to read {path}"))?;
        Ok(Source::new(text))
    }
}

/// At most `limit` of the items, evenly spread.
fn spread<T>(items: Vec<T>, limit: Option<usize>) -> Vec<T> {
    let step = limit.map_or(1, |limit| items.len().div_ceil(limit.max(1))).max(1);
    items.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_takes_from_everywhere() {
        let items: Vec<u32> = (0..10).collect();
        assert_eq!(spread(items.clone(), None), items);
        assert_eq!(spread(items.clone(), Some(3)), [0, 4, 8]);
        assert_eq!(spread(items.clone(), Some(10)), items);
        assert_eq!(spread(items, Some(100)).len(), 10);
        assert!(spread(Vec::<u32>::new(), Some(3)).is_empty());
    }
}
