//! How fast definitions are stored so that they can be found by name: `symbol-rows SOURCES MODULES [ROUNDS]`.
//!
//! Parses the sources, and stores their definitions in turns: by `Store::commit`, as documents and an index of names, with
//! the sources themselves; and by better-sqlite3, as rows with an index by name and one by file, under the same pragmas.
//! MODULES is where `npm install` was run with `benches/store/package.json`. What is made before the first row is written,
//! such as parsed files and open databases, is not in the times; what each makes of a definition is.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, ensure};
use ast_core_benches::stats::Times;
use ast_core_benches::{corpus, definitions};
use ast_core_model::{RepoPath, Symbol};
use ast_core_parse::Parser;
use ast_core_storage::{Document, FileRecord};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(sources), Some(modules)) = (args.first(), args.get(1)) else {
        anyhow::bail!("usage: symbol-rows SOURCES MODULES [ROUNDS]");
    };
    let rounds: usize = args.get(2).map_or(Ok(5), |rounds| rounds.parse())?;
    let files = parsed(Path::new(sources))?;
    let symbols: usize = files.iter().map(|(_, document)| document.symbols.len()).sum();
    ensure!(symbols > 0, "no definitions in {sources}");
    println!("{symbols} definitions in {} files", files.len());

    let folder = std::env::temp_dir().join(format!("ast-core-symbol-rows-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let rows = folder.join("rows.jsonl");
    write_rows(&rows, &files)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("store/better-sqlite3.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .args([rows.as_os_str(), modules.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("node, and better-sqlite3 in MODULES")?;
    let (Some(mut questions), Some(answers)) = (node.stdin.take(), node.stdout.take()) else {
        anyhow::bail!("node has no pipes");
    };
    let mut answers = BufReader::new(answers);

    let mut times: [(&str, Times, Times); 2] = [
        ("ours", Times::default(), Times::default()),
        ("better-sqlite3", Times::default(), Times::default()),
    ];
    for round in 0..rounds {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let database = folder.join(format!("{round}-{which}.db"));
            let took = match which {
                0 => {
                    let (store, took) = definitions::store(&database, &files).await?;
                    store.close().await;
                    took
                }
                _ => {
                    writeln!(questions, "{}", database.display())?;
                    let mut line = String::new();
                    answers.read_line(&mut line)?;
                    serde_json::from_str(&line).context("better-sqlite3 has ended")?
                }
            };
            let (_, walls, cpus) = &mut times[which];
            walls.add(Duration::from_secs_f64(took.wall));
            cpus.add(Duration::from_secs_f64(took.cpu));
        }
    }
    drop(questions);
    node.wait()?;
    for (name, wall, cpu) in &times {
        println!("{}", wall.line(&format!("{name}, by the clock")));
        println!("{}", cpu.line(&format!("{name}, of the processors")));
        // The best of ours does not count: its median is held against the best of the other.
        println!(
            "{name}: {:.0} definitions a second in the median, {:.0} at best",
            symbols as f64 / wall.at(0.5).as_secs_f64(),
            symbols as f64 / wall.at(0.0).as_secs_f64()
        );
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The sources with their definitions, and nothing else of them.
fn parsed(sources: &Path) -> Result<Vec<(FileRecord, Document)>> {
    let mut parser = Parser::default();
    let mut files = Vec::new();
    for (number, (language, source)) in corpus::read(sources)?.into_iter().enumerate() {
        let path = RepoPath::new(format!("{number}"))?;
        files.extend(definitions::of_file(&mut parser, number, path, language, source)?);
    }
    Ok(files)
}

fn write_rows(path: &Path, files: &[(FileRecord, Document)]) -> Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let row = |symbol: &Symbol| {
        serde_json::json!([
            symbol.name,
            symbol.kind.as_str(),
            symbol.parent,
            symbol.span.start,
            symbol.span.end,
            symbol.lines.start,
            symbol.lines.end,
            symbol.signature,
            symbol.doc
        ])
    };
    for (_, document) in files {
        let rows: Vec<_> = document.symbols.iter().map(row).collect();
        writeln!(file, "{}", serde_json::to_string(&rows)?)?;
    }
    Ok(file.flush()?)
}
