//! Where the next page begins.

use crate::failure::Failure;
use ast_core_engine::ContentHash;
use serde_json::{Map, Value};

/// What of the arguments may differ from page to page.
const OF_A_PAGE: [&str; 4] = ["cursor", "max_tokens", "limit", "bodies"];

/// A place in an answer: what it is the answer of, and how far it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The tool and its arguments.
    question: u64,
    /// What was asked: the generation of the index, or the content of a file.
    version: u64,
    offset: usize,
}

/// Where a page begins, and what it is to be held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    question: u64,
    given: Option<Cursor>,
}

impl Place {
    /// Of a call: its tool, its arguments, and the cursor among them.
    pub(crate) fn of(
        tool: &str,
        arguments: &Map<String, Value>,
        cursor: Option<&str>,
    ) -> Result<Self, Failure> {
        let asked = arguments.iter().filter(|(name, _)| !OF_A_PAGE.contains(&name.as_str()));
        let mut lines: Vec<String> = asked.map(|(name, value)| format!("{name}={value}")).collect();
        lines.sort_unstable();
        lines.push(tool.to_owned());
        let text = lines.join("\n");
        let question = number(ContentHash::of(text.as_bytes()));
        let given = cursor.map(Cursor::parse).transpose()?;
        if given.is_some_and(|given| given.question != question) {
            return Err(Failure::Arguments(
                "the cursor is of a call with other arguments; give the same ones with it, or leave it out"
                    .into(),
            ));
        }
        Ok(Self { question, given })
    }

    /// How much was told before.
    pub(crate) fn offset(&self) -> usize {
        self.given.map_or(0, |cursor| cursor.offset)
    }

    /// Refuses to go on in what is another answer by now.
    pub(crate) fn check(&self, version: u64) -> Result<(), Failure> {
        match self.given {
            Some(cursor) if cursor.version != version => Err(Failure::Arguments(
                "the cursor is gone: what it is of has changed since; call again without it".into(),
            )),
            _ => Ok(()),
        }
    }

    /// The cursor of what comes behind so much.
    pub(crate) fn next(&self, version: u64, offset: usize) -> String {
        Cursor { question: self.question, version, offset }.to_string()
    }
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, Failure> {
        let unknown =
            || Failure::Arguments("no such cursor; give next_cursor of an answer, or leave it out".into());
        let mut parts = text.split('-').map(|part| u64::from_str_radix(part, 16));
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(question)), Some(Ok(version)), Some(Ok(offset)), None) => {
                Ok(Self { question, version, offset: usize::try_from(offset).map_err(|_| unknown())? })
            }
            _ => Err(unknown()),
        }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}-{:x}-{:x}", self.question, self.version, self.offset)
    }
}

/// A number that stands for a hash: 48 bits of it, as a model has to copy it.
pub(crate) fn number(hash: ContentHash) -> u64 {
    hash.as_bytes().iter().take(6).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_page_goes_on_where_the_last_ended() {
        let asked = arguments(json!({"query": "x", "limit": 5}));
        let cursor = Place::of("search_code", &asked, None).unwrap().next(7, 5);
        let again = arguments(json!({"query": "x", "limit": 20, "cursor": cursor}));
        let place = Place::of("search_code", &again, Some(&cursor)).unwrap();
        assert_eq!(place.offset(), 5);
        assert!(place.check(7).is_ok());
        let gone = place.check(8).unwrap_err().to_string();
        assert!(gone.contains("without it"), "{gone}");
    }

    #[test]
    fn a_cursor_of_another_question_is_refused() {
        let cursor = Place::of("search_code", &arguments(json!({"query": "x"})), None).unwrap().next(7, 5);
        for (tool, other) in [("search_code", json!({"query": "y"})), ("find_symbol", json!({"query": "x"}))]
        {
            assert!(Place::of(tool, &arguments(other), Some(&cursor)).is_err());
        }
        for text in ["", "-", "1-2", "1-2-3-4", "1-2-x", "1-2-fffffffffffffffff"] {
            assert!(Place::of("search_code", &Map::new(), Some(text)).is_err(), "{text:?}");
        }
    }
}
