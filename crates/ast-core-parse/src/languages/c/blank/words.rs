//! What words are to a declaration.

/// Words that begin a declaration and say something of it, not what it is of.
pub(super) const SPECIFIERS: [&str; 18] = [
    "const",
    "consteval",
    "constexpr",
    "constinit",
    "explicit",
    "extern",
    "friend",
    "inline",
    "mutable",
    "register",
    "static",
    "thread_local",
    "typedef",
    "virtual",
    "volatile",
    "__inline",
    "__inline__",
    "__extension__",
];
/// Words of which several make one type.
pub(super) const BASIC_TYPES: [&str; 13] = [
    "auto", "bool", "char", "double", "float", "int", "long", "short", "signed", "unsigned", "void",
    "wchar_t", "__int128",
];

/// Whether a word looks like the name of a macro: all capitals, or reserved.
pub(super) fn is_macro_name(word: &str) -> bool {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let has_letter = word.bytes().any(|byte| byte.is_ascii_uppercase());
    word.len() >= 3 && has_letter && word.bytes().all(is_capital)
}

/// Words that begin the definition of a type or namespace, or a template.
pub(super) fn is_head(word: &str) -> bool {
    matches!(word, "class" | "enum" | "namespace" | "struct" | "template" | "typedef" | "union" | "using")
}

pub(super) fn is_keyword(word: &str) -> bool {
    SPECIFIERS.contains(&word)
        || BASIC_TYPES.contains(&word)
        || is_statement(word)
        || is_head(word)
        || matches!(
            word,
            "alignas"
                | "decltype"
                | "operator"
                | "private"
                | "protected"
                | "public"
                | "requires"
                | "typename"
        )
}

/// Words that begin a statement which declares nothing.
pub(super) fn is_statement(word: &str) -> bool {
    matches!(
        word,
        "break"
            | "case"
            | "catch"
            | "co_await"
            | "co_return"
            | "co_yield"
            | "continue"
            | "default"
            | "delete"
            | "do"
            | "else"
            | "for"
            | "goto"
            | "if"
            | "new"
            | "return"
            | "sizeof"
            | "static_assert"
            | "switch"
            | "throw"
            | "try"
            | "while"
    )
}
