//! The command `ast-core`: index and search source code.
//!
//! `args` says what can be asked, `commands` has one file a verb, `failure` turns what went wrong into a message and an
//! exit code, `json` holds the documents that go out, `settings` has what is set in files and in the environment, `embedder` makes what
//! makes vectors, `paint` shows code in colours. Nothing else of the engine prints or reads the environment.

mod allocator;
mod args;
mod commands;
mod embedder;
mod failure;
mod json;
mod log;
mod output;
mod paint;
mod progress;
mod settings;

use args::{Arguments, Command};
use clap::Parser;
use failure::{Exit, Failed};
use output::Output;
use settings::Settings;
use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::install();
    // Usage errors and --help end here, with the exit codes 2 and 0.
    let arguments = Arguments::parse();
    output::set_colors(arguments.global.color.unwrap_or_default());
    match run(arguments) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error),
    }
}

fn run(arguments: Arguments) -> Result<Exit, Failed> {
    let Arguments { command, mut global } = arguments;
    let is_logged = log::start(global.verbose)?;
    // What a shell or a manual is made of does not depend on anybody's settings.
    if !matches!(command, Command::Completions(_) | Command::Man(_)) {
        global.settings = Settings::of_user(global.config.as_deref())?;
    }
    let output = &Output::new(&global, is_logged);
    match command {
        Command::Index(arguments) => commands::index::run(&arguments, &global, output),
        Command::Search(arguments) => commands::search::run(&arguments, &global, output),
        Command::Grep(arguments) => commands::grep::run(&arguments, &global, output),
        Command::Context(arguments) => commands::context::run(&arguments, &global, output),
        Command::Map(arguments) => commands::map::run(&arguments, &global, output),
        Command::Similar(arguments) => commands::similar::run(&arguments, &global, output),
        Command::Symbols(arguments) => commands::symbols::run(&arguments, output),
        Command::Annotate(arguments) => commands::annotate::run(&arguments, output),
        Command::Query(arguments) => commands::query::run(&arguments, output),
        Command::Refs(arguments) => commands::references::refs(&arguments, &global, output),
        Command::Callers(arguments) => commands::references::callers(&arguments, &global, output),
        Command::Callees(arguments) => commands::references::callees(&arguments, &global, output),
        Command::Watch(arguments) => commands::watch::run(&arguments, &global, output),
        Command::Status(arguments) => commands::status::run(&arguments, &global, output),
        Command::Doctor(arguments) => commands::doctor::run(&arguments, &global, output),
        #[cfg(feature = "mcp")]
        Command::Mcp(arguments) => commands::mcp::run(arguments, global, output),
        Command::Languages => commands::languages::run(output),
        Command::Completions(arguments) => commands::completions::completions(&arguments),
        Command::Man(arguments) => commands::completions::man(&arguments),
    }
}

fn report(error: &Failed) -> ExitCode {
    // Whoever read the answer had enough of it.
    if !error.is_broken_pipe() {
        output::print_error(error);
    }
    error.exit().into()
}
