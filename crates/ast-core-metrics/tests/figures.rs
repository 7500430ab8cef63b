//! Figures of the process and the machine, against what the test does. Alone in its process.

use std::fs::File;
use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ast_core_metrics::{ProcessFigures, SystemFigures};

const MIB: u64 = 1 << 20;

/// Resident memory that cannot be optimised away.
fn resident(bytes: u64) -> Vec<u8> {
    black_box(vec![1; bytes as usize])
}

#[test]
fn figures_follow_what_the_process_does() {
    let before = ProcessFigures::read();
    let system = SystemFigures::read();
    assert!(system.total_memory_bytes >= system.available_memory_bytes);
    assert!(system.cpus >= thread::available_parallelism().ok());
    if cfg!(target_os = "linux") {
        assert!(system.available_memory_bytes.is_some() && system.load_average.is_some());
    } else {
        assert!(ProcessFigures::reset_peak_rss().is_err());
        return;
    }

    let memory = resident(64 * MIB);
    let grown = ProcessFigures::read();
    assert!(grown.rss_bytes > before.rss_bytes.map(|bytes| bytes + 60 * MIB), "{before:?} {grown:?}");
    drop(memory);
    let shrunk = ProcessFigures::read();
    assert!(shrunk.rss_bytes < grown.rss_bytes.map(|bytes| bytes - 60 * MIB), "{grown:?} {shrunk:?}");
    assert!(shrunk.peak_rss_bytes > grown.rss_bytes.map(|bytes| bytes - MIB), "{grown:?} {shrunk:?}");
    if ProcessFigures::reset_peak_rss().is_ok() {
        let reset = ProcessFigures::read();
        assert!(
            reset.peak_rss_bytes < shrunk.peak_rss_bytes.map(|bytes| bytes - 60 * MIB),
            "{shrunk:?} {reset:?}"
        );
    }

    let (stop, stopped) = mpsc::channel::<()>();
    let waiting = thread::spawn(move || stopped.recv().is_err());
    let files = [(); 3].map(|()| File::open("/proc/self/status").unwrap());
    let more = ProcessFigures::read();
    assert_eq!(more.threads, before.threads.map(|threads| threads + 1));
    assert_eq!(more.open_files, before.open_files.map(|open| open + files.len() as u64));
    drop(stop);
    assert!(waiting.join().unwrap());

    let target = more.cpu_time.unwrap() + Duration::from_millis(30);
    while ProcessFigures::read().cpu_time.unwrap() < target {
        black_box(resident(MIB));
    }
}
