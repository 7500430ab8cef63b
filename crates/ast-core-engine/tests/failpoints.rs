//! What is made from an index fails, panics and waits at each step: the next search finds what is there.

use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, SearchQuery};
use fail::FailScenario;
use std::path::Path;
use std::sync::Arc;

const STEPS: [&str; 4] = ["snapshot/read", "snapshot/begun", "snapshot/removed", "snapshot/inserted"];

fn write(tree: &Path, name: &str, function: &str) {
    let text =
        format!("def {function}(pump):\n    '''Opens the valve of a pump.'''\n    return pump.open()\n");
    std::fs::write(tree.join(name), text).unwrap();
}

async fn index(engine: &Engine, tree: &Path) {
    engine.index(tree, &IndexOptions::default(), IndexControl::default()).await.unwrap();
}

/// The names that are found, and how well.
async fn found(engine: &Engine) -> Vec<(Option<String>, String)> {
    let reply = engine.search(&SearchQuery::new("open the valve of a pump")).await.unwrap();
    reply.hits.into_iter().map(|hit| (hit.name, format!("{:.9} {:?}", hit.score, hit.why))).collect()
}

#[tokio::test]
async fn a_snapshot_that_fails_is_made_anew() {
    let scenario = FailScenario::setup();
    for step in STEPS {
        for fault in ["return", "panic", "sleep(30)"] {
            let tree = tempfile::tempdir().unwrap();
            for number in 0..4 {
                write(tree.path(), &format!("{number}.py"), &format!("open_valve_{number}"));
            }
            let engine = Arc::new(Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap());
            index(&engine, tree.path()).await;
            assert_eq!(found(&engine).await.len(), 4);
            std::fs::remove_file(tree.path().join("0.py")).unwrap();
            write(tree.path(), "1.py", "open_valve_again");
            write(tree.path(), "9.py", "open_valve_9");
            index(&engine, tree.path()).await;

            fail::cfg(step, fault).unwrap();
            let searching = engine.clone();
            let search = async move { searching.search(&SearchQuery::new("open the valve of a pump")).await };
            let ended = tokio::spawn(search).await;
            let is_ok = matches!(ended, Ok(Ok(_)));
            assert_eq!(
                is_ok,
                fault.starts_with("sleep"),
                "{step} {fault}: reached, and only waiting is no error"
            );
            fail::remove(step);

            let anew = Engine::open(EngineConfig::for_tree(tree.path()).read_only()).await.unwrap();
            let expected = found(&anew).await;
            assert_eq!(expected.len(), 4);
            assert_eq!(found(&engine).await, expected, "{step} {fault}");
        }
    }
    scenario.teardown();
}
