//! `cargo xtask tidy`: the house rules that no compiler checks.
//!
//! Every rule is a function from texts to findings, so that its tests need no files. The rules are those of
//! `docs/architecture.md`; where a rule has a list of what it allows, its findings say in which file that list is.

mod documents;
mod edges;
mod layout;
mod manifests;
mod sources;

use anyhow::Result;

use crate::{bench, finding, metadata, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<()> {
    let paths = workspace::files()?;
    let files = workspace::text_files(&paths);
    let members = metadata::members()?;

    let mut findings = edges::check(&members, &files);
    findings.extend(layout::check(&paths));
    findings.extend(manifests::check(&files));
    findings.extend(documents::check(&files));
    findings.extend(bench::readme::check(&files));
    for file in &files {
        findings.extend(sources::check(file));
    }
    finding::report(findings)?;
    println!("tidy: {} files, {} crates, no finding", paths.len(), members.packages.len());
    Ok(())
}
