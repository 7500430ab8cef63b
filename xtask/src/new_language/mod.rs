//! `cargo xtask new-language`: writes what a new language of ast-core-parse begins with.
//!
//! All files are read and changed in memory first, so that a language that is there already, or a file that is not as
//! expected, leaves everything as it was.

mod edits;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name, as in output and filters: lower case letters and digits.
    name: String,
    /// The extensions of its files, without the dot.
    #[arg(required = true)]
    extensions: Vec<String>,
    /// The crate of its grammar, such as `tree-sitter-lua`.
    #[arg(long = "crate", value_name = "CRATE")]
    grammar: String,
    /// The version of that crate, as it is to stand in the manifest and in the lock file.
    #[arg(long)]
    version: String,
}

const TEMPLATE: &str = include_str!("templates/language.txt");
const LANGUAGES: &str = "crates/ast-core-parse/src/languages";

/// Names that cannot be those of a module.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

pub(crate) fn run(options: &Options) -> Result<()> {
    for path in write(&workspace::root(), options)? {
        println!("wrote {}", path.display());
    }
    println!(
        "next: `cargo xtask test -- -p ast-core-parse --features all-languages`; docs/adding-a-language.md has the way \
         from here"
    );
    Ok(())
}

/// Writes what is new or changed below `root`; its paths from there.
fn write(root: &Path, options: &Options) -> Result<Vec<PathBuf>> {
    check(options)?;
    let (name, grammar) = (options.name.as_str(), options.grammar.as_str());
    let folder = Path::new(LANGUAGES).join(name);
    if root.join(&folder).exists() {
        bail!("{} exists; expected a language that is not there yet", folder.display());
    }
    let mut written = Vec::new();
    let mut change = |path: &str, edit: &dyn Fn(&str) -> Result<String>| {
        let text = fs::read_to_string(root.join(path)).with_context(|| format!("failed to read {path}"))?;
        written
            .push((PathBuf::from(path), edit(&text).with_context(|| format!("{path} is left as it was"))?));
        anyhow::Ok(())
    };
    change("Cargo.toml", &|text| edits::dependency(text, grammar, &options.version))?;
    change("crates/ast-core-parse/Cargo.toml", &|text| edits::grammar_feature(text, name, grammar))?;
    change("crates/ast-core-engine/Cargo.toml", &|text| edits::passed_on_feature(text, name))?;
    change("crates/ast-core-parse/src/languages/mod.rs", &|text| edits::list(text, name))?;
    change("crates/ast-core-parse/fuzz/src/lib.rs", &|text| edits::letter(text, name))?;
    written.push((folder.join("mod.rs"), module(options)));
    let first = format!("first.{}", options.extensions[0]);
    written.push((folder.join("fixtures").join(first), "first\n".to_owned()));
    fs::create_dir_all(root.join(&folder).join("fixtures"))
        .with_context(|| format!("failed to create {}", folder.display()))?;
    for (path, text) in &written {
        fs::write(root.join(path), text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(written.into_iter().map(|(path, _)| path).collect())
}

fn check(options: &Options) -> Result<()> {
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !is_word(&options.name) || KEYWORDS.contains(&options.name.as_str()) {
        bail!(
            "{:?} cannot be the name of a language; expected lower case letters and digits, and no keyword of Rust",
            options.name
        );
    }
    let is_extension = |text: &String| !text.is_empty() && !text.contains(['.', '/', '\\', '"']);
    if let Some(extension) = options.extensions.iter().find(|extension| !is_extension(extension)) {
        bail!("{extension:?} is not an extension; expected one without the dot, such as `rs`");
    }
    let is_part_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if options.grammar.is_empty() || !options.grammar.bytes().all(is_part_of_name) {
        bail!("{:?} is not the name of a crate", options.grammar);
    }
    // The lock file has all three numbers, and a test compares them.
    let numbers: Vec<&str> = options.version.split('.').collect();
    if numbers.len() < 3 || !numbers[..2].iter().all(|number| number.parse::<u32>().is_ok()) {
        bail!("{:?} is not a version; expected one such as 0.24.1", options.version);
    }
    Ok(())
}

/// The language's own module.
fn module(options: &Options) -> String {
    let name = &options.name;
    let title = name[..1].to_ascii_uppercase() + &name[1..];
    let extensions: Vec<String> =
        options.extensions.iter().map(|extension| format!("{extension:?}")).collect();
    TEMPLATE
        .replace("@TITLE@", &title)
        .replace("@STATIC@", &name.to_ascii_uppercase())
        .replace("@NAME@", name)
        .replace("@EXTENSIONS@", &extensions.join(", "))
        .replace("@CRATE@", &options.grammar)
        .replace("@CRATE_IDENT@", &options.grammar.replace('-', "_"))
        .replace("@VERSION@", &options.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: [&str; 5] = [
        "Cargo.toml",
        "crates/ast-core-parse/Cargo.toml",
        "crates/ast-core-engine/Cargo.toml",
        "crates/ast-core-parse/src/languages/mod.rs",
        "crates/ast-core-parse/fuzz/src/lib.rs",
    ];

    fn options(name: &str) -> Options {
        Options {
            name: name.to_owned(),
            extensions: vec!["cob".to_owned(), "cbl".to_owned()],
            grammar: format!("tree-sitter-{name}"),
            version: "1.2.3".to_owned(),
        }
    }

    /// The files of this repository that are changed, copied.
    fn copy() -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for path in CHANGED {
            fs::create_dir_all(copy.path().join(path).parent().unwrap()).unwrap();
            fs::copy(workspace::root().join(path), copy.path().join(path)).unwrap();
        }
        copy
    }

    fn read(root: &Path) -> Vec<String> {
        CHANGED.iter().map(|path| fs::read_to_string(root.join(path)).unwrap()).collect()
    }

    #[test]
    fn each_place_gets_its_line_in_order() {
        let copy = copy();
        let before = read(copy.path());
        let written = write(copy.path(), &options("cobol")).unwrap();
        assert_eq!(written.len(), CHANGED.len() + 2);
        let added: Vec<Vec<String>> = before
            .iter()
            .zip(read(copy.path()))
            .map(|(before, after)| {
                after
                    .lines()
                    .filter(|line| !before.lines().any(|old| old == *line))
                    .map(str::to_owned)
                    .collect()
            })
            .collect();
        assert_eq!(added[0], ["tree-sitter-cobol = \"1.2.3\""]);
        assert_eq!(added[1].len(), 3, "{added:?}");
        assert!(
            added[1][0].starts_with("all-languages = [\"default\", ") && added[1][0].contains("\"cobol\"")
        );
        assert_eq!(added[1][1], "cobol = [\"dep:tree-sitter-cobol\"]");
        assert_eq!(added[1][2], "tree-sitter-cobol = { workspace = true, optional = true }");
        assert_eq!(added[2], ["cobol = [\"ast-core-parse/cobol\"]"]);
        assert_eq!(
            added[3],
            [
                "#[cfg(feature = \"cobol\")]",
                "mod cobol;",
                "    #[cfg(feature = \"cobol\")]",
                "    &cobol::COBOL,"
            ]
        );
        assert!(added[4].iter().any(|line| line.contains("\"cobol\"")), "{added:?}");
        // Between its neighbours.
        let after = read(copy.path());
        let follows =
            |text: &str, first: &str, second: &str| text.find(first).unwrap() < text.find(second).unwrap();
        assert!(follows(&after[0], "tree-sitter-c-sharp = ", "tree-sitter-cobol = "));
        assert!(follows(&after[0], "tree-sitter-cobol = ", "tree-sitter-cpp = "));
        assert!(follows(&after[2], "c = [", "cobol = [") && follows(&after[2], "cobol = [", "cpp = ["));
        assert!(follows(&after[3], "mod c;", "mod cobol;") && follows(&after[3], "mod cobol;", "mod cpp;"));
        assert!(follows(&after[3], "&c::C,", "&cobol::") && follows(&after[3], "&cobol::", "&cpp::"));
        let module = copy.path().join(LANGUAGES).join("cobol/mod.rs");
        let module = fs::read_to_string(module).unwrap();
        assert!(module.contains(
            "pub(crate) static COBOL: Spec = Spec::new(\n    \"cobol\",\n    &[\"cob\", \"cbl\"],"
        ));
        assert!(module.contains("tree_sitter_cobol::LANGUAGE") && !module.contains('@'), "{module}");
        assert!(copy.path().join(LANGUAGES).join("cobol/fixtures/first.cob").is_file());
    }

    #[test]
    fn a_second_time_changes_nothing() {
        let copy = copy();
        write(copy.path(), &options("cobol")).unwrap();
        let before = read(copy.path());
        let error = write(copy.path(), &options("cobol")).unwrap_err().to_string();
        assert!(error.contains("cobol exists"), "{error}");
        // Also where the folder alone is gone.
        fs::remove_dir_all(copy.path().join(LANGUAGES).join("cobol")).unwrap();
        assert!(write(copy.path(), &options("cobol")).is_err());
        assert_eq!(read(copy.path()), before);
        assert!(!copy.path().join(LANGUAGES).join("cobol").exists());
    }

    #[test]
    fn a_file_that_is_not_as_expected_leaves_all_as_it_was() {
        let copy = copy();
        fs::write(copy.path().join(CHANGED[4]), "").unwrap();
        let before = read(copy.path());
        let error = format!("{:#}", write(copy.path(), &options("cobol")).unwrap_err());
        assert!(error.contains(CHANGED[4]), "{error}");
        assert_eq!(read(copy.path()), before);
    }

    #[test]
    fn what_cannot_be_a_language_is_refused() {
        let copy = copy();
        for name in ["", "C", "c-sharp", "move", "1c", "a.b"] {
            assert!(write(copy.path(), &options(name)).is_err(), "{name}");
        }
        let refused = |change: &dyn Fn(&mut Options)| {
            let mut options = options("cobol");
            change(&mut options);
            write(copy.path(), &options).unwrap_err().to_string()
        };
        assert!(refused(&|options| options.extensions[1] = ".cbl".to_owned()).contains("without the dot"));
        assert!(refused(&|options| options.version = "1".to_owned()).contains("such as 0.24.1"));
        assert!(refused(&|options| options.grammar = "a b".to_owned()).contains("a b"));
    }

    #[test]
    fn the_template_has_every_list_there_is() {
        let path = workspace::root().join("crates/ast-core-parse/src/languages/mod.rs");
        let text = fs::read_to_string(path).unwrap();
        let body = text
            .split("pub(crate) struct Syntax {")
            .nth(1)
            .and_then(|rest| rest.split("\n}").next())
            .unwrap();
        let fields =
            body.lines().filter_map(|line| line.trim().strip_prefix("pub(crate) ")?.split(':').next());
        let missing: Vec<&str> = fields
            .filter(|field| {
                !TEMPLATE.contains(&format!("{field}:")) && !TEMPLATE.contains(&format!("`{field}`"))
            })
            .collect();
        assert!(missing.is_empty(), "not in the template: {missing:?}");
    }
}
