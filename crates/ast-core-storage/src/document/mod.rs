//! What is kept of a file's content: its source, and what was found in it.
//!
//! The form, after its version: the lengths of the first two of three frames, and the frames: the source, the outline, and the
//! mentions. Each is compressed and checksummed by itself, so that who wants no mentions does not read any. What was found is
//! columns of numbers, without what follows from the source: see `found.rs`.

mod columns;
mod found;
mod places;
mod rows;

use crate::StoreError;
use crate::codec::{Decoder, Encoder};
use ast_core_model::{Chunk, ContentHash, Reference, Symbol};
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

/// Everything that the store keeps of a file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The bytes of the file.
    pub source: Vec<u8>,
    /// Its definitions.
    pub symbols: Vec<Symbol>,
    /// What it mentions.
    pub references: Vec<Reference>,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
}

/// What of a document is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// All but what it mentions, and the hashes of chunks.
    Outline,
}

/// What chunks have for a hash in an outline: to hash a source takes longer than to decompress it.
const NO_HASH: ContentHash = ContentHash::from_bytes([0; 16]);

const LEVEL: i32 = 3;

/// Of the form that is written. What was written before begins with the number that frames of zstd begin with.
const VERSION: u8 = 2;

impl Document {
    /// Compressed, to be stored.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] if it is larger than 4 GiB.
    pub(crate) fn compress(&self) -> Result<Vec<u8>, StoreError> {
        let limit = u64::from(u32::MAX);
        let too_large =
            || StoreError::OutOfRange { what: "a file", received: self.source.len() as u64, limit };
        if self.source.len() as u64 > limit {
            return Err(too_large());
        }
        let (outline, mentions) = found::put(self);
        let [source, outline, mentions] = [&self.source, &outline, &mentions].map(|part| compress(part));
        let source = source.ok_or_else(too_large)?;
        let (outline, mentions) = outline.zip(mentions).ok_or_else(too_large)?;
        let mut document = Encoder::default();
        document.raw(&[VERSION]);
        document.number(source.len() as u64);
        document.number(outline.len() as u64);
        [source, outline, mentions].iter().for_each(|frame| document.raw(frame));
        Ok(document.finish())
    }

    /// Reads what a [content](crate::FileContent) has as `document`.
    ///
    /// # Errors
    /// What of it cannot have been written.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, String> {
        Self::read(bytes, Wanted::All)
    }

    pub(crate) fn read(bytes: &[u8], wanted: Wanted) -> Result<Self, String> {
        match (bytes.split_first(), wanted) {
            (Some((&VERSION, frames)), _) => Self::read_frames(frames, wanted),
            (_, Wanted::All) => rows::read(bytes),
            (_, Wanted::Outline) => rows::read(bytes).map(Self::into_outline),
        }
    }

    /// The same without what it mentions and the hashes of its chunks.
    pub(crate) fn into_outline(mut self) -> Self {
        self.references = Vec::new();
        self.chunks.iter_mut().for_each(|chunk| chunk.hash = NO_HASH);
        self
    }

    fn read_frames(bytes: &[u8], wanted: Wanted) -> Result<Self, String> {
        let [source, outline, mentions] = Self::frames(bytes)?;
        let (source, outline) = (decompress(source)?, decompress(outline)?);
        let outline = found::Outline::take(&source, &outline, wanted)?;
        let references = match wanted {
            Wanted::All => outline.mentions(&source, &decompress(mentions)?)?,
            Wanted::Outline => Vec::new(),
        };
        let found::Outline { symbols, chunks, .. } = outline;
        Ok(Self { source, symbols, references, chunks })
    }

    /// The source, the outline and the mentions, each compressed.
    fn frames(bytes: &[u8]) -> Result<[&[u8]; 3], String> {
        let mut frames = Decoder::new(bytes);
        let (source, outline) = (frames.narrow()?, frames.narrow()?);
        Ok([frames.raw(source)?, frames.raw(outline)?, frames.raw(frames.left())?])
    }
}

/// A document as it is kept, for who wants to read it in steps, on threads of their own.
#[derive(Debug, Clone)]
pub struct StoredDocument {
    bytes: Vec<u8>,
}

impl StoredDocument {
    /// What a [content](crate::FileContent) has as `document`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Reads the source, and no more as far as it is kept apart.
    ///
    /// # Errors
    /// What of it cannot have been written.
    pub fn source(&self) -> Result<StoredSource<'_>, String> {
        let Some((&VERSION, frames)) = self.bytes.split_first() else {
            return rows::read(&self.bytes).map(|document| StoredSource(Rest::Read(Box::new(document))));
        };
        let [source, outline, _] = Document::frames(frames)?;
        Ok(StoredSource(Rest::Frames { source: decompress(source)?, outline }))
    }
}

/// The source of a stored document, and what the rest is read from.
#[derive(Debug, Clone)]
pub struct StoredSource<'a>(Rest<'a>);

#[derive(Debug, Clone)]
enum Rest<'a> {
    /// Of a form of before, which is read as a whole.
    Read(Box<Document>),
    Frames {
        source: Vec<u8>,
        outline: &'a [u8],
    },
}

impl StoredSource<'_> {
    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Rest::Read(document) => &document.source,
            Rest::Frames { source, .. } => source,
        }
    }

    /// Reads what [`Store::outlines`](crate::Store::outlines) gives of it.
    ///
    /// # Errors
    /// What of it cannot have been written.
    pub fn outline(self) -> Result<Document, String> {
        match self.0 {
            Rest::Read(document) => Ok(document.into_outline()),
            Rest::Frames { source, outline } => {
                let outline = found::Outline::take(&source, &decompress(outline)?, Wanted::Outline)?;
                let found::Outline { symbols, chunks, .. } = outline;
                Ok(Document { source, symbols, references: Vec::new(), chunks })
            }
        }
    }
}

thread_local! {
    /// What compression works in takes longer to be made than a file of usual size to be compressed.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// `None` if there is no memory for it.
pub(crate) fn compress(content: &[u8]) -> Option<Vec<u8>> {
    let new = || {
        let mut compressor = Compressor::new(LEVEL).ok()?;
        // SQLite does not notice when a bit of a value flips.
        compressor.include_checksum(true).ok()?;
        Some(compressor)
    };
    COMPRESSOR.with_borrow_mut(|compressor| {
        *compressor = compressor.take().or_else(new);
        compressor.as_mut()?.compress(content).ok()
    })
}

pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let capacity = zstd::zstd_safe::get_frame_content_size(bytes)
        .map_err(|error| error.to_string())?
        .ok_or("the size of the content is not given")?;
    let capacity = usize::try_from(capacity).map_err(|error| error.to_string())?;
    // The size is from the store and may be damaged: there may not be that much memory.
    if capacity > u32::MAX as usize {
        return Err(format!("a content of {capacity} bytes"));
    }
    let mut content = Vec::new();
    content.try_reserve_exact(capacity).map_err(|error| error.to_string())?;
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let kept = match decompressor.take() {
            Some(kept) => Ok(kept),
            None => Decompressor::new(),
        };
        let read = kept.and_then(|mut kept| {
            let read = kept.decompress_to_buffer(bytes, &mut content);
            *decompressor = Some(kept);
            read
        });
        read.map(drop).map_err(|error| error.to_string())
    })?;
    Ok(content)
}

/// By its place in the list of all, which only ever grows.
fn take_named<T: Copy>(place: u64, all: &[T]) -> Result<T, String> {
    let found = usize::try_from(place).ok().and_then(|place| all.get(place));
    found.copied().ok_or_else(|| format!("kind {place} is not known"))
}

fn place_of<T: PartialEq>(all: &[T], wanted: &T) -> u64 {
    all.iter().position(|known| known == wanted).unwrap_or(all.len()) as u64
}

fn below(index: Option<u32>, limit: usize) -> Result<Option<u32>, String> {
    match index {
        Some(index) if index as usize >= limit => Err(format!("symbol {index} of {limit}")),
        index => Ok(index),
    }
}

fn source_at(source: &[u8], at: u32, length: usize) -> Result<&[u8], String> {
    let at = at as usize;
    let end = at.checked_add(length);
    end.and_then(|end| source.get(at..end)).ok_or_else(|| "a text beyond the source".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ast_core_model::{LineRange, ReferenceKind, Span, SymbolKind, Visibility};
    use proptest::prelude::*;

    fn span() -> impl Strategy<Value = Span> {
        (any::<u32>(), any::<u32>()).prop_map(|(a, b)| Span::new(a.min(b), a.max(b)))
    }

    fn lines() -> impl Strategy<Value = LineRange> {
        (1..=u32::MAX, 1..=u32::MAX).prop_map(|(a, b)| LineRange::new(a.min(b), a.max(b)))
    }

    fn text() -> impl Strategy<Value = Box<str>> {
        // Most texts are words or lines of them.
        prop_oneof!["[a-z_]{0,6}", "[a-z ]{0,6}\n[a-z ]{0,6}", ".{0,12}"].prop_map(Into::into)
    }

    fn symbol() -> impl Strategy<Value = Symbol> {
        let texts = (text(), proptest::option::of(text()), text(), proptest::option::of(text()));
        let places = (span(), lines(), span(), span());
        let kinds = (
            proptest::sample::select(SymbolKind::ALL),
            proptest::option::of(proptest::sample::select(Visibility::ALL)),
        );
        (texts, places, kinds).prop_map(|(texts, places, kinds)| {
            let (name, qualifier, signature, doc) = texts;
            let (span, lines, extent, name_span) = places;
            let (kind, visibility) = kinds;
            Symbol {
                name,
                qualifier,
                kind,
                parent: None,
                span,
                lines,
                extent,
                name_span,
                signature,
                doc,
                visibility,
            }
        })
    }

    fn reference() -> impl Strategy<Value = Reference> {
        let texts = (text(), proptest::option::of(text()), proptest::option::of(text()));
        (texts, proptest::sample::select(ReferenceKind::ALL), span(), any::<u32>()).prop_map(
            |((name, qualifier, alias), kind, span, line)| Reference {
                kind,
                name,
                qualifier,
                alias,
                span,
                line,
                symbol: None,
            },
        )
    }

    fn document() -> impl Strategy<Value = Document> {
        let chunk = (span(), lines(), any::<[u8; 16]>()).prop_map(|(span, lines, hash)| Chunk {
            span,
            lines,
            symbol: None,
            hash: ContentHash::from_bytes(hash),
        });
        let parts = (
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec(symbol(), 0..6),
            proptest::collection::vec(reference(), 0..6),
            proptest::collection::vec(chunk, 0..6),
        );
        parts.prop_map(|(mut source, mut symbols, mut references, mut chunks)| {
            // Some of the texts are where they are said to be, and most are not.
            for reference in references.iter_mut().step_by(2) {
                if let Some(qualifier) = &reference.qualifier {
                    source.extend_from_slice(qualifier.as_bytes());
                    source.extend_from_slice(if qualifier.len() % 2 == 0 { b"." } else { b"::" });
                }
                let start = source.len() as u32;
                source.extend_from_slice(reference.name.as_bytes());
                reference.span = Span::new(start, source.len() as u32);
                source.extend_from_slice(b" word\n");
            }
            for symbol in symbols.iter_mut().step_by(2) {
                let start = source.len() as u32;
                for line in symbol.doc.iter().flat_map(|doc| doc.split('\n')) {
                    source.extend_from_slice(b"/// ");
                    source.extend_from_slice(line.as_bytes());
                    source.push(b'\n');
                }
                let definition = source.len() as u32;
                source.extend_from_slice(symbol.signature.replace(' ', "\n  ").as_bytes());
                let end = source.len() as u32;
                (symbol.extent, symbol.span) = (Span::new(start, end), Span::new(definition, end));
            }
            for chunk in chunks.iter_mut().step_by(2) {
                let end = source.len() as u32;
                chunk.span = Span::new(end / 2, end);
                chunk.hash = ContentHash::of(&source[chunk.span.range()]);
            }
            let owner = |at: usize| (at > 0).then_some(at as u32 / 2);
            let last = symbols.len();
            symbols.iter_mut().enumerate().for_each(|(at, symbol)| symbol.parent = owner(at));
            references.iter_mut().for_each(|reference| reference.symbol = owner(last));
            chunks.iter_mut().for_each(|chunk| chunk.symbol = owner(last));
            Document { source, symbols, references, chunks }
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read(document in document()) {
            prop_assert_eq!(Document::from_stored(&document.compress().unwrap()), Ok(document));
        }

        /// Past the checksum, anything may be inside, and nothing panics.
        #[test]
        fn damage_is_an_error_or_none(document in document(), at: usize, bit in 0..8) {
            let stored = document.compress().unwrap();
            let mut damaged = stored.clone();
            damaged[at % stored.len()] ^= 1_u8 << bit;
            // Some bits of a frame of zstd mean nothing.
            if let Ok(read) = Document::from_stored(&damaged) {
                prop_assert_eq!(&read, &document);
            }
            prop_assert!(Document::from_stored(&stored[..at % stored.len()]).is_err());

            let (mut outline, mut mentions) = found::put(&document);
            let sound = found::Outline::take(&document.source, &outline, Wanted::All).unwrap();
            let place = at % mentions.len();
            mentions[place] ^= 1_u8 << bit;
            let _ = sound.mentions(&document.source, &mentions);
            let place = at % outline.len();
            outline[place] ^= 1_u8 << bit;
            let _ = found::Outline::take(&document.source, &outline, Wanted::All);
            let cut = &document.source[..at % (document.source.len() + 1)];
            let _ = found::Outline::take(cut, &outline, Wanted::Outline);
        }

        #[test]
        fn an_outline_is_all_but_mentions_and_hashes(document in document()) {
            let stored = document.compress().unwrap();
            let outline = document.clone().into_outline();
            prop_assert_eq!(Document::read(&stored, Wanted::Outline), Ok(outline.clone()));
            let stored = StoredDocument::new(stored);
            let source = stored.source().unwrap();
            prop_assert_eq!(source.bytes(), &document.source);
            prop_assert_eq!(source.outline(), Ok(outline));
        }
    }
}
