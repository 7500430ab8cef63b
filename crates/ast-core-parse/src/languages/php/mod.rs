//! PHP.

use super::{Spec, Syntax};

pub(crate) static PHP: Spec = Spec::new(
    "php",
    &["php", "phtml"],
    "tree-sitter-php",
    "0.25.1",
    || tree_sitter_php::LANGUAGE_PHP.into(),
    Syntax { comments: &["comment"], ..Syntax::NONE },
);
