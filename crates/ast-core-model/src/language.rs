//! Names of languages.

use std::borrow::Cow;
use std::fmt;

/// A language's name: lower case, as it stands in output and filters, such as `rust` or `cpp`.
///
/// The list of languages belongs to the parser; this is only the name, so that a store can hold languages that
/// this build does not parse.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageName(Cow<'static, str>);

impl LanguageName {
    /// The name of a language in the parser's list.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A name that was read from somewhere.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LanguageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LanguageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
