//! Where and when something is measured: the machine, its load, the commit, the day.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::{process, workspace};

/// Where it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) threads: usize,
    pub(super) memory: String,
    pub(super) system: String,
    /// The release of the system's kernel, and the name of the distribution.
    #[serde(default)]
    pub(super) kernel: String,
    #[serde(default)]
    pub(super) distribution: String,
    /// Processes that wanted to run, over one, five and fifteen minutes, when the measurement began and ended.
    pub(super) load: [String; 2],
    pub(super) rustc: String,
    pub(super) node: String,
}

/// The load of the machine now, where the system tells it.
pub(super) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

impl Machine {
    /// This machine, after a measurement.
    pub(super) fn new(load_before: String) -> Self {
        let unknown = || "unknown".to_owned();
        let field = |file: &str, name: &str, mark: char| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line =
                text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(mark));
            line.map_or_else(unknown, |(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let version = |program: &str| {
            let said = process::output(Command::new(program).arg("--version"));
            said.map_or_else(|_| unknown(), |said| said.trim().to_owned())
        };
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
        Self {
            processor: field("/proc/cpuinfo", "model name", ':'),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory: field("/proc/meminfo", "MemTotal", ':'),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            kernel: kernel.map_or_else(|_| unknown(), |text| text.trim().to_owned()),
            distribution: field("/etc/os-release", "PRETTY_NAME", '='),
            load: [load_before, load()],
            rustc: version("rustc"),
            node: version("node"),
        }
    }

    /// Whether times of both may be compared as they are.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let what = |machine: &Self| (machine.processor.clone(), machine.threads, machine.memory.clone());
        what(self) == what(other)
    }
}

/// What disturbs a process, counted since it began. `None` where the system does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Disturbance {
    /// Times that a thread of the process was taken off its processor for another.
    switches: Option<u64>,
    /// Hundredths of a second in which another machine had our processors, all of them together.
    stolen: Option<u64>,
}

impl Disturbance {
    /// What has disturbed the process so far.
    pub(super) fn of(process: u32) -> Self {
        let tasks = fs::read_dir(Path::new("/proc").join(process.to_string()).join("task"));
        let switches = tasks.ok().map(|tasks| {
            let status =
                tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
            status.filter_map(|text| involuntary(&text)).sum()
        });
        let stolen = fs::read_to_string("/proc/stat").ok().and_then(|text| steal(&text));
        Self { switches, stolen }
    }

    /// What has disturbed it since: switches, and seconds stolen. Threads that have ended in between take theirs along.
    pub(super) fn since(&self, before: &Self) -> (Option<u64>, Option<f64>) {
        let difference = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        let stolen = difference(self.stolen, before.stolen);
        (difference(self.switches, before.switches), stolen.map(|ticks| ticks as f64 / 100.0))
    }
}

fn involuntary(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?.trim().parse().ok()
}

/// The eighth number of the line about all processors: proc_stat(5).
fn steal(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("cpu "))?.split_whitespace().nth(7)?.parse().ok()
}

/// Seconds since the first of January 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The commit that is checked out, marked if there is more than that.
pub(super) fn commit() -> Result<String> {
    let git = |arguments: &[&str]| {
        process::output(Command::new("git").args(arguments).current_dir(workspace::root()))
    };
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.trim().is_empty();
    Ok(git(&["rev-parse", "--short=9", "HEAD"])?.trim().to_owned() + if changed { "-changed" } else { "" })
}

/// Today in UTC, as `2026-01-31`.
pub(super) fn today() -> String {
    date(now() / 86_400)
}

/// The date so many days after the first of January 1970.
fn date(days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_of_disturbance_is_found() {
        let status = "Name:\tnode\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t17\n";
        assert_eq!(involuntary(status), Some(17));
        assert_eq!(involuntary(""), None);
        let stat = "cpu  24 2 3 400 5 6 7 88 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(steal(stat), Some(88));
        assert_eq!(steal("cpu  24 2 3"), None);
    }

    #[test]
    fn disturbance_is_counted_from_one_moment_to_another() {
        let before = Disturbance { switches: Some(10), stolen: Some(100) };
        let after = Disturbance { switches: Some(12), stolen: Some(150) };
        assert_eq!(after.since(&before), (Some(2), Some(0.5)));
        assert_eq!(after.since(&Disturbance::default()), (None, None));
    }

    #[test]
    fn days_have_dates() {
        let cases = [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
        ];
        for (days, expected) in cases {
            assert_eq!(date(days), expected);
        }
    }
}
