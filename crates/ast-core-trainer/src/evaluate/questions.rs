//! What is asked of each package that is measured with: the documentation of which functions, by their places.
//!
//! Only places are kept. The sentences are taken from the packages again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::functions::Function;

/// What is asked of one package.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub package: String,
    /// For each question the functions that answer it; its words are the documentation of the first.
    pub answers: Vec<Vec<Place>>,
}

/// Where a function is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: String,
    name: String,
    line: u32,
    last_line: u32,
}

/// Reads a list: `> package` begins a package; then a line an answer, of its path, name, first and last line with tabs
/// between them; one that begins with `+` answers the question before it too.
///
/// # Errors
/// A file that cannot be read, or has other lines.
pub fn read(path: &Path) -> Result<Vec<Asked>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    parse(&text).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Asked>> {
    let mut packages: Vec<Asked> = Vec::new();
    for (number, line) in
        (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(package) = line.strip_prefix("> ") {
            packages.push(Asked { package: package.to_owned(), answers: Vec::new() });
            continue;
        }
        let (place, is_another) = match line.strip_prefix('+') {
            Some(rest) => (rest, true),
            None => (line, false),
        };
        let columns: Vec<&str> = place.split('\t').collect();
        let (&[path, name, first, last], Some(asked)) = (columns.as_slice(), packages.last_mut()) else {
            bail!(
                "line {number}: expected a package before it, and a path, a name and two lines, received `{line}`"
            );
        };
        let place =
            Place { path: path.into(), name: name.into(), line: first.parse()?, last_line: last.parse()? };
        match asked.answers.last_mut().filter(|_| is_another) {
            Some(answers) => answers.push(place),
            None => asked.answers.push(vec![place]),
        }
    }
    Ok(packages)
}

impl Place {
    /// The number of the function that is there. Parsers differ in whether an attribute is part of a function, so its lines
    /// need only meet.
    pub fn find(&self, functions: &[Function]) -> Option<usize> {
        let meets = |function: &Function| {
            function.path == self.path && function.line <= self.last_line && self.line <= function.last_line
        };
        let named =
            |function: &Function| self.name.rsplit(['.', ':', '#']).next() == Some(function.name.as_str());
        let found = functions.iter().position(|function| meets(function) && named(function));
        found.or_else(|| functions.iter().position(|function| meets(function) && function.line == self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_its_functions_are_found() {
        let asked =
            parse("# what\n> a\nsrc/a.ts\tB.c\t3\t9\n+src/d.ts\te\t1\t2\n> f\ng.rs\th\t1\t4\n").unwrap();
        assert_eq!(asked.len(), 2);
        assert_eq!((asked[0].answers.len(), asked[0].answers[0].len()), (1, 2));
        let function = |path: &str, name: &str, line| Function {
            path: path.to_owned(),
            line,
            last_line: line + 3,
            name: name.to_owned(),
            scope: String::new(),
            doc: String::new(),
            code: String::new(),
            hash: 0,
        };
        let functions =
            [function("src/a.ts", "x", 3), function("src/a.ts", "c", 4), function("src/a.ts", "c", 20)];
        assert_eq!(asked[0].answers[0][0].find(&functions), Some(1));
        assert_eq!(asked[0].answers[0][0].find(&functions[..1]), Some(0));
        assert_eq!(asked[0].answers[0][1].find(&functions), None);
        assert!(parse("a\tb\t1\t2").is_err() && parse("> a\nb").is_err());
    }
}
