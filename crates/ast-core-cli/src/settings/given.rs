//! A value as somebody gave it, before it is known what it is for.

use clap::ValueEnum;
use serde_json::Value;
use std::ops::RangeInclusive;
use std::str::FromStr;
use toml::de::DeValue;

/// A value of a file, or of a variable of the environment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    /// A text in quotes.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A number, as it is written.
    Number(String),
    /// A list of texts.
    List(Vec<String>),
    /// What a variable holds: text, number and all else alike.
    Variable(String),
    /// What no setting is, such as a date, as it is written.
    Other(String),
}

impl Given {
    /// What a file says.
    pub(super) fn of_toml(value: &DeValue<'_>, written: &str) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            // A radix is no part of what `as_str` gives.
            DeValue::Integer(number) if number.radix() == 10 => Self::Number(number.as_str().to_owned()),
            DeValue::Float(number) => Self::Number(number.as_str().to_owned()),
            DeValue::Array(items) => {
                let texts = items.iter().map(|item| match item.get_ref() {
                    DeValue::String(text) => Some(text.to_string()),
                    _ => None,
                });
                texts.collect::<Option<Vec<_>>>().map_or_else(|| Self::Other(written.to_owned()), Self::List)
            }
            _ => Self::Other(written.to_owned()),
        }
    }

    /// As it was written, on one line.
    pub(super) fn shown(&self) -> String {
        let text = match self {
            Self::Text(text) | Self::Variable(text) => format!("{text:?}"),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(text) => text.clone(),
            Self::List(texts) => format!("{texts:?}"),
            Self::Other(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        match text.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Variable(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Variable(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Some(true),
                "false" | "0" | "no" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number from this range.
    pub(super) fn whole<T: TryFrom<u64>>(&self, range: RangeInclusive<u64>) -> Option<T> {
        let (Self::Number(text) | Self::Variable(text)) = self else { return None };
        let number = text.trim_start_matches('+').parse().ok().filter(|number| range.contains(number))?;
        T::try_from(number).ok()
    }

    /// A number from 0 to 1.
    pub(super) fn share(&self) -> Option<f64> {
        let (Self::Number(text) | Self::Variable(text)) = self else { return None };
        text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
    }

    /// What has a name.
    pub(super) fn parsed<T: FromStr>(&self) -> Option<T> {
        self.text()?.parse().ok()
    }

    /// One of a few names.
    pub(super) fn choice<T: ValueEnum>(&self) -> Option<T> {
        T::from_str(&self.text()?, false).ok()
    }

    /// A list of texts; in a variable they are separated by commas.
    pub(super) fn list(&self) -> Option<Vec<String>> {
        match self {
            Self::List(texts) => Some(texts.clone()),
            Self::Variable(text) => Some(text.split(',').map(|text| text.trim().to_owned()).collect()),
            _ => None,
        }
    }
}

/// A value as TOML, which of what settings are is the same as JSON.
pub(crate) fn as_toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(as_toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
