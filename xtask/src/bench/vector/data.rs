//! The vectors that are searched, and how much of the truth an answer holds.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// How many neighbors every library is asked for.
pub(super) const K: usize = 10;

/// What `benches/vector/vectors.py` writes about a folder of vectors.
#[derive(Debug, Clone, Deserialize, Serialize, PartialEq)]
pub(super) struct Manifest {
    /// Values in a vector.
    pub(super) dimension: usize,
    /// Vectors that are searched.
    pub(super) base: usize,
    /// Queries that are code.
    pub(super) code: usize,
    /// Queries that are sentences.
    pub(super) nl: usize,
    /// True neighbors that are known of each query.
    pub(super) neighbors: usize,
    /// What the vectors are of.
    pub(super) kind: String,
    /// Of the base.
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("data.json");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = serde_json::from_str(text)?;
        ensure!(manifest.dimension > 0 && manifest.base > 0, "there are no vectors");
        ensure!(manifest.code > 0 && manifest.nl > 0, "there are no queries");
        ensure!(
            manifest.neighbors >= K,
            "{} neighbors are known; at least {K} are needed",
            manifest.neighbors
        );
        Ok(manifest)
    }

    /// How many queries a set has.
    pub(super) fn queries(&self, set: Set) -> usize {
        match set {
            Set::Code => self.code,
            Set::Nl => self.nl,
        }
    }
}

/// A set of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Set {
    /// Code that is not in the base.
    Code,
    /// Sentences of documentation.
    Nl,
}

impl Set {
    pub(super) const ALL: [Self; 2] = [Self::Code, Self::Nl];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Nl => "nl",
        }
    }
}

/// The true neighbors of some queries, nearest first.
pub(super) struct Truth {
    width: usize,
    ids: Vec<u32>,
    scores: Vec<f32>,
}

/// Stands where there are fewer neighbors than room.
const NOTHING: u32 = u32::MAX;

impl Truth {
    /// Reads rows of `width` neighbors and their scores.
    pub(super) fn read(ids: &Path, scores: &Path, width: usize) -> Result<Self> {
        let truth =
            Self { width, ids: read_ids(ids)?, scores: read_words(scores)?.map(f32::from_bits).collect() };
        let fits = truth.ids.len() == truth.scores.len() && truth.ids.len().is_multiple_of(width);
        ensure!(fits, "{} and {} are not rows of {width}", ids.display(), scores.display());
        Ok(truth)
    }

    pub(super) fn of_set(folder: &Path, manifest: &Manifest, set: Set) -> Result<Self> {
        let path = |extension: &str| folder.join(format!("{}.{extension}", set.name()));
        let truth = Self::read(&path("ids"), &path("scores"), manifest.neighbors)?;
        let rows = truth.ids.len() / truth.width;
        ensure!(rows == manifest.queries(set), "{} holds {rows} rows", path("ids").display());
        Ok(truth)
    }

    /// The share of the `k` nearest that the answers hold, over the first queries, as many as there are answers of `k`
    /// ids each. An answer that is as near as the farthest of the `k` counts as one of them: which of equals is
    /// returned is nobody's fault.
    pub(super) fn recall(&self, answers: &[u32], k: usize) -> Result<f64> {
        let rows = answers.len() / k;
        let fits = rows > 0 && answers.len().is_multiple_of(k) && rows * self.width <= self.ids.len();
        ensure!(fits && k <= self.width, "{} answers do not fit the queries", answers.len());
        let (mut hits, mut possible) = (0, 0);
        let truths = self.ids.chunks(self.width).zip(self.scores.chunks(self.width));
        for (answer, (ids, scores)) in answers.chunks(k).zip(truths) {
            let known = ids.iter().filter(|&&id| id != NOTHING).count();
            let wanted = known.min(k);
            let Some(last) = wanted.checked_sub(1) else { continue };
            // Libraries add up in another order; that much is no difference.
            let enough = scores[last] - 1e-6;
            let good = ids[..known].iter().zip(scores).filter(|&(_, &score)| score >= enough);
            let good: HashSet<u32> = good.map(|(&id, _)| id).collect();
            let found: HashSet<u32> = answer.iter().copied().collect();
            hits += found.intersection(&good).count().min(wanted);
            possible += wanted;
        }
        Ok(if possible == 0 { 1.0 } else { hits as f64 / possible as f64 })
    }
}

/// Ids as the measured programs write them.
pub(super) fn read_ids(path: &Path) -> Result<Vec<u32>> {
    Ok(read_words(path)?.collect())
}

fn read_words(path: &Path) -> Result<impl Iterator<Item = u32>> {
    let bytes = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    let words = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    Ok(words.collect::<Vec<_>>().into_iter())
}

/// The path with one more extension: a program writes several files of one name.
pub(super) fn extended(path: &Path, extension: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(width: usize, ids: &[u32], scores: &[f32]) -> Truth {
        Truth { width, ids: ids.to_vec(), scores: scores.to_vec() }
    }

    #[test]
    fn recall_is_the_share_of_the_nearest() {
        let truth = truth(3, &[1, 2, 3, 4, 5, 6], &[0.9, 0.8, 0.7, 0.9, 0.8, 0.7]);
        assert_eq!(truth.recall(&[1, 2, 4, 5], 2).unwrap(), 1.0);
        // The order does not matter, but the third nearest is none of the two nearest.
        assert_eq!(truth.recall(&[3, 1, 5, 4], 2).unwrap(), 0.75);
        assert_eq!(truth.recall(&[9, 9, 4, 4], 2).unwrap(), 0.25);
        // Of fewer queries than there are.
        assert_eq!(truth.recall(&[1, 9], 2).unwrap(), 0.5);
    }

    #[test]
    fn any_of_equals_will_do_and_none_counts_twice() {
        let truth = truth(4, &[1, 2, 3, 4], &[0.9, 0.8, 0.8, 0.8]);
        assert_eq!(truth.recall(&[1, 4], 2).unwrap(), 1.0);
        assert_eq!(truth.recall(&[2, 4], 2).unwrap(), 1.0);
        assert_eq!(truth.recall(&[1, 1], 2).unwrap(), 0.5);
    }

    #[test]
    fn fewer_neighbors_than_asked_for() {
        let few = truth(3, &[1, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING], &[0.9, 0., 0., 0., 0., 0.]);
        assert_eq!(few.recall(&[1, NOTHING, NOTHING, NOTHING], 2).unwrap(), 1.0);
        assert_eq!(few.recall(&[NOTHING, NOTHING, 1, 2], 2).unwrap(), 0.0);
    }

    #[test]
    fn answers_that_do_not_fit_are_refused() {
        let truth = truth(2, &[1, 2], &[0.9, 0.8]);
        assert!(truth.recall(&[1, 2, 3], 2).is_err());
        assert!(truth.recall(&[1, 2, 1, 2], 2).is_err());
        assert!(truth.recall(&[], 2).is_err());
        assert!(truth.recall(&[1, 2, 3], 3).is_err());
    }

    #[test]
    fn the_manifest_says_what_there_is() {
        let text = |neighbors: usize| {
            format!(
                r#"{{"dimension": 4, "base": 100, "code": 10, "nl": 5, "neighbors": {neighbors}, "kind": "x",
                    "sha256": "y", "languages": {{}}}}"#
            )
        };
        let manifest = Manifest::parse(&text(20)).unwrap();
        assert_eq!((manifest.queries(Set::Code), manifest.queries(Set::Nl)), (10, 5));
        assert!(Manifest::parse(&text(9)).unwrap_err().to_string().contains("at least 10"));
        assert!(Manifest::parse(r#"{"dimension": 4}"#).is_err());
        assert!(Manifest::parse(&text(20).replace("100", "0")).is_err());
    }

    #[test]
    fn files_that_are_not_whole_rows_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (ids, scores) = (folder.path().join("a.ids"), folder.path().join("a.scores"));
        fs::write(&ids, [0; 24]).unwrap();
        fs::write(&scores, [0; 24]).unwrap();
        assert!(Truth::read(&ids, &scores, 3).is_ok());
        assert!(Truth::read(&ids, &scores, 4).is_err());
        fs::write(&scores, [0; 20]).unwrap();
        assert!(Truth::read(&ids, &scores, 3).is_err());
    }

    #[test]
    fn a_path_keeps_the_dots_that_it_has() {
        assert_eq!(extended(Path::new("a/b.c"), "ids"), Path::new("a/b.c.ids"));
    }
}
