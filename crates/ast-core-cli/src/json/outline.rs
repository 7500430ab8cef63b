//! What files define and mention.

use super::{Failure, SCHEMA};
use crate::commands::LeftOut;
use ast_core_engine::{Outline, ReferenceKind, scope_of};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Symbol<'a> {
    path: &'a str,
    language: &'a str,
    name: &'a str,
    kind: &'static str,
    start_line: u32,
    end_line: u32,
    start_byte: u32,
    end_byte: u32,
    scope: Vec<&'a str>,
    signature: &'a str,
    doc: Option<&'a str>,
    visibility: Option<&'static str>,
}

impl<'a> Symbol<'a> {
    fn new(outline: &'a Outline, index: usize) -> Self {
        let symbol = &outline.file.symbols[index];
        Self {
            path: &outline.path,
            language: outline.file.language.as_str(),
            name: &symbol.name,
            kind: symbol.kind.as_str(),
            start_line: symbol.lines.start,
            end_line: symbol.lines.end,
            start_byte: symbol.span.start,
            end_byte: symbol.span.end,
            scope: scope_of(&outline.file.symbols, index),
            signature: &symbol.signature,
            doc: symbol.doc.as_deref(),
            visibility: symbol.visibility.map(|visibility| visibility.as_str()),
        }
    }

    pub(crate) fn all_of(outline: &'a Outline) -> impl Iterator<Item = Self> {
        (0..outline.file.symbols.len()).map(|index| Self::new(outline, index))
    }
}

#[derive(Serialize)]
pub(crate) struct Reference<'a> {
    path: &'a str,
    language: &'a str,
    reference: &'static str,
    name: &'a str,
    qualifier: Option<&'a str>,
    alias: Option<&'a str>,
    line: u32,
    start_byte: u32,
    end_byte: u32,
    /// The names of the definitions it is inside of.
    scope: Vec<&'a str>,
}

impl<'a> Reference<'a> {
    pub(crate) fn all_of(outline: &'a Outline) -> impl Iterator<Item = Self> {
        let symbols = &outline.file.symbols;
        outline.file.references.iter().map(move |reference| {
            let inside = reference.symbol.map(|index| index as usize).filter(|&index| index < symbols.len());
            let mut scope = inside.map_or(Vec::new(), |index| scope_of(symbols, index));
            scope.extend(inside.map(|index| &*symbols[index].name));
            Self {
                path: &outline.path,
                language: outline.file.language.as_str(),
                reference: reference.kind.as_str(),
                name: &reference.name,
                qualifier: reference.qualifier.as_deref(),
                alias: reference.alias.as_deref(),
                line: reference.line,
                start_byte: reference.span.start,
                end_byte: reference.span.end,
                scope,
            }
        })
    }
}

#[derive(Serialize)]
pub(crate) struct Symbols<'a> {
    schema: u32,
    symbols: Vec<Symbol<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Vec<Reference<'a>>>,
    failures: Vec<Failure<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<Failure<'a>>,
}

impl<'a> Symbols<'a> {
    pub(crate) fn new(outlines: &'a [Outline], left_out: &'a LeftOut, references: bool) -> Self {
        Self {
            schema: SCHEMA,
            symbols: outlines.iter().flat_map(Symbol::all_of).collect(),
            references: references.then(|| outlines.iter().flat_map(Reference::all_of).collect()),
            failures: left_out.failures.iter().map(Failure::from).collect(),
            incomplete: left_out.incomplete.iter().map(Failure::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Annotated<'a> {
    #[serde(flatten)]
    symbol: Symbol<'a>,
    modifiers: Vec<&'static str>,
    type_parameters: Option<&'a str>,
    parameters: Vec<Parameter<'a>>,
    return_type: Option<&'a str>,
    complexity: Option<Complexity>,
    imports: Vec<Import<'a>>,
    exports: Vec<&'a str>,
    calls: Vec<Call<'a>>,
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    r#type: Option<&'a str>,
    optional: bool,
    default: Option<&'a str>,
}

#[derive(Serialize)]
struct Complexity {
    cyclomatic: u32,
    cognitive: u32,
    max_nesting: u32,
}

#[derive(Serialize)]
struct Import<'a> {
    name: &'a str,
    module: Option<&'a str>,
    alias: Option<&'a str>,
}

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    qualifier: Option<&'a str>,
    line: u32,
}

impl<'a> Annotated<'a> {
    pub(crate) fn all_of(outline: &'a Outline) -> impl Iterator<Item = Self> {
        let file = &outline.file;
        file.annotations.iter().take(file.symbols.len()).enumerate().map(move |(index, annotation)| {
            let parameter = |parameter: &'a ast_core_engine::Parameter| Parameter {
                name: &parameter.name,
                r#type: parameter.type_name.as_deref(),
                optional: parameter.optional,
                default: parameter.default.as_deref(),
            };
            let import = |import: &'a ast_core_engine::Reference| Import {
                name: &import.name,
                module: import.qualifier.as_deref(),
                alias: import.alias.as_deref(),
            };
            let calls = file.references_of(index).filter(|reference| reference.kind == ReferenceKind::Call);
            let symbol = Symbol::new(outline, index);
            let exported = file.is_exported(index).then_some(symbol.name);
            Self {
                modifiers: annotation.modifiers.iter().map(|modifier| modifier.as_str()).collect(),
                type_parameters: annotation.type_parameters.as_deref(),
                parameters: annotation.parameters.iter().map(parameter).collect(),
                return_type: annotation.return_type.as_deref(),
                complexity: annotation.complexity.map(|complexity| Complexity {
                    cyclomatic: complexity.cyclomatic,
                    cognitive: complexity.cognitive,
                    max_nesting: complexity.max_nesting,
                }),
                imports: file.imports_of(index).into_iter().map(import).collect(),
                exports: exported.into_iter().collect(),
                calls: calls
                    .map(|call| Call {
                        name: &call.name,
                        qualifier: call.qualifier.as_deref(),
                        line: call.line,
                    })
                    .collect(),
                symbol,
            }
        })
    }
}

#[derive(Serialize)]
pub(crate) struct Annotations<'a> {
    schema: u32,
    symbols: Vec<Annotated<'a>>,
    failures: Vec<Failure<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<Failure<'a>>,
}

impl<'a> Annotations<'a> {
    pub(crate) fn new(outlines: &'a [Outline], left_out: &'a LeftOut) -> Self {
        Self {
            schema: SCHEMA,
            symbols: outlines.iter().flat_map(Annotated::all_of).collect(),
            failures: left_out.failures.iter().map(Failure::from).collect(),
            incomplete: left_out.incomplete.iter().map(Failure::from).collect(),
        }
    }
}
