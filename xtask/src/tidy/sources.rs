//! Rules on the text of single files.

use super::layout::{BANNED_NAMES, is_data};
use crate::finding::Finding;
use crate::rust_source::{RustSource, has_word};
use crate::workspace::TextFile;

/// Words that code outside tests may hold only in certain places.
struct Wall {
    words: &'static [&'static str],
    /// The word has to be followed by this.
    then: &'static str,
    /// Starts of the paths that may hold them.
    allowed: &'static [&'static str],
    advice: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        words: &["println", "eprintln", "print", "eprint", "dbg"],
        then: "!",
        allowed: &["crates/ast-core-cli/", "crates/ast-core-trainer/", "xtask/", "benches/"],
        advice: "return the value, or report it through `tracing` or a progress argument: only programs print",
    },
    Wall {
        words: &["env::var", "env::vars", "env::var_os", "env::vars_os"],
        then: "",
        allowed: &["crates/ast-core-cli/", "crates/ast-core-trainer/", "xtask/", "benches/"],
        advice: "take it as configuration: only programs read the environment",
    },
    Wall {
        words: &["unsafe"],
        then: "",
        allowed: &[
            "crates/ast-core-vector/src/kernel",
            "crates/ast-core-parse/src/syntax/",
            "crates/ast-core-storage/src/sqlite/direct.rs",
            "crates/ast-core-cli/src/allocator.rs",
            "bindings/",
        ],
        advice: "write it without, or move it into a distance kernel of ast-core-vector",
    },
];

/// Checks one file.
pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    if is_data(&file.path) {
        return Vec::new();
    }
    let mut findings = machine_paths(file);
    if file.path.ends_with(".rs") {
        findings.extend(rust(file));
    } else if !file.path.ends_with(".md") {
        findings.extend(marks(&file.path, &file.text));
    }
    findings
}

fn rust(file: &TextFile) -> Vec<Finding> {
    let source = RustSource::new(&file.text);
    let mut findings = marks(&file.path, &source.comments);
    findings.extend(unfinished(&file.path, &source.code));
    findings.extend(modules(&file.path, &source.code));
    if file.path.starts_with("benches/") {
        findings.extend(tests_in_benches(&file.path, &source.code));
    }
    if format!("/{}", file.path).contains("/src/") {
        findings.extend(head(file));
        if !is_test_file(&file.path) {
            findings.extend(walls(&file.path, &source.code_outside_tests()));
        }
    }
    findings
}

/// A test module that is a file of its own.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/src/tests/")
}

/// Every module begins with what it is for, and every library refuses undocumented items.
fn head(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(Finding::new(
            &*file.path,
            1,
            "does not begin with module documentation",
            "say on the first line, after `//!`, what is in here",
        ));
    }
    let is_library = file.path.starts_with("crates/") && file.path.ends_with("/src/lib.rs");
    if is_library && !file.text.lines().any(|line| line.trim() == "#![deny(missing_docs)]") {
        findings.push(Finding::new(
            &*file.path,
            1,
            "does not deny missing documentation",
            "add `#![deny(missing_docs)]`",
        ));
    }
    findings
}

fn walls(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for wall in WALLS.iter().filter(|wall| !wall.allowed.iter().any(|start| path.starts_with(start))) {
        for (number, line) in code.lines().enumerate() {
            let found = wall.words.iter().find(|word| has_word_then(line, word, wall.then));
            if let Some(word) = found {
                let what = format!("`{word}{}` outside its place", wall.then);
                findings.push(Finding::new(path, number + 1, what, wall.advice));
            }
        }
    }
    findings
}

fn has_word_then(line: &str, word: &str, then: &str) -> bool {
    has_word(line, word) && line.contains(&format!("{word}{then}"))
}

/// What was put off has a place in the tracker, not in the text.
fn marks(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = ["TODO", "FIXME"].into_iter().find(|mark| has_word(line, mark)) {
            let advice = "do it, or file it and delete the mark";
            findings.push(Finding::new(path, number + 1, format!("{mark} in the source"), advice));
        }
    }
    findings
}

fn unfinished(path: &str, code: &str) -> Vec<Finding> {
    const RUN_IT: &str = "run it, or delete it: a test that is not run tests nothing";
    const ASSERT_IT: &str = "assert the error that the function returns";
    let rules = [
        ("todo!", "finish it"),
        ("unimplemented!", "finish it"),
        ("#[ignore]", RUN_IT),
        ("#[ignore =", RUN_IT),
        ("#[should_panic]", ASSERT_IT),
        ("#[should_panic(", ASSERT_IT),
    ];
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for (start, advice) in rules {
            // The name itself is a whole word: `my_todo!` is somebody else's.
            let name = start.trim_matches(|c: char| !c.is_alphabetic() && c != '_');
            if line.contains(start) && has_word(line, name) {
                findings.push(Finding::new(path, number + 1, format!("`{name}` in the source"), advice));
            }
        }
    }
    findings
}

fn modules(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut words =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').skip_while(|word| *word != "mod");
        words.next();
        if let Some(name) = words.next().filter(|name| BANNED_NAMES.contains(name)) {
            let what = format!("the module name `{name}` says nothing");
            findings.push(Finding::new(path, number + 1, what, "name it after the thing that is in it"));
        }
    }
    findings
}

/// `cargo xtask test` leaves the benches out, because their dependencies are slow to build.
fn tests_in_benches(path: &str, code: &str) -> Vec<Finding> {
    let found = code.lines().enumerate().filter(|(_, line)| line.contains("#[test]"));
    found
        .map(|(number, _)| {
            let advice = "move what it tests into a crate";
            Finding::new(path, number + 1, "a test that `cargo xtask test` does not run", advice)
        })
        .collect()
}

/// A path of the author's machine means nothing on the reader's.
fn machine_paths(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for root in ["home", "root", "work"] {
            let pattern = format!("/{root}/");
            let absolute = line.match_indices(&pattern).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                // Behind one of these it is the middle of a path or of an address.
                !before.is_some_and(|c| c.is_alphanumeric() || "._-~/}>)*$".contains(c))
            });
            if absolute {
                let advice = "make it relative to the root, or take it from the environment";
                findings.push(Finding::new(
                    &*file.path,
                    number + 1,
                    format!("a path under {pattern}"),
                    advice,
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<(usize, String)> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    fn whats(path: &str, text: &str) -> Vec<String> {
        findings(path, text).into_iter().map(|(_, what)| what).collect()
    }

    #[test]
    fn a_module_says_what_it_is_for() {
        assert!(findings("crates/a/src/b.rs", "//! B.\n").is_empty());
        assert_eq!(whats("crates/a/src/b/mod.rs", "mod c;\n"), ["does not begin with module documentation"]);
        assert!(findings("crates/a/tests/it.rs", "fn f() {}\n").is_empty());
        assert_eq!(whats("crates/a/src/lib.rs", "//! A.\n"), ["does not deny missing documentation"]);
        assert!(findings("crates/a/src/lib.rs", "//! A.\n#![deny(missing_docs)]\n").is_empty());
    }

    #[test]
    fn libraries_do_not_print() {
        let text = "//! A.\nfn f() { println!(\"x\"); }\n// println!()\nconst S: &str = \"dbg!(x)\";\n\
                    #[cfg(test)]\nmod tests { fn g() { println!() } }\n";
        assert_eq!(findings("crates/a/src/b.rs", text), [(2, "`println!` outside its place".to_owned())]);
        assert!(findings("crates/ast-core-cli/src/b.rs", text).is_empty());
        assert!(findings("crates/a/build.rs", text).is_empty());
    }

    #[test]
    fn libraries_do_not_read_the_environment() {
        let text = "//! A.\nfn f() { std::env::var(\"HOME\"); }\n";
        assert_eq!(whats("crates/a/src/b.rs", text), ["`env::var` outside its place"]);
        assert!(findings("crates/a/src/b.rs", "//! A.\nfn f() { env::current_dir(); }\n").is_empty());
    }

    #[test]
    fn unsafe_code_is_in_the_kernels() {
        let text = "//! A.\nfn f() { unsafe { g() } }\n";
        assert_eq!(whats("crates/ast-core-vector/src/flat.rs", text), ["`unsafe` outside its place"]);
        assert!(findings("crates/ast-core-vector/src/kernel/x86.rs", text).is_empty());
        assert!(findings("crates/a/src/b.rs", "//! unsafe\n#![deny(unsafe_code)]\n").is_empty());
    }

    #[test]
    fn nothing_is_put_off_in_the_source() {
        let text = "//! A.\n// TODO: later\nconst MARK: &str = \"TODO\";\nfn f() { todo!() }\n#[ignore = \"slow\"]\n\
                    #[should_panic]\nfn g() { unimplemented!(); ignore(); }\n";
        assert_eq!(
            findings("crates/a/src/b.rs", text),
            [
                (2, "TODO in the source".to_owned()),
                (4, "`todo` in the source".to_owned()),
                (5, "`ignore` in the source".to_owned()),
                (6, "`should_panic` in the source".to_owned()),
                (7, "`unimplemented` in the source".to_owned()),
            ]
        );
        assert_eq!(whats("bindings/node/index.ts", "// FIXME"), ["FIXME in the source"]);
        assert!(findings("docs/a.md", "how TODO comments are indexed").is_empty());
    }

    #[test]
    fn modules_have_names() {
        assert_eq!(
            whats("tests/it.rs", "pub(crate) mod helpers {\n}\n"),
            ["the module name `helpers` says nothing"]
        );
        assert!(findings("tests/it.rs", "mod model; use common;\n").is_empty());
    }

    #[test]
    fn paths_of_a_machine_are_found_and_parts_of_paths_are_not() {
        let bad = format!("cd \"/{}/alice\"", "home");
        assert_eq!(findings("docs/a.md", &bad), [(1, format!("a path under /{}/", "home"))]);
        let good = "https://example.org/home/x $HOME/work/y ./root/z <repo>/work/q";
        assert!(findings("docs/a.md", good).is_empty());
    }

    #[test]
    fn data_is_free() {
        assert!(
            findings("crates/a/src/languages/rust/fixtures/a.rs", "fn f() { todo!() } // TODO").is_empty()
        );
    }

    #[test]
    fn a_test_in_the_benches_would_not_run() {
        let text = "//! A.\n#[test]\nfn f() {}\n";
        assert_eq!(whats("benches/src/lib.rs", text), ["a test that `cargo xtask test` does not run"]);
    }
}
