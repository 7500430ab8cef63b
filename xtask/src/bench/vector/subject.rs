//! A measured program: started once, told by lines of JSON what to do, one after the other.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a program says of itself when it has started.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct About {
    /// Version of the library.
    pub(super) version: String,
    /// How it was compiled, or which instructions it chose.
    pub(super) build: String,
}

/// Seconds that something took.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct Time {
    pub(super) wall: f64,
    pub(super) cpu: f64,
}

/// A running program.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) about: About,
    // Dropped before the process is waited for: the end of its input is what ends it.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    process: Child,
}

impl Subject {
    pub(super) fn start(name: &'static str, mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {name}"))?;
        let input = process.stdin.take().context("a piped process has an input")?;
        let output = BufReader::new(process.stdout.take().context("a piped process has an output")?);
        let about = About { version: String::new(), build: String::new() };
        let mut subject = Self { name, about, input: Some(input), output, process };
        subject.about = subject.reply()?;
        Ok(subject)
    }

    /// Sends a command and waits for the answer.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, command: &Value) -> Result<T> {
        let input = self.input.as_mut().context("the program was told to end")?;
        writeln!(input, "{command}")
            .and_then(|()| input.flush())
            .with_context(|| format!("{} is gone", self.name))?;
        self.reply().with_context(|| format!("{} was asked {command}", self.name))
    }

    fn reply<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line)?;
        anyhow::ensure!(read > 0, "{} ended without an answer; what it said is above", self.name);
        serde_json::from_str(&line).with_context(|| format!("{} answered {line:?}", self.name))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.input = None;
        // It has nothing left to do, and whether it ends well changes no measurement.
        let _ = self.process.wait();
    }
}
