//! Whether a header is C or C++.

use super::tokens::{Kind, Token, tokens};

/// Whether a text says something that only C++ can say, wherever it does not ask which of the two languages it is
/// compiled as: what is under `#ifdef __cplusplus` does not count. A text that could be either is C.
pub(crate) fn looks_like_cpp(text: &str) -> bool {
    let tokens = tokens_of_both(text);
    let view = View { text, tokens: &tokens };
    (0..tokens.len()).any(|at| view.is_cpp(at))
}

/// The tokens that are not in conditionals which ask for the language.
fn tokens_of_both(text: &str) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::new();
    // Where the conditionals begin that are open, and whether they ask.
    let mut open: Vec<(usize, bool)> = Vec::new();
    for token in tokens(text) {
        if token.kind == Kind::Directive {
            let line = text.get(token.start as usize..token.end as usize).unwrap_or("");
            let asks = line.contains("__cplusplus");
            let word = line.trim_start_matches(['#', ' ', '\t']);
            if word.starts_with("if") {
                open.push((kept.len(), asks));
            } else if let Some((_, has_asked)) = open.last_mut().filter(|_| word.starts_with("el")) {
                *has_asked |= asks;
            } else if let Some((begin, true)) = open.pop_if(|_| word.starts_with("endif")) {
                kept.truncate(begin);
            }
        }
        kept.push(token);
    }
    kept
}

struct View<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl<'a> View<'a> {
    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn text(&self, at: usize) -> &'a str {
        let range = self.tokens.get(at).map_or(0..0, |token| token.start as usize..token.end as usize);
        self.text.get(range).unwrap_or("")
    }

    fn is_word(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Word)
    }

    fn is_sign(&self, at: usize, sign: u8) -> bool {
        self.kind(at) == Some(Kind::Sign(sign))
    }

    /// Whether a declaration may begin in this place; the words of C++ are names in C, but none stands there.
    fn begins(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.kind(before));
        matches!(before, None | Some(Kind::Directive | Kind::Sign(b';' | b'{' | b'}' | b':' | b'>')))
    }

    fn is_cpp(&self, at: usize) -> bool {
        let follows_word = |words: &[&str]| at > 0 && words.contains(&self.text(at - 1));
        match self.kind(at) {
            // Attributes have paths in C, too: `[[gnu::pure]]`.
            Some(Kind::Path) => self.is_word(at + 1) && !(at > 1 && self.is_sign(at - 2, b'[')),
            Some(Kind::Directive) => is_cpp_include(self.text(at)),
            Some(Kind::Word) => match self.text(at) {
                "class" => self.is_word(at + 1) && (self.begins(at) || follows_word(&["enum", "friend"])),
                "namespace" => {
                    let goes_on = self.is_word(at + 1) || self.is_sign(at + 1, b'{');
                    goes_on && (self.begins(at) || follows_word(&["inline", "using"]))
                }
                "template" => self.is_sign(at + 1, b'<'),
                "private" | "protected" | "public" => self.begins(at) && self.is_sign(at + 1, b':'),
                "explicit" | "friend" | "mutable" | "using" | "virtual" => {
                    self.begins(at) && self.is_word(at + 1)
                }
                "const_cast" | "dynamic_cast" | "reinterpret_cast" | "static_cast" => {
                    self.is_sign(at + 1, b'<')
                }
                "operator" => {
                    matches!(self.kind(at + 1), Some(Kind::Sign(sign)) if b"=<>+-*/!&|^~%[(".contains(&sign))
                        && !self.begins(at)
                }
                "extern" => self.text(at + 1) == "\"C\"",
                // `const T &name`, `f() const;`
                "const" if at > 0 && self.is_sign(at - 1, b')') => {
                    self.is_sign(at + 1, b';') || self.is_sign(at + 1, b'{')
                }
                "const" => self.is_word(at + 1) && self.is_sign(at + 2, b'&') && self.is_word(at + 3),
                // `struct A : B {`
                "struct" => self.is_word(at + 1) && self.is_sign(at + 2, b':') && self.is_word(at + 3),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether a line for the preprocessor includes a header that only C++ has: one of the standard library's, which have
/// no extension, or one whose extension says so.
fn is_cpp_include(directive: &str) -> bool {
    let directive = directive.trim_start_matches(['#', ' ', '\t']);
    let Some(path) = directive.strip_prefix("include").map(str::trim_start) else { return false };
    let (closing, is_system) = if path.starts_with('<') { ('>', true) } else { ('"', false) };
    let Some(path) = path.get(1..).and_then(|rest| rest.split(closing).next()) else { return false };
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, extension)) => matches!(extension, "hh" | "hpp" | "hxx" | "ipp" | "tcc"),
        None => {
            is_system
                && path == name
                && !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like_cpp;

    #[test]
    fn what_only_cpp_can_say_makes_it_cpp() {
        for text in [
            "class A { int x; };",
            "enum class A { B };",
            "namespace a { int x; }",
            "template <typename T> T f(T x);",
            "struct A { public: int x; };",
            "struct A : B { };",
            "using A = int;",
            "void f(std::string x);",
            "void f(const A& x);",
            "struct A { int f() const; };",
            "struct A { bool operator==(int); };",
            "#include <vector>\n",
            "#include \"a.hpp\"\n",
            "extern \"C\" int f(void);",
            "#ifndef __cplusplus\n#error\n#endif\nclass A;\n",
        ] {
            assert!(looks_like_cpp(text), "{text}");
        }
    }

    #[test]
    fn what_c_can_say_is_c() {
        for text in [
            "",
            "int class; struct s *template, new; int f(int private, int namespace);",
            "struct s { unsigned public:1; int x; }; struct class { int this; };",
            "// class A : public B { std::string x; };\n/* template <class T> */ int x;",
            "const char *s = \"class A { public: };\";",
            "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint f(void);\n#ifdef __cplusplus\n}\n#endif\n",
            "#if defined(__cplusplus)\nnamespace a {}\n#else\nint x;\n#endif\n",
            "#if __cplusplus >= 201103L\nclass A {};\n#endif\n",
            "#include <stdio.h>\n#include <sys/types.h>\n#include \"config\"\n",
            "int x = a & b; int f(const char *p);",
            "[[gnu::pure]] int f(void);",
            "@class A; @interface B : C\n@end\n",
        ] {
            assert!(!looks_like_cpp(text), "{text}");
        }
    }
}
