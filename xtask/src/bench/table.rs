//! What is measured: sides, groups of sides that do the same work in turns, and rows, which compare two sides of a
//! group and may have a target.

use serde::{Deserialize, Serialize};

/// A part of the measurement, which can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    Parse,
    AstToJs,
    Vector,
    Storage,
    Cold,
    Warm,
    Query,
}

impl Stage {
    pub(super) const ALL: [Self; 7] =
        [Self::Parse, Self::AstToJs, Self::Vector, Self::Storage, Self::Cold, Self::Warm, Self::Query];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Parse => "Parse and extract",
            Self::AstToJs => "Symbols in JavaScript",
            Self::Vector => "Vectors",
            Self::Storage => "Storage",
            Self::Cold => "Cold index",
            Self::Warm => "Warm index",
            Self::Query => "Query",
        }
    }
}

/// What runs a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// `benches/src/bin/bench-side`.
    Rust,
    /// `benches/node-baseline`.
    Node,
}

/// One way to do the work of a group, in a process of its own.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// As its program knows it.
    pub(super) name: &'static str,
    pub(super) host: Host,
    pub(super) threads: usize,
    pub(super) ours: bool,
    /// As people read it.
    pub(super) label: &'static str,
    /// Why its answers are shown, but not held against those of ours.
    pub(super) differs: Option<&'static str>,
    /// A program that it runs; without it the side is left out.
    pub(super) needs: Option<&'static str>,
    /// The share of the files that it has time for.
    pub(super) share: Option<f64>,
}

impl Side {
    /// As people read it, with its threads.
    pub(super) fn title(&self) -> String {
        title(self.label, self.threads)
    }
}

pub(super) fn title(label: &str, threads: usize) -> String {
    if threads == 1 { label.to_owned() } else { format!("{label}, {threads} threads") }
}

/// What is counted to know how much was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    Bytes,
    Files,
    Nodes,
    Symbols,
    Queries,
    Rows,
}

impl Unit {
    /// How a speed is told: by what to divide units a second, and the name of the quotient.
    pub(super) fn speed(self) -> (f64, &'static str) {
        match self {
            Self::Bytes => (1e6, "MB/s"),
            Self::Files => (1.0, "files/s"),
            Self::Nodes => (1e6, "million nodes/s"),
            Self::Symbols => (1.0, "symbols/s"),
            Self::Queries => (1.0, "queries/s"),
            Self::Rows => (1.0, "rows/s"),
        }
    }
}

/// Which files of the corpus a group reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    All,
    /// Those in TypeScript and JavaScript: some sides know no other language.
    Scripts,
    /// So many, spread over all.
    Some(usize),
}

/// How near the answers of a side have to be to those of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Agreement {
    Same,
    /// Numbers that differ by no more than this share of the larger.
    Within(f64),
}

/// Sides that do the same work in turns.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) stage: Stage,
    pub(super) what: &'static str,
    pub(super) unit: Unit,
    pub(super) files: Files,
    /// Answers that have to agree, by their names.
    pub(super) agree: &'static [(&'static str, Agreement)],
    /// Whether the first round is not counted: what a compiler at run time learns in it is not the matter.
    pub(super) warm_up: bool,
    /// Most rounds that it is worth; as many as the plan says if there is no limit.
    pub(super) rounds: Option<usize>,
    pub(super) sides: Vec<Side>,
}

/// Two sides of a group, and how much faster the first has to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    /// Names of sides, and their threads.
    pub(super) ours: (&'static str, usize),
    pub(super) theirs: (&'static str, usize),
    /// `None` where a row is there to be read.
    pub(super) target: Option<f64>,
    /// Why the target is out of reach, if that is known. The row falls short all the same.
    pub(super) reason: Option<&'static str>,
}

const fn side(name: &'static str, host: Host, threads: usize, label: &'static str) -> Side {
    Side { name, host, threads, ours: false, label, differs: None, needs: None, share: None }
}

const fn ours(name: &'static str, host: Host, threads: usize, label: &'static str) -> Side {
    Side { ours: true, ..side(name, host, threads, label) }
}

/// Sides of parsing and extracting that know all languages of the corpus and count what we count.
const OURS_PARSE: Side = ours("ours-parse", Host::Rust, 1, "ours");
const CURSOR: Side = side("web-tree-sitter-cursor", Host::Node, 1, "web-tree-sitter, cursor");
const NODES: Side = side("web-tree-sitter-nodes", Host::Node, 1, "web-tree-sitter, nodes");
const NATIVE_NODES: Side = side("node-tree-sitter-nodes", Host::Node, 1, "node tree-sitter, nodes");

/// What both sides of parsing have to have found.
const DEFINITIONS: &[(&str, Agreement)] = &[
    ("files", Agreement::Same),
    ("bytes", Agreement::Same),
    // Grammars of crates.io and of npm are not of the same day.
    ("definitions", Agreement::Within(0.01)),
];

/// As many files are parsed: enough of every language, and slow sides take seconds for a round, not minutes.
const PARSED: usize = 4000;
/// Numbers of files at which growth is looked at; the last is all there are.
const SIZES: &[usize] = &[1000, 2000, 4000, 8000, usize::MAX];
/// The start of the names of groups that are about growth.
pub(super) const GROWTH: &str = "growth-";

/// The groups of some stages, on a machine of so many processors. `quick` leaves out what takes minutes.
pub(super) fn groups(stages: &[Stage], processors: usize, files: usize, quick: bool) -> Vec<Group> {
    let mut groups = vec![parse(processors), scripts(), ast_to_js(), walk()];
    groups.extend([storage("storage-write"), storage("storage-lookup"), cold(quick)]);
    groups.extend([warm("warm-unchanged", false), warm("warm-1pct", true), query()]);
    if !quick {
        let sizes = SIZES.iter().map(|&size| size.min(files));
        let mut sizes: Vec<usize> = sizes.filter(|&size| size > 0).collect();
        sizes.dedup();
        groups.extend(sizes.into_iter().map(growth));
    }
    groups.retain(|group| stages.contains(&group.stage));
    groups
}

fn group(name: &str, stage: Stage, what: &'static str, unit: Unit, sides: Vec<Side>) -> Group {
    Group {
        name: name.to_owned(),
        stage,
        what,
        unit,
        files: Files::All,
        agree: &[],
        warm_up: true,
        rounds: None,
        sides,
    }
}

fn parse(processors: usize) -> Group {
    let mut sides = vec![OURS_PARSE, CURSOR, NODES, NATIVE_NODES];
    // Rows name two threads; more are there to see what threads gain.
    let mut threads = 2;
    while threads <= processors.max(2) {
        sides.extend([OURS_PARSE, CURSOR].map(|side| Side { threads, ..side }));
        threads *= 2;
    }
    sides.push(Side {
        differs: Some("tags are of its own kinds"),
        needs: Some("ctags"),
        ..side("ctags", Host::Node, 1, "Universal Ctags")
    });
    Group {
        files: Files::Some(PARSED),
        agree: DEFINITIONS,
        ..group(
            "parse-extract",
            Stage::Parse,
            "Text in memory to definitions and references.",
            Unit::Bytes,
            sides,
        )
    }
}

fn scripts() -> Group {
    let own = |side: Side| Side { differs: Some("its trees and their definitions are its own"), ..side };
    let sides = vec![
        OURS_PARSE,
        CURSOR,
        own(side("typescript", Host::Node, 1, "TypeScript compiler")),
        own(side("oxc", Host::Node, 1, "oxc")),
    ];
    let what = "The same, of TypeScript and JavaScript alone.";
    Group {
        files: Files::Scripts,
        agree: DEFINITIONS,
        ..group("parse-extract-scripts", Stage::Parse, what, Unit::Bytes, sides)
    }
}

fn ast_to_js() -> Group {
    let sides = vec![
        ours("binding-symbols-columns", Host::Node, 1, "our package, columns"),
        ours("binding-symbols-objects", Host::Node, 1, "our package, objects"),
        side("web-tree-sitter", Host::Node, 1, "web-tree-sitter, objects"),
    ];
    let what = "Symbols as JavaScript gets them.";
    Group {
        agree: &[("symbols", Agreement::Within(0.01))],
        ..group("ast-to-js", Stage::AstToJs, what, Unit::Symbols, sides)
    }
}

fn walk() -> Group {
    let sides = vec![
        side("web-tree-sitter-walk", Host::Node, 1, "web-tree-sitter, all nodes"),
        side("node-tree-sitter-walk", Host::Node, 1, "node tree-sitter, all nodes"),
    ];
    let what = "Every node of a tree, seen from JavaScript.";
    group("ast-walk", Stage::AstToJs, what, Unit::Nodes, sides)
}

fn storage(name: &'static str) -> Group {
    let write = name == "storage-write";
    let [our, better, plain] = if write {
        ["ours-store", "better-sqlite3", "sqlite3"]
    } else {
        ["ours-store-lookup", "better-sqlite3-lookup", "sqlite3-lookup"]
    };
    let sides = vec![
        ours(our, Host::Rust, 1, "ours"),
        side(better, Host::Node, 1, "better-sqlite3"),
        side(plain, Host::Node, 1, "sqlite3 (npm)"),
    ];
    let what = if write {
        "Definitions, written and committed."
    } else {
        "Definitions, looked up by name, one after the other."
    };
    let unit = if write { Unit::Rows } else { Unit::Queries };
    Group {
        agree: &[("rows", Agreement::Same), ("sum", Agreement::Same)],
        ..group(name, Stage::Storage, what, unit, sides)
    }
}

/// The TypeScript pipeline with a graph of vectors, and with vectors stored alone, as ours has them.
const GRAPH: &str = "TypeScript pipeline with hnswlib";
const FLAT: &str = "TypeScript pipeline, vectors stored";

fn cold(quick: bool) -> Group {
    let differs = Some("it has time for a share of the files");
    let pipeline = side("ts-pipeline", Host::Node, 1, GRAPH);
    let transformer = Side {
        differs,
        share: Some(if quick { 0.02 } else { 0.005 }),
        ..side("ts-pipeline-transformer", Host::Node, 1, "TypeScript pipeline with MiniLM")
    };
    let hashed = ours("ours-index", Host::Rust, 1, "ours, hashed vectors");
    let sides = vec![
        ours("ours-index-builtin", Host::Rust, 1, "ours, as shipped"),
        ours("ours-index-builtin", Host::Rust, 2, "ours, as shipped"),
        hashed.clone(),
        Side { threads: 2, ..hashed },
        pipeline.clone(),
        Side { threads: 2, ..pipeline },
        side("ts-pipeline-flat", Host::Node, 2, FLAT),
        transformer,
    ];
    Group {
        agree: DEFINITIONS,
        warm_up: false,
        rounds: Some(5),
        ..group("cold-index", Stage::Cold, "A tree on disk to an index on disk.", Unit::Bytes, sides)
    }
}

fn growth(files: usize) -> Group {
    let sides = vec![
        ours("ours-index-builtin", Host::Rust, 2, "ours, as shipped"),
        side("ts-pipeline", Host::Node, 2, GRAPH),
        side("ts-pipeline-flat", Host::Node, 2, FLAT),
    ];
    let what = "A cold index of a part of the files.";
    Group {
        files: Files::Some(files),
        agree: DEFINITIONS,
        warm_up: false,
        rounds: Some(3),
        ..group(&format!("{GROWTH}{files}"), Stage::Cold, what, Unit::Bytes, sides)
    }
}

fn warm(name: &'static str, changed: bool) -> Group {
    let (names, what) = if changed {
        (
            ["ours-warm-1pct", "ts-pipeline-warm-1pct", "ts-pipeline-flat-warm-1pct"],
            "An index brought up to a tree in which 1 % of the files changed.",
        )
    } else {
        (
            ["ours-warm", "ts-pipeline-warm", "ts-pipeline-flat-warm"],
            "An index brought up to a tree in which nothing changed.",
        )
    };
    let sides = vec![
        ours(names[0], Host::Rust, 1, "ours"),
        side(names[1], Host::Node, 1, GRAPH),
        side(names[2], Host::Node, 1, FLAT),
    ];
    Group { agree: &[("files", Agreement::Same)], ..group(name, Stage::Warm, what, Unit::Files, sides) }
}

fn query() -> Group {
    let sides = vec![
        ours("ours-query", Host::Rust, 1, "ours"),
        ours("binding-query", Host::Node, 1, "our package"),
        side("minisearch-vector", Host::Node, 1, "MiniSearch and a loop over vectors"),
        side("flexsearch-vector", Host::Node, 1, "FlexSearch and a loop over vectors"),
    ];
    let what = "Hybrid queries, by words and by vectors, one after the other.";
    Group {
        agree: &[("queries", Agreement::Same)],
        ..group("query", Stage::Query, what, Unit::Queries, sides)
    }
}

const fn row(
    name: &'static str,
    group: &'static str,
    ours: (&'static str, usize),
    theirs: (&'static str, usize),
    target: Option<f64>,
) -> Row {
    Row { name, group, ours, theirs, target, reason: None }
}

/// What is compared, and what has to hold. Those about vectors are in `vector_rows.rs`, as they are measured by
/// `cargo xtask bench vector`.
pub(super) const ROWS: &[Row] = &[
    row(
        "parse and extract on 2 threads, against web-tree-sitter's cursor on 1",
        "parse-extract",
        ("ours-parse", 2),
        ("web-tree-sitter-cursor", 1),
        Some(3.0),
    ),
    row(
        "parse and extract on 2 threads, against node tree-sitter's nodes on 1",
        "parse-extract",
        ("ours-parse", 2),
        ("node-tree-sitter-nodes", 1),
        Some(10.0),
    ),
    row(
        "parse and extract, against web-tree-sitter's cursor, 1 thread each",
        "parse-extract",
        ("ours-parse", 1),
        ("web-tree-sitter-cursor", 1),
        None,
    ),
    row(
        "parse and extract, against the TypeScript compiler, 1 thread each",
        "parse-extract-scripts",
        ("ours-parse", 1),
        ("typescript", 1),
        None,
    ),
    row(
        "parse and extract, against oxc, 1 thread each",
        "parse-extract-scripts",
        ("ours-parse", 1),
        ("oxc", 1),
        None,
    ),
    row(
        "symbols to JavaScript in columns, against web-tree-sitter's objects",
        "ast-to-js",
        ("binding-symbols-columns", 1),
        ("web-tree-sitter", 1),
        Some(10.0),
    ),
    row(
        "symbols to JavaScript as objects, against web-tree-sitter's objects",
        "ast-to-js",
        ("binding-symbols-objects", 1),
        ("web-tree-sitter", 1),
        Some(10.0),
    ),
    row(
        "definitions stored, against better-sqlite3",
        "storage-write",
        ("ours-store", 1),
        ("better-sqlite3", 1),
        Some(1.5),
    ),
    row("definitions stored, against sqlite3", "storage-write", ("ours-store", 1), ("sqlite3", 1), Some(1.5)),
    row(
        "definitions looked up, against better-sqlite3",
        "storage-lookup",
        ("ours-store-lookup", 1),
        ("better-sqlite3-lookup", 1),
        Some(1.5),
    ),
    row(
        "definitions looked up, against sqlite3",
        "storage-lookup",
        ("ours-store-lookup", 1),
        ("sqlite3-lookup", 1),
        Some(1.5),
    ),
    row(
        "cold index on 2 threads, against the TypeScript pipeline with a transformer",
        "cold-index",
        ("ours-index-builtin", 2),
        ("ts-pipeline-transformer", 1),
        Some(10.0),
    ),
    row(
        "cold index, hashed vectors, against the TypeScript pipeline with hnswlib, 2 threads each",
        "cold-index",
        ("ours-index", 2),
        ("ts-pipeline", 2),
        None,
    ),
    row(
        "cold index, hashed vectors, against the TypeScript pipeline without a graph, 2 threads each",
        "cold-index",
        ("ours-index", 2),
        ("ts-pipeline-flat", 2),
        None,
    ),
    row(
        "warm index, nothing changed, against the TypeScript pipeline with hnswlib",
        "warm-unchanged",
        ("ours-warm", 1),
        ("ts-pipeline-warm", 1),
        Some(10.0),
    ),
    row(
        "warm index, nothing changed, against the TypeScript pipeline without a graph",
        "warm-unchanged",
        ("ours-warm", 1),
        ("ts-pipeline-flat-warm", 1),
        Some(10.0),
    ),
    row(
        "warm index, 1 % changed, against the TypeScript pipeline with hnswlib",
        "warm-1pct",
        ("ours-warm-1pct", 1),
        ("ts-pipeline-warm-1pct", 1),
        Some(10.0),
    ),
    row(
        "warm index, 1 % changed, against the TypeScript pipeline without a graph",
        "warm-1pct",
        ("ours-warm-1pct", 1),
        ("ts-pipeline-flat-warm-1pct", 1),
        Some(10.0),
    ),
    row(
        "hybrid queries, against MiniSearch and a loop over vectors",
        "query",
        ("ours-query", 1),
        ("minisearch-vector", 1),
        Some(10.0),
    ),
    row(
        "hybrid queries, against FlexSearch and a loop over vectors",
        "query",
        ("ours-query", 1),
        ("flexsearch-vector", 1),
        Some(10.0),
    ),
    row(
        "hybrid queries through our package, against MiniSearch and a loop over vectors",
        "query",
        ("binding-query", 1),
        ("minisearch-vector", 1),
        None,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_two_sides_of_a_group_and_ours_first() {
        let groups = groups(&Stage::ALL, 2, 15_000, false);
        for row in ROWS {
            let group = groups.iter().find(|group| group.name == row.group).expect(row.group);
            let find = |(name, threads): (&str, usize)| {
                group.sides.iter().find(|side| side.name == name && side.threads == threads)
            };
            assert!(find(row.ours).is_some_and(|side| side.ours), "{}", row.name);
            assert!(find(row.theirs).is_some_and(|side| !side.ours), "{}", row.name);
            assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn no_group_runs_a_side_twice() {
        for processors in [1, 2, 8] {
            for group in groups(&Stage::ALL, processors, 15_000, false) {
                let mut sides: Vec<_> = group.sides.iter().map(|side| (side.name, side.threads)).collect();
                let all = sides.len();
                sides.sort_unstable();
                sides.dedup();
                assert_eq!(sides.len(), all, "{}", group.name);
            }
        }
    }

    #[test]
    fn growth_ends_with_all_files() {
        let sizes = |files: usize| -> Vec<String> {
            let groups = groups(&[Stage::Cold], 2, files, false);
            groups.into_iter().map(|group| group.name).filter(|name| name.starts_with(GROWTH)).collect()
        };
        assert_eq!(sizes(3000), ["growth-1000", "growth-2000", "growth-3000"]);
        assert_eq!(sizes(400), ["growth-400"]);
        assert!(groups(&[Stage::Cold], 2, 3000, true).iter().all(|group| !group.name.starts_with(GROWTH)));
    }
}
