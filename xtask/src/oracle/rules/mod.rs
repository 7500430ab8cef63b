//! Where ctags is wrong, and how it is told from the text alone.
//!
//! A rule is asked only about a tag that we lack, so it cannot hide an agreement; what it sets aside is counted and
//! printed under its name. Each is as narrow as the text allows, and was made from samples read by hand.

use super::ctags::Tag;
use super::language::Language;
use super::source::{Source, find_word, is_word, matches_word};
use super::symbols::Located;

/// A way in which ctags is wrong.
pub(super) struct Rule {
    pub(super) name: &'static str,
    languages: &'static [Language],
    kinds: &'static [&'static str],
    pub(super) why: &'static str,
    applies: fn(&Case<'_>) -> bool,
}

/// A tag that we lack.
struct Case<'a> {
    tag: &'a Tag,
    source: &'a Source,
    symbols: &'a [Located],
    line: &'a [u8],
    /// Where the name is in the file, if it is on the line of the tag at all.
    at: Option<usize>,
}

/// The mean length of the lines of a file that the engine does not look into, in bytes.
const MINIFIED_LINE: usize = 500;

/// Longer lines are written by programs: on one line everything has the same name as something.
const LONG_LINE: usize = 1000;

use Language::{C, CSharp, Cpp, Java, JavaScript, Kotlin, Php, Ruby, Rust, TypeScript};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "impl-named-otherwise",
        languages: &[Rust],
        kinds: &["implementation"],
        why: "an `impl` that we report on this line, named by another part of its type: `B` of `impl Eq for (A, B)`",
        applies: |case| case.is_ours_on_line(Some("impl")),
    },
    Rule {
        name: "static-lifetime",
        languages: &[Rust],
        kinds: &["variable"],
        why: "the type after a lifetime, `str` of `&'static str`, read as a static of that name",
        applies: |case| {
            let lifetime = b"'static ";
            let ends = case.line.windows(lifetime.len()).enumerate().filter(|(_, text)| text == lifetime);
            let mut ends = ends.map(|(at, text)| at + text.len());
            ends.any(|at| matches_word(case.line, at, &case.tag.name).is_some())
        },
    },
    Rule {
        name: "minified",
        languages: &[JavaScript],
        kinds: &[
            "class",
            "constant",
            "field",
            "function",
            "generator",
            "getter",
            "method",
            "setter",
            "variable",
        ],
        why: "on a line of more than 1,000 bytes, whose one-letter names ctags takes from anywhere",
        applies: |case| case.line.len() > LONG_LINE,
    },
    Rule {
        name: "minified-file",
        languages: &[JavaScript],
        kinds: &[
            "class",
            "constant",
            "field",
            "function",
            "generator",
            "getter",
            "method",
            "setter",
            "variable",
        ],
        why: "in a file of few lines that hold more than 500 bytes each on average, of which we report nothing",
        applies: |case| case.symbols.is_empty() && case.source.mean_line() >= MINIFIED_LINE,
    },
    Rule {
        name: "no-value-of-module",
        languages: &[TypeScript, JavaScript],
        kinds: &["constant", "variable"],
        why: "not the name that a `const`, `let` or `var` at the beginning of the line declares: a local one, a \
              property, an operand, or the type or value of what is declared",
        applies: |case| !case.at.is_some_and(|at| declares_value(case, at)),
    },
    Rule {
        name: "no-alias",
        languages: &[TypeScript],
        kinds: &["alias"],
        why: "a `type` in an import or export list, or a variable called `type`",
        applies: |case| {
            let is_alias =
                |at| case.source.before(at).word == b"type" && matches!(case.next(at), b'=' | b'<');
            !case.at.is_some_and(is_alias)
        },
    },
    Rule {
        name: "no-class",
        languages: &[TypeScript, JavaScript],
        kinds: &["class"],
        why: "an object literal, or the owner of a prototype, where no `class` is written",
        applies: |case| find_word(case.line, "class").is_none() || case.tag.name == "extends",
    },
    Rule {
        name: "no-field",
        languages: &[JavaScript],
        kinds: &["field"],
        why: "a shorthand property, an index or an argument, where no statement begins with the name",
        applies: |case| {
            let is_field = |at| {
                let before = case.line_before(at).trim_ascii_end();
                let before = before.strip_suffix(b"#").unwrap_or(before).trim_ascii();
                matches!(before, b"" | b"static") && matches!(case.next(at), b'=' | b';')
            };
            !case.at.is_some_and(is_field)
        },
    },
    Rule {
        name: "exports-as-name",
        languages: &[JavaScript],
        kinds: &["class", "function"],
        why: "`module.exports = …`, which we report under its own name or as `default`, called `exports`",
        applies: |case| case.tag.name == "exports" && case.is_ours_on_line(None),
    },
    Rule {
        name: "called-at-once",
        languages: &[JavaScript],
        kinds: &["function", "method"],
        why: "`name = (function () {…})()`, which binds what the function returns, or `name = new Function(…)`",
        applies: |case| {
            let value = |at| {
                let rest = case.source.after(at + case.tag.name.len());
                let rest = rest.strip_prefix(b"=").or(rest.strip_prefix(b":"))?.trim_ascii_start();
                let called = rest.strip_prefix(b"(").map(|rest| skip_comment(rest.trim_ascii_start()));
                Some(
                    called.is_some_and(|rest| rest.starts_with(b"function"))
                        || rest.starts_with(b"new Function"),
                )
            };
            case.at.and_then(value).unwrap_or(false)
        },
    },
    Rule {
        name: "owner-as-function",
        languages: &[JavaScript],
        kinds: &["function", "method"],
        why: "`owner` of `owner.name = function …` or `owner[key] = function …`",
        applies: |case| case.at.is_some_and(|at| matches!(case.next(at), b'.' | b'[')),
    },
    Rule {
        name: "no-method",
        languages: &[JavaScript],
        kinds: &["method"],
        why: "`Owner.prototype.name = value` with a literal as its value",
        applies: |case| {
            let value = |at| case.source.after(at + case.tag.name.len()).strip_prefix(b"=");
            case.at.and_then(value).is_some_and(|value| is_literal(value.trim_ascii_start()))
        },
    },
    Rule {
        name: "no-property",
        languages: &[TypeScript],
        kinds: &["property"],
        why: "a word of a type or a parameter of a function type: no member begins with the name",
        applies: |case| !case.at.is_some_and(|at| declares_property(case, at)),
    },
    Rule {
        name: "keyword",
        languages: &[TypeScript, Java],
        kinds: &["method", "property"],
        why: "a reserved word of the language, which nothing can be named, read as a method",
        applies: |case| {
            [
                "catch",
                "else",
                "extends",
                "false",
                "for",
                "if",
                "return",
                "switch",
                "synchronized",
                "true",
                "try",
                "while",
            ]
            .contains(&case.tag.name.as_str())
        },
    },
    Rule {
        name: "call",
        languages: &[C, Cpp, Java],
        kinds: &["function", "method", "prototype"],
        why: "a call, or a macro's, where no type stands before the name and the class is called otherwise",
        applies: |case| case.at.is_some_and(|at| is_call(case, at)),
    },
    Rule {
        name: "no-enum-constant",
        languages: &[Java],
        kinds: &["enumConstant"],
        why: "an annotation of a constant, or a word within the arguments of one",
        applies: |case| {
            case.at.is_some_and(|at| {
                let before = case.line_before(at);
                let count = |wanted: u8| before.iter().filter(|byte| **byte == wanted).count();
                count(b'(') > count(b')') || before.ends_with(b"@")
            })
        },
    },
    Rule {
        name: "no-java-field",
        languages: &[Java],
        kinds: &["field"],
        why: "the default of an annotation's element, a method reference or an argument",
        applies: |case| {
            case.at.is_some_and(|at| {
                let before = case.source.before(at);
                before.word == b"default" || before.byte == b':' || case.next(at) == b')'
            })
        },
    },
    Rule {
        name: "include-guard",
        languages: &[C, Cpp],
        kinds: &["macro"],
        why: "the macro that keeps a header from being read twice, which nobody looks for: we leave it out",
        applies: is_include_guard,
    },
    Rule {
        name: "local-variable",
        languages: &[C, Cpp],
        kinds: &["prototype", "variable"],
        why: "a variable in the body of a function that a macro makes, as `TEST_CASE(…) {…}` does",
        applies: in_body_of_macro,
    },
    Rule {
        name: "macro-after-name",
        languages: &[C, Cpp],
        kinds: &["function", "prototype"],
        why: "a macro beside the name of what is declared, which we report: `MACRO(x)` of `int name MACRO(x);`",
        applies: |case| is_macro_name(case.tag.name.as_bytes()) && case.declares_on_line(),
    },
    Rule {
        name: "macro-call",
        languages: &[C],
        kinds: &["function", "prototype", "variable"],
        why: "a macro's call at the beginning of a line, with no type before it: `TEST_BEGIN(name) {…}`",
        applies: |case| {
            let is_alone = |at| case.line_before(at).trim_ascii().is_empty() && case.next(at) == b'(';
            let ends_before = |at| matches!(case.source.before_code(at).byte, b';' | b'}' | b')' | b'/');
            case.at.is_some_and(|at| is_alone(at) && ends_before(at))
        },
    },
    Rule {
        name: "accessor",
        languages: &[CSharp],
        kinds: &["method", "property"],
        why: "the `get` or `set` of a property, and what begins a statement in one",
        applies: |case| {
            let line = case.line.trim_ascii();
            let is_accessor = |word: &&[u8]| matches!(*word, b"get" | b"set" | b"finally" | b"value");
            is_accessor(&case.tag.name.as_bytes())
                || line.split(|byte| !is_word(*byte)).take(1).any(|word| is_accessor(&word))
        },
    },
    Rule {
        name: "statement",
        languages: &[CSharp],
        kinds: &["field", "method", "property"],
        why: "a statement or a call, where no type stands before the name",
        applies: |case| case.at.is_some_and(|at| is_call(case, at)),
    },
    Rule {
        name: "explicit-interface",
        languages: &[CSharp],
        kinds: &["event", "method", "property"],
        why: "`Owner.Name`, the member of an interface, which we report as `Name`",
        applies: |case| {
            let last = case.tag.name.rsplit('.').next().unwrap_or_default();
            case.tag.name.contains('.')
                && case
                    .symbols
                    .iter()
                    .any(|located| located.symbol.name == last && located.lines.contains(&case.tag.line))
        },
    },
    Rule {
        name: "heredoc",
        languages: &[Ruby],
        kinds: &["accessor", "alias", "class", "constant", "method", "module", "singletonMethod"],
        why: "in a string of several lines, `<<~RUBY`",
        applies: in_heredoc,
    },
    Rule {
        name: "writer",
        languages: &[Ruby],
        kinds: &["accessor"],
        why: "`name=` of `attr_writer :name` or `attr_accessor :name`, which we report as `name`",
        applies: |case| {
            let name = case.tag.name.trim_end_matches('=');
            name != case.tag.name
                && case
                    .symbols
                    .iter()
                    .any(|located| located.symbol.name == name && located.lines.contains(&case.tag.line))
        },
    },
    Rule {
        name: "alias-without-sign",
        languages: &[Ruby],
        kinds: &["alias"],
        why: "`name?`, which we report with its sign",
        applies: |case| case.is_ours_on_line(Some("method")),
    },
    Rule {
        name: "local-value",
        languages: &[Kotlin],
        kinds: &["class", "constant", "interface", "method", "object", "variable"],
        why: "what a function's body declares, a lambda, or a name in a string",
        applies: |case| !declares_kotlin(case),
    },
    Rule {
        name: "assigned",
        languages: &[Php],
        kinds: &["variable"],
        why: "a variable that a statement in a function assigns or mentions",
        applies: |case| case.line.first().is_some_and(u8::is_ascii_whitespace) && !declares_php(case),
    },
    Rule {
        name: "alias-named-by-target",
        languages: &[Cpp],
        kinds: &["alias"],
        why: "a namespace's alias, which we report under its name, named by what it stands for",
        applies: |case| case.is_ours_on_line(Some("namespace")),
    },
    Rule {
        name: "explicit-instantiation",
        languages: &[Cpp],
        kinds: &["variable"],
        why: "`template class Name<…>;`, which makes code of a template that is defined elsewhere",
        applies: |case| {
            let words: Vec<&[u8]> = case.line.trim_ascii().split(u8::is_ascii_whitespace).take(2).collect();
            matches!(words[..], [b"template", b"class" | b"struct"])
        },
    },
];

impl Case<'_> {
    /// Whether one of our definitions, of this kind or any, begins on the line.
    fn is_ours_on_line(&self, kind: Option<&str>) -> bool {
        self.symbols.iter().any(|located| {
            located.symbol.start_line == self.tag.line && kind.is_none_or(|kind| located.symbol.kind == kind)
        })
    }

    /// Whether the name of one of our definitions may be on the line, or on the one before.
    fn declares_on_line(&self) -> bool {
        let near = [self.tag.line, self.tag.line.saturating_sub(1)];
        self.symbols.iter().any(|located| located.lines.iter().any(|line| near.contains(line)))
    }

    /// What follows the name that is at this place, white space aside; a semicolon at the end of a file.
    fn next(&self, at: usize) -> u8 {
        self.source.after(at + self.tag.name.len()).first().copied().unwrap_or(b';')
    }

    /// The line up to this place.
    fn line_before(&self, at: usize) -> &[u8] {
        let text = self.source.slice(0, at);
        let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        &text[start..]
    }
}

/// The name of the rule that says that ctags is wrong.
pub(super) fn applying(
    language: Language,
    tag: &Tag,
    source: &Source,
    symbols: &[Located],
) -> Option<&'static str> {
    let case =
        Case { tag, source, symbols, line: source.line(tag.line), at: source.find(tag.line, &tag.name) };
    let is_asked =
        |rule: &&Rule| rule.languages.contains(&language) && rule.kinds.contains(&tag.kind.as_str());
    RULES.iter().filter(is_asked).find(|rule| (rule.applies)(&case)).map(|rule| rule.name)
}

/// What is special about a tag that we lack, as the last part of its class.
pub(super) fn special(language: Language, tag: &Tag, source: &Source) -> Option<&'static str> {
    let line = source.line(tag.line);
    let has = |word: &str| find_word(line, word).is_some();
    match language {
        Language::Python if has("lambda") => Some("lambda"),
        JavaScript if tag.kind == "method" && has("prototype") => Some("prototype"),
        JavaScript if has("function") && !has("module") => Some("named-expression"),
        _ => None,
    }
}

/// Whether a `const`, `let` or `var` at the beginning of the line declares the name at this place, alone or in a
/// pattern.
fn declares_value(case: &Case<'_>, at: usize) -> bool {
    let mut rest = case.line_before(at);
    for word in [&b"export "[..], b"declare "] {
        rest = rest.strip_prefix(word).unwrap_or(rest).trim_ascii_start();
    }
    let keyword = [&b"const "[..], b"let ", b"var "].into_iter().find_map(|word| rest.strip_prefix(word));
    keyword.is_some_and(|between| {
        let between = between.trim_ascii();
        between.is_empty()
            || (between.starts_with(b"{") || between.starts_with(b"[")) && !between.contains(&b'=')
    }) && !case.line.first().is_some_and(u8::is_ascii_whitespace)
}

/// Whether a member of a type begins with the name at this place.
fn declares_property(case: &Case<'_>, at: usize) -> bool {
    const MODIFIERS: [&[u8]; 9] = [
        b"abstract",
        b"declare",
        b"override",
        b"private",
        b"protected",
        b"public",
        b"readonly",
        b"static",
        b"-readonly",
    ];
    let mut before = case.line_before(at).trim_ascii();
    before = before.strip_suffix(b"#").unwrap_or(before).trim_ascii_end();
    while let Some(word) = MODIFIERS.into_iter().find(|word| before.ends_with(word)) {
        before = before[..before.len() - word.len()].trim_ascii_end();
    }
    let begins = before.is_empty() || matches!(before.last(), Some(b'{' | b';'));
    let rest = case.source.after(at + case.tag.name.len());
    let rest = rest.strip_prefix(b"?").or(rest.strip_prefix(b"!")).unwrap_or(rest).trim_ascii_start();
    begins && matches!(rest.first(), Some(b':' | b'=' | b';'))
}

/// Whether the line is in a string that began on a line before with `<<~NAME`.
fn in_heredoc(case: &Case<'_>) -> bool {
    let mut ends: Vec<Vec<u8>> = Vec::new();
    for number in 1..case.tag.line {
        let line = case.source.line(number);
        if let Some(end) = ends.first() {
            if line.trim_ascii() == end.as_slice() {
                ends.remove(0);
            }
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"<<") {
            rest = &rest[at + 2..];
            let name = rest.strip_prefix(b"~").or(rest.strip_prefix(b"-")).unwrap_or(rest);
            let name = name.strip_prefix(b"'").or(name.strip_prefix(b"\"")).unwrap_or(name);
            let length = name.iter().take_while(|byte| is_word(**byte)).count();
            if is_macro_name(&name[..length]) {
                ends.push(name[..length].to_vec());
            }
        }
    }
    !ends.is_empty()
}

/// Whether the line declares the name in a class or file: behind the keyword of its kind, and not in a function.
fn declares_kotlin(case: &Case<'_>) -> bool {
    let Some(at) = case.at else { return false };
    let before = case.line_before(at);
    let keyword: &[&[u8]] = match case.tag.kind.as_str() {
        "class" => &[b"class"],
        "interface" => &[b"interface"],
        "object" => &[b"object"],
        "method" => &[b"fun"],
        _ => &[b"val", b"var"],
    };
    let is_keyword = |word: &[u8]| keyword.contains(&word);
    let is_declared = before.split(|byte| !is_word(*byte)).any(is_keyword);
    is_declared && !matches!(case.tag.scope_kind.as_str(), "method" | "constant" | "variable")
}

/// Whether the line declares a property of a class.
fn declares_php(case: &Case<'_>) -> bool {
    const WORDS: [&[u8]; 6] = [b"private", b"protected", b"public", b"readonly", b"static", b"var"];
    let first = case.line.trim_ascii().split(|byte| !is_word(*byte)).next().unwrap_or_default();
    WORDS.contains(&first)
}

/// Whether one of the blocks round the line, by their indentation, is that of a macro's call.
fn in_body_of_macro(case: &Case<'_>) -> bool {
    let indent = |line: &[u8]| line.len() - line.trim_ascii_start().len();
    let mut least = indent(case.line);
    let mut opened = false;
    for number in (1..case.tag.line).rev() {
        let line = case.source.line(number);
        let text = line.trim_ascii();
        if least == 0 && !opened {
            return false;
        }
        if text.is_empty() || text.starts_with(b"#") || text.starts_with(b"//") || text.ends_with(b":") {
            continue;
        }
        let indent = indent(line);
        if indent < least || (opened && indent == least) {
            least = indent;
            // The brace is on a line of its own.
            opened = text == b"{";
            let word = text.iter().take_while(|byte| is_word(**byte)).count();
            if is_macro_name(&text[..word]) && text[word..].trim_ascii_start().starts_with(b"(") {
                return true;
            }
        }
    }
    false
}

/// Whether a word is written as the names of macros are.
fn is_macro_name(word: &[u8]) -> bool {
    word.len() > 2
        && word.first().is_some_and(u8::is_ascii_uppercase)
        && word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Whether the name at this place is called there: a declaration has a type before it, or the name of its class.
fn is_call(case: &Case<'_>, at: usize) -> bool {
    let name = case.tag.name.as_str();
    let class = case.tag.scope.rsplit([':', '.']).next().unwrap_or_default();
    let class = class.split('<').next().unwrap_or_default();
    if name.starts_with("operator") || name.trim_start_matches('~') == class {
        return false;
    }
    // `A::` of `A::B::f` belongs to the name.
    let mut place = at;
    while let Some(owner) = case.source.slice(0, place).trim_ascii_end().strip_suffix(b"::") {
        if owner.ends_with(b">") {
            return false;
        }
        place = owner.len() - owner.iter().rev().take_while(|byte| is_word(**byte)).count();
    }
    let before = case.source.before_code(place);
    const NO_TYPES: [&[u8]; 9] =
        [b"case", b"co_return", b"default", b"delete", b"else", b"new", b"not", b"return", b"throw"];
    NO_TYPES.contains(&before.word) || b"(),.!=<+-?|;{}[:\"/@".contains(&before.byte)
}

/// Whether the text is that of a literal that is no function.
fn is_literal(text: &[u8]) -> bool {
    let words: [&[u8]; 5] = [b"false", b"new ", b"null", b"true", b"undefined"];
    matches!(text.first(), Some(b'"' | b'\'' | b'`' | b'[' | b'{' | b'0'..=b'9' | b'-'))
        || words.iter().any(|word| text.starts_with(word))
}

fn skip_comment(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"/*") else { return text };
    let end = rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |at| at + 2);
    rest[end..].trim_ascii_start()
}

/// Whether the file begins, after its comments, with `#ifndef NAME` and `#define NAME`.
fn is_include_guard(case: &Case<'_>) -> bool {
    let mut in_comment = false;
    let mut tested = false;
    for number in 1..=case.tag.line {
        let line = case.source.line(number).trim_ascii();
        if in_comment || line.starts_with(b"/*") {
            in_comment = !line.windows(2).any(|pair| pair == b"*/");
            continue;
        }
        let directive = line.strip_prefix(b"#").map(<[u8]>::trim_ascii_start);
        match directive {
            None if line.is_empty() || line.starts_with(b"//") => {}
            Some(b"pragma once") => {}
            Some(text) if !tested && text.starts_with(b"if") => {
                let is_test = text.starts_with(b"ifndef") || text.starts_with(b"if !defined");
                tested = is_test && find_word(text, &case.tag.name).is_some();
                if !tested {
                    return false;
                }
            }
            Some(text) => {
                let name = text.strip_prefix(b"define").map(|rest| rest.trim_ascii());
                let name = name.and_then(|rest| rest.split(|byte| *byte == b'/').next());
                return tested
                    && number == case.tag.line
                    && name.map(<[u8]>::trim_ascii) == Some(case.tag.name.as_bytes());
            }
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests;
