//! Swift.

use super::{Spec, Syntax};

pub(crate) static SWIFT: Spec = Spec::new(
    "swift",
    &["swift"],
    "tree-sitter-swift",
    "0.7.4",
    || tree_sitter_swift::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
