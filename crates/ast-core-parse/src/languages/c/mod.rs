//! C.

use super::{Spec, Syntax};

#[cfg(feature = "c")]
pub(crate) static C: Spec = Spec::new(
    "c",
    &["c"],
    "tree-sitter-c",
    "0.24.2",
    || tree_sitter_c::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);

pub(crate) fn looks_like_cpp(text: &str) -> bool {
    ["class ", "namespace ", "template", "::"].iter().any(|mark| text.contains(mark))
}
