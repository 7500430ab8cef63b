//! Bash.

use super::{Spec, Syntax};

pub(crate) static BASH: Spec = Spec::new(
    "bash",
    &["bash", "sh"],
    "tree-sitter-bash",
    "0.25.1",
    || tree_sitter_bash::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
