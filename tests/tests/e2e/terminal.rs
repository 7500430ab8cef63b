//! The binary on a terminal: colours, the progress bar, the question for an index, and Ctrl-C.
#![cfg(target_os = "linux")]

use crate::binary::ast_core;
use crate::interrupted::large_tree;
use crate::repository::Repository;
use crate::rows;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command on a terminal of its own, which is what Ctrl-C there ends.
struct Terminal {
    child: Child,
    keyboard: File,
    said: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    fn start(repository: &Repository, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).expect("a terminal of one's own");
        unlockpt(&controller).expect("a terminal that can be opened");
        let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&controller, size).expect("a terminal has a size");
        let end = ioctl_tiocgptpeer(&controller, OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("its end");
        let end = || Stdio::from(end.try_clone().expect("its end"));
        // A session of its own, whose terminal it is.
        let program = [OsStr::new("--ctty"), ast_core().as_os_str()];
        let mut command = repository.command_of(Path::new("setsid"), program);
        command.args(arguments).env("TERM", "xterm").envs(variables.iter().copied());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the binary runs");
        drop(command);
        let mut screen = File::from(controller);
        let keyboard = screen.try_clone().expect("a keyboard");
        let said = Arc::<Mutex<Vec<u8>>>::default();
        let reader = std::thread::spawn({
            let said = said.clone();
            move || {
                let mut bytes = [0; 4096];
                // It ends in an error once nobody has its other end.
                while let Ok(length @ 1..) = screen.read(&mut bytes) {
                    said.lock().expect("a lock").extend(&bytes[..length]);
                }
            }
        });
        Self { child, keyboard, said, reader }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("a lock")).into_owned()
    }

    fn wait_for(&self, words: &str) {
        let begin = Instant::now();
        while !self.said().contains(words) {
            assert!(begin.elapsed() < PATIENCE, "{words:?} is not said: {:?}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("keys can be pressed");
    }

    /// How it ended, and all that it said.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().expect("a child ends").code();
        self.reader.join().expect("the screen can be read");
        let said = String::from_utf8_lossy(&self.said.lock().expect("a lock")).into_owned();
        (code, said)
    }
}

#[test]
fn progress_is_a_bar_that_goes_away() {
    let repository = large_tree();
    let (code, said) = Terminal::start(&repository, &["index"], &[]).end();
    assert_eq!(code, Some(0), "{said:?}");
    assert!(said.contains("/3000 files") && said.contains("MB/s"), "{said:?}");
    // The line is cleared before the answer is written.
    let (bar, answer) = said.rsplit_once("\u{1b}[2K").unwrap_or_else(|| panic!("{said:?}"));
    assert!(bar.contains("/3000 files") && answer.contains("3,000 files indexed"), "{answer:?}");
    for quiet in [&["index", "--rebuild", "--quiet"][..], &["index", "--rebuild", "-v"]] {
        let (code, said) = Terminal::start(&repository, quiet, &[]).end();
        assert!(
            code == Some(0) && !said.contains("/3000 files") && !said.contains("\u{1b}[2K"),
            "{quiet:?}: {said:?}"
        );
    }
}

#[test]
fn ctrl_c_keeps_what_is_committed_and_the_next_run_goes_on() {
    let repository = large_tree();
    let mut terminal = Terminal::start(&repository, &["index"], &[]);
    while rows::count_files(&repository.database()).unwrap_or(0) == 0 {
        assert_eq!(terminal.child.try_wait().expect("the child can be asked"), None, "it ended too early");
        std::thread::sleep(Duration::from_millis(2));
    }
    terminal.press(b"\x03");
    let (code, said) = terminal.end();
    assert_eq!(code, Some(130), "{said:?}");
    assert!(said.contains("what was committed is kept"), "{said:?}");
    let kept = rows::count_files(&repository.database()).expect("the store can be read");
    assert!(kept > 0 && kept < 3000, "{kept} files");
    let next = repository.run(["index", "--json"]).json();
    assert_eq!(
        (&next["files"]["unchanged"], &next["files"]["indexed"]),
        (&kept.into(), &(3000 - kept).into())
    );
}

#[test]
fn who_searches_on_a_terminal_is_asked_for_an_index() {
    let repository = Repository::polyglot();
    let mut terminal = Terminal::start(&repository, &["search", "enqueue a job"], &[]);
    terminal.wait_for("Make one? [Y/n]");
    terminal.press(b"n\r");
    let (code, said) = terminal.end();
    assert!(code == Some(4) && said.contains("ast-core index"), "{said:?}");
    assert!(!repository.database().exists());

    let mut terminal = Terminal::start(&repository, &["search", "enqueue a job"], &[]);
    terminal.wait_for("Make one? [Y/n]");
    terminal.press(b"\r");
    let (code, said) = terminal.end();
    assert!(code == Some(0) && said.contains("enqueue"), "{said:?}");
    assert!(repository.database().exists());
}

#[test]
fn answers_are_in_colours_unless_they_are_not_wanted() {
    let repository = Repository::polyglot();
    repository.index();
    let search = ["search", "retry_with_backoff"];
    let (_, coloured) = Terminal::start(&repository, &search, &[]).end();
    assert!(coloured.contains("\u{1b}[35mpub\u{1b}[0m"), "{coloured:?}");
    let never = [search[0], search[1], "--color", "never"];
    for (arguments, variables) in [
        (&search[..], &[("NO_COLOR", "1")][..]),
        (&search, &[("AST_CORE_COLOR", "never")]),
        (&search, &[("TERM", "dumb")]),
        (&never, &[]),
    ] {
        let (code, plain) = Terminal::start(&repository, arguments, variables).end();
        assert!(code == Some(0) && !plain.contains('\u{1b}'), "{variables:?}: {plain:?}");
    }
    std::fs::create_dir_all(repository.beside("home/ast-core")).expect("a folder");
    std::fs::write(repository.beside("home/ast-core/config.toml"), "color = \"never\"\n").expect("a file");
    let (_, plain) = Terminal::start(&repository, &search, &[]).end();
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}
