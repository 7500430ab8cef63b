//! The first minute: who asks where there is no index is offered one.

use super::index::cancel_on_interrupt;
use super::{block_on, existing_index};
use crate::args::{EmbedderArguments, FirstArguments, Global, MemoryArguments};
use crate::embedder;
use crate::failure::Failed;
use crate::output::{Output, PATH, WARNING, grouped};
use crate::progress::Bar;
use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, ProgressObserver};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// The index to be read. If there is none it is made, where that was asked for or is agreed to.
pub(super) fn index_to_read(
    arguments: &FirstArguments,
    embedder: &EmbedderArguments,
    global: &Global,
    output: &Output,
) -> Result<EngineConfig, Failed> {
    let missing = match existing_index(global) {
        Err(Failed::NoIndex(missing)) => missing,
        found => return found,
    };
    let tree = tree_round(&std::env::current_dir()?);
    let is_somebody_there = !output.quiet && io::stdin().is_terminal() && io::stderr().is_terminal();
    let is_wanted =
        arguments.yes || global.settings.values.index.yes || is_somebody_there && agrees_to(&tree)?;
    if !is_wanted {
        return Err(Failed::NoIndex(format!("{missing}, or now with --yes")));
    }
    let settings = global.settings.of_tree(&tree)?;
    let config =
        MemoryArguments::default().apply(settings.apply(EngineConfig::for_tree(&tree))?, &settings)?;
    let config = embedder::for_writing(config, embedder, global)?;
    block_on(async {
        let engine = Engine::open(config).await?;
        let observer = Bar::on_terminal(output).map(|bar| Box::new(bar) as Box<dyn ProgressObserver + Send>);
        let control =
            IndexControl { cancel: cancel_on_interrupt(output.quiet), observer, ..IndexControl::default() };
        let report = engine.index(&tree, &IndexOptions::default(), control).await;
        engine.close().await;
        let report = report?;
        let (files, seconds) = (grouped(report.files.indexed), report.elapsed.as_secs_f64());
        output.note(format_args!(
            "indexed {files} files of {PATH}{}{PATH:#} in {seconds:.2} s",
            tree.display()
        ));
        match report.failures.len() {
            0 => {}
            count => output
                .note(format_args!("{WARNING}{count} files failed{WARNING:#}; `ast-core status` names them")),
        }
        Ok(())
    })?;
    Ok(EngineConfig::for_tree(&tree).read_only())
}

/// The tree that a directory is meant to be of: the repository round it, or itself.
fn tree_round(here: &Path) -> PathBuf {
    here.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(here).to_owned()
}

/// Asks on the terminal. Nothing typed is a yes, for what was asked for needs it.
fn agrees_to(tree: &Path) -> Result<bool, Failed> {
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "There is no index of {PATH}{}{PATH:#} yet. Make one? [Y/n] ", tree.display())?;
    stderr.flush()?;
    let mut answer = String::new();
    let is_end = io::stdin().lock().read_line(&mut answer)? == 0;
    Ok(!is_end && matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
}
