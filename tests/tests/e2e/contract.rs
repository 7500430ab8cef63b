//! The documents that go out have the keys of the contract, and no others.

use crate::repository::Repository;
use serde_json::Value;
use std::collections::BTreeSet;

#[track_caller]
fn assert_keys(value: &Value, keys: &str) {
    let members = value.as_object().unwrap_or_else(|| panic!("an object: {value}"));
    let found: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(found, keys.split_whitespace().collect(), "{value}");
}

fn indexed() -> Repository {
    let repository = Repository::polyglot();
    repository.write("blob.py", b"\0\0\0");
    repository.index();
    repository
}

const FILES: &str = "seen indexed unchanged removed skipped";
const SKIPPED: &str = "ignored too_large binary unsupported timeout error";
const SYMBOL: &str =
    "path language name kind start_line end_line start_byte end_byte scope signature doc visibility";
const KINDS: &str = "module namespace class struct union enum interface trait impl type function method \
    constructor field property constant static variable enum_member macro";

#[test]
fn index() {
    let report = indexed().run(["index", "--json"]).json();
    assert_keys(
        &report,
        "schema files bytes lines symbols chunks elapsed_ms peak_rss_bytes generation failures",
    );
    assert_eq!(report["schema"], 1);
    assert_keys(&report["files"], FILES);
    assert_keys(&report["files"]["skipped"], SKIPPED);
    let first = indexed().run(["index", "--rebuild", "--json"]).json();
    assert_keys(&first["failures"][0], "path reason");
    assert_eq!(first["failures"][0]["path"], "blob.py");
}

const DEFINITION: &str = "path start_line end_line language kind name scope signature";

#[test]
fn refs_and_callers() {
    let repository = indexed();
    let reply = repository.run(["refs", "load_latencies", "--json"]).json();
    assert_keys(
        &reply,
        "schema query took_ms generation complete definitions more_definitions references unread_files",
    );
    assert_keys(&reply["definitions"][0], DEFINITION);
    let mention = &reply["references"][0];
    assert_keys(
        mention,
        "path language reference name qualifier alias line start_byte end_byte text within evidence targets changed",
    );
    assert_eq!(repository.run(["refs", "load_latencies", "--format", "jsonl"]).first_json(), *mention);
    let calls = repository.run(["callers", "load_latencies", "--json"]).json();
    assert!(calls["references"].as_array().unwrap().iter().all(|mention| mention["reference"] == "call"));
    assert_eq!(repository.run(["refs", "no_such_name"]).code, Some(1));
}

#[test]
fn callees() {
    let repository = indexed();
    let reply = repository.run(["callees", "retry_with_backoff", "--json"]).json();
    assert_keys(&reply, "schema query took_ms generation complete definitions more_definitions callees more");
    let callee = &reply["callees"][0];
    assert_keys(callee, "caller name qualifier lines evidence targets target_count");
    assert_keys(&callee["caller"], DEFINITION);
    assert_eq!(repository.run(["callees", "retry_with_backoff", "--format", "jsonl"]).first_json(), *callee);
    assert_eq!(repository.run(["callees", "no_such_name"]).code, Some(1));
}

#[test]
fn map() {
    let repository = indexed();
    let reply = repository.run(["map", "--json"]).json();
    assert_keys(&reply, "schema budget tokens candidates focus_files took_ms generation complete files");
    let file = &reply["files"][0];
    assert_keys(file, "path language changed definitions");
    assert_keys(&file["definitions"][0], "start_line end_line kind name scope signature rank");
    assert_eq!(repository.run(["map", "--format", "jsonl"]).first_json(), *file);
    let nothing = repository.run(["map", "--budget", "1"]);
    assert_eq!((nothing.code, &*nothing.stdout), (Some(1), ""));
    assert!(nothing.stderr.contains("--budget"), "{nothing:?}");
}

#[test]
fn context() {
    let repository = indexed();
    let reply = repository.run(["context", "enqueue", "a", "job", "--json"]).json();
    assert_keys(&reply, "schema query budget tokens left_out took_ms generation complete files notices");
    assert_eq!(reply["query"], "enqueue a job");
    let file = &reply["files"][0];
    assert_keys(file, "path language changed parts");
    assert_keys(&file["parts"][0], "start_line end_line kind name scope score form text");
    assert_eq!(repository.run(["context", "enqueue", "a", "job", "--format", "jsonl"]).first_json(), *file);
    assert_eq!(repository.run(["context", "--mode", "lexical", "xylophone"]).code, Some(1));
}

#[test]
fn query() {
    let repository = Repository::empty();
    repository.write("a.py", "# one\nprint(len(x))\n");
    repository.write("b.py", "x = 1\n");
    repository.write("c.rs", "fn main() { print(1) }\n");
    // A byte order mark and letters of two bytes: places are those of the file.
    repository.write("d.py", "\u{feff}é = 'ä'; send(é,\n  1)\n");
    let calls = "(call function: (identifier) @callee arguments: (_) @with)";
    let answer = repository.run(["query", "python", calls, "--json"]).json();
    assert_keys(&answer, "schema language query matches failures incomplete");
    let matches = answer["matches"].as_array().expect("matches");
    assert_eq!(matches.len(), 3, "{answer}");
    assert_keys(&matches[0], "path pattern captures");
    assert_keys(&matches[0]["captures"][0], "name start_line end_line start_byte end_byte text");
    let last = &matches[2];
    assert_eq!(last["path"], "d.py");
    let with = &last["captures"][1];
    assert_eq!((&with["name"], &with["text"]), (&"with".into(), &"(é,\n  1)".into()));
    assert_eq!((&with["start_line"], &with["end_line"]), (&1.into(), &2.into()));
    let bytes = repository.read("d.py").into_bytes();
    let place =
        |member: &str| usize::try_from(with[member].as_u64().expect("a number")).expect("it is small");
    assert_eq!(&bytes[place("start_byte")..place("end_byte")], "(é,\n  1)".as_bytes());
    assert_eq!(repository.run(["query", "python", calls, "--format", "jsonl"]).first_json(), matches[0]);
    let shown = repository.run(["query", "python", "(call function: (identifier) @callee)", "a.py"]);
    assert_eq!((shown.code, &*shown.stdout), (Some(0), "a.py:2  @callee  print\na.py:2  @callee  len\n"));
    assert_eq!(repository.run(["query", "python", calls, "b.py"]).code, Some(1));
    // What is named is taken for the language.
    assert_eq!(repository.run(["query", "python", calls, "c.rs"]).code, Some(0));
    repository.run(["query", "python", "(no_such_node)"]).assert_refused(2, &["no_such_node", "python"]);
    repository.run(["query", "python", calls, "nowhere"]).assert_refused(2, &["nowhere"]);
}

#[test]
fn grep() {
    let repository = indexed();
    let answer = repository.run(["grep", "fn dequeue", "-C", "1", "--json"]).json();
    assert_keys(&answer, "schema pattern hits lines files files_read more took_ms generation complete");
    let hit = &answer["hits"][0];
    assert_keys(hit, "path line start_byte end_byte language text matches before after within changed");
    assert_keys(&hit["matches"][0], "start_byte end_byte text");
    assert_keys(&hit["within"], "kind name scope start_line end_line");
    assert_eq!(
        (&hit["text"], &hit["line"]),
        (&"    pub fn dequeue(&mut self) -> Option<Job> {".into(), &56.into())
    );
    assert_eq!(hit["before"], serde_json::json!(["    /// The most urgent job, if there is one."]));
    assert_eq!(hit["after"], serde_json::json!(["        self.heap.pop()"]));
    assert_eq!(hit["changed"], false);
    let place =
        |of: &Value| ["start_byte", "end_byte"].map(|key| of[key].as_u64().expect("a place") as usize);
    let source = repository.read("core/src/queue.rs");
    let [[line_start, line_end], [start, end]] = [place(hit), place(&hit["matches"][0])];
    assert_eq!(
        (&source[line_start..line_end], &source[start..end]),
        (hit["text"].as_str().unwrap(), "fn dequeue")
    );
    assert_eq!(repository.run(["grep", "fn dequeue", "-C", "1", "--format", "jsonl"]).first_json(), *hit);
    let files = repository.run(["grep", "fn dequeue", "-c", "--json"]).json();
    assert_keys(&files["hits"][0], "path language count changed");
    assert_eq!(files["hits"][0]["count"], 1);
    let files = repository.run(["grep", "fn dequeue", "-l", "--json"]).json();
    assert_eq!(files["hits"][0]["count"], Value::Null);
    let nothing = repository.run(["grep", "xylophone", "--json"]);
    assert_eq!((nothing.code, &nothing.json()["hits"]), (Some(1), &serde_json::json!([])));
}

#[test]
fn plan() {
    let plan = indexed().run(["index", "--plan", "--json"]).json();
    assert_keys(&plan, "schema files new changed removed");
    assert_keys(&plan["files"], FILES);
    assert_keys(&plan["files"]["skipped"], SKIPPED);
}

#[test]
fn search() {
    const HIT: &str = "path start_line end_line language kind name scope score snippet changed why";
    let repository = indexed();
    let reply = repository.run(["search", "enqueue a job", "--json"]).json();
    assert_keys(&reply, "schema query took_ms generation complete hits notices");
    assert_eq!((&reply["schema"], &reply["query"]), (&1.into(), &"enqueue a job".into()));
    let hits = reply["hits"].as_array().expect("hits");
    assert!(!hits.is_empty());
    for hit in hits {
        assert_keys(hit, HIT);
        assert_keys(&hit["why"], "lexical semantic boosts reranked");
        let score = hit["score"].as_f64().expect("a score");
        assert!(score > 0.0 && score <= 1.0, "{hit}");
        assert!(
            hit["start_line"].as_u64() >= Some(1) && hit["start_line"].as_u64() <= hit["end_line"].as_u64()
        );
    }
    let lines = repository.run(["search", "enqueue a job", "--format", "jsonl"]);
    let records: Vec<Value> =
        lines.stdout.lines().map(|line| serde_json::from_str(line).expect("a record a line")).collect();
    assert_eq!(&records, hits, "the records are the hits of the document");
}

#[test]
fn similar() {
    let repository = Repository::fixture("clones");
    repository.index();
    let answer = repository.run(["similar", "py/smoothing.py:5", "--json", "--quiet"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let reply = answer.json();
    assert_keys(&reply, "schema place took_ms generation complete hits notices");
    let place = serde_json::json!({
        "path": "py/smoothing.py", "start_line": 1, "end_line": 13, "language": "python", "kind": "function",
        "name": "moving_average", "scope": [], "unindexed": false,
    });
    assert_eq!(
        (&reply["schema"], &reply["place"], &reply["notices"]),
        (&1.into(), &place, &Value::Array(vec![]))
    );
    let hits = reply["hits"].as_array().expect("hits");
    assert_eq!(hits.len(), 10);
    assert_eq!((&hits[0]["path"], &hits[0]["name"]), (&"rust/smooth.rs".into(), &"moving_average".into()));
    for hit in hits {
        assert_keys(hit, "path start_line end_line language kind name scope score snippet changed why");
        assert_keys(&hit["why"], "meaning shape words");
        for part in [&hit["score"], &hit["why"]["meaning"], &hit["why"]["shape"], &hit["why"]["words"]] {
            assert!(part.as_f64().is_some_and(|part| (0.0..=1.0).contains(&part)), "{hit}");
        }
    }
    let records = repository.run(["similar", "py/smoothing.py:5", "--format", "jsonl", "--quiet"]);
    let records: Vec<Value> =
        records.stdout.lines().map(|line| serde_json::from_str(line).expect("a record a line")).collect();
    assert_eq!(&records, hits, "the records are the hits of the document");
    let nothing = repository.run(["similar", "py/smoothing.py:5", "--kind", "macro", "--json", "--quiet"]);
    assert_eq!((nothing.code, &nothing.json()["hits"]), (Some(1), &Value::Array(vec![])));
}

#[test]
fn references() {
    let repository = indexed();
    let answer = repository.run(["symbols", "core", "--references", "--json"]).json();
    assert_keys(&answer, "schema symbols references failures");
    let references = answer["references"].as_array().expect("references");
    assert!(!references.is_empty());
    for reference in references {
        assert_keys(reference, "path language reference name qualifier alias line start_byte end_byte scope");
        let kind = reference["reference"].as_str().expect("a kind");
        assert!(["call", "type", "import", "inherit"].contains(&kind), "{reference}");
    }
    let lines = repository.run(["symbols", "core", "--references", "--format", "jsonl"]);
    let records = lines.stdout.lines().filter(|line| line.contains("\"reference\":"));
    assert_eq!(records.count(), references.len());
}

#[test]
fn annotations() {
    let repository = indexed();
    repository.write("measured.rs", "use std::fs::read;\n\npub async fn load(path: &str, n: u8) -> Vec<u8> {\n    if n > 1 && n < 9 { read(path) } else { Vec::new() }\n}\n");
    let answer = repository.run(["annotate", "measured.rs", "--json"]).json();
    assert_keys(&answer, "schema symbols failures");
    let load = &answer["symbols"][0];
    let all =
        format!("{SYMBOL} modifiers type_parameters parameters return_type complexity imports exports calls");
    assert_keys(load, &all);
    assert_keys(&load["parameters"][1], "name type optional default");
    assert_eq!((&load["parameters"][1]["name"], &load["parameters"][1]["type"]), (&"n".into(), &"u8".into()));
    assert_eq!(load["complexity"], serde_json::json!({"cyclomatic": 3, "cognitive": 3, "max_nesting": 1}));
    assert_eq!(load["imports"], serde_json::json!([{"name": "read", "module": "std::fs", "alias": null}]));
    assert_eq!(
        (&load["modifiers"], &load["exports"]),
        (&serde_json::json!(["async"]), &serde_json::json!(["load"]))
    );
    let calls: Vec<&str> =
        load["calls"].as_array().expect("calls").iter().filter_map(|call| call["name"].as_str()).collect();
    assert_eq!(calls, ["read", "new"]);
    let records = repository.run(["annotate", "measured.rs", "--format", "jsonl"]);
    assert_eq!(serde_json::from_str::<Value>(records.stdout.trim()).expect("a record"), *load);
}

#[test]
fn symbols() {
    let repository = indexed();
    let answer =
        repository.run(["symbols", "core", "web", "worker", "native", "scripts", "--format", "jsonl"]);
    let records: Vec<Value> =
        answer.stdout.lines().map(|line| serde_json::from_str(line).expect("a record a line")).collect();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let kinds: BTreeSet<&str> = KINDS.split_whitespace().collect();
    for record in &records {
        assert_keys(record, SYMBOL);
        assert!(kinds.contains(record["kind"].as_str().expect("a kind")), "{record}");
        // The bytes and the lines are those of the file on disk.
        let source = repository.read(record["path"].as_str().expect("a path"));
        let at = |key: &str| record[key].as_u64().expect("a position") as usize;
        let text = &source[at("start_byte")..at("end_byte")];
        assert!(text.contains(record["name"].as_str().expect("a name")), "{record}");
        let line_of = |byte: usize| source[..byte].matches('\n').count() + 1;
        assert_eq!(
            (at("start_line"), at("end_line")),
            (line_of(at("start_byte")), line_of(at("end_byte") - 1))
        );
    }
    let enqueue = records.iter().find(|record| record["name"] == "enqueue").expect("a method");
    assert_eq!(enqueue["scope"], serde_json::json!(["JobQueue"]));
    assert_eq!((&enqueue["kind"], &enqueue["language"]), (&"method".into(), &"rust".into()));
    assert_eq!(enqueue["doc"], "Takes a job, or says why it does not.");
    assert_eq!(enqueue["path"], "core/src/queue.rs");

    let document = repository.run(["symbols", "core", "web", "worker", "native", "scripts", "--json"]).json();
    assert_keys(&document, "schema symbols failures");
    assert_eq!(document["symbols"], Value::Array(records), "the document holds the same records");
}

#[test]
fn positions_are_those_of_the_file_on_disk_in_any_encoding() {
    const CODE: &str = "# äöü € 𝄞\ndef measured(): pass\n";
    const SPAN: &str = "def measured(): pass";
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let repository = Repository::empty();
    let marked = format!("\u{FEFF}{CODE}");
    let cases = [
        ("plain.py", CODE.as_bytes().to_vec(), SPAN.as_bytes().to_vec()),
        ("marked.py", marked.as_bytes().to_vec(), SPAN.as_bytes().to_vec()),
        ("little.py", little(&marked), little(SPAN)),
        ("big.py", big(&marked), big(SPAN)),
        ("latin.py", [b"# \xE4\xF6\n", SPAN.as_bytes()].concat(), SPAN.as_bytes().to_vec()),
    ];
    for (name, content, span) in cases {
        repository.write(name, &content);
        let document = repository.run(["symbols", name, "--json"]).json();
        let symbol = &document["symbols"][0];
        let at = |key: &str| symbol[key].as_u64().expect("a position") as usize;
        assert_eq!(content[at("start_byte")..at("end_byte")], span, "{name}: {symbol}");
        assert_eq!((at("start_line"), at("end_line")), (2, 2), "{name}");
    }
}

#[test]
fn status() {
    let repository = indexed();
    repository.edit("tools/seed.js", "seedDatabase", "feedDatabase");
    let status = repository.run(["status", "--json"]).json();
    assert_keys(
        &status,
        "schema files bytes lines symbols chunks elapsed_ms peak_rss_bytes generation failures embedder \
         schema_version format_version complete stale vector_file",
    );
    assert_keys(&status["files"], FILES);
    assert_keys(&status["files"]["skipped"], SKIPPED);
    assert_keys(&status["embedder"], "id dimension configured foreign_files");
    assert_keys(&status["failures"][0], "path reason");
    assert_eq!(status["stale"], serde_json::json!([{ "path": "tools/seed.js", "change": "changed" }]));
    assert_eq!(status["complete"], true);
    assert_keys(&status["vector_file"], "path state reason bytes generation files_beside");
    assert_eq!(status["vector_file"]["state"], "current");
}

#[test]
fn languages() {
    let repository = Repository::empty();
    let document = repository.run(["languages", "--json"]).json();
    assert_keys(&document, "schema languages");
    let languages = document["languages"].as_array().expect("languages");
    for name in ["rust", "typescript", "tsx", "javascript", "python", "java", "cpp"] {
        let row =
            languages.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {document}"));
        assert_keys(row, "name extensions grammar grammar_version");
    }
}
