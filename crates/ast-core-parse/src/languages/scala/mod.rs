//! Scala.

use super::{Spec, Syntax};

pub(crate) static SCALA: Spec = Spec::new(
    "scala",
    &["scala", "sc"],
    "tree-sitter-scala",
    "0.26.9",
    || tree_sitter_scala::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
