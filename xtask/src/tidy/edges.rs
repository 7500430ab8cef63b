//! Who may depend on whom, among our crates and across the walls to third parties.

use super::manifests::line_of;
use crate::finding::Finding;
use crate::metadata::{Dependency, Metadata, Package};
use crate::workspace::TextFile;

/// Which of our crates a crate may use.
enum Uses {
    Only(&'static [&'static str]),
    Any,
}

use Uses::{Any, Only};

/// The edges of `docs/architecture.md`. Dev-dependencies are free: a test may look at a crate from outside.
const CRATES: &[(&str, Uses)] = &[
    ("ast-core-model", Only(&[])),
    ("ast-core-parse", Only(&["ast-core-model"])),
    ("ast-core-embed", Only(&["ast-core-model"])),
    ("ast-core-vector", Only(&[])),
    ("ast-core-lexical", Only(&["ast-core-model"])),
    ("ast-core-storage", Only(&["ast-core-lexical", "ast-core-model"])),
    ("ast-core-batch", Only(&[])),
    ("ast-core-metrics", Only(&[])),
    ("ast-core-search", Only(&["ast-core-model"])),
    (
        "ast-core-engine",
        Only(&[
            "ast-core-batch",
            "ast-core-embed",
            "ast-core-metrics",
            "ast-core-model",
            "ast-core-parse",
            "ast-core-search",
            "ast-core-storage",
            "ast-core-vector",
        ]),
    ),
    ("ast-core-mcp", Only(&["ast-core-engine"])),
    ("ast-core-cli", Only(&["ast-core-engine", "ast-core-mcp"])),
    ("ast-core-node", Only(&["ast-core-engine"])),
    ("ast-core-wasm", Only(&["ast-core-parse", "ast-core-search", "ast-core-vector"])),
    ("ast-core-trainer", Only(&["ast-core-embed", "ast-core-model", "ast-core-parse"])),
    ("ast-core-tests", Only(&["ast-core-engine"])),
    ("ast-core-benches", Any),
    ("xtask", Only(&[])),
];

/// Third parties behind a wall, by the start of their names, and the one crate that knows them. Benchmarks compare
/// with them directly.
const WALLS: &[(&str, &str)] = &[
    ("tree-sitter", "ast-core-parse"),
    ("sqlx", "ast-core-storage"),
    ("hnsw_rs", "ast-core-vector"),
    ("napi", "ast-core-node"),
    ("rmcp", "ast-core-mcp"),
];

const LIST: &str = "xtask/src/tidy/edges.rs";

/// Checks the declared normal and build dependencies of the members.
pub(super) fn check(metadata: &Metadata, files: &[TextFile]) -> Vec<Finding> {
    let members = &metadata.packages;
    let mut findings = Vec::new();
    for member in members {
        let manifest = member.manifest_path.replace('\\', "/");
        let manifest =
            manifest.strip_prefix(&metadata.workspace_root.replace('\\', "/")).unwrap_or(&manifest);
        let manifest = manifest.trim_start_matches('/');
        let text = files.iter().find(|file| file.path == manifest).map_or("", |file| &file.text);
        let Some((_, uses)) = CRATES.iter().find(|(name, _)| *name == member.name) else {
            findings.push(Finding::new(
                manifest,
                1,
                format!("crate `{}` is not in the table of crates", member.name),
                format!("add what it may use to {LIST} and to docs/architecture.md"),
            ));
            continue;
        };
        for dependency in member.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev")) {
            let ours = members.iter().any(|other| other.name == dependency.name);
            if let Some((what, advice)) = violation(member, uses, dependency, ours) {
                let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
                findings.push(Finding::new(manifest, line_of(text, name), what, advice));
            }
        }
    }
    findings
}

/// What is wrong with the edge and what to do about it, if anything is.
fn violation(member: &Package, uses: &Uses, to: &Dependency, ours: bool) -> Option<(String, String)> {
    let Only(allowed) = uses else { return None };
    if ours {
        return (!allowed.contains(&to.name.as_str())).then(|| {
            (
                format!("new edge {} -> {}", member.name, to.name),
                format!(
                    "let the facade ast-core-engine compose them, or change {LIST} and docs/architecture.md"
                ),
            )
        });
    }
    let (_, owner) = WALLS.iter().find(|(start, _)| to.name.starts_with(start))?;
    (member.name != *owner).then(|| {
        (
            format!("`{}` depends on `{}`, which only {owner} knows", member.name, to.name),
            format!("use it through {owner}, or change {LIST} and docs/architecture.md"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies.iter().map(|&(name, kind)| Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            rename: None,
            optional: false,
        });
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            license: None,
            source: None,
            manifest_path: format!("/somewhere/crates/{name}/Cargo.toml"),
            publish: None,
            dependencies: dependencies.collect(),
            features: Default::default(),
        }
    }

    fn findings<const N: usize>(packages: [Package; N]) -> Vec<Finding> {
        let metadata = Metadata {
            packages: packages.into(),
            workspace_members: Vec::new(),
            workspace_root: "/somewhere".to_owned(),
            target_directory: String::new(),
            resolve: None,
        };
        let text = "[dependencies]\nast-core-vector.workspace = true\n".to_owned();
        check(&metadata, &[TextFile { path: "crates/ast-core-embed/Cargo.toml".to_owned(), text }])
    }

    fn messages<const N: usize>(packages: [Package; N]) -> Vec<String> {
        findings(packages).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn an_allowed_edge_is_silent_and_a_new_one_names_both_ends() {
        let model = package("ast-core-model", &[]);
        let parse = package("ast-core-parse", &[("ast-core-model", None), ("tree-sitter", None)]);
        assert!(findings([model, parse]).is_empty());

        let vector = package("ast-core-vector", &[]);
        let embed = package("ast-core-embed", &[("ast-core-vector", Some("build"))]);
        let findings = findings([vector, embed]);
        assert_eq!((&*findings[0].path, findings[0].line), ("crates/ast-core-embed/Cargo.toml", 2));
        assert_eq!(findings[0].what, "new edge ast-core-embed -> ast-core-vector");
    }

    #[test]
    fn dev_dependencies_are_free() {
        let members = [
            package("ast-core-vector", &[]),
            package("ast-core-embed", &[("ast-core-vector", Some("dev")), ("sqlx", Some("dev"))]),
        ];
        assert!(findings(members).is_empty());
    }

    #[test]
    fn walls_hold_for_all_but_their_owner_and_the_benches() {
        let engine = package("ast-core-engine", &[("tree-sitter-rust", None), ("sqlx", None)]);
        let storage = package("ast-core-storage", &[("sqlx", None)]);
        let benches = package("ast-core-benches", &[("hnsw_rs", None), ("tree-sitter", None)]);
        assert_eq!(
            messages([engine, storage, benches]),
            [
                "`ast-core-engine` depends on `tree-sitter-rust`, which only ast-core-parse knows",
                "`ast-core-engine` depends on `sqlx`, which only ast-core-storage knows",
            ]
        );
    }

    #[test]
    fn an_unknown_crate_has_to_be_listed() {
        assert_eq!(
            messages([package("ast-core-new", &[])]),
            ["crate `ast-core-new` is not in the table of crates"]
        );
    }

    #[test]
    fn every_name_in_the_table_is_a_row_of_it() {
        for (_, uses) in CRATES {
            if let Only(names) = uses {
                assert!(names.iter().all(|name| CRATES.iter().any(|(row, _)| row == name)));
            }
        }
    }
}
