//! Columns: what there may be very much of crosses over as a few arrays of numbers and one text.
//!
//! A column of texts is a pair of numbers a row: where the row's text begins and ends in the one text, in UTF-16 code
//! units; [`NONE`] twice where there is none. A column of spans is a pair a row, too.

use crate::text::Text;
use ast_core_engine::{
    Annotation, Chunk, FileId, Reference, Span, Symbol, SymbolRow, Utf16Places, Visibility, scope_of,
};
use napi::bindgen_prelude::{Float32Array, Int32Array, Uint8Array, Uint32Array};
use napi_derive::napi;

/// Stands for nothing in a column of texts.
const NONE: u32 = u32::MAX;

/// Stands for nothing in a column of words.
const NO_WORD: u8 = u8::MAX;

/// Between the names of a scope, and between modifiers. Neither has any.
const SEPARATOR: &str = "\0";

/// Definitions, a row each.
#[napi(object, object_from_js = false)]
pub struct SymbolColumns {
    pub length: u32,
    pub name: Uint32Array,
    pub kind: Uint8Array,
    pub visibility: Uint8Array,
    pub scope: Uint32Array,
    pub signature: Uint32Array,
    pub doc: Uint32Array,
    pub parent: Int32Array,
    pub lines: Uint32Array,
    pub bytes: Uint32Array,
    pub range: Uint32Array,
    pub name_bytes: Uint32Array,
}

/// What the syntax says of each definition.
#[napi(object, object_from_js = false)]
pub struct AnnotationColumns {
    pub modifiers: Uint32Array,
    pub type_parameters: Uint32Array,
    pub return_type: Uint32Array,
    pub complexity: Int32Array,
    /// Where the parameters of each row begin; one more than there are rows.
    pub first_parameter: Uint32Array,
    pub parameter_name: Uint32Array,
    pub parameter_type: Uint32Array,
    pub parameter_default: Uint32Array,
    pub parameter_optional: Uint8Array,
}

/// Mentions, a row each.
#[napi(object, object_from_js = false)]
pub struct ReferenceColumns {
    pub length: u32,
    pub kind: Uint8Array,
    pub name: Uint32Array,
    pub qualifier: Uint32Array,
    pub alias: Uint32Array,
    pub symbol: Int32Array,
    pub line: Uint32Array,
    pub bytes: Uint32Array,
    pub range: Uint32Array,
}

/// Pieces, a row each.
#[napi(object, object_from_js = false)]
pub struct ChunkColumns {
    pub length: u32,
    pub symbol: Int32Array,
    pub lines: Uint32Array,
    pub bytes: Uint32Array,
    pub range: Uint32Array,
}

/// Definitions of many files.
#[napi(object, object_from_js = false)]
pub struct ListedColumns {
    /// The paths of the files, and their languages.
    pub paths: Vec<String>,
    pub languages: Vec<String>,
    /// Of each row its file.
    pub file: Uint32Array,
    pub symbols: SymbolColumns,
    #[napi(ts_type = "string")]
    pub text: Text,
    /// The text of documentation, apart, as it has other characters than ASCII more often: a text that has none takes half
    /// as much.
    #[napi(ts_type = "string")]
    pub docs: Text,
}

/// Collects definitions.
#[derive(Default)]
struct SymbolRows {
    name: Vec<u32>,
    kind: Vec<u8>,
    visibility: Vec<u8>,
    scope: Vec<u32>,
    /// Where the scope of the last row is, which many share.
    last_scope: [u32; 2],
    signature: Vec<u32>,
    doc: Vec<u32>,
    parent: Vec<i32>,
    lines: Vec<u32>,
    bytes: Vec<u32>,
    range: Vec<u32>,
    name_bytes: Vec<u32>,
}

impl SymbolRows {
    fn with_capacity(rows: usize) -> Self {
        Self {
            name: Vec::with_capacity(2 * rows),
            kind: Vec::with_capacity(rows),
            visibility: Vec::with_capacity(rows),
            scope: Vec::with_capacity(2 * rows),
            last_scope: [0; 2],
            signature: Vec::with_capacity(2 * rows),
            doc: Vec::with_capacity(2 * rows),
            parent: Vec::with_capacity(rows),
            lines: Vec::with_capacity(2 * rows),
            bytes: Vec::with_capacity(2 * rows),
            range: Vec::with_capacity(2 * rows),
            name_bytes: Vec::with_capacity(2 * rows),
        }
    }

    /// Adds a row, with the names round the definition if they may be others than those of the row before.
    fn add(
        &mut self,
        (texts, docs): (&mut Text, Option<&mut Text>),
        symbol: &Symbol,
        utf16: Span,
        scope: Option<&[&str]>,
    ) {
        if let Some(scope) = scope {
            self.last_scope = texts.add(&scope.join(SEPARATOR));
        }
        self.name.extend(texts.add(&symbol.name));
        self.kind.push(symbol.kind as u8);
        self.visibility.push(symbol.visibility.map_or(NO_WORD, |visibility: Visibility| visibility as u8));
        self.scope.extend(self.last_scope);
        self.signature.extend(texts.add(&symbol.signature));
        self.doc.extend(add_optional(docs.unwrap_or(texts), symbol.doc.as_deref()));
        self.parent.push(place_of(symbol.parent));
        self.lines.extend([symbol.lines.start, symbol.lines.end]);
        self.bytes.extend(pair(symbol.span));
        self.range.extend(pair(utf16));
        self.name_bytes.extend(pair(symbol.name_span));
    }

    fn finish(self) -> SymbolColumns {
        SymbolColumns {
            length: self.kind.len() as u32,
            name: self.name.into(),
            kind: self.kind.into(),
            visibility: self.visibility.into(),
            scope: self.scope.into(),
            signature: self.signature.into(),
            doc: self.doc.into(),
            parent: self.parent.into(),
            lines: self.lines.into(),
            bytes: self.bytes.into(),
            range: self.range.into(),
            name_bytes: self.name_bytes.into(),
        }
    }
}

/// What the names round a definition follow from: those round two of a file are the same if this is.
fn surroundings(symbol: &Symbol) -> (Option<u32>, Option<&str>) {
    (symbol.parent, symbol.qualifier.as_deref())
}

/// The definitions of a file.
pub(crate) fn symbols(texts: &mut Text, symbols: &[Symbol], utf16: &Utf16Places) -> SymbolColumns {
    let mut rows = SymbolRows::with_capacity(symbols.len());
    let mut last = None;
    for (index, symbol) in symbols.iter().enumerate() {
        let round = surroundings(symbol);
        let scope = (last.replace(round) != Some(round)).then(|| scope_of(symbols, index));
        rows.add((&mut *texts, None), symbol, utf16.of_span(symbol.span), scope.as_deref());
    }
    rows.finish()
}

/// Collects definitions of many files.
#[derive(Default)]
pub(crate) struct ListedRows {
    paths: Vec<String>,
    languages: Vec<String>,
    /// Of the last row its file, and what it is inside of there if it has no qualifier.
    last: Option<(FileId, Option<Option<u32>>)>,
    file: Vec<u32>,
    rows: SymbolRows,
    texts: Text,
    docs: Text,
}

impl ListedRows {
    /// Adds a row.
    pub(crate) fn add(&mut self, row: &SymbolRow<'_>) {
        let file = row.id.file();
        if self.last.is_none_or(|(last, _)| last != file) {
            self.paths.push(row.path.to_string());
            self.languages.push(row.language.to_string());
        }
        self.file.push(self.paths.len() as u32 - 1);
        let inside = row.symbol.qualifier.is_none().then_some(row.symbol.parent);
        let is_same = inside.is_some() && self.last == Some((file, inside));
        let scope = (!is_same).then(|| row.scope());
        self.last = Some((file, inside));
        self.rows.add((&mut self.texts, Some(&mut self.docs)), row.symbol, row.utf16, scope.as_deref());
    }

    /// All of them.
    pub(crate) fn finish(self) -> ListedColumns {
        ListedColumns {
            paths: self.paths,
            languages: self.languages,
            file: self.file.into(),
            symbols: self.rows.finish(),
            text: self.texts,
            docs: self.docs,
        }
    }
}

/// What the syntax says of the definitions of a file.
pub(crate) fn annotations(texts: &mut Text, annotations: &[Annotation]) -> AnnotationColumns {
    let (mut modifiers, mut type_parameters, mut return_type) = (Vec::new(), Vec::new(), Vec::new());
    let (mut complexity, mut first_parameter) = (Vec::new(), vec![0]);
    let (mut names, mut types, mut defaults, mut optional) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for annotation in annotations {
        let words: Vec<&str> = annotation.modifiers.iter().map(|modifier| modifier.as_str()).collect();
        modifiers.extend(add_optional(texts, Some(&*words.join(SEPARATOR)).filter(|_| !words.is_empty())));
        type_parameters.extend(add_optional(texts, annotation.type_parameters.as_deref()));
        return_type.extend(add_optional(texts, annotation.return_type.as_deref()));
        complexity.extend(annotation.complexity.map_or([-1; 3], |complexity| {
            [complexity.cyclomatic, complexity.cognitive, complexity.max_nesting].map(u32::cast_signed)
        }));
        for parameter in &annotation.parameters {
            names.extend(texts.add(&parameter.name));
            types.extend(add_optional(texts, parameter.type_name.as_deref()));
            defaults.extend(add_optional(texts, parameter.default.as_deref()));
            optional.push(u8::from(parameter.optional));
        }
        first_parameter.push(optional.len() as u32);
    }
    AnnotationColumns {
        modifiers: modifiers.into(),
        type_parameters: type_parameters.into(),
        return_type: return_type.into(),
        complexity: complexity.into(),
        first_parameter: first_parameter.into(),
        parameter_name: names.into(),
        parameter_type: types.into(),
        parameter_default: defaults.into(),
        parameter_optional: optional.into(),
    }
}

/// The mentions of a file.
pub(crate) fn references(
    texts: &mut Text,
    references: &[Reference],
    utf16: &Utf16Places,
) -> ReferenceColumns {
    let (mut name, mut qualifier, mut alias) = (Vec::new(), Vec::new(), Vec::new());
    for reference in references {
        name.extend(texts.add(&reference.name));
        qualifier.extend(add_optional(texts, reference.qualifier.as_deref()));
        alias.extend(add_optional(texts, reference.alias.as_deref()));
    }
    let column = |of: fn(&Reference) -> u32| references.iter().map(of).collect::<Vec<u32>>().into();
    ReferenceColumns {
        length: references.len() as u32,
        kind: references.iter().map(|reference| reference.kind as u8).collect::<Vec<u8>>().into(),
        name: name.into(),
        qualifier: qualifier.into(),
        alias: alias.into(),
        symbol: references.iter().map(|reference| place_of(reference.symbol)).collect::<Vec<i32>>().into(),
        line: column(|reference| reference.line),
        bytes: spans(references.iter().map(|reference| reference.span)),
        range: spans(references.iter().map(|reference| utf16.of_span(reference.span))),
    }
}

/// The pieces of a file.
pub(crate) fn chunks(chunks: &[Chunk], utf16: &Utf16Places) -> ChunkColumns {
    let lines = chunks.iter().flat_map(|chunk| [chunk.lines.start, chunk.lines.end]);
    ChunkColumns {
        length: chunks.len() as u32,
        symbol: chunks.iter().map(|chunk| place_of(chunk.symbol)).collect::<Vec<i32>>().into(),
        lines: lines.collect::<Vec<u32>>().into(),
        bytes: spans(chunks.iter().map(|chunk| chunk.span)),
        range: spans(chunks.iter().map(|chunk| utf16.of_span(chunk.span))),
    }
}

/// Vectors behind each other. What was made here is not copied.
pub(crate) fn vectors(vectors: Vec<f32>) -> Float32Array {
    vectors.into()
}

fn spans(spans: impl Iterator<Item = Span>) -> Uint32Array {
    spans.flat_map(pair).collect::<Vec<u32>>().into()
}

fn pair(span: Span) -> [u32; 2] {
    [span.start, span.end]
}

fn add_optional(texts: &mut Text, text: Option<&str>) -> [u32; 2] {
    text.map_or([NONE, NONE], |text| texts.add(text))
}

/// -1 for none.
fn place_of(index: Option<u32>) -> i32 {
    index.map_or(-1, u32::cast_signed)
}
