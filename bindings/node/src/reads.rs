//! Whatever reads the index.

use crate::call::{Cancellation, promise, until};
use crate::columns::{ListedColumns, ListedRows, vectors};
use crate::convert::{
    milliseconds, number, parse_optional, reference_query, search_query, similar_query, symbol_filter,
    vector_query,
};
use crate::engine::Engine;
use crate::record::{ReplyRecord, record};
use crate::types::{ReferenceOptions, SearchOptions, SymbolOptions};
use ast_core_engine::{SimilarTo, SymbolId};
use napi::Env;
use napi::bindgen_prelude::{AsyncBlock, Float32Array};
use napi_derive::napi;

/// A page of definitions.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct SymbolReply {
    pub columns: ListedColumns,
    pub next: Option<String>,
    pub generation: f64,
    pub complete: bool,
    pub took_ms: f64,
}

/// Vectors of texts.
#[napi(object, object_from_js = false)]
pub struct Embedded {
    pub vectors: Float32Array,
    pub dimension: u32,
}

#[napi]
impl Engine {
    /// Searches by words and by vectors.
    #[napi]
    pub fn search(
        &self,
        env: &Env,
        text: String,
        options: SearchOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<ReplyRecord>> {
        let engine = self.lease();
        let call = async move { Ok(record(&engine?.search(&search_query(text, options)?).await?)) };
        promise(env, until(cancellation, call))
    }

    /// Searches by a vector.
    #[napi]
    pub fn search_vector(
        &self,
        env: &Env,
        vector: Float32Array,
        options: SearchOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<ReplyRecord>> {
        let engine = self.lease();
        // Whoever has the array may write to it meanwhile.
        let vector = vector.to_vec();
        let call = async move { Ok(record(&engine?.search_vector(&vector_query(vector, options)?).await?)) };
        promise(env, until(cancellation, call))
    }

    /// What is like the code round a line of a file.
    #[napi]
    pub fn similar_to(
        &self,
        env: &Env,
        path: String,
        line: u32,
        options: SearchOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<ReplyRecord>> {
        let engine = self.lease();
        let to = SimilarTo::Place { path: path.into(), line };
        let call = async move { Ok(record(&engine?.similar(&similar_query(to, options)?).await?)) };
        promise(env, until(cancellation, call))
    }

    /// What is like a piece of code.
    #[napi]
    pub fn similar_to_code(
        &self,
        env: &Env,
        text: String,
        language: Option<String>,
        options: SearchOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<ReplyRecord>> {
        let engine = self.lease();
        let call = async move {
            let language = parse_optional("options.language", language)?;
            let to = SimilarTo::Code { text, language };
            Ok(record(&engine?.similar(&similar_query(to, options)?).await?))
        };
        promise(env, until(cancellation, call))
    }

    /// Who mentions a name.
    #[napi]
    pub fn references(
        &self,
        env: &Env,
        name: String,
        options: ReferenceOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<ReplyRecord>> {
        let engine = self.lease();
        let call = async move { Ok(record(&engine?.references(&reference_query(name, options)?).await?)) };
        promise(env, until(cancellation, call))
    }

    /// What the definitions of a name call.
    #[napi]
    pub fn callees(
        &self,
        env: &Env,
        name: String,
        options: ReferenceOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<ReplyRecord>> {
        let engine = self.lease();
        let call = async move { Ok(record(&engine?.callees(&reference_query(name, options)?).await?)) };
        promise(env, until(cancellation, call))
    }

    /// The definitions of the index.
    #[napi]
    pub fn symbols(
        &self,
        env: &Env,
        options: SymbolOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<SymbolReply>> {
        let engine = self.lease();
        let call = async move {
            let mut rows = ListedRows::default();
            let read = engine?.each_symbol(&symbol_filter(options)?, |row| rows.add(&row)).await?;
            Ok(SymbolReply {
                columns: rows.finish(),
                next: read.next.map(|next: SymbolId| next.get().to_string()),
                generation: number(read.generation),
                complete: read.complete,
                took_ms: milliseconds(read.took),
            })
        };
        promise(env, until(cancellation, call))
    }

    /// The vectors of texts, as queries or as code.
    #[napi]
    pub fn embed(
        &self,
        env: &Env,
        texts: Vec<String>,
        as_code: bool,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<Embedded>> {
        let engine = self.lease();
        let call = async move {
            let engine = engine?;
            let dimension = engine.config().embedder.model().dimension as u32;
            let found = match as_code {
                true => engine.embed_code(texts).await?,
                false => {
                    let mut found = Vec::new();
                    for text in texts {
                        found.extend(engine.embed_query(&text).await?);
                    }
                    found
                }
            };
            Ok(Embedded { vectors: vectors(found), dimension })
        };
        promise(env, until(cancellation, call))
    }
}
