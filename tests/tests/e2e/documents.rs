//! The examples of the documents, run as they are printed, in a tree that they could be about.
//!
//! Of a block of `sh` each command of ours has to end well. A block of `console` has its output, too: `UPDATE_EXPECTED=1`
//! writes it. What cannot be run stands behind a comment, `<!-- not run: why -->`. The examples that verbs show with
//! `--help` are in docs/cli-reference.md.
#![cfg(unix)]

use crate::binary::{Answer, ast_core};
use crate::repository::Repository;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A piece of a document between fences.
struct Block {
    /// Behind the fence: `sh`, `console`.
    language: String,
    /// The line of the fence, from 0.
    line: usize,
    text: Vec<String>,
    is_run: bool,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut before = "";
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            if !open {
                let (language, is_run) = (language.to_owned(), !before.starts_with("<!-- not run: "));
                blocks.push(Block { language, line: number, text: Vec::new(), is_run });
            }
            open = !open;
        } else if let Some(block) = blocks.last_mut().filter(|_| open) {
            block.text.push(line.to_owned());
        }
        before = line;
    }
    blocks
}

/// The documents that people read.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs =
        fs::read_dir(root.join("docs")).expect("documents").map(|entry| entry.expect("an entry").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut documents: Vec<PathBuf> = docs.collect();
    documents.extend([root.join("README.md"), root.join("crates/ast-core-cli/README.md")]);
    documents.sort();
    documents
}

/// A tree that has what the examples name, and its index; beside it what they write to.
fn tree() -> Repository {
    let repository = Repository::fixture("documented");
    for folder in
        ["project/src", ".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"]
    {
        fs::create_dir_all(repository.beside("home").join(folder)).expect("a folder");
    }
    repository.index();
    repository
}

fn shell(repository: &Repository, command: &str) -> Command {
    let mut shell = repository.command_of(Path::new("sh"), ["-c", command]);
    let path = std::env::var("PATH").unwrap_or_default();
    let programs = ast_core().parent().expect("a program is in a folder").display();
    shell.env("PATH", format!("{programs}:{path}")).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// Runs what does not end by itself until it says something; what that is.
fn first_words(mut child: Child, from: impl FnOnce(&mut Child) -> Box<dyn Read + Send>) -> String {
    let mut from = from(&mut child);
    let reader = std::thread::spawn(move || {
        let mut words = [0; 200];
        let length = from.read(&mut words).unwrap_or(0);
        String::from_utf8_lossy(&words[..length]).into_owned()
    });
    let begin = Instant::now();
    while !reader.is_finished() && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a child can be ended");
    child.wait().expect("a child ends");
    reader.join().expect("what it says can be read")
}

/// Runs an example; what is wrong with it, if anything is.
fn run(repository: &Repository, example: &str) -> Result<(), String> {
    // What others make of an answer is theirs.
    let command = example.split(" | ").next().unwrap_or(example).trim();
    let wait_for = |command: &str, from: fn(&mut Child) -> Box<dyn Read + Send>, words: &str| {
        // The shell is to be the program, so that it ends with it.
        let child = shell(repository, &format!("exec {command}")).spawn().expect("a shell");
        let said = first_words(child, from);
        if said.contains(words) { Ok(()) } else { Err(format!("{command}: {said:?} does not say {words:?}")) }
    };
    if command.starts_with("ast-core watch") {
        let words = if command.contains("json") { "ready" } else { "watching" };
        return wait_for(command, |child| Box::new(child.stdout.take().expect("a pipe")), words);
    }
    if command.contains(" --http ") {
        return wait_for(command, |child| Box::new(child.stderr.take().expect("a pipe")), "listening");
    }
    let answer = Answer::of(shell(repository, command).output().expect("a shell"));
    if answer.code == Some(0) { Ok(()) } else { Err(format!("{command}: {answer:?}")) }
}

/// The commands of ours in a block, each on one line.
fn commands(text: &[String]) -> Vec<String> {
    let joined = text.join("\n").replace("\\\n", " ");
    // FOLDER and the like are to be replaced by whoever reads it.
    let ours = joined.lines().filter(|line| line.starts_with("ast-core ") && !line.contains("FOLDER"));
    ours.map(str::to_owned).collect()
}

#[test]
fn examples_of_the_documents_run() {
    let repository = tree();
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        for block in blocks(&text).iter().filter(|block| block.language == "sh" && block.is_run) {
            for command in commands(&block.text) {
                count += 1;
                wrong.extend(
                    run(&repository, &command).err().map(|error| format!("{}: {error}", path.display())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 15, "only {count} examples found");
}

#[test]
fn examples_of_help_run() {
    let repository = tree();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli-reference.md");
    let text = fs::read_to_string(path).expect("a document");
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in
        text.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with("ast-core "))
    {
        // What it is for stands behind it.
        let example = line.find("  ").map_or(line, |end| &line[..end]);
        count += 1;
        wrong.extend(run(&repository, example).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "only {count} examples found");
}

#[test]
fn sessions_of_the_documents_are_what_is_answered() {
    let repository = tree();
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the end, so that the places of those before stay.
        for block in blocks(&text).iter().rev().filter(|block| block.language == "console" && block.is_run) {
            let mut session = Vec::new();
            for command in block.text.iter().filter_map(|line| line.strip_prefix("$ ")) {
                let answer = Answer::of(shell(&repository, command).output().expect("a shell"));
                assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{command}");
                session.push(format!("$ {command}"));
                session.extend(answer.stdout.trim_end().lines().map(|line| line.trim_end().to_owned()));
                count += 1;
            }
            lines.splice(block.line + 1..block.line + 1 + block.text.len(), session);
        }
        let answered = lines.join("\n") + "\n";
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            if answered != text {
                fs::write(&path, &answered).expect("a document can be written");
            }
        } else {
            let path = path.display();
            assert!(
                answered == text,
                "{path} is out of date: run this test with UPDATE_EXPECTED=1\n{answered}"
            );
        }
    }
    assert!(count > 2, "only {count} commands found");
}
