//! The progress bar.

use crate::output::Output;
use ast_core_engine::{ProgressObserver, ProgressSnapshot};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar on the terminal: files, MB/s, and the time that is left. It draws nothing where standard error is no
/// terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// `None` if there is nobody to look at it.
    pub(crate) fn on_terminal(output: &Output) -> Option<Self> {
        if !output.has_bar || !std::io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30.green} {msg}");
        Some(Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))))
    }
}

impl ProgressObserver for Bar {
    fn observe(&mut self, snapshot: &ProgressSnapshot) {
        if let Some(total) = snapshot.bytes_total {
            self.0.set_length(total);
        }
        self.0.set_position(snapshot.bytes_done);
        self.0.set_message(line(snapshot));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn line(snapshot: &ProgressSnapshot) -> String {
    let mut line = match snapshot.items_total {
        Some(total) => format!("{}/{total} files", snapshot.items_done),
        None => format!("{} files", snapshot.items_done),
    };
    if let Some(rate) = snapshot.bytes_per_second() {
        line.push_str(&format!("  {:.1} MB/s", rate / 1e6));
    }
    if let Some(remaining) = snapshot.remaining() {
        let seconds = remaining.as_secs();
        line.push_str(&format!("  ETA {}:{:02}", seconds / 60, seconds % 60));
    }
    line
}
