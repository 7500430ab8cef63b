//! What the comparisons print.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::complexity::{self, Agreement};
use super::language::Language;
use super::rules::RULES;
use super::symbols::{Comparison, Counts, Place};

/// Examples shown of a class.
const EXAMPLES: usize = 3;

/// Prints the tables of the definitions, and every place of the listed class.
pub(super) fn symbols(results: &[(Language, Comparison)], list: Option<&str>) {
    for (language, comparison) in results {
        println!("\n{}", language.name());
        for failure in &comparison.failures {
            println!("  not read by ast-core: {failure}");
        }
        println!("  {:<24}{HEADS}", "kind of ctags");
        for (kind, counts) in &comparison.kinds {
            println!("  {kind:<24}{}", row(*counts));
        }
        println!("  {:<24}{}", "all", row(comparison.total()));
        if !comparison.not_asked.is_empty() {
            let kinds: Vec<String> =
                comparison.not_asked.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            println!("  kinds not asked for: {}", kinds.join(", "));
        }
        classes("missing in ast-core", &comparison.missing, list, "missing");
        classes("set aside, ctags being wrong", &comparison.set_aside, list, "set-aside");
        for name in comparison.set_aside.keys() {
            if let Some(rule) = RULES.iter().find(|rule| rule.name == name) {
                println!("    {name}: {}", rule.why);
            }
        }
        let all = |kind: &str| comparison.ours.get(kind).copied().unwrap_or_default();
        println!("  ours unknown to ctags");
        for (kind, places) in sorted(&comparison.unknown) {
            println!("    {:<24}{:>8} of {:>6}", kind, places.len(), all(kind));
            print_list(list.and_then(|list| list.strip_prefix("ours/")) == Some(kind), places);
        }
    }
    println!("\nsymbols");
    println!("  {:<24}{HEADS}{:>9}{:>9}", "language", "ours", "unknown");
    for (language, comparison) in results {
        let ours: usize = comparison.ours.values().sum();
        let unknown: usize = comparison.unknown.values().map(Vec::len).sum();
        println!("  {:<24}{}{ours:>9}{unknown:>9}", language.name(), row(comparison.total()));
    }
}

/// The heads of the columns of [`row`].
const HEADS: &str = "    tags     same set aside  missing    share";

fn row(counts: Counts) -> String {
    format!(
        "{:>8}{:>9}{:>10}{:>9}{:>7.2} %",
        counts.tags,
        counts.same,
        counts.set_aside,
        counts.missing(),
        counts.share()
    )
}

fn classes(title: &str, classes: &BTreeMap<String, Vec<Place>>, list: Option<&str>, all: &str) {
    println!("  {title}");
    for (class, places) in sorted(classes) {
        let examples: Vec<String> = places
            .iter()
            .take(EXAMPLES)
            .map(|place| format!("{}:{}", short(&place.path), place.line))
            .collect();
        println!("    {class:<32}{:>8}  {}", places.len(), examples.join(" "));
        print_list(list == Some(class) || list == Some(all), places);
    }
}

fn print_list(wanted: bool, places: &[Place]) {
    if wanted {
        for place in places {
            println!("      {}:{} {} | {}", place.path, place.line, place.name, place.text);
        }
    }
}

/// The classes, the largest first.
fn sorted(classes: &BTreeMap<String, Vec<Place>>) -> Vec<(&str, &[Place])> {
    let mut classes: Vec<(&str, &[Place])> =
        classes.iter().map(|(class, places)| (class.as_str(), places.as_slice())).collect();
    classes.sort_by_key(|(_, places)| Reverse(places.len()));
    classes
}

/// The end of a path, which tells enough.
fn short(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Prints the tables of the complexities, and every function of the listed class.
pub(super) fn complexity(results: &[(Language, Agreement)], list: Option<&str>) {
    for (language, agreement) in results {
        println!("\n{}", language.name());
        for (class, functions) in agreement.sorted() {
            let examples: Vec<String> = functions
                .iter()
                .take(EXAMPLES)
                .map(|f| format!("{}:{}", short(&f.theirs.path), f.theirs.start_line))
                .collect();
            println!("  {class:<32}{:>8}  {}", functions.len(), examples.join(" "));
            if list == Some(class) || list == Some("different") {
                for function in functions {
                    let theirs = &function.theirs;
                    println!(
                        "      {}:{} {}: ours {}, lizard {}",
                        theirs.path, theirs.start_line, theirs.name, function.ours, theirs.cyclomatic
                    );
                }
            }
        }
    }
    println!("\ncyclomatic complexity");
    println!(
        "  {:<12}{:>9}{:>9}{:>10}{:>13}{:>11}{:>10}{:>9}{:>10}{:>9}{:>10}",
        "language",
        "lizard",
        "matched",
        "compared",
        "equal as is",
        "share",
        "set aside",
        "equal",
        "share",
        "above 1",
        "share"
    );
    for (language, agreement) in results {
        println!(
            "  {:<12}{:>9}{:>9}{:>10}{:>13}{:>9.2} %{:>10}{:>9}{:>8.2} %{:>9}{:>8.2} %",
            language.name(),
            agreement.functions,
            agreement.matched,
            agreement.compared,
            agreement.raw_equal,
            agreement.raw_share(),
            agreement.set_aside,
            agreement.equal,
            agreement.share(),
            agreement.branching,
            agreement.branching_share()
        );
    }
    println!(
        "  all: {:.2} % as they are, {:.2} % by one definition and where lizard is right",
        complexity::raw_share(results),
        complexity::share(results)
    );
}
