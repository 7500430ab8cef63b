//! Other processes: this test binary, run again for one test, which then plays a part.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// Names the store to the process that plays the part.
const STORE: &str = "AST_CORE_STORAGE_TEST_STORE";

/// The store to play the part on, if this process is the one to play it.
pub(crate) fn part() -> Option<PathBuf> {
    std::env::var_os(STORE).map(PathBuf::from)
}

/// The process that plays the part of a test.
pub(crate) fn command(test: &str, store: &Path) -> Command {
    command_of(&std::env::current_exe().unwrap(), test, store)
}

/// The same, with a copy of this test binary.
pub(crate) fn command_of(binary: &Path, test: &str, store: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(STORE, store);
    command
}

/// A process that tells how far it is.
pub(crate) struct Player {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

/// What the lines begin with that are not the test harness's.
const MARK: &str = "part: ";

/// Says a line to the process that waits for it.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The harness may have left a line unfinished.
    out.write_all(format!("\n{MARK}{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Waits until the other process lets this one go on, or ends.
pub(crate) fn wait() {
    std::io::stdin().lines().for_each(drop);
}

impl Player {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // A copy of this program cannot be run as long as a process that another test is about to start has it open for
        // writing, as it was made.
        let is_busy = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
        let mut process = loop {
            match command.spawn() {
                Err(error) if is_busy(&error) => std::thread::sleep(std::time::Duration::from_millis(5)),
                spawned => break spawned.unwrap(),
            }
        };
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// The next line it says.
    pub(crate) fn hear(&mut self) -> Option<String> {
        self.lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix(MARK).map(str::to_owned))
    }

    /// Lets it go on that waits in [`wait`], and gives how it ends.
    pub(crate) fn finish(mut self) -> ExitStatus {
        drop(self.process.stdin.take());
        // It must not block on what nobody hears.
        while self.hear().is_some() {}
        self.process.wait().unwrap()
    }

    /// Ends it at once, as the system does that is out of memory; what it had said and was not heard yet is given.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::iter::from_fn(|| self.hear()).collect()
    }
}
