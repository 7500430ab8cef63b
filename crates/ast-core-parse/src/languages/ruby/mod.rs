//! Ruby.

use super::{Spec, Syntax};

pub(crate) static RUBY: Spec = Spec::new(
    "ruby",
    &["rb", "gemspec", "rake"],
    "tree-sitter-ruby",
    "0.23.1",
    || tree_sitter_ruby::LANGUAGE.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
