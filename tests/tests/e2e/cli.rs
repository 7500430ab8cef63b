//! The binary: exit codes, messages, colours, and what it says to whom.

use crate::binary::{Answer, ast_core};
use crate::repository::{Repository, block_on};
use ast_core_engine::{Engine, EngineConfig};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn indexed() -> Repository {
    let repository = Repository::polyglot();
    repository.index();
    repository
}

#[test]
fn what_is_found_exits_with_0_and_what_is_not_with_1() {
    let repository = indexed();
    assert_eq!(repository.run(["search", "fletcher32"]).code, Some(0));
    assert_eq!(repository.run(["search", "xylophone"]).code, Some(1));
    let nothing = repository.run(["search", "--mode", "lexical", "xylophone"]);
    assert_eq!((nothing.code, &*nothing.stdout, &*nothing.stderr), (Some(1), "", "nothing found\n"));
    let nothing = repository.run(["search", "--mode", "lexical", "xylophone", "--quiet"]);
    assert_eq!((nothing.code, &*nothing.stdout, &*nothing.stderr), (Some(1), "", ""));
    let nothing = repository.run(["search", "--mode", "lexical", "xylophone", "--json"]);
    assert_eq!((nothing.code, &nothing.json()["hits"]), (Some(1), &serde_json::json!([])));
}

/// All verbs that help tells of.
fn verbs(repository: &Repository) -> Vec<String> {
    let help = repository.run(["--help"]).stdout;
    let lines = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    lines
        .take_while(|line| line.starts_with("  "))
        // A line that goes on is further in.
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let repository = Repository::empty();
    let verbs = verbs(&repository);
    assert!(verbs.len() > 10, "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = repository.run(["completions", shell]);
        assert_eq!((script.code, &*script.stderr), (Some(0), ""));
        for verb in &verbs {
            assert!(script.stdout.contains(verb.as_str()), "{shell} does not know {verb}");
        }
    }
    let folder = repository.beside("man/man1");
    let man = repository.run(["man", "--out", folder.to_str().expect("a path in UTF-8")]);
    assert_eq!((man.code, &*man.stdout, &*man.stderr), (Some(0), "", ""));
    for verb in verbs {
        let page =
            std::fs::read_to_string(folder.join(format!("ast-core-{verb}.1"))).expect("a page for each verb");
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(repository.run(["man"]).stdout.contains(".TH ast-core 1"));
    repository.write("file", "");
    repository.run(["man", "--out", "file"]).assert_refused(2, &["file", "folder"]);
}

/// docs/cli-reference.md is what the binary says of itself.
#[test]
fn the_reference_is_what_help_says() {
    let repository = Repository::empty();
    let help = |arguments: &[&str]| {
        let text =
            repository.command(arguments).env("COLUMNS", "100").output().expect("the binary runs").stdout;
        let text = String::from_utf8(text).expect("help is UTF-8");
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    let mut reference = format!(
        "# Reference of `ast-core`\n\nWhat each verb says of itself with `--help`. What the answers are, as JSON, is in [cli.md](cli.md).\n\n```text\n{}\n```\n",
        help(&["--help"])
    );
    for verb in verbs(&repository) {
        reference += &format!("\n## {verb}\n\n```text\n{}\n```\n", help(&[&verb, "--help"]));
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli-reference.md");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &reference).expect("the reference can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == reference,
        "docs/cli-reference.md is out of date: run this test with UPDATE_EXPECTED=1"
    );
}

#[test]
fn the_index_is_found_from_below() {
    let repository = indexed();
    let below = repository.root().join("web/src/components");
    let output = repository.command(["search", "JobTable", "--json"]).current_dir(below).output();
    let answer = Answer::of(output.expect("the binary runs"));
    assert_eq!(answer.json()["hits"][0]["path"], "web/src/components/JobTable.tsx");
}

#[test]
fn flags_beat_the_environment() {
    let repository = indexed();
    let missing = repository.beside("missing.db");
    let with = |arguments: &[&str]| {
        let output = repository.command(arguments).env("AST_CORE_DB", &missing).output();
        Answer::of(output.expect("the binary runs"))
    };
    with(&["search", "job"]).assert_refused(4, &["missing.db", "ast-core index"]);
    let database = repository.database();
    let flagged = with(&["search", "job", "--db", database.to_str().expect("a path in UTF-8")]);
    assert_eq!(flagged.code, Some(0), "{flagged:?}");
}

#[test]
fn a_usage_error_names_the_flag_and_what_would_work() {
    let repository = indexed();
    let cases: [(&[&str], &[&str]); 7] = [
        (&["search", "job", "--lang", "klingon"], &["--lang", "klingon", "rust"]),
        (&["search", "job", "--kind", "gizmo"], &["--kind", "gizmo", "function"]),
        (&["search", "job", "--threshold", "1.5"], &["--threshold", "1.5", "0.5"]),
        (&["search", "job", "--threshold", "NaN"], &["--threshold", "NaN", "0.5"]),
        (&["search", "job", "--mode", "psychic"], &["--mode", "psychic", "hybrid"]),
        (&["search", "job", "--limit", "many"], &["--limit", "many"]),
        (&["serach", "job"], &["serach", "search"]),
    ];
    for (arguments, words) in cases {
        let answer = repository.run(arguments);
        assert_eq!((answer.code, &*answer.stdout), (Some(2), ""), "{answer:?}");
        assert!(answer.stderr.starts_with("error: "), "{answer:?}");
        for word in words {
            assert!(answer.stderr.contains(word), "{word:?} is not in {answer:?}");
        }
    }
    repository.run(["search", "job", "--path", "src/["]).assert_refused(2, &["src/[", "src/**/*.rs"]);
    repository.run(["search", "?!"]).assert_refused(2, &["?!"]);
    repository.run(["index", "nowhere"]).assert_refused(2, &["nowhere", "does not exist", "ast-core index"]);
    repository.run(["index", "README.md"]).assert_refused(2, &["README.md", "not a directory"]);
    repository.run(["symbols", "nowhere.rs"]).assert_refused(2, &["nowhere.rs", "does not exist"]);
}

#[test]
fn a_missing_index_is_named_with_the_command_that_makes_it() {
    let repository = Repository::polyglot();
    for verb in [&["search", "job"][..], &["status"]] {
        let root = repository.root().display().to_string();
        repository.run(verb).assert_refused(4, &[&root, "ast-core index"]);
    }
    repository.run(["status", "--db", "gone.db"]).assert_refused(4, &["gone.db", "ast-core index"]);
    assert!(!repository.root().join(".ast-core").exists(), "who reads makes nothing");
    assert!(!repository.root().join("gone.db").exists(), "who reads makes nothing");
}

#[test]
fn who_asks_first_gets_an_index_if_that_is_wanted() {
    for verb in [&["search", "enqueue a job"][..], &["context", "enqueue a job"], &["map"]] {
        let repository = Repository::polyglot();
        // Nobody is there to be asked.
        repository.run(verb).assert_refused(4, &["ast-core index", "--yes"]);
        assert!(!repository.root().join(".ast-core").exists());
        let answer = repository.run(verb.iter().chain(&["--yes"]));
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(!answer.stdout.is_empty() && answer.stderr.starts_with("indexed "), "{answer:?}");
        let again = repository.run(verb.iter().chain(&["--yes", "--quiet"]));
        assert_eq!((again.code, &*again.stderr), (Some(0), ""), "{again:?}");
        assert_eq!(again.stdout, answer.stdout);
    }
}

#[test]
fn the_first_index_is_of_the_repository_round_here() {
    let repository = Repository::polyglot();
    std::fs::create_dir(repository.root().join(".git")).expect("a folder");
    let below = repository.root().join("web/src");
    let output =
        repository.command(["search", "JobTable", "--yes", "--json", "--quiet"]).current_dir(below).output();
    let answer = Answer::of(output.expect("the binary runs"));
    assert_eq!(answer.json()["hits"][0]["path"], "web/src/components/JobTable.tsx");
    assert!(repository.database().exists());
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let repository = indexed();
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.expect("a writer");
        let process = std::process::id().to_string();
        repository.run(["index"]).assert_refused(4, &["index.db", &process, "wait"]);
        assert_eq!(repository.run(["search", "job"]).code, Some(0));
        assert_eq!(repository.run(["status"]).code, Some(0));
        engine.close().await;
    });
    assert_eq!(repository.run(["index"]).code, Some(0));
}

#[test]
fn nothing_but_the_answer_is_said_through_a_pipe() {
    let repository = Repository::polyglot();
    for arguments in [
        &["index"][..],
        &["index", "--rebuild", "--format", "jsonl"],
        &["search", "job"],
        &["symbols", "core"],
        &["status"],
        &["languages"],
    ] {
        let answer = repository.run(arguments);
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{arguments:?}");
        assert!(!answer.stdout.is_empty(), "{arguments:?}");
        assert!(!answer.stdout.contains('\u{1b}'), "colours through a pipe: {answer:?}");
    }
}

#[test]
fn colours_are_for_whoever_asks_for_them() {
    let repository = indexed();
    let coloured = |arguments: &[&str], no_color: bool| {
        let mut command = repository.command(arguments);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        Answer::of(command.output().expect("the binary runs")).stdout.contains('\u{1b}')
    };
    assert!(coloured(&["search", "job", "--color", "always"], false));
    assert!(!coloured(&["search", "job", "--color", "never"], false));
    assert!(!coloured(&["search", "job"], true));
    assert!(!coloured(&["search", "job", "--json", "--color", "always"], false), "JSON has no colours");
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let repository = Repository::empty();
    // More than a pipe holds.
    let code: String = (0..5000).map(|number| format!("fn function_number_{number}() {{}}\n")).collect();
    repository.write("many.rs", code);
    for format in ["human", "jsonl"] {
        let mut child = repository
            .command(["symbols", "many.rs", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(line.contains("many.rs"), "{line:?}");
        let output = child.wait_with_output().expect("the binary ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        // Without a code it was ended by the signal.
        assert!(matches!(output.status.code(), Some(0) | None), "{:?}", output.status);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let repository = indexed();
    for arguments in [&["search", "job"][..], &["status", "--json"], &["symbols", "core"], &["languages"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
        let output = repository.command(arguments).stdout(full).output().expect("the binary runs");
        let answer = Answer::of(output);
        assert_eq!(answer.code, Some(4), "{arguments:?}: {answer:?}");
        assert!(answer.stderr.starts_with("error: ") && answer.stderr.lines().count() == 1, "{answer:?}");
    }
}

#[test]
fn symbols_need_no_index() {
    let repository = Repository::polyglot();
    let answer = repository.run(["symbols", "core", "native/checksum.cpp"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    for name in ["JobQueue", "enqueue", "retry_with_backoff", "fletcher32"] {
        assert!(answer.stdout.contains(name), "{name} is not in {answer:?}");
    }
    assert!(!repository.root().join(".ast-core").exists());
    let answer = repository.run(["symbols", "README.md"]);
    assert_eq!((answer.code, &*answer.stdout), (Some(3), ""), "{answer:?}");
    assert!(answer.stderr.contains("README.md") && answer.stderr.contains("language"), "{answer:?}");
}

#[test]
fn help_and_version_are_answers() {
    for argument in ["--help", "--version"] {
        let answer = Repository::empty().run([argument]);
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""));
        assert!(answer.stdout.contains("ast-core"), "{answer:?}");
    }
    assert!(ast_core().is_absolute());
}

#[test]
fn what_is_done_is_told_to_who_asks() {
    let repository = Repository::polyglot();
    let run = |arguments: &[&str], filter: &str| {
        let output = repository.command(arguments).env("AST_CORE_LOG", filter).output();
        let answer = Answer::of(output.expect("the binary runs"));
        assert_eq!(answer.code, Some(0), "{answer:?}");
        serde_json::from_str::<serde_json::Value>(&answer.stdout).expect("the answer and nothing else");
        answer.stderr
    };
    let told = run(&["index", "--json", "-v"], "");
    assert!(
        told.contains("INFO") && told.contains("brought the index up") && !told.contains("DEBUG"),
        "{told}"
    );
    let search = &["search", "job", "--json"][..];
    assert_eq!(run(search, ""), "");
    let told = run(&["search", "job", "--json", "-v"], "");
    assert!(told.starts_with("stage") && !told.contains("INFO"), "{told}");
    let told = run(&["search", "job", "--json", "-vv"], "");
    assert!(told.contains("DEBUG ast_core_engine") && told.contains("searched"), "{told}");
    assert!(run(search, "debug").contains("searched"));
    assert!(run(search, "ast_core_engine::retrieve=debug").contains("searched"));
    assert_eq!(run(search, "ast_core_engine::retrieve=info"), "");
    let refused = repository.command(search).env("AST_CORE_LOG", "a=b=c").output();
    Answer::of(refused.expect("the binary runs")).assert_refused(2, &["AST_CORE_LOG", "a=b=c", "debug"]);
}

#[test]
fn code_is_in_colours_and_what_was_looked_for_is_marked() {
    let repository = indexed();
    let of = |arguments: &[&str]| repository.run(arguments.iter().chain(&["--color", "always"])).stdout;
    let plain = |text: &str| {
        let parts: Vec<&str> = text.split("\u{1b}[").collect();
        let rest = parts.iter().skip(1).map(|part| part.split_once('m').expect("a style").1);
        format!("{}{}", parts[0], rest.collect::<String>())
    };
    for verb in [&["search", "retry with backoff"][..], &["context", "retry with backoff"]] {
        let (coloured, without) = (of(verb), repository.run(verb).stdout);
        assert_eq!(plain(&coloured), without, "{verb:?}");
        // A keyword, a comment, and a word that was looked for, in the name of a function.
        for style in ["\u{1b}[35mpub\u{1b}[0m", "\u{1b}[90m//", "\u{1b}[1m\u{1b}[4m\u{1b}[34mretry\u{1b}[0m"]
        {
            assert!(coloured.contains(style), "{verb:?}: {style:?} is not in {coloured:?}");
        }
    }
}

#[test]
fn code_that_is_alike_is_in_colours() {
    let repository = Repository::fixture("clones");
    repository.index();
    let answer = repository.run(["similar", "py/smoothing.py:5", "--color", "always"]);
    // The name of the first hit is that of what was compared.
    let name = "\u{1b}[1m\u{1b}[4m\u{1b}[34mmoving\u{1b}[0m";
    assert!(answer.stdout.contains(name) && answer.stdout.contains("\u{1b}[35mlet\u{1b}[0m"), "{answer:?}");
}

#[test]
fn nothing_in_a_file_is_obeyed_by_a_terminal() {
    let repository = Repository::empty();
    repository.write("evil.py", "def wiper():\n    return '\u{1b}[2J\u{9b}31m\u{202e}'\n");
    repository.index();
    for verb in [
        &["search", "wiper"][..],
        &["context", "wiper"],
        &["similar", "evil.py:1"],
        &["map"],
        &["symbols", "evil.py"],
    ] {
        for color in ["never", "always"] {
            let answer = repository.run(verb.iter().chain(&["--color", color]));
            let shown = answer.stdout.replace("\u{1b}[", "");
            let is_style = |rest: &str| {
                rest.split_once('m').is_some_and(|(code, _)| code.bytes().all(|byte| byte.is_ascii_digit()))
            };
            assert!(answer.stdout.split("\u{1b}[").skip(1).all(is_style), "{answer:?}");
            assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{answer:?}");
        }
    }
    assert!(repository.run(["search", "wiper"]).stdout.contains("'␛[2J<U+009B>31m<U+202E>'"));
}
