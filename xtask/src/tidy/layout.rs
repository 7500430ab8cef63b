//! Where files may be and what they may be called.

use std::collections::BTreeSet;

use crate::finding::Finding;

/// The top level of the repository. Whatever else is needed finds a room below it.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".deny.toml",
    ".github",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "bindings",
    "crates",
    "docs",
    "tests",
    "xtask",
];

/// Names that say nothing about what is inside.
pub(super) const BANNED_NAMES: &[&str] = &["utils", "util", "helpers", "common", "misc", "manager"];

/// Folders of data that only looks like our source: what the parsers are tested on, and what scaffolds are made from.
const DATA_FOLDERS: &[&str] = &["fixtures", "test_data", "templates"];

/// Whether the file is somebody's example rather than our source.
pub(super) fn is_data(path: &str) -> bool {
    path.split('/').rev().skip(1).any(|folder| DATA_FOLDERS.contains(&folder))
}

/// Checks the paths of the repository.
pub(super) fn check(paths: &[String]) -> Vec<Finding> {
    let mut findings = top_level(paths);
    findings.extend(paths.iter().filter_map(|path| banned_name(path)));
    findings.extend(readmes(paths));
    findings
}

fn top_level(paths: &[String]) -> Vec<Finding> {
    let entries: BTreeSet<&str> = paths.iter().filter_map(|path| path.split('/').next()).collect();
    let strangers = entries.into_iter().filter(|entry| !TOP_LEVEL.contains(entry));
    strangers
        .map(|entry| {
            Finding::new(
                entry,
                1,
                "does not belong at the top level",
                "move it into crates, bindings, tests, benches, docs or xtask, or list it in \
                 xtask/src/tidy/layout.rs and docs/architecture.md",
            )
        })
        .collect()
}

fn banned_name(path: &str) -> Option<Finding> {
    let is_source =
        [".rs", ".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"].iter().any(|end| path.ends_with(end));
    if !is_source || is_data(path) {
        return None;
    }
    let stem = |component: &str| component.split('.').next().unwrap_or_default().to_owned();
    let name = path.split('/').map(stem).find(|name| BANNED_NAMES.contains(&name.as_str()))?;
    Some(Finding::new(
        path,
        1,
        format!("the name `{name}` says nothing"),
        "name it after the thing that is in it",
    ))
}

fn readmes(paths: &[String]) -> Vec<Finding> {
    let has = |path: &str| paths.iter().any(|p| p == path);
    let crates = paths.iter().filter_map(|path| {
        let folder = path.strip_suffix("/Cargo.toml")?;
        (folder.strip_prefix("crates/")?.matches('/').count() == 0).then_some(folder)
    });
    crates
        .filter(|folder| !has(&format!("{folder}/README.md")))
        .map(|folder| {
            Finding::new(
                format!("{folder}/README.md"),
                1,
                "is missing",
                "say what the crate is and give one example",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(paths: &[&str]) -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        check(&paths).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn the_top_level_holds_only_what_is_listed() {
        assert!(places(&["Cargo.toml", ".ci/run", "docs/architecture.md"]).is_empty());
        assert_eq!(
            places(&["Cargo.toml", "notes.md", "scripts/a.sh", "scripts/b.sh"]),
            ["notes.md", "scripts"]
        );
    }

    #[test]
    fn empty_names_are_found_in_files_and_folders() {
        let bad = ["tests/common/mod.rs", "xtask/src/util.rs", "bindings/node/lib/helpers.test.ts"];
        assert_eq!(places(&bad), bad);
        assert!(
            places(&["tests/src/commons.rs", "docs/misc.md", "tests/fixtures/java/util/A.rs"]).is_empty()
        );
    }

    #[test]
    fn a_crate_has_a_readme() {
        assert_eq!(places(&["crates/a/Cargo.toml", "crates/a/src/lib.rs"]), ["crates/a/README.md"]);
        assert!(places(&["crates/a/Cargo.toml", "crates/a/README.md", "tests/Cargo.toml"]).is_empty());
    }
}
