//! The map of a tree: what the code leans on most, within a budget.

use crate::repository::{Repository, block_on};
use ast_core_engine::{Engine, EngineConfig, MapQuery, MapReply, estimated_tokens};

/// Five commands that all make use of `Store`, most of them of `open_store`, and each of a helper of its own. A `Store` that nobody
/// imports is in another package, and one is in the tests.
fn shop() -> Repository {
    let repository = Repository::empty();
    repository.write(
        "shop/store.py",
        "class Store:\n    '''Keeps orders.'''\n    def put_order(self, order):\n        return check(order)\n\n\
         def check(order):\n    return order\n\ndef open_store(path):\n    return Store(path)\n",
    );
    for name in ["buy", "sell", "lend", "give", "take"] {
        repository.write(
            &format!("shop/commands/{name}.py"),
            format!(
                "from shop.store import Store, open_store\n\n\
                 def _words_of_{name}():\n    return '{name}'\n\n\
                 def {name}_thing(path, store: Store):\n    words = _words_of_{name}()\n    return open_store(path).put_order(words)\n"
            ),
        );
    }
    repository.write("attic/store.py", "class Store:\n    pass\n\ndef open_store(path):\n    return path\n");
    repository.write(
        "tests/test_store.py",
        "from shop.store import open_store\n\ndef make_order():\n    return 1\n\n\
         def test_one():\n    open_store('').put_order(make_order())\n\ndef test_two():\n    make_order()\n",
    );
    repository.index();
    repository
}

fn map(repository: &Repository, query: &MapQuery) -> MapReply {
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        let reply = engine.map(query).await.unwrap();
        engine.close().await;
        reply
    })
}

/// The definitions by their ranks: `path name`.
fn ranked(reply: &MapReply) -> Vec<String> {
    let definitions = reply.files.iter().flat_map(|file| {
        let shown = file.definitions.iter().filter_map(|shown| Some((shown.rank?, shown)));
        shown.map(|(rank, shown)| (rank, format!("{} {}", file.path, shown.name)))
    });
    let mut ranked: Vec<(f64, String)> = definitions.collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked.into_iter().map(|(_, name)| name).collect()
}

fn everything() -> MapQuery {
    MapQuery { budget: usize::MAX, ..MapQuery::default() }
}

#[test]
fn what_is_imported_and_used_comes_before_what_only_has_its_name() {
    let reply = map(&shop(), &everything());
    let ranked = ranked(&reply);
    let place = |name: &str| {
        ranked.iter().position(|ranked| ranked == name).unwrap_or_else(|| panic!("{name}: {ranked:?}"))
    };
    assert_eq!(ranked[..2], ["shop/store.py Store", "shop/store.py open_store"], "{ranked:?}");
    assert!(place("shop/store.py put_order") < place("attic/store.py Store"));
    assert!(place("shop/store.py open_store") < place("attic/store.py open_store"));
    assert!(!ranked.iter().any(|name| name.starts_with("tests/")), "{ranked:?}");
    let sum: f64 = reply.files.iter().flat_map(|file| &file.definitions).filter_map(|shown| shown.rank).sum();
    assert!(sum > 0.2 && sum < 1.0, "{sum}");
    assert_eq!(reply.candidates, ranked.len());
    assert!(reply.complete && reply.files.iter().all(|file| file.changed == Some(false)));
}

#[test]
fn the_text_names_places_and_what_is_round_them() {
    let query = MapQuery { paths: vec!["shop/store.py".into()], ..MapQuery::default() };
    assert_eq!(
        map(&shop(), &query).to_string(),
        "shop/store.py\n    1 class Store\n    3   def put_order(self, order)\n    6 def check(order)\n    9 def open_store(path)\n"
    );
}

#[test]
fn it_keeps_to_its_budget() {
    let repository = shop();
    let all = ranked(&map(&repository, &everything()));
    let mut shown = 0;
    for budget in 0..400 {
        let reply = map(&repository, &MapQuery { budget, ..MapQuery::default() });
        assert!(
            reply.tokens <= budget && estimated_tokens(&reply.to_string()) <= reply.tokens,
            "{budget}: {reply}"
        );
        // A line that is there because of what is inside of it has a parent's rank only if that was chosen itself.
        for file in &reply.files {
            assert!(file.definitions.iter().any(|shown| shown.rank.is_some()), "{file}");
        }
        shown = shown.max(ranked(&reply).len());
    }
    assert_eq!(shown, all.len());
    let small = map(&repository, &MapQuery { budget: 30, ..MapQuery::default() });
    assert_eq!(ranked(&small)[0], all[0]);
    let none = map(&repository, &MapQuery { budget: 3, ..MapQuery::default() });
    assert!(none.files.is_empty() && none.tokens == 0 && none.candidates == all.len());
}

#[test]
fn a_focus_shows_what_that_part_leans_on() {
    let repository = shop();
    let of = |focus: &str| ranked(&map(&repository, &MapQuery { focus: vec![focus.into()], ..everything() }));
    let place = |ranked: &[String], name: &str| ranked.iter().position(|ranked| ranked == name).unwrap();
    let (buy, sell) = (of("shop/commands/buy.py"), of("shop/commands/sell.py"));
    let (of_buy, of_sell) = ("shop/commands/buy.py _words_of_buy", "shop/commands/sell.py _words_of_sell");
    assert!(place(&buy, of_buy) < place(&buy, of_sell), "{buy:?}");
    assert!(place(&sell, of_sell) < place(&sell, of_buy), "{sell:?}");
}

#[test]
fn a_focus_on_nothing_is_told() {
    let repository = shop();
    let of = |focus: &[&str]| {
        let focus = focus.iter().map(|focus| (*focus).to_owned()).collect();
        map(&repository, &MapQuery { focus, ..everything() })
    };
    let (whole, nothing) = (of(&[]), of(&["no/such/file"]));
    assert_eq!((whole.focus_files, nothing.focus_files), (None, Some(0)));
    assert_eq!(ranked(&nothing), ranked(&whole));
    assert_eq!(of(&["shop/commands", "no/such/file"]).focus_files, Some(5));

    let answer = repository.run(["map", "--focus", "no/such/file"]);
    assert_eq!((answer.code, &answer.stdout), (Some(0), &whole_text(&repository)));
    assert!(answer.stderr.contains("--focus") && answer.stderr.lines().count() == 1, "{answer:?}");
    let quiet = ["map", "--focus", "no/such/file", "--json", "--quiet"];
    assert_eq!(repository.run(quiet).json()["focus_files"], 0);
    assert_eq!(repository.run(["map", "--json"]).json()["focus_files"], serde_json::Value::Null);
}

fn whole_text(repository: &Repository) -> String {
    repository.run(["map"]).stdout
}

#[test]
fn filters_narrow_what_is_shown() {
    let repository = shop();
    let of = |query: MapQuery| ranked(&map(&repository, &query));
    let tests = of(MapQuery { paths: vec!["tests/**".into()], ..everything() });
    assert_eq!(tests[0], "tests/test_store.py make_order");
    assert!(of(MapQuery { languages: vec!["rust".parse().unwrap()], ..everything() }).is_empty());
    let error = block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        let error = engine.map(&MapQuery { focus: vec!["src/[".into()], ..everything() }).await.unwrap_err();
        engine.close().await;
        error
    });
    assert!(error.to_string().contains("src/["), "{error}");
}

#[test]
fn it_is_that_of_the_index_as_it_is_now() {
    let repository = shop();
    block_on(async {
        let reader = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        let before = reader.map(&everything()).await.unwrap();
        repository.edit("shop/store.py", "def check(order):", "def examine(order):");
        let stale = reader.map(&everything()).await.unwrap();
        assert_eq!(ranked(&stale), ranked(&before));
        let changed: Vec<_> = stale.files.iter().filter(|file| file.changed == Some(true)).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");
        assert_eq!(changed[0].path.as_str(), "shop/store.py");
        std::thread::scope(|scope| scope.spawn(|| repository.index()).join()).unwrap();
        let after = reader.map(&everything()).await.unwrap();
        assert!(after.generation > before.generation);
        assert!(ranked(&after).contains(&"shop/store.py examine".to_owned()));
        assert!(!ranked(&after).contains(&"shop/store.py check".to_owned()));
        reader.close().await;
    });
    // Another process says the same.
    assert_eq!(map(&repository, &everything()).files, map(&repository, &everything()).files);
}
