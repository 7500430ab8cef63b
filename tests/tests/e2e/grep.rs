//! Lines by regular expressions: commands beside what is expected of them, and the engine beside plain expressions over all
//! files.

use crate::repository::{Repository, block_on};
use ast_core_engine::{
    Engine, EngineConfig, EngineError, GrepDetail, GrepFile, GrepQuery, GrepReply, IndexControl, IndexOptions,
};
use proptest::prelude::*;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn grep(repository: &Repository, query: &GrepQuery) -> GrepReply {
    block_on(async {
        let config = EngineConfig::for_tree(repository.root()).read_only();
        let engine = Engine::open(config).await.expect("the index opens");
        let reply = engine.grep(query).await;
        engine.close().await;
        reply.expect("the query can be answered")
    })
}

/// Paths and numbers of lines.
fn places(reply: &GrepReply) -> Vec<(&str, u32)> {
    let of_file = |file: &'_ GrepFile| file.lines.iter().map(|line| line.number).collect::<Vec<_>>();
    reply
        .files
        .iter()
        .flat_map(|file| of_file(file).into_iter().map(|line| (file.path.as_str(), line)))
        .collect()
}

/// `fixtures/grep.txt` has commands, and what each prints and ends with. `UPDATE_EXPECTED` writes it anew.
#[test]
fn commands_print_what_is_expected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/grep.txt");
    let expected = fs::read_to_string(&path).expect("the expected output");
    let repository = Repository::polyglot();
    repository.index();
    let commands: Vec<&str> = expected.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.len() > 20);
    let mut found = String::new();
    for command in commands {
        let answer = repository.run(["grep"].into_iter().chain(command.split(' ')));
        found += &format!("$ {command}\n{}", answer.stdout);
        for line in answer.stderr.lines() {
            found += &format!("2> {line}\n");
        }
        found += &format!("=> {}\n\n", answer.code.expect("an exit code"));
    }
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &found).expect("the expected output can be written");
    }
    assert_eq!(found, fs::read_to_string(&path).expect("the expected output"));
}

#[test]
fn a_pattern_that_is_none_is_refused_with_the_place() {
    let repository = Repository::polyglot();
    repository.index();
    repository.run(["grep", "open(valve"]).assert_refused(2, &["open(valve", "character 5", "\"(\"", "-F"]);
    repository.run(["grep", "[z-a]"]).assert_refused(2, &["[z-a]", "character 2", "\"z-a\""]);
    repository.run(["grep", r"é\p{Nonsense}"]).assert_refused(2, &["Nonsense", "character 2"]);
    repository.run(["grep", r"a\nb"]).assert_refused(2, &["line"]);
    repository.run(["grep", r"\w{5000000}"]).assert_refused(2, &["size"]);
    repository.run(["grep", "x", "--path", "["]).assert_refused(2, &["["]);
    assert_eq!(repository.run(["grep", "-l", "-c", "x"]).code, Some(2));
    assert_eq!(repository.run(["grep", "-F", "open(valve"]).code, Some(1));
}

#[test]
fn an_index_is_made_if_that_is_wanted() {
    let repository = Repository::polyglot();
    repository.run(["grep", "fn"]).assert_refused(4, &["ast-core index", "--yes"]);
    let answer = repository.run(["grep", "fn dequeue", "--yes", "--quiet"]);
    assert_eq!((answer.code, &*answer.stderr), (Some(0), ""));
    assert!(answer.stdout.starts_with("core/src/queue.rs:"), "{answer:?}");
}

#[test]
fn lines_are_in_the_definitions_round_them() {
    let repository = Repository::polyglot();
    repository.index();
    let pattern = "Takes a job|heap.push|^use|struct JobQueue";
    let hits = repository.run(["grep", pattern, "--path", "queue.rs", "--json"]).json();
    let within: Vec<Value> = hits["hits"]
        .as_array()
        .expect("hits")
        .iter()
        .map(|hit| json!([hit["line"], hit["within"]["kind"], hit["within"]["scope"], hit["within"]["name"]]))
        .collect();
    assert_eq!(
        within,
        [
            json!([3, null, null, null]),
            json!([4, null, null, null]),
            json!([31, "struct", [], "JobQueue"]),
            // Documentation is of what it documents.
            json!([43, "method", ["JobQueue"], "enqueue"]),
            json!([51, "method", ["JobQueue"], "enqueue"]),
        ]
    );
}

#[test]
fn what_has_changed_since_is_said() {
    let repository = Repository::polyglot();
    repository.index();
    repository.edit("core/src/queue.rs", "fn dequeue", "fn take");
    let answer = repository.run(["grep", "fn (de|en)queue", "--format", "jsonl"]);
    assert!(answer.stderr.contains("core/src/queue.rs has changed since it was indexed"), "{answer:?}");
    // As it was indexed.
    assert_eq!(answer.stdout.lines().count(), 2);
    assert_eq!(answer.first_json()["changed"], true);
    repository.index();
    let hits = repository.run(["grep", "fn (de|en)queue|fn take", "--json"]).json();
    assert_eq!((&hits["lines"], &hits["hits"][0]["changed"]), (&2.into(), &false.into()));
    assert_eq!(hits["complete"], true);
}

/// What ripgrep searches is searched: text without a mark, and what UTF-16 stands for. Places are those of the file.
#[test]
fn files_in_any_encoding_are_searched() {
    const CODE: &str = "# größe\r\ndef größe(): pass\r\n";
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let marked = format!("\u{FEFF}{CODE}");
    let repository = Repository::empty();
    let files = [
        ("big.py", wide(&marked, u16::to_be_bytes)),
        ("little.py", wide(&marked, u16::to_le_bytes)),
        ("marked.py", marked.clone().into_bytes()),
        ("plain.py", CODE.as_bytes().to_vec()),
    ];
    for (name, content) in &files {
        repository.write(name, content);
    }
    repository.write("latin.py", b"# gr\xF6\xDFe\ndef measured(): pass\n");
    repository.index();
    let reply = grep(&repository, &GrepQuery { ignore_case: true, ..GrepQuery::new("^(#|def) GRÖẞE") });
    let expected: Vec<(&str, u32)> = files.iter().flat_map(|(name, _)| [(*name, 1), (*name, 2)]).collect();
    assert_eq!(places(&reply), expected);
    for (file, (name, content)) in reply.files.iter().zip(&files) {
        let line = &file.lines[1];
        let span = line.matches[0].span;
        let found = &content[span.start as usize..span.end as usize];
        let written = match *name {
            "big.py" => wide("def größe", u16::to_be_bytes),
            "little.py" => wide("def größe", u16::to_le_bytes),
            _ => "def größe".into(),
        };
        assert_eq!(found, written, "{name}");
        assert_eq!(line.text(), "def größe(): pass\r");
        assert_eq!(file.definition_of(line).map(|within| &*within.name), Some("größe"), "{name}");
    }
    assert_eq!(places(&grep(&repository, &GrepQuery::new(r"gr(?-u:\xF6\xDF)e"))), [("latin.py", 1)]);
    assert_eq!(places(&grep(&repository, &GrepQuery::new(r"gr\W+e"))), []);
    // A carriage return is part of a line, and not shown in JSON.
    assert_eq!(grep(&repository, &GrepQuery::new(r"pass$")).summary.lines, 1);
    let hits = repository.run(["grep", "pass.$", "--path", "plain.py", "--json"]).json();
    assert_eq!(hits["hits"][0]["text"], "def größe(): pass");
    assert_eq!(hits["hits"][0]["matches"][0]["text"], "pass\r");
    let raw =
        repository.command(["grep", "measured|#", "--path", "latin.py"]).output().expect("it runs").stdout;
    assert_eq!(raw, b"latin.py:1:# gr\xF6\xDFe\nlatin.py:2:def measured(): pass\n");
}

#[test]
fn a_limit_ends_it_and_says_so() {
    let repository = Repository::empty();
    for number in 0..30 {
        repository.write(&format!("{number:02}.py"), "one = 1\ntwo = 2\none = 3\n");
    }
    repository.index();
    let limited = |limit, detail| {
        let query = GrepQuery { limit, detail, after: 1, ..GrepQuery::new("one") };
        let GrepReply { files, summary, .. } = grep(&repository, &query);
        let lines: usize = files.iter().map(|file| file.lines.len()).sum();
        (files.len(), lines, summary.lines, summary.files, summary.more)
    };
    assert_eq!(limited(1, GrepDetail::Lines), (1, 2, 1, 1, true));
    assert_eq!(limited(2, GrepDetail::Lines), (1, 3, 2, 1, true));
    assert_eq!(limited(59, GrepDetail::Lines), (30, 89, 59, 30, true));
    assert_eq!(limited(60, GrepDetail::Lines), (30, 90, 60, 30, false));
    assert_eq!(limited(1_000, GrepDetail::Lines), (30, 90, 60, 30, false));
    assert_eq!(limited(7, GrepDetail::Counts), (7, 0, 14, 7, true));
    assert_eq!(limited(7, GrepDetail::Files), (7, 0, 7, 7, true));
    assert_eq!(limited(0, GrepDetail::Lines), (0, 0, 0, 0, true));
    let answer = repository.run(["grep", "one", "--limit", "3"]);
    assert_eq!(answer.stdout, "00.py:1:one = 1\n00.py:3:one = 3\n01.py:1:one = 1\n");
    assert!(answer.stderr.contains("more than 3"), "{answer:?}");
}

#[test]
fn who_has_enough_ends_it() {
    let repository = Repository::polyglot();
    repository.index();
    let paths = block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        let mut paths = Vec::new();
        let each = |file: GrepFile| {
            paths.push(file.path.to_string());
            if paths.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let summary = engine.grep_each(&GrepQuery::new("e"), each).await.unwrap();
        engine.close().await;
        assert_eq!((summary.files, summary.more), (2, false));
        paths
    });
    assert_eq!(paths, ["core/src/lib.rs", "core/src/queue.rs"]);
}

/// What a text does not begin to have is not read.
#[test]
fn few_files_are_read_for_a_rare_text() {
    let repository = Repository::empty();
    for number in 0..200 {
        repository
            .write(&format!("{number}.py"), format!("def function_{number}(value):\n    return {number}\n"));
    }
    repository.write("rare.py", "def open_valve(pump):\n    return pump\n");
    repository.index();
    let reply = grep(&repository, &GrepQuery::new("open_valve"));
    assert_eq!(places(&reply), [("rare.py", 1)]);
    assert!(reply.summary.files_read < 10, "{:?}", reply.summary);
    let reply = grep(&repository, &GrepQuery { ignore_case: true, ..GrepQuery::new("OPEN_VALVE|Nothing") });
    assert!(reply.summary.files == 1 && reply.summary.files_read < 10, "{:?}", reply.summary);
}

/// While files come and go, each answer has each file once, as it is at some time.
#[test]
fn an_answer_is_whole_while_the_index_changes() {
    let repository = Repository::empty();
    // Of more than one batch, so that there is something left to change.
    let text = |version: usize| format!("def version(): return {version}\n{}", "# filler\n".repeat(4_000));
    for number in 0..64 {
        repository.write(&format!("{number:02}.py"), text(0));
    }
    repository.index();
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.unwrap();
        let query = GrepQuery::new("return [0-9]+");
        for version in 1..4 {
            let mut found = BTreeMap::new();
            let index = async {
                for number in (0..64).rev().step_by(3) {
                    repository.write(&format!("{number:02}.py"), text(version));
                }
                engine
                    .index(repository.root(), &IndexOptions::default(), IndexControl::default())
                    .await
                    .unwrap()
            };
            let each = |file: GrepFile| {
                let path = file.path.to_string();
                assert!(found.insert(path, file.lines.len()).is_none(), "{} comes twice", file.path);
                ControlFlow::Continue(())
            };
            let (_, summary) = tokio::join!(index, engine.grep_each(&query, each));
            summary.unwrap();
            assert_eq!(found.len(), 64);
            assert!(found.values().all(|lines| *lines == 1), "{found:?}");
        }
        engine.close().await;
    });
}

#[test]
fn a_damaged_document_is_named() {
    let repository = Repository::polyglot();
    repository.index();
    crate::doctor::sql(
        &repository.database(),
        "UPDATE documents SET content = CAST(substr(content, 1, 40) || x'A5' || substr(content, 42) AS BLOB), \
         checksum = NULL WHERE file_id = (SELECT id FROM files WHERE path = 'core/src/queue.rs')",
    );
    repository.run(["grep", "fn dequeue"]).assert_refused(4, &["core/src/queue.rs", "doctor"]);
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        let error = engine.grep(&GrepQuery::new("fn dequeue")).await.unwrap_err();
        assert!(matches!(error, EngineError::Store(_)), "{error}");
        engine.close().await;
    });
}

/// Expressions of all kinds; most match something.
const PATTERNS: [&str; 24] = [
    "abc",
    "ab+c",
    "a.c",
    "abc|bca",
    "(ab){2}",
    "[ab]c[ab]",
    "^abc",
    "abc$",
    "^$",
    "",
    r"\bab\b",
    "a{3,}",
    "cab.*bca",
    "é",
    "aé|éb",
    "[^abc]é",
    r"\w{4}",
    "ſa",
    "(?i)Kab",
    "b*c",
    r"\s+a",
    "(?:ab)?c(?:ba)?",
    "x{0}abc",
    r"\Bbc",
];

fn line() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[abcABC ]{0,10}", 1 => "[abcéſK\u{212A}s ]{0,8}", 1 => Just(String::new())]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..8).prop_map(|lines| lines.join("\n"))
}

/// The lines of a text that match, as a plain expression finds them.
fn matching(expression: &Regex, text: &str) -> BTreeSet<u32> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.last() == Some(&"") {
        lines.pop();
    }
    let numbered = (1..).zip(lines);
    numbered.filter(|(_, line)| expression.is_match(line.as_bytes())).map(|(number, _)| number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_a_plain_expression_finds_in_all_files(
        steps in prop::collection::vec(prop::collection::vec((0..9_usize, text()), 1..6), 1..4),
    ) {
        let repository = Repository::empty();
        let mut files = BTreeMap::new();
        for step in steps {
            for (number, text) in step {
                let path = format!("{number}.py");
                repository.write(&path, &text);
                files.insert(path, text);
            }
            repository.index();
            block_on(async {
                let config = EngineConfig::for_tree(repository.root()).read_only();
                let engine = Engine::open(config).await.expect("the index opens");
                for pattern in PATTERNS {
                    for ignore_case in [false, true] {
                        let plain = RegexBuilder::new(pattern).case_insensitive(ignore_case).build().unwrap();
                        let query = GrepQuery { ignore_case, ..GrepQuery::new(pattern) };
                        let reply = engine.grep(&query).await.unwrap();
                        let found: Vec<(String, BTreeSet<u32>)> = reply.files.iter().map(|file| {
                            (file.path.to_string(), file.lines.iter().map(|line| line.number).collect())
                        }).collect();
                        let expected: Vec<(String, BTreeSet<u32>)> = files
                            .iter()
                            .map(|(path, text)| (path.clone(), matching(&plain, text)))
                            .filter(|(_, lines)| !lines.is_empty())
                            .collect();
                        assert_eq!(found, expected, "{pattern:?}, {ignore_case}");
                    }
                }
                engine.close().await;
            });
        }
    }
}
