//! How the files that list languages get one more.

use anyhow::{Result, anyhow, bail};

/// Adds a grammar to the dependencies of the workspace. One crate may have the grammars of several languages.
pub(super) fn dependency(manifest: &str, grammar: &str, version: &str) -> Result<String> {
    let start = format!("{grammar} = ");
    if let Some(line) = manifest.lines().find(|line| line.starts_with(&start)) {
        if line.contains(&format!("\"{version}\"")) {
            return Ok(manifest.to_owned());
        }
        bail!("it has `{line}`; expected no {grammar}, or version {version}");
    }
    // The first is the parser itself.
    insert(
        manifest,
        |line| key_of(line).filter(|key| key.starts_with("tree-sitter-")),
        grammar,
        &[format!("{start}\"{version}\"")],
    )
}

/// Adds a language's feature and its grammar to the parser's manifest.
pub(super) fn grammar_feature(manifest: &str, name: &str, grammar: &str) -> Result<String> {
    let text = add_to_array(manifest, "all-languages = [", name)?;
    let is_feature = |line: &str| line.contains("= [\"dep:tree-sitter-");
    let feature = format!("{name} = [\"dep:{grammar}\"]");
    let text = insert(&text, |line| key_of(line).filter(|_| is_feature(line)), name, &[feature])?;
    let dependency = format!("{grammar} = {{ workspace = true, optional = true }}");
    if text.lines().any(|line| line == dependency) {
        return Ok(text);
    }
    let is_grammar = |line: &str| line.starts_with("tree-sitter-") && line.contains("optional");
    insert(&text, |line| key_of(line).filter(|_| is_grammar(line)), grammar, &[dependency])
}

/// Adds the feature that turns a language of the parser on.
pub(super) fn passed_on_feature(manifest: &str, name: &str) -> Result<String> {
    let passes_on =
        |line: &str| key_of(line).is_some_and(|key| line.ends_with(&format!("[\"ast-core-parse/{key}\"]")));
    let feature = format!("{name} = [\"ast-core-parse/{name}\"]");
    insert(manifest, |line| key_of(line).filter(|_| passes_on(line)), name, &[feature])
}

/// Adds a language's module, and its entry in the list.
pub(super) fn list(source: &str, name: &str) -> Result<String> {
    let cfg = format!("#[cfg(feature = \"{name}\")]");
    let module = |line: &str| line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned);
    let text = insert_with_attribute(source, module, name, &[cfg.clone(), format!("mod {name};")])?;
    // In order of the names of the languages, which are those of the constants in lower case.
    let entry = |line: &str| {
        let (_, constant) = line.strip_prefix("    &")?.strip_suffix(',')?.split_once("::")?;
        Some(constant.to_ascii_lowercase())
    };
    let lines = [format!("    {cfg}"), format!("    &{name}::{},", name.to_ascii_uppercase())];
    insert_with_attribute(&text, entry, name, &lines)
}

/// Adds a language to the end of those that fuzz targets know by letters.
pub(super) fn letter(source: &str, name: &str) -> Result<String> {
    const START: &str = "pub const LANGUAGES: &[&str] = &[";
    let begin = source.find(START).ok_or_else(|| anyhow!("it has no `{START}`"))? + START.len();
    let end =
        begin + source[begin..].find("];").ok_or_else(|| anyhow!("the list of languages does not end"))?;
    let list = source[begin..end].trim_end();
    let entry = format!("\"{name}\"");
    if list.contains(&entry) {
        bail!("it has {entry} already");
    }
    Ok(format!("{}{list}\n    {entry},\n{}", &source[..begin], &source[end..]))
}

/// The key of a line of TOML.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)).then_some(key)
}

/// Adds an entry to an array that stands on one line, in order but for the first.
fn add_to_array(text: &str, start: &str, entry: &str) -> Result<String> {
    let found = text.lines().find(|line| line.starts_with(start) && line.ends_with(']'));
    let line = found.ok_or_else(|| anyhow!("it has no line that begins with `{start}` and ends with `]`"))?;
    let entry = format!("\"{entry}\"");
    let mut entries: Vec<&str> = line[start.len()..line.len() - 1].split(", ").collect();
    let (_, ordered) = entries.split_first().ok_or_else(|| anyhow!("`{line}` is empty"))?;
    if ordered.contains(&entry.as_str()) {
        bail!("it has {entry} already");
    }
    let at = 1 + ordered.iter().position(|other| **other > *entry).unwrap_or(ordered.len());
    entries.insert(at, &entry);
    Ok(text.replacen(line, &format!("{start}{}]", entries.join(", ")), 1))
}

/// Adds lines for `name` before the first line whose key is greater, or after the last that has one.
fn insert<'a>(
    text: &'a str,
    key: impl Fn(&'a str) -> Option<&'a str>,
    name: &str,
    lines: &[String],
) -> Result<String> {
    insert_before(text, |line| key(line).map(str::to_owned), name, lines, 0)
}

/// The same where an attribute stands on the line before each.
fn insert_with_attribute(
    text: &str,
    key: impl Fn(&str) -> Option<String>,
    name: &str,
    lines: &[String],
) -> Result<String> {
    insert_before(text, key, name, lines, 1)
}

fn insert_before<'a>(
    text: &'a str,
    key: impl Fn(&'a str) -> Option<String>,
    name: &str,
    lines: &[String],
    lines_above: usize,
) -> Result<String> {
    let keys: Vec<(usize, String)> =
        text.lines().enumerate().filter_map(|(at, line)| Some((at, key(line)?))).collect();
    if keys.iter().any(|(_, key)| key == name) {
        bail!("it has {name} already");
    }
    let (last, _) = keys.last().ok_or_else(|| anyhow!("it has no list that {name} belongs to"))?;
    let at = match keys.iter().find(|(_, key)| **key > *name) {
        Some((greater, _)) => greater - lines_above,
        None => last + 1,
    };
    let mut all: Vec<&str> = text.lines().collect();
    all.splice(at..at, lines.iter().map(String::as_str));
    Ok(all.join("\n") + "\n")
}
