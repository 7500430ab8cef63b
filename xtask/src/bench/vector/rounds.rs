//! Runs the programs and keeps what they took.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::data::{K, Manifest, Set, Truth, extended, read_ids};
use super::prepare::Place;
use super::rows::{FLAT, GRAPHS, Host, LOOPS, OURS, Row, Side};
use crate::bench::statistics::{Bracket, Setting, middle_ones, quantile};
use crate::bench::subject::Subject;

/// The recalls at which searches are compared.
pub(super) const TARGETS: [f64; 2] = [0.95, 0.99];
/// Widths that are tried to find those recalls; then those between the two nearest.
const WIDTHS: &[usize] = &[10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896];
/// Times that the nearest two widths are narrowed down.
const REFINEMENTS: usize = 2;
/// Shares of the keys that filters let pass.
const SHARES: [f64; 4] = [0.5, 0.1, 0.01, 0.001];
/// Width of a filtered search, and of those round a churn: the default of our index.
const DEFAULT_WIDTH: usize = 64;
/// Times that half of the keys are removed and inserted again.
const CHURNS: u64 = 5;
/// Times that the file of an index is opened.
const OPENED: usize = 11;
/// How much longer than the fastest of its kind a library may take to build, to be compared in further rounds.
const SLOWER: f64 = 1.3;
/// Queries of a loop or a scan in one round, which take so much longer than others.
const FEW: usize = 20;
/// Queries of a filter in one round.
const SOME: usize = 200;
/// How often each query is asked for its own time. A timer that interrupts every 4 ms for some 70 us meets one search in a
/// hundred, of any library, so that what one in a hundred exceeds would be the timer's.
const ASKS: usize = 3;

/// How long a command may take: the build of a million vectors by the slowest library is an hour.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

/// What a program says of itself when it has started.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct About {
    /// Version of the library.
    pub(super) version: String,
    /// How it was compiled, or which instructions it chose.
    pub(super) build: String,
}

/// Seconds that something took.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) struct Time {
    pub(super) wall: f64,
    pub(super) cpu: f64,
}

/// How much is measured.
pub(super) struct Plan {
    /// Rounds of searches.
    pub(super) rounds: usize,
    /// Rounds of builds of the libraries whose builds are compared.
    pub(super) builds: usize,
    /// Threads of a build.
    pub(super) build_threads: usize,
    /// Only the rows that a million vectors leave time and memory for, and only how they search.
    pub(super) million: bool,
    /// Only rows of these names; all if there is none.
    pub(super) only: Vec<String>,
}

impl Plan {
    fn takes(&self, row: &Row) -> bool {
        (row.million || !self.million)
            && (self.only.is_empty() || self.only.iter().any(|name| name == row.name))
    }
}

/// Everything that was measured.
#[derive(Default, Serialize)]
pub(super) struct Measured {
    pub(super) rows: Vec<RowResult>,
    /// Rows of the table that were left out.
    pub(super) left_out: Vec<&'static str>,
    /// CPU seconds a query of the loops and of our exact scan, by round.
    pub(super) scans: BTreeMap<&'static str, Vec<f64>>,
    /// What our exact scan reads, in bytes a query.
    pub(super) scanned_bytes: f64,
    /// CPU seconds a byte of reading as much memory as that and doing nothing with it: the best of each round.
    pub(super) stream: Vec<f64>,
    pub(super) filters: Vec<Filtered>,
    pub(super) churn: Option<Churn>,
    pub(super) file: Option<Saved>,
}

/// What one row of the table took.
#[derive(Serialize)]
pub(super) struct RowResult {
    pub(super) name: &'static str,
    #[serde(skip)]
    pub(super) side: Side,
    pub(super) about: About,
    pub(super) builds: Vec<Build>,
    /// Bytes that the process grew by with its first index.
    pub(super) resident: u64,
    /// Bytes of codes and links, where the library says so.
    pub(super) walked: Option<u64>,
    pub(super) points: Vec<Point>,
}

/// One build.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Build {
    pub(super) threads: usize,
    #[serde(flatten)]
    pub(super) time: Time,
}

/// Searches at one recall.
#[derive(Serialize)]
pub(super) struct Point {
    pub(super) set: Set,
    pub(super) target: f64,
    pub(super) queries: usize,
    /// All widths that were tried, and their recalls.
    pub(super) tried: Vec<(usize, f64)>,
    /// The widths that are timed; `None` if the recall is not reached.
    #[serde(skip)]
    pub(super) bracket: Option<Bracket>,
    /// Widths that are timed: those just below and just above the recall.
    pub(super) timed: Option<[usize; 2]>,
    pub(super) rounds: Vec<Sample>,
}

/// One round of one point. Pairs are of the widths below and above.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    /// All queries, one a call.
    pub(super) single: [Time; 2],
    /// All queries in one call.
    pub(super) batch: Option<[Time; 2]>,
    /// Nanoseconds of CPU time of a query at the width above: the middle one, and what one in a hundred exceeds. The
    /// time of a query is the middle one of [`ASKS`].
    pub(super) p50: u32,
    pub(super) p99: u32,
}

impl Point {
    /// CPU seconds a query at the recall, by round, in whichever way of calling is faster.
    pub(super) fn seconds(&self) -> Option<Vec<f64>> {
        self.times(|time| time.cpu, true)
    }

    /// The same on the clock of the wall.
    pub(super) fn wall_seconds(&self) -> Option<Vec<f64>> {
        self.times(|time| time.wall, true)
    }

    /// CPU seconds a query at the recall, by round, with one query a call.
    pub(super) fn single_seconds(&self) -> Option<Vec<f64>> {
        self.times(|time| time.cpu, false)
    }

    fn times(&self, clock: impl Fn(&Time) -> f64, batches: bool) -> Option<Vec<f64>> {
        let bracket = self.bracket?;
        let one = |[below, above]: [Time; 2]| {
            bracket.interpolate(clock(&below), clock(&above)) / self.queries as f64
        };
        let best = |sample: &Sample| {
            let single = one(sample.single);
            sample.batch.filter(|_| batches).map_or(single, |batch| single.min(one(batch)))
        };
        (!self.rounds.is_empty()).then(|| self.rounds.iter().map(best).collect())
    }
}

/// A filter and how it was searched with.
#[derive(Debug, Serialize)]
pub(super) struct Filtered {
    pub(super) share: f64,
    pub(super) matches: usize,
    pub(super) recall: f64,
    /// CPU seconds a query, by round: of our index, and of scanning what matches.
    pub(super) graph: Vec<f64>,
    pub(super) scan: Vec<f64>,
}

/// Recall before and after half of the keys were replaced again and again.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Churn {
    pub(super) times: u64,
    pub(super) fresh: f64,
    pub(super) churned: f64,
}

/// An index in a file, by the clock of the wall.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) bytes: u64,
    /// Seconds to write it to the disk.
    pub(super) save: f64,
    /// Seconds to open it, and to check all of it then, time after time.
    pub(super) open: Vec<f64>,
    pub(super) verify: Vec<f64>,
}

#[derive(Deserialize)]
struct Built {
    #[serde(flatten)]
    time: Time,
    resident: u64,
    walked: Option<u64>,
}

#[derive(Deserialize)]
struct FilterReply {
    cpu: f64,
    scan: f64,
    matches: usize,
    queries: usize,
}

#[derive(Deserialize)]
struct StreamReply {
    bytes: f64,
    seconds: Vec<f64>,
}

/// A row and which of the programs it searches with.
struct Entry {
    row: &'static Row,
    program: usize,
}

/// The measurement while it runs.
struct Run<'a> {
    folder: &'a Path,
    manifest: &'a Manifest,
    truth: BTreeMap<Set, Truth>,
    /// What programs answer is written here.
    answers: PathBuf,
    programs: Vec<Subject<About>>,
}

/// Measures everything that the plan asks for.
pub(super) fn measure(place: &Place, folder: &Path, manifest: &Manifest, plan: &Plan) -> Result<Measured> {
    let mut truth = BTreeMap::new();
    for set in Set::ALL {
        truth.insert(set, Truth::of_set(folder, manifest, set)?);
    }
    let answers = place.answers()?.join("answer");
    let mut run = Run { folder, manifest, truth, answers, programs: Vec::new() };
    let mut measured = Measured::default();
    let mut entries: Vec<Entry> = Vec::new();
    for row in GRAPHS {
        if !plan.takes(row) {
            measured.left_out.push(row.name);
            continue;
        }
        let shared = entries.iter().find(|e| e.row.host == row.host && e.row.library == row.library);
        let program = match shared {
            Some(entry) => entry.program,
            None => run.start(place, row)?,
        };
        entries.push(Entry { row, program });
    }
    run.build(&entries, plan, &mut measured)?;
    for (entry, result) in entries.iter().zip(&mut measured.rows) {
        println!("  {}: looking for the widths", entry.row.name);
        result.points = run.calibrate(entry)?;
    }

    let mut scans: Vec<Entry> = Vec::new();
    if !plan.million && plan.only.is_empty() {
        for row in LOOPS.iter().chain([&FLAT]) {
            let program = run.start(place, row)?;
            run.ask::<Built>(program, &json!({ "do": "build", "threads": 1 }))?;
            scans.push(Entry { row, program });
        }
    }
    for round in 0..plan.rounds {
        println!("  round {} of {}", round + 1, plan.rounds);
        run.round(round, &entries, &mut measured)?;
        run.scan(&scans, &mut measured)?;
    }
    if let Some(ours) = entries.iter().find(|entry| entry.row.name == OURS) {
        let program = ours.program;
        println!("  saving and opening");
        let command = json!({ "do": "file", "times": OPENED, "into": run.answers });
        measured.file = Some(run.ask(program, &command)?);
        if plan.million {
            return Ok(measured);
        }
        for share in SHARES {
            println!("  filter of {} %", share * 100.0);
            measured.filters.push(run.filter(program, share, plan.rounds)?);
        }
        println!("  removing and inserting half, {CHURNS} times");
        measured.churn = Some(run.churn(program)?);
    }
    Ok(measured)
}

impl Run<'_> {
    fn start(&mut self, place: &Place, row: &'static Row) -> Result<usize> {
        println!("  starting {}", row.name);
        self.programs.push(Subject::start(row.name, place.program(row, self.folder), LIMIT)?);
        Ok(self.programs.len() - 1)
    }

    fn ask<T: serde::de::DeserializeOwned>(&mut self, program: usize, command: &Value) -> Result<T> {
        self.programs[program].ask(command, LIMIT)
    }

    /// Builds all indexes, one after the other; those whose builds are compared several times, in turn.
    fn build(&mut self, entries: &[Entry], plan: &Plan, measured: &mut Measured) -> Result<()> {
        let mut builds: BTreeMap<usize, (Vec<Build>, Option<Built>)> = BTreeMap::new();
        let mut took = vec![f64::INFINITY; entries.len()];
        let mut fastest = f64::INFINITY;
        for round in 0..plan.builds {
            for (at, Entry { row, program }) in entries.iter().enumerate() {
                let shared = entries[..at].iter().any(|earlier| earlier.program == *program);
                // What is no rival in the first round is not built again.
                let rival = row.side == Side::Ours || row.side == Side::Cpp && took[at] <= fastest * SLOWER;
                if shared || (round > 0 && !rival) {
                    continue;
                }
                let single = matches!(row.host, Host::Node | Host::NodeNative);
                let threads: &[usize] = match row.side {
                    // The last index is the one that is searched.
                    Side::Ours if !plan.million => &[2, 1],
                    _ if single => &[1],
                    _ => &[plan.build_threads],
                };
                for &threads in threads {
                    let built: Built = self.ask(*program, &json!({ "do": "build", "threads": threads }))?;
                    let Time { wall, cpu } = built.time;
                    println!(
                        "  {}: built in {cpu:.1} s of CPU time, {wall:.1} s, {threads} threads",
                        row.name
                    );
                    took[at] = cpu;
                    if row.side == Side::Cpp {
                        fastest = fastest.min(cpu);
                    }
                    let (times, first) = builds.entry(*program).or_default();
                    times.push(Build { threads, time: built.time });
                    first.get_or_insert(built);
                }
            }
        }
        for Entry { row, program } in entries {
            let (times, first) = builds.get(program).context("every program has built an index")?;
            let first = first.as_ref().context("every program has built an index")?;
            measured.rows.push(RowResult {
                name: row.name,
                side: row.side,
                about: self.programs[*program].about.clone(),
                builds: times.clone(),
                resident: first.resident,
                walked: first.walked,
                points: Vec::new(),
            });
        }
        Ok(())
    }

    /// One pass over a set of queries.
    fn search(&mut self, entry: &Entry, set: Set, ef: usize, mode: &str) -> Result<Time> {
        let mut command = json!({
            "do": "search", "queries": set.name(), "ef": ef, "mode": mode, "into": self.answers,
        });
        if let Some(k_factor) = entry.row.k_factor {
            command["k_factor"] = k_factor.into();
        }
        self.ask(entry.program, &command)
    }

    /// The recall of the pass before.
    fn recall(&self, set: Set) -> Result<f64> {
        let truth = self.truth.get(&set).context("every set has its truth")?;
        truth.recall(&read_ids(&extended(&self.answers, "ids"))?, K)
    }

    /// Finds the widths between which the recalls lie.
    fn calibrate(&mut self, entry: &Entry) -> Result<Vec<Point>> {
        let mut points = Vec::new();
        for set in Set::ALL {
            let mut settings: Vec<Setting> = Vec::new();
            let mut widths = WIDTHS.iter().copied();
            while settings.last().is_none_or(|last| last.recall < TARGETS[TARGETS.len() - 1]) {
                let Some(ef) = widths.next() else { break };
                settings.push(self.setting(entry, set, ef)?);
            }
            for target in TARGETS {
                for _ in 0..REFINEMENTS {
                    let between = Bracket::around(target, &settings).and_then(|bracket| bracket.between());
                    let Some(ef) = between else { break };
                    settings.push(self.setting(entry, set, ef)?);
                }
            }
            settings.sort_by_key(|setting| setting.ef);
            for target in TARGETS {
                let bracket = Bracket::around(target, &settings);
                points.push(Point {
                    set,
                    target,
                    queries: self.manifest.queries(set),
                    tried: settings.iter().map(|setting| (setting.ef, setting.recall)).collect(),
                    bracket,
                    timed: bracket.map(|bracket| [bracket.below.ef, bracket.above.ef]),
                    rounds: Vec::new(),
                });
            }
        }
        Ok(points)
    }

    fn setting(&mut self, entry: &Entry, set: Set, ef: usize) -> Result<Setting> {
        let mode = if entry.row.batches() { "batch" } else { "single" };
        self.search(entry, set, ef, mode)?;
        Ok(Setting { ef, recall: self.recall(set)? })
    }

    /// Every point of every row once; who is first changes from round to round.
    fn round(&mut self, round: usize, entries: &[Entry], measured: &mut Measured) -> Result<()> {
        let points = measured.rows.iter().map(|row| row.points.len()).max().unwrap_or(0);
        for point in 0..points {
            for turn in 0..entries.len() {
                let at = (turn + round) % entries.len();
                let point = &mut measured.rows[at].points[point];
                if let Some(bracket) = point.bracket {
                    point.rounds.push(self.sample(&entries[at], point.set, &bracket)?);
                }
            }
        }
        Ok(())
    }

    fn sample(&mut self, entry: &Entry, set: Set, bracket: &Bracket) -> Result<Sample> {
        let (below, above) = (bracket.below.ef, bracket.above.ef);
        let mut pair = |mode: &str| -> Result<[Time; 2]> {
            let first = self.search(entry, set, below, mode)?;
            Ok([first, if below == above { first } else { self.search(entry, set, above, mode)? }])
        };
        let single = pair("single")?;
        let batch = if entry.row.batches() { Some(pair("batch")?) } else { None };
        let mut asked: [Vec<u32>; ASKS] = Default::default();
        for times in &mut asked {
            self.search(entry, set, above, "each")?;
            *times = read_ids(&extended(&self.answers, "ns"))?;
        }
        let times = middle_ones(&asked);
        let at = |share| quantile(&times, share).context("there are no times");
        Ok(Sample { single, batch, p50: at(0.5)?, p99: at(0.99)? })
    }

    /// One round of everything that reads all vectors, and of the memory alone.
    fn scan(&mut self, scans: &[Entry], measured: &mut Measured) -> Result<()> {
        measured.scanned_bytes = (self.manifest.base * self.manifest.dimension * 4) as f64;
        for entry in scans {
            let command = json!({
                "do": "search", "queries": "code", "ef": K, "mode": "single", "limit": FEW, "into": self.answers,
            });
            let time: Time = self.ask(entry.program, &command)?;
            let recall = self.recall(Set::Code)?;
            anyhow::ensure!(recall == 1.0, "{} is exact, but its recall is {recall}", entry.row.name);
            let queries = FEW.min(self.manifest.code) as f64;
            measured.scans.entry(entry.row.name).or_default().push(time.cpu / queries);
            if entry.row.name == FLAT.name {
                let command = json!({ "do": "stream", "bytes": measured.scanned_bytes as u64, "passes": 10 });
                let reply: StreamReply = self.ask(entry.program, &command)?;
                let best = reply.seconds.iter().copied().fold(f64::INFINITY, f64::min);
                measured.stream.push(best / reply.bytes);
            }
        }
        Ok(())
    }

    fn filter(&mut self, program: usize, share: f64, rounds: usize) -> Result<Filtered> {
        /// True neighbors that the program writes of each query.
        const WRITTEN: usize = 20;
        let mut filtered = Filtered { share, matches: 0, recall: 0.0, graph: Vec::new(), scan: Vec::new() };
        for _ in 0..rounds {
            let command = json!({
                "do": "filter", "queries": "code", "ef": DEFAULT_WIDTH, "share": share, "limit": SOME,
                "into": self.answers,
            });
            let reply: FilterReply = self.ask(program, &command)?;
            filtered.matches = reply.matches;
            filtered.graph.push(reply.cpu / reply.queries as f64);
            filtered.scan.push(reply.scan / reply.queries as f64);
        }
        let path = |extension: &str| extended(&self.answers, extension);
        let truth = Truth::read(&path("exact.ids"), &path("exact.scores"), WRITTEN)?;
        filtered.recall = truth.recall(&read_ids(&path("ids"))?, K)?;
        Ok(filtered)
    }

    fn churn(&mut self, program: usize) -> Result<Churn> {
        let search = json!({
            "do": "search", "queries": "code", "ef": DEFAULT_WIDTH, "mode": "single", "into": self.answers,
        });
        self.ask::<Time>(program, &search)?;
        let fresh = self.recall(Set::Code)?;
        self.ask::<Time>(program, &json!({ "do": "churn", "times": CHURNS }))?;
        self.ask::<Time>(program, &search)?;
        Ok(Churn { times: CHURNS, fresh, churned: self.recall(Set::Code)? })
    }
}
