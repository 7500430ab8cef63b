//! What each setting is, and where that is from.

use super::SCHEMA;
use crate::settings::{Key, Origin, as_toml};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
pub(crate) struct Settings<'a> {
    schema: u32,
    settings: Vec<Setting<'a>>,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(settings: Vec<Setting<'a>>) -> Self {
        Self { schema: SCHEMA, settings }
    }
}

#[derive(Serialize)]
pub(crate) struct Setting<'a> {
    key: &'a str,
    value: Value,
    origin: &'static str,
    /// The file, the variable or the flag; null of a default.
    from: Option<String>,
    line: Option<usize>,
    variable: &'a str,
    about: &'a str,
}

impl<'a> Setting<'a> {
    pub(crate) fn new(key: &'a Key, value: Value, origin: &Origin) -> Self {
        let (origin, from, line) = match origin {
            Origin::Default => ("default", None, None),
            Origin::User { path, line } => ("user", Some(path.display().to_string()), Some(*line)),
            Origin::Tree { path, line } => ("project", Some(path.display().to_string()), Some(*line)),
            Origin::Environment(variable) => ("environment", Some((*variable).to_owned()), None),
        };
        let Key { name, variable, about, .. } = key;
        Self { key: name, value, origin, from, line, variable, about }
    }

    /// What a flag of the command sets.
    pub(crate) fn by_flag(key: &'a Key, value: Value) -> Self {
        let flag = key.flag.split_whitespace().next().map(str::to_owned);
        Self { origin: "flag", from: flag, ..Self::new(key, value, &Origin::Default) }
    }

    pub(crate) fn name(&self) -> &str {
        self.key
    }

    /// As TOML; `None` if it is not set.
    pub(crate) fn value(&self) -> Option<String> {
        (!self.value.is_null()).then(|| as_toml(&self.value))
    }

    pub(crate) fn variable(&self) -> &str {
        self.variable
    }

    pub(crate) fn about(&self) -> &str {
        self.about
    }

    pub(crate) fn origin_in_words(&self) -> String {
        match (&self.from, self.line) {
            (Some(from), Some(line)) => format!("{} settings, {from}:{line}", self.origin),
            (Some(from), None) => format!("{} {from}", self.origin),
            (None, _) => self.origin.to_owned(),
        }
    }
}
