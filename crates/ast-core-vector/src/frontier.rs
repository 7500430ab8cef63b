//! The nearest of the nodes that a search came by.

/// A node and its distance from the query, ordered by distance, then by node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    pub(crate) distance: i32,
    pub(crate) node: u32,
}

/// The nearest nodes found so far, and which of them were not looked behind yet.
///
/// A sorted array of integers: the distance in the high bits, then the node, then whether it was looked behind. Up
/// to some hundreds of entries moving the tail is cheaper than a heap, and the two heaps of the literature become
/// one.
#[derive(Default)]
pub(crate) struct Frontier {
    entries: Vec<u64>,
    capacity: usize,
    /// All before it were looked behind.
    next: usize,
}

impl Frontier {
    const DONE: u64 = 1;

    pub(crate) fn reset(&mut self, capacity: usize) {
        self.entries.clear();
        self.capacity = capacity;
        self.next = 0;
    }

    /// The distance that a node must be below to get in.
    #[inline]
    pub(crate) fn bar(&self) -> i32 {
        match self.entries.last() {
            Some(&worst) if self.entries.len() == self.capacity => Self::distance(worst),
            _ => i32::MAX,
        }
    }

    #[inline]
    fn distance(entry: u64) -> i32 {
        ((entry >> 32) as u32 ^ 1 << 31) as i32
    }

    #[inline]
    fn node(entry: u64) -> u32 {
        entry as u32 >> 1
    }

    /// Puts a node in its place, unless it is too far.
    #[inline]
    pub(crate) fn push(&mut self, candidate: Candidate) {
        let entry = u64::from(candidate.distance as u32 ^ 1 << 31) << 32 | u64::from(candidate.node) << 1;
        let place = self.entries.partition_point(|&other| other < entry);
        if self.entries.len() == self.capacity {
            if place == self.capacity {
                return;
            }
            self.entries.pop();
        }
        self.entries.insert(place, entry);
        self.next = self.next.min(place);
    }

    /// Puts a node in its place if it is nearer than the bar.
    #[inline]
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        if candidate.distance < self.bar() {
            self.push(candidate);
        }
    }

    /// The nearest node that was not looked behind, which counts as such from now on.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Candidate> {
        let entry = self.entries.get_mut(self.next)?;
        *entry |= Self::DONE;
        let nearest = Candidate { distance: Self::distance(*entry), node: Self::node(*entry) };
        self.next += 1;
        while self.entries.get(self.next).is_some_and(|entry| entry & Self::DONE != 0) {
            self.next += 1;
        }
        Some(nearest)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Candidate> {
        self.entries
            .iter()
            .map(|&entry| Candidate { distance: Self::distance(entry), node: Self::node(entry) })
    }
}
