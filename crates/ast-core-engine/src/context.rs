//! What a query finds, merged by file, in as many tokens as there are.

use crate::attempts::Attempts;
use crate::engine::blocking;
use crate::map::shortened;
use crate::{Engine, EngineError, SearchHit, SearchNotice, SearchQuery, SearchReply, estimated_tokens};
use ast_core_model::{FileId, LanguageName, LineRange, RepoPath, SymbolKind};
use ast_core_parse::SourceText;
use ast_core_storage::Document;
use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Chunks that are looked at for a place in the context.
const LOOKED_AT: usize = 60;

/// The part of the budget that signatures may take before there are bodies: one in so many.
const SIGNATURES: usize = 4;

/// Bodies with so few lines between them are one.
const GAP: u32 = 2;

/// A body of which fewer lines than this fit is none.
const FEWEST_LINES: u32 = 4;

/// What a context is to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct ContextQuery {
    /// What to look for. Its limit is the most chunks that are looked at; its `context` does not matter.
    pub search: SearchQuery,
    /// The most tokens of the text, as [`estimated_tokens`] counts. Default: 4096.
    pub budget: usize,
}

impl ContextQuery {
    /// Looks for this text everywhere.
    pub fn new(text: impl Into<String>) -> Self {
        Self { search: SearchQuery { limit: LOOKED_AT, ..SearchQuery::new(text) }, budget: 4096 }
    }
}

/// What to read to know what was asked for. [`Display`](fmt::Display) is its text: for each file its path, then its parts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContextReply {
    /// The files, that with the best hit first.
    pub files: Vec<ContextFile>,
    /// The tokens of the text, as [`estimated_tokens`] counts.
    pub tokens: usize,
    /// Hits of which there is nothing, as there was no room.
    pub left_out: usize,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// What was left out of the search, and why.
    pub notices: Vec<SearchNotice>,
}

/// A file of a context.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContextFile {
    /// Relative to the tree.
    pub path: RepoPath,
    /// Its language.
    pub language: LanguageName,
    /// What there is of it, in the order of its lines.
    pub parts: Vec<ContextPart>,
    /// Whether it has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
}

/// A part of a file in a context.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContextPart {
    /// Its lines: of a signature those of all of its definition.
    pub lines: LineRange,
    /// The kind of the definition that the best hit in it is about.
    pub kind: Option<SymbolKind>,
    /// The name of that definition.
    pub name: Option<String>,
    /// The names round it, outermost first.
    pub scope: Vec<String>,
    /// The score of the best hit in it, from 0 to 1.
    pub score: f64,
    /// How much of it there is.
    pub form: ContextForm,
    /// The signature, or the lines.
    pub text: String,
}

/// How much of a part there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextForm {
    /// What comes before the body, on one line.
    Signature,
    /// All of its lines.
    Body,
    /// The first of its lines; this many more had no room.
    Cut(u32),
}

impl ContextForm {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Body => "body",
            Self::Cut(_) => "cut",
        }
    }
}

impl fmt::Display for ContextPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LineRange { start, end } = self.lines;
        if self.form == ContextForm::Signature {
            return writeln!(f, "{start:>5}-{end} {}", self.text);
        }
        write!(f, "{start:>5}-{end}")?;
        if let (Some(kind), Some(name)) = (self.kind, &self.name) {
            write!(f, " {kind} ")?;
            self.scope.iter().try_for_each(|scope| write!(f, "{scope}."))?;
            write!(f, "{name}")?;
        }
        writeln!(f, "\n{}", self.text)?;
        match self.form {
            ContextForm::Cut(lines) => writeln!(f, "… {lines} more lines\n"),
            _ => writeln!(f),
        }
    }
}

impl fmt::Display for ContextFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path)?;
        self.parts.iter().try_for_each(|part| write!(f, "{part}"))
    }
}

impl fmt::Display for ContextReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| write!(f, "{file}"))
    }
}

impl Engine {
    /// What to read to know what a query asks for: what it finds, merged by file, in a text that keeps to a budget of
    /// tokens. A part of the budget goes to the signatures of the best hits, the rest to their bodies, best first, and what is
    /// left to further signatures.
    ///
    /// # Errors
    /// As of [`search`](Self::search).
    pub async fn context(&self, query: &ContextQuery) -> Result<ContextReply, EngineError> {
        let begin = Instant::now();
        let mut attempts = Attempts::new();
        loop {
            if let Some(answer) = attempts.judge(self.context_once(query).await) {
                return answer.map(|reply| ContextReply { took: begin.elapsed(), ..reply });
            }
        }
    }

    /// The answer, and whether commits took away meanwhile some of what was found.
    async fn context_once(&self, query: &ContextQuery) -> Result<(ContextReply, bool), EngineError> {
        let found = self.search(&SearchQuery { context: 0, ..query.search.clone() }).await?;
        let SearchReply { hits, generation, complete, notices, .. } = found;
        let mut ids: Vec<FileId> = hits.iter().map(|hit| hit.chunk.file()).collect();
        ids.sort_unstable();
        ids.dedup();
        let documents: HashMap<FileId, Document> = self
            .store
            .outlines(&ids)
            .await?
            .into_iter()
            .map(|(record, document)| (record.id, document))
            .collect();
        let is_torn = documents.len() < ids.len();
        let budget = query.budget;
        let packed = blocking(move || Packed::of(hits, &documents, budget)).await??;
        let left_out = packed.left_out();
        let files = packed.into_files();
        let tokens = files.iter().map(tokens_of).sum();
        let took = Duration::ZERO;
        Ok((ContextReply { files, tokens, left_out, generation, complete, took, notices }, is_torn))
    }
}

/// What a context is made of, before it is put together.
#[derive(Default)]
struct Packed {
    budget: usize,
    tokens: usize,
    files: Vec<PackedFile>,
    places: HashMap<FileId, usize>,
    /// Each hit, by its file and its place in that file's list, best first.
    order: Vec<(usize, usize)>,
}

struct PackedFile {
    path: RepoPath,
    language: LanguageName,
    changed: Option<bool>,
    lines: Vec<String>,
    hits: Vec<PackedHit>,
    /// The tokens of what is shown of it.
    tokens: usize,
}

struct PackedHit {
    hit: SearchHit,
    /// The lines of its definition, and what comes before its body.
    definition: LineRange,
    signature: String,
    form: Option<Form>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Signature,
    /// The first so many lines of it.
    Lines(u32),
}

impl Packed {
    /// What is shown of hits, best first. What a commit took away meanwhile is left out.
    fn of(
        hits: Vec<SearchHit>,
        documents: &HashMap<FileId, Document>,
        budget: usize,
    ) -> Result<Self, EngineError> {
        let mut packed = Self { budget, ..Self::default() };
        for hit in hits {
            if let Some(document) = documents.get(&hit.chunk.file()) {
                packed.take(hit, document)?;
            }
        }
        packed.pack();
        Ok(packed)
    }

    fn take(&mut self, hit: SearchHit, document: &Document) -> Result<(), EngineError> {
        let place = match self.places.get(&hit.chunk.file()) {
            Some(place) => *place,
            None => {
                self.places.insert(hit.chunk.file(), self.files.len());
                let source = SourceText::decode(&document.source)?;
                self.files.push(PackedFile {
                    path: hit.path.clone(),
                    language: hit.language.clone(),
                    changed: hit.changed,
                    lines: source.text().lines().map(str::to_owned).collect(),
                    hits: Vec::new(),
                    tokens: 0,
                });
                self.files.len() - 1
            }
        };
        let chunk = document.chunks.get(hit.chunk.ordinal() as usize);
        let symbol = chunk.and_then(|chunk| document.symbols.get(chunk.symbol? as usize));
        let first_line =
            || hit.snippet.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let (definition, signature) = match symbol {
            Some(symbol) => (symbol.lines, shortened(&symbol.signature)),
            None => (hit.lines, shortened(first_line())),
        };
        let file = &mut self.files[place];
        self.order.push((place, file.hits.len()));
        file.hits.push(PackedHit { hit, definition, signature, form: None });
        Ok(())
    }

    /// Chooses what is shown of each hit.
    fn pack(&mut self) {
        let order = std::mem::take(&mut self.order);
        for place in &order {
            self.show(*place, Form::Signature, self.budget / SIGNATURES);
        }
        let mut has_cut = false;
        for &(file, hit) in &order {
            let lines = self.files[file].hits[hit].hit.lines;
            let all = lines.end - lines.start + 1;
            if self.show((file, hit), Form::Lines(all), self.budget) || has_cut {
                continue;
            }
            // Of the first that has no room its first lines are better than nothing, of others their signatures are.
            has_cut = true;
            let (mut fits, mut too_many) = (FEWEST_LINES - 1, all);
            while too_many - fits > 1 {
                let lines = fits + (too_many - fits) / 2;
                match self.show((file, hit), Form::Lines(lines), self.budget) {
                    true => fits = lines,
                    false => too_many = lines,
                }
            }
        }
        for place in &order {
            if self.files[place.0].hits[place.1].form.is_none() {
                self.show(*place, Form::Signature, self.budget);
            }
        }
        self.order = order;
    }

    /// Shows a hit in this form, if what is shown has no more tokens than the limit then.
    fn show(&mut self, (file, hit): (usize, usize), form: Form, limit: usize) -> bool {
        let file = &mut self.files[file];
        let before = file.hits[hit].form.replace(form);
        let shown = file.shown();
        let tokens = self.tokens - file.tokens + tokens_of(&shown);
        if tokens > limit {
            file.hits[hit].form = before;
            return false;
        }
        file.tokens = tokens + file.tokens - self.tokens;
        self.tokens = tokens;
        true
    }

    /// The hits of which nothing is shown.
    fn left_out(&self) -> usize {
        self.files.iter().flat_map(|file| &file.hits).filter(|hit| hit.form.is_none()).count()
    }

    fn into_files(self) -> Vec<ContextFile> {
        let files = self.files.iter().map(PackedFile::shown);
        files.filter(|file| !file.parts.is_empty()).collect()
    }
}

impl PackedFile {
    /// What is shown of it: lines that overlap or nearly meet as one part, and the signatures that are not in them.
    fn shown(&self) -> ContextFile {
        let mut bodies: Vec<(&PackedHit, LineRange)> =
            self.hits.iter().filter_map(PackedHit::lines).collect();
        bodies.sort_by_key(|(hit, lines)| (lines.start, std::cmp::Reverse(lines.end), hit.hit.chunk));
        let mut parts: Vec<ContextPart> = Vec::new();
        // How far the hits of the last part go, shown or not.
        let mut whole = 0;
        for (hit, lines) in bodies {
            match parts.last_mut().filter(|part| lines.start <= part.lines.end + 1 + GAP) {
                Some(part) => {
                    part.lines.end = part.lines.end.max(lines.end);
                    if hit.hit.score > part.score {
                        *part = ContextPart { lines: part.lines, ..hit.part(String::new()) };
                    }
                    whole = whole.max(hit.hit.lines.end);
                }
                None => {
                    parts.push(ContextPart { lines, ..hit.part(String::new()) });
                    whole = hit.hit.lines.end;
                }
            }
            if let Some(part) = parts.last_mut() {
                part.form = match whole.saturating_sub(part.lines.end) {
                    0 => ContextForm::Body,
                    more => ContextForm::Cut(more),
                };
            }
        }
        for part in &mut parts {
            let lines = self.lines.iter().skip(part.lines.start as usize - 1);
            let count = part.lines.end - part.lines.start + 1;
            part.text = lines.take(count as usize).map(String::as_str).collect::<Vec<_>>().join("\n");
        }
        let bodies = parts.len();
        for hit in self.hits.iter().filter(|hit| hit.form == Some(Form::Signature)) {
            let first = hit.definition.start;
            let is_shown = |part: &ContextPart| match part.form {
                ContextForm::Signature => part.lines == hit.definition && part.text == hit.signature,
                _ => part.lines.start <= first && first <= part.lines.end,
            };
            if !parts.iter().any(is_shown) {
                parts.push(ContextPart { lines: hit.definition, ..hit.part(hit.signature.clone()) });
            }
        }
        if bodies < parts.len() {
            parts.sort_by_key(|part| (part.lines.start, part.lines.end));
        }
        ContextFile { path: self.path.clone(), language: self.language.clone(), parts, changed: self.changed }
    }
}

impl PackedHit {
    /// The lines of it that are shown.
    fn lines(&self) -> Option<(&Self, LineRange)> {
        let start = self.hit.lines.start;
        match self.form {
            Some(Form::Lines(count)) => Some((self, LineRange::new(start, start + count - 1))),
            _ => None,
        }
    }

    fn part(&self, text: String) -> ContextPart {
        ContextPart {
            lines: self.hit.lines,
            kind: self.hit.kind,
            name: self.hit.name.clone(),
            scope: self.hit.scope.clone(),
            score: self.hit.score,
            form: ContextForm::Signature,
            text,
        }
    }
}

/// The tokens of what is shown of a file, added up part by part.
fn tokens_of(file: &ContextFile) -> usize {
    if file.parts.is_empty() {
        return 0;
    }
    let parts = file.parts.iter().map(|part| estimated_tokens(&part.to_string()));
    estimated_tokens(&format!("{}\n", file.path)) + parts.sum::<usize>()
}
