//! What is parsed in place of a C or C++ file: the same text with blanks for what no grammar can read.
//!
//! A compiler sees such a file after its preprocessor, a parser of the text as it is written sees it before. Macros
//! that stand where no name may stand (`class API Widget {`, `BEGIN_NAMESPACE`, `int f() NOTHROW;`) and conditionals
//! whose branches open a brace but do not close it make it take the text for something else, often up to the end of
//! the file. They are blanked out, byte for byte, so that every place stays where it is. What is blanked is told from
//! the words round it; where these allow for another reading, it stays.

mod conditionals;
mod declarations;
mod macros;
mod words;

use super::tokens::{Kind, Token, tokens};
use conditionals::resolve_conditionals;
use std::ops::Range;

/// How far ahead a word may be looked for that decides over another one, in tokens.
const MAX_LOOK_AHEAD: usize = 64;

/// The text to parse, if it is not the text itself.
pub(crate) fn blank(source: &str, is_cpp: bool) -> Option<Vec<u8>> {
    let tokens = tokens(source);
    let mut blanks = Vec::new();
    blank_comments_in_macros(source, &tokens, &mut blanks);
    let live = resolve_conditionals(source, &tokens, is_cpp, &mut blanks);
    let mut reader =
        Reader { source, tokens: &live, at: 0, blanks, semicolons: Vec::new(), zeros: Vec::new(), is_cpp };
    reader.read();
    if reader.blanks.is_empty() && reader.semicolons.is_empty() {
        return None;
    }
    let mut bytes = source.as_bytes().to_vec();
    // Conditionals inside of others are blanked out more than once.
    reader.blanks.sort_unstable_by_key(|range| range.start);
    let mut done = 0;
    for range in reader.blanks {
        for byte in bytes.get_mut(done.max(range.start as usize)..range.end as usize).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        done = done.max(range.end as usize);
    }
    for at in reader.semicolons {
        if let Some(byte) = bytes.get_mut(at as usize).filter(|byte| byte.is_ascii_whitespace()) {
            *byte = b';';
        }
    }
    for at in reader.zeros {
        if let Some(byte) = bytes.get_mut(at as usize) {
            *byte = b'0';
        }
    }
    Some(bytes)
}

/// Blanks out the comments in macros that go on behind them: grammars take them for the end of the macro.
fn blank_comments_in_macros(source: &str, tokens: &[Token], blanks: &mut Vec<Range<u32>>) {
    for token in tokens.iter().filter(|token| token.kind == Kind::Directive) {
        let text = source.get(token.start as usize..token.end as usize).unwrap_or("");
        let Some(last_line) = text.rfind('\n') else { continue };
        let mut at = 0;
        while let Some(begin) = text[at..last_line].find("/*").map(|found| at + found) {
            let end = text[begin..].find("*/").map_or(text.len(), |found| begin + found + 2);
            if end > last_line {
                break;
            }
            // One over several lines hides their ends.
            if !text[begin..end].contains('\n') {
                blanks.push(token.start + begin as u32..token.start + end as u32);
            }
            at = end;
        }
    }
}

/// What the tokens between two braces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Declarations,
    Code,
    Enumerators,
}

struct Reader<'a> {
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    blanks: Vec<Range<u32>>,
    /// White space in whose place a semicolon goes.
    semicolons: Vec<u32>,
    /// Blanks in whose place a number goes.
    zeros: Vec<u32>,
    is_cpp: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let mut scopes = vec![(Within::Declarations, "")];
        // How many parentheses are open.
        let mut depth = 0u32;
        // The name of the class, or `""`, if the next brace holds declarations.
        let mut head: Option<&'a str> = None;
        // Where the last enumeration begins.
        let mut enum_at: Option<usize> = None;
        let mut begins_statement = true;
        while self.at < self.tokens.len() {
            let (here, class) = scopes.last().copied().unwrap_or((Within::Declarations, ""));
            let token = self.tokens[self.at];
            let begins = std::mem::replace(&mut begins_statement, false) && depth == 0;
            if begins
                && here != Within::Enumerators
                && token.kind == Kind::Word
                && self.macros_before(self.at, here, class)
            {
                // It goes on behind them, or has ended.
                begins_statement = true;
                continue;
            }
            match token.kind {
                Kind::Directive => begins_statement = begins || self.ends_statement(self.at.wrapping_sub(1)),
                Kind::Literal => self.macro_behind_literal(),
                Kind::Word if here != Within::Code && !begins && self.macro_in_declaration(depth) => {}
                Kind::Sign(b'(' | b'[') => {
                    if token.kind == Kind::Sign(b'(') && self.at > 0 {
                        let before = self.at.checked_sub(2).and_then(|before| self.kind(before));
                        let is_operand = matches!(before, Some(Kind::Sign(b'=' | b',' | b'(' | b'|')));
                        if here == Within::Code || is_operand {
                            self.no_expressions_as_arguments(self.at - 1);
                        }
                    }
                    depth += 1;
                }
                Kind::Sign(b')' | b']') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && here == Within::Declarations {
                        self.macros_behind_parameters();
                    }
                }
                Kind::Sign(b'{') => {
                    let is_enum = enum_at.take().is_some_and(|at| self.at - at <= 8);
                    scopes.push(match head.take().filter(|_| depth == 0) {
                        _ if is_enum => (Within::Enumerators, ""),
                        Some(class) => (Within::Declarations, class),
                        None => (Within::Code, ""),
                    });
                    depth = 0;
                    begins_statement = true;
                }
                Kind::Sign(b'}') => {
                    if scopes.len() > 1 {
                        scopes.pop();
                    }
                    depth = 0;
                    begins_statement = true;
                }
                Kind::Sign(b';') => {
                    begins_statement = depth == 0;
                    head = head.filter(|_| depth > 0);
                }
                Kind::Sign(b':') => {
                    begins_statement = self.at > 0
                        && matches!(
                            self.word(self.at - 1),
                            "private" | "protected" | "public" | "signals" | "slots"
                        );
                }
                Kind::Word => match self.word(self.at) {
                    "__attribute__" | "__attribute" => {
                        if let Some(end) = self.behind_parentheses(self.at + 1) {
                            self.blank(self.at..end);
                            self.at = end;
                            begins_statement = begins;
                            continue;
                        }
                    }
                    _ if depth > 0 => {}
                    "namespace" => head = Some(""),
                    "extern" if self.kind(self.at + 1) == Some(Kind::Literal) => {
                        head = Some("");
                        self.at += 1;
                        begins_statement = true;
                    }
                    "class" | "struct" | "union" => head = self.macros_before_name(self.at).or(head),
                    "enum" => {
                        enum_at = Some(self.at);
                        self.macros_before_name(self.at);
                    }
                    _ if here == Within::Enumerators => self.macro_behind_enumerator(),
                    "template" if self.kind(self.at + 1) == Some(Kind::Sign(b'<')) => {
                        if let Some(end) = self.behind_angles(self.at + 1) {
                            self.at = end;
                            begins_statement = true;
                            continue;
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
            self.at += 1;
        }
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The word in this place, `""` if there is none.
    fn word(&self, at: usize) -> &'a str {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Word => {
                self.source.get(token.start as usize..token.end as usize).unwrap_or("")
            }
            _ => "",
        }
    }

    fn blank(&mut self, tokens: Range<usize>) {
        if let Some([first, .., last] | [first @ last]) = self.tokens.get(tokens) {
            self.blanks.push(first.start..last.end);
        }
    }

    fn ends_statement(&self, at: usize) -> bool {
        matches!(self.kind(at), None | Some(Kind::Sign(b';' | b'{' | b'}')))
    }

    /// Whether a line break is before the token in this place.
    fn begins_line(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return true };
        let end = at.checked_sub(1).and_then(|before| self.tokens.get(before)).map_or(0, |before| before.end);
        self.source
            .as_bytes()
            .get(end as usize..token.start as usize)
            .is_none_or(|between| between.contains(&b'\n'))
    }

    /// The place behind the brackets that open in this place, if they close soon enough.
    fn behind(&self, at: usize, open: u8, close: u8) -> Option<usize> {
        let mut depth = 0usize;
        for (index, token) in self.tokens.iter().enumerate().skip(at).take(8 * MAX_LOOK_AHEAD) {
            match token.kind {
                Kind::Sign(sign) if sign == open => depth += 1,
                Kind::Sign(sign) if sign == close => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index + 1);
                    }
                }
                Kind::Sign(b';' | b'{' | b'}') if open == b'<' => return None,
                Kind::Directive => return None,
                _ => {}
            }
            if depth == 0 {
                return None;
            }
        }
        None
    }

    fn behind_angles(&self, at: usize) -> Option<usize> {
        self.behind(at, b'<', b'>')
    }

    fn behind_parentheses(&self, at: usize) -> Option<usize> {
        self.behind(at, b'(', b')')
    }
}

#[cfg(test)]
mod tests {
    use super::blank;
    use proptest::prelude::*;

    /// What is parsed in place of a C++ text.
    fn of_cpp(source: &str) -> String {
        blank(source, true).map_or_else(|| source.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    /// What is parsed in place of a C text.
    fn of_c(source: &str) -> String {
        blank(source, false).map_or_else(|| source.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    /// The words of the text that is parsed.
    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn macros_where_no_name_may_stand_go() {
        for (source, parsed) in [
            ("class API Widget : Base {};", "class Widget : Base {};"),
            ("class API Widget final {};", "class Widget final {};"),
            ("struct API_ALIGNED(8) widget { int x; };", "struct widget { int x; };"),
            ("class API Widget;", "class Widget;"),
            ("BEGIN_NAMESPACE\nnamespace a {}\nEND_NAMESPACE\n", "namespace a {}"),
            ("API_INLINE static int f(void);", "static int f(void);"),
            ("static API_INLINE size_t f(int x);", "static size_t f(int x);"),
            ("API char *f(void);", "char *f(void);"),
            ("API int (f)(void);", "int (f)(void);"),
            ("API size_t (*f)(void) WEAK;", "size_t (*f)(void) ;"),
            ("API_DEPRECATED(\"x\") int f(void);", "int f(void);"),
            ("template <typename T> API void f(T x);", "template <typename T> void f(T x);"),
            ("void CALLBACK f(int x);", "void f(int x);"),
            ("void f() const NOTHROW REQUIRES(mu);", "void f() const ;"),
            ("struct S { int x GUARDED_BY(mu) = 1; };", "struct S { int x = 1; };"),
            (
                "struct S { API S(int x); API ~S(); API operator bool(); };",
                "struct S { S(int x); ~S(); operator bool(); };",
            ),
            ("struct S { API_PRIVATE: int x; };", "struct S { int x; };"),
            ("local int f(void);", "int f(void);"),
            (
                "#define A(x) do { /* b */ \\\n  x; /* c */ \\\n} while (0) /* d */",
                "#define A(x) do { \\ x; \\ } while (0) /* d */",
            ),
            ("unsigned char FAR *f(API_IN const void *x);", "unsigned char *f( const void *x);"),
            ("typedef int (CALLBACK *f)(int);", "typedef int ( *f)(int);"),
            ("enum E { A DEPRECATED(\"x\") = 1, B };", "enum E { A = 1, B };"),
            ("int x __attribute__((unused)) = 1;", "int x = 1;"),
            ("int x[] = { 16 KB, 1 MB };", "int x[] = { 16 , 1 };"),
            ("void f() { g(\"%\" PRIu64 \"x\"); }", "void f() { g(\"%\" \"x\"); }"),
            ("void f() { CHECK(x, std::string&); }", "void f() { CHECK(x, 0 ); }"),
            ("int x = MAKE({1, 2});", "int x = MAKE(0 );"),
            ("TEST_CASE(\"a\") { f(); }", "TEST_CASE( ) { f(); }"),
            ("void f() { SECTION(\"a\") { g(); } }", "void f() { SECTION(\"a\");{ g(); } }"),
            ("struct S {\nQ_ENUM(State)\nint x; };", "struct S { Q_ENUM(State);int x; };"),
        ] {
            assert_eq!(words(&of_cpp(source)), parsed, "{source}");
        }
    }

    #[test]
    fn what_may_be_a_type_or_a_name_stays() {
        for source in [
            "DWORD f(int x);",
            "DWORD\nf(int x);",
            "DWORD const x = 1;",
            "HRESULT Foo::bar(int x);",
            "BOOL operator==(A, B);",
            "struct FOO bar;",
            "FILE *f(FILE *x);",
            "enum E { RED,\nGREEN\n};",
            "class RLE final {};",
            "int x = A_B * C_D;",
            "void f() { return A_B; }",
            "std::vector<int> x(3);",
            "Foo bar(1);",
            "const int MAX_SIZE = 3;",
            "TEST(Suite, Name) {}",
            "#define A class API B {\nint x;",
            "// class API B {\nconst char *s = \"class API B {\";",
        ] {
            assert_eq!(blank(source, true), None, "{source}");
        }
    }

    #[test]
    fn conditionals_are_resolved_where_a_grammar_cannot_read_them() {
        for (source, parsed) in [
            ("#if A\nif (x) {\n#else\nif (y) {\n#endif\n}", "if (x) { }"),
            ("#ifdef A\nnamespace a {\n#endif\nint x;\n#ifdef A\n}\n#endif", "namespace a { int x; }"),
            ("class A\n#if B\n: B\n#endif\n{};", "class A : B {};"),
            ("#if A\nif (x) y();\nelse\n#endif\nz();", "if (x) y(); else z();"),
            ("#if 0\nint x;\n#else\nint y;\n#endif", "int y;"),
            ("#if __has_include(<a>)\n#endif", "#if __has_include( ) #endif"),
        ] {
            assert_eq!(words(&of_cpp(source)), parsed, "{source}");
        }
        for source in [
            "#if A\nint x;\n#else\nint y;\n#endif",
            "enum E {\nA,\n#if B\nC,\n#endif\nD };",
            "#ifdef __cplusplus\nclass A;\n#endif",
        ] {
            assert_eq!(blank(source, true), None, "{source}");
        }
        let guarded = "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint x;\n#ifdef __cplusplus\n}\n#endif";
        assert_eq!(words(&of_c(guarded)), "int x;");
        assert_eq!(words(&of_cpp(guarded)), "extern \"C\" { int x; }");
    }

    #[test]
    fn conditionals_nest_as_deep_as_they_like() {
        let depth = 100_000;
        let source = "#if A\n{\n".repeat(depth) + &"#else\n}\n#endif\n".repeat(depth);
        assert_eq!(of_cpp(&source).len(), source.len());
    }

    proptest! {
        /// Whatever is blanked, all that stays is where it was, and so are the lines.
        #[test]
        fn everything_stays_in_its_place(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "class", "struct", "enum", "template", "API", "A_B", "KB", "int", "x", "größe", "std", "::", "(", ")",
                    "{", "}", "<", ">", "[", "]", ";", ",", ":", "=", "*", "&", "~", "\"", "'", "\\", "\n", "\r\n",
                    "R\"x(", "//", "/*", "*/", "1", "\n#if A\n", "\n#else\n", "\n#endif\n", "\n#if 0\n", "operator",
                    "#if f(\"x", "const", "extern", "\"C\"",
                ]),
                0..60,
            ),
            is_cpp: bool,
            separator in prop::sample::select(vec!["", " "]),
        ) {
            let source = words.join(separator);
            if let Some(parsed) = blank(&source, is_cpp) {
                prop_assert_eq!(parsed.len(), source.len());
                let parsed = String::from_utf8(parsed).unwrap();
                for (was, is) in source.bytes().zip(parsed.bytes()) {
                    let is_kept = was == is || is == b' ' || is == b'0' || is == b';' && was.is_ascii_whitespace();
                    prop_assert!(is_kept, "{:?} {:?}", source, parsed);
                }
            }
        }
    }
}
