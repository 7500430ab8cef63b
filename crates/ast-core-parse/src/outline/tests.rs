//! Outlines as text.

use crate::{Annotation, Complexity, ParsedFile};
use ast_core_model::scope_of;
use std::fmt::Write;

/// Symbols and chunks as text, checking on the way that they are where they say.
pub(crate) fn render(bytes: &[u8], file: &ParsedFile) -> String {
    let mut out = String::new();
    let errors = &file.syntax_errors;
    writeln!(out, "{} lines, {} syntax errors, {:?}", file.lines, errors.count, file.coverage).unwrap();
    for (index, symbol) in file.symbols.iter().enumerate() {
        assert!(symbol.extent.contains(symbol.span), "{symbol:?}");
        assert!(symbol.parent.is_none_or(|parent| (parent as usize) < index), "{symbol:?}");
        let visibility = symbol.visibility.map_or("-", |visibility| visibility.as_str());
        let scope = scope_of(&file.symbols, index).join(".");
        write!(out, "{}-{} {} {}", symbol.lines.start, symbol.lines.end, symbol.kind, symbol.name).unwrap();
        writeln!(out, " [{scope}] {visibility} | {}", symbol.signature).unwrap();
        if symbol.extent != symbol.span {
            let lead = &bytes[symbol.extent.start as usize..symbol.span.start as usize];
            writeln!(out, "    after {:?}", String::from_utf8_lossy(lead)).unwrap();
        }
        if let Some(doc) = &symbol.doc {
            writeln!(out, "    doc {doc:?}").unwrap();
        }
        render_annotation(&mut out, &file.annotations[index]);
    }
    assert_eq!(file.annotations.len(), file.symbols.len());
    for reference in &file.references {
        let inside = reference.symbol.map_or("-", |index| &*file.symbols[index as usize].name);
        write!(out, "{} {} {}", reference.line, reference.kind, reference.name).unwrap();
        if let Some(alias) = &reference.alias {
            write!(out, " as {alias}").unwrap();
        }
        if let Some(qualifier) = &reference.qualifier {
            write!(out, " of {qualifier}").unwrap();
        }
        writeln!(out, " in {inside}").unwrap();
    }
    for chunk in &file.chunks {
        let name = chunk.symbol.map_or("-", |index| &*file.symbols[index as usize].name);
        writeln!(out, "chunk {}-{} {} bytes {name}", chunk.lines.start, chunk.lines.end, chunk.span.len())
            .unwrap();
    }
    out
}

fn render_annotation(out: &mut String, annotation: &Annotation) {
    let complexity = annotation.complexity.unwrap_or_default();
    if annotation.complexity.is_some() {
        let Complexity { cyclomatic, cognitive, max_nesting } = complexity;
        writeln!(out, "    cyclomatic {cyclomatic}, cognitive {cognitive}, nesting {max_nesting}").unwrap();
    }
    if !annotation.modifiers.is_empty() {
        writeln!(out, "    modifiers {:?}", annotation.modifiers).unwrap();
    }
    if let Some(parameters) = &annotation.type_parameters {
        writeln!(out, "    type parameters {parameters}").unwrap();
    }
    for parameter in &annotation.parameters {
        write!(out, "    parameter {}", parameter.name).unwrap();
        if let Some(type_name) = &parameter.type_name {
            write!(out, ": {type_name}").unwrap();
        }
        if let Some(default) = &parameter.default {
            write!(out, " = {default}").unwrap();
        }
        writeln!(out, "{}", if parameter.optional { " (optional)" } else { "" }).unwrap();
    }
    if let Some(return_type) = &annotation.return_type {
        writeln!(out, "    returns {return_type}").unwrap();
    }
}

#[test]
fn signatures_have_no_comments() {
    for (language, text, signature) in [
        ("python", "class A:  # a\n    # b\n    x = 1\n", "class A"),
        ("javascript", "function f(a /* b */, c) // d\n{ return a }\n", "function f(a , c)"),
        ("rust", "fn f(\n    a: u8, // b\n    c: &'static str,\n) {}\n", "fn f( a: u8, c: &'static str, )"),
        ("go", "const a = \"// b\" // c\n", "const a = \"// b\""),
    ] {
        let Ok(language) = language.parse() else { continue };
        let file = crate::Parser::default().parse(text.as_bytes(), language).unwrap();
        assert_eq!(&*file.symbols[0].signature, signature);
    }
}
