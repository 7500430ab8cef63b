//! Pairs of a question and the function that answers it: what the model learns from.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::functions::{Function, functions};
use crate::licence::declaration;
use crate::packages::{Exclusions, LANGUAGES, Manifest};
use crate::sentence::{first_sentence, is_question, plain};

/// A function and what is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The number of its language in [`LANGUAGES`].
    pub language: u8,
    /// The number of its package in the list.
    pub package: u32,
    /// The first sentence of its documentation.
    pub question: String,
    /// The rest of it.
    pub rest: String,
    /// Its name, and the names round it.
    pub names: String,
    /// The path of its file, and the names round it.
    pub place: String,
    /// Its code.
    pub code: String,
}

/// What keeps a pair from being learned from.
#[derive(Debug, Default)]
pub struct Withheld {
    /// Hashes of the code of functions that are measured with.
    pub codes: HashSet<u64>,
    /// What is asked when measuring, in small letters.
    pub questions: HashSet<String>,
}

impl Withheld {
    /// Adds the functions of a package that is measured with, and what their documentation would ask.
    pub fn add(&mut self, functions: &[Function]) {
        self.codes.extend(functions.iter().map(|function| function.hash));
        let questions = functions.iter().map(|function| first_sentence(&function.doc));
        self.questions.extend(questions.filter(|sentence| is_long(sentence)).map(|s| s.to_lowercase()));
    }

    fn has(&self, function: &Function, question: &str) -> bool {
        self.codes.contains(&function.hash) || self.questions.contains(&question.to_lowercase())
    }
}

/// Short sentences are the same in programs that have nothing to do with each other.
fn is_long(sentence: &str) -> bool {
    sentence.split(' ').count() >= 6
}

/// The most pairs of one package: large ones are to teach the language, not their own ways.
const MOST_OF_PACKAGE: usize = 12_000;
/// A sentence that stands over more functions of a package than these tells none of them.
const MOST_OF_SENTENCE: usize = 3;
/// Shorter code is all in the sentence.
const FEWEST_LINES: usize = 3;
/// What is kept of documentation beyond the first sentence, in bytes.
const REST_BYTES: usize = 500;

/// The pairs of all packages, in order of the list, and for each package how many it gave. Tells `report` of each package,
/// and why it is left out if it is.
///
/// # Errors
/// Folders that cannot be read.
pub fn pairs(
    manifest: &Manifest,
    folder: &Path,
    exclusions: &Exclusions,
    withheld: &Withheld,
    mut report: impl FnMut(String),
) -> Result<(Vec<Pair>, Vec<usize>)> {
    let mut seen = HashSet::new();
    let mut pairs = Vec::new();
    let mut counts = Vec::new();
    for (number, package) in manifest.packages.iter().enumerate() {
        let before = pairs.len();
        let root = folder.join(package.folder());
        let refusal = match declaration(package, &root) {
            Ok(declared) => match exclusions.refusal(package, &declared.addresses) {
                None => {
                    let keep = |path: &str| declared.files.allow(path) && !exclusions.has_copy(path);
                    let found = functions(&root, &package.language, keep)?;
                    let found = found.into_iter().filter(|function| seen.insert(function.hash)).collect();
                    let language = package.language_number() as u8;
                    pairs.extend(of_package(found, withheld, language, number as u32));
                    None
                }
                refusal => refusal,
            },
            Err(error) => Some(format!("{error:#}")),
        };
        counts.push(pairs.len() - before);
        match refusal {
            Some(why) => report(format!("left out  {package}: {why}")),
            None => report(format!("{:>8}  {package}", pairs.len() - before)),
        }
    }
    Ok((pairs, counts))
}

fn of_package(functions: Vec<Function>, withheld: &Withheld, language: u8, package: u32) -> Vec<Pair> {
    let mut asked: Vec<(String, Function)> =
        functions.into_iter().map(|function| (first_sentence(&function.doc), function)).collect();
    asked.retain(|(question, function)| {
        is_question(question)
            && function.code.lines().count() >= FEWEST_LINES
            && !withheld.has(function, question)
    });
    let mut times: HashMap<String, usize> = HashMap::new();
    for (question, _) in &asked {
        *times.entry(question.clone()).or_default() += 1;
    }
    asked.retain(|(question, _)| times[question] <= MOST_OF_SENTENCE);
    if asked.len() > MOST_OF_PACKAGE {
        // By their hashes: some of every part of it, and the same whenever it is asked.
        let mut hashes: Vec<u64> = asked.iter().map(|(_, function)| function.hash).collect();
        let (_, &mut most, _) = hashes.select_nth_unstable(MOST_OF_PACKAGE);
        asked.retain(|(_, function)| function.hash < most);
    }
    let pair = |(question, function): (String, Function)| {
        let (names, place) = (function.names(), function.place());
        let whole = plain(&function.doc);
        let mut rest = whole.strip_prefix(question.as_str()).unwrap_or(&whole).trim().to_owned();
        rest.truncate(rest.floor_char_boundary(REST_BYTES));
        Pair { language, package, question, rest, names, place, code: function.code }
    };
    asked.into_iter().map(pair).collect()
}

/// A line a language: pairs and packages.
pub fn summary(manifest: &Manifest, counts: &[usize]) -> String {
    let mut text = String::new();
    for language in LANGUAGES {
        let of: Vec<usize> = (manifest.packages.iter().zip(counts))
            .filter(|(package, count)| package.language == language && **count > 0)
            .map(|(_, count)| *count)
            .collect();
        text += &format!("{language:<12}{:>8} pairs of {:>4} packages\n", of.iter().sum::<usize>(), of.len());
    }
    text
}

/// Keeps pairs in a file.
///
/// # Errors
/// A file that cannot be written.
pub fn write(pairs: &[Pair], path: &Path) -> Result<()> {
    let file = fs::File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
    let mut file = BufWriter::new(file);
    for pair in pairs {
        file.write_all(&[pair.language])?;
        file.write_all(&pair.package.to_le_bytes())?;
        for text in [&pair.question, &pair.rest, &pair.names, &pair.place, &pair.code] {
            file.write_all(&(text.len() as u32).to_le_bytes())?;
            file.write_all(text.as_bytes())?;
        }
    }
    file.flush().with_context(|| format!("failed to write {}", path.display()))
}

/// Reads what [`write()`] has kept.
///
/// # Errors
/// A file that cannot be read, or is none of [`write()`].
pub fn read(path: &Path) -> Result<Vec<Pair>> {
    let file = fs::File::open(path).with_context(|| format!("failed to read {}", path.display()))?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut pairs = Vec::new();
    let mut language = [0];
    while file.read(&mut language)? == 1 {
        let pair = (|| -> Result<Pair> {
            let mut number = || -> Result<u32> {
                let mut bytes = [0; 4];
                file.read_exact(&mut bytes)?;
                Ok(u32::from_le_bytes(bytes))
            };
            let package = number()?;
            let mut text = || -> Result<String> {
                let mut bytes = [0; 4];
                file.read_exact(&mut bytes)?;
                let length = u32::from_le_bytes(bytes) as usize;
                if length > 1 << 20 {
                    bail!("a text of {length} bytes");
                }
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes)?;
                Ok(String::from_utf8(bytes)?)
            };
            let (question, rest, names, place, code) = (text()?, text()?, text()?, text()?, text()?);
            Ok(Pair { language: language[0], package, question, rest, names, place, code })
        })();
        pairs.push(pair.with_context(|| format!("{} is no list of pairs", path.display()))?);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::hash_of;

    fn function(name: &str, doc: &str) -> Function {
        let code = format!("fn {name}() {{\n    one_line_and({name});\n    another_line();\n}}");
        let hash = hash_of(&code);
        let (path, scope) = ("src/a.rs".to_owned(), "B".to_owned());
        Function {
            path,
            line: 1,
            last_line: 4,
            name: name.to_owned(),
            scope,
            doc: doc.to_owned(),
            code,
            hash,
        }
    }

    #[test]
    fn what_is_measured_with_and_what_says_nothing_is_not_learned_from() {
        let measured = [function("secret", "Counts the stars of the sky above.")];
        let mut withheld = Withheld::default();
        withheld.add(&measured);
        let mut found = vec![
            measured[0].clone(),
            function("copy", "Counts the stars of the sky above. Twice."),
            function("good", "Opens the door of the house. It may creak."),
            function("short", "Opens it."),
        ];
        found.extend((0..4).map(|n| function(&format!("same{n}"), "Does what has to be done.")));
        let pairs = of_package(found, &withheld, 3, 7);
        assert_eq!(pairs.len(), 1);
        let pair = &pairs[0];
        assert_eq!(
            (pair.question.as_str(), pair.rest.as_str()),
            ("Opens the door of the house", ". It may creak.")
        );
        assert_eq!((pair.names.as_str(), pair.place.as_str()), ("good B", "src/a.rs B"));
        assert_eq!((pair.language, pair.package), (3, 7));
    }

    #[test]
    fn pairs_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs");
        let pairs =
            of_package(vec![function("good", "Opens the door of the house.")], &Withheld::default(), 0, 1);
        write(&pairs, &path).unwrap();
        assert_eq!(read(&path).unwrap(), pairs);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(read(&path).is_err());
    }
}
