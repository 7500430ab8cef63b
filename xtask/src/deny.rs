//! `cargo xtask deny`: licences, duplicate versions and sources of the dependencies.
//!
//! The rules are in `.deny.toml`, in the schema of cargo-deny. If that program is installed at [`CARGO_DENY`], it
//! checks them; otherwise this module does, with the resolved graph of `cargo metadata`, because building cargo-deny
//! takes longer than all other checks together.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::finding::{self, Finding};
use crate::metadata::{self, Metadata, Node, Package};
use crate::{process, workspace};

/// The version of cargo-deny that is known to read `.deny.toml` as this module does.
const CARGO_DENY: &str = "cargo-deny 0.20.2";

const CONFIG: &str = ".deny.toml";

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Check by `cargo metadata` even if cargo-deny is installed.
    #[arg(long)]
    builtin: bool,
}

/// The part of cargo-deny's configuration that we use. An unknown key is an error, so that both readers agree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    #[serde(rename = "sources")]
    _sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Graph {
    /// Triples of the supported targets.
    targets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Licenses {
    allow: Vec<String>,
    /// Licences that only one crate may have.
    #[serde(default)]
    exceptions: Vec<Exception>,
    private: Private,
    #[serde(rename = "unused-allowed-license")]
    _unused: Allow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Private {
    ignore: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    #[serde(rename = "multiple-versions")]
    _multiple_versions: Deny,
    #[serde(default)]
    skip: Vec<Skip>,
}

/// A version that may stand beside another one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    /// `name@version`.
    #[serde(rename = "crate")]
    spec: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    #[serde(rename = "unknown-registry")]
    _registry: Deny,
    #[serde(rename = "unknown-git")]
    _git: Deny,
}

/// A lint level that cannot be changed here.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Deny {
    Deny,
}

/// A lint level that cannot be changed here.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Allow {
    Allow,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if !options.builtin && cargo_deny_is_installed() {
        return process::run(
            process::cargo()
                .args(["deny", "--locked", "--workspace", "--config", CONFIG])
                .args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"])
                .current_dir(workspace::root()),
        );
    }
    let text = std::fs::read_to_string(workspace::root().join(CONFIG))
        .with_context(|| format!("failed to read {CONFIG}"))?;
    let config: Config = toml::from_str(&text).with_context(|| format!("{CONFIG} is not as expected"))?;
    let metadata = metadata::resolved(&config.graph.targets)?;
    let graph = Dependencies::new(&metadata)?;

    let mut findings = licences(&config.licenses, &graph)?;
    findings.extend(duplicates(&config.bans.skip, &graph));
    findings.extend(sources(&graph));
    finding::report(findings)?;
    println!("deny: {} packages on {} targets, no finding", graph.packages.len(), config.graph.targets.len());
    Ok(())
}

fn cargo_deny_is_installed() -> bool {
    process::output(Command::new("cargo-deny").arg("--version"))
        .is_ok_and(|version| version.trim() == CARGO_DENY)
}

/// The packages that the workspace reaches, and who depends on them.
struct Dependencies<'a> {
    packages: Vec<&'a Package>,
    /// Names of the direct dependents, by package id.
    dependents: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Dependencies<'a> {
    fn new(metadata: &'a Metadata) -> Result<Self> {
        let resolve = metadata.resolve.as_ref().context("cargo metadata gave no resolved graph")?;
        let packages: BTreeMap<&str, &Package> =
            metadata.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        let nodes: BTreeMap<&str, &Node> =
            resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut reached = BTreeSet::new();
        let mut dependents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut open: Vec<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            let package =
                packages.get(id).with_context(|| format!("cargo metadata does not describe {id}"))?;
            if !reached.insert(id) {
                continue;
            }
            let node = nodes.get(id).with_context(|| format!("cargo metadata does not resolve {id}"))?;
            for dependency in &node.deps {
                let used = packages.get(dependency.pkg.as_str()).is_some_and(|to| {
                    let mut declared =
                        package.dependencies.iter().filter(|declared| declared.name == to.name);
                    declared.any(|declared| declared.is_active(package, &node.features))
                });
                if used {
                    dependents.entry(&dependency.pkg).or_default().insert(&package.name);
                    open.push(&dependency.pkg);
                }
            }
        }
        Ok(Self { packages: reached.iter().map(|id| packages[id]).collect(), dependents })
    }

    /// What brings the package in, for a message.
    fn origin(&self, package: &Package) -> String {
        match self.dependents.get(package.id.as_str()) {
            Some(names) => format!("through {}", names.iter().copied().collect::<Vec<_>>().join(", ")),
            None => "a member of the workspace".to_owned(),
        }
    }
}

fn licences(rules: &Licenses, graph: &Dependencies<'_>) -> Result<Vec<Finding>> {
    let allow = licensees(&rules.allow)?;
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    for package in &graph.packages {
        if rules.private.ignore && package.publish.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let mut allow = allow.clone();
        for exception in rules.exceptions.iter().filter(|exception| exception.name == package.name) {
            used.insert(&exception.name);
            allow.extend(licensees(&exception.allow)?);
        }
        if let Err(what) = permitted(package.license.as_deref(), &allow) {
            findings.push(Finding::new(
                CONFIG,
                1,
                format!("{} {} ({}): {what}", package.name, package.version, graph.origin(package)),
                "replace the dependency, or allow the licence if it may be distributed with ours",
            ));
        }
    }
    for exception in rules.exceptions.iter().filter(|exception| !used.contains(&exception.name)) {
        let what = format!("the licence exception for `{}` applies to nothing", exception.name);
        findings.push(Finding::new(CONFIG, 1, what, "delete it"));
    }
    Ok(findings)
}

fn licensees(names: &[String]) -> Result<Vec<Licensee>> {
    let parse = |name: &String| {
        Licensee::parse(name).with_context(|| format!("{CONFIG}: `{name}` is no SPDX licence"))
    };
    names.iter().map(parse).collect()
}

/// Whether the allowed licences are enough for the expression; if not, why.
fn permitted(expression: Option<&str>, allow: &[Licensee]) -> Result<(), String> {
    let Some(text) = expression else {
        return Err("declares no licence".to_owned());
    };
    // Old manifests write `MIT/Apache-2.0`.
    let expression = Expression::parse_mode(text, ParseMode::LAX)
        .map_err(|e| format!("licence `{text}`: {}", e.reason))?;
    if expression.evaluate(|required| allow.iter().any(|licensee| licensee.satisfies(required))) {
        Ok(())
    } else {
        Err(format!("licence `{text}` is not allowed"))
    }
}

fn duplicates(skips: &[Skip], graph: &Dependencies<'_>) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in &graph.packages {
        versions.entry(&package.name).or_default().push(package);
    }
    let skipped = |package: &Package| {
        skips.iter().any(|skip| skip.spec == format!("{}@{}", package.name, package.version))
    };
    let mut findings = Vec::new();
    for (name, packages) in &versions {
        let counted: Vec<&&Package> = packages.iter().filter(|package| !skipped(package)).collect();
        if counted.len() > 1 {
            let list: Vec<String> = counted
                .iter()
                .map(|package| format!("{} {}", package.version, graph.origin(package)))
                .collect();
            findings.push(Finding::new(
                CONFIG,
                1,
                format!("{} versions of `{name}`: {}", counted.len(), list.join("; ")),
                "agree on one, or accept the older under [bans] with a reason",
            ));
        }
    }
    for skip in skips {
        let name = skip.spec.split('@').next().unwrap_or_default();
        let packages = versions.get(name).map_or(&[][..], Vec::as_slice);
        let matches = packages.iter().any(|package| skip.spec == format!("{name}@{}", package.version));
        if !matches || packages.len() < 2 {
            let what = format!("`{}` is accepted as a duplicate but is none", skip.spec);
            findings.push(Finding::new(CONFIG, 1, what, "delete the line"));
        }
    }
    findings
}

fn sources(graph: &Dependencies<'_>) -> Vec<Finding> {
    let from_git =
        |package: &&&Package| package.source.as_ref().is_some_and(|source| source.starts_with("git+"));
    let found = graph.packages.iter().filter(from_git);
    found
        .map(|package| {
            let what = format!("{} comes from a git repository ({})", package.name, graph.origin(package));
            Finding::new("Cargo.toml", 1, what, "use a published version")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Dependency, NodeDependency, Resolve};

    /// Packages as `name version licence -> dependencies`, ids being `name@version`; the first is the workspace. A
    /// dependency with `?` is optional and only named by a weak feature.
    fn metadata(lines: &[&str]) -> Metadata {
        let mut packages = Vec::new();
        let mut nodes = Vec::new();
        for line in lines {
            let (package, edges) = line.split_once(" ->").unwrap_or((line, ""));
            let mut words = package.splitn(3, ' ');
            let (name, version) = (words.next().unwrap(), words.next().unwrap());
            let id = format!("{name}@{version}");
            let dependencies = edges.split_whitespace().map(|edge| Dependency {
                name: edge.split('@').next().unwrap().to_owned(),
                kind: None,
                rename: None,
                optional: edge.ends_with('?'),
            });
            let deps = edges.split_whitespace().map(|edge| edge.trim_end_matches('?').to_owned());
            nodes.push(Node {
                id: id.clone(),
                deps: deps.map(|pkg| NodeDependency { pkg }).collect(),
                features: vec!["weak".to_owned()],
            });
            packages.push(Package {
                id,
                name: name.to_owned(),
                version: version.to_owned(),
                license: words.next().map(str::to_owned),
                source: Some("registry+x".to_owned()),
                manifest_path: String::new(),
                publish: None,
                dependencies: dependencies.collect(),
                features: [("weak".to_owned(), vec!["b?/x".to_owned()])].into(),
            });
        }
        Metadata {
            workspace_members: packages
                .first()
                .map(|package: &Package| package.id.clone())
                .into_iter()
                .collect(),
            packages,
            workspace_root: String::new(),
            target_directory: String::new(),
            resolve: Some(Resolve { nodes }),
        }
    }

    fn skips(specs: &[&str]) -> Vec<Skip> {
        specs.iter().map(|spec| Skip { spec: (*spec).to_owned(), _reason: "test".to_owned() }).collect()
    }

    fn duplicate_messages(lines: &[&str], accepted: &[&str]) -> Vec<String> {
        let metadata = metadata(lines);
        let graph = Dependencies::new(&metadata).unwrap();
        duplicates(&skips(accepted), &graph).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn licence_expressions_are_evaluated_as_logic() {
        let names = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"];
        let allow = licensees(&names.map(str::to_owned)).unwrap();
        let passes = |text: &str| permitted(Some(text), &allow).is_ok();
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(GPL-3.0-only OR MIT) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
            "MIT AND (GPL-2.0-only OR (ISC AND Apache-2.0))",
        ] {
            assert!(passes(good), "{good}");
        }
        for bad in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MPL-2.0/GPL-3.0-only",
            "(GPL-3.0-only OR MIT) AND MPL-2.0",
            "MIT WITH LLVM-exception",
            "nonsense",
            "",
        ] {
            assert!(!passes(bad), "{bad}");
        }
        assert_eq!(permitted(None, &allow), Err("declares no licence".to_owned()));
    }

    #[test]
    fn an_exception_is_for_one_crate_and_has_to_be_needed() {
        let metadata = metadata(&["us 0.1.0 MIT -> a@1.0.0 b@1.0.0", "a 1.0.0 MPL-2.0", "b 1.0.0 MPL-2.0"]);
        let graph = Dependencies::new(&metadata).unwrap();
        let exception = |name: &str| Exception { name: name.to_owned(), allow: vec!["MPL-2.0".to_owned()] };
        let rules = Licenses {
            allow: vec!["MIT".to_owned()],
            exceptions: vec![exception("a"), exception("c")],
            private: Private { ignore: true },
            _unused: Allow::Allow,
        };
        let findings: Vec<String> = licences(&rules, &graph).unwrap().into_iter().map(|f| f.what).collect();
        assert_eq!(
            findings,
            [
                "b 1.0.0 (through us): licence `MPL-2.0` is not allowed",
                "the licence exception for `c` applies to nothing"
            ]
        );
    }

    #[test]
    fn a_second_version_is_named_with_who_wants_it() {
        let lines = [
            "us 0.1.0 MIT -> a@1.0.0 b@1.0.0",
            "a 1.0.0 MIT -> b@2.0.0",
            "b 1.0.0 MIT",
            "b 2.0.0 MIT",
            "c 1.0.0 MIT",
        ];
        assert_eq!(duplicate_messages(&lines, &[]), ["2 versions of `b`: 1.0.0 through us; 2.0.0 through a"]);
        assert!(duplicate_messages(&lines, &["b@1.0.0"]).is_empty());
    }

    #[test]
    fn an_accepted_duplicate_has_to_be_one() {
        let lines = ["us 0.1.0 MIT -> a@1.0.0", "a 1.0.0 MIT"];
        assert_eq!(
            duplicate_messages(&lines, &["a@1.0.0", "b@1.0.0"]),
            [
                "`a@1.0.0` is accepted as a duplicate but is none",
                "`b@1.0.0` is accepted as a duplicate but is none"
            ]
        );
    }

    #[test]
    fn what_the_workspace_does_not_reach_does_not_count() {
        let lines = ["us 0.1.0 MIT -> a@1.0.0", "a 1.0.0 MIT", "a 2.0.0 MIT"];
        assert!(duplicate_messages(&lines, &[]).is_empty());

        let weak =
            ["us 0.1.0 MIT -> a@1.0.0 b@1.0.0", "a 1.0.0 MIT -> b@2.0.0?", "b 1.0.0 MIT", "b 2.0.0 MIT"];
        assert!(duplicate_messages(&weak, &[]).is_empty());
    }

    #[test]
    fn the_rules_of_this_repository_are_read() {
        let text = std::fs::read_to_string(workspace::root().join(CONFIG)).unwrap();
        let config: Config = toml::from_str(&text).unwrap();
        assert!(licensees(&config.licenses.allow).is_ok());
        assert!(toml::from_str::<Config>(&format!("{text}\n[advisories]\nignore = []\n")).is_err());
    }
}
