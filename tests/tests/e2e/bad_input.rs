//! Whatever lies in a tree or in the place of an index: each file has its outcome, and the run its end.

use crate::repository::Repository;
use crate::rows;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

const LIMIT: usize = 2 << 20;

/// The paths that failed, and why.
fn failures(report: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let failures = report["failures"].as_array().expect("failures");
    failures.iter().map(|failure| (text(&failure["path"]), text(&failure["reason"]))).collect()
}

/// The paths in the index.
fn paths(repository: &Repository) -> Vec<String> {
    let dump = rows::dump(&repository.database());
    dump.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).map(str::to_owned).collect()
}

/// A function and a comment, so many bytes in all; quick to parse, as this is not about time.
fn code_of_size(name: &str, bytes: usize) -> String {
    let (head, tail) = (format!("fn {name}() {{}}\n/*\n"), "*/\n");
    let line = format!("{}\n", "#".repeat(99));
    let comment: String = line.chars().cycle().take(bytes - head.len() - tail.len()).collect();
    format!("{head}{comment}{tail}")
}

#[test]
fn files_at_the_size_limit_are_taken_and_larger_ones_are_not() {
    let repository = Repository::empty();
    for (name, size) in [("below", LIMIT - 1), ("at", LIMIT), ("above", LIMIT + 1)] {
        let code = code_of_size(name, size);
        assert_eq!(code.len(), size);
        repository.write(&format!("{name}.rs"), code);
    }
    // No disk holds it and no memory should.
    let sparse = File::create(repository.root().join("sparse.rs")).expect("a file");
    sparse.set_len(100 << 20).expect("a size");
    let answer = repository.run(["index", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let report = answer.json();
    assert_eq!(
        (&report["files"]["indexed"], &report["files"]["skipped"]["too_large"]),
        (&2.into(), &2.into())
    );
    let failures = failures(&report);
    assert_eq!(failures.keys().collect::<Vec<_>>(), ["above.rs", "sparse.rs"]);
    assert!(failures["above.rs"].contains("2097152"), "{failures:?}");
    for name in ["below", "at"] {
        assert_eq!(repository.run(["search", name, "--lang", "rust"]).code, Some(0));
    }
}

#[test]
fn what_is_no_utf_8_has_its_outcome() {
    let repository = Repository::empty();
    let utf_16 = |text: &str, little: bool| -> Vec<u8> {
        let unit = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(unit).collect()
    };
    repository.write("little.py", utf_16("def little_endian():\n    return 'ä'\n", true));
    repository.write("big.py", utf_16("def big_endian():\n    return 'ä'\n", false));
    repository.write("mark.py", "\u{FEFF}def after_a_mark():\n    return 1\n");
    repository.write("latin.py", b"def latin_one():\n    return '\xE4'\n");
    repository.write("empty.py", "");
    repository.write("space.py", " \n\t\n");
    repository.write("binary.py", b"\x7FELF\0\0\x01\x02");
    repository.write("good.py", "def good_one(): pass\n");
    let answer = repository.run(["index", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let report = answer.json();
    assert_eq!((&report["files"]["indexed"], &report["files"]["skipped"]["binary"]), (&7.into(), &1.into()));
    assert_eq!(failures(&report).keys().collect::<Vec<_>>(), ["binary.py"]);
    for name in ["little_endian", "big_endian", "after_a_mark", "latin_one", "good_one"] {
        let found = repository.run(["search", name, "--json"]).json();
        assert_eq!(found["hits"][0]["name"], name, "{found}");
    }
}

#[test]
fn nesting_of_any_depth_ends() {
    const DEPTH: usize = 200_000;
    let repository = Repository::empty();
    let names = ["deep.js", "deep.rs", "deep.py", "deep.cpp", "deep.java", "deep.ts"];
    for name in names {
        repository.write(name, format!("x = {}1{};\n", "(".repeat(DEPTH), ")".repeat(DEPTH)));
    }
    // Without an end.
    repository.write("open.js", "[{(".repeat(DEPTH / 3));
    repository.write("good.js", "function goodOne() {}\n");
    let answer = repository.run(["index", "--json"]);
    let report = answer.json();
    let (indexed, slow) = (&report["files"]["indexed"], &report["files"]["skipped"]["timeout"]);
    assert_eq!(
        indexed.as_u64().unwrap_or(0) + slow.as_u64().unwrap_or(0),
        names.len() as u64 + 2,
        "{report}"
    );
    assert_eq!(answer.code, Some(if *slow == 0 { 0 } else { 3 }), "{report}");
    assert_eq!(repository.run(["search", "goodOne", "--json"]).json()["hits"][0]["name"], "goodOne");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_passed_by() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let repository = Repository::empty();
    let root = repository.root();
    repository.write("src/good.rs", "fn good_one() {}\n");
    symlink(root.join("src"), root.join("src/loop.rs")).expect("a link");
    symlink(&root, root.join("src/up")).expect("a link");
    symlink("good.rs", root.join("src/link.rs")).expect("a link");
    symlink("nowhere.rs", root.join("src/dangling.rs")).expect("a link");
    let made = Command::new("mkfifo").arg(root.join("pipe.rs")).status();
    assert!(made.expect("mkfifo runs").success());
    let _socket = UnixListener::bind(root.join("socket.rs")).expect("a socket");
    fs::create_dir(root.join("folder.rs")).expect("a folder");
    let odd = std::ffi::OsStr::from_bytes(b"odd\xFF.rs");
    let odd = File::create(root.join(odd)).is_ok();
    repository.write("new\nline.rs", "fn in_an_odd_place() {}\n");

    let answer = repository.run(["index", "--json"]);
    let report = answer.json();
    assert_eq!(paths(&repository).first().map(String::as_str), Some("new"), "{report}");
    assert_eq!(report["files"]["indexed"], 2, "{report}");
    assert_eq!(report["files"]["skipped"]["unsupported"], 6, "{report}");
    // Some file systems take no such name.
    let failures = failures(&report);
    if odd {
        assert_eq!(failures.keys().collect::<Vec<_>>(), ["odd\u{FFFD}.rs"]);
        assert!(failures["odd\u{FFFD}.rs"].contains("UTF-8"));
    }
    assert_eq!(answer.code, Some(if odd { 3 } else { 0 }));
}

/// The binary as somebody without rights, if this is root; files that are made are still root's.
#[cfg(unix)]
pub(crate) fn command_without_rights(repository: &Repository, arguments: &[&str]) -> Command {
    use crate::binary::ast_core;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let folder = repository.beside("");
    let is_root = fs::metadata(&folder).expect("the folder").uid() == 0;
    if !is_root {
        return repository.command(arguments);
    }
    // Where nobody may look at the binary, a copy can be run.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("rights can be given");
    let copy = repository.beside("ast-core");
    if !copy.exists() {
        fs::copy(ast_core(), &copy).expect("the binary can be copied");
    }
    let mut command = repository.command_of(&copy, arguments);
    command.uid(NOBODY).gid(NOBODY);
    command
}

#[cfg(unix)]
fn run_without_rights(repository: &Repository, arguments: &[&str]) -> crate::binary::Answer {
    let mut command = command_without_rights(repository, arguments);
    crate::binary::Answer::of(command.output().expect("the binary runs"))
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("rights can be set");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_named_and_tried_again() {
    let repository = Repository::empty();
    let root = repository.root();
    repository.write("good.rs", "fn good_one() {}\n");
    repository.write("secret.rs", "fn secret_one() {}\n");
    repository.write("closed/inner.rs", "fn inner_one() {}\n");
    set_mode(&root.join("secret.rs"), 0o000);
    set_mode(&root.join("closed"), 0o000);
    fs::create_dir(repository.beside("store")).expect("a folder");
    set_mode(&repository.beside("store"), 0o777);
    let database = repository.beside("store/index.db");
    let index = ["index", "--json", "--db", database.to_str().expect("a path in UTF-8")];

    let answer = run_without_rights(&repository, &index);
    let report = answer.json();
    assert_eq!(answer.code, Some(3), "{report}");
    assert_eq!((&report["files"]["indexed"], &report["files"]["skipped"]["error"]), (&1.into(), &2.into()));
    let failures = failures(&report);
    assert_eq!(failures.keys().collect::<Vec<_>>(), ["closed", "secret.rs"]);
    assert!(failures.values().all(|reason| reason.contains("permission denied")), "{failures:?}");

    set_mode(&root.join("secret.rs"), 0o644);
    set_mode(&root.join("closed"), 0o755);
    let answer = run_without_rights(&repository, &index);
    assert_eq!((answer.code, &answer.json()["files"]["indexed"]), (Some(0), &2.into()), "{answer:?}");

    // Nobody knows whether what may not be looked at is gone: it stays.
    set_mode(&root.join("closed"), 0o000);
    set_mode(&root.join("secret.rs"), 0o000);
    let answer = run_without_rights(&repository, &index);
    let report = answer.json();
    assert_eq!(answer.code, Some(3), "{report}");
    assert_eq!(
        (&report["files"]["unchanged"], &report["files"]["skipped"]["error"], &report["files"]["removed"]),
        (&2.into(), &2.into(), &0.into()),
        "{report}"
    );
    for (name, path) in [("inner_one", "closed/inner.rs"), ("secret_one", "secret.rs")] {
        let found = repository.run(["search", name, "--json", "--db", index[3]]).json();
        assert_eq!(found["hits"][0]["path"], path, "{found}");
    }
    set_mode(&root.join("closed"), 0o755);
}

#[cfg(unix)]
#[test]
fn a_tree_that_cannot_be_written_says_where_the_index_could_be() {
    let repository = Repository::polyglot();
    set_mode(&repository.root(), 0o555);
    let answer = run_without_rights(&repository, &["index"]);
    answer.assert_refused(4, &["read-only", "--db"]);
    set_mode(&repository.root(), 0o755);
}

#[test]
fn files_that_vanish_during_a_run_are_no_failures() {
    let repository = Repository::empty();
    for number in 0..600 {
        repository.write(&format!("file{number}.py"), format!("def function_{number}(): pass\n"));
    }
    let child = repository
        .command(["index", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    for number in (0..600).rev() {
        repository.remove(&format!("file{number}.py"));
    }
    let output = child.wait_with_output().expect("the binary ends");
    let answer = crate::binary::Answer::of(output);
    assert_eq!((answer.code, &answer.json()["failures"]), (Some(0), &serde_json::json!([])), "{answer:?}");
    // What it still saw is gone by the next run.
    assert_eq!(repository.run(["index", "--json"]).code, Some(0));
    assert_eq!(paths(&repository), [""; 0]);
}

#[test]
fn what_is_no_index_is_left_as_it_was() {
    let repository = Repository::polyglot();
    let text = repository.beside("text.db");
    fs::write(&text, "This is a letter, and no database, however long it may be.\n".repeat(100))
        .expect("a file");
    let foreign = repository.beside("foreign.db");
    crate::repository::block_on(async {
        use sqlx::{ConnectOptions, Connection};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
        let mut connection = options.connect().await.expect("a database");
        sqlx::query("CREATE TABLE letters (text TEXT)").execute(&mut connection).await.expect("a table");
        sqlx::query("INSERT INTO letters VALUES ('Dear')").execute(&mut connection).await.expect("a row");
        connection.close().await.expect("it closes");
    });
    let cases = [(&text, "not a database", "ast-core index"), (&foreign, "another program", "--db")];
    for (database, what, advice) in cases {
        let before = fs::read(database).expect("the file");
        let path = database.to_str().expect("a path in UTF-8");
        for verb in
            [&["index"][..], &["search", "job"], &["status"], &["index", "--rebuild"], &["index", "--plan"]]
        {
            let arguments = verb.iter().copied().chain(["--db", path]);
            repository.run(arguments).assert_refused(4, &[path, what, advice]);
            assert_eq!(fs::read(database).expect("the file"), before, "{verb:?} changed {path}");
        }
    }
}

#[test]
fn a_folder_or_a_file_in_a_missing_folder_is_no_place_for_an_index() {
    let repository = Repository::polyglot();
    let folder = repository.beside("folder");
    fs::create_dir(&folder).expect("a folder");
    let nowhere = repository.beside("no/where.db");
    for database in [&folder, &nowhere] {
        let path = database.to_str().expect("a path in UTF-8");
        for verb in [&["index"][..], &["search", "job"], &["status"]] {
            let arguments = verb.iter().copied().chain(["--db", path]);
            repository.run(arguments).assert_refused(4, &[path]);
        }
    }
    assert!(!repository.beside("no").exists(), "no folder is made but the index's own");
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 0);
}

#[test]
fn a_damaged_index_is_named_with_the_command_that_mends_it() {
    let repository = Repository::polyglot();
    repository.index();
    let database = repository.database();
    let mut bytes = fs::read(&database).expect("the index");
    let third = bytes.len() / 3;
    bytes[100..third].fill(0xA5);
    fs::write(&database, bytes).expect("the index can be damaged");
    for verb in [&["search", "job"][..], &["index"], &["status"]] {
        repository.run(verb).assert_refused(4, &["index.db", "ast-core index"]);
    }
    // The advice works.
    fs::remove_file(&database).expect("a file can be removed");
    assert_eq!(repository.run(["index"]).code, Some(0));
    assert_eq!(repository.run(["search", "job"]).code, Some(0));
}

#[test]
fn vectors_of_another_length_are_damage_and_not_left_out() {
    use sqlx::ConnectOptions;
    let repository = Repository::polyglot();
    repository.index();
    crate::repository::block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(repository.database());
        let mut connection = options.connect().await.expect("the store opens");
        // As a program with another idea of their length would leave them.
        let shorter = "UPDATE vectors SET codes = randomblob(length(kinds) * 7), checksum = NULL";
        sqlx::query(shorter).execute(&mut connection).await.expect("a row can be changed");
        sqlx::Connection::close(connection).await.expect("the store closes");
    });
    // As long as the vector file has them, those in the store are not read.
    assert_eq!(repository.run(["search", "job"]).code, Some(0));
    fs::remove_file(repository.root().join(".ast-core/index.db-vectors")).expect("there is a copy");
    repository.run(["search", "job"]).assert_refused(4, &["index.db", "damaged", "256"]);
}
