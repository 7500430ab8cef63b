//! How soon the engine follows: `edit-latency TREE DATABASE [ROUNDS]`.
//!
//! Brings the index at DATABASE up to TREE, which should be a copy: a file in it is edited. Then, so many times:
//!
//! - a function with a new name is added to a file, the file is given to the engine as a job, and a search for the name is
//!   made: from the call to the answer that has it;
//! - the same is done while the tree is watched: from the write to the answer that has it;
//! - a job that parses everything again is paused, resumed and cancelled: from each call to when no processor time is taken
//!   any more, files are done again, and the job is over.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, ensure};
use ast_core_benches::stats::Times;
use ast_core_engine::{
    CancelToken, Engine, EngineConfig, IndexControl, IndexOptions, JobRequest, SearchQuery, WatchOptions,
};
use rustix::time::{ClockId, clock_gettime};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long no processor time must be taken for a job to count as paused.
const STILL: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(tree), Some(database)) = (args.first(), args.get(1)) else {
        anyhow::bail!("usage: edit-latency TREE DATABASE [ROUNDS]");
    };
    let rounds: usize = args.get(2).map_or(Ok(20), |rounds| rounds.parse())?;
    let tree = Path::new(tree).canonicalize()?;
    let engine = Arc::new(Engine::open(EngineConfig::new(database)).await?);
    let report = engine.index(&tree, &IndexOptions::default(), IndexControl::default()).await?;
    let status = engine.status().await?;
    println!(
        "{} lines in {} files; brought up in {:.2} s",
        status.lines,
        status.files.indexed,
        report.elapsed.as_secs_f64()
    );
    let files = sources(&tree)?;
    let edited = files.iter().step_by((files.len() / rounds).max(1)).take(rounds);
    engine.search(&SearchQuery::new("warm up")).await?;

    let (mut jobs, mut watched) = (Times::default(), Times::default());
    for (round, file) in edited.clone().enumerate() {
        let name = format!("zyx_probe_{round}_{}", std::process::id());
        let before = add_function(file, &name)?;
        let begin = Instant::now();
        let id = engine.submit(JobRequest::files(&tree, [file.clone()])).await?;
        engine.wait(id).await?;
        ensure!(finds(&engine, &name, file).await?, "{name} is not found in {}", file.display());
        jobs.add(begin.elapsed());
        std::fs::write(file, before)?;
        let id = engine.submit(JobRequest::files(&tree, [file.clone()])).await?;
        engine.wait(id).await?;
    }
    println!("{}", jobs.line("one file as a job, to the answer"));

    let cancel = CancelToken::new();
    let (ready, mut is_ready) = tokio::sync::mpsc::unbounded_channel();
    let watch = {
        let (engine, tree, cancel) = (engine.clone(), tree.clone(), cancel.clone());
        tokio::spawn(async move {
            engine.watch(&tree, &WatchOptions::default(), &cancel, |_| _ = ready.send(())).await
        })
    };
    is_ready.recv().await.context("the watch ended")?;
    for (round, file) in edited.enumerate() {
        let name = format!("zyx_watch_{round}_{}", std::process::id());
        let begin = Instant::now();
        let before = add_function(file, &name)?;
        while !finds(&engine, &name, file).await? {
            ensure!(begin.elapsed() < Duration::from_secs(10), "{name} is not found in {}", file.display());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        watched.add(begin.elapsed());
        std::fs::write(file, before)?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    cancel.cancel();
    watch.await??;
    println!("{}", watched.line("watched, from the write to the answer"));

    let (mut paused, mut resumed, mut cancelled) = (Times::default(), Times::default(), Times::default());
    for _ in 0..rounds {
        let mut request = JobRequest::tree(&tree);
        request.options.rebuild = true;
        let id = engine.submit(request).await?;
        while engine.job(id).await?.files_done < 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        engine.pause(id).await?;
        paused.add(until_still());
        let done = engine.job(id).await?.files_done;
        tokio::time::sleep(Duration::from_millis(100)).await;
        ensure!(engine.job(id).await?.files_done == done, "a paused job goes on");
        let begin = Instant::now();
        engine.resume(id).await?;
        while engine.job(id).await?.files_done == done {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        resumed.add(begin.elapsed());
        let begin = Instant::now();
        engine.cancel(id).await?;
        engine.wait(id).await?;
        cancelled.add(begin.elapsed());
    }
    println!("{}", paused.line("pause, to no processor time"));
    println!("{}", resumed.line("resume, to the next file"));
    println!("{}", cancelled.line("cancel, to the end of the job"));
    Ok(())
}

/// Waits until the process takes no processor time; how long it did from the call.
fn until_still() -> Duration {
    let begin = Instant::now();
    let spent = || {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
    };
    let (mut last, mut since) = (spent(), begin);
    loop {
        std::thread::sleep(Duration::from_millis(1));
        let now = spent();
        // Looking costs something, too.
        if now - last > Duration::from_micros(500) {
            since = Instant::now();
        } else if since.elapsed() > STILL {
            return since - begin;
        }
        last = now;
    }
}

/// Adds a function to a file; what it was before.
fn add_function(file: &Path, name: &str) -> Result<Vec<u8>> {
    let before = std::fs::read(file)?;
    let mut after = before.clone();
    after.extend_from_slice(format!("\nfn {name}() {{ }}\n").as_bytes());
    std::fs::write(file, after)?;
    Ok(before)
}

async fn finds(engine: &Engine, name: &str, file: &Path) -> Result<bool> {
    let reply = engine.search(&SearchQuery::new(name)).await?;
    Ok(reply.hits.iter().any(|hit| hit.snippet.contains(name) && file.ends_with(hit.path.as_str())))
}

/// The Rust files of a tree that are no tests, of a usual size.
fn sources(tree: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && (4_000..60_000).contains(&entry.metadata()?.len())
            {
                files.push(path);
            }
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "no Rust files of 4 to 60 KB in {}", tree.display());
    Ok(files)
}
