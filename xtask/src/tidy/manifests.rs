//! What the manifests have to say: dependencies once, at the root, with a reason; lints from the workspace.

use toml::{Table, Value};

use crate::finding::Finding;
use crate::workspace::TextFile;

/// Checks the manifest of the workspace and those of its members.
pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml")) {
        if super::layout::is_data(&file.path) {
            continue;
        }
        match file.text.parse::<Table>() {
            Err(error) => findings.push(Finding::new(
                &*file.path,
                1,
                format!("is not TOML: {}", error.message()),
                "correct it",
            )),
            Ok(_) if file.path == "Cargo.toml" => findings.extend(workspace_dependencies(file)),
            // The root of a workspace of its own has nothing to inherit from.
            Ok(manifest) if manifest.contains_key("workspace") => {}
            Ok(manifest) => findings.extend(member(file, &manifest)),
        }
    }
    findings
}

/// Each dependency has a comment on its line, or stands in a paragraph that begins with one.
fn workspace_dependencies(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut inside = false;
    let mut commented_paragraph = false;
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if line.is_empty() {
            commented_paragraph = false;
        } else if line.starts_with('#') {
            commented_paragraph = true;
        } else if inside
            && !commented_paragraph
            && !line.contains(" #")
            && let Some((name, _)) = line.split_once('=')
        {
            findings.push(Finding::new(
                &*file.path,
                number + 1,
                format!("dependency `{}` has no reason", name.trim()),
                "say behind it what it is for, or put it into a group that has a heading",
            ));
        }
    }
    findings
}

fn member(file: &TextFile, manifest: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    let inherits = |table: Option<&Value>| {
        table.and_then(|t| t.get("workspace")).and_then(Value::as_bool).unwrap_or_default()
    };
    if !inherits(manifest.get("lints")) {
        findings.push(Finding::new(
            &*file.path,
            1,
            "the lints of the workspace are not inherited",
            "add `[lints]` with `workspace = true`",
        ));
    }
    for (name, value) in dependencies(manifest) {
        if !inherits(Some(value)) {
            findings.push(Finding::new(
                &*file.path,
                line_of(&file.text, name),
                format!("dependency `{name}` does not come from the workspace"),
                "put it under [workspace.dependencies] of the root and write `workspace = true` here",
            ));
        }
    }
    findings
}

/// The entries of all dependency tables, those of targets too.
fn dependencies(manifest: &Table) -> Vec<(&str, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(|table| table.values().filter_map(Value::as_table));
    let mut found = Vec::new();
    for owner in [manifest].into_iter().chain(targets) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = owner.get(kind).and_then(Value::as_table);
            found.extend(table.into_iter().flatten().map(|(name, value)| (name.as_str(), value)));
        }
    }
    found
}

/// The 1-based line on which the entry stands, written as `name = …`, `name.key = …` or `[….name]`.
pub(super) fn line_of(text: &str, name: &str) -> usize {
    let found = text.lines().position(|line| {
        let line = line.trim().trim_end_matches(']');
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
            || (line.starts_with('[') && line.ends_with(&format!(".{name}")))
    });
    found.map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<(usize, String)> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&[file]).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn a_dependency_of_the_workspace_has_a_reason() {
        let text = "[workspace.dependencies]\n# Ours.\na = \"1\"\nb = \"1\"\n\nc = \"1\"\nd = \"1\"  # what for\n\n\
                    [workspace.lints.rust]\ne = \"warn\"\n";
        assert_eq!(findings("Cargo.toml", text), [(6, "dependency `c` has no reason".to_owned())]);
    }

    #[test]
    fn members_inherit_dependencies_and_lints() {
        let good = "[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }\n\
                    [target.'cfg(unix)'.dependencies]\nc.workspace = true\n[lints]\nworkspace = true\n";
        assert!(findings("crates/x/Cargo.toml", good).is_empty());

        let bad = "[dependencies]\nab.workspace = true\na = \"1\"\n[target.'cfg(unix)'.build-dependencies.c]\n\
                   version = \"2\"\n";
        assert_eq!(
            findings("crates/x/Cargo.toml", bad),
            [
                (1, "the lints of the workspace are not inherited".to_owned()),
                (3, "dependency `a` does not come from the workspace".to_owned()),
                (4, "dependency `c` does not come from the workspace".to_owned()),
            ]
        );
    }

    #[test]
    fn a_workspace_of_its_own_inherits_nothing() {
        assert!(findings("crates/x/fuzz/Cargo.toml", "[workspace]\n[dependencies]\na = \"1\"\n").is_empty());
    }

    #[test]
    fn a_manifest_that_is_no_toml_is_a_finding() {
        assert_eq!(findings("crates/x/Cargo.toml", "[").len(), 1);
    }
}
