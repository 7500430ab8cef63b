//! Prints the syntax tree of a file, a node a line, with the kinds and fields that a language's folder names:
//! `cargo run -p ast-core-parse --features all-languages --example nodes -- FILE`.

#![expect(clippy::print_stdout, reason = "a program prints its result")]

use ast_core_model::RepoPath;
use ast_core_parse::{Language, NodeFilter, Parser, SourceText};
use std::error::Error;

/// The longest text of a node that is shown, in characters.
const SHOWN: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: nodes FILE")?;
    let bytes = std::fs::read(&path)?;
    let source = SourceText::decode(&bytes)?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(&path);
    let language =
        Language::detect(&RepoPath::new(name)?, source.text()).ok_or("no language of this build")?;
    let nodes = Parser::default().nodes(&source, language, &NodeFilter::default())?;
    for row in 0..nodes.len() {
        let indent = "  ".repeat(nodes.depths[row] as usize);
        let field = nodes.field_name(nodes.fields[row]);
        let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
        let text = nodes.span(row).map_or("", |span| source.slice(span));
        let shown: String = text.chars().take(SHOWN).collect();
        println!("{indent}{field}{} {shown:?}", nodes.kind_name(nodes.kinds[row]));
    }
    Ok(())
}
