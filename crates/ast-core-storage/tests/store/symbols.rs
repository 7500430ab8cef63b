//! Definitions by their names.

use crate::sample::{files, id, new_store, parsed};
use ast_core_model::SymbolKind;
use ast_core_storage::{NameMatch, NamingFile, Store, SymbolQuery, SymbolRecord, WriteBatch};

fn query(name: &str, matching: NameMatch) -> SymbolQuery {
    SymbolQuery { matching, limit: 100, ..SymbolQuery::exact(name) }
}

async fn store() -> (tempfile::TempDir, Store) {
    let (directory, store) = new_store().await;
    let batch = files(vec![
        parsed(
            1,
            "a.rs",
            "struct Parser;\nfn parse() {}\nfn PARSE() {}\nfn parse_all() {}\nfn reparse() {}\n",
        ),
        parsed(2, "b.py", "class Parser:\n    def parse(self):\n        pass\n\ndef größe(): pass\n"),
        parsed(3, "c.rs", "fn parsf() {}\nfn _x() {}\nfn z9() {}\nfn a_() {}\nfn aa() {}\nfn aZ() {}\n"),
    ]);
    store.commit(batch).await.unwrap();
    (directory, store)
}

async fn names(store: &Store, query: SymbolQuery) -> Vec<String> {
    let found = store.symbols(&query).await.unwrap();
    found.into_iter().map(|symbol| format!("{}:{}", symbol.path, symbol.symbol.name)).collect()
}

#[tokio::test]
async fn names_match_as_asked() {
    let (_directory, store) = store().await;
    for (name, matching, expected) in [
        ("parse", NameMatch::Exact, &["a.rs:parse", "b.py:parse"][..]),
        ("parse", NameMatch::IgnoreCase, &["a.rs:parse", "a.rs:PARSE", "b.py:parse"]),
        (
            "PARSE",
            NameMatch::Prefix,
            &["a.rs:Parser", "a.rs:parse", "a.rs:PARSE", "a.rs:parse_all", "b.py:Parser", "b.py:parse"],
        ),
        ("epar", NameMatch::Substring, &["a.rs:reparse"]),
        ("A", NameMatch::Prefix, &["c.rs:a_", "c.rs:aa", "c.rs:aZ"]),
        ("z", NameMatch::Prefix, &["c.rs:z9"]),
        ("_", NameMatch::Prefix, &["c.rs:_x"]),
        ("%", NameMatch::Prefix, &[]),
        ("_", NameMatch::Substring, &["a.rs:parse_all", "c.rs:_x", "c.rs:a_"]),
        ("größ", NameMatch::Prefix, &["b.py:größe"]),
        ("ößE", NameMatch::Substring, &["b.py:größe"]),
        ("\u{10FFFF}", NameMatch::Prefix, &[]),
        ("'; DROP TABLE symbols; --", NameMatch::Exact, &[]),
    ] {
        assert_eq!(names(&store, query(name, matching)).await, expected, "{name} {matching:?}");
    }
    let all = names(&store, query("", NameMatch::Prefix)).await;
    assert_eq!(all, names(&store, query("", NameMatch::Substring)).await);
    assert_eq!(all.len(), 14);
}

#[tokio::test]
async fn filters_leave_out_and_pages_follow_each_other() {
    let (_directory, store) = store().await;
    let parse = || query("pars", NameMatch::Prefix);
    let classes = SymbolQuery { kinds: vec![SymbolKind::Class, SymbolKind::Struct], ..parse() };
    assert_eq!(names(&store, classes).await, ["a.rs:Parser", "b.py:Parser"]);
    let second = SymbolQuery { files: Some(vec![id(2)]), ..parse() };
    assert_eq!(names(&store, second).await, ["b.py:Parser", "b.py:parse"]);
    assert_eq!(names(&store, SymbolQuery { files: Some(vec![]), ..parse() }).await, [""; 0]);
    let inside =
        |scope: &[&str]| SymbolQuery { scope: scope.iter().map(|&name| name.into()).collect(), ..parse() };
    assert_eq!(names(&store, inside(&["Parser"])).await, ["b.py:parse"]);
    assert_eq!(names(&store, inside(&["b", "Parser"])).await, [""; 0]);

    let all = store.symbols(&parse()).await.unwrap();
    for limit in 1..=all.len() {
        let mut paged: Vec<SymbolRecord> = Vec::new();
        loop {
            let after = paged.last().map(|last| last.id);
            let page = store.symbols(&SymbolQuery { after, limit, ..parse() }).await.unwrap();
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, all, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_definition_goes_with_its_file() {
    let (_directory, store) = store().await;
    store.commit(WriteBatch { removed: vec![id(1)], ..WriteBatch::default() }).await.unwrap();
    assert_eq!(names(&store, query("parse", NameMatch::Exact)).await, ["b.py:parse"]);
    let found = &store.symbols(&query("parse", NameMatch::Exact)).await.unwrap()[0];
    assert_eq!((&*found.symbol.signature, &found.scope[..]), ("def parse(self)", &["Parser".into()][..]));
}

#[tokio::test]
async fn files_are_found_by_what_they_mention() {
    let (_directory, store) = new_store().await;
    let long = "x".repeat(200);
    let batch = files(vec![
        parsed(
            1,
            "a.ts",
            "import { open as begin, Door } from './door';\nclass Gate extends Door {}\nbegin();\n",
        ),
        parsed(2, "door.ts", "export class Door {}\nexport function open(): Door { return new Door(); }\n"),
        parsed(3, "long.py", &format!("def {long}a(): pass\ndef {long}b(): pass\n")),
    ]);
    store.commit(batch).await.unwrap();
    let naming = async |name: &str, matching| {
        let found = store.files_naming(name, matching).await.unwrap();
        let flags = |naming: &NamingFile| {
            let flags = [naming.defines, naming.calls, naming.uses_types, naming.imports];
            let letters = flags.iter().zip("dcti".chars()).filter(|(is, _)| **is).map(|(_, letter)| letter);
            format!("{}{}", naming.file.get(), letters.collect::<String>())
        };
        found.iter().map(flags).collect::<Vec<_>>()
    };
    assert_eq!(naming("open", NameMatch::Exact).await, ["1i", "2d"]);
    assert_eq!(naming("BEGIN", NameMatch::IgnoreCase).await, ["1ci"], "an alias names it too");
    assert_eq!(naming("Door", NameMatch::Exact).await, ["1ti", "2dct"]);
    assert_eq!(naming("oo", NameMatch::Substring).await, ["1ti", "2dct"]);
    assert_eq!(naming("nowhere", NameMatch::Substring).await, [""; 0]);
    // Names that begin alike for long are told apart by their documents.
    assert_eq!(naming(&format!("{long}c"), NameMatch::Exact).await, ["3d"]);
    assert_eq!(names(&store, query(&format!("{long}a"), NameMatch::Exact)).await.len(), 1);
    assert_eq!(names(&store, query(&format!("{long}c"), NameMatch::Exact)).await, [""; 0]);
}
