//! BM25F by its definition, over all documents.

use ast_core_lexical::{Bm25f, FIELDS};
use ast_core_model::{ChunkId, ChunkTerms, FileId};
use std::collections::BTreeMap;

/// The files that are there.
#[derive(Default, Clone)]
pub(crate) struct Oracle {
    pub(crate) files: BTreeMap<FileId, Vec<ChunkTerms>>,
}

pub(crate) fn fields(chunk: &ChunkTerms) -> [Vec<&str>; FIELDS] {
    [&chunk.name, &chunk.path, &chunk.doc, &chunk.body]
        .map(|field| field.split(' ').filter(|term| !term.is_empty()).collect())
}

impl Oracle {
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (ChunkId, [Vec<&str>; FIELDS])> {
        self.files.iter().flat_map(|(&file, chunks)| {
            (0..)
                .zip(chunks)
                .map(move |(ordinal, chunk)| (ChunkId::in_file(file, ordinal).unwrap(), fields(chunk)))
        })
    }

    /// How many documents there are, and how many terms in each field of all of them.
    pub(crate) fn totals(&self) -> (u64, [u64; FIELDS]) {
        let mut totals = (0, [0; FIELDS]);
        for (_, fields) in self.chunks() {
            totals.0 += 1;
            for (total, field) in totals.1.iter_mut().zip(&fields) {
                *total += field.len() as u64;
            }
        }
        totals
    }

    pub(crate) fn frequency(&self, term: &str) -> u64 {
        self.chunks().filter(|(_, fields)| fields.iter().any(|field| field.contains(&term))).count() as u64
    }

    /// The chunks with terms that are taken, and how often they are in each field.
    pub(crate) fn matches(&self, takes: impl Fn(&str) -> bool) -> Vec<(ChunkId, [u32; 4])> {
        let count = |terms: &Vec<&str>| terms.iter().filter(|term| takes(term)).count() as u32;
        let counted =
            self.chunks().map(|(chunk, fields)| (chunk, std::array::from_fn(|at| count(&fields[at]))));
        counted.filter(|(_, counts)| *counts != [0; 4]).collect()
    }

    pub(crate) fn search(
        &self,
        terms: &[&str],
        ranking: &Bm25f,
        limit: usize,
        accept: impl Fn(ChunkId) -> bool,
    ) -> Vec<(ChunkId, f64)> {
        let mut distinct: Vec<&str> = Vec::new();
        for term in terms {
            if !distinct.contains(term) {
                distinct.push(term);
            }
        }
        let (documents, lengths) = self.totals();
        let documents = documents as f64;
        let average = lengths.map(|length| length as f64 / documents);
        let with: Vec<f64> = distinct.iter().map(|term| self.frequency(term) as f64).collect();
        let mut hits = Vec::new();
        for (chunk, fields) in self.chunks().filter(|(chunk, _)| accept(*chunk)) {
            let mut score = 0.0;
            for (term, with) in distinct.iter().zip(&with) {
                let mut frequency = 0.0;
                for field in 0..FIELDS {
                    let tf = fields[field].iter().filter(|other| *other == term).count();
                    if tf > 0 {
                        let norm = (1.0 - ranking.b[field])
                            + (ranking.b[field] / average[field]) * fields[field].len() as f64;
                        frequency += ranking.weights[field] * tf as f64 / norm;
                    }
                }
                if frequency > 0.0 {
                    let idf = (1.0 + (documents - with + 0.5) / (with + 0.5)).ln();
                    score += idf * (frequency / (ranking.k1 + frequency));
                }
            }
            if score > 0.0 {
                hits.push((chunk, score));
            }
        }
        hits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        hits.truncate(limit);
        hits
    }
}
