//! Gets archives through the registries' own clients, as they are set up on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::manifest::{Ecosystem, Package};
use crate::process::{self, NPM};

/// The release of Debian that the versions of the corpus are from.
const DEBIAN_RELEASE: &str = "bookworm";

/// The keys that Debian signs its releases with.
const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The clients, and what they keep between packages.
#[derive(Default)]
pub(super) struct Clients {
    /// Lists of Debian's sources, which are read once.
    apt: Option<Apt>,
}

impl Clients {
    /// Leaves the package's archive in the folder, unverified, and returns its path.
    pub(super) fn fetch(&mut self, package: &Package, folder: &Path) -> Result<PathBuf> {
        match package.ecosystem {
            Ecosystem::Cargo => cargo(package, folder)?,
            Ecosystem::Npm => npm(package, folder)?,
            Ecosystem::Pypi => pip(package, folder)?,
            Ecosystem::Debian => {
                let apt = match self.apt.take() {
                    Some(apt) => apt,
                    None => Apt::new(folder)?,
                };
                self.apt.insert(apt).source(package, folder)?;
            }
        }
        let file = folder.join(&package.file);
        if !file.is_file() {
            let names =
                fs::read_dir(folder)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            bail!("expected the archive {}, received {}", package.file, names.collect::<Vec<_>>().join(", "));
        }
        Ok(file)
    }
}

/// Cargo keeps the archive of a package that it describes. Asking for the description fetches that one package, where
/// a manifest that depends on it would fetch all that it depends on.
fn cargo(package: &Package, folder: &Path) -> Result<()> {
    let spec = format!("{}@{}", package.name, package.version);
    // Outside the workspace, so that its lock file has no say.
    process::output(
        process::cargo().args(["info", "--quiet", "--registry", "crates-io", &spec]).current_dir(folder),
    )?;
    let caches = cargo_home()?.join("registry/cache");
    let registries = fs::read_dir(&caches).with_context(|| format!("failed to list {}", caches.display()))?;
    let archives = registries.flatten().map(|registry| registry.path().join(&package.file));
    let mut archives: Vec<PathBuf> = archives.filter(|path| path.is_file()).collect();
    // Several registries may have the name; the checksum tells which one is meant. If none is, the caller complains.
    archives.sort_by_key(|path| package.verify(path).is_err());
    let archive = archives.first().with_context(|| format!("cargo left no archive {}", package.file))?;
    fs::copy(archive, folder.join(&package.file))
        .with_context(|| format!("failed to copy {}", archive.display()))?;
    Ok(())
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    Ok(std::env::home_dir().context("the home folder is unknown; set CARGO_HOME")?.join(".cargo"))
}

fn npm(package: &Package, folder: &Path) -> Result<()> {
    let spec = format!("{}@{}", package.name, package.version);
    process::output(
        Command::new(NPM).args(["pack", "--ignore-scripts", "--loglevel=error", &spec]).current_dir(folder),
    )?;
    Ok(())
}

/// The wheel that fits every platform: it is made of plain files, where building a source distribution would run the
/// package's code.
fn pip(package: &Package, folder: &Path) -> Result<()> {
    let spec = format!("{}=={}", package.name, package.version);
    process::output(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args([
                "--platform",
                "any",
                "--implementation",
                "py",
                "--abi",
                "none",
                "--python-version",
                "3.12",
            ])
            .args(["--dest", ".", &spec])
            .current_dir(folder),
    )?;
    Ok(())
}

/// apt with lists of its own, so that neither the machine's configuration nor root is needed.
struct Apt {
    /// Options that point it at the private lists.
    options: Vec<String>,
    /// Where these are.
    home: PathBuf,
}

impl Apt {
    fn new(scratch: &Path) -> Result<Self> {
        // Beside the packages' own scratch folders, because it outlives the first one's.
        let home = scratch.ancestors().nth(2).unwrap_or(scratch).join("apt");
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(home.join(folder)).context("failed to create folders for apt")?;
        }
        let list = home.join("sources.list");
        let mirror = debian_mirror()?;
        fs::write(&list, format!("deb-src [signed-by={DEBIAN_KEYS}] {mirror} {DEBIAN_RELEASE} main\n"))
            .context("failed to write a list of sources for apt")?;
        let option = |key: &str, value: &Path| format!("--option={key}={}", value.display());
        let options = vec![
            option("Dir::Etc::SourceList", &list),
            "--option=Dir::Etc::SourceParts=-".to_owned(),
            option("Dir::State", &home.join("state")),
            option("Dir::Cache", &home.join("cache")),
            // As root, apt would give up its rights and then not reach the folder.
            "--option=APT::Sandbox::User=".to_owned(),
            "--quiet=2".to_owned(),
        ];
        let apt = Self { options, home };
        process::output(Command::new("apt-get").args(&apt.options).arg("update"))?;
        Ok(apt)
    }

    fn source(&self, package: &Package, folder: &Path) -> Result<()> {
        let spec = format!("{}={}", package.name, package.version);
        process::output(
            Command::new("apt-get")
                .args(&self.options)
                .args(["source", "--download-only", &spec])
                .current_dir(folder),
        )
        .with_context(|| format!("if Debian {DEBIAN_RELEASE} has a newer version now, pin that one"))?;
        Ok(())
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        // What stays behind is used again by the next run.
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// The mirror that this machine gets its Debian packages from.
fn debian_mirror() -> Result<String> {
    let targets = process::output(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]))
        .context("packages from Debian need apt")?;
    mirror_of(&targets).context("apt on this machine knows no mirror of Debian; leave these packages out")
}

/// Picks the mirror of the main archive from apt's list of repositories.
fn mirror_of(targets: &str) -> Option<String> {
    let mut mirrors = targets.lines().map(str::trim);
    mirrors.find(|uri| uri.trim_end_matches('/').ends_with("/debian")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_the_main_archive() {
        let targets =
            "https://m.example/debian-security/\nhttps://m.example/debian/\nhttps://other.example/tools/\n";
        assert_eq!(mirror_of(targets).as_deref(), Some("https://m.example/debian/"));
        assert_eq!(mirror_of("https://m.example/ubuntu/\n"), None);
    }
}
