//! What this process uses.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::MetricsError;

/// What this process uses, as the operating system accounts for it. `None` is what it does not tell. In its JSON
/// processor time is in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProcessFigures {
    /// Memory resident now, in bytes. Linux keeps this by processor, and is off by some 100 KiB.
    pub rss_bytes: Option<u64>,
    /// The most memory ever resident, in bytes, since the start of the process or the last
    /// [`reset_peak_rss`](Self::reset_peak_rss). Linux only.
    pub peak_rss_bytes: Option<u64>,
    /// Processor time used by all threads, in user mode and in the kernel. Linux counts in steps of 10 ms.
    #[serde(rename = "cpu_seconds", serialize_with = "seconds_if_known")]
    pub cpu_time: Option<Duration>,
    /// Threads now. Linux only.
    pub threads: Option<u64>,
    /// Open file descriptors now; on Windows, open handles of any kind.
    pub open_files: Option<u64>,
}

impl ProcessFigures {
    /// Asks the operating system. On Linux that reads a few files of `/proc/self`; it is cheap enough for once
    /// a second, not for once a file.
    pub fn read() -> Self {
        #[cfg(target_os = "linux")]
        return linux::read();
        #[cfg(not(target_os = "linux"))]
        return portable::read();
    }

    /// Lets [`peak_rss_bytes`](Self::peak_rss_bytes) count from what is resident now, to measure one part of a
    /// program. It is the peak of the whole process, so whoever else reads it is affected. Linux only.
    ///
    /// # Errors
    /// [`MetricsError::ResetPeak`] where the system knows no such thing or does not allow it.
    pub fn reset_peak_rss() -> Result<(), MetricsError> {
        #[cfg(target_os = "linux")]
        let result = linux::reset_peak_rss();
        #[cfg(not(target_os = "linux"))]
        let result: std::io::Result<()> = Err(std::io::ErrorKind::Unsupported.into());
        result.map_err(|source| MetricsError::ResetPeak { source })
    }
}

fn seconds_if_known<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

/// Figures from `/proc/self`; proc(5) describes the files.
#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;
    use std::{fs, io};

    use super::ProcessFigures;

    pub(super) fn read() -> ProcessFigures {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        // The name of the process is in it, as it pleases.
        let stat = fs::read("/proc/self/stat").unwrap_or_default();
        let auxv = fs::read("/proc/self/auxv").unwrap_or_default();
        let rss_bytes = status_kib(&status, "VmRSS");
        ProcessFigures {
            rss_bytes,
            // The kernel updates the peak late, so it may lag behind what is resident now.
            peak_rss_bytes: status_kib(&status, "VmHWM").max(rss_bytes),
            cpu_time: cpu_time(&stat, clock_ticks_per_second(&auxv)),
            threads: status_number(&status, "Threads"),
            open_files: open_files(),
        }
    }

    pub(super) fn reset_peak_rss() -> io::Result<()> {
        fs::write("/proc/self/clear_refs", "5")
    }

    /// A field of `status` that the kernel gives in units of 1024 bytes, in bytes.
    fn status_kib(status: &str, field: &str) -> Option<u64> {
        let kib: u64 = status_value(status, field)?.strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    }

    fn status_number(status: &str, field: &str) -> Option<u64> {
        status_value(status, field)?.parse().ok()
    }

    fn status_value<'a>(status: &'a str, field: &str) -> Option<&'a str> {
        let mut lines = status.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| *name == field).map(|(_, value)| value.trim())
    }

    /// `utime` and `stime`, fields 14 and 15 of `stat`. Field 2 is a name in parentheses that may itself hold
    /// parentheses and spaces, so fields are counted from the last of them.
    fn cpu_time(stat: &[u8], ticks_per_second: Option<u64>) -> Option<Duration> {
        let after_name = stat.iter().rposition(|&byte| byte == b')')? + 1;
        let fields = std::str::from_utf8(&stat[after_name..]).ok()?;
        let mut times = fields.split_ascii_whitespace().skip(14 - 3).map(str::parse::<u64>);
        let ticks = times.next()?.ok()?.checked_add(times.next()?.ok()?)?;
        Duration::try_from_secs_f64(ticks as f64 / ticks_per_second? as f64).ok()
    }

    /// What `sysconf(_SC_CLK_TCK)` returns, from where it takes it: the `AT_CLKTCK` entry of the vector of
    /// pairs that the kernel hands to a program.
    fn clock_ticks_per_second(auxv: &[u8]) -> Option<u64> {
        const WORD: usize = size_of::<usize>();
        const AT_CLKTCK: u64 = 17;
        let word = |bytes: &[u8]| bytes.try_into().map(|bytes| usize::from_ne_bytes(bytes) as u64).ok();
        auxv.chunks_exact(2 * WORD)
            .find(|pair| word(&pair[..WORD]) == Some(AT_CLKTCK))
            .and_then(|pair| word(&pair[WORD..]))
            .filter(|&ticks| ticks > 0)
    }

    fn open_files() -> Option<u64> {
        let open = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        // Listing the directory opens it.
        open.checked_sub(1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const STATUS: &str =
            "Name:\tVmRSS: 7 kB\nVmHWM:\t   20480 kB\nVmRSS:\t    1024 kB\nThreads:\t12\nVmSwap:\tmuch\n";

        #[test]
        fn status_fields_are_found_by_their_whole_name() {
            assert_eq!(status_kib(STATUS, "VmRSS"), Some(1 << 20));
            assert_eq!(status_kib(STATUS, "VmHWM"), Some(20 << 20));
            assert_eq!(status_number(STATUS, "Threads"), Some(12));
            assert_eq!(status_kib(STATUS, "VmSwap"), None);
            assert_eq!(status_kib(STATUS, "Vm"), None);
            assert_eq!(status_kib("", "VmRSS"), None);
        }

        #[test]
        fn processor_time_is_found_behind_any_name() {
            let stat = |name: &str| format!("71 ({name}) S 1 2 3 4 5 6 7 8 9 10 250 50 9 9 20 0 4 0");
            for name in ["engine", "a b) c (", ")", ") S 1 2 3"] {
                let found = cpu_time(stat(name).as_bytes(), Some(100));
                assert_eq!(found, Some(Duration::from_secs(3)), "{name}");
            }
            let not_unicode = [b"71 (\xff) S 1 2 3 4 5 6 7 8 9 10 250 ".as_slice(), b"50 9"].concat();
            assert_eq!(cpu_time(&not_unicode, Some(1000)), Some(Duration::from_millis(300)));
            assert_eq!(cpu_time(stat("x").as_bytes(), None), None);
            for damaged in ["", "71", "71 (x) S 1 2 3", "71 (x) S 1 2 3 4 5 6 7 8 9 10 many 50"] {
                assert_eq!(cpu_time(damaged.as_bytes(), Some(100)), None, "{damaged}");
            }
        }

        #[test]
        fn clock_ticks_are_found_in_the_vector() {
            let auxv = |pairs: &[[usize; 2]]| -> Vec<u8> {
                pairs.iter().flatten().flat_map(|word| word.to_ne_bytes()).collect()
            };
            assert_eq!(clock_ticks_per_second(&auxv(&[[6, 4096], [17, 250], [0, 0]])), Some(250));
            assert_eq!(clock_ticks_per_second(&auxv(&[[6, 17], [17, 0]])), None);
            assert_eq!(clock_ticks_per_second(&[]), None);
        }
    }
}

/// What sysinfo tells of any system. It is compiled for tests everywhere, so that it does not rot.
#[cfg(any(test, not(target_os = "linux")))]
mod portable {
    use std::time::Duration;

    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

    use super::ProcessFigures;

    pub(super) fn read() -> ProcessFigures {
        read_process().unwrap_or_default()
    }

    fn read_process() -> Option<ProcessFigures> {
        let mut system = System::new().ok()?;
        let pid = get_current_pid().ok()?;
        let figures = ProcessRefreshKind::nothing().with_memory().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, figures);
        let process = system.process(pid)?;
        Some(ProcessFigures {
            // A process that runs has memory resident: 0 stands for not known.
            rss_bytes: Some(process.memory()).filter(|&bytes| bytes > 0),
            peak_rss_bytes: None,
            cpu_time: Some(Duration::from_millis(process.accumulated_cpu_time())),
            threads: None,
            open_files: process.open_files().map(|files| files as u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sources_tell_of_this_process() {
        let (here, there) = (ProcessFigures::read(), portable::read());
        for figures in [&here, &there] {
            assert!(figures.rss_bytes > Some(1 << 20), "{figures:?}");
            assert!(figures.cpu_time.is_some_and(|time| time < Duration::from_secs(3600)), "{figures:?}");
        }
        if cfg!(target_os = "linux") {
            assert!(here.peak_rss_bytes >= here.rss_bytes, "{here:?}");
            assert!(here.threads >= Some(1) && here.open_files >= Some(1), "{here:?}");
        }
    }
}
