//! What is done, told on standard error to whoever asks for it.

use crate::failure::Failed;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that says what is told: a level, or targets with levels.
const VARIABLE: &str = "AST_CORE_LOG";

/// Begins to tell what `-v`, given so many times, or else the variable asks for. Whether there is anything that is told.
pub(crate) fn start(verbose: u8) -> Result<bool, Failed> {
    let ours = |level| Targets::new().with_target("ast_core", level);
    let filter = match (verbose, std::env::var_os(VARIABLE)) {
        (0, None) => return Ok(false),
        (0, Some(text)) if text.is_empty() => return Ok(false),
        (0, Some(text)) => {
            let text = text.to_string_lossy();
            match text.parse::<LevelFilter>() {
                Ok(level) => ours(level),
                Err(_) => text.parse().map_err(|_| {
                    Failed::Usage(format!(
                        "the variable {VARIABLE} is {text:?}; it is to be a level, such as debug, or targets with levels, \
                         such as ast_core_engine=trace,sqlx=warn"
                    ))
                })?,
            }
        }
        (1, _) => ours(LevelFilter::INFO),
        (2, _) => ours(LevelFilter::DEBUG),
        (3.., _) => ours(LevelFilter::TRACE),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_timer(tracing_subscriber::fmt::time::uptime());
    let started = tracing_subscriber::registry().with(lines).with(filter).try_init();
    started.map_err(|error| Failed::Usage(format!("nothing can be told of what is done: {error}")))?;
    Ok(true)
}
