//! What is traced of a run and a search. Alone in its process, as whoever traces it is told of all threads.

use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, SearchQuery, Stage};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the names of the spans that were entered.
#[derive(Clone, Default)]
struct Entered {
    names: Arc<Mutex<BTreeSet<&'static str>>>,
    made: Arc<Mutex<Vec<&'static str>>>,
    open: Arc<AtomicU64>,
}

impl Subscriber for Entered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
            && metadata.target().starts_with("ast_core_engine")
            && *metadata.level() <= Level::TRACE
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut made = self.made.lock().unwrap();
        made.push(span.metadata().name());
        Id::from_u64(made.len() as u64)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, span: &Id) {
        let name = self.made.lock().unwrap()[span.into_u64() as usize - 1];
        self.names.lock().unwrap().insert(name);
        self.open.fetch_add(1, Ordering::SeqCst);
    }
    fn exit(&self, _: &Id) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn stages_are_spans() {
    let entered = Entered::default();
    tracing::subscriber::set_global_default(entered.clone()).unwrap();
    let tree = tempfile::tempdir().unwrap();
    std::fs::write(tree.path().join("a.py"), "def open_valve(pump):\n    return pump.open()\n").unwrap();
    let engine = Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap();
    engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await.unwrap();
    engine.search(&SearchQuery::new("open valve")).await.unwrap();
    engine.close().await;

    let mut expected: BTreeSet<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    expected.extend(["index", "search"]);
    // Chunks are cut while it is parsed, and there is nothing to put hits in order anew.
    expected.retain(|name| !["chunk", "rerank"].contains(name));
    assert_eq!(*entered.names.lock().unwrap(), expected);
    assert_eq!(entered.open.load(Ordering::SeqCst), 0);
}
