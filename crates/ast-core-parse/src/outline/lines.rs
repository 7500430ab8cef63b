//! Lines and places.

/// Where the lines of a text begin.
#[derive(Default)]
pub(crate) struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    pub(crate) fn find(&mut self, text: &str) {
        self.starts.clear();
        self.starts.push(0);
        self.starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
    }

    /// The line of a place, from 1.
    pub(crate) fn of(&self, at: u32) -> u32 {
        self.starts.partition_point(|&start| start <= at) as u32
    }
}
