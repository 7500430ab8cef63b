//! From the terms of chunks to a segment.

use crate::LexicalError;
use crate::documents::Run;
use crate::fingerprint;
use crate::manifest::Segment;
use crate::page::Page;
use crate::postings::Posting;
use crate::score::FIELDS;
use crate::writer::SegmentWriter;
use ast_core_model::{ChunkId, ChunkTerms, FileId};
use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use std::hash::BuildHasher;

/// The terms of a file's chunks, counted. It is made where the work is parallel, as the writer is one.
#[derive(Debug, Clone, Default)]
pub struct FileTerms {
    /// The distinct terms.
    terms: Vocabulary,
    /// Chunk by chunk.
    postings: Vec<FilePosting>,
    /// How many terms the fields of each chunk have.
    lengths: Vec<[u32; FIELDS]>,
}

#[derive(Debug, Clone, Copy)]
struct FilePosting {
    term: u32,
    /// A chunk of the file.
    chunk: u32,
    /// No more than 65,535 matches are counted.
    tf: [u16; FIELDS],
}

impl FileTerms {
    /// Counts the terms of a file's chunks, which are in the order of their ordinals, all of them. Of each field a term
    /// is what is between spaces.
    ///
    /// # Errors
    /// [`LexicalError::TooManyChunks`]; [`LexicalError::Overflow`] for terms of 4 GiB.
    pub fn new(chunks: &[ChunkTerms]) -> Result<Self, LexicalError> {
        if chunks.len() > ChunkId::MAX_ORDINAL as usize + 1 {
            return Err(LexicalError::TooManyChunks { received: chunks.len() });
        }
        let fields =
            |terms: &ChunkTerms| [&terms.name, &terms.path, &terms.doc, &terms.body].map(String::len);
        if chunks.iter().flat_map(fields).sum::<usize>() > u32::MAX as usize {
            return Err(LexicalError::Overflow {
                what: "the bytes of a file's terms",
                limit: u32::MAX.into(),
            });
        }
        let mut vocabulary = VocabularyBuilder::default();
        let mut file = Self::default();
        // Where the posting of each term is that was added last.
        let mut latest: Vec<u32> = Vec::new();
        for (chunk, terms) in (0_u32..).zip(chunks) {
            let first = file.postings.len();
            let mut lengths = [0; FIELDS];
            for (field, text) in [&terms.name, &terms.path, &terms.doc, &terms.body].into_iter().enumerate() {
                for term in text.split(' ').filter(|term| !term.is_empty()) {
                    lengths[field] += 1;
                    let term = vocabulary.number(term.as_bytes())?;
                    let known = latest.get(term as usize).map(|&at| at as usize).filter(|&at| at >= first);
                    let at = match known {
                        Some(at) => at,
                        None => {
                            let at = file.postings.len();
                            match latest.get_mut(term as usize) {
                                Some(latest) => *latest = at as u32,
                                None => latest.push(at as u32),
                            }
                            file.postings.push(FilePosting { term, chunk, tf: [0; FIELDS] });
                            at
                        }
                    };
                    let tf = &mut file.postings[at].tf[field];
                    *tf = tf.saturating_add(1);
                }
            }
            file.lengths.push(lengths);
        }
        file.terms = vocabulary.terms;
        Ok(file)
    }

    /// A file as one document, of terms that are any text, each with how often it is in each field.
    ///
    /// # Errors
    /// [`LexicalError::Overflow`] for terms of 4 GiB.
    pub fn of_document<'t>(
        terms: impl IntoIterator<Item = (&'t str, [u16; FIELDS])>,
    ) -> Result<Self, LexicalError> {
        let mut vocabulary = VocabularyBuilder::default();
        let mut file = Self { lengths: vec![[0; FIELDS]], ..Self::default() };
        for (text, tf) in terms.into_iter().filter(|(_, tf)| *tf != [0; FIELDS]) {
            let term = vocabulary.number(text.as_bytes())?;
            for (length, tf) in file.lengths[0].iter_mut().zip(tf) {
                *length = length.saturating_add(u32::from(tf));
            }
            match file.postings.get_mut(term as usize) {
                Some(known) => {
                    known.tf.iter_mut().zip(tf).for_each(|(sum, tf)| *sum = sum.saturating_add(tf))
                }
                None => file.postings.push(FilePosting { term, chunk: 0, tf }),
            }
        }
        file.terms = vocabulary.terms;
        Ok(file)
    }

    /// Whether the file has no chunks.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Of each chunk a number that two chunks have in common if they have the same terms, as often, in the same fields;
    /// and else only by accident. [`Verify`](crate::Verify) finds the same for what is in an index.
    pub fn fingerprints(&self) -> Vec<u64> {
        let mut sums: Vec<u64> =
            self.lengths.iter().map(|&lengths| fingerprint::of_lengths(lengths)).collect();
        for posting in &self.postings {
            let sum = &mut sums[posting.chunk as usize];
            *sum = sum.wrapping_add(fingerprint::of_posting(self.terms.get(posting.term), posting.tf));
        }
        sums
    }

    /// How many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.terms.bytes.capacity()
            + self.terms.ends.capacity() * size_of::<u32>()
            + self.postings.capacity() * size_of::<FilePosting>()
            + self.lengths.capacity() * size_of::<[u32; FIELDS]>()
    }
}

/// Distinct terms, numbered.
#[derive(Debug, Clone, Default)]
struct Vocabulary {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Vocabulary {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[begin..self.ends[number] as usize]
    }
}

#[derive(Default)]
struct VocabularyBuilder {
    terms: Vocabulary,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl VocabularyBuilder {
    fn number(&mut self, term: &[u8]) -> Result<u32, LexicalError> {
        let Self { terms, numbers, hasher } = self;
        let hash = hasher.hash_one(term);
        let entry = numbers.entry(hash, |&n| terms.get(n) == term, |&n| hasher.hash_one(terms.get(n)));
        match entry {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(vacant) => {
                let number = terms.len() as u32;
                let end = u32::try_from(terms.bytes.len() + term.len()).map_err(|_| {
                    LexicalError::Overflow { what: "the bytes of terms", limit: u32::MAX.into() }
                })?;
                vacant.insert(number);
                terms.bytes.extend(term);
                terms.ends.push(end);
                Ok(number)
            }
        }
    }
}

/// Makes a segment of files. `None` if they have no chunks.
pub(crate) fn build(
    id: u32,
    files: &[(FileId, FileTerms)],
) -> Result<Option<(Segment, Vec<Page>)>, LexicalError> {
    let mut files: Vec<&(FileId, FileTerms)> = files.iter().collect();
    files.sort_by_key(|(file, _)| *file);
    if let Some(twice) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(LexicalError::DuplicateFile { file: twice[0].0 });
    }
    files.retain(|(_, terms)| !terms.lengths.is_empty());
    let runs: Vec<Run> = files
        .iter()
        .map(|(file, terms)| Run { file: *file, ordinal: 0, count: terms.lengths.len() as u32 })
        .collect();
    let lengths: Vec<[u32; FIELDS]> =
        files.iter().flat_map(|(_, terms)| terms.lengths.iter().copied()).collect();
    let Some(mut writer) = SegmentWriter::new(id, &runs, lengths)? else { return Ok(None) };

    // The terms of each file by their numbers in the segment, and how many postings each has.
    let mut vocabulary = VocabularyBuilder::default();
    let mut numbers: Vec<u32> = Vec::new();
    for (_, file) in &files {
        for term in 0..file.terms.len() as u32 {
            numbers.push(vocabulary.number(file.terms.get(term))?);
        }
    }
    let terms = vocabulary.terms;
    let mut begins = vec![0_usize; terms.len() + 1];
    let mut offset = 0;
    for (_, file) in &files {
        for posting in &file.postings {
            begins[numbers[offset + posting.term as usize] as usize + 1] += 1;
        }
        offset += file.terms.len();
    }
    for term in 0..terms.len() {
        begins[term + 1] += begins[term];
    }
    let mut postings = vec![Posting { doc: 0, tf: [0; FIELDS] }; begins[terms.len()]];
    let mut next = begins.clone();
    let (mut offset, mut first) = (0, 0);
    for (_, file) in &files {
        for posting in &file.postings {
            let next = &mut next[numbers[offset + posting.term as usize] as usize];
            postings[*next] = Posting { doc: first + posting.chunk, tf: posting.tf };
            *next += 1;
        }
        offset += file.terms.len();
        first += file.lengths.len() as u32;
    }
    let mut order: Vec<u32> = (0..terms.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| terms.get(a).cmp(terms.get(b)));
    for term in order {
        writer.term(terms.get(term), &postings[begins[term as usize]..begins[term as usize + 1]])?;
    }
    writer.finish().map(Some)
}
