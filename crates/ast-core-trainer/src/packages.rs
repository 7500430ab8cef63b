//! The packages to learn from or to measure with: which they are, and where their files are.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// A list of packages, as `cargo xtask corpus` fetches them.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    /// The packages, in the order of the list.
    #[serde(rename = "package")]
    pub packages: Vec<Package>,
}

/// One package of the list. What only fetching it needs is left to who fetches.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// The registry that it comes from.
    pub ecosystem: Ecosystem,
    /// Its name there.
    pub name: String,
    /// Its version there.
    pub version: String,
    /// The licence that the list gives it: an SPDX expression.
    pub license: String,
    /// The language of which files are read.
    pub language: String,
}

/// A registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Rust's.
    Cargo,
    /// That of JavaScript and TypeScript.
    Npm,
    /// Python's.
    Pypi,
    /// Debian's sources.
    Debian,
}

/// The languages that the model learns and is measured in, in the order of tables.
pub const LANGUAGES: [&str; 6] = ["rust", "typescript", "javascript", "python", "java", "cpp"];

impl Manifest {
    /// Reads a list.
    ///
    /// # Errors
    /// A file that cannot be read or is no such list.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        let manifest: Self = toml::from_str(&text).with_context(|| path.display().to_string())?;
        for package in &manifest.packages {
            if !LANGUAGES.contains(&package.language.as_str()) {
                bail!("{package}: expected one of {}, received {}", LANGUAGES.join(" "), package.language);
            }
        }
        Ok(manifest)
    }
}

impl Package {
    /// Where its files are below the folder of all packages: `<language>/<name>-<version>`, without npm's scope mark
    /// and Debian's epoch.
    pub fn folder(&self) -> PathBuf {
        let name = self.name.trim_start_matches('@').replace('/', "-");
        let version = self.version.rsplit(':').next().unwrap_or_default();
        Path::new(&self.language).join(format!("{name}-{version}"))
    }

    /// The number of its language in [`LANGUAGES`].
    pub fn language_number(&self) -> usize {
        LANGUAGES.iter().position(|language| *language == self.language).unwrap_or_default()
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.language, self.name, self.version)
    }
}

/// What must not be learned from: the packages that ranking is measured with, here or elsewhere, and the repositories
/// that they come from.
#[derive(Debug, Default)]
pub struct Exclusions {
    names: BTreeSet<String>,
    repositories: BTreeSet<String>,
}

impl Exclusions {
    /// Reads a list: `package` or `repository`, a tab, and a name; `#` begins a comment.
    ///
    /// # Errors
    /// A file that cannot be read or has other lines.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut exclusions = Self::default();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            match line.split_once('\t') {
                Some(("package", name)) => exclusions.names.insert(normal(name)),
                Some(("repository", name)) => exclusions.repositories.insert(name.to_ascii_lowercase()),
                _ => bail!("expected `package` or `repository`, a tab and a name, received `{line}`"),
            };
        }
        Ok(exclusions)
    }

    /// Why a package must not be learned from, if it must not: by its name, in whatever registry, or by the addresses
    /// that it declares.
    pub fn refusal(&self, package: &Package, addresses: &[String]) -> Option<String> {
        if self.names.contains(&normal(&package.name)) {
            return Some(format!("`{}` is kept for measuring", package.name));
        }
        addresses.iter().find_map(|address| {
            let parts = repository_of(address)?;
            let whole_owner = format!("{}/*", parts.split('/').next()?);
            (self.repositories.contains(&parts) || self.repositories.contains(&whole_owner))
                .then(|| format!("its repository `{parts}` is kept for measuring"))
        })
    }

    /// Whether a file is in a folder that has the name of such a package: a copy of it, most likely.
    pub fn has_copy(&self, path: &str) -> bool {
        let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
        folders.split('/').any(|folder| self.names.contains(&normal(folder)))
    }
}

/// Registries differ in which of these they tell apart.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// `owner/name` of an address such as `git+https://github.com/owner/name.git#main`.
fn repository_of(address: &str) -> Option<String> {
    let address = address.to_ascii_lowercase();
    let (_, path) = address.split_once("github.com").or_else(|| address.split_once("github:"))?;
    let mut parts = path.split(['/', ':', '#', '?']).filter(|part| !part.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    Some(format!("{owner}/{}", name.trim_end_matches(".git")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            ecosystem: Ecosystem::Npm,
            name: name.to_owned(),
            version: "1:2.0-1".to_owned(),
            license: "MIT".to_owned(),
            language: "javascript".to_owned(),
        }
    }

    #[test]
    fn packages_and_repositories_and_copies_are_known() {
        let list = "# why\npackage\tthree\npackage\tscikit-image\nrepository\tvercel/next.js\nrepository\ttokio-rs/*\n";
        let exclusions = Exclusions::parse(list).unwrap();
        let refused =
            |name: &str, address: &str| exclusions.refusal(&package(name), &[address.to_owned()]).is_some();
        assert!(refused("three", "") && refused("scikit_image", "") && !refused("three-stdlib", ""));
        assert!(refused("a", "git+https://github.com/Vercel/next.js.git"));
        assert!(refused("a", "git@github.com:tokio-rs/bytes.git"));
        assert!(refused("a", "https://github.com/vercel/next.js/tree/main/packages/a"));
        assert!(!refused("a", "https://github.com/vercel/swr"));
        assert!(exclusions.has_copy("src/three/core/a.js") && !exclusions.has_copy("src/three.js"));
        assert!(Exclusions::parse("three").is_err());
    }

    #[test]
    fn a_folder_has_neither_scope_nor_epoch() {
        assert_eq!(package("@a/b").folder(), Path::new("javascript/a-b-2.0-1"));
    }
}
