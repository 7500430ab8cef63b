//! What a package itself says of its licence, and whether that lets the model learn from it.
//!
//! A model of word vectors holds no code of anybody, but what it learns from is chosen as if it did: only packages under
//! licences that ask for no more than to be named.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::packages::{Ecosystem, Package};

/// The licences that are taken.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "PSF-2.0",
    "PostgreSQL",
    "Python-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// What a package declares of itself.
#[derive(Debug, Default)]
pub struct Declaration {
    /// Addresses of its repository and home page.
    pub addresses: Vec<String>,
    /// Licences of single files, where it tells them.
    pub files: FileLicences,
}

/// Reads what the package declares.
///
/// # Errors
/// No declaration, or a licence that is not taken.
pub fn declaration(package: &Package, folder: &Path) -> Result<Declaration> {
    check(&package.license).context("the list")?;
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("failed to read its {name}"))
    };
    match package.ecosystem {
        Ecosystem::Cargo => of_cargo(&read("Cargo.toml")?),
        Ecosystem::Npm => of_npm(&read("package.json")?),
        Ecosystem::Pypi => of_wheel(&read(&metadata_of_wheel(folder)?)?),
        Ecosystem::Debian => {
            let files = FileLicences::parse(&read("debian/copyright")?)?;
            Ok(Declaration { addresses: Vec::new(), files })
        }
    }
}

/// Refuses an SPDX expression that asks for more than the allowed licences do.
fn check(expression: &str) -> Result<()> {
    let parsed = Expression::parse_mode(expression, ParseMode::LAX).map_err(|error| {
        anyhow::anyhow!("the licence `{expression}` is no SPDX expression: {}", error.reason)
    })?;
    let allowed =
        parsed.evaluate(|required| required.license.id().is_some_and(|id| ALLOWED.contains(&id.name)));
    if !allowed {
        bail!("the licence `{expression}` is not one of those that are learned from");
    }
    Ok(())
}

fn of_cargo(text: &str) -> Result<Declaration> {
    let manifest: toml::Table = toml::from_str(text).context("its Cargo.toml")?;
    let field = |name: &str| manifest.get("package")?.get(name)?.as_str().map(str::to_owned);
    check(&field("license").context("its Cargo.toml has no licence")?)?;
    let addresses = [field("repository"), field("homepage")].into_iter().flatten().collect();
    Ok(Declaration { addresses, ..Declaration::default() })
}

fn of_npm(text: &str) -> Result<Declaration> {
    let manifest: Value = serde_json::from_str(text).context("its package.json")?;
    let texts = |name: &str| -> Vec<String> {
        let text_of = |value: &Value| {
            let value = value.get("type").or(value.get("url")).unwrap_or(value);
            value.as_str().map(str::to_owned)
        };
        match manifest.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(text_of).collect(),
            Some(value @ Value::Object(object)) => {
                let url = object.get("url").and_then(Value::as_str).map(str::to_owned);
                // `type` of a licence is its name, of a repository it is `git`.
                if name == "license" {
                    text_of(value).into_iter().collect()
                } else {
                    url.into_iter().collect()
                }
            }
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    };
    let licences: Vec<String> = texts("license").into_iter().chain(texts("licenses")).collect();
    if licences.is_empty() {
        bail!("its package.json has no licence");
    }
    // Several in the old form are a choice.
    check(&licences.join(" OR "))?;
    let addresses = texts("repository").into_iter().chain(texts("homepage")).collect();
    Ok(Declaration { addresses, ..Declaration::default() })
}

fn metadata_of_wheel(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let name = names.into_iter().find(|name| name.ends_with(".dist-info")).context("it has no .dist-info")?;
    Ok(format!("{name}/METADATA"))
}

/// Classifiers of the Python Package Index that name one licence.
const CLASSIFIERS: &[(&str, &str)] = &[
    ("Apache Software License", "Apache-2.0"),
    ("BSD License", "BSD-3-Clause"),
    ("ISC License (ISCL)", "ISC"),
    ("MIT License", "MIT"),
    ("MIT No Attribution License (MIT-0)", "MIT-0"),
    ("Python Software Foundation License", "PSF-2.0"),
    ("The Unlicense (Unlicense)", "Unlicense"),
    ("zlib/libpng License", "Zlib"),
];

/// Ways in which the old free field names a licence.
const NAMES: &[(&str, &str)] = &[
    ("apache", "Apache-2.0"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache license", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license, version 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("apache v2", "Apache-2.0"),
    ("bsd", "BSD-3-Clause"),
    ("bsd license", "BSD-3-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd 3-clause license", "BSD-3-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("new bsd license", "BSD-3-Clause"),
    ("mit license", "MIT"),
    ("the mit license", "MIT"),
    ("the mit license (mit)", "MIT"),
];

fn of_wheel(text: &str) -> Result<Declaration> {
    let head = text.split("\n\n").next().unwrap_or_default();
    let fields: Vec<(&str, &str)> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    let of =
        |name: &'static str| fields.iter().filter(move |field| field.0 == name).map(|field| field.1.trim());
    let classified: Vec<&str> =
        of("Classifier").filter_map(|text| text.strip_prefix("License :: OSI Approved :: ")).collect();
    if let Some(expression) = of("License-Expression").next() {
        check(expression)?;
    } else if !classified.is_empty() {
        for name in classified {
            let known = CLASSIFIERS.iter().find(|(classifier, _)| *classifier == name);
            check(known.map_or(name, |(_, expression)| expression))?;
        }
    } else {
        let free = of("License").next().context("its METADATA has no licence")?;
        let known = NAMES.iter().find(|(name, _)| *name == free.to_ascii_lowercase());
        check(known.map_or(free, |(_, expression)| expression))?;
    }
    let addresses = of("Project-URL")
        .filter_map(|text| text.split_once(", ").map(|(_, address)| address))
        .chain(of("Home-page"))
        .map(str::to_owned)
        .collect();
    Ok(Declaration { addresses, ..Declaration::default() })
}

/// Which licence each file is under, by Debian's machine-readable copyright file (DEP 5).
#[derive(Debug, Default)]
pub struct FileLicences {
    /// The paths of each paragraph, and whether its licence is taken; the last that fits is meant.
    paragraphs: Vec<(Vec<Regex>, bool)>,
}

impl FileLicences {
    fn parse(text: &str) -> Result<Self> {
        let mut paragraphs = Vec::new();
        for paragraph in text.replace("\r\n", "\n").split("\n\n") {
            let (Some(files), Some(licence)) = (field(paragraph, "Files"), field(paragraph, "License"))
            else {
                continue;
            };
            let patterns = files.split_whitespace().map(pattern).collect::<Result<Vec<_>>>()?;
            let short = licence.lines().next().unwrap_or_default();
            paragraphs.push((patterns, check(&expression_of(short)).is_ok()));
        }
        if paragraphs.is_empty() {
            bail!(
                "its debian/copyright does not tell the licences of its files in the machine-readable form"
            );
        }
        Ok(Self { paragraphs })
    }

    /// Whether the licence of the file lets it be learned from. What tells nothing of single files is as the package is.
    pub fn allow(&self, path: &str) -> bool {
        let fits = |patterns: &Vec<Regex>| patterns.iter().any(|pattern| pattern.is_match(path));
        self.paragraphs.is_empty()
            || self.paragraphs.iter().rev().find(|(patterns, _)| fits(patterns)).is_some_and(|found| found.1)
    }
}

/// A field of a paragraph, with the lines that continue it.
fn field(paragraph: &str, name: &str) -> Option<String> {
    let mut lines = paragraph
        .lines()
        .skip_while(|line| !line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
    let mut text = lines.next()?[name.len() + 1..].trim().to_owned();
    for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
        text.push('\n');
        text.push_str(line.trim());
    }
    Some(text)
}

/// `*` stands for anything, `?` for a character: slashes too.
fn pattern(glob: &str) -> Result<Regex> {
    let escaped = regex::escape(glob.trim_start_matches("./").trim_end_matches(','));
    let expression = format!("^{}$", escaped.replace(r"\*", ".*").replace(r"\?", "."));
    Regex::new(&expression).with_context(|| format!("the pattern {glob} of its debian/copyright"))
}

/// Debian's short names of licences as an SPDX expression. One with a name that is not in the list is none, so that a choice
/// of which is refused too.
fn expression_of(short: &str) -> String {
    let mut words = Vec::new();
    for word in short.replace(',', " ").split_whitespace() {
        let lower = word.to_ascii_lowercase();
        words.push(match lower.as_str() {
            "or" => "OR".to_owned(),
            "and" => "AND".to_owned(),
            "with" => "WITH".to_owned(),
            "expat" | "mit/x11" | "x11" | "mit-style" | "mit-like" => "MIT".to_owned(),
            "apache-2" | "apache2" | "asl-2.0" | "apache" => "Apache-2.0".to_owned(),
            "bsd-2" | "bsd-2-clause" => "BSD-2-Clause".to_owned(),
            "bsd"
            | "bsd-3"
            | "bsd3"
            | "new-bsd"
            | "edl-1.0"
            | "bsd-3-clauses"
            | "bsd-3-clause"
            | "openexr"
            | "bsd-3-clause-hsqldb" => "BSD-3-Clause".to_owned(),
            "boost" | "boost-1.0" | "boost-1" | "boost-software-license-1.0" => "BSL-1.0".to_owned(),
            "apache-2.0" | "xerces-apache-2.0" => "Apache-2.0".to_owned(),
            "zlib" | "zlib/libpng" => "Zlib".to_owned(),
            _ => word.to_owned(),
        });
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_and_conjunctions_are_understood() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "Apache-2.0 WITH LLVM-exception",
            "MIT/Apache-2.0",
            "(MIT AND BSD-3-Clause)",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in
            ["GPL-3.0-only", "MIT AND LGPL-2.1-only", "MPL-2.0", "SEE LICENSE IN LICENSE", "UNLICENSED", ""]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_registry_declares_in_its_own_way() {
        let cargo =
            of_cargo("[package]\nname = \"a\"\nlicense = \"MIT\"\nrepository = \"https://github.com/a/b\"\n");
        assert_eq!(cargo.unwrap().addresses, ["https://github.com/a/b"]);
        assert!(of_cargo("[package]\nlicense-file = \"x\"\n").is_err());

        let npm =
            of_npm(r#"{"license": "ISC", "repository": {"type": "git", "url": "git://github.com/a/b"}}"#);
        assert_eq!(npm.unwrap().addresses, ["git://github.com/a/b"]);
        assert!(of_npm(r#"{"licenses": [{"type": "MIT", "url": "x"}, {"type": "GPL-2.0"}]}"#).is_ok());
        assert!(of_npm(r#"{"license": "GPL-2.0"}"#).is_err() && of_npm("{}").is_err());

        let wheel = |lines: &str| of_wheel(&format!("Metadata-Version: 2.1\n{lines}\n\nLicense: MIT\n"));
        assert!(wheel("License-Expression: BSD-3-Clause").is_ok());
        assert!(wheel("Classifier: License :: OSI Approved :: MIT License").is_ok());
        assert!(
            wheel("Classifier: License :: OSI Approved :: GNU General Public License (GPL)\nLicense: MIT")
                .is_err()
        );
        assert!(
            wheel("License: Apache License, Version 2.0\nProject-URL: Source, https://github.com/a/b")
                .is_ok_and(|found| found.addresses == ["https://github.com/a/b"])
        );
        assert!(wheel("Name: x").is_err());
    }

    #[test]
    fn the_last_paragraph_that_fits_tells_the_licence_of_a_file() {
        let text = "Format: x\nUpstream-Name: y\n\nFiles: *\nCopyright: z\nLicense: Apache-2\n\n\
                    Files: src/gpl/*\n doc/?.cc\nLicense: GPL-2+\n Text\n\nFiles: src/gpl/mine.cc\nLicense: Expat or Apache-2\n\n\
                    License: GPL-2+\n On Debian\n";
        let licences = FileLicences::parse(text).unwrap();
        assert!(
            licences.allow("src/a.cc") && licences.allow("src/gpl/mine.cc") && licences.allow("doc/ab.cc")
        );
        assert!(!licences.allow("src/gpl/other.cc") && !licences.allow("doc/a.cc"));
        assert!(FileLicences::parse("It is free.").is_err());
    }
}
