//! Our indexes for `cargo xtask bench vector`, driven line by line: `vector-bench LIBRARY FOLDER`.
//!
//! Speaks the protocol that docs/performance.md describes: one JSON object a line in, one a line out. FOLDER is what
//! `benches/vector/vectors.py` describes.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, bail, ensure};
use ast_core_vector::{
    Expected, FlatIndex, Hnsw, HnswConfig, HnswRsConfig, HnswRsIndex, Metric, Neighbor, SaveOptions,
    SearchOptions, Storage, VectorIndex, code_kernel_name, kernel_name,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::{Value, json};
use std::hint::black_box;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many neighbors a search is asked for.
const K: usize = 10;

/// How many true neighbors are written for a filtered search: more than asked for, to see ties.
const EXACT: usize = 20;

#[derive(Deserialize)]
struct Manifest {
    dimension: usize,
    base: usize,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    /// Build the index anew, on so many threads.
    Build { threads: usize },
    /// Ask the queries of a set one by one.
    Search { queries: String, ef: usize, mode: Mode, limit: Option<usize>, into: PathBuf },
    /// The same where only a share of the keys may be returned, and by scanning those keys.
    Filter { queries: String, ef: usize, share: f64, limit: usize, into: PathBuf },
    /// Remove half of the keys and insert them again, so many times, each time another half.
    Churn { times: u64 },
    /// Save the index, and open it so many times.
    File { times: usize, into: PathBuf },
    /// Read so many bytes of memory, so many times.
    Stream { bytes: usize, passes: usize },
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// As fast as they go.
    Single,
    /// With the time of each.
    Each,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: vector-bench LIBRARY FOLDER";
    let (library, folder) = (args.next().context(usage)?, args.next().context(usage)?);
    let mut bench = Bench::new(&library, folder.as_ref())?;
    let build = format!("{}, codes {}", kernel_name(), code_kernel_name());
    println!("{}", json!({ "version": env!("CARGO_PKG_VERSION"), "build": build }));
    for line in std::io::stdin().lock().lines() {
        println!("{}", bench.run(serde_json::from_str(&line?)?)?);
    }
    Ok(())
}

struct Bench {
    library: String,
    folder: PathBuf,
    dimension: usize,
    keys: Vec<u64>,
    index: Index,
    /// What the process held before it had an index.
    resident_before: Option<u64>,
    /// Searches run on one thread.
    single: ThreadPool,
}

impl Bench {
    fn new(library: &str, folder: &Path) -> Result<Self> {
        let manifest = folder.join("data.json");
        let manifest: Manifest = serde_json::from_slice(
            &std::fs::read(&manifest).with_context(|| manifest.display().to_string())?,
        )?;
        let dimension = manifest.dimension;
        Ok(Self {
            library: library.to_owned(),
            folder: folder.to_owned(),
            dimension,
            keys: (0..manifest.base as u64).collect(),
            index: Index::empty(library, dimension)?,
            resident_before: None,
            single: pool(1)?,
        })
    }

    fn run(&mut self, command: Command) -> Result<Value> {
        match command {
            Command::Build { threads } => self.build(threads),
            Command::Search { queries, ef, mode, limit, into } => {
                let queries = self.queries(&queries, limit)?;
                self.search(&queries, ef, &mode, &into)
            }
            Command::Filter { queries, ef, share, limit, into } => {
                let queries = self.queries(&queries, Some(limit))?;
                self.filter(&queries, ef, share, &into)
            }
            Command::Churn { times } => self.churn(times),
            Command::File { times, into } => self.file(times, &into),
            Command::Stream { bytes, passes } => Ok(stream(bytes, passes)),
        }
    }

    /// The vectors. They are read anew for each command, so that no memory but the index's is held between them.
    fn base(&self) -> Result<Vec<f32>> {
        let base = read(&self.folder.join("base.f32"))?;
        ensure!(base.len() == self.keys.len() * self.dimension, "base.f32 holds {} values", base.len());
        Ok(base)
    }

    fn queries(&self, set: &str, limit: Option<usize>) -> Result<Vec<f32>> {
        let mut queries = read(&self.folder.join(format!("{set}.f32")))?;
        queries.truncate(limit.unwrap_or(usize::MAX).saturating_mul(self.dimension));
        Ok(queries)
    }

    fn build(&mut self, threads: usize) -> Result<Value> {
        self.index = Index::empty(&self.library, self.dimension)?;
        let before = *self.resident_before.get_or_insert_with(resident);
        let base = self.base()?;
        let (index, keys) = (self.index.get_mut(), &self.keys);
        let pool = pool(threads)?;
        let clock = Clock::start(ClockId::ProcessCPUTime);
        pool.install(|| index.insert_many(keys, &base))?;
        let mut reply = clock.read();
        drop(base);
        reply["resident"] = resident().saturating_sub(before).into();
        reply["walked"] = self.index.walked().into();
        Ok(reply)
    }

    fn search(&self, queries: &[f32], ef: usize, mode: &Mode, into: &Path) -> Result<Value> {
        let index = self.index.get();
        let options = SearchOptions::new(K).with_ef(ef);
        let count = queries.len() / self.dimension;
        let mut times = Vec::with_capacity(count);
        let mut answers = Vec::with_capacity(count);
        let reply = self.single.install(|| -> Result<Value> {
            index.search(&queries[..self.dimension], &options)?;
            let clock = Clock::start(ClockId::ThreadCPUTime);
            for query in queries.chunks_exact(self.dimension) {
                if *mode == Mode::Single {
                    answers.push(index.search(query, &options)?);
                } else {
                    let begin = now(ClockId::ThreadCPUTime);
                    answers.push(index.search(query, &options)?);
                    times.push(((now(ClockId::ThreadCPUTime) - begin) * 1e9) as u32);
                }
            }
            Ok(clock.read())
        })?;
        write_ids(into, "ids", &answers, K)?;
        if *mode == Mode::Each {
            write(into, "ns", times)?;
        }
        Ok(reply)
    }

    /// The time of the index and, under `scan`, that of the exact index that scores only what passes.
    fn filter(&self, queries: &[f32], ef: usize, share: f64, into: &Path) -> Result<Value> {
        let index = self.index.get();
        let passes = |key| (mixed(key) >> 11) as f64 / (1_u64 << 53) as f64 <= share;
        let options = SearchOptions::new(K).with_ef(ef).with_filter(&passes);
        let exact_options = SearchOptions::new(EXACT).with_filter(&passes);
        let matches = self.keys.iter().filter(|&&key| passes(key)).count();
        let mut exact = FlatIndex::new(self.dimension, Metric::Cosine)?;
        exact.insert_many(&self.keys, &self.base()?)?;
        let (mut found, mut truth) = (Vec::new(), Vec::new());
        let (mut graph, mut scan) = (0.0, 0.0);
        self.single.install(|| -> Result<()> {
            for query in queries.chunks_exact(self.dimension) {
                let begin = now(ClockId::ThreadCPUTime);
                found.push(index.search(query, &options)?);
                let middle = now(ClockId::ThreadCPUTime);
                truth.push(exact.search(query, &exact_options)?);
                graph += middle - begin;
                scan += now(ClockId::ThreadCPUTime) - middle;
            }
            Ok(())
        })?;
        write_ids(into, "ids", &found, K)?;
        write_ids(into, "exact.ids", &truth, EXACT)?;
        let score = |row: &Vec<Neighbor>, at: usize| row.get(at).map_or(f32::NEG_INFINITY, |n| n.score);
        let scores = truth.iter().flat_map(|row| (0..EXACT).map(move |at| score(row, at).to_bits()));
        write(into, "exact.scores", scores)?;
        Ok(json!({ "cpu": graph, "scan": scan, "matches": matches, "queries": found.len() }))
    }

    fn churn(&mut self, times: u64) -> Result<Value> {
        let base = self.base()?;
        let index = self.index.get_mut();
        let clock = Clock::start(ClockId::ProcessCPUTime);
        for time in 0..times {
            let half: Vec<u64> =
                self.keys.iter().copied().filter(|key| mixed(key ^ (time + 1) << 40) & 1 == 0).collect();
            for &key in &half {
                ensure!(index.remove(key)?, "the index lost key {key}");
            }
            let rows = |key: &u64| &base[*key as usize * self.dimension..][..self.dimension];
            let vectors: Vec<f32> = half.iter().flat_map(rows).copied().collect();
            self.single.install(|| index.insert_many(&half, &vectors))?;
        }
        ensure!(index.len() == self.keys.len(), "the index holds {} keys", index.len());
        Ok(clock.read())
    }

    /// Seconds of the wall to save the index, and each time to open it and to check all of it then, on one thread. The
    /// file was just written and is in the memory of the system.
    fn file(&self, times: usize, into: &Path) -> Result<Value> {
        let Index::Graph(index) = &self.index else { bail!("{} is not kept in files", self.library) };
        let mut path = into.as_os_str().to_owned();
        path.push(".index");
        let path = PathBuf::from(path);
        let begin = Instant::now();
        index.save(&path, &SaveOptions { generation: 1, model: "bench" })?;
        let save = begin.elapsed().as_secs_f64();
        let bytes = path.metadata()?.len();
        let expected = Expected { dimension: self.dimension, metric: Metric::Cosine, model: "bench" };
        let (mut open, mut verify) = (Vec::new(), Vec::new());
        for _ in 0..times {
            let begin = Instant::now();
            let (opened, _) = Hnsw::open(&path, &expected, HnswConfig::default())?;
            open.push(begin.elapsed().as_secs_f64());
            ensure!(opened.len() == index.len(), "the file holds {} keys", opened.len());
            let begin = Instant::now();
            self.single.install(|| opened.verify())?;
            verify.push(begin.elapsed().as_secs_f64());
        }
        std::fs::remove_file(&path)?;
        Ok(json!({ "save": save, "bytes": bytes, "open": open, "verify": verify }))
    }
}

/// The index that is measured. It is a type of its own for what only some of them can say.
enum Index {
    Graph(Box<Hnsw>),
    Other(Box<dyn VectorIndex>),
}

impl Index {
    fn empty(library: &str, dimension: usize) -> Result<Self> {
        let metric = Metric::Cosine;
        let graph = |storage| -> Result<Self> {
            let mut config = HnswConfig::default();
            config.storage = storage;
            Ok(Self::Graph(Box::new(Hnsw::new(dimension, metric, config)?)))
        };
        Ok(match library {
            "hnsw" => graph(Storage::CodeAndFloat)?,
            "hnsw-f32" => graph(Storage::Float)?,
            "hnsw-rs" => Self::Other(Box::new(HnswRsIndex::new(dimension, metric, HnswRsConfig::default())?)),
            "flat" => Self::Other(Box::new(FlatIndex::new(dimension, metric)?)),
            other => bail!("there is no index {other:?}"),
        })
    }

    fn get(&self) -> &dyn VectorIndex {
        match self {
            Self::Graph(index) => &**index,
            Self::Other(index) => &**index,
        }
    }

    fn get_mut(&mut self) -> &mut dyn VectorIndex {
        match self {
            Self::Graph(index) => &mut **index,
            Self::Other(index) => &mut **index,
        }
    }

    /// Bytes of what a search walks over, codes and links, without the vectors that only score what it found.
    fn walked(&self) -> Option<usize> {
        match self {
            Self::Graph(index) => {
                let memory = index.memory();
                Some(memory.codes + memory.links)
            }
            Self::Other(_) => None,
        }
    }
}

fn pool(threads: usize) -> Result<ThreadPool> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

/// The CPU time of each of so many readings of a buffer that does nothing with it but what keeps the reading real.
fn stream(bytes: usize, passes: usize) -> Value {
    /// Places that are read at the same time: with fewer the memory waits for the processor.
    const PLACES: usize = 4;
    const BLOCK: usize = 8;
    let mut buffer: Vec<u64> = (0..bytes as u64 / 8).map(mixed).collect();
    let part = buffer.len() / PLACES / BLOCK * BLOCK;
    let mut seconds = Vec::new();
    for _ in 0..passes {
        // The compiler must take it for a new buffer each time, else it reads it once.
        let values = black_box(&mut buffer);
        let places: [&[u64]; PLACES] = std::array::from_fn(|place| &values[place * part..][..part]);
        let begin = now(ClockId::ThreadCPUTime);
        let mut sums = [0_u64; BLOCK];
        for at in (0..part).step_by(BLOCK) {
            for place in places {
                for (sum, value) in sums.iter_mut().zip(&place[at..at + BLOCK]) {
                    *sum ^= value;
                }
            }
        }
        black_box(sums);
        seconds.push(now(ClockId::ThreadCPUTime) - begin);
    }
    json!({ "bytes": part * PLACES * 8, "seconds": seconds })
}

/// SplitMix64: equal for equal keys, and as good as random for others.
fn mixed(key: u64) -> u64 {
    let mut z = key.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

struct Clock {
    id: ClockId,
    cpu: f64,
    wall: Instant,
}

impl Clock {
    fn start(id: ClockId) -> Self {
        Self { id, cpu: now(id), wall: Instant::now() }
    }

    /// Seconds since the start.
    fn read(&self) -> Value {
        json!({ "wall": self.wall.elapsed().as_secs_f64(), "cpu": now(self.id) - self.cpu })
    }
}

fn now(id: ClockId) -> f64 {
    let time = clock_gettime(id);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Bytes of memory that the process holds, files aside; 0 where the system does not say so in this way.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Rows of so many keys; what was not found is a key that no vector has.
fn write_ids(into: &Path, extension: &str, answers: &[Vec<Neighbor>], width: usize) -> Result<()> {
    let id = |answer: &Vec<Neighbor>, at: usize| answer.get(at).map_or(u32::MAX, |found| found.key as u32);
    write(into, extension, answers.iter().flat_map(|answer| (0..width).map(move |at| id(answer, at))))
}

fn write(into: &Path, extension: &str, values: impl IntoIterator<Item = u32>) -> Result<()> {
    let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
    let mut path = into.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    std::fs::write(&path, bytes).with_context(|| path.display().to_string())
}
