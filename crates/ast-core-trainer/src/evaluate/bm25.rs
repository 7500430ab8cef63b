//! Words without meanings: what the model is compared with.

use std::collections::HashMap;

use ast_core_model::terms::{TermSplitter, is_stop_word};

/// What each field counts for, and how much its length takes away: names, place, code.
const FIELDS: [(f32, f32); 3] = [(8.0, 0.3), (1.0, 0.5), (1.0, 0.75)];
const SATURATION: f32 = 2.0;

/// An exact index by BM25F (Robertson, Zaragoza and Taylor, "Simple BM25 Extension to Multiple Weighted Fields", 2004).
#[derive(Debug, Default)]
pub struct Bm25 {
    /// For each word the documents that have it and how often, in each field.
    postings: HashMap<String, Vec<(u32, [u16; 3])>>,
    lengths: Vec<[u32; 3]>,
}

impl Bm25 {
    /// Adds a document of names, place and code.
    pub fn add(&mut self, fields: [&str; 3]) {
        let document = self.lengths.len() as u32;
        let mut splitter = TermSplitter::default();
        let mut counts: HashMap<String, [u16; 3]> = HashMap::new();
        let mut lengths = [0; 3];
        for (field, text) in fields.into_iter().enumerate() {
            splitter.split(text, |term| {
                let count = &mut counts.entry(term.text.to_owned()).or_default()[field];
                *count = count.saturating_add(1);
                lengths[field] += 1;
            });
        }
        self.lengths.push(lengths);
        for (word, counts) in counts {
            self.postings.entry(word).or_default().push((document, counts));
        }
    }

    /// The score of each document.
    pub fn scores(&self, question: &str) -> Vec<f32> {
        let mut words: Vec<String> = Vec::new();
        TermSplitter::default().split(question, |term| {
            if !is_stop_word(term.text) && !words.iter().any(|word| word == term.text) {
                words.push(term.text.to_owned());
            }
        });
        let documents = self.lengths.len() as f32;
        let mean = |field: usize| {
            (self.lengths.iter().map(|lengths| f64::from(lengths[field])).sum::<f64>() / f64::from(documents))
                .max(1.0) as f32
        };
        let means = [0, 1, 2].map(mean);
        let mut scores = vec![0.0; self.lengths.len()];
        for postings in words.iter().filter_map(|word| self.postings.get(word)) {
            let having = postings.len() as f32;
            let rarity = ((documents - having + 0.5) / (having + 0.5)).ln_1p();
            for (document, counts) in postings {
                let lengths = self.lengths[*document as usize];
                let weight: f32 = (0..3)
                    .map(|field| {
                        let (counts_for, by_length) = FIELDS[field];
                        let length = lengths[field] as f32 / means[field];
                        counts_for * f32::from(counts[field]) / (1.0 - by_length + by_length * length)
                    })
                    .sum();
                scores[*document as usize] += rarity * weight / (SATURATION + weight);
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_for_more_than_code_and_rare_words_for_more_than_common_ones() {
        let mut index = Bm25::default();
        index.add(["readFile", "io.rs", "open the file"]);
        index.add(["open", "io.rs", "read file"]);
        index.add(["close", "io.rs", "file"]);
        let scores = index.scores("how to read the file");
        assert!(scores[0] > scores[1] && scores[1] > scores[2] && scores[2] > 0.0, "{scores:?}");
        assert_eq!(index.scores("the nothing"), [0.0; 3]);
    }
}
