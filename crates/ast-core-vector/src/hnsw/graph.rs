//! The links between slots, layer by layer.

use crate::{
    VectorError,
    bits::Bits,
    file::{Part, Reader, State, Writer},
    rows::Rows,
};

/// No link, and none behind it in its row.
pub(crate) const NONE: u32 = u32::MAX;

/// A hierarchy of graphs over slots.
///
/// The lowest layer has every slot: a row of `2 * m` links for each. Above it, each layer holds one in `m` of the
/// nodes below. Those nodes are rows of one array: the slot, the row of the same slot one layer below (the slot
/// itself on the lowest of them), the level, and `m` links to other rows.
#[derive(Clone)]
pub(crate) struct Graph {
    base: Rows<u32>,
    upper: Rows<u32>,
    /// Rows of `upper` that stand for nothing.
    free_upper: Vec<u32>,
    /// Where searches begin.
    pub(crate) entry: Option<Entry>,
}

/// The node that searches begin at: a row of `upper`, or a slot if there is but one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) node: u32,
    pub(crate) slot: u32,
    /// The layer that it is on, the lowest being 0.
    pub(crate) level: usize,
}

/// The highest layer that there can be, far beyond what any number of slots comes to.
pub(crate) const HIGHEST_LEVEL: usize = 12;

/// Places in a row of `upper` before its links.
const HEAD: usize = 3;

impl Graph {
    pub(crate) fn new(m: usize) -> Self {
        Self {
            base: Rows::new(2 * m, NONE),
            upper: Rows::new(HEAD + m, NONE),
            free_upper: Vec::new(),
            entry: None,
        }
    }

    /// The links of a file.
    pub(crate) fn read_from(file: &Reader, m: usize) -> Result<Self, VectorError> {
        let (slots, upper) = (file.state().slots as u32, file.state().upper as u32);
        // One more, so that no link is the least.
        let lead_below = |nodes: u32, links: &[u32]| {
            links.iter().fold(0, |most: u32, link| most.max(link.wrapping_add(1))) <= nodes
        };
        let is_base = move |rows: &[u32]| lead_below(slots, rows);
        let is_upper = move |rows: &[u32]| {
            rows.chunks_exact(HEAD + m).all(|row| {
                let below = if row[2] > 1 { upper } else { slots };
                let is_node =
                    row[0] < slots && row[1] < below && (1..=HIGHEST_LEVEL as u32).contains(&row[2]);
                (row[0] == NONE || is_node) && lead_below(upper, &row[HEAD..])
            })
        };
        let free_upper: Vec<u32> = file.list(Part::FreeUpper)?;
        let mut seen = Bits::default();
        for &node in &free_upper {
            if node >= upper || seen.contains(node) {
                return Err(file.mismatch(Part::FreeUpper));
            }
            seen.insert(node);
        }
        Ok(Self {
            base: file.rows(Part::Base, (2 * m, slots as usize), NONE, is_base)?,
            upper: file.rows(Part::Upper, (HEAD + m, upper as usize), NONE, is_upper)?,
            free_upper,
            entry: file.state().entry.map(|(node, slot, level)| Entry { node, slot, level }),
        })
    }

    /// Writes the links to a file.
    pub(crate) fn write_to(&self, file: &mut Writer<'_>, state: &mut State) -> Result<(), VectorError> {
        file.list(Part::FreeUpper, &self.free_upper)?;
        file.rows(Part::Base, &self.base, usize::MAX)?;
        file.rows(Part::Upper, &self.upper, usize::MAX)?;
        state.upper = self.upper.len();
        state.entry = self.entry.map(|entry| (entry.node, entry.slot, entry.level));
        Ok(())
    }

    /// Checks all of the file that was not read yet.
    pub(crate) fn verify(&self) {
        self.base.verify();
        self.upper.verify();
    }

    /// Bytes that links take, and how many of them are in a file.
    pub(crate) fn memory(&self) -> (usize, usize) {
        let (base, upper) = (self.base.memory(), self.upper.memory());
        (base.0 + upper.0, base.1 + upper.1)
    }

    /// Adds a slot without links.
    pub(crate) fn push(&mut self) {
        let slot = self.base.push();
        self.base.row_mut(slot).fill(NONE);
    }

    /// Adds a node above the lowest layer.
    pub(crate) fn push_upper(&mut self, slot: u32, below: u32, level: usize) -> u32 {
        let node = self.free_upper.pop().unwrap_or_else(|| self.upper.push() as u32);
        let row = self.upper.row_mut(node as usize);
        row.fill(NONE);
        (row[0], row[1], row[2]) = (slot, below, level as u32);
        node
    }

    /// Removes all links and all nodes above the lowest layer.
    pub(crate) fn clear(&mut self) {
        for slot in 0..self.base.len() {
            self.base.row_mut(slot).fill(NONE);
        }
        self.upper.truncate(0);
        self.free_upper.clear();
        self.entry = None;
    }

    /// Removes a node above the lowest layer, to which no link must lead.
    pub(crate) fn free_upper(&mut self, node: u32) {
        self.upper.row_mut(node as usize).fill(NONE);
        self.free_upper.push(node);
    }

    /// The nodes above the lowest layer and their levels.
    pub(crate) fn upper_nodes(&self) -> impl Iterator<Item = Entry> {
        (0..self.upper.len() as u32).filter_map(|node| {
            let row = self.upper.row(node as usize);
            (row[0] != NONE).then(|| Entry { node, slot: row[0], level: row[2] as usize })
        })
    }

    pub(crate) fn layer(&self, level: usize) -> Layer<'_> {
        if level == 0 { Layer { rows: &self.base, head: 0 } } else { Layer { rows: &self.upper, head: HEAD } }
    }

    /// The node of the same slot one layer below a node that is not on the lowest.
    pub(crate) fn below(&self, node: u32) -> u32 {
        self.upper.row(node as usize)[1]
    }

    /// Replaces the links of a node.
    pub(crate) fn set_links(&mut self, level: usize, node: u32, links: impl Iterator<Item = u32>) {
        let (rows, head) = if level == 0 { (&mut self.base, 0) } else { (&mut self.upper, HEAD) };
        let mut links = links;
        for place in &mut rows.row_mut(node as usize)[head..] {
            *place = links.next().unwrap_or(NONE);
        }
    }
}

/// The nodes and links of one layer.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    rows: &'a Rows<u32>,
    head: usize,
}

impl<'a> Layer<'a> {
    /// Whether a node stands for nothing.
    pub(crate) fn is_free(&self, node: u32) -> bool {
        self.slot(node) == NONE
    }

    /// Nodes that there are, or were.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Links a node can have.
    pub(crate) fn capacity(&self) -> usize {
        self.rows.stride() - self.head
    }

    /// The slot of a node.
    #[inline]
    pub(crate) fn slot(&self, node: u32) -> u32 {
        if self.head == 0 { node } else { self.rows.row(node as usize)[0] }
    }

    /// The places for links of a node: the links, then [`NONE`].
    #[inline]
    pub(crate) fn places(&self, node: u32) -> &'a [u32] {
        &self.rows.row(node as usize)[self.head..]
    }

    /// The links of a node.
    #[inline]
    pub(crate) fn links(&self, node: u32) -> impl Iterator<Item = u32> + use<'a> {
        self.places(node).iter().copied().take_while(|&link| link != NONE)
    }

    /// Asks for the links of a node.
    #[inline]
    pub(crate) fn prefetch(&self, node: u32) {
        self.rows.prefetch(node as usize, self.rows.stride());
    }
}
