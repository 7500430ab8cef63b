//! Files by the names that they define and mention.

use crate::Document;
use ast_core_lexical::{FIELDS, FileTerms, LexicalError, Match};
use ast_core_model::{FileId, ReferenceKind};
use std::collections::HashMap;

/// How a name is compared with the one looked for. Letters of ASCII are alike in upper and lower case, except in
/// [`Exact`](Self::Exact).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameMatch {
    /// The same, letter by letter.
    Exact,
    /// The same but for the case.
    IgnoreCase,
    /// It begins with it.
    Prefix,
    /// It holds it. All names are looked at.
    Substring,
}

impl NameMatch {
    /// Whether a name is one of those looked for.
    pub fn takes(self, wanted: &str, name: &str) -> bool {
        let (wanted, name) = (wanted.as_bytes(), name.as_bytes());
        match self {
            Self::Exact => name == wanted,
            Self::IgnoreCase => name.eq_ignore_ascii_case(wanted),
            Self::Prefix => name.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted)),
            Self::Substring => {
                wanted.is_empty() || name.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
            }
        }
    }
}

/// A file that has names like the one looked for, in any case of their letters: what it does with them is in its
/// document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamingFile {
    /// The file.
    pub file: FileId,
    /// Whether it defines such.
    pub defines: bool,
    /// Whether it calls such.
    pub calls: bool,
    /// Whether it uses types named so, to extend them too.
    pub uses_types: bool,
    /// Whether it imports such, or gives such names to what it imports.
    pub imports: bool,
}

/// The fields of the index of names. That of calls, which are the most, takes least room.
const DEFINED: usize = 0;
const TYPE: usize = 1;
const IMPORTED: usize = 2;
const CALLED: usize = 3;

impl NamingFile {
    /// What a match in an index of [names](crate::FileContent::names) says.
    pub fn of_match(found: &Match) -> Self {
        let has = |field: usize| found.frequencies[field] > 0;
        Self {
            file: found.chunk.file(),
            defines: has(DEFINED),
            calls: has(CALLED),
            uses_types: has(TYPE),
            imports: has(IMPORTED),
        }
    }
}

/// A name is told from others by so many bytes; further ones are looked at in the document.
const MAX_TERM: usize = 128;

/// The term that an index of [names](crate::FileContent::names) has for a name: its first 128 bytes, ASCII in lower case.
pub fn name_term(name: &str) -> String {
    let mut end = name.len().min(MAX_TERM);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_ascii_lowercase()
}

/// The names in a document.
pub(crate) fn names_of(document: &Document) -> Result<FileTerms, LexicalError> {
    let mut fields: HashMap<&str, [u16; FIELDS]> = HashMap::new();
    let mut note = |name, field: usize| fields.entry(name).or_default()[field] = 1;
    for symbol in &document.symbols {
        note(&*symbol.name, DEFINED);
    }
    for reference in &document.references {
        let field = match reference.kind {
            ReferenceKind::Call => CALLED,
            ReferenceKind::Import => IMPORTED,
            ReferenceKind::Type | ReferenceKind::Inherit => TYPE,
        };
        note(&*reference.name, field);
        if let Some(alias) = &reference.alias {
            note(alias, field);
        }
    }
    let mut terms: HashMap<String, [u16; FIELDS]> = HashMap::with_capacity(fields.len());
    for (name, fields) in fields {
        let known = terms.entry(name_term(name)).or_default();
        known.iter_mut().zip(fields).for_each(|(known, field)| *known |= field);
    }
    FileTerms::of_document(terms.iter().map(|(term, fields)| (term.as_str(), *fields)))
}
