//! The documents that go out, whole, beside the files in tests/fixtures/golden that they have to be: `UPDATE_EXPECT=1` writes
//! them. A change of one is a change of the contract.

use crate::repository::Repository;
use expect_test::expect_file;
use serde_json::Value;
use std::collections::BTreeMap;

/// What differs from run to run and from machine to machine.
const VOLATILE: [&str; 5] = ["took_ms", "elapsed_ms", "peak_rss_bytes", "grammar_version", "boosts"];

/// What is computed by floating point, of which the last digits are the processor's.
const COMPUTED: [&str; 7] = ["score", "lexical", "semantic", "rank", "meaning", "shape", "words"];

fn settled(value: &mut Value, root: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if VOLATILE.contains(&name.as_str()) {
                    *member = Value::from("*");
                } else if let Some(number) = member.as_f64().filter(|_| COMPUTED.contains(&name.as_str())) {
                    *member = Value::from((number * 100.0).round() / 100.0);
                } else {
                    settled(member, root);
                }
            }
            // Another crate of the workspace may have them kept as they come.
            let sorted: BTreeMap<String, Value> = std::mem::take(members).into_iter().collect();
            members.extend(sorted);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settled(item, root)),
        Value::String(text) if text.contains(root) => *text = text.replace(root, "TREE"),
        _ => {}
    }
}

#[test]
fn documents_are_what_they_were() {
    let repository = Repository::fixture("documented");
    let root = repository.root().display().to_string();
    let check = |name: &str, arguments: &[&str]| {
        let answer = repository.run(arguments.iter().copied().chain(["--json", "--quiet"]));
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{answer:?}");
        let mut document = answer.json();
        settled(&mut document, &root);
        let text = serde_json::to_string_pretty(&document).expect("a document") + "\n";
        expect_file![format!("../../fixtures/golden/{name}.json")].assert_eq(&text);
    };
    check("plan", &["index", "--plan"]);
    check("index", &["index"]);
    check("search", &["search", "retry a request", "--limit", "3"]);
    check("context", &["context", "retry a request", "--budget", "400"]);
    check("map", &["map", "--budget", "200", "--focus", "src/search/**"]);
    check("similar", &["similar", "src/retry.rs:43", "--limit", "2"]);
    check("symbols", &["symbols", "src/parser.rs", "--references"]);
    check("annotate", &["annotate", "src/parser.rs"]);
    check("query", &["query", "rust", "(macro_invocation) @macro", "src"]);
    check("refs", &["refs", "Engine"]);
    check("callers", &["callers", "retry_request"]);
    check("callees", &["callees", "Engine.open"]);
    check("status", &["status"]);
    check("doctor", &["doctor"]);
    check("languages", &["languages"]);
    check("show-config", &["status", "--show-config"]);
}
