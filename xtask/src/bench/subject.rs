//! A measured program: started once, told by lines of JSON what to do, one after the other.
//!
//! It is not trusted to end, to answer, or to answer in JSON: every way in which it goes wrong is an error that says
//! which, and none keeps the caller waiting for longer than a limit.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The longest line that is read, in bytes. Answers of a few thousand latencies are a hundredth of it.
const LONGEST: u64 = 16 << 20;
/// How long a program may take to end when its input has.
const ENDING: Duration = Duration::from_secs(10);
/// Lines that a program may be ahead of who reads them.
const AHEAD: usize = 4;
/// How much of a wrong answer is shown, in characters.
const SHOWN: usize = 200;

/// A running program, and what it said of itself when it started.
pub(super) struct Subject<A> {
    pub(super) about: A,
    process: Process,
}

struct Process {
    name: String,
    // Dropped before the process is waited for: the end of its input is what ends it.
    input: Option<ChildStdin>,
    lines: Receiver<io::Result<Vec<u8>>>,
    child: Child,
}

impl<A: DeserializeOwned> Subject<A> {
    /// Starts a program, and waits for its first line.
    pub(super) fn start(name: &str, mut command: Command, limit: Duration) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {name}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a piped process has an output")?;
        let (sender, lines) = sync_channel(AHEAD);
        // Reading has no time limit of its own. The thread ends with the output, or when nobody listens any more.
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(line) = read_line(&mut output).transpose() {
                let failed = line.is_err();
                if sender.send(line).is_err() || failed {
                    break;
                }
            }
        });
        let mut process = Process { name: name.to_owned(), input, lines, child };
        let about = process.reply(limit)?;
        Ok(Self { about, process })
    }

    /// Sends a command and waits for the answer, but not for longer than `limit`.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, command: &Value, limit: Duration) -> Result<T> {
        let process = &mut self.process;
        process.ask(command, limit).with_context(|| format!("{} was asked {command}", process.name))
    }

    /// The number by which the system knows the process.
    pub(super) fn id(&self) -> u32 {
        self.process.child.id()
    }
}

impl Process {
    fn ask<T: DeserializeOwned>(&mut self, command: &Value, limit: Duration) -> Result<T> {
        // It would be taken for the answer to this command.
        match self.lines.try_recv() {
            Ok(Ok(line)) => bail!("it said {} without being asked", shown(&line)),
            Ok(Err(error)) => return Err(error).context("its output cannot be read"),
            Err(TryRecvError::Disconnected) => bail!("{}", self.gone()),
            Err(TryRecvError::Empty) => {}
        }
        let input = self.input.as_mut().context("it was told to end")?;
        if writeln!(input, "{command}").and_then(|()| input.flush()).is_err() {
            bail!("{}", self.gone());
        }
        self.reply(limit)
    }

    fn reply<T: DeserializeOwned>(&mut self, limit: Duration) -> Result<T> {
        let line = match self.lines.recv_timeout(limit) {
            Ok(line) => line.with_context(|| format!("the output of {} cannot be read", self.name))?,
            Err(RecvTimeoutError::Disconnected) => bail!("{}", self.gone()),
            Err(RecvTimeoutError::Timeout) => {
                // It may never look at its input again.
                let _ = self.child.kill();
                bail!("{} gave no answer in {} s, and was ended", self.name, limit.as_secs_f64());
            }
        };
        serde_json::from_slice(&line)
            .map_err(|error| anyhow!("{} answered {}: {error}", self.name, shown(&line)))
    }

    /// What to say of a program whose output has ended.
    fn gone(&mut self) -> String {
        match self.end() {
            Some(status) => format!("{} ended without an answer, with {status}", self.name),
            None => format!("{} closed its output", self.name),
        }
    }

    /// Waits for the end of the process for a while.
    fn end(&mut self) -> Option<std::process::ExitStatus> {
        self.input = None;
        let begin = Instant::now();
        while begin.elapsed() < ENDING {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Err(_) => return None,
            }
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing left to do, and whether it ends well changes no measurement.
        if self.end().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The next line; `None` at the end. A line that is too long is an error, so that no program fills the memory.
fn read_line(output: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    output.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
    if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
        return Err(io::Error::other(format!("a line of more than {LONGEST} bytes")));
    }
    Ok((!line.is_empty()).then_some(line))
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{:?}…", &text[..at]),
        None => format!("{text:?}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use serde_json::json;

    use super::*;

    const SOON: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Result<Subject<Value>> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Subject::start("the script", command, LONG)
    }

    fn refused(script: &str) -> String {
        let mut subject = shell(script).unwrap();
        format!("{:#}", subject.ask::<Value>(&json!({"do": "x"}), SOON).unwrap_err())
    }

    #[test]
    fn it_is_asked_line_by_line() {
        let mut subject = shell(r#"echo '{"v":1}'; while read -r line; do echo "[$line]"; done"#).unwrap();
        assert_eq!(subject.about, json!({"v": 1}));
        for number in 0..3 {
            let answer: Vec<Value> = subject.ask(&json!({ "n": number }), LONG).unwrap();
            assert_eq!(answer, [json!({ "n": number })]);
        }
    }

    #[test]
    fn one_that_dies_says_how() {
        let error = refused("echo 1; read -r line; exit 7");
        assert!(error.contains("ended without an answer") && error.contains('7'), "{error}");
        let error = format!("{:#}", shell("exit 3").err().unwrap());
        assert!(error.contains("ended without an answer") && error.contains('3'), "{error}");
    }

    #[test]
    fn one_that_hangs_is_ended() {
        let begin = Instant::now();
        let error = refused("echo 1; exec sleep 600");
        assert!(error.contains("no answer in 0.3 s"), "{error}");
        assert!(begin.elapsed() < LONG);
    }

    #[test]
    fn garbage_is_shown_but_not_all_of_it() {
        let error = refused("echo 1; read -r line; head -c 100000 /dev/zero | tr '\\0' x; echo");
        assert!(error.contains("answered \"xxx") && error.len() < 600, "{error}");
        assert!(refused("echo 1; read -r line; printf '\\377\\376\\n'").contains("answered"));
    }

    #[test]
    fn what_was_said_before_is_no_answer() {
        let mut subject = shell("echo 1; read -r line; echo 2; echo 3; read -r line; echo 4").unwrap();
        assert_eq!(subject.ask::<u32>(&json!({}), LONG).unwrap(), 2);
        // Both lines are written before the answer is read, or soon after.
        thread::sleep(SOON);
        let error = format!("{:#}", subject.ask::<u32>(&json!({}), LONG).unwrap_err());
        assert!(error.contains("\"3\" without being asked"), "{error}");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let error = refused("echo 1; read -r line; exec cat /dev/zero");
        assert!(error.contains("bytes") || error.contains("no answer"), "{error}");
        let mut endless = BufReader::new(io::repeat(b'x'));
        assert!(read_line(&mut endless).is_err());
    }
}
