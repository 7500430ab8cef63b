//! Definitions and files by names.

use super::sample::{Text, batch, file_of, id, removal};
use super::{Backend, cases, new_store, runtime, writer};
use crate::{NameMatch, NamingFile, Store, SymbolQuery, SymbolRecord};
use ast_core_model::{ChunkId, ReferenceKind, SymbolKind};
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

fn query(name: &str, matching: NameMatch) -> SymbolQuery {
    SymbolQuery { matching, limit: 100, ..SymbolQuery::exact(name) }
}

fn functions(text: Text, names: &[&str]) -> Text {
    names.iter().fold(text, |text, name| text.function(name))
}

async fn store<B: Backend>(backend: &B) -> Arc<dyn Store> {
    let store = writer(backend).await;
    let first = Text::new("first").define(SymbolKind::Struct, "Parser", None, |text| text);
    let second = Text::new("second").define(SymbolKind::Class, "Parser", None, |text| {
        text.define(SymbolKind::Method, "parse", None, |text| text)
    });
    let files = [
        file_of(1, "a.rs", functions(first, &["parse", "PARSE", "parse_all", "reparse"])),
        file_of(2, "b.rs", second.function("größe")),
        file_of(3, "c.rs", functions(Text::new("third"), &["parsf", "_x", "z9", "a_", "aa", "aZ"])),
    ];
    store.commit(batch(files)).await.unwrap();
    store
}

async fn names(store: &dyn Store, query: SymbolQuery) -> Vec<String> {
    let found = store.symbols(&query).await.unwrap();
    found.into_iter().map(|symbol| format!("{}:{}", symbol.path, symbol.symbol.name)).collect()
}

pub async fn names_match_as_asked<B: Backend>(backend: B) {
    let store = store(&backend).await;
    for (name, matching, expected) in [
        ("parse", NameMatch::Exact, &["a.rs:parse", "b.rs:parse"][..]),
        ("parse", NameMatch::IgnoreCase, &["a.rs:parse", "a.rs:PARSE", "b.rs:parse"]),
        (
            "PARSE",
            NameMatch::Prefix,
            &["a.rs:Parser", "a.rs:parse", "a.rs:PARSE", "a.rs:parse_all", "b.rs:Parser", "b.rs:parse"],
        ),
        ("epar", NameMatch::Substring, &["a.rs:reparse"]),
        ("A", NameMatch::Prefix, &["c.rs:a_", "c.rs:aa", "c.rs:aZ"]),
        ("z", NameMatch::Prefix, &["c.rs:z9"]),
        ("_", NameMatch::Prefix, &["c.rs:_x"]),
        ("%", NameMatch::Prefix, &[]),
        ("_", NameMatch::Substring, &["a.rs:parse_all", "c.rs:_x", "c.rs:a_"]),
        ("größ", NameMatch::Prefix, &["b.rs:größe"]),
        ("ößE", NameMatch::Substring, &["b.rs:größe"]),
        ("\u{10FFFF}", NameMatch::Prefix, &[]),
        ("'; DROP TABLE symbols; --", NameMatch::Exact, &[]),
    ] {
        assert_eq!(names(&*store, query(name, matching)).await, expected, "{name} {matching:?}");
    }
}

pub async fn all_names_begin_with_nothing<B: Backend>(backend: B) {
    let store = store(&backend).await;
    let all = names(&*store, query("", NameMatch::Prefix)).await;
    assert_eq!(all, names(&*store, query("", NameMatch::Substring)).await);
    assert_eq!(all.len(), 14);
}

pub async fn filters_leave_out<B: Backend>(backend: B) {
    let store = store(&backend).await;
    let parse = || query("pars", NameMatch::Prefix);
    let classes = SymbolQuery { kinds: vec![SymbolKind::Class, SymbolKind::Struct], ..parse() };
    assert_eq!(names(&*store, classes).await, ["a.rs:Parser", "b.rs:Parser"]);
    let second = SymbolQuery { files: Some(vec![id(77), id(2)]), ..parse() };
    assert_eq!(names(&*store, second).await, ["b.rs:Parser", "b.rs:parse"]);
    assert_eq!(names(&*store, SymbolQuery { files: Some(vec![]), ..parse() }).await, [""; 0]);
    let inside =
        |scope: &[&str]| SymbolQuery { scope: scope.iter().map(|&name| name.into()).collect(), ..parse() };
    assert_eq!(names(&*store, inside(&["Parser"])).await, ["b.rs:parse"]);
    assert_eq!(names(&*store, inside(&["b", "Parser"])).await, [""; 0]);
    assert_eq!(names(&*store, SymbolQuery { limit: 0, ..parse() }).await, [""; 0]);
}

pub async fn pages_follow_each_other<B: Backend>(backend: B) {
    let store = store(&backend).await;
    let parse = || query("pars", NameMatch::Prefix);
    let all = store.symbols(&parse()).await.unwrap();
    assert!(all.len() > 5 && all.is_sorted_by_key(|found| found.id));
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

pub async fn a_definition_goes_with_its_file<B: Backend>(backend: B) {
    let store = store(&backend).await;
    store.commit(removal([1])).await.unwrap();
    assert_eq!(names(&*store, query("parse", NameMatch::Exact)).await, ["b.rs:parse"]);
    assert_eq!(names(&*store, query("PARSE", NameMatch::Exact)).await, [""; 0]);
    let naming = store.files_naming("parse_all", NameMatch::Exact).await.unwrap();
    assert_eq!(naming, []);
}

pub async fn a_definition_comes_with_the_names_round_it<B: Backend>(backend: B) {
    let store = store(&backend).await;
    let found = store
        .symbols(&SymbolQuery { files: Some(vec![id(2)]), ..SymbolQuery::exact("parse") })
        .await
        .unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.id.file(), found.id.ordinal()), (id(2), 1));
    assert_eq!((&*found.symbol.signature, &found.scope[..]), ("method parse", &["Parser".into()][..]));
    assert_eq!(found.language.as_str(), "rust");
    // The chunk that its name is in: the first is the text's first line.
    assert_eq!(found.chunk, ChunkId::in_file(id(2), 1));
}

pub async fn files_are_found_by_what_they_mention<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let gate = Text::new("import")
        .mention(ReferenceKind::Import, "open", Some("begin"))
        .mention(ReferenceKind::Import, "Door", None)
        .define(SymbolKind::Class, "Gate", None, |text| text.mention(ReferenceKind::Inherit, "Door", None))
        .mention(ReferenceKind::Call, "begin", None);
    let door = Text::new("door").define(SymbolKind::Class, "Door", None, |text| text).define(
        SymbolKind::Function,
        "open",
        None,
        |text| text.mention(ReferenceKind::Type, "Door", None).mention(ReferenceKind::Call, "Door", None),
    );
    store.commit(batch([file_of(1, "gate.rs", gate), file_of(2, "door.rs", door)])).await.unwrap();
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
}

pub async fn names_that_begin_alike_for_long_are_told_apart<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let long = "x".repeat(200);
    let both = [format!("{long}a"), format!("{long}b")];
    let text = functions(Text::new("long"), &[&both[0], &both[1]]);
    store.commit(batch([file_of(3, "long.rs", text)])).await.unwrap();
    assert_eq!(names(&*store, query(&both[0], NameMatch::Exact)).await, [format!("long.rs:{}", both[0])]);
    assert_eq!(names(&*store, query(&format!("{long}c"), NameMatch::Exact)).await, [""; 0]);
    assert_eq!(names(&*store, query(&long, NameMatch::Prefix)).await.len(), 2);
}

/// Whatever a name is made of, it is found by itself, and by what it begins with and holds.
pub fn any_name_is_found<B: Backend>() {
    let runtime = runtime();
    let (_place, store) = runtime.block_on(new_store::<B>());
    let next = Cell::new(1);
    proptest!(cases(48), |(names in prop::collection::hash_set("[^\n]{1,12}|[a-zA-Z_]{1,6}", 1..8), cut in any::<usize>())| {
        let number = next.replace(next.get() + 1);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = functions(Text::new("names"), &names);
        runtime.block_on(async {
            store.commit(batch([file_of(number, "a.rs", text)])).await.unwrap();
            for name in &names {
                let found = async |part: &str, matching| {
                    let found = store.symbols(&SymbolQuery { matching, ..SymbolQuery::exact(part) }).await.unwrap();
                    found.into_iter().map(|found| found.symbol.name).collect::<Vec<_>>()
                };
                assert_eq!(found(name, NameMatch::Exact).await, [(*name).into()]);
                let cuts: Vec<usize> = name.char_indices().map(|(at, _)| at).collect();
                let (start, end) = name.split_at(cuts[cut % cuts.len()]);
                for (part, matching) in [(start, NameMatch::Prefix), (end, NameMatch::Substring)] {
                    let mut found = found(part, matching).await;
                    let takes = |name: &&&str| matching.takes(part, name);
                    let mut expected: Vec<Box<str>> = names.iter().filter(takes).map(|name| (*name).into()).collect();
                    found.sort();
                    expected.sort();
                    assert_eq!(found, expected, "{part:?} {matching:?}");
                }
            }
        });
    });
}
