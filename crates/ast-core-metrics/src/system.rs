//! What this machine has.

use std::num::NonZeroUsize;

use serde::Serialize;
use sysinfo::{CpuRefreshKind, System};

/// What the machine has and how busy it is. `None` is what the operating system does not tell.
///
/// It is the machine, not what a container may use of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SystemFigures {
    /// Physical memory in bytes.
    pub total_memory_bytes: Option<u64>,
    /// Memory that programs can have without swapping, in bytes.
    pub available_memory_bytes: Option<u64>,
    /// Logical processors.
    pub cpus: Option<NonZeroUsize>,
    /// Mean number of runnable tasks over the last 1, 5 and 15 minutes. Linux counts those that wait for disks
    /// as well.
    pub load_average: Option<[f64; 3]>,
}

impl SystemFigures {
    /// Asks the operating system.
    pub fn read() -> Self {
        let Ok(mut system) = System::new() else {
            return Self::default();
        };
        system.refresh_memory();
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        // No machine has 0 bytes of memory: sysinfo says so where it does not know.
        let known = |bytes| Some(bytes).filter(|&bytes| bytes > 0);
        Self {
            total_memory_bytes: known(system.total_memory()),
            available_memory_bytes: known(system.available_memory()),
            cpus: NonZeroUsize::new(system.cpus().len()),
            load_average: System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]),
        }
    }
}
