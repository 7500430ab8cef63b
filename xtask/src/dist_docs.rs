//! `cargo xtask dist-docs`: what a package of the command line ships beside the binary.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{process, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to write `man/man1` and `completions`
    #[arg(long, value_name = "FOLDER", default_value = "target/dist-docs")]
    out: PathBuf,
}

/// The shells, and what each calls the script of a command.
const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "ast-core.bash"),
    ("zsh", "_ast-core"),
    ("fish", "ast-core.fish"),
    ("powershell", "_ast-core.ps1"),
    ("elvish", "ast-core.elv"),
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let out = workspace::root().join(&options.out);
    let ast_core = |arguments: &[&str]| {
        let mut command = process::cargo();
        command.args(["run", "--quiet", "--locked", "--package", "ast-core-cli", "--"]).args(arguments);
        process::output(command.current_dir(workspace::root()))
    };
    let pages = out.join("man/man1");
    ast_core(&["man", "--out", pages.to_str().context("the folder's name is not UTF-8")?])?;
    let scripts = out.join("completions");
    std::fs::create_dir_all(&scripts).with_context(|| scripts.display().to_string())?;
    for (shell, name) in SCRIPTS {
        let path = scripts.join(name);
        std::fs::write(&path, ast_core(&["completions", shell])?)
            .with_context(|| path.display().to_string())?;
    }
    println!("manual pages and completions are in {}", out.display());
    Ok(())
}
