//! `cargo xtask node pack`: the tarballs of the Node package: the facade, and a package for each platform that there is a
//! library for, as napi's tools lay them out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::{Profile, build, glibc, package_folder};
use crate::process::{self, NPM};
use crate::workspace;

/// Tells the package's tests where its tarballs are.
pub(super) const TARBALLS: &str = "AST_CORE_NODE_TARBALLS";

#[derive(clap::Args)]
pub(super) struct Options {
    /// Where the tarballs go; those that are there already are removed.
    #[arg(long)]
    out: PathBuf,
    /// A folder of libraries that were built elsewhere, by the names that `node build` gives them, to be packed in place
    /// of this machine's.
    #[arg(long)]
    libraries: Option<PathBuf>,
    #[command(flatten)]
    profile: Profile,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let libraries = match &options.libraries {
        Some(libraries) => libraries.clone(),
        None => {
            build(options.profile.build())?;
            package_folder()?
        }
    };
    let glibc = platforms(&manifest()?)?.into_iter().filter(|platform| platform.libc == Some("glibc"));
    for library in glibc.map(|platform| libraries.join(platform.library)).filter(|library| library.is_file())
    {
        glibc::check(&library)?;
    }
    pack(&libraries, &options.out)
}

fn manifest() -> Result<Map<String, Value>> {
    let file = package_folder()?.join("package.json");
    let text = fs::read_to_string(file).context("failed to read package.json")?;
    serde_json::from_str(&text).context("package.json is no JSON object")
}

/// Packs the facade and the libraries of a folder.
pub(super) fn pack(libraries: &Path, out: &Path) -> Result<()> {
    let folder = package_folder()?;
    let manifest = manifest()?;
    let platforms = platforms(&manifest)?;
    fs::create_dir_all(out).with_context(|| format!("failed to make {}", out.display()))?;
    for entry in fs::read_dir(out)?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "tgz") {
            fs::remove_file(entry.path())?;
        }
    }
    let out = out.canonicalize()?;
    let stage = workspace::root().join("target/npm/stage");
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    let mut packed = 0;
    for platform in &platforms {
        let library = libraries.join(&platform.library);
        if library.is_file() {
            stage_platform(&stage.join(&platform.package), platform, &manifest, &library)?;
            tarball(&stage.join(&platform.package), &out)?;
            packed += 1;
        }
    }
    if packed == 0 {
        bail!("{} has no library of any platform; `cargo xtask node build` makes one", libraries.display());
    }
    let facade = stage.join("facade");
    stage_facade(&facade, &folder, manifest, &platforms)?;
    tarball(&facade, &out)?;
    println!("node: packed the facade and {packed} of {} platforms to {}", platforms.len(), out.display());
    Ok(())
}

/// A platform, by the names that it has with npm.
#[derive(Debug, PartialEq)]
struct Platform {
    package: String,
    library: String,
    os: &'static str,
    cpu: &'static str,
    libc: Option<&'static str>,
}

/// The platforms that the package has libraries for.
fn platforms(manifest: &Map<String, Value>) -> Result<Vec<Platform>> {
    let (name, targets) = (&manifest["name"], &manifest["napi"]["targets"]);
    let name = name.as_str().context("package.json has no name")?;
    let targets = targets.as_array().context("package.json has no napi.targets")?;
    targets.iter().map(|target| platform(name, target.as_str().unwrap_or_default())).collect()
}

/// The platform of a target of the compiler.
fn platform(name: &str, target: &str) -> Result<Platform> {
    let mut parts = target.splitn(3, '-');
    let (arch, _vendor, system) = (parts.next(), parts.next(), parts.next());
    let cpu = match arch {
        Some("x86_64") => "x64",
        Some("aarch64") => "arm64",
        _ => bail!("napi.targets has {target:?}, whose processor npm has no known name for"),
    };
    let (os, abi, libc) = match system {
        Some("linux-gnu") => ("linux", "-gnu", Some("glibc")),
        Some("linux-musl") => ("linux", "-musl", Some("musl")),
        Some("darwin") => ("darwin", "", None),
        Some("windows-msvc") => ("win32", "-msvc", None),
        _ => bail!("napi.targets has {target:?}, whose system npm has no known name for"),
    };
    let platform = format!("{os}-{cpu}{abi}");
    Ok(Platform {
        package: format!("{name}-{platform}"),
        library: format!("{name}.{platform}.node"),
        os,
        cpu,
        libc,
    })
}

/// The licences go with each package.
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

fn stage_platform(
    stage: &Path,
    platform: &Platform,
    facade: &Map<String, Value>,
    library: &Path,
) -> Result<()> {
    fs::create_dir_all(stage)?;
    fs::copy(library, stage.join(&platform.library))?;
    let readme = format!(
        "# {}\n\nThe native library of [ast-core-engine](https://www.npmjs.com/package/ast-core-engine) for {} on {}. \
         It is installed with that.\n",
        platform.package, platform.os, platform.cpu
    );
    fs::write(stage.join("README.md"), readme)?;
    let mut manifest = json!({
        "name": platform.package,
        "description": format!("Native library of ast-core-engine for {} on {}.", platform.os, platform.cpu),
        "main": platform.library,
        "files": [&platform.library],
        "os": [platform.os],
        "cpu": [platform.cpu],
    });
    for key in ["version", "license", "repository", "engines"] {
        manifest[key] = facade[key].clone();
    }
    if let Some(libc) = platform.libc {
        manifest["libc"] = json!([libc]);
    }
    finish(stage, manifest)
}

fn stage_facade(
    stage: &Path,
    folder: &Path,
    mut manifest: Map<String, Value>,
    platforms: &[Platform],
) -> Result<()> {
    let files = manifest["files"].as_array().cloned().unwrap_or_default();
    for file in files.iter().filter_map(Value::as_str).chain(["README.md"]) {
        copy(&folder.join(file), &stage.join(file))?;
    }
    for key in ["devDependencies", "scripts"] {
        manifest.shift_remove(key);
    }
    let version = manifest["version"].clone();
    let optional = platforms.iter().map(|platform| (platform.package.clone(), version.clone()));
    manifest.insert("optionalDependencies".into(), Value::Object(optional.collect()));
    finish(stage, Value::Object(manifest))
}

/// Adds what all packages have.
fn finish(stage: &Path, mut manifest: Value) -> Result<()> {
    for license in LICENSES {
        fs::copy(workspace::root().join(license), stage.join(license))?;
    }
    if let Some(files) = manifest["files"].as_array_mut() {
        files.extend(LICENSES.map(Value::from));
    }
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    fs::write(stage.join("package.json"), text)?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)?.flatten() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).with_context(|| format!("failed to copy {}", from.display()))?;
    Ok(())
}

fn tarball(stage: &Path, out: &Path) -> Result<()> {
    let mut npm = Command::new(NPM);
    process::output(npm.args(["pack", "--pack-destination"]).arg(out).current_dir(stage))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_names_that_loaders_look_for() {
        let named = |target: &str| {
            let Platform { package, library, os, cpu, libc } = platform("p", target).unwrap();
            format!("{package} {library} {os} {cpu} {libc:?}")
        };
        assert_eq!(
            named("x86_64-unknown-linux-gnu"),
            "p-linux-x64-gnu p.linux-x64-gnu.node linux x64 Some(\"glibc\")"
        );
        assert_eq!(
            named("aarch64-unknown-linux-musl"),
            "p-linux-arm64-musl p.linux-arm64-musl.node linux arm64 Some(\"musl\")"
        );
        assert_eq!(named("aarch64-apple-darwin"), "p-darwin-arm64 p.darwin-arm64.node darwin arm64 None");
        assert_eq!(named("x86_64-pc-windows-msvc"), "p-win32-x64-msvc p.win32-x64-msvc.node win32 x64 None");
        assert!(platform("p", "riscv64gc-unknown-linux-gnu").is_err());
        assert!(platform("p", "wasm32-wasip1-threads").is_err());
    }
}
