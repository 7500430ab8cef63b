//! The types of the native library, as napi's macros write them down while it is compiled: `native.d.ts`, which is checked
//! in, so that a change of what crosses over is seen where it is reviewed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Build, CRATE, package_folder};
use crate::workspace;

/// The file, in the package.
const FILE: &str = "native.d.ts";

const HEAD: &str = "\
// What the native library has, as JavaScript sees it. `cargo xtask node build` makes this file of the Rust sources.\n";

/// Names the folder that the macros write to.
const FOLDER: &str = "NAPI_TYPE_DEF_TMP_FOLDER";

/// Has the macros run anew, whatever its value.
const ANEW: &str = "NAPI_FORCE_BUILD_AST_CORE_NODE";

/// Has the build write down types. What is compiled already is not compiled for that, unless what it wrote is gone.
pub(crate) fn prepare(cargo: &mut Command, kind: Build) -> Result<()> {
    let file = written(kind);
    let folder = file.parent().unwrap_or(&file);
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    cargo.env(FOLDER, folder);
    if !file.is_file() {
        cargo.env(ANEW, "1");
    }
    Ok(())
}

/// Where the macros write to. Each profile has a file of its own, which is of what was compiled last in that profile.
fn written(kind: Build) -> PathBuf {
    let profile = if kind == Build::Release { "release" } else { "dev" };
    workspace::root().join("target/npm/types").join(profile).join(CRATE)
}

/// Makes the file of what the last build of this kind wrote.
pub(super) fn write(kind: Build) -> Result<()> {
    let file = package_folder()?.join(FILE);
    let made = make(kind)?;
    if fs::read_to_string(&file).ok().as_ref() != Some(&made) {
        fs::write(&file, made).with_context(|| format!("failed to write {}", file.display()))?;
        println!("node: made {FILE} anew");
    }
    Ok(())
}

/// Whether the file is what a build of this kind would make it.
pub(super) fn check(kind: Build) -> Result<()> {
    let file = package_folder()?.join(FILE);
    if fs::read_to_string(&file).ok().as_ref() != Some(&make(kind)?) {
        bail!("{} is not what the sources say; run `cargo xtask node build`", file.display());
    }
    Ok(())
}

fn make(kind: Build) -> Result<String> {
    let file = written(kind);
    let lines = fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    declarations(&lines)
}

/// One item, as the macros describe it.
#[derive(Deserialize)]
struct Item {
    kind: String,
    name: String,
    js_doc: String,
    def: String,
}

/// TypeScript's declarations of the items, in the order of their names.
fn declarations(lines: &str) -> Result<String> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    let mut methods: BTreeMap<String, String> = BTreeMap::new();
    for line in lines.lines() {
        let item: Item =
            serde_json::from_str(line).with_context(|| format!("napi's macros wrote {line:?}"))?;
        if item.kind == "impl" {
            let all = methods.entry(item.name).or_default();
            *all += &item.def;
            all.push('\n');
        } else {
            items.insert(item.name.clone(), item);
        }
    }
    let mut text = HEAD.to_owned();
    for (name, Item { kind, js_doc, def, .. }) in items {
        text.push('\n');
        text += &js_doc;
        text += &match kind.as_str() {
            "interface" => format!("export interface {name} {{\n{}}}\n", indented(&def)),
            "struct" => {
                let body = [def, methods.remove(&name).unwrap_or_default()].join("\n");
                format!("export declare class {name} {{\n{}}}\n", indented(&body))
            }
            "fn" => format!("export declare {def}\n"),
            "const" => format!("{def}\n"),
            other => bail!("napi's macros wrote a {other}, {name}, which nobody has said how to declare"),
        };
    }
    Ok(text)
}

/// The lines that are not empty, two columns further in. Those of methods begin with a blank, where a word might be; those
/// within a comment keep theirs.
fn indented(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines
        .map(|line| format!("  {}\n", if line.starts_with(" *") { line } else { line.trim_start() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_declared_with_all_of_their_methods() {
        let item = |kind: &str, name: &str, def: &str| {
            serde_json::json!({ "kind": kind, "name": name, "js_doc": "/** Told. */\n", "def": def })
                .to_string()
        };
        let lines = [
            item("struct", "Pump", ""),
            item("impl", "Pump", "/**\n * Opens\n * it.\n */\n open(): void"),
            item("fn", "make", "function make(): Pump"),
            item("interface", "Flow", "litres: number\nname: string | null"),
            item("impl", "Pump", "close(): void"),
            item("const", "MOST", "export const MOST: number"),
        ];
        let expected = "
/** Told. */
export interface Flow {
  litres: number
  name: string | null
}

/** Told. */
export const MOST: number

/** Told. */
export declare class Pump {
  /**
   * Opens
   * it.
   */
  open(): void
  close(): void
}

/** Told. */
export declare function make(): Pump
";
        assert_eq!(declarations(&lines.join("\n")).unwrap(), format!("{HEAD}{expected}"));
        assert!(declarations("{}").is_err());
        assert!(declarations(&item("enum", "Kind", "")).is_err());
    }
}
