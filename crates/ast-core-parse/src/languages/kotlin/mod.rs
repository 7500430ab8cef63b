//! Kotlin.

use super::{Spec, Syntax};

pub(crate) static KOTLIN: Spec = Spec::new(
    "kotlin",
    &["kt", "kts"],
    "tree-sitter-kotlin-ng",
    "1.1.0",
    || tree_sitter_kotlin_ng::LANGUAGE.into(),
    Syntax { comments: &["block_comment", "line_comment"], ..Syntax::NONE },
);
