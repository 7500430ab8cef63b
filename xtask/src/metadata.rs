//! The part of `cargo metadata` that the checks read.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{process, workspace};

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    pub(crate) workspace_root: String,
    pub(crate) target_directory: String,
    pub(crate) resolve: Option<Resolve>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    /// Where it comes from; none for a package on this disk.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: String,
    /// Registries that it may be published to; none means any, an empty list means that it is private.
    pub(crate) publish: Option<Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
    /// What each feature turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    /// Name of the package, whatever it is renamed to.
    pub(crate) name: String,
    /// `dev`, `build`, or none for a normal one.
    pub(crate) kind: Option<String>,
    /// The name that the manifest gives it.
    pub(crate) rename: Option<String>,
    pub(crate) optional: bool,
}

#[derive(Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<NodeDependency>,
    /// Names of the features that are on.
    pub(crate) features: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct NodeDependency {
    pub(crate) pkg: String,
}

impl Dependency {
    /// Whether it is used when the features of its package are on. The resolved graph also holds what is only named by
    /// a weak feature, `name?/feature`, which turns nothing on.
    pub(crate) fn is_active(&self, package: &Package, features: &[String]) -> bool {
        let name = self.rename.as_ref().unwrap_or(&self.name);
        let (explicit, with_feature) = (format!("dep:{name}"), format!("{name}/"));
        let turned_on = features.iter().filter_map(|feature| package.features.get(feature)).flatten();
        !self.optional || { turned_on }.any(|what| *what == explicit || what.starts_with(&with_feature))
    }
}

/// The members of the workspace and what their manifests declare. Needs no network and no lock file.
pub(crate) fn members() -> Result<Metadata> {
    load(&["--no-deps".to_owned()])
}

/// The resolved graph of what the workspace uses on any of the targets, with default features.
pub(crate) fn resolved(targets: &[String]) -> Result<Metadata> {
    let mut arguments = vec!["--locked".to_owned()];
    for target in targets {
        arguments.extend(["--filter-platform".to_owned(), target.clone()]);
    }
    load(&arguments)
}

fn load(arguments: &[String]) -> Result<Metadata> {
    let json = process::output(
        process::cargo()
            .args(["metadata", "--format-version", "1"])
            .args(arguments)
            .current_dir(workspace::root()),
    )?;
    serde_json::from_str(&json).context("cargo metadata has an unexpected form")
}
