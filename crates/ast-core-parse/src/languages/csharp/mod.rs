//! C#.

use super::{Spec, Syntax};

pub(crate) static CSHARP: Spec = Spec::new(
    "csharp",
    &["cs", "csx"],
    "tree-sitter-c-sharp",
    "0.23.5",
    || tree_sitter_c_sharp::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
