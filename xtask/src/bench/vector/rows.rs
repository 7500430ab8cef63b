//! What is measured: programs, and rows of the table, which are ways to search with one.

/// Which side of the comparison a row is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The index that the figures are about.
    Ours,
    /// A C++ library, called from Python in batches.
    Cpp,
    /// Shown, and compared with by name or not at all.
    Other,
}

/// What runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// `benches/src/bin/vector-bench.rs`.
    Rust,
    /// `benches/vector/libraries.py`.
    Python,
    /// `benches/vector/libraries.mjs`.
    Node,
    /// The same with packages that were compiled for this machine.
    NodeNative,
}

/// One way to search with one program.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) side: Side,
    pub(super) host: Host,
    /// The program's name for its index.
    pub(super) library: &'static str,
    /// Candidates that are scored exactly, as a multiple of those asked for; only faiss has this to set.
    pub(super) k_factor: Option<u32>,
    /// Whether it is also measured with a million vectors.
    pub(super) million: bool,
}

impl Row {
    /// Whether it takes many queries in one call.
    pub(super) fn batches(&self) -> bool {
        self.host == Host::Python
    }
}

/// The index that the figures are about.
pub(in crate::bench) const OURS: &str = "ours int8 + rescore";
/// Rows that figures name.
pub(super) const HNSW_RS: &str = "hnsw_rs";
pub(in crate::bench) const HNSWLIB_NODE: &str = "hnswlib-node";

const fn row(name: &'static str, side: Side, host: Host, library: &'static str, million: bool) -> Row {
    Row { name, side, host, library, k_factor: None, million }
}

/// Graphs: their searches trade recall for time.
pub(super) const GRAPHS: &[Row] = &[
    row(OURS, Side::Ours, Host::Rust, "hnsw", true),
    row("ours f32", Side::Other, Host::Rust, "hnsw-f32", true),
    row("hnswlib", Side::Cpp, Host::Python, "hnswlib", true),
    row("faiss HNSWFlat", Side::Cpp, Host::Python, "faiss", true),
    Row { k_factor: Some(2), ..row("faiss SQ8 + Refine x2", Side::Cpp, Host::Python, "faiss-sq8", true) },
    Row { k_factor: Some(4), ..row("faiss SQ8 + Refine x4", Side::Cpp, Host::Python, "faiss-sq8", true) },
    row("usearch f32", Side::Cpp, Host::Python, "usearch-f32", false),
    row("usearch i8", Side::Cpp, Host::Python, "usearch-i8", true),
    row(HNSW_RS, Side::Other, Host::Rust, "hnsw-rs", false),
    row(HNSWLIB_NODE, Side::Other, Host::Node, "hnswlib-node", false),
    row("hnswlib-node -march=native", Side::Other, Host::NodeNative, "hnswlib-node", false),
    row("usearch npm f32", Side::Other, Host::Node, "usearch-npm", false),
];

/// Loops in JavaScript: exact, whatever the recall that is asked for.
pub(super) const LOOPS: &[Row] = &[
    row("JS loop", Side::Other, Host::Node, "js-naive", false),
    row("JS loop unrolled", Side::Other, Host::Node, "js-unrolled", false),
];

/// Our exact scan.
pub(super) const FLAT: Row = row("ours exact scan", Side::Other, Host::Rust, "flat", false);
