//! Reranking: the first hits of a search put in order anew, by what a slower embedder says of their texts.

use crate::config::RerankConfig;
use crate::embeddings::Embeddings;
use crate::engine::blocking;
use crate::metrics::Metrics;
use crate::prepare::Labels;
use crate::{Engine, EngineError};
use ast_core_model::{ChunkId, FileId};
use ast_core_parse::SourceText;
use ast_core_search::{Ranked, fuse};
use ast_core_storage::{Document, FileRecord};
use std::collections::HashMap;

/// How many hits are put in order anew.
const RERANKED: usize = 50;

impl Engine {
    /// Puts the first hits in order by the sum of their scores and the cosines of their texts with the query, both brought to
    /// 0 to 1 among them. The hits behind them stay behind them. The cosines.
    pub(crate) async fn rerank(
        &self,
        reranking: &RerankConfig,
        query: &str,
        ranked: &mut Vec<Ranked<ChunkId>>,
    ) -> Result<HashMap<ChunkId, f64>, EngineError> {
        let rest = ranked.split_off(ranked.len().min(RERANKED));
        let mut files: Vec<FileId> = ranked.iter().map(|hit| hit.id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let documents = self.store.documents(&files).await?;
        let (config, slot) = (self.config.clone(), self.reranking.clone());
        let (embedder, query) = (reranking.embedder.clone(), query.to_owned());
        let ids: Vec<ChunkId> = ranked.iter().map(|hit| hit.id).collect();
        let cosines = blocking(move || {
            let embeddings = slot.get_or_init(|| {
                // All of it is a stage of its own.
                Embeddings::of(embedder.clone(), &config, Metrics::off()).unwrap_or_else(|error| {
                    tracing::warn!(%error, "hits are reranked without a cache of vectors");
                    Embeddings::without_cache(embedder.clone(), Metrics::off())
                })
            });
            cosines(embeddings, &embedder.embed_query(&query)?, &documents, &ids)
        });
        let result = cosines.await?;
        if let Ok(cosines) = &result {
            reorder(ranked, cosines, rest.first().map_or(0.0, |next| next.score), reranking.share);
        }
        ranked.extend(rest);
        result
    }
}

/// Of each chunk the cosine of its vector and that of the query. What a commit took away meanwhile has none.
fn cosines(
    embeddings: &Embeddings,
    query: &[f32],
    documents: &[(FileRecord, Document)],
    ids: &[ChunkId],
) -> Result<HashMap<ChunkId, f64>, EngineError> {
    let mut texts = Vec::with_capacity(documents.len());
    for (record, document) in documents {
        let text = SourceText::decode(&document.source)?.named(record.path.file_stem());
        texts.push((text, Labels::of(&record.path, &document.symbols, &document.chunks)));
    }
    let (mut found, mut inputs) = (Vec::new(), Vec::new());
    for ((record, document), (text, labels)) in documents.iter().zip(&texts) {
        for &id in ids.iter().filter(|id| id.file() == record.id) {
            if let Some(input) = labels.input(text, document, id.ordinal() as usize) {
                found.push(id);
                inputs.push(input);
            }
        }
    }
    let mut vectors = Vec::new();
    embeddings.embed(&inputs, &mut vectors)?;
    let vectors = vectors.chunks_exact(query.len().max(1));
    Ok(found.into_iter().zip(vectors.map(|vector| cosine(query, vector))).collect())
}

/// The cosine with a vector as the cache keeps it, whether it came from there or not: in 127 steps of its largest value. So
/// the same search gives the same answer again.
fn cosine(query: &[f32], vector: &[f32]) -> f64 {
    let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    let (mut product, mut of_query, mut of_vector) = (0.0, 0.0, 0.0);
    for (&a, &b) in query.iter().zip(vector) {
        let (a, b) = (f64::from(a), f64::from((b * scale).round()));
        product += a * b;
        of_query += a * a;
        of_vector += b * b;
    }
    let norms = f64::sqrt(of_query * of_vector);
    if norms > 0.0 { product / norms } else { 0.0 }
}

/// Puts hits in the order of both, with scores from `least`, which is that of the next hit, to that of the first.
fn reorder(ranked: &mut [Ranked<ChunkId>], cosines: &HashMap<ChunkId, f64>, least: f64, share: f64) {
    let first: Vec<(ChunkId, f64)> = ranked.iter().map(|hit| (hit.id, hit.score)).collect();
    // One without a text is not found by it.
    let by_text: Vec<(ChunkId, f64)> =
        ranked.iter().filter_map(|hit| Some((hit.id, *cosines.get(&hit.id)?))).collect();
    let most = first.first().map_or(0.0, |(_, score)| *score);
    let places: HashMap<ChunkId, usize> = first.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let fused: HashMap<ChunkId, f64> =
        fuse(Some(&first), Some(&by_text), share.clamp(0.0, 1.0)).into_iter().collect();
    for hit in ranked.iter_mut() {
        hit.score = least + (most - least) * fused.get(&hit.id).copied().unwrap_or_default();
    }
    // Where both are alike, the order that they had.
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(places.get(&a.id).cmp(&places.get(&b.id))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ordinal: u32) -> ChunkId {
        ChunkId::in_file(FileId::new(1).unwrap(), ordinal).unwrap()
    }

    fn hits(scores: &[f64]) -> Vec<Ranked<ChunkId>> {
        let hit =
            |(ordinal, score): (u32, &f64)| Ranked { id: id(ordinal), score: *score, boosts: Vec::new() };
        (0..).zip(scores).map(hit).collect()
    }

    fn order(share: f64) -> Vec<(u32, f64)> {
        let mut ranked = hits(&[1.0, 0.75, 0.5]);
        let cosines = HashMap::from([(id(0), 0.25), (id(1), 0.5), (id(2), 0.75)]);
        reorder(&mut ranked, &cosines, 0.5, share);
        ranked.iter().map(|hit| (hit.id.ordinal(), (hit.score * 1e6).round() / 1e6)).collect()
    }

    #[test]
    fn both_orders_count_by_their_shares() {
        assert_eq!(order(0.0), [(0, 1.0), (1, 0.75), (2, 0.5)]);
        assert_eq!(order(1.0), [(2, 1.0), (1, 0.75), (0, 0.5)]);
        // In the middle all are alike, and keep their order.
        assert_eq!(order(0.5), [(0, 0.75), (1, 0.75), (2, 0.75)]);
        assert_eq!(order(0.25)[0].0, 0);
        assert_eq!(order(0.75)[0].0, 2);
    }

    #[test]
    fn a_hit_whose_text_is_gone_is_last_by_it() {
        let mut ranked = hits(&[1.0, 0.8, 0.6]);
        reorder(&mut ranked, &HashMap::from([(id(1), 0.5), (id(2), 0.4)]), 0.0, 0.9);
        assert_eq!(ranked[0].id, id(1));
        reorder(&mut [], &HashMap::new(), 0.0, 0.5);
    }

    #[test]
    fn the_cosine_does_not_depend_on_whether_a_vector_was_kept() {
        let vector = [0.31, -0.8, 0.02, 0.51];
        let kept = [49.0, -127.0, 3.0, 81.0];
        let query = [0.5, -0.5, 0.5, 0.5];
        assert_eq!(cosine(&query, &vector), cosine(&query, &kept));
        assert!((cosine(&query, &query) - 1.0).abs() < 1e-9);
        assert_eq!(cosine(&query, &[0.0; 4]), 0.0);
    }
}
