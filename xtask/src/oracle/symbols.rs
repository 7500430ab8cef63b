//! Compares the definitions of both sides.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::{Serialize, Serializer};

use super::corpus::Corpus;
use super::ctags::{Ctags, Tag};
use super::engine::{Engine, Symbol};
use super::language::Language;
use super::source::Source;
use super::{names, rules};

/// What came of a language.
#[derive(Serialize, Default)]
pub(super) struct Comparison {
    pub(super) files: usize,
    /// What the engine said about files that it could not read.
    pub(super) failures: Vec<String>,
    /// By ctags' kind.
    pub(super) kinds: BTreeMap<String, Counts>,
    /// Tags of kinds that are not asked for.
    pub(super) not_asked: BTreeMap<String, usize>,
    /// Tags that we lack, by class.
    #[serde(serialize_with = "sizes")]
    pub(super) missing: BTreeMap<String, Vec<Place>>,
    /// Tags in which ctags is wrong, by rule.
    #[serde(serialize_with = "sizes")]
    pub(super) set_aside: BTreeMap<String, Vec<Place>>,
    /// Our definitions, by our kind.
    pub(super) ours: BTreeMap<String, usize>,
    /// Those of them that ctags does not know.
    #[serde(serialize_with = "sizes")]
    pub(super) unknown: BTreeMap<String, Vec<Place>>,
}

/// Tags of one kind.
#[derive(Serialize, Default, Clone, Copy, Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) tags: usize,
    /// Those that we report with the same name on the same line.
    pub(super) same: usize,
    /// Those in which ctags is wrong.
    pub(super) set_aside: usize,
}

impl Counts {
    /// The share of same ones among those in which ctags is right, in percent; all, if there are none.
    pub(super) fn share(self) -> f64 {
        let right = self.tags - self.set_aside;
        if right == 0 { 100.0 } else { 100.0 * self.same as f64 / right as f64 }
    }

    pub(super) fn missing(self) -> usize {
        self.tags - self.set_aside - self.same
    }

    fn add(&mut self, other: Self) {
        self.tags += other.tags;
        self.same += other.same;
        self.set_aside += other.set_aside;
    }
}

/// Where something is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) name: String,
    /// The line as it stands there.
    pub(super) text: String,
}

/// One of our definitions, and the lines that its name may be on.
pub(super) struct Located {
    pub(super) symbol: Symbol,
    pub(super) lines: Vec<u32>,
}

/// Asks both sides and compares.
pub(super) fn compare(
    engine: &Engine,
    corpus: &Corpus,
    languages: &[Language],
) -> Result<Vec<(Language, Comparison)>> {
    let ctags = Ctags::new()?;
    println!("oracle: {}", ctags.version);
    let mut results = Vec::new();
    for &language in languages {
        let files = corpus.files(language, engine)?;
        let mut tags: BTreeMap<String, Vec<Tag>> = BTreeMap::new();
        for tag in ctags.ask(language, corpus.folder(), &files)? {
            tags.entry(tag.path.clone()).or_default().push(tag);
        }
        let answer = engine.ask("symbols", corpus.folder(), &files)?;
        let mut symbols: BTreeMap<String, Vec<Symbol>> = BTreeMap::new();
        for symbol in answer.symbols {
            symbols.entry(symbol.path.clone()).or_default().push(symbol);
        }
        let mut comparison = Comparison { failures: answer.failures, ..Comparison::default() };
        for file in &files {
            let tags = tags.get(file).map_or(&[][..], Vec::as_slice);
            let mut symbols = symbols.remove(file).unwrap_or_default();
            if symbols.is_empty() && !tags.is_empty() {
                // The parser's time is that of the clock, and a large file may not get enough of it beside others.
                symbols = engine.ask("symbols", corpus.folder(), std::slice::from_ref(file))?.symbols;
            }
            comparison.add(language, &corpus.read(file)?, tags, symbols);
        }
        results.push((language, comparison));
    }
    Ok(results)
}

impl Comparison {
    /// The counts of all kinds together.
    pub(super) fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.kinds.values().for_each(|counts| total.add(*counts));
        total
    }

    /// Compares what both sides say of one file.
    pub(super) fn add(&mut self, language: Language, source: &Source, tags: &[Tag], symbols: Vec<Symbol>) {
        let located = |symbol| Located { lines: names::lines(&symbol, source), symbol };
        let symbols: Vec<Located> = symbols.into_iter().map(located).collect();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, located) in symbols.iter().enumerate() {
            by_name.entry(plain(&located.symbol.name)).or_default().push(index);
        }
        self.files += 1;
        let mut known = BTreeSet::new();
        for tag in tags {
            if !language.kinds().contains(&tag.kind.as_str()) {
                *self.not_asked.entry(tag.kind.clone()).or_default() += 1;
                continue;
            }
            let of_name = by_name.get(&plain(&tag.name)).map_or(&[][..], Vec::as_slice);
            let same: Vec<usize> =
                of_name.iter().copied().filter(|&index| is_same(tag, &symbols[index])).collect();
            let counts = self.kinds.entry(tag.kind.clone()).or_default();
            counts.tags += 1;
            if !same.is_empty() {
                known.extend(same);
                counts.same += 1;
                continue;
            }
            let place = place(source, &tag.path, tag.line, &tag.name);
            if let Some(rule) = rules::applying(language, tag, source, &symbols) {
                counts.set_aside += 1;
                self.set_aside.entry(rule.to_owned()).or_default().push(place);
                continue;
            }
            let spans = |index: &&usize| {
                let symbol = &symbols[**index].symbol;
                (symbol.start_line..=symbol.end_line).contains(&tag.line)
            };
            let class = class(language, tag, source, of_name.iter().find(spans).is_some());
            self.missing.entry(class).or_default().push(place);
        }
        for (index, located) in symbols.iter().enumerate() {
            let symbol = &located.symbol;
            *self.ours.entry(symbol.kind.clone()).or_default() += 1;
            if !known.contains(&index) {
                let line = located.lines.first().copied().unwrap_or(symbol.start_line);
                let place = place(source, &symbol.path, line, &symbol.name);
                self.unknown.entry(symbol.kind.clone()).or_default().push(place);
            }
        }
    }
}

/// Writes how many are in each class.
pub(super) fn sizes<T, S: Serializer>(
    classes: &BTreeMap<String, Vec<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(classes.iter().map(|(class, places)| (class, places.len())))
}

/// Whether they are the same definition, if their names are the same.
fn is_same(tag: &Tag, located: &Located) -> bool {
    // Of an implementation, which has no name of its own, ctags tells the line of the keyword.
    located.lines.contains(&tag.line)
        || (tag.kind == "implementation"
            && located.symbol.kind == "impl"
            && located.symbol.start_line == tag.line)
}

/// A name without what the sides write differently: blanks, the brackets and quotes of computed members, the mark of
/// private ones.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '[' | ']' | '"' | '\'' | '#')).collect()
}

/// The class of a tag that we lack: `kind/scope`, and what is special about it.
fn class(language: Language, tag: &Tag, source: &Source, spanned: bool) -> String {
    let scope = if tag.scope_kind.is_empty() { "file" } else { tag.scope_kind.as_str() };
    let special = if spanned { Some("other-line") } else { rules::special(language, tag, source) };
    match special {
        Some(special) => format!("{}/{scope}/{special}", tag.kind),
        None => format!("{}/{scope}", tag.kind),
    }
}

fn place(source: &Source, path: &str, line: u32, name: &str) -> Place {
    let text = String::from_utf8_lossy(source.line(line));
    Place {
        path: path.to_owned(),
        line,
        name: name.to_owned(),
        text: text.trim().chars().take(160).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(kind: &str, name: &str, line: u32) -> Tag {
        Tag { name: name.to_owned(), path: "a".to_owned(), line, kind: kind.to_owned(), ..Tag::default() }
    }

    fn symbol(kind: &str, name: &str, lines: (u32, u32), text: &str, whole: &str) -> Symbol {
        let start_byte = whole.find(text).unwrap();
        Symbol {
            path: "a".to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            start_line: lines.0,
            end_line: lines.1,
            start_byte,
            end_byte: start_byte + text.len(),
            signature: text.to_owned(),
            ..Symbol::default()
        }
    }

    fn comparison(language: Language, text: &str, tags: &[Tag], symbols: Vec<Symbol>) -> Comparison {
        let mut comparison = Comparison::default();
        comparison.add(language, &Source::new(text.as_bytes().to_vec()), tags, symbols);
        comparison
    }

    #[test]
    fn the_same_name_on_the_same_line_agrees() {
        let text = "def f(): pass\ndef g(): pass\nx = 1\n";
        let symbols = vec![
            symbol("function", "f", (1, 1), "def f(): pass", text),
            symbol("function", "g", (2, 2), "def g(): pass", text),
        ];
        let tags =
            [tag("function", "f", 1), tag("function", "g", 1), tag("variable", "x", 3), tag("local", "y", 3)];
        let comparison = comparison(Language::Python, text, &tags, symbols);
        assert_eq!(comparison.kinds["function"], Counts { tags: 2, same: 1, set_aside: 0 });
        assert_eq!(comparison.kinds["variable"], Counts { tags: 1, same: 0, set_aside: 0 });
        assert_eq!(comparison.not_asked["local"], 1);
        let classes: Vec<&String> = comparison.missing.keys().collect();
        assert_eq!(classes, ["function/file", "variable/file"]);
        assert_eq!(comparison.ours["function"], 2);
        assert_eq!(comparison.unknown["function"].len(), 1);
        assert_eq!(comparison.unknown["function"][0].name, "g");
        assert_eq!(comparison.total().missing(), 2);
        assert!((comparison.total().share() - 100.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_name_on_another_line_of_its_definition_is_a_class_of_its_own() {
        let text = "int\nf(int x) {\n}\n";
        let symbols = vec![symbol("function", "f", (1, 3), "int\nf(int x)", text)];
        let comparison = comparison(Language::Cpp, text, &[tag("function", "f", 3)], symbols);
        assert_eq!(comparison.missing.keys().collect::<Vec<_>>(), ["function/file/other-line"]);
    }

    #[test]
    fn an_implementation_is_where_its_keyword_is() {
        let text = "impl<T>\nFoo<T>\n{}\n";
        let symbols = vec![symbol("impl", "Foo", (1, 3), "impl<T>\nFoo<T>", text)];
        let comparison = comparison(Language::Rust, text, &[tag("implementation", "Foo", 1)], symbols);
        assert_eq!(comparison.total().same, 1);
    }

    #[test]
    fn nothing_asked_is_nothing_missed() {
        assert!((Counts::default().share() - 100.0).abs() < 1e-9);
    }
}
