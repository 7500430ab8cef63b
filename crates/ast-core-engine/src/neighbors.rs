//! Search by a vector that somebody has, and vectors of texts that somebody has.

use crate::attempts::Attempts;
use crate::engine::blocking;
use crate::filter::{Filter, path_filter};
use crate::retrieve::nearest;
use crate::{Engine, EngineError, SearchHit, SearchReply, VectorError};
use ast_core_embed::EmbedInput;
use ast_core_model::{ChunkId, SymbolKind};
use ast_core_parse::Language;
use ast_core_search::Why;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What to look for by a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorQuery {
    /// As many values as the vectors of the engine's embedder have, not all of them zero. Its length does not matter.
    pub vector: Vec<f32>,
    /// The most hits. Default: 10.
    pub limit: usize,
    /// Only hits whose cosine with the vector is at least this, from -1 to 1. Default: -1.
    pub threshold: f64,
    /// Only files in one of these languages; all if empty.
    pub languages: Vec<Language>,
    /// Only files whose path matches one of these globs, as of [`SearchQuery`](crate::SearchQuery); all if empty.
    pub paths: Vec<String>,
    /// Only chunks about a definition of one of these kinds; all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Lines before and after each hit that are shown with it. Default: 0.
    pub context: u32,
}

impl VectorQuery {
    /// Looks for what is near this vector everywhere.
    pub fn new(vector: Vec<f32>) -> Self {
        Self {
            vector,
            limit: 10,
            threshold: -1.0,
            languages: Vec::new(),
            paths: Vec::new(),
            kinds: Vec::new(),
            context: 0,
        }
    }
}

impl Engine {
    /// The pieces of the tree whose vectors are nearest to a vector of the same embedder, as [`embed_query`](Self::embed_query)
    /// and [`embed_code`](Self::embed_code) make them. The score of a hit is its cosine with the vector, from -1 to 1.
    ///
    /// # Errors
    /// [`EngineError::Dimension`] and [`EngineError::Vector`] if the vector cannot be compared with those of the index;
    /// [`EngineError::Pattern`] if a path filter is no glob; [`EngineError::OtherPipeline`] if the vectors of the index
    /// are of another embedder; [`EngineError::Store`].
    pub async fn search_vector(&self, query: &VectorQuery) -> Result<SearchReply, EngineError> {
        let begin = Instant::now();
        let expected = self.config.embedder.model().dimension;
        if query.vector.len() != expected {
            let (of, received) = (self.config.embedder.model().id.clone(), query.vector.len());
            return Err(EngineError::Dimension { of, expected, received });
        }
        let mut attempts = Attempts::new();
        loop {
            if let Some(answer) = attempts.judge(self.search_vector_once(query).await) {
                return answer.map(|reply| SearchReply { took: begin.elapsed(), ..reply });
            }
        }
    }

    /// The answer, and whether commits took away meanwhile some of what was found.
    async fn search_vector_once(&self, query: &VectorQuery) -> Result<(SearchReply, bool), EngineError> {
        let paths = path_filter(&query.paths)?;
        self.check_pipeline().await?;
        let generation = self.store.generation().await?;
        let files = self.filter_files(&query.languages, paths.as_ref(), generation).await?;
        let snapshot = Some(self.vectors(generation).await?);
        // By now others may have begun to replace them.
        self.check_pipeline().await?;
        let filter = Arc::new(Filter { files, kinds: query.kinds.clone(), snapshot });
        let found = self.nearest_to(query, filter).await?;
        let ids: Vec<ChunkId> = found.iter().map(|(id, _)| *id).collect();
        let cosines: HashMap<ChunkId, f64> = found.into_iter().collect();
        let mut hits: Vec<SearchHit> = self.hydrate(&ids, query.context).await?;
        let is_torn = hits.len() < ids.len();
        for hit in &mut hits {
            hit.score = cosines.get(&hit.chunk).copied().unwrap_or(0.0);
            hit.why = Why { semantic: Some(hit.score), ..Why::default() };
        }
        // Where they are alike their places decide, as ids depend on what was indexed when.
        hits.sort_by(|a, b| {
            let places = (&a.path, a.span.start).cmp(&(&b.path, b.span.start));
            b.score.total_cmp(&a.score).then(places)
        });
        let complete = self.is_complete().await?;
        let (found, took, notices) = (hits.len(), Duration::ZERO, Vec::new());
        Ok((SearchReply { hits, found, generation, complete, took, notices }, is_torn))
    }

    async fn nearest_to(
        &self,
        query: &VectorQuery,
        filter: Arc<Filter>,
    ) -> Result<Vec<(ChunkId, f64)>, EngineError> {
        let (pool, metrics, query) = (self.search_pool.clone(), self.metrics.clone(), query.clone());
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let found = blocking(move || {
            let least = query.threshold as f32;
            pool.install(|| nearest(&metrics, &query.vector, &filter, least, query.limit))
        })
        .await?;
        if let Err(error @ VectorError::Damaged { .. }) = &found {
            self.distrust(stamp, error)?;
        }
        Ok(found?)
    }

    /// The vector of what somebody is looking for, of length 1; all zeros if the embedder finds nothing in the text.
    ///
    /// # Errors
    /// [`EngineError::Embed`].
    pub async fn embed_query(&self, text: &str) -> Result<Vec<f32>, EngineError> {
        let (embedder, text) = (self.config.embedder.clone(), text.to_owned());
        Ok(blocking(move || embedder.embed_query(&text)).await??)
    }

    /// The vectors of pieces of code, one behind the other, each of length 1; all zeros for one that the embedder finds
    /// nothing in.
    ///
    /// # Errors
    /// [`EngineError::Embed`].
    pub async fn embed_code(&self, texts: Vec<String>) -> Result<Vec<f32>, EngineError> {
        let embedder = self.config.embedder.clone();
        let vectors = blocking(move || {
            let input = |text| EmbedInput { code: text, ..EmbedInput::default() };
            let inputs: Vec<EmbedInput<'_>> = texts.iter().map(|text| input(text.as_str())).collect();
            let mut vectors = Vec::with_capacity(inputs.len() * embedder.model().dimension);
            embedder.embed(&inputs, &mut vectors).map(|()| vectors)
        });
        Ok(vectors.await??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineConfig, IndexControl, IndexOptions};

    #[tokio::test]
    async fn neighbours_of_a_vector_are_those_of_the_text_that_it_is_of() {
        let tree = tempfile::tempdir().unwrap();
        let valve = "def open_valve(pump):\n    return pump.open()\n";
        std::fs::write(tree.path().join("valve.py"), valve).unwrap();
        std::fs::write(tree.path().join("fence.py"), "def paint_fence(colour):\n    return colour\n")
            .unwrap();
        let engine = Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap();
        let query = VectorQuery::new(engine.embed_query("open the valve of the pump").await.unwrap());
        assert_eq!(engine.search_vector(&query).await.unwrap().hits, []);
        engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await.unwrap();

        let hits = engine.search_vector(&query).await.unwrap().hits;
        let names: Vec<_> = hits.iter().filter_map(|hit| hit.name.as_deref()).collect();
        assert_eq!(names, ["open_valve", "paint_fence"]);
        assert!(hits[0].score > hits[1].score && hits[0].why.semantic == Some(hits[0].score));
        let near = VectorQuery { threshold: hits[0].score - 1e-4, ..query.clone() };
        assert_eq!(engine.search_vector(&near).await.unwrap().hits.len(), 1);
        let longer =
            VectorQuery { vector: query.vector.iter().map(|value| value * 40.0).collect(), ..query.clone() };
        assert!((engine.search_vector(&longer).await.unwrap().hits[0].score - hits[0].score).abs() < 1e-5);
        let fences = VectorQuery { paths: vec!["fence*".into()], ..query.clone() };
        assert_eq!(engine.search_vector(&fences).await.unwrap().hits.len(), 1);

        let of_code = engine.embed_code(vec![valve.into(), "".into()]).await.unwrap();
        assert_eq!(of_code.len(), 2 * query.vector.len());
        assert!(of_code[query.vector.len()..].iter().all(|value| *value == 0.0));
    }

    #[tokio::test]
    async fn a_vector_that_cannot_be_compared_is_refused() {
        let tree = tempfile::tempdir().unwrap();
        let engine = Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap();
        let expected = engine.config().embedder.model().dimension;
        let error = engine.search_vector(&VectorQuery::new(vec![1.0; 3])).await.unwrap_err();
        assert!(
            matches!(error, EngineError::Dimension { received: 3, expected: known, .. } if known == expected)
        );
        for wrong in [0.0, f32::NAN, f32::INFINITY] {
            let error = engine.search_vector(&VectorQuery::new(vec![wrong; expected])).await.unwrap_err();
            assert!(matches!(error, EngineError::Vector(_)), "{error}");
        }
    }
}
