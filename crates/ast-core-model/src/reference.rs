//! Mentions of definitions.

use crate::names::names;
use crate::{ModelError, Span};
use std::str::FromStr;

/// A place where a file mentions something that is defined in it or elsewhere.
///
/// What it means is not looked up: this is what the text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the mention is.
    pub kind: ReferenceKind,
    /// The name as written, without what qualifies it: `push` of `self.items.push(1)`. For an import of everything,
    /// `*`; for an import of a module as a whole, the last part of its path.
    pub name: Box<str>,
    /// What the name is qualified with: `self.items` of `self.items.push(1)`, `std::fs` of `std::fs::read`; for an
    /// import, the path of the module it comes from.
    pub qualifier: Option<Box<str>>,
    /// The name an import gives to what it brings, where that is another one.
    pub alias: Option<Box<str>>,
    /// The name where it is written.
    pub span: Span,
    /// The line of the name, from 1.
    pub line: u32,
    /// The index, in the file's list of symbols, of the innermost definition it is inside of.
    pub symbol: Option<u32>,
}

names! {
    /// What a mention of a definition is.
    ReferenceKind {
        /// A call, of a function, a method, a constructor or a macro.
        Call = "call",
        /// A use of a type.
        Type = "type",
        /// An import.
        Import = "import",
        /// A type that another one extends or implements.
        Inherit = "inherit",
    }
}

impl FromStr for ReferenceKind {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        Self::from_name(name).ok_or_else(|| ModelError::UnknownReferenceKind { received: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for &kind in ReferenceKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("calls".parse::<ReferenceKind>().unwrap_err().to_string().contains("\"calls\""));
    }
}
