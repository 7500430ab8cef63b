//! `ast-core completions` and `ast-core man`: what is made of the definitions of the command line itself.

use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::failure::{Exit, Failed};
use clap::CommandFactory;
use std::io::{self, Write};

const NAME: &str = "ast-core";

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<Exit, Failed> {
    // All at once: what generates it panics where nobody reads it.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), NAME, &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Done)
}

pub(crate) fn man(arguments: &ManArguments) -> Result<Exit, Failed> {
    let command = Arguments::command().disable_help_subcommand(true);
    match &arguments.out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            io::stdout().lock().write_all(&page)?;
        }
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder))
                .map_err(|error| {
                    Failed::Usage(format!("{}: {error}; name a folder to write to", folder.display()))
                })?;
        }
    }
    Ok(Exit::Done)
}
