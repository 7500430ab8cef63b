//! The fault table: what disks, systems and people do to an index, and that it says so or gets over it.
//!
//! `AST_CORE_FLIPS` asks for more damaged copies.
#![cfg(unix)]

use crate::bad_input::{command_without_rights, set_mode};
use crate::binary::{Answer, ast_core};
use crate::doctor::sql;
use crate::random::{Random, asked_for, tell};
use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{EngineConfig, IndexOptions};
use sqlx::{ConnectOptions, Connection, Executor};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// The files of an index: the database, its log and the index of the log.
type Files = BTreeMap<&'static str, Vec<u8>>;

fn beside(database: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn take(database: &Path) -> Files {
    let read = |suffix| Some((suffix, fs::read(beside(database, suffix)).ok()?));
    ["", "-wal", "-shm"].into_iter().filter_map(read).collect()
}

/// Puts these files there, and no others.
fn put(database: &Path, files: &Files) {
    for entry in fs::read_dir(database.parent().expect("a folder")).expect("the folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("index.db") {
            fs::remove_file(entry.path()).expect("a file can be removed");
        }
    }
    for (suffix, content) in files {
        fs::write(beside(database, suffix), content).expect("a file can be written");
    }
    // As whoever wrote it left it.
    fs::write(beside(database, ".lock"), "1").expect("a file can be written");
}

/// A tree, and its index as a process leaves it that ends before its last commits are in the database itself.
fn with_a_log() -> (Repository, Files) {
    let repository = Repository::polyglot();
    repository.index();
    let database = repository.database();
    let files = block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database).read_only(true);
        let mut reader = options.connect().await.expect("the store opens");
        // As long as somebody reads what was before, the log stays.
        reader.execute("BEGIN; SELECT count(*) FROM files").await.expect("it can be read");
        repository.edit("core/src/queue.rs", "fn dequeue", "fn take_most_urgent");
        repository.write("core/src/clock.rs", "/// The time of day.\npub fn wall_clock() -> u64 { 0 }\n");
        repository.remove("native/checksum.cpp");
        let engine = ast_core_engine::Engine::open(EngineConfig::for_tree(repository.root())).await;
        let engine = engine.expect("the index opens");
        engine
            .index(repository.root(), &IndexOptions::default(), Default::default())
            .await
            .expect("the tree can be indexed");
        let files = take(&database);
        engine.close().await;
        reader.close().await.expect("it closes");
        files
    });
    assert!(files["-wal"].len() > 4096, "there is a log");
    (repository, files)
}

fn fresh(repository: &Repository) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = folder.path().join("fresh.db");
    repository.index_with(EngineConfig::new(&database), &IndexOptions::default());
    rows::dump(&database)
}

const QUESTIONS: [&[&str]; 4] = [
    &["search", "take_most_urgent", "--mode", "lexical", "--json"],
    &["search", "cancel a job that waits", "--json", "--limit", "30"],
    &["search", "percentile", "--kind", "function", "--json"],
    &["status", "--json"],
];

/// The answers to all questions, without what differs each time; `None` for one that was refused.
fn ask(repository: &Repository) -> Vec<Option<String>> {
    QUESTIONS.iter().map(|question| answer(&repository.run(*question))).collect()
}

fn answer(answer: &Answer) -> Option<String> {
    match answer.code {
        Some(0 | 1) => {
            let mut document: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
            for key in ["took_ms", "elapsed_ms", "peak_rss_bytes", "generation"] {
                document.as_object_mut().expect("a document").remove(key);
            }
            Some(document.to_string())
        }
        Some(4) if answer.stderr.starts_with("error: ") && answer.stdout.is_empty() => None,
        _ => panic!("no answer and no error: {answer:?}"),
    }
}

/// Mends what is there as a person would, and holds it against a new index; whether it had to be given up.
fn mend(repository: &Repository, fresh: &str, what: &str) -> bool {
    let repaired = repository.run(["doctor", "--repair"]);
    assert!(matches!(repaired.code, Some(0 | 3 | 4)), "{what}: {repaired:?}");
    let is_refused = repaired.code == Some(4);
    if is_refused {
        // The header names another program, or a newer version: only its owner knows better.
        let says_why = ["another program", "newer program"].iter().any(|why| repaired.stderr.contains(why));
        assert!(says_why, "{what}: {repaired:?}");
        fs::remove_dir_all(repository.root().join(".ast-core")).expect("a folder can be removed");
    }
    let indexed = repository.run(["index"]);
    assert_eq!(indexed.code, Some(0), "{what}: {indexed:?}");
    assert!(rows::dump(&repository.database()) == fresh, "{what}: other rows than a new index");
    let looked = repository.run(["doctor"]);
    assert_eq!(looked.code, Some(0), "{what}: {looked:?}");
    is_refused
}

#[test]
fn flipped_bits_give_an_error_or_the_right_answer_and_can_be_mended() {
    let (repository, files) = with_a_log();
    let database = repository.database();
    let fresh = fresh(&repository);
    put(&database, &files);
    let right = ask(&repository);
    // Without the log it is the index of the time before.
    put(
        &database,
        &files.iter().filter(|(suffix, _)| suffix.is_empty()).map(|(k, v)| (*k, v.clone())).collect(),
    );
    let older = ask(&repository);
    assert_ne!(right, older);
    let wanted = asked_for("AST_CORE_FLIPS", 40);
    let mut random = Random(asked_for("AST_CORE_SEED", 1) as u64);
    let (mut errors, mut same, mut unlogged, mut silent, mut refused) = (0, 0, 0, Vec::new(), 0);
    for round in 0..wanted {
        let mut damaged = files.clone();
        damaged.remove("-shm");
        // Every third time where the log is; every other time at the beginning of a page, where the structure is.
        let suffix = if round % 3 == 0 { "-wal" } else { "" };
        let bytes = damaged.get_mut(suffix).expect("a file");
        let mut places = Vec::new();
        for _ in 0..=random.below(6) {
            let page = random.below(bytes.len() / 4096) * 4096;
            let at = page + random.below(if round % 2 == 0 { 4096 } else { 64 });
            bytes[at] ^= 1 << random.below(8);
            places.push(at);
        }
        put(&database, &damaged);
        let found = ask(&repository);
        let looked = repository.run(["doctor", "--json"]);
        let is_found = looked.code == Some(4);
        for (number, found) in found.iter().enumerate() {
            match found {
                None => errors += 1,
                Some(_) if *found == right[number] => same += 1,
                // A log is read as far as its checksums hold: what was committed last is not there.
                Some(_) if *found == older[number] || suffix == "-wal" => unlogged += 1,
                Some(found) => {
                    assert!(is_found, "round {round}, {suffix:?} {places:?}: nobody would notice {found}");
                    silent.push(format!(
                        "round {round}, {suffix:?} {places:?}: {}",
                        QUESTIONS[number].join(" ")
                    ));
                }
            }
        }
        refused += usize::from(mend(&repository, &fresh, &format!("round {round}, {suffix:?} {places:?}")));
    }
    tell(format_args!(
        "damaged copies: {wanted}; answers: {same} right, {errors} errors, {unlogged} of a time before, {} wrong \
         and found by doctor only; {refused} not taken for an index of ours or of this version",
        silent.len()
    ));
    silent.iter().for_each(tell);
    assert!(errors > wanted / 4, "too little of it was noticed: {errors}");
}

#[test]
fn a_log_that_is_missing_cut_or_somebody_elses_is_got_over() {
    let (repository, files) = with_a_log();
    let (_other, other) = {
        let (other, files) = with_a_log();
        other.write("core/src/elsewhere.rs", "pub fn elsewhere() {}\n");
        (other, files)
    };
    let database = repository.database();
    let fresh = fresh(&repository);
    let with = |suffix: &'static str, content: Option<Vec<u8>>| {
        let mut files = files.clone();
        match content {
            Some(content) => files.insert(suffix, content),
            None => files.remove(suffix),
        };
        files
    };
    let wal = &files["-wal"];
    for (what, files) in [
        ("as it was left", files.clone()),
        ("no index of the log", with("-shm", None)),
        ("noise for the index of the log", with("-shm", Some(vec![0xA5; 32768]))),
        ("an index of another log", with("-shm", Some(other["-shm"].clone()))),
        ("no log", with("-wal", None)),
        ("an empty log", with("-wal", Some(Vec::new()))),
        ("half a log", with("-wal", Some(wal[..wal.len() / 2].to_vec()))),
        ("noise for a log", with("-wal", Some(vec![0xA5; 20_000]))),
        ("the log of another index", with("-wal", Some(other["-wal"].clone()))),
        ("nothing but a log", with("", Some(Vec::new()))),
    ] {
        put(&database, &files);
        // An answer or an error, and nothing else.
        ask(&repository);
        put(&database, &files);
        mend(&repository, &fresh, what);
    }
}

/// Runs a script that has the binary as `$1` and the tree as `$2`, with an index in `$3`.
fn script(repository: &Repository, wrapper: &[&str], script: &str) -> Option<(Vec<String>, String)> {
    let folder = repository.beside("full");
    fs::create_dir_all(&folder).expect("a folder");
    let mut command = Command::new(wrapper[0]);
    command
        .args(&wrapper[1..])
        .args(["-c", script, "script"])
        .arg(ast_core())
        .arg(repository.root())
        .arg(&folder);
    let output = command.env("HOME", repository.beside("home")).output().ok()?;
    let text = String::from_utf8(output.stdout).expect("output is UTF-8");
    // What is not permitted here is not tried.
    let lines: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("code ")).map(str::to_owned).collect();
    (!lines.is_empty()).then(|| (lines, String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Enough files to fill a small disk.
fn large() -> Repository {
    let repository = Repository::empty();
    for number in 0..900 {
        let code: String =
            (0..12).map(|at| format!("pub fn fill_{number}_{at}(x: u64) -> u64 {{ x * {at} }}\n")).collect();
        repository.write(&format!("part{}/file{number}.rs", number % 9), code);
    }
    repository
}

#[test]
fn a_full_disk_is_said_and_the_run_is_gone_on_with_when_there_is_room() {
    let repository = large();
    // A file system of the script alone, which goes with it.
    let full = script(
        &repository,
        &["unshare", "--mount", "sh"],
        "mount -t tmpfs -o size=1m none \"$3\" || exit 0\n\
         \"$1\" index \"$2\" --db \"$3/index.db\" >&2; echo code $?\n\
         \"$1\" status --db \"$3/index.db\" >&2; echo code $?\n\
         \"$1\" index \"$2\" --db \"$3/index.db\" >&2; echo code $?\n\
         mount -o remount,size=64m \"$3\"\n\
         \"$1\" doctor --db \"$3/index.db\" >&2; echo code $?\n\
         \"$1\" index \"$2\" --db \"$3/index.db\" >&2; echo code $?\n\
         \"$1\" doctor --db \"$3/index.db\" >&2; echo code $?\n",
    );
    if let Some((codes, said)) = &full {
        assert_eq!(codes, &["4", "0", "4", "0", "0", "0"], "{said}");
        assert!(said.contains("no space is left") && said.contains("make room"), "{said}");
    }
    // A limit on the size of a file is there for everybody, and is met in the same places.
    let (codes, said) = script(
        &repository,
        &["sh"],
        "trap '' XFSZ\n\
         (ulimit -f 800; \"$1\" index \"$2\" --db \"$3/index.db\" >&2; echo code $?)\n\
         \"$1\" doctor --db \"$3/index.db\" >&2; echo code $?\n\
         \"$1\" index \"$2\" --db \"$3/index.db\" >&2; echo code $?\n\
         \"$1\" doctor --db \"$3/index.db\" >&2; echo code $?\n",
    )
    .expect("there is a shell");
    assert_eq!(codes, ["4", "0", "0", "0"], "{said}");
    assert_eq!(rows::dump(&repository.beside("full/index.db")), fresh(&repository));
}

#[test]
fn a_permission_that_is_lost_meanwhile_is_said_and_got_over() {
    use std::io::{BufRead, BufReader};
    let repository = Repository::polyglot();
    let store = repository.beside("store");
    fs::create_dir(&store).expect("a folder");
    set_mode(&store, 0o777);
    let database = store.join("index.db");
    let path = database.to_str().expect("a path in UTF-8");
    let mut command = command_without_rights(&repository, &["watch", "--json", "--db", path]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let mut said = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    let mut next = || said.next().expect("a line").expect("output is UTF-8");
    assert!(next().contains("ready"));
    let permit = |folder: u32, file: u32| {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            if beside(&database, suffix).exists() {
                set_mode(&beside(&database, suffix), file);
            }
        }
        set_mode(&store, folder);
    };
    permit(0o555, 0o444);
    repository.write("first.py", "def first_one(): pass\n");
    // What is open stays open: it may go on, or say that it cannot.
    let event = next();
    assert!(event.contains("updated") || event.contains("failed"), "{event}");
    let refused =
        command_without_rights(&repository, &["index", "--db", path]).output().expect("the binary runs");
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    permit(0o777, 0o666);
    repository.write("second.py", "def second_one(): pass\n");
    while !next().contains("updated") {}
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
    assert_eq!(repository.run(["index", "--db", path]).code, Some(0));
    assert_eq!(rows::dump(&database), fresh(&repository));
}

#[test]
fn a_file_that_may_not_be_written_is_read_and_said() {
    let repository = Repository::polyglot();
    repository.index();
    set_mode(&repository.database(), 0o444);
    set_mode(&repository.root().join(".ast-core"), 0o555);
    let run = |arguments: &[&str]| {
        Answer::of(command_without_rights(&repository, arguments).output().expect("the binary runs"))
    };
    assert_eq!(run(&["search", "job"]).code, Some(0));
    assert_eq!(run(&["doctor"]).code, Some(0));
    run(&["index"]).assert_refused(4, &["read-only", "--db"]);
    run(&["doctor", "--repair"]).assert_refused(4, &["read-only", "--db"]);
    set_mode(&repository.root().join(".ast-core"), 0o755);
    set_mode(&repository.database(), 0o644);
}

#[test]
fn a_clock_that_was_set_back_hides_no_edit() {
    let repository = Repository::polyglot();
    let path = repository.root().join("tools/seed.js");
    let hours = |count: u64| SystemTime::now() + Duration::from_secs(count * 3600);
    let soon = hours(12);
    let set =
        || File::options().write(true).open(&path).and_then(|file| file.set_modified(soon)).expect("a time");
    set();
    repository.index();
    // The run that noted the file was a day ahead, as the file was half a day.
    let ahead = hours(24).duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_nanos();
    sql(&repository.database(), &format!("UPDATE meta SET value = '{ahead}' WHERE key = 'last_run_ns'"));
    repository.edit("tools/seed.js", "seedDatabase", "feedDatabase");
    set();
    let report = repository.index();
    assert_eq!(report.files.indexed, 1, "{report:?}");
    assert_eq!(rows::dump(&repository.database()), fresh(&repository));
    assert_eq!(repository.run(["doctor"]).code, Some(0));
}

/// Files of one moment and one size, of which one comes to the path of the other with its folder.
#[test]
fn a_file_that_takes_the_place_of_its_twin_is_noticed() {
    let repository = Repository::empty();
    let twins = [("old", "fn twin_one() {}\n"), ("new", "fn twin_two() {}\n")];
    for number in 0..40 {
        for (folder, code) in twins {
            repository.write(&format!("{folder}/file{number}.rs"), code);
        }
    }
    std::thread::sleep(Duration::from_millis(50));
    // Only what is older than a run is trusted.
    repository.index();
    fs::remove_dir_all(repository.root().join("old")).expect("a folder can be removed");
    repository.rename("new", "old");
    repository.index();
    assert_eq!(rows::dump(&repository.database()), fresh(&repository));
}
