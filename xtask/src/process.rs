//! Runs other programs: cargo, git, npm and the other registry clients.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

/// A program that a verb cannot do without.
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    /// What it is needed for.
    pub(crate) why: &'static str,
    /// How to get it.
    pub(crate) how: &'static str,
}

impl Tool {
    /// One clear error line, if the program does not start.
    pub(crate) fn require(&self) -> Result<()> {
        let mut command = Command::new(self.program);
        // Whether it knows the flag does not matter: it started.
        if command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
            return Ok(());
        }
        bail!("`{}` is missing: it is needed {}; {}", self.program, self.why, self.how)
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// npm's name for [`Command`]: on Windows it is a script, which is found only by its full name.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Shows the command, runs it with our output, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

/// Runs the command in silence and returns its standard output. The error of one that fails holds the end of what it
/// said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // A client may list every version that there is.
        let lines = lines[lines.len().saturating_sub(3)..].iter().map(|line| shortened(line, 200));
        let last = lines.collect::<Vec<_>>().join(" | ");
        bail!("`{}` failed with {}: {last}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("output of `{}` is not UTF-8", shown(command)))
}

/// The line, cut after so many characters.
fn shortened(line: &str, characters: usize) -> String {
    match line.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn not_started(command: &Command, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("`{}` is not installed or not on PATH", command.get_program().to_string_lossy())
        }
        _ => anyhow!("failed to start `{}`: {error}", shown(command)),
    }
}

/// The command as a person would type it, up to quoting.
fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    // Cargo hands us its own full path.
    let program = program.rsplit(['/', '\\']).next().unwrap_or(&program).to_owned();
    let mut words = vec![program];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_one_line_with_what_why_and_how() {
        let tool = Tool { program: "no-such-program-here", why: "to test", how: "write it" };
        let error = tool.require().unwrap_err().to_string();
        assert_eq!(error, "`no-such-program-here` is missing: it is needed to test; write it");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äöü", 3), "äöü");
    }

    #[test]
    fn a_failed_command_tells_what_it_said() {
        let error = output(cargo().arg("--no-such-flag")).unwrap_err().to_string();
        assert!(error.contains("--no-such-flag"), "{error}");
    }
}
