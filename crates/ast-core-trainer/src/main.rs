//! `ast-core-trainer`: makes the built-in model and measures it. `cargo xtask train-embedder` runs all of it.
#![expect(clippy::print_stdout, reason = "a command line program talks to its user")]

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use ast_core_embed::{Embedder, FeatureHashEmbedder, StaticEmbedder};
use ast_core_trainer::evaluate::{evaluate, questions};
use ast_core_trainer::functions::functions;
use ast_core_trainer::packages::{Exclusions, Manifest};
use ast_core_trainer::pairs::{self, Withheld};
use ast_core_trainer::train::{Recipe, train};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "ast-core-trainer", about = "Makes the built-in model of ast-core-embed, and measures it.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Take pairs of documentation and code out of packages.
    Extract(Extract),
    /// Learn from pairs.
    Train(Train),
    /// Measure how well functions are found.
    Evaluate(Evaluate),
}

#[derive(clap::Args)]
struct Extract {
    /// The list of packages.
    #[arg(long)]
    manifest: PathBuf,
    /// The folder that they are in.
    #[arg(long)]
    packages: PathBuf,
    /// The list of what must not be learned from.
    #[arg(long)]
    excluded: PathBuf,
    /// The list of packages that are measured with.
    #[arg(long)]
    measured_manifest: PathBuf,
    /// The folder that these are in.
    #[arg(long)]
    measured_packages: PathBuf,
    /// Where the pairs go.
    #[arg(long)]
    into: PathBuf,
}

#[derive(clap::Args)]
struct Train {
    /// The pairs.
    #[arg(long)]
    pairs: PathBuf,
    /// Where the table goes.
    #[arg(long)]
    into: PathBuf,
    /// Name and version of the model.
    #[arg(long)]
    name: String,
    /// The cosine up to which texts may be alike by chance, as measured of a model made the same way.
    #[arg(long)]
    noise_floor: f32,
    #[command(flatten)]
    recipe: Recipe,
}

#[derive(clap::Args)]
struct Evaluate {
    /// The list of packages.
    #[arg(long)]
    manifest: PathBuf,
    /// The folder that they are in.
    #[arg(long)]
    packages: PathBuf,
    /// What is asked of them.
    #[arg(long)]
    questions: PathBuf,
    /// The table to measure; without it the built-in one.
    #[arg(long)]
    table: Option<PathBuf>,
    /// Measure feature hashing instead.
    #[arg(long, conflicts_with = "table")]
    hash: bool,
    /// Write each question here, with the ranks of its answer by words, by vectors and by both.
    #[arg(long)]
    ranks: Option<PathBuf>,
}

fn main() -> Result<()> {
    match Cli::parse().verb {
        Verb::Extract(options) => run_extract(&options),
        Verb::Train(options) => run_train(&options),
        Verb::Evaluate(options) => run_evaluate(&options),
    }
}

fn run_extract(options: &Extract) -> Result<()> {
    let manifest = Manifest::read(&options.manifest)?;
    let exclusions = Exclusions::read(&options.excluded)?;
    let measured = Manifest::read(&options.measured_manifest)?;
    let mut withheld = Withheld::default();
    for package in &measured.packages {
        withheld.add(&functions(
            &options.measured_packages.join(package.folder()),
            &package.language,
            |_| true,
        )?);
    }
    let (found, counts) =
        pairs::pairs(&manifest, &options.packages, &exclusions, &withheld, |line| println!("{line}"))?;
    pairs::write(&found, &options.into)?;
    print!("\n{}", pairs::summary(&manifest, &counts));
    Ok(())
}

fn run_train(options: &Train) -> Result<()> {
    let pairs = pairs::read(&options.pairs)?;
    let mut table = train(&pairs, &options.name, &options.recipe, |line| println!("{line}"))?;
    table.noise_floor = options.noise_floor;
    let file = table.encode()?;
    fs::write(&options.into, &file).with_context(|| format!("failed to write {}", options.into.display()))?;
    let model = StaticEmbedder::from_bytes(file)?;
    println!("{} in {}", model.model().id, options.into.display());
    Ok(())
}

fn run_evaluate(options: &Evaluate) -> Result<()> {
    let embedder: Box<dyn Embedder> = match &options.table {
        Some(path) => {
            let bytes = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
            Box::new(StaticEmbedder::from_bytes(bytes)?)
        }
        None if options.hash => Box::new(FeatureHashEmbedder::default()),
        None => Box::new(StaticEmbedder::default()),
    };
    let manifest = Manifest::read(&options.manifest)?;
    let asked = questions::read(&options.questions)?;
    let report = evaluate(&manifest, &options.packages, &asked, &*embedder)?;
    if let Some(path) = &options.ranks {
        let lines = report.ranks.iter().map(|of| {
            let [words, vectors, both] = of.ranks;
            format!("{words}\t{vectors}\t{both}\t{}\t{}\t{}\n", of.package, of.question, of.answer)
        });
        fs::write(path, lines.collect::<String>())
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    print!("{}\n\n{}", embedder.model().id, report.table());
    Ok(())
}
