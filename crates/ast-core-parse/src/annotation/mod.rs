//! What a definition's own syntax says of it, beyond what it is and where.

mod complexity;
mod modifiers;
mod signature;

pub use complexity::Complexity;
pub(crate) use complexity::{Branch, Measure};
pub use modifiers::{Modifier, Modifiers};
pub(crate) use signature::{Parameters, annotate};
#[cfg_attr(
    not(feature = "all-languages"),
    allow(unused_imports, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
pub(crate) use signature::{one_line, one_line_text, type_text};

/// What a definition's own syntax says of it, beyond what it is and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotation {
    /// The words that modify it, such as `async` or `static`.
    pub modifiers: Modifiers,
    /// Its type parameters as written, on one line, with their brackets: `<T: Ord>`.
    pub type_parameters: Option<Box<str>>,
    /// Its parameters, in order; a receiver such as `&self` is one of them. At most the first 256.
    pub parameters: Vec<Parameter>,
    /// The type of what it returns, as written, on one line.
    pub return_type: Option<Box<str>>,
    /// How involved its body is; `None` if it is no function.
    pub complexity: Option<Complexity>,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameter {
    /// The name; for a pattern, the pattern as written. Empty where the declaration leaves it out, as C may. What
    /// collects further arguments keeps its mark: `...rest`, `*args`, `**kwargs`. Python's `/`, behind parameters that
    /// are not passed by name, and `*`, before those that are passed by name only, are in the list too.
    pub name: Box<str>,
    /// The type as written, on one line.
    pub type_name: Option<Box<str>>,
    /// Whether a call may leave it out: it has a default, is marked so, or collects further arguments.
    pub optional: bool,
    /// The default as written, on one line.
    pub default: Option<Box<str>>,
}
