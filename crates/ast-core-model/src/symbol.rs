//! Definitions.

use crate::names::names;
use crate::{LineRange, ModelError, Span};
use std::str::FromStr;

/// A definition that a reader of the file would name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The name as written, such as `parse` or `operator==`; for an `impl` block, the type it is for.
    pub name: Box<str>,
    /// What the name is qualified with where it is written: `A::B` of `void A::B::f() {}`.
    pub qualifier: Option<Box<str>>,
    /// What it is.
    pub kind: SymbolKind,
    /// The index, in the file's list of symbols, of the definition this one is inside of. Always less than the
    /// symbol's own index.
    pub parent: Option<u32>,
    /// The definition itself, without its doc comment, decorators and attributes.
    pub span: Span,
    /// The lines of `span`.
    pub lines: LineRange,
    /// The definition with its doc comment, decorators and attributes.
    pub extent: Span,
    /// The name where it is written.
    pub name_span: Span,
    /// What comes before the body, on one line, with white space folded: `fn parse(text: &str) -> Tree`.
    pub signature: Box<str>,
    /// The doc comment's text without its comment markers; `None` without one.
    pub doc: Option<Box<str>>,
    /// Who can see it, where the language says so.
    pub visibility: Option<Visibility>,
}

/// The names around the symbol at `index`, outermost first: those of the definitions it is inside of, then those
/// its own name is qualified with. Empty for an index that is not in the list.
pub fn scope_of(symbols: &[Symbol], index: usize) -> Vec<&str> {
    let mut scope = Vec::new();
    let mut next = symbols.get(index);
    while let Some(symbol) = next {
        scope.extend(
            symbol.qualifier.iter().flat_map(|names| names.rsplit("::")).filter(|name| !name.is_empty()),
        );
        next = symbol.parent.and_then(|parent| symbols.get(parent as usize));
        scope.extend(next.map(|parent| &*parent.name));
    }
    scope.reverse();
    scope
}

names! {
    /// What a definition is.
    SymbolKind {
        /// A module that is declared, such as Rust's `mod` or TypeScript's `module`.
        Module = "module",
        /// A namespace or package.
        Namespace = "namespace",
        /// A class, or a Java record.
        Class = "class",
        /// A struct.
        Struct = "struct",
        /// A union of memory layouts, as in C.
        Union = "union",
        /// An enumeration.
        Enum = "enum",
        /// An interface or protocol, or a Java annotation type.
        Interface = "interface",
        /// A trait.
        Trait = "trait",
        /// A block that adds methods to a type.
        Impl = "impl",
        /// A type alias, or an associated type.
        Type = "type",
        /// A function outside of any type.
        Function = "function",
        /// A function of a type.
        Method = "method",
        /// A function that makes a value of its class.
        Constructor = "constructor",
        /// A data member.
        Field = "field",
        /// A data member reached through accessors, or a property of an object literal.
        Property = "property",
        /// A constant.
        Constant = "constant",
        /// A variable with static storage.
        Static = "static",
        /// A variable of a module or namespace.
        Variable = "variable",
        /// A value of an enumeration.
        EnumMember = "enum_member",
        /// A macro.
        Macro = "macro",
    }
}

names! {
    /// Who can see a definition.
    Visibility {
        /// Everybody.
        Public = "public",
        /// The package, crate or module tree it is in.
        Internal = "internal",
        /// The class and those that derive from it.
        Protected = "protected",
        /// The class or module it is in.
        Private = "private",
    }
}

impl FromStr for SymbolKind {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        Self::from_name(name).ok_or_else(|| ModelError::UnknownSymbolKind {
            received: name.to_owned(),
            expected: Self::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" "),
        })
    }
}

impl FromStr for Visibility {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        Self::from_name(name).ok_or_else(|| ModelError::UnknownVisibility { received: name.to_owned() })
    }
}

impl SymbolKind {
    /// Whether other things can be defined inside of it and named by it: types and what stands for them, and modules.
    pub fn is_container(self) -> bool {
        matches!(
            self,
            Self::Module
                | Self::Namespace
                | Self::Class
                | Self::Struct
                | Self::Union
                | Self::Enum
                | Self::Interface
                | Self::Trait
                | Self::Impl
                | Self::Type
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for &kind in SymbolKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for &visibility in Visibility::ALL {
            assert_eq!(visibility.as_str().parse(), Ok(visibility));
        }
        let error = "klass".parse::<SymbolKind>().unwrap_err().to_string();
        assert!(error.contains("\"klass\"") && error.contains("enum_member"), "{error}");
    }
}
