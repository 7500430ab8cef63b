//! The size of a corpus, by language.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::manifest::{Language, Package};
use super::stamp;

/// Source files of one language.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Size {
    packages: usize,
    files: usize,
    bytes: u64,
    lines: u64,
    /// Files larger than 1 MB.
    large: usize,
}

/// Prints files, megabytes and lines of each language, counting the files of that language in its packages.
pub(super) fn print(packages: &[&Package], corpus: &Path) -> Result<()> {
    let mut sizes: BTreeMap<Language, Size> = BTreeMap::new();
    for package in packages {
        let folder = corpus.join(package.folder());
        if folder.is_dir() {
            sizes.entry(package.language).or_default().add(measure(&folder, package.language)?);
        }
    }
    println!("{:<12}{:>9}{:>9}{:>9}{:>12}{:>8}", "language", "packages", "files", "MB", "lines", "> 1 MB");
    let mut all = Size::default();
    for (language, size) in &sizes {
        row(language.name(), size);
        all.add(*size);
    }
    row("all", &all);
    Ok(())
}

fn row(name: &str, size: &Size) {
    let megabytes = size.bytes as f64 / 1e6;
    println!(
        "{name:<12}{:>9}{:>9}{megabytes:>9.1}{:>12}{:>8}",
        size.packages, size.files, size.lines, size.large
    );
}

impl Size {
    fn add(&mut self, other: Self) {
        self.packages += other.packages;
        self.files += other.files;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.large += other.large;
    }
}

/// Measures one package.
fn measure(folder: &Path, language: Language) -> Result<Size> {
    let mut size = Size { packages: 1, ..Size::default() };
    for file in stamp::list(folder)? {
        let extension = Path::new(&file).extension().and_then(|extension| extension.to_str());
        if !extension.is_some_and(|extension| language.extensions().contains(&extension)) {
            continue;
        }
        let content = fs::read(folder.join(&file)).with_context(|| format!("failed to read {file}"))?;
        size.files += 1;
        size.bytes += content.len() as u64;
        size.lines += lines(&content);
        size.large += usize::from(content.len() > 1_000_000);
    }
    Ok(size)
}

/// Lines as an editor numbers them: one more than there are newlines, unless the last one ends the text.
fn lines(content: &[u8]) -> u64 {
    let newlines = content.iter().filter(|&&byte| byte == b'\n').count() as u64;
    newlines + u64::from(content.last().is_some_and(|&byte| byte != b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_an_editor() {
        assert_eq!([&b""[..], b"a", b"a\n", b"a\nb", b"\n\n"].map(lines), [0, 1, 1, 2, 2]);
    }

    #[test]
    fn only_files_of_the_language_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        for (path, text) in [("a/b.ts", "x\ny\n"), ("c.d.ts", "z"), ("README.md", "text"), ("d.js", "w")] {
            fs::write(folder.path().join(path), text).unwrap();
        }
        let size = measure(folder.path(), Language::Typescript).unwrap();
        assert_eq!(size, Size { packages: 1, files: 2, bytes: 5, lines: 3, large: 0 });
    }
}
