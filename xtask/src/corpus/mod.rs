//! `cargo xtask corpus`: fetches the source trees that benchmarks and stress tests read.
//!
//! Packages are pinned by version and checksum in `benches/corpora/default.toml` and come through the clients of their
//! registries, so a corpus is the same bytes wherever it is fetched. Each is unpacked to
//! `benches/corpus/<language>/<package>-<version>/`, which git ignores. Files are left as their authors publish them:
//! generated, minified and very long ones are part of what an indexer meets.

mod archive;
mod manifest;
mod registry;
mod stamp;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;
use manifest::{COPYRIGHT, Manifest, Package};
use registry::Clients;
use stamp::Stamp;

/// Where the packages go, from the root of the repository.
pub(crate) const FOLDER: &str = "benches/corpus";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the small packages, one a language.
    #[arg(long)]
    quick: bool,
    /// Fetch nothing: verify that every package is there, file by file.
    #[arg(long)]
    check: bool,
    /// The list of packages, from the root of the repository.
    #[arg(long, value_name = "FILE", default_value = "benches/corpora/default.toml")]
    manifest: PathBuf,
    /// Where the packages go, from the root of the repository.
    #[arg(long, value_name = "FOLDER", default_value = FOLDER)]
    into: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    let manifest = Manifest::read(&root.join(&options.manifest))?;
    let folder = root.join(&options.into);
    let packages: Vec<&Package> = manifest.packages.iter().filter(|p| p.quick || !options.quick).collect();
    provide_all(&packages, &folder, options.check)
}

/// Makes sure that the packages of a list are there, both named from the root of the repository.
pub(crate) fn fetch(manifest: &str, into: &str) -> Result<()> {
    let root = workspace::root();
    let manifest = Manifest::read(&root.join(manifest))?;
    provide_all(&manifest.packages.iter().collect::<Vec<_>>(), &root.join(into), false)
}

fn provide_all(packages: &[&Package], folder: &Path, check_only: bool) -> Result<()> {
    let mut clients = Clients::default();
    let mut failed = 0;
    for package in packages {
        let result = if check_only { check(package, folder) } else { provide(package, folder, &mut clients) };
        match result {
            Ok(state) => println!("{:<9} {package}", state),
            Err(error) => {
                failed += 1;
                println!("{:<9} {package}: {error:#}", "FAILED");
            }
        }
    }
    drop(clients);
    // Only what other runs use at this moment keeps it from going.
    let _ = fs::remove_dir(folder.join(".fetching"));
    println!();
    table::print(packages, folder)?;
    if failed > 0 {
        bail!("{failed} of {} packages failed", packages.len());
    }
    Ok(())
}

/// Makes sure that the package is there, and fetches it if it is not. Says what was done.
fn provide(package: &Package, folder: &Path, clients: &mut Clients) -> Result<&'static str> {
    if Stamp::read(package, folder).is_some_and(|stamp| stamp.is_of(package))
        && folder.join(package.folder()).is_dir()
    {
        return Ok("present");
    }
    // Both are taken away if anything fails, so that what is there is always whole.
    let work = Scratch::new(folder, package)?;
    let file = clients.fetch(package, &work.path("archive")?)?;
    package.verify(&file)?;
    let tree = work.path("tree")?;
    let unpacked = archive::unpack(&file, package, &tree)?;
    if let Some(packaging) = &package.packaging {
        let file = file.with_file_name(&packaging.file);
        manifest::verify(&file, &packaging.sha256)?;
        archive::unpack_one(&file, COPYRIGHT, &tree)?;
    }
    let stamp = Stamp::of(package, &tree)?;

    let target = folder.join(package.folder());
    if target.exists() {
        fs::remove_dir_all(&target).with_context(|| format!("failed to replace {}", target.display()))?;
    }
    let parent = target.parent().context("a package has a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))?;
    fs::rename(&tree, &target)
        .with_context(|| format!("failed to move the files to {}", target.display()))?;
    stamp.write(package, folder)?;
    if unpacked.skipped > 0 {
        println!("          {package}: {} links or unusable paths left out", unpacked.skipped);
    }
    Ok("fetched")
}

fn check(package: &Package, folder: &Path) -> Result<&'static str> {
    let Some(stamp) = Stamp::read(package, folder) else {
        bail!("not fetched; run `cargo xtask corpus`");
    };
    if !stamp.is_of(package) {
        bail!("fetched from another version of the list; run `cargo xtask corpus`");
    }
    stamp.compare(&Stamp::of(package, &folder.join(package.folder()))?)?;
    Ok("verified")
}

/// A folder that goes when it is dropped, on the same file system as the corpus so that its content can be moved.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: &Path, package: &Package) -> Result<Self> {
        let scratch = Self(folder.join(".fetching").join(package.stem()));
        if scratch.0.exists() {
            fs::remove_dir_all(&scratch.0)
                .with_context(|| format!("failed to clear {}", scratch.0.display()))?;
        }
        Ok(scratch)
    }

    /// A new folder within.
    fn path(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir_all(&path).with_context(|| format!("failed to create {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is cleared by the next run.
        let _ = fs::remove_dir_all(&self.0);
    }
}
