//! What to read to know what a query asks for, within a budget.

use crate::repository::{Repository, block_on};
use ast_core_engine::{ContextForm, ContextQuery, ContextReply, Engine, EngineConfig, estimated_tokens};

fn context(repository: &Repository, query: &ContextQuery) -> ContextReply {
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        let reply = engine.context(query).await.unwrap();
        engine.close().await;
        reply
    })
}

fn of(text: &str, budget: usize) -> ContextQuery {
    ContextQuery { budget, ..ContextQuery::new(text) }
}

#[test]
fn it_keeps_to_its_budget_and_says_what_is_in_the_files() {
    let repository = Repository::polyglot();
    repository.index();
    let mut bodies = 0;
    for budget in (0..120).chain((120..3000).step_by(97)) {
        let reply = context(&repository, &of("retry a job with backoff", budget));
        assert!(reply.tokens <= budget, "{budget}: {reply}");
        assert!(estimated_tokens(&reply.to_string()) <= reply.tokens, "{budget}: {reply}");
        for file in &reply.files {
            assert_eq!(file.changed, Some(false));
            let source = repository.read(file.path.as_str());
            let lines: Vec<&str> = source.lines().collect();
            let mut last = 0;
            for part in file.parts.iter().filter(|part| part.form != ContextForm::Signature) {
                bodies += 1;
                let shown = &lines[part.lines.start as usize - 1..part.lines.end as usize];
                assert_eq!(part.text.split('\n').collect::<Vec<_>>(), shown, "{}", file.path);
                assert!(part.lines.start > last, "no line is there twice: {file}");
                last = part.lines.end;
            }
        }
    }
    assert!(bodies > 100, "{bodies}");
}

#[test]
fn more_room_is_for_bodies_then_for_all_that_was_found() {
    let repository = Repository::polyglot();
    repository.index();
    let of_form = |reply: &ContextReply, form| {
        reply.files.iter().flat_map(|file| &file.parts).filter(|part| part.form == form).count()
    };
    let small = context(&repository, &of("retry a job with backoff", 120));
    assert!(of_form(&small, ContextForm::Signature) > 0 && small.left_out > 0, "{small}");
    let large = context(&repository, &of("retry a job with backoff", 1_000_000));
    assert_eq!((of_form(&large, ContextForm::Signature), large.left_out), (0, 0), "{large}");
    let best = &large.files[0].parts;
    assert!(best.iter().any(|part| part.name.as_deref() == Some("retry_with_backoff")), "{large}");
}

#[test]
fn pieces_that_meet_are_one() {
    let repository = Repository::empty();
    let methods: String = (0..6)
        .map(|number| format!("    def pump_{number}(self):\n        return self.pump_water({number})\n\n"))
        .collect();
    repository.write("pump.py", format!("class Pump:\n    '''Pumps water.'''\n\n{methods}"));
    repository.index();
    let reply = context(&repository, &of("pump water", 4000));
    assert_eq!(reply.files.len(), 1);
    let parts = &reply.files[0].parts;
    assert_eq!(parts.len(), 1, "{reply}");
    assert_eq!(parts[0].lines.start, 1);
    assert!(parts[0].text.contains("pump_0") && parts[0].text.contains("pump_5"));
}

#[test]
fn of_what_has_no_room_there_are_the_first_lines() {
    let repository = Repository::empty();
    let body: String = (0..60).map(|number| format!("    water = pump(water, {number})\n")).collect();
    repository.write("pump.py", format!("def pump_water(water):\n{body}    return water\n"));
    repository.index();
    let reply = context(&repository, &of("pump_water", 300));
    let part = &reply.files[0].parts[0];
    let ContextForm::Cut(more) = part.form else { panic!("{part:?}") };
    assert!(part.lines.start == 1 && more > 5, "{reply}");
    assert!(reply.to_string().contains(&format!("… {more} more lines")), "{reply}");
    assert!(reply.tokens > 200, "{reply}");
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let repository = Repository::polyglot();
    repository.index();
    let query = ContextQuery {
        search: ast_core_engine::SearchQuery {
            mode: "lexical".parse().unwrap(),
            ..ast_core_engine::SearchQuery::new("xylophone")
        },
        budget: 500,
    };
    let reply = context(&repository, &query);
    assert!(reply.files.is_empty() && reply.tokens == 0 && reply.left_out == 0);
}
