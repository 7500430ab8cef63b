//! Thousands of random edits of a real tree, in rounds: after each the index holds what a new one would hold.
//!
//! `AST_CORE_EDITS` asks for more of them.

use crate::random::{Random, asked_for, tell};
use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{DoctorOptions, Engine, EngineConfig, IndexOptions};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const EDITS_A_ROUND: usize = 100;

const FOLDERS: [&str; 7] = ["", "a", "a/b", "a/b/c", "d", "d/target", "e.rs"];
const NAMES: [&str; 9] =
    ["one.rs", "two.py", "three.ts", "four.java", "five.c", "six.h", "seven", "eight.txt", "nine.gen.rs"];
const RULES: [&str; 6] = ["", "target/\n", "*.gen.rs\n", "*.py\n!two.py\n", "/a/b/\n", "one.*\n"];

/// Something to be in a file: code, broken code, text in UTF-16, a script, no text at all. The number is in it, and many
/// are of the same size.
fn content(random: &mut Random) -> Vec<u8> {
    let number = random.below(900) + 100;
    match random.below(9) {
        0 => Vec::new(),
        1 => format!("\0\x01binary {number}\0").into_bytes(),
        2 => format!("fn broken_{number}( {{{{{{ \"").into_bytes(),
        3 => format!("#!/usr/bin/env python3\ndef script_{number}(x):\n    return x\n").into_bytes(),
        4 => {
            let text = format!("\u{FEFF}def wide_{number}():\n    return 'ä'\n");
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        5 => {
            let functions = 0..random.below(60) + 1;
            let text = |at| {
                format!(
                    "/// Says {at}.\npub fn say_{number}_{at}(to: &str) -> usize {{\n    to.len() + {at}\n}}\n\n"
                )
            };
            functions.map(text).collect::<String>().into_bytes()
        }
        6 => format!("class Pump{number} {{ int open() {{ return {number}; }} }}\n").into_bytes(),
        7 => format!("#include <vector>\nnamespace n{number} {{ class V {{}}; }}\n").into_bytes(),
        _ => format!("pub fn alpha_{number}() {{}}\n").into_bytes(),
    }
}

fn place(root: &Path, random: &mut Random) -> PathBuf {
    root.join(random.pick(&FOLDERS)).join(random.pick(&NAMES))
}

/// Makes way for a path and the folders that it is in: what is there of another kind goes.
fn make_room(root: &Path, path: &Path) {
    for ancestor in path.ancestors().skip(1) {
        if ancestor.starts_with(root) && ancestor != root {
            let is_folder = fs::symlink_metadata(ancestor).is_ok_and(|metadata| metadata.is_dir());
            if !is_folder {
                let _ = fs::remove_file(ancestor);
            }
        }
    }
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders can be made");
    remove(path);
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).expect("a folder can be removed"),
        Ok(_) => fs::remove_file(path).expect("a file can be removed"),
        Err(_) => {}
    }
}

/// Does something to a tree; whether there was something to do it to.
type Edit = fn(&Path, &mut Random) -> bool;

/// What is done, and how often beside the others.
const EDITS: [(&str, usize, Edit); 10] = [
    ("write", 12, |root, random| {
        let path = place(root, random);
        make_room(root, &path);
        fs::write(path, content(random)).is_ok()
    }),
    ("write in place", 4, |root, random| {
        let path = place(root, random);
        path.is_file() && fs::write(path, content(random)).is_ok()
    }),
    ("delete", 4, |root, random| {
        let path = place(root, random);
        let is_there = path.is_file();
        if is_there {
            remove(&path);
        }
        is_there
    }),
    ("rename or move", 6, |root, random| {
        let (from, to) = (place(root, random), place(root, random));
        if !from.is_file() || to.starts_with(&from) || from == to {
            return false;
        }
        make_room(root, &to);
        fs::rename(from, to).is_ok()
    }),
    ("mode", 3, |root, random| {
        let path = place(root, random);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = *random.pick(&[0o644, 0o600, 0o755, 0o444]);
            path.is_file() && fs::set_permissions(path, fs::Permissions::from_mode(mode)).is_ok()
        }
        #[cfg(not(unix))]
        {
            let _ = (path, random);
            false
        }
    }),
    ("times", 4, |root, random| {
        // In the past, in the future, and where it was before while the content changes.
        let path = place(root, random);
        let Ok(before) = path.metadata().and_then(|metadata| metadata.modified()) else { return false };
        if !path.is_file() {
            return false;
        }
        let year = Duration::from_secs(365 * 24 * 3600);
        let time = match random.below(3) {
            0 => SystemTime::now() - 20 * year,
            1 => SystemTime::now() + 20 * year,
            _ => {
                let _ = fs::write(&path, content(random));
                before
            }
        };
        File::options().write(true).open(path).and_then(|file| file.set_modified(time)).is_ok()
    }),
    ("ignore rule", 2, |root, random| {
        let folder = root.join(random.pick(&FOLDERS));
        folder.is_dir()
            && fs::write(folder.join(random.pick(&[".gitignore", ".ast-coreignore"])), random.pick(&RULES))
                .is_ok()
    }),
    ("folder renamed", 2, |root, random| {
        let (from, to) = (root.join(random.pick(&FOLDERS)), root.join(random.pick(&FOLDERS)));
        if from == root || !from.is_dir() || to.starts_with(&from) || from.starts_with(&to) {
            return false;
        }
        make_room(root, &to);
        fs::rename(from, to).is_ok()
    }),
    ("link", 2, |root, random| {
        let (path, to) = (place(root, random), place(root, random));
        make_room(root, &path);
        #[cfg(unix)]
        return std::os::unix::fs::symlink(to, path).is_ok();
        #[cfg(not(unix))]
        return fs::write(path, to.to_string_lossy().as_bytes()).is_ok();
    }),
    ("file and folder change places", 2, |root, random| {
        let path = place(root, random);
        if path.is_dir() {
            remove(&path);
            return fs::write(path, content(random)).is_ok();
        }
        let inner = path.join(random.pick(&NAMES));
        make_room(root, &inner);
        fs::write(inner, content(random)).is_ok()
    }),
];

fn edit(root: &Path, random: &mut Random, counts: &mut BTreeMap<&'static str, usize>) {
    let mut at = random.below(EDITS.iter().map(|(_, weight, _)| weight).sum());
    for (name, weight, apply) in EDITS {
        if at < weight {
            *counts.entry(name).or_default() += usize::from(apply(root, random));
            return;
        }
        at -= weight;
    }
}

#[test]
fn any_edits_end_in_the_rows_of_a_new_index() {
    let wanted = asked_for("AST_CORE_EDITS", 3_000);
    let seed = asked_for("AST_CORE_SEED", 1);
    let mut random = Random(seed as u64);
    let repository = Repository::polyglot();
    let mut counts = BTreeMap::new();
    let fresh = repository.beside("fresh");
    for round in 1.. {
        let done: usize = counts.values().sum();
        if done >= wanted {
            break;
        }
        for _ in 0..EDITS_A_ROUND {
            edit(&repository.root(), &mut random, &mut counts);
        }
        let rebuild = random.below(20) == 0;
        let config = EngineConfig::for_tree(repository.root());
        repository.index_with(config.clone(), &IndexOptions { rebuild, ..IndexOptions::default() });
        fs::create_dir(&fresh).expect("a folder");
        repository.index_with(EngineConfig::new(fresh.join("index.db")), &IndexOptions::default());
        let (kept, new) = (rows::dump(&repository.database()), rows::dump(&fresh.join("index.db")));
        assert!(kept == new, "seed {seed}, round {round}: {}", first_difference(&kept, &new));
        fs::remove_dir_all(&fresh).expect("a folder can be removed");
        // What the rows do not show is the index of words.
        let found =
            block_on(Engine::doctor(config, &DoctorOptions::default())).expect("the index can be read");
        assert_eq!(found.findings, [], "seed {seed}, round {round}");
    }
    tell(format_args!("edits: {} in rounds of {EDITS_A_ROUND}: {counts:?}", counts.values().sum::<usize>()));
    assert!(counts.len() == EDITS.len() && counts.values().all(|count| *count > 0), "{counts:?}");
}

fn first_difference(one: &str, other: &str) -> String {
    let at = one.lines().zip(other.lines()).position(|(a, b)| a != b).unwrap_or(0);
    let show = |text: &str| text.lines().nth(at).unwrap_or("").chars().take(200).collect::<String>();
    format!("line {at}: {:?} instead of {:?}", show(one), show(other))
}
