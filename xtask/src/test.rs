//! `cargo xtask test`: every test, with nothing to set up but a Rust toolchain, a C compiler and Node.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::process::{self, Tool};
use crate::{mcp, node, torture, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Arguments for `cargo test`, such as a filter or `-p CRATE`. With any, only Rust tests are run.
    #[arg(last = true, value_name = "CARGO TEST ARGUMENTS")]
    arguments: Vec<String>,
}

/// The packages that are tested. The benches are left out because their dependencies are slow to build;
/// `cargo xtask ci` compiles them.
const PACKAGES: [&str; 3] = ["--workspace", "--exclude", "ast-core-benches"];

/// The packages whose documentation may hold examples. A library for Node has none, and cargo would warn of it.
const DOC_PACKAGES: [&str; 5] =
    ["--workspace", "--exclude", "ast-core-benches", "--exclude", "ast-core-node"];

/// What no other crate has on by default, and what of it does not need a program of its own.
const TRANSFORMER: [&str; 5] = ["--package", "ast-core-embed", "--features", "minilm", "--tests"];

/// The targets that are tested.
const TARGETS: [&str; 4] = ["--lib", "--bins", "--tests", "--examples"];

/// The arguments that select what is tested. Whoever builds with the same ones, in the same profile, builds nothing
/// twice: cargo unifies features over what is selected.
pub(crate) fn selection() -> impl Iterator<Item = &'static str> {
    PACKAGES.into_iter().chain(TARGETS)
}

const C_COMPILER: Tool = Tool {
    program: "cc",
    why: "to compile SQLite and the grammars of tree-sitter",
    how: "install your system's C compiler, such as the Debian package gcc or Apple's command line tools",
};

pub(crate) fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    if !cfg!(windows) && std::env::var_os("CC").is_none() {
        C_COMPILER.require()?;
    }
    let plan = Plan::new(&options.arguments);
    let with_node = options.arguments.is_empty() && node::package_exists();
    if with_node {
        // Before the long builds, not after them.
        node::require_tools()?;
    }

    let cargo_test = |arguments: &[String]| {
        let mut cargo = process::cargo();
        // With that, the library of the Node package is not compiled once more when it is tested.
        node::prepare(&mut cargo, node::Build::Workspace)?;
        process::run(cargo.arg("test").args(arguments).current_dir(workspace::root()))
    };
    let mut results = vec![("Rust tests", cargo_test(&plan.tests))];
    if let Some(arguments) = &plan.doc_tests {
        results.push(("documentation examples", cargo_test(arguments)));
    }
    if options.arguments.is_empty() {
        results.push(("steps that are made to fail", torture::failpoints()));
        results.push(("the transformer", cargo_test(&TRANSFORMER.map(str::to_owned))));
    }
    if with_node {
        results.push(("Node package", node::test(node::Build::Workspace)));
        results.push(("clients of the server", mcp::drive(mcp::Build::Workspace)));
    }
    // All are run whatever fails, so that one run tells all that is wrong.
    let names: Vec<&str> = results.iter().map(|(name, _)| *name).collect();
    let failures: Vec<String> = results
        .iter()
        .filter_map(|(name, result)| Some(format!("{name}: {:#}", result.as_ref().err()?)))
        .collect();
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    println!("all passed: {} ({:.0} s)", names.join(", "), started.elapsed().as_secs_f64());
    Ok(())
}

/// The arguments of the calls of `cargo test`.
#[derive(Debug, PartialEq)]
struct Plan {
    tests: Vec<String>,
    /// None if the user's arguments select targets, which excludes the examples in documentation.
    doc_tests: Option<Vec<String>>,
}

impl Plan {
    fn new(user: &[String]) -> Self {
        // What is behind a second `--` is for the test binaries.
        let for_cargo = user.iter().take_while(|argument| *argument != "--");
        let flags: Vec<&str> =
            for_cargo.map(|argument| argument.split('=').next().unwrap_or(argument)).collect();
        let has = |names: &[&str]| flags.iter().any(|flag| names.contains(flag));
        let (packages, doc_packages): (&[&str], &[&str]) =
            if has(&["-p", "--package"]) { (&[], &[]) } else { (&PACKAGES, &DOC_PACKAGES) };
        let own_targets = has(&[
            "--lib",
            "--bin",
            "--bins",
            "--test",
            "--tests",
            "--example",
            "--examples",
            "--doc",
            "--all-targets",
        ]);
        let targets: &[&str] = if own_targets { &[] } else { &TARGETS };

        let join = |parts: [&[&str]; 3]| {
            let ours = parts.into_iter().flatten().map(|&part| part.to_owned());
            ours.chain(user.iter().cloned()).collect::<Vec<_>>()
        };
        Self {
            tests: join([&["--no-fail-fast"], packages, targets]),
            doc_tests: (!own_targets).then(|| join([&["--no-fail-fast"], &["--doc"], doc_packages])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(user: &str) -> (String, Option<String>) {
        let user: Vec<String> = user.split_whitespace().map(str::to_owned).collect();
        let plan = Plan::new(&user);
        (plan.tests.join(" "), plan.doc_tests.map(|arguments| arguments.join(" ")))
    }

    const ALL: &str = "--no-fail-fast --workspace --exclude ast-core-benches";
    const ALL_DOCS: &str =
        "--no-fail-fast --doc --workspace --exclude ast-core-benches --exclude ast-core-node";

    #[test]
    fn all_is_tested_by_default() {
        let expected = (format!("{ALL} --lib --bins --tests --examples"), Some(ALL_DOCS.to_owned()));
        assert_eq!(plan(""), expected);
    }

    #[test]
    fn a_filter_goes_to_both() {
        let (tests, docs) = plan("chunk -- --nocapture");
        assert!(tests.ends_with("--examples chunk -- --nocapture"), "{tests}");
        assert_eq!(docs.unwrap(), format!("{ALL_DOCS} chunk -- --nocapture"));
    }

    #[test]
    fn a_package_replaces_the_workspace() {
        let (tests, docs) = plan("-p ast-core-model");
        assert_eq!(tests, "--no-fail-fast --lib --bins --tests --examples -p ast-core-model");
        assert_eq!(docs.unwrap(), "--no-fail-fast --doc -p ast-core-model");
        assert!(plan("--package=ast-core-model").0.starts_with("--no-fail-fast --lib"));
        assert!(plan("-- -p").0.starts_with(ALL), "what is for the test binary selects no package");
    }

    #[test]
    fn targets_replace_the_targets() {
        assert_eq!(plan("--test it"), (format!("{ALL} --test it"), None));
        assert_eq!(plan("--doc"), (format!("{ALL} --doc"), None));
    }
}
