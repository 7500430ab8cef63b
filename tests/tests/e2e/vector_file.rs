//! The file that vectors are copied to is a cache: whatever becomes of it, the answers are those of an index without it.

use crate::random::{Random, asked_for};
use crate::repository::{Repository, block_on};
use ast_core_engine::{
    DoctorOptions, Engine, EngineConfig, IndexControl, IndexOptions, Language, Part, SearchHit, SearchMode,
    SearchQuery, SymbolKind, VectorFileState,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILES: usize = 48;

const VERBS: [&str; 6] = ["open", "close", "measure", "repair", "forget", "count"];
const THINGS: [&str; 6] = ["valve", "pump", "ledger", "window", "parser", "tunnel"];

/// A file of some functions and a type, that differ with the number and the edition.
fn code(number: usize, edition: usize) -> String {
    let mut code = String::new();
    for at in 0..1 + (number + edition) % 4 {
        let verb = VERBS[(number + at) % VERBS.len()];
        let thing = THINGS[(number / 6 + edition + at) % THINGS.len()];
        code += &format!(
            "/// To {verb} the {thing}, in edition {edition} of {number}.\n\
             pub fn {verb}_{thing}_{number}_{at}(times: usize) -> usize {{\n    times + {at}\n}}\n\n"
        );
    }
    code + &format!(
        "/// What is in {number}.\npub struct Holder{number}Of{edition} {{\n    pub count: usize,\n}}\n"
    )
}

fn path_of(number: usize) -> String {
    let extension = if number.is_multiple_of(5) { "ts" } else { "rs" };
    format!("part{}/file{number}.{extension}", number % 7)
}

fn tree() -> Repository {
    let repository = Repository::empty();
    (0..FILES).for_each(|number| repository.write(&path_of(number), code(number, 0)));
    repository
}

/// Where the vector file of a database is.
fn file_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-vectors");
    name.into()
}

fn queries() -> Vec<SearchQuery> {
    let semantic =
        |text: &str| SearchQuery { mode: SearchMode::Semantic, limit: 40, ..SearchQuery::new(text) };
    vec![
        semantic("how is a pump opened"),
        semantic("forget the ledger"),
        SearchQuery { limit: 300, threshold: 0.01, ..semantic("count windows") },
        SearchQuery::new("repair the tunnel"),
        SearchQuery {
            kinds: vec![SymbolKind::Struct],
            ..semantic("holder struct with a count usize of what is in it")
        },
        SearchQuery {
            kinds: vec![SymbolKind::Function],
            mode: SearchMode::Lexical,
            ..SearchQuery::new("count")
        },
        SearchQuery {
            languages: vec!["typescript".parse::<Language>().expect("a language")],
            ..semantic("measure it")
        },
        SearchQuery {
            paths: vec!["part3".into()],
            ..semantic("open, close, count, measure, repair or forget a pump or valve")
        },
    ]
}

async fn answers(engine: &Engine) -> Vec<Vec<SearchHit>> {
    let mut answers = Vec::new();
    for query in queries() {
        answers.push(engine.search(&query).await.expect("an answer").hits);
    }
    answers
}

async fn open(config: EngineConfig) -> Engine {
    Engine::open(config).await.expect("the index opens")
}

/// The answers of a process that begins now, and how the file stands.
async fn answers_of_new(repository: &Repository) -> (Vec<Vec<SearchHit>>, VectorFileState) {
    let engine = open(EngineConfig::for_tree(repository.root()).read_only()).await;
    let answers = answers(&engine).await;
    let state = engine.status().await.expect("a status").vector_file.expect("vectors are scanned").state;
    engine.close().await;
    (answers, state)
}

/// The answers without the file.
async fn answers_of_store(repository: &Repository) -> Vec<Vec<SearchHit>> {
    let (file, aside) = (file_of(&repository.database()), repository.beside("vectors-aside"));
    fs::rename(&file, &aside).expect("there is a vector file");
    let (answers, state) = answers_of_new(repository).await;
    assert_eq!(state, VectorFileState::Missing);
    fs::rename(&aside, &file).expect("a file can be renamed");
    answers
}

async fn index(engine: &Engine, repository: &Repository) {
    let control = IndexControl::default();
    engine
        .index(repository.root(), &IndexOptions::default(), control)
        .await
        .expect("the tree can be indexed");
}

/// After commits of all sizes, a process that has the file and one that had an earlier one find what is found without it.
#[test]
fn answers_are_those_of_an_index_without_the_file() {
    let repository = tree();
    let mut random = Random(asked_for("AST_CORE_SEED", 1) as u64);
    let mut states = BTreeSet::new();
    block_on(async {
        let writer = open(EngineConfig::for_tree(repository.root())).await;
        index(&writer, &repository).await;
        let reader = open(EngineConfig::for_tree(repository.root()).read_only()).await;
        for edition in 1..=asked_for("AST_CORE_EDITIONS", 24) {
            // Mostly little, so that the file is left as it is.
            let count = if random.below(4) == 0 { random.below(FILES) } else { 1 + random.below(2) };
            for _ in 0..count {
                let number = random.below(FILES + 4);
                match random.below(5) {
                    0 => drop(fs::remove_file(repository.root().join(path_of(number)))),
                    _ => repository.write(&path_of(number), code(number, edition)),
                }
            }
            index(&writer, &repository).await;
            let right = answers_of_store(&repository).await;
            let counts: Vec<usize> = right.iter().map(Vec::len).collect();
            assert!(counts.iter().all(|count| *count > 0), "each question has an answer: {counts:?}");
            let (found, state) = answers_of_new(&repository).await;
            assert_eq!(found, right, "edition {edition}, a new process");
            assert_eq!(answers(&reader).await, right, "edition {edition}, a process that stays");
            assert_eq!(answers(&writer).await, right, "edition {edition}, the writer");
            states.insert(state.as_str());
        }
        reader.close().await;
        writer.close().await;
        let config = EngineConfig::for_tree(repository.root());
        let report = Engine::doctor(config, &DoctorOptions::default()).await.expect("it can be looked at");
        assert_eq!(report.findings, []);
    });
    assert_eq!(states, BTreeSet::from(["behind", "current"]), "files of both kinds were met");
}

/// What may be in the place of the file.
type Damage = Box<dyn Fn(&[u8], &mut Random) -> Vec<u8>>;

fn damages(other: Vec<u8>) -> Vec<(&'static str, Damage)> {
    vec![
        (
            "a bit of it is another",
            Box::new(|whole, random| {
                let mut bytes = whole.to_vec();
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
                bytes
            }),
        ),
        (
            "a bit of the header is another",
            Box::new(|whole, random| {
                let mut bytes = whole.to_vec();
                bytes[random.below(700)] ^= 1 << random.below(8);
                bytes
            }),
        ),
        ("it is cut short", Box::new(|whole, random| whole[..random.below(whole.len())].to_vec())),
        ("it is empty", Box::new(|_, _| Vec::new())),
        ("it is text", Box::new(|_, _| b"Dear diary, today I indexed.\n".repeat(50))),
        (
            "a page of it is noise",
            Box::new(|whole, random| {
                let mut bytes = whole.to_vec();
                let at = random.below(bytes.len() / 512) * 512;
                bytes[at..at + 512].fill(0xA5);
                bytes
            }),
        ),
        ("it is of another index", Box::new(move |_, _| other.clone())),
    ]
}

#[test]
fn a_file_that_is_damaged_or_foreign_does_no_harm_and_is_made_anew() {
    let (repository, other) = (tree(), tree());
    repository.index();
    // The same tree, but another index: ids and contents are the same, and yet it is not its file.
    other.write("one/more.rs", code(77, 7));
    other.index();
    let (database, file) = (repository.database(), file_of(&repository.database()));
    let other = fs::read(file_of(&other.database())).expect("a vector file");
    let whole = fs::read(&file).expect("a vector file");
    let mut random = Random(asked_for("AST_CORE_SEED", 1) as u64);
    let right = block_on(answers_of_store(&repository));
    let mut found = 0;
    let rounds = asked_for("AST_CORE_FLIPS", 40);
    let damages = damages(other);
    for round in 0..rounds {
        let (what, damage) = &damages[round % damages.len()];
        let what = format!("round {round}: {what}");
        fs::write(&file, damage(&whole, &mut random)).expect("a file can be written");
        let (answers, state) = block_on(answers_of_new(&repository));
        assert_eq!(answers, right, "{what}");
        let config = || EngineConfig::for_tree(repository.root());
        let look = |repair| {
            block_on(Engine::doctor(config(), &DoctorOptions { repair })).expect("it can be looked at")
        };
        let report = look(false);
        // What is between the sections means nothing.
        found += usize::from(!report.is_sound());
        assert!(report.findings.iter().all(|finding| finding.part == Part::VectorFile), "{what}: {report:?}");
        assert!(report.is_sound() || report.findings.len() == 1, "{what}: {report:?}");
        assert!(!report.is_sound() || matches!(state, VectorFileState::Current), "{what}: {state:?}");
        if round % 2 == 0 {
            let report = look(true);
            assert!(report.is_sound() && !report.needs_index, "{what}: {report:?}");
        } else if matches!(state, VectorFileState::Unusable { .. }) {
            repository.index();
        } else {
            continue;
        }
        let (answers, state) = block_on(answers_of_new(&repository));
        assert_eq!((answers, state), (right.clone(), VectorFileState::Current), "{what}");
        assert!(look(false).is_sound(), "{what}");
    }
    assert!(found * 2 > rounds, "most of it is found: {found} of {rounds}");
    assert_eq!(repository.run(["doctor"]).code, Some(0));
    fs::write(&file, b"").expect("a file can be written");
    assert_eq!(repository.run(["doctor"]).code, Some(4));
    let answer = repository.run(["doctor", "--repair", "--json"]).json();
    assert_eq!(
        (&answer["findings"][0]["part"], &answer["findings"][0]["mended"]),
        (&"vector_file".into(), &true.into())
    );
    assert!(database.exists());
}

/// A copy of the database is put back, whose next ids are given to other files than those that the vector file has.
#[test]
fn an_index_that_is_put_back_does_not_take_the_vectors_of_a_later_time() {
    let repository = tree();
    repository.index();
    let before = fs::read(repository.database()).expect("the index");
    (0..8).for_each(|number| repository.write(&path_of(number), code(number, 1)));
    repository.index();
    let later = fs::read(file_of(&repository.database())).expect("a vector file");
    fs::write(repository.database(), before).expect("the index can be put back");
    // As many files, which get the ids of those eight, but with other contents.
    (0..8).for_each(|number| repository.write(&path_of(number), code(number, 0)));
    (8..16).for_each(|number| repository.write(&path_of(number), code(number, 2)));
    repository.index();
    fs::write(file_of(&repository.database()), later).expect("the file can be put back");
    block_on(async {
        let right = answers_of_store(&repository).await;
        let (found, state) = answers_of_new(&repository).await;
        assert_eq!((found, state), (right, VectorFileState::Behind));
    });
}

#[test]
fn a_file_that_cannot_be_written_or_read_is_done_without() {
    let repository = tree();
    repository.index();
    let file = file_of(&repository.database());
    block_on(async {
        let right = answers_of_store(&repository).await;
        // A folder in its place can be neither read nor replaced.
        fs::remove_file(&file).expect("a file can be removed");
        fs::create_dir(&file).expect("a folder");
        let (found, state) = answers_of_new(&repository).await;
        assert_eq!(found, right);
        assert!(matches!(state, VectorFileState::Unusable { .. }), "{state:?}");
    });
    repository.write("more.rs", code(80, 3));
    assert_eq!(repository.run(["index"]).code, Some(0));
    assert_eq!(repository.run(["search", "pump", "--mode", "semantic"]).code, Some(0));
    assert_eq!(repository.run(["status", "--json"]).json()["vector_file"]["state"], "unusable");
    let said = repository.run(["status"]).stdout;
    assert!(said.contains("vector file of no use"), "{said}");
    assert_eq!(repository.run(["doctor"]).code, Some(4));
    fs::remove_dir(&file).expect("a folder can be removed");
    assert_eq!(repository.run(["index"]).code, Some(0));
    let status = repository.run(["status", "--json"]).json();
    assert_eq!(status["vector_file"]["state"], "current");
    assert_eq!(status["vector_file"]["bytes"], fs::metadata(&file).expect("a file").len());
    assert_eq!(repository.run(["doctor"]).code, Some(0));
}
