//! Who mentions a name, and what is said of each mention: a repository in many languages beside what is expected of it.

use crate::repository::{Repository, block_on};
use ast_core_engine::{Definition, Engine, EngineConfig, Evidence, ReferenceKind, ReferenceQuery};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Runs the work on the index of the repository.
fn with_engine<T>(work: impl AsyncFnOnce(&Engine) -> T) -> T {
    let repository = Repository::fixture("mentions");
    repository.index();
    block_on(async {
        let engine = Engine::open(EngineConfig::new(repository.database()).read_only()).await.unwrap();
        let answer = work(&engine).await;
        engine.close().await;
        answer
    })
}

fn place(definition: &Definition) -> String {
    format!("{}:{}", definition.path, definition.lines.start)
}

/// What is said of the mentions of a name.
async fn mentions(engine: &Engine, name: &str) -> String {
    let reply = engine.references(&ReferenceQuery::new(name)).await.unwrap();
    assert!(reply.complete && !reply.more_definitions && reply.unread_files == 0, "{reply:?}");
    let mut text = format!("== {name}\n");
    for definition in &reply.definitions {
        let scope: String = definition.scope.iter().flat_map(|scope| [scope.as_str(), "."]).collect();
        writeln!(text, "{} is {} {scope}{}", place(definition), definition.kind, definition.name).unwrap();
    }
    for mention in &reply.mentions {
        let path = &mention.path;
        let evidence = mention.evidence.as_str();
        let targets: Vec<String> = mention.targets.iter().map(|at| place(&reply.definitions[*at])).collect();
        let targets = if targets.is_empty() { "nothing known".to_owned() } else { targets.join(" ") };
        writeln!(
            text,
            "{path}:{} {} by {evidence}: {targets} | {}",
            mention.line, mention.kind, mention.text
        )
        .unwrap();
        assert_eq!(mention.changed, Some(false));
    }
    text
}

#[test]
fn mentions_are_told_apart_as_expected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mentions.txt");
    let expected = fs::read_to_string(&path).unwrap();
    let names: Vec<&str> = expected.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    assert!(names.len() > 10);
    let found = with_engine(async |engine| {
        let mut found = String::new();
        for name in names {
            found += &mentions(engine, name).await;
        }
        found
    });
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, expected);
}

#[test]
fn kinds_paths_languages_and_the_limit_narrow_it() {
    with_engine(async |engine| {
        let count = async |query: ReferenceQuery| engine.references(&query).await.unwrap().mentions.len();
        let all = || ReferenceQuery::new("money");
        let every = count(all()).await;
        let calls = count(ReferenceQuery { kinds: vec![ReferenceKind::Call], ..all() }).await;
        let imports = count(ReferenceQuery { kinds: vec![ReferenceKind::Import], ..all() }).await;
        assert_eq!((calls, imports, every), (4, 3, 7));
        assert_eq!(count(ReferenceQuery { paths: vec!["web/src/lib".into()], ..all() }).await, 1);
        assert_eq!(count(ReferenceQuery { languages: vec!["python".parse().unwrap()], ..all() }).await, 0);
        let reply = engine.references(&ReferenceQuery { limit: 1, ..all() }).await.unwrap();
        assert_eq!((reply.mentions.len(), reply.unread_files), (1, 1));
        assert_eq!(count(ReferenceQuery { limit: 0, ..all() }).await, 0);
    });
}

#[test]
fn what_a_definition_calls() {
    with_engine(async |engine| {
        let reply = engine.callees(&ReferenceQuery::new("walk.walk")).await.unwrap();
        assert_eq!(reply.definitions.iter().map(place).collect::<Vec<_>>(), ["rust/src/walk.rs:11"]);
        let found: Vec<_> = reply
            .callees
            .iter()
            .map(|callee| {
                let targets: Vec<String> = callee.targets.iter().map(place).collect();
                (callee.name.as_str(), callee.lines.clone(), callee.evidence, targets.join(" "))
            })
            .collect();
        let open = "rust/src/parser/tree.rs:4".to_owned();
        let tree = "rust/src/parser/mod.rs:4".to_owned();
        assert_eq!(
            found,
            [
                ("begin", vec![12], Evidence::Import, tree.clone()),
                ("open", vec![13], Evidence::Import, open.clone()),
                ("open_tree", vec![14], Evidence::Import, tree),
                ("open", vec![15], Evidence::Name, String::new()),
                ("thing", vec![16], Evidence::Name, String::new()),
                ("open", vec![17], Evidence::Name, format!("{open} rust/src/parser/tree.rs:12")),
            ]
        );
        let none = engine.callees(&ReferenceQuery::new("nobody")).await.unwrap();
        assert!(none.definitions.is_empty() && none.callees.is_empty());
        let few =
            engine.callees(&ReferenceQuery { limit: 2, ..ReferenceQuery::new("walk.walk") }).await.unwrap();
        assert!(few.more && few.callees.len() == 2);
    });
}

#[test]
fn a_changed_file_is_said_to_be() {
    let repository = Repository::fixture("mentions");
    repository.index();
    repository.edit("ruby/app.rb", "shout('a')", "shout('abc')");
    let reply = repository.run(["refs", "shout", "--json"]).json();
    assert_eq!(reply["references"][0]["changed"], true, "{reply}");
}
