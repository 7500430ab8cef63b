//! Definitions by their names.

use crate::sample::{files, id, new_store, parsed};
use ast_core_model::SymbolKind;
use ast_core_storage::{NameMatch, Store, SymbolQuery, SymbolRecord, WriteBatch};

fn query(name: &str, matching: NameMatch) -> SymbolQuery {
    SymbolQuery { name: name.into(), matching, kinds: vec![], files: None, after: None, limit: 100 }
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
    found.into_iter().map(|symbol| format!("{}:{}", symbol.path, symbol.name)).collect()
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
    let documents = store.documents(&[id(2)]).await.unwrap();
    let found = &store.symbols(&query("parse", NameMatch::Exact)).await.unwrap()[0];
    assert_eq!(documents[0].1.symbols[found.id.ordinal() as usize].signature, "def parse(self)".into());
}
