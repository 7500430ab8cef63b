//! The list of packages that make a corpus.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The packages of one corpus.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Whether only files in the language of a package are unpacked, and what tells its licence.
    #[serde(default)]
    sources_only: bool,
    #[serde(rename = "package")]
    pub(super) packages: Vec<Package>,
}

/// One pinned package.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    pub(super) ecosystem: Ecosystem,
    pub(super) name: String,
    pub(super) version: String,
    /// Name of the archive that the registry's client leaves.
    pub(super) file: String,
    /// SHA-256 of the archive, in lowercase hexadecimal.
    pub(super) sha256: String,
    /// SPDX expression, as the package declares it. Corpora are not distributed; it is here to be known.
    #[serde(rename = "license")]
    pub(super) _license: String,
    pub(super) language: Language,
    /// Starts of paths that are not unpacked: copies of the same program in other forms.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Whether it is part of the quick corpus.
    #[serde(default)]
    pub(super) quick: bool,
    /// Debian's own part of a source package, of which the file that tells the licences is unpacked.
    #[serde(default)]
    pub(super) packaging: Option<Archive>,
    /// As the list says.
    #[serde(skip)]
    sources_only: bool,
}

/// A further archive of a package.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Archive {
    pub(super) file: String,
    pub(super) sha256: String,
}

/// Where Debian's own part of a source package tells the licences.
pub(super) const COPYRIGHT: &str = "debian/copyright";

/// The registry that a package comes from.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ecosystem {
    Cargo,
    Npm,
    Pypi,
    Debian,
}

/// The language that a package stands for.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    Cpp,
    Java,
    Javascript,
    Python,
    Rust,
    Typescript,
}

impl Language {
    /// Name of the folder, and in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cpp => "cpp",
            Self::Java => "java",
            Self::Javascript => "javascript",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::Typescript => "typescript",
        }
    }

    /// File name extensions of its source.
    pub(super) fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Cpp => &["c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "ipp", "inl"],
            Self::Java => &["java"],
            Self::Javascript => &["js", "jsx", "mjs", "cjs"],
            Self::Python => &["py", "pyi"],
            Self::Rust => &["rs"],
            Self::Typescript => &["ts", "tsx", "mts", "cts"],
        }
    }
}

impl Manifest {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut manifest: Self = toml::from_str(text)?;
        for package in &mut manifest.packages {
            package.sources_only = manifest.sources_only;
        }
        let mut folders = BTreeSet::new();
        for package in &manifest.packages {
            let own = (&package.file, &package.sha256);
            let packaging = package.packaging.iter().map(|archive| (&archive.file, &archive.sha256));
            for (file, sha256) in std::iter::once(own).chain(packaging) {
                let hex = sha256.len() == 64
                    && sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if !hex {
                    bail!("{package}: sha256 is `{sha256}`, expected 64 lowercase hexadecimal digits");
                }
                if file.contains(['/', '\\']) {
                    bail!("{package}: file is `{file}`, expected a name without folders");
                }
            }
            if !folders.insert(package.folder()) {
                bail!("{package} is listed twice");
            }
        }
        Ok(manifest)
    }
}

impl Package {
    /// `<package>-<version>` as a file name: without npm's scope and Debian's epoch.
    pub(super) fn stem(&self) -> String {
        let name = self.name.trim_start_matches('@').replace('/', "-");
        let version = self.version.rsplit(':').next().unwrap_or_default();
        format!("{name}-{version}")
    }

    /// The folder of the unpacked files, within the corpus.
    pub(super) fn folder(&self) -> String {
        format!("{}/{}", self.language.name(), self.stem())
    }

    /// Compares the archive with the pinned checksum.
    pub(super) fn verify(&self, file: &Path) -> Result<()> {
        verify(file, &self.sha256)
    }

    /// Whether the path, without the archive's top folder, is left out.
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.exclude.iter().any(|start| path.starts_with(start.as_str()))
            || (self.sources_only && !self.is_source(path) && !tells_licence(path))
    }

    fn is_source(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        extension.is_some_and(|extension| self.language.extensions().contains(&extension.as_str()))
    }
}

/// Whether it is the file in which a package of some registry declares its licence.
fn tells_licence(path: &str) -> bool {
    let is_metadata = path
        .split_once('/')
        .is_some_and(|(folder, name)| folder.ends_with(".dist-info") && name == "METADATA");
    is_metadata || ["Cargo.toml", "package.json", COPYRIGHT].contains(&path)
}

/// Compares a file with a checksum.
pub(super) fn verify(file: &Path, expected: &str) -> Result<()> {
    let received = sha256(File::open(file).with_context(|| format!("failed to read {}", file.display()))?)?;
    if received != expected {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        bail!(
            "checksum of {name}: expected {expected}, received {received}; if the registry has a good reason, pin the new one"
        );
    }
    Ok(())
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.language.name(), self.name, self.version)
    }
}

/// The checksum in lowercase hexadecimal.
pub(super) fn sha256(mut from: impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut from, &mut digest)?;
    Ok(format!("{:x}", digest.finalize()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A package for tests, whose archive has the given content.
    pub(in super::super) fn package(file: &str, content: &[u8]) -> Package {
        Package {
            ecosystem: Ecosystem::Npm,
            name: "@scope/name".to_owned(),
            version: "1:2.0-1".to_owned(),
            file: file.to_owned(),
            sha256: sha256(content).unwrap(),
            _license: "MIT".to_owned(),
            language: Language::Typescript,
            exclude: vec!["dist/".to_owned()],
            quick: false,
            packaging: None,
            sources_only: false,
        }
    }

    fn toml(sha256: &str, file: &str) -> String {
        format!(
            "[[package]]\necosystem = \"cargo\"\nname = \"a\"\nversion = \"1.0.0\"\nfile = \"{file}\"\n\
             sha256 = \"{sha256}\"\nlicense = \"MIT\"\nlanguage = \"rust\"\n"
        )
    }

    #[test]
    fn folders_are_plain_names() {
        assert_eq!(package("a", b"").folder(), "typescript/scope-name-2.0-1");
    }

    #[test]
    fn a_wrong_checksum_tells_both() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tgz");
        std::fs::write(&file, "other").unwrap();
        let package = package("a.tgz", b"content");
        let error = package.verify(&file).unwrap_err().to_string();
        assert!(
            error.contains(&package.sha256) && error.contains(&sha256(&b"other"[..]).unwrap()),
            "{error}"
        );
        std::fs::write(&file, "content").unwrap();
        package.verify(&file).unwrap();
    }

    #[test]
    fn mistakes_in_a_list_are_refused() {
        let sum = sha256(&b""[..]).unwrap();
        let error =
            |text: &str| Manifest::parse(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error(&toml(&sum, "a.crate")), "");
        assert!(error(&toml("ABC", "a.crate")).contains("expected 64 lowercase"));
        assert!(error(&toml(&sum, "../a.crate")).contains("without folders"));
        assert!(error(&toml(&sum, "a.crate").repeat(2)).contains("listed twice"));
        assert!(error(&format!("{}typo = 1\n", toml(&sum, "a.crate"))).contains("typo"));
    }

    #[test]
    fn the_default_corpus_has_two_packages_a_language_and_a_quick_one() {
        let path = crate::workspace::root().join("benches/corpora/default.toml");
        let packages = Manifest::read(&path).unwrap().packages;
        for language in [
            Language::Cpp,
            Language::Java,
            Language::Javascript,
            Language::Python,
            Language::Rust,
            Language::Typescript,
        ] {
            let ours: Vec<_> = packages.iter().filter(|package| package.language == language).collect();
            assert!(ours.len() >= 2, "{language:?}");
            assert_eq!(ours.iter().filter(|package| package.quick).count(), 1, "{language:?}");
        }
    }
}
