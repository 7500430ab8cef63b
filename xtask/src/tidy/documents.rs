//! What the documents promise: that the commands they show exist.

use clap::CommandFactory;

use crate::finding::Finding;
use crate::workspace::TextFile;

/// How a document calls us.
const CALL: &str = "cargo xtask ";

/// Checks the Markdown of the repository.
pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let verbs: Vec<String> =
        crate::Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md") && !super::layout::is_data(&file.path))
    {
        findings.extend(unknown_verbs(file, &verbs));
        if file.path == "README.md" && !file.text.contains("cargo xtask test") {
            findings.push(Finding::new(
                &*file.path,
                1,
                "does not say how to run the tests",
                "show `cargo xtask test`",
            ));
        }
    }
    findings
}

fn unknown_verbs(file: &TextFile, verbs: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for (at, _) in line.match_indices(CALL) {
            let rest = &line[at + CALL.len()..];
            let verb: String = rest.chars().take_while(|&c| c.is_ascii_lowercase() || c == '-').collect();
            // `cargo xtask <verb>` and `cargo xtask --help` name none.
            if !verb.is_empty() && !verb.starts_with('-') && !verbs.contains(&verb) && verb != "help" {
                findings.push(Finding::new(
                    &*file.path,
                    number + 1,
                    format!("there is no `cargo xtask {verb}`"),
                    format!("use one of {}", verbs.join(", ")),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<(usize, String)> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&[file]).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn the_readme_shows_the_tests() {
        assert!(findings("README.md", "```\ncargo xtask test\n```\n").is_empty());
        assert_eq!(findings("README.md", "nothing"), [(1, "does not say how to run the tests".to_owned())]);
    }

    #[test]
    fn verbs_in_documents_exist() {
        let text = "`cargo xtask tidy` and cargo xtask <verb>, cargo xtask --help\nthen cargo xtask fly-away";
        assert_eq!(findings("docs/a.md", text), [(2, "there is no `cargo xtask fly-away`".to_owned())]);
    }
}
