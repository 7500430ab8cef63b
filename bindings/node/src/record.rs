//! Records: what has many parts crosses over as one list of numbers and one text. To set a property of an object from here
//! takes longer than to read ten parts of a record there. `lib/record.js` reads them, in the order in which they are
//! written here.
//!
//! A text is its length in UTF-16 code units, and follows the one before in the text of the record. A list is its length and
//! its items. What may be missing is said by a number that it does not have otherwise: a length or a place of -1, `NaN` for
//! other numbers.

use crate::convert::{milliseconds, number};
use crate::text::Text;
use ast_core_engine::{
    Callee, CalleeReply, Definition, LineRange, Mention, ReferenceReply, SearchHit, SearchReply,
    SimilarPlace, SimilarReply, Span, SymbolKind, Why,
};
use napi::bindgen_prelude::{Float64ArraySlice, ToNapiValue};
use napi::{Env, sys};
use napi_derive::napi;
use std::time::Duration;

/// Stands for a length, a place or an answer that there is none of.
const NONE: f64 = -1.0;

/// A reply, part by part.
#[napi(object, object_from_js = false)]
pub struct ReplyRecord {
    /// The parts that are numbers, and the lengths of those that are not.
    #[napi(ts_type = "Float64Array")]
    pub numbers: Numbers,
    /// The parts that are texts.
    #[napi(ts_type = "string")]
    pub text: Text,
}

/// Numbers that are copied when they cross over, as there are few of them: memory of ours that JavaScript is lent has to be
/// given back, for which it calls back later.
pub struct Numbers(Vec<f64>);

impl ToNapiValue for Numbers {
    unsafe fn to_napi_value(env: sys::napi_env, numbers: Self) -> napi::Result<sys::napi_value> {
        let copied = Float64ArraySlice::copy_from(&Env::from_raw(env), numbers.0)?;
        // SAFETY: whoever calls this gives an environment that is alive, on its thread; the array was made in it.
        unsafe { Float64ArraySlice::to_napi_value(env, copied) }
    }
}

/// What can be written to a record.
pub(crate) trait Part {
    /// Writes it behind what is there.
    fn write(&self, record: &mut ReplyRecord);
}

/// A reply as a record.
pub(crate) fn record(reply: &impl Part) -> ReplyRecord {
    let mut record =
        ReplyRecord { numbers: Numbers(Vec::with_capacity(512)), text: Text::with_capacity(8192) };
    reply.write(&mut record);
    record
}

impl ReplyRecord {
    fn number(&mut self, number: impl Into<f64>) {
        self.numbers.0.push(number.into());
    }

    fn text(&mut self, text: &str) {
        let [begin, end] = self.text.add(text);
        self.number(end - begin);
    }

    fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.number(NONE),
        }
    }

    fn texts(&mut self, texts: &[String]) {
        self.length(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }

    fn length(&mut self, length: usize) {
        self.number(length as f64);
    }

    fn list(&mut self, items: &[impl Part]) {
        self.length(items.len());
        items.iter().for_each(|item| item.write(self));
    }

    fn optional(&mut self, item: Option<&impl Part>) {
        self.number(u8::from(item.is_some()));
        if let Some(item) = item {
            item.write(self);
        }
    }

    fn kind(&mut self, kind: Option<SymbolKind>) {
        self.number(kind.map_or(NONE, |kind| f64::from(kind as u8)));
    }

    fn lines(&mut self, lines: LineRange) {
        self.number(lines.start);
        self.number(lines.end);
    }

    /// Where it is in bytes, and in UTF-16.
    fn place(&mut self, bytes: Span, utf16: Span) {
        for place in [utf16.start, utf16.end, bytes.start, bytes.end] {
            self.number(place);
        }
    }

    fn changed(&mut self, changed: Option<bool>) {
        self.number(changed.map_or(NONE, |changed| f64::from(u8::from(changed))));
    }

    /// What all replies end with.
    fn end(&mut self, generation: u64, complete: bool, took: Duration) {
        self.number(number(generation));
        self.number(u8::from(complete));
        self.number(milliseconds(took));
    }
}

impl Part for SearchReply {
    fn write(&self, record: &mut ReplyRecord) {
        record.list(&self.hits);
        record.texts(&self.notices.iter().map(ToString::to_string).collect::<Vec<_>>());
        record.end(self.generation, self.complete, self.took);
    }
}

impl Part for SimilarReply {
    fn write(&self, record: &mut ReplyRecord) {
        record.optional(self.place.as_ref());
        record.list(&self.hits);
        record.texts(&self.notices.iter().map(ToString::to_string).collect::<Vec<_>>());
        record.end(self.generation, self.complete, self.took);
    }
}

impl Part for SimilarPlace {
    fn write(&self, record: &mut ReplyRecord) {
        record.text(self.path.as_str());
        record.optional_text(self.language.as_ref().map(|language| language.as_str()));
        record.lines(self.lines);
        record.optional_text(self.name.as_deref());
        record.kind(self.kind);
        record.texts(&self.scope);
        record.number(u8::from(self.unindexed));
    }
}

impl Part for SearchHit {
    fn write(&self, record: &mut ReplyRecord) {
        record.text(self.path.as_str());
        record.text(self.language.as_str());
        record.lines(self.lines);
        record.place(self.span, self.utf16);
        record.optional_text(self.name.as_deref());
        record.kind(self.kind);
        record.texts(&self.scope);
        record.number(self.score);
        record.text(&self.snippet);
        record.number(self.snippet_lines.start);
        self.why.write(record);
        record.changed(self.changed);
    }
}

impl Part for Why {
    fn write(&self, record: &mut ReplyRecord) {
        record.number(self.lexical.unwrap_or(f64::NAN));
        record.number(self.semantic.unwrap_or(f64::NAN));
        record.length(self.boosts.len());
        for (name, value) in &self.boosts {
            record.text(name);
            record.number(*value);
        }
        record.number(u8::from(self.likeness.is_some()));
        if let Some(likeness) = &self.likeness {
            record.number(likeness.meaning.unwrap_or(f64::NAN));
            record.number(likeness.shape);
            record.number(likeness.words);
        }
    }
}

impl Part for ReferenceReply {
    fn write(&self, record: &mut ReplyRecord) {
        record.list(&self.definitions);
        record.number(u8::from(self.more_definitions));
        record.list(&self.mentions);
        record.length(self.unread_files);
        record.end(self.generation, self.complete, self.took);
    }
}

impl Part for CalleeReply {
    fn write(&self, record: &mut ReplyRecord) {
        record.list(&self.definitions);
        record.number(u8::from(self.more_definitions));
        record.list(&self.callees);
        record.number(u8::from(self.more));
        record.end(self.generation, self.complete, self.took);
    }
}

impl Part for Definition {
    fn write(&self, record: &mut ReplyRecord) {
        record.text(self.path.as_str());
        record.text(self.language.as_str());
        record.kind(Some(self.kind));
        record.text(&self.name);
        record.texts(&self.scope);
        record.lines(self.lines);
        record.text(&self.signature);
    }
}

impl Part for Mention {
    fn write(&self, record: &mut ReplyRecord) {
        record.text(self.path.as_str());
        record.text(self.language.as_str());
        record.number(self.kind as u8);
        record.text(&self.name);
        record.optional_text(self.qualifier.as_deref());
        record.optional_text(self.alias.as_deref());
        record.number(self.line);
        record.place(self.span, self.utf16);
        record.text(&self.text);
        record.optional(self.within.as_ref());
        record.text(self.evidence.as_str());
        record.length(self.targets.len());
        self.targets.iter().for_each(|target| record.length(*target));
        record.changed(self.changed);
    }
}

impl Part for Callee {
    fn write(&self, record: &mut ReplyRecord) {
        record.length(self.caller);
        record.text(&self.name);
        record.optional_text(self.qualifier.as_deref());
        record.length(self.lines.len());
        self.lines.iter().for_each(|line| record.number(*line));
        record.text(self.evidence.as_str());
        record.list(&self.targets);
        record.length(self.target_count);
    }
}
