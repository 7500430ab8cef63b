//! Code that is like other code: copies that were planted, renamed or not, and translations.

use crate::binary::Answer;
use crate::repository::{Repository, block_on};
use ast_core_engine::{
    Engine, EngineConfig, EngineError, FeatureHashEmbedder, Language, LineRange, SearchHit, SearchNotice,
    SimilarQuery, SimilarReply, SymbolKind,
};
use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

/// A place in the fixture: the third line of the function `moving_average`.
const PLACE: &str = "py/smoothing.py";
const LINE: u32 = 4;

fn planted() -> Repository {
    let repository = Repository::fixture("clones");
    let original = repository.read(PLACE);
    repository.write("planted/exact/series.py", &original);
    let renamed = original
        .replace("moving_average", "glide")
        .replace("samples", "xs")
        .replace("window", "w")
        .replace("averages", "out")
        .replace("running", "acc")
        .replace("sample", "x")
        .replace("index", "n");
    repository.write("planted/renamed/tail.py", renamed);
    let indented = original.replace("    ", "  ").replace(":\n", ":  # so\n\n");
    repository.write("planted/indented/layout.py", indented.replace("\"\"\"The mean", "\"\"\"A mean"));
    repository
}

fn indexed() -> Repository {
    let repository = planted();
    repository.index();
    repository
}

fn try_similar(repository: &Repository, query: &SimilarQuery) -> Result<SimilarReply, EngineError> {
    similar_with(EngineConfig::for_tree(repository.root()).read_only(), query)
}

fn similar_with(config: EngineConfig, query: &SimilarQuery) -> Result<SimilarReply, EngineError> {
    block_on(async {
        let engine = Engine::open(config).await.expect("the index opens");
        let reply = engine.similar(query).await;
        engine.close().await;
        reply
    })
}

#[track_caller]
fn similar(repository: &Repository, query: &SimilarQuery) -> SimilarReply {
    try_similar(repository, query).expect("the query can be answered")
}

fn paths(hits: &[SearchHit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.path.as_str()).collect()
}

#[test]
fn planted_copies_come_first_and_the_place_itself_does_not_come() {
    let repository = indexed();
    let reply = similar(&repository, &SimilarQuery::of_place(PLACE, LINE));
    let place = reply.place.as_ref().expect("a place");
    assert_eq!((place.path.as_str(), place.name.as_deref()), (PLACE, Some("moving_average")));
    assert_eq!((place.lines, place.unindexed), (LineRange::new(1, 13), false));
    let mut first: Vec<&str> = paths(&reply.hits)[..3].to_vec();
    first.sort_unstable();
    assert_eq!(
        first,
        ["planted/exact/series.py", "planted/indented/layout.py", "planted/renamed/tail.py"],
        "{:?}",
        paths(&reply.hits)
    );
    assert!(!paths(&reply.hits).contains(&PLACE));
    for hit in &reply.hits {
        let likeness = hit.why.likeness.expect("it is said in what it is alike");
        let is_copy = hit.path.as_str().starts_with("planted/");
        assert_eq!(likeness.shape > 0.999, is_copy, "{}: {likeness:?}", hit.path);
        assert!(hit.score > 0.0 && hit.score <= 1.0);
    }
    assert_eq!(reply.hits[0].path.as_str(), "planted/exact/series.py");
    assert!(reply.hits.is_sorted_by(|a, b| a.score >= b.score));
}

#[test]
fn translations_find_each_other() {
    let repository = Repository::fixture("clones");
    repository.index();
    let groups = repository.read("groups.txt");
    let (mut asked, mut first, mut found) = (0, 0, 0);
    for group in groups.lines() {
        let files: Vec<&str> = group.split(' ').collect();
        for file in &files {
            let line = line_of_body(&repository.read(file));
            let reply =
                similar(&repository, &SimilarQuery { limit: 3, ..SimilarQuery::of_place(*file, line) });
            let is_right = |hit: &SearchHit| files.contains(&hit.path.as_str());
            asked += 1;
            first += usize::from(reply.hits.first().is_some_and(is_right));
            found += usize::from(reply.hits.iter().any(is_right));
        }
    }
    assert!(asked >= 40 && first * 10 >= asked * 9, "{first} of {asked} come first, {found} among three");
}

/// A line in the longest run of lines that are indented: the body of the function that a file of the fixture is about.
fn line_of_body(text: &str) -> u32 {
    let lines: Vec<&str> = text.lines().collect();
    let runs = lines.chunk_by(|_, next| next.starts_with(' '));
    let (mut line, mut best) = (1, (0, 1));
    for run in runs {
        best = best.max((run.len(), line + run.len() / 2));
        line += run.len();
    }
    best.1 as u32
}

#[test]
fn code_is_a_query_with_and_without_its_language() {
    let repository = indexed();
    let code = "def f(a, b):\n    if b <= 0:\n        raise E('no')\n    c = []\n    d = 0.0\n    for e, g in enumerate(a):\n        \
        d += g\n        if e >= b:\n            d -= a[e - b]\n        if e >= b - 1:\n            c.append(d / b)\n    return c\n";
    let python: Language = "python".parse().expect("a language");
    for language in [Some(python), None] {
        let reply = similar(&repository, &SimilarQuery::of_code(code, language));
        assert_eq!(reply.place, None);
        let copies = paths(&reply.hits)[..4].iter().filter(|path| path.ends_with(".py")).count();
        assert_eq!(copies, 4, "{:?}", paths(&reply.hits));
        assert!(paths(&reply.hits)[..4].contains(&PLACE));
    }
    let whole = repository.read(PLACE);
    let best = &similar(&repository, &SimilarQuery::of_code(whole, Some(python))).hits[0];
    assert!(best.score > 0.95, "{best:?}");
}

#[test]
fn a_file_that_has_changed_is_taken_as_it_is_and_its_old_self_does_not_come() {
    let repository = indexed();
    let changed =
        format!("import math\n\nLIMIT = 9\n\n\n{}", repository.read(PLACE).replace("running", "sum_so_far"));
    repository.write(PLACE, changed);
    let reply = similar(&repository, &SimilarQuery::of_place(PLACE, LINE + 5));
    let place = reply.place.expect("a place");
    assert_eq!((place.name.as_deref(), place.unindexed), (Some("moving_average"), true));
    assert!(place.lines.start > 3, "{place:?}");
    assert!(!paths(&reply.hits).contains(&PLACE));
    assert!(reply.hits[0].path.as_str().starts_with("planted/"));

    repository.write("new/file.py", "def glide(xs):\n    return [x for x in xs if x > 0 and x < 10]\n");
    let reply = similar(&repository, &SimilarQuery::of_place("new/file.py", 2));
    assert!(reply.place.is_some_and(|place| place.unindexed) && !reply.hits.is_empty());

    repository.write("notes/plan", "moving average of samples\nin a window\n");
    let reply = similar(&repository, &SimilarQuery::of_place("notes/plan", 1));
    assert_eq!(reply.place.expect("a place").language, None, "a file of no language is text");
}

#[test]
fn a_file_that_is_gone_is_taken_as_it_was() {
    let repository = indexed();
    let before = similar(&repository, &SimilarQuery::of_place(PLACE, LINE));
    repository.remove(PLACE);
    let after = similar(&repository, &SimilarQuery::of_place(PLACE, LINE));
    assert_eq!((&after.place, &after.hits), (&before.place, &before.hits));
}

#[test]
fn where_there_is_no_code_is_said() {
    let repository = indexed();
    repository.write("blob.py", b"\0\0\0");
    repository.write("empty.py", "");
    repository.index();
    let failed = |query: SimilarQuery| try_similar(&repository, &query).expect_err("there is nothing");
    match failed(SimilarQuery::of_place(PLACE, 999)) {
        EngineError::NoCode { path, line: 999, lines } => {
            assert_eq!((path.as_str(), &lines[..]), (PLACE, &[LineRange::new(1, 13)][..]));
        }
        other => panic!("{other:?}"),
    }
    let error = failed(SimilarQuery::of_place(PLACE, 999)).to_string();
    assert!(error.contains("lines 1-13"), "{error}");
    assert!(failed(SimilarQuery::of_place("empty.py", 1)).to_string().contains("the file has none"));
    for (path, word) in [("blob.py", "binary"), ("none.py", "no such file"), ("py", "regular file")] {
        let error = failed(SimilarQuery::of_place(path, 1));
        assert!(matches!(error, EngineError::Unreadable { .. }), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let outside = failed(SimilarQuery::of_place("../elsewhere.py", 1));
    assert!(matches!(outside, EngineError::OutsideTree { .. }), "{outside:?}");
    for text in ["", " \n"] {
        let error = failed(SimilarQuery::of_code(text, None));
        assert!(matches!(error, EngineError::Query(_)), "{error:?}");
    }
    let huge = failed(SimilarQuery::of_code("x = 1\n".repeat(1 << 20), None));
    assert!(matches!(huge, EngineError::Parse(_)), "{huge:?}");
    let query = SimilarQuery { paths: vec!["src/[".into()], ..SimilarQuery::of_place(PLACE, LINE) };
    assert!(matches!(failed(query), EngineError::Pattern { .. }));
}

#[test]
fn nothing_indexed_is_nothing_to_compare() {
    let repository = Repository::empty();
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.expect("an index");
        let reply = engine.similar(&SimilarQuery::of_code("fn f() {}", None)).await.expect("an answer");
        assert_eq!(reply.hits, []);
        let error = engine.similar(&SimilarQuery::of_place("a.py", 1)).await;
        assert!(matches!(error, Err(EngineError::Unreadable { .. })), "{error:?}");
        engine.close().await;
    });
}

#[test]
fn filters_limit_and_threshold_are_those_of_a_search() {
    let repository = indexed();
    let query = || SimilarQuery { limit: 100, ..SimilarQuery::of_place(PLACE, LINE) };
    let all = similar(&repository, &query()).hits;
    assert!(all.len() > 20);
    let rust: Language = "rust".parse().expect("a language");
    let hits = similar(&repository, &SimilarQuery { languages: vec![rust], ..query() }).hits;
    assert_eq!(hits[0].path.as_str(), "rust/smooth.rs");
    assert!(hits.iter().all(|hit| hit.path.as_str().ends_with(".rs")));
    let hits = similar(&repository, &SimilarQuery { paths: vec!["java".into()], ..query() }).hits;
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.path.as_str().starts_with("java/")));
    let kinds = vec![SymbolKind::Class];
    let hits = similar(&repository, &SimilarQuery { kinds, ..query() }).hits;
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.kind == Some(SymbolKind::Class)));

    assert_eq!(similar(&repository, &SimilarQuery { limit: 2, ..query() }).hits, all[..2]);
    assert_eq!(similar(&repository, &SimilarQuery { limit: 0, ..query() }).hits, []);
    let threshold = all[2].score;
    let above = similar(&repository, &SimilarQuery { threshold, ..query() }).hits;
    assert_eq!(above, all[..3]);
    let shown = similar(&repository, &SimilarQuery { context: 1, limit: 1, ..query() }).hits.remove(0);
    assert_eq!(shown.snippet.lines().count() as u32, shown.snippet_lines.count());
}

#[test]
fn vectors_of_another_embedder_are_done_without() {
    let repository = indexed();
    let config = EngineConfig {
        embedder: Arc::new(FeatureHashEmbedder::default()),
        ..EngineConfig::for_tree(repository.root()).read_only()
    };
    let reply = similar_with(config, &SimilarQuery::of_place(PLACE, LINE)).expect("an answer");
    assert!(matches!(reply.notices[..], [SearchNotice::OtherEmbedder { .. }]), "{:?}", reply.notices);
    assert_eq!(reply.hits[0].path.as_str(), "planted/exact/series.py");
    assert!((reply.hits[0].score - 1.0).abs() < 1e-9, "by shape and words it is the same");
    assert!(reply.hits.iter().all(|hit| hit.why.likeness.is_some_and(|likeness| likeness.meaning.is_none())));
}

/// What `ast-core` says with this on its standard input.
fn run_with_input(repository: &Repository, arguments: &[&str], input: &str) -> Answer {
    let mut command = repository.command(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // It may end before it has read all.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    Answer::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn the_command_line_takes_places_from_where_it_is_and_code_from_standard_input() {
    let repository = indexed();
    let from = |folder: &str, arguments: &[&str]| {
        let mut command = repository.command(arguments);
        Answer::of(command.current_dir(repository.root().join(folder)).output().expect("the binary runs"))
    };
    let quiet = ["--json", "--quiet"];
    let first = |answer: &Answer| answer.json()["hits"][0]["path"].as_str().map(str::to_owned);
    let exact = Some("planted/exact/series.py".to_owned());
    assert_eq!(first(&from("py", &[&["similar", "smoothing.py:4"], &quiet[..]].concat())), exact);
    assert_eq!(first(&from("py", &[&["similar", "py/smoothing.py:4-9"], &quiet[..]].concat())), exact);

    let code = fs::read_to_string(repository.root().join(PLACE)).expect("the fixture");
    let answer = run_with_input(&repository, &["similar", "-", "--as", "python", "--json"], &code);
    assert_eq!(answer.json()["place"], serde_json::Value::Null);
    let best: Vec<String> = answer.json()["hits"]
        .as_array()
        .expect("hits")
        .iter()
        .take(2)
        .filter_map(|hit| hit["path"].as_str().map(str::to_owned))
        .collect();
    assert!(best.contains(&PLACE.to_owned()), "{best:?}");
    let answer =
        run_with_input(&repository, &["similar", "-", "--as", "python", "--lang", "rust", "--json"], &code);
    assert_eq!(first(&answer).as_deref(), Some("rust/smooth.rs"));

    run_with_input(&repository, &["similar", "-"], "").assert_refused(2, &["no word to look for"]);
    repository.run(["similar", PLACE]).assert_refused(2, &["a file and a line", "src/main.rs:12"]);
    repository.run(["similar", "py/smoothing.py:999"]).assert_refused(2, &["line 999", "lines 1-13"]);
    repository.run(["similar", "none.py:1"]).assert_refused(2, &["none.py", "no such file"]);
    repository.run(["similar", "py/smoothing.py:4", "--as", "rust"]).assert_refused(2, &["--as"]);
    let shown = repository.run(["similar", "py/smoothing.py:4", "--limit", "1"]);
    assert!(shown.stderr.starts_with("like py/smoothing.py:1-13  function moving_average"), "{shown:?}");
    assert!(shown.stdout.contains("shape 1.000"), "{shown:?}");
}
