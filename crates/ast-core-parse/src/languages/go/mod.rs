//! Go.

use super::{Spec, Syntax};

pub(crate) static GO: Spec = Spec::new(
    "go",
    &["go"],
    "tree-sitter-go",
    "0.25.0",
    || tree_sitter_go::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
