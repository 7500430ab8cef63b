//! The kill table: whatever is done to an index is killed at random moments, and nothing is lost or torn.
//!
//! A kill counts if its work was in flight: the process had not come to its end, and what it had written was on its way, in the
//! log beside the database. `AST_CORE_KILLS` asks for more of them.
#![cfg(unix)]

use crate::doctor::sql;
use crate::random::{Random, asked_for, tell};
use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{EngineConfig, IndexOptions};
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 700;

/// How long a process is waited for until it writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest that is waited at first.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What came of the kills of a kind.
#[derive(Debug, Default)]
struct Tally {
    tried: usize,
    in_flight: usize,
    /// Files that a reader had seen, and that are not there.
    lost: usize,
    /// Kills after which something of the index did not fit the rest.
    torn: usize,
    /// Kills after which the index had to be repaired to be opened.
    repaired: usize,
    /// Kills after which the next run did not end in the rows of a new index.
    different: usize,
}

/// The paths in an index, and the hashes of what it has of them.
type Seen = BTreeMap<String, Vec<u8>>;

fn seen(database: &Path) -> Option<Seen> {
    block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database).read_only(true);
        let mut connection = options.connect().await.ok()?;
        let query = "SELECT path, coalesce(content_hash, x'') FROM files";
        let rows: Result<Vec<(String, Vec<u8>)>, _> = sqlx::query_as(query).fetch_all(&mut connection).await;
        connection.close().await.ok()?;
        Some(rows.ok()?.into_iter().collect())
    })
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Bytes in the logs of a database.
fn log(database: &Path) -> u64 {
    ["-wal", "-journal"]
        .iter()
        .map(|suffix| fs::metadata(beside(database, suffix)).map_or(0, |log| log.len()))
        .sum()
}

fn code(number: usize, edition: usize) -> String {
    let mut code = String::new();
    for function in 0..4 {
        write!(
            code,
            "/// Adds {function} to what file {number} was given, edition {edition}.\n\
             pub fn add_{number}_{function}(value: u64) -> u64 {{\n    value + {function} + {edition}\n}}\n\n"
        )
        .expect("a string can be written");
    }
    code
}

fn path_of(number: usize) -> String {
    format!("part{}/file{number}.rs", number % 20)
}

/// A tree that takes several commits.
fn tree() -> Repository {
    let repository = Repository::empty();
    (0..FILES).for_each(|number| repository.write(&path_of(number), code(number, 0)));
    repository
}

/// Another third of the tree changes, and some files come and go.
fn edit(repository: &Repository, edition: usize) {
    for number in (edition % 3..FILES).step_by(3) {
        repository.write(&path_of(number), code(number, edition));
    }
    for number in 0..20 {
        let (gone, new) =
            (format!("extra/{}_{number}.rs", edition - 1), format!("extra/{edition}_{number}.rs"));
        // There is none before the first edition.
        let _ = fs::remove_file(repository.root().join(gone));
        repository.write(&new, code(FILES + number, edition));
    }
}

/// What a new index of a tree holds.
fn fresh(repository: &Repository) -> (String, Seen) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = folder.path().join("fresh.db");
    repository.index_with(EngineConfig::new(&database), &IndexOptions::default());
    (rows::dump(&database), seen(&database).expect("a new index"))
}

/// A kind of work that is killed.
struct Kind {
    name: &'static str,
    /// Of every 25 kills.
    share: usize,
    run: fn(&mut Bench) -> bool,
}

/// What the kinds work on.
struct Bench {
    repository: Repository,
    random: Random,
    edition: usize,
    /// The rows of a new index of the tree as it is.
    expected: Option<(String, Seen)>,
    /// What a reader saw before the kill.
    seen: Seen,
    /// The longest that is waited for, from when the work is seen to write.
    longest: Duration,
}

impl Bench {
    fn database(&self) -> PathBuf {
        self.repository.database()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.repository.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs")
    }

    /// Waits until the work writes, and a little longer, notes what a reader sees, and kills; whether the work was in
    /// flight.
    fn kill(&mut self, mut child: Child, log_before: u64) -> bool {
        let database = self.database();
        let begin = Instant::now();
        let has_ended = |child: &mut Child| child.try_wait().expect("a child can be asked").is_some();
        // A watch may have written and settled before anybody looked.
        while log(&database) <= log_before && !has_ended(&mut child) && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_micros(200));
        }
        let begin = Instant::now();
        let until = self.longest.mul_f64(self.random.below(1000) as f64 / 1000.0);
        // Every other time nobody looks on.
        if self.random.below(2) == 0 {
            std::thread::sleep(until / 2);
            self.seen = seen(&database).unwrap_or_default();
        }
        std::thread::sleep(until.saturating_sub(begin.elapsed()));
        child.kill().expect("a child can be killed");
        let status = child.wait().expect("a child ends");
        status.signal() == Some(9) && log(&database) > log_before
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(self.repository.root().join(".ast-core"));
    }

    fn next_edition(&mut self) {
        self.edition += 1;
        edit(&self.repository, self.edition);
        self.expected = None;
    }
}

fn cold(bench: &mut Bench) -> bool {
    bench.clear();
    let child = bench.start(&["index"]);
    bench.kill(child, 0)
}

fn incremental(bench: &mut Bench) -> bool {
    bench.repository.index();
    bench.next_edition();
    let before = log(&bench.database());
    let child = bench.start(&["index"]);
    bench.kill(child, before)
}

fn watch(bench: &mut Bench) -> bool {
    bench.repository.index();
    let mut child = bench.start(&["watch", "--json"]);
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().expect("it was asked for"));
    said.read_line(&mut line).expect("it says that it is ready");
    assert!(line.contains("ready"), "{line}");
    let before = log(&bench.database());
    bench.next_edition();
    let was_writing = bench.kill(child, before);
    // One that had done all of it was waiting.
    let expected = bench.expected.get_or_insert_with(|| fresh(&bench.repository));
    let left = seen(&bench.repository.database()).is_some_and(|seen| seen != expected.1);
    was_writing && left
}

/// Of each older version that holds what a later one makes anew, its tables and what fills them.
const OLDER: [&str; 2] = [
    concat!(
        include_str!("../../../crates/ast-core-storage/migrations/0001_index.sql"),
        "; INSERT INTO sources SELECT value, randomblob(3000) FROM numbers; \
         INSERT INTO terms SELECT value, randomblob(600) FROM numbers; \
         INSERT INTO chunks SELECT value << 20, NULL, 'function', 0, 1, 1, 1, randomblob(16) FROM numbers; \
         INSERT INTO lexical (rowid, name, path, doc, body) SELECT value << 20, hex(randomblob(9)), 'old', '', \
         hex(randomblob(80)) FROM numbers"
    ),
    concat!(
        include_str!("../../../crates/ast-core-storage/migrations/0001_index.sql"),
        include_str!("../../../crates/ast-core-storage/migrations/0002_documents.sql"),
        "; INSERT INTO documents SELECT value, randomblob(3000) FROM numbers; \
         INSERT INTO symbols SELECT value << 20, hex(randomblob(9)), 'function' FROM numbers; \
         INSERT INTO vectors SELECT value, x'00', randomblob(256) FROM numbers; \
         INSERT INTO lexical_pages SELECT value, randomblob(4000) FROM numbers"
    ),
];

fn migration_from_1(bench: &mut Bench) -> bool {
    migration(bench, 1)
}

fn migration_from_2(bench: &mut Bench) -> bool {
    migration(bench, 2)
}

/// Makes the index anew as an older version of the store had it, and kills what brings it up.
fn migration(bench: &mut Bench, from: usize) -> bool {
    bench.clear();
    fs::create_dir(bench.repository.root().join(".ast-core")).expect("a folder");
    let database = bench.database();
    fs::write(&database, "").expect("a file");
    let made = OLDER[from - 1];
    sql(
        &database,
        &format!(
            "PRAGMA journal_mode = WAL; BEGIN; CREATE TEMP TABLE numbers AS WITH RECURSIVE n(value) AS \
             (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1500) SELECT value FROM n; {made}; \
             PRAGMA application_id = 0x41434569; PRAGMA user_version = {from}; \
             INSERT INTO files SELECT value, 'old/' || value || '.rs', 'rust', 'indexed', NULL, 1, 1, randomblob(16), \
             1, 0, 1 FROM numbers; INSERT OR REPLACE INTO meta VALUES ('generation', '1'); COMMIT"
        ),
    );
    let mut child = bench.start(&["index"]);
    // It takes the lock first of all, and the tables are brought up next.
    let begin = Instant::now();
    while !beside(&database, ".lock").exists() && begin.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_micros(bench.random.below(12_000) as u64));
    child.kill().expect("a child can be killed");
    let was_killed = child.wait().expect("a child ends").signal() == Some(9);
    let version = block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
        let mut connection = options.connect().await.expect("the store opens");
        let check: (String,) =
            sqlx::query_as("PRAGMA integrity_check").fetch_one(&mut connection).await.expect("a check");
        assert_eq!(check.0, "ok");
        let version: (i64,) =
            sqlx::query_as("PRAGMA user_version").fetch_one(&mut connection).await.expect("a version");
        let old: (i64,) = sqlx::query_as("SELECT count(*) FROM files WHERE path GLOB 'old/*'")
            .fetch_one(&mut connection)
            .await
            .expect("a count");
        connection.close().await.expect("it closes");
        assert_eq!(old.0 == 1500, version.0 == from as i64, "a migration is done wholly or not at all");
        version.0
    });
    was_killed && version == from as i64
}

fn repair(bench: &mut Bench) -> bool {
    bench.repository.index();
    sql(
        &bench.database(),
        "DELETE FROM lexical_pages WHERE id = 0; UPDATE vectors SET kinds = zeroblob(length(kinds))",
    );
    let before = log(&bench.database());
    let child = bench.start(&["doctor", "--repair"]);
    let is_in_flight = bench.kill(child, before);
    // What was damaged before is to be mended after; the kill itself must not have added to it.
    bench.seen = seen(&bench.database()).unwrap_or_default();
    let code = bench.repository.run(["doctor", "--repair"]).code;
    assert_eq!(code, Some(0), "it can be begun again");
    is_in_flight
}

const KINDS: [Kind; 6] = [
    Kind { name: "index, cold", share: 8, run: cold },
    Kind { name: "index, incremental", share: 7, run: incremental },
    Kind { name: "watch", share: 4, run: watch },
    Kind { name: "migration from schema 1", share: 2, run: migration_from_1 },
    Kind { name: "migration from schema 2", share: 2, run: migration_from_2 },
    Kind { name: "doctor --repair", share: 2, run: repair },
];

/// What is to be there is what a reader had seen, unless the tree has another version of it by now, or none.
fn count_lost(before: &Seen, now: &Seen, tree: &Seen) -> usize {
    let is_kept = |path: &String, hash: &Vec<u8>| match now.get(path) {
        Some(now) => now == hash || Some(now) == tree.get(path),
        None => !tree.contains_key(path),
    };
    before.iter().filter(|(path, hash)| !is_kept(path, hash)).count()
}

#[test]
fn nothing_is_lost_or_torn_by_a_kill() {
    let wanted = asked_for("AST_CORE_KILLS", 25);
    let mut bench = Bench {
        repository: tree(),
        random: Random(asked_for("AST_CORE_SEED", 1) as u64),
        edition: 0,
        expected: None,
        seen: Seen::new(),
        longest: FIRST_WAIT,
    };
    let mut tallies = Vec::new();
    for Kind { name, share, run } in KINDS {
        let mut tally = Tally::default();
        bench.longest = FIRST_WAIT;
        let wanted = (wanted * share).div_ceil(25);
        while tally.in_flight < wanted {
            assert!(tally.tried < wanted * 20 + 50, "{name}: too few of the kills hit it at work: {tally:?}");
            tally.tried += 1;
            bench.seen.clear();
            let is_in_flight = run(&mut bench);
            // So long that some of the kills come too late: the others are then all over the work.
            bench.longest = bench.longest.mul_f64(if is_in_flight { 1.1 } else { 0.7 });
            if !is_in_flight {
                continue;
            }
            tally.in_flight += 1;
            look_after(&mut bench, name, &mut tally);
        }
        tallies.push((name, tally));
    }
    let mut table = "kills: | tried | in flight | lost | torn | repaired | different\n".to_owned();
    for (name, Tally { tried, in_flight, lost, torn, repaired, different }) in &tallies {
        writeln!(table, "{name} | {tried} | {in_flight} | {lost} | {torn} | {repaired} | {different}")
            .expect("a string can be written");
    }
    tell(format_args!("{table}"));
    let is_clean = |tally: &Tally| tally.lost + tally.torn + tally.repaired + tally.different == 0;
    assert!(tallies.iter().all(|(_, tally)| is_clean(tally)), "{table}");
}

/// Opens what the kill left, and lets the next run do the rest.
fn look_after(bench: &mut Bench, name: &str, tally: &mut Tally) {
    let Bench { repository, expected, .. } = bench;
    let database = repository.database();
    let (dump, tree) = expected.get_or_insert_with(|| fresh(repository));
    tally.lost += count_lost(&bench.seen, &seen(&database).unwrap_or_default(), tree);
    let looked = repository.run(["doctor", "--json"]);
    // Before the first commit, and before a migration is done, there is nothing to look at.
    if looked.code != Some(0) && !looked.stderr.contains("no index") {
        tell(format_args!("{name}: {looked:?}"));
        tally.torn += 1;
    }
    if repository.run(["index"]).code != Some(0) {
        tally.repaired += 1;
        repository.run(["doctor", "--repair"]);
        repository.run(["index"]);
    }
    let looked = repository.run(["doctor", "--json"]);
    if looked.code != Some(0) || rows::dump(&database) != *dump {
        tell(format_args!("{name}: {looked:?}"));
        tally.different += 1;
    }
}
