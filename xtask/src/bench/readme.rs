//! The table of README.md about speed, which is made from the newest report that is kept.

use std::fs;

use anyhow::{Context, Result, bail};

use super::RESULTS;
use super::charts::Chart;
use super::judge::RowResult;
use super::report::{Results, digits, interval, picture};
use crate::finding::Finding;
use crate::workspace::{self, TextFile};

const FILE: &str = "README.md";
const BEGIN: &str = "<!-- bench:begin: written by `cargo xtask bench --readme` -->\n";
const END: &str = "<!-- bench:end -->\n";
const HEADING: &str = "## How fast it is\n\n";
/// Where the section is put when there is none yet.
const BEFORE: &str = "## Languages\n";

/// Writes the section.
pub(super) fn write() -> Result<()> {
    let files = workspace::text_files(&workspace::files()?);
    let Some((folder, results)) = newest(&files)? else {
        bail!("there is no full report in {RESULTS}; make one by `cargo xtask bench`");
    };
    let readme = files.iter().find(|file| file.path == FILE).context("there is no README.md")?;
    let text = with_section(&readme.text, &section(&folder, &results))?;
    fs::write(workspace::root().join(FILE), text).context("failed to write README.md")?;
    println!("{FILE}: from {folder}");
    Ok(())
}

/// Checks that the section is that of the newest report, and that there is none without a report.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    const ADVICE: &str = "run `cargo xtask bench --readme`";
    let Some(readme) = files.iter().find(|file| file.path == FILE) else { return Vec::new() };
    let at = readme.text.find(BEGIN).map(|at| readme.text[..at].lines().count() + 1);
    let finding = |what: String, advice: &str| vec![Finding::new(FILE, at.unwrap_or(1), what, advice)];
    match newest(files) {
        Err(error) => finding(format!("{error:#}"), "mend the report, or remove it"),
        Ok(None) if at.is_some() => {
            finding("its table of speeds is of no report".to_owned(), "remove it, or commit a report")
        }
        Ok(None) => Vec::new(),
        Ok(Some((folder, results))) => match with_section(&readme.text, &section(&folder, &results)) {
            Ok(text) if text == readme.text => Vec::new(),
            Ok(_) => finding(format!("its table of speeds is not that of {folder}"), ADVICE),
            Err(error) => finding(format!("{error:#}"), ADVICE),
        },
    }
}

/// The newest full report among the files, and its folder.
fn newest(files: &[TextFile]) -> Result<Option<(String, Results)>> {
    let mut newest: Option<(String, Results)> = None;
    for file in files {
        let folder = file.path.strip_suffix("/results.json");
        let Some(folder) = folder.filter(|folder| is_report(folder)) else { continue };
        let results = Results::parse(&file.text).with_context(|| file.path.clone())?;
        if results.full && newest.as_ref().is_none_or(|(_, newest)| newest.ended < results.ended) {
            newest = Some((folder.to_owned(), results));
        }
    }
    Ok(newest)
}

/// Other measurements have a folder between.
fn is_report(folder: &str) -> bool {
    let name = folder.strip_prefix(RESULTS).and_then(|name| name.strip_prefix('/'));
    name.is_some_and(|name| !name.contains('/'))
}

fn section(folder: &str, results: &Results) -> String {
    let machine = &results.machine;
    let mut text = format!(
        "How many times as fast as what a TypeScript project would use, over {} files of seven languages, by the \
         clock, with 95 % intervals; {}, {} threads, {}, at {}.\n\n{}\n\n| | times as fast | interval | target |\n\
         |---|---|---|---|\n",
        results.inventory.files,
        machine.processor,
        machine.threads,
        machine.distribution,
        results.commit,
        picture(&Chart::summary(), &format!("{folder}/"))
    );
    for row in results.rows.iter().filter(|row| row.target.is_some()) {
        text += &line(row);
    }
    text += &format!(
        "\n[The report]({folder}/report.md) has every side, what it found, and how much it scattered; \
         [docs/performance.md](docs/performance.md#against-what-a-typescript-project-would-use) says how it was \
         measured.\n"
    );
    text
}

fn line(row: &RowResult) -> String {
    let (factor, range) = match &row.factor {
        Some(factor) => (digits(factor.median), interval(factor)),
        None => ("not measured".to_owned(), String::new()),
    };
    let target = row.target.map_or(String::new(), |target| format!("{target}"));
    let mut target = if row.falls_short() { format!("{target}: **missed**") } else { target };
    if let Some(reason) = row.reason.as_ref().filter(|_| row.falls_short()) {
        target += &format!(", {reason}");
    }
    format!("| {} | {factor} | {range} | {target} |\n", row.name)
}

/// The text with this section in place of the one between the marks, or where it belongs if there are none.
fn with_section(text: &str, section: &str) -> Result<String> {
    let marked = format!("{BEGIN}{section}{END}");
    match (text.find(BEGIN), text.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            Ok(format!("{}{marked}{}", &text[..begin], &text[end + END.len()..]))
        }
        (None, None) => {
            let at = text.find(BEFORE).with_context(|| format!("README.md has no {BEFORE:?}"))?;
            Ok(format!("{}{HEADING}{marked}\n{}", &text[..at], &text[at..]))
        }
        _ => bail!("the marks of its table of speeds are not a pair"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::results;
    use super::*;

    const TEXT: &str = "# A\n\n## Languages\n\nMany.\n";

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn report(ended: u64, full: bool) -> String {
        let mut results = results();
        (results.ended, results.full) = (ended, full);
        serde_json::to_string(&results).unwrap()
    }

    fn whats(files: &[TextFile]) -> Vec<String> {
        check(files).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn the_section_is_that_of_the_newest_full_report() {
        let old = file("benches/results/2026-01-30-a/results.json", &report(1, true));
        let new = file("benches/results/2026-01-30-b/results.json", &report(2, true));
        let part = file("benches/results/2026-01-31-c/results.json", &report(3, false));
        let other = file("benches/results/vector/2026-02-01-d/results.json", "{}");
        let mut files = vec![file(FILE, TEXT), old, new, part, other];
        assert_eq!(whats(&files), ["its table of speeds is not that of benches/results/2026-01-30-b"]);
        let (folder, results) = newest(&files).unwrap().unwrap();
        files[0].text = with_section(TEXT, &section(&folder, &results)).unwrap();
        assert!(whats(&files).is_empty());
        assert!(files[0].text.contains("srcset=\"benches/results/2026-01-30-b/times-as-fast-dark.svg\""));
        assert!(files[0].text.contains("| 10: **missed** |") || files[0].text.contains("| 10: **missed**"));
        // Whoever improves a number by hand is found out.
        files[0].text = files[0].text.replace("4.00", "9.00");
        assert_eq!(check(&files)[0].line, 5);
    }

    #[test]
    fn without_a_report_there_is_no_section() {
        assert!(whats(&[file(FILE, TEXT)]).is_empty());
        let text = with_section(TEXT, "| faster |\n").unwrap();
        assert_eq!(whats(&[file(FILE, &text)]), ["its table of speeds is of no report"]);
    }

    #[test]
    fn a_section_is_replaced_where_it_is() {
        let once = with_section(TEXT, "one\n").unwrap();
        assert_eq!(with_section(&once, "one\n").unwrap(), once);
        let twice = with_section(&once, "two\n").unwrap();
        assert!(
            twice.contains("two") && !twice.contains("one") && twice.ends_with("## Languages\n\nMany.\n")
        );
        assert!(with_section(&once.replace(END, ""), "two\n").is_err());
        assert!(with_section("# A\n", "one\n").is_err());
    }
}
