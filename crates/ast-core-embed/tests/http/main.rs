//! The embedder that asks a service, against services that answer well, badly, late and not at all.

mod service;

use ast_core_embed::{ApiKey, EmbedError, EmbedInput, Embedder, HttpConfig, HttpEmbedder};
use serde_json::json;
use service::{Asked, Reply, Service, vector};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const KEY: &str = "sk-very-secret-0123456789";

fn number(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

/// As by default, but in less of a test's time.
fn config(service: &Service) -> HttpConfig {
    HttpConfig {
        backoff: Duration::from_millis(2),
        attempts: NonZeroU32::new(4).unwrap(),
        key: Some(ApiKey::new(KEY).unwrap()),
        ..HttpConfig::new(service.url(), "m")
    }
}

fn embedder(config: HttpConfig) -> HttpEmbedder {
    HttpEmbedder::with_dimension(config, 3).unwrap()
}

fn embed(embedder: &HttpEmbedder, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
    let inputs: Vec<EmbedInput<'_>> =
        texts.iter().map(|code| EmbedInput { code, path: "a/b.rs", ..EmbedInput::default() }).collect();
    let mut vectors = Vec::new();
    embedder.embed(&inputs, &mut vectors)?;
    Ok(vectors.chunks_exact(3).map(<[f32]>::to_vec).collect())
}

/// What the service makes of a text, of length 1.
fn unit(text: &str) -> Vec<f32> {
    let vector = vector(text);
    let norm = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    vector.iter().map(|value| (f64::from(*value) / norm) as f32).collect()
}

/// The error of a service that answers so, and how often it was asked.
fn refused_by(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> (EmbedError, usize) {
    let service = Service::start(answer);
    let embedder = embedder(config(&service));
    let error = embed(&embedder, &["one", "two"]).unwrap_err();
    let shown = format!("{error} {error:?} {embedder:?}");
    assert!(!shown.contains(KEY) && !shown.contains("very-secret"), "{shown}");
    (error, service.asked().len())
}

#[track_caller]
fn assert_unavailable(error: &EmbedError, words: &[&str]) {
    assert!(matches!(error, EmbedError::Unavailable { .. }), "{error}");
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

#[test]
fn texts_become_vectors_in_their_order() {
    let service = Service::start(|_, asked| Reply::vectors(asked));
    let embedder = embedder(config(&service));
    let texts = ["fn a() {}", "fn b() { a() }", "", "ß"];
    let expected: Vec<Vec<f32>> = ["fn a() {}", "fn b() { a() }", " ", "ß"].into_iter().map(unit).collect();
    assert_eq!(embed(&embedder, &texts).unwrap(), expected);
    assert_eq!(embedder.embed_query("where is a").unwrap(), unit("where is a"));
    assert_eq!(embed(&embedder, &[]).unwrap(), Vec::<Vec<f32>>::new());

    let asked = service.asked();
    assert_eq!(asked.len(), 2, "nothing is asked for no texts");
    assert_eq!((asked[0].path.as_str(), &asked[0].body["model"]), ("/v1/embeddings", &json!("m")));
    assert_eq!(asked[0].authorization.as_deref(), Some(&*format!("Bearer {KEY}")));
    assert_eq!(asked[0].body["encoding_format"], "float");
    assert_eq!(asked[0].body.get("dimensions"), None);
}

#[test]
fn what_is_configured_is_sent() {
    let service = Service::start(|_, asked| Reply::vectors(asked));
    let config = HttpConfig {
        dimensions: Some(3),
        key: None,
        base64: true,
        document_prefix: "passage: ".into(),
        query_prefix: "query: ".into(),
        text_tokens: number(2),
        ..config(&service)
    };
    let embedder = HttpEmbedder::connect(config).unwrap();
    assert_eq!(embedder.model().dimension, 3);
    embed(&embedder, &["12345678"]).unwrap();
    embedder.embed_query("x").unwrap();
    let asked = service.asked();
    assert_eq!(asked[1].texts(), ["passage: 123456"]);
    assert_eq!(asked[2].texts(), ["query: x"]);
    assert_eq!(asked[1].authorization, None);
    assert_eq!(
        (&asked[1].body["encoding_format"], &asked[1].body["dimensions"]),
        (&json!("base64"), &json!(3))
    );
}

#[test]
fn connecting_finds_the_dimension_out() {
    let service = Service::start(|_, asked| Reply::vectors(asked));
    let embedder = HttpEmbedder::connect(config(&service)).unwrap();
    assert_eq!((embedder.model().dimension, service.asked().len()), (3, 1));
    let other = HttpConfig { dimensions: Some(7), ..config(&service) };
    assert_unavailable(&HttpEmbedder::connect(other).unwrap_err(), &["3 values in a vector, not 7"]);
}

#[test]
fn batches_are_bounded_by_texts_and_by_tokens() {
    let service = Service::start(|_, asked| Reply::vectors(asked));
    let one_at_a_time = HttpConfig { concurrency: number(1), ..config(&service) };
    let by_texts = embedder(HttpConfig { batch_texts: number(2), ..one_at_a_time.clone() });
    let texts = ["a", "bb", "ccc", "dddd", "eeeee"];
    let expected: Vec<Vec<f32>> = texts.into_iter().map(unit).collect();
    assert_eq!(embed(&by_texts, &texts).unwrap(), expected);
    // Of 1, 1, 1, 2 and 2 tokens.
    let by_tokens = embedder(HttpConfig { batch_tokens: number(3), ..one_at_a_time });
    assert_eq!(embed(&by_tokens, &texts).unwrap(), expected);
    let sizes: Vec<usize> = service.asked().iter().map(|asked| asked.texts().len()).collect();
    assert_eq!(sizes, [2, 2, 1, 3, 1, 1]);
}

#[test]
fn so_many_requests_are_under_way_and_no_more() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Nobody is answered before two have asked.
    let barrier = Barrier::new(2);
    let (inside, highest) = (now.clone(), most.clone());
    let service = Service::start(move |_, asked| {
        highest.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        barrier.wait();
        inside.fetch_sub(1, Ordering::SeqCst);
        Reply::vectors(asked)
    });
    let config = HttpConfig { concurrency: number(2), batch_texts: number(1), ..config(&service) };
    let embedder = Arc::new(embedder(config));
    let texts: Vec<String> = (0..8).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    // From two threads at once, too.
    let vectors: Vec<_> = std::thread::scope(|scope| {
        let calls = [(); 2].map(|()| scope.spawn(|| embed(&embedder, &texts).unwrap()));
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let expected: Vec<Vec<f32>> = texts.iter().copied().map(unit).collect();
    assert_eq!(vectors, [expected.clone(), expected]);
    assert_eq!((most.load(Ordering::SeqCst), now.load(Ordering::SeqCst)), (2, 0));
}

#[test]
fn a_service_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says() {
    let service = Service::start(|number, asked| match number {
        0 => Reply::of(429, r#"{"error":{"message":"slow down"}}"#).with("Retry-After", "1"),
        1 => Reply::of(429, "").with("retry-after-ms", "50"),
        _ => Reply::vectors(asked),
    });
    let begin = Instant::now();
    assert_eq!(embed(&embedder(config(&service)), &["a"]).unwrap(), [unit("a")]);
    assert!(begin.elapsed() >= Duration::from_millis(1050), "{:?}", begin.elapsed());
    assert_eq!(service.asked().len(), 3);
}

#[test]
fn a_service_that_wants_to_be_left_alone_for_too_long_is_given_up_at_once() {
    let (error, asked) = refused_by(|_, _| Reply::of(429, "").with("Retry-After", "3600"));
    assert_unavailable(&error, &["429", "3600 s"]);
    assert_eq!(asked, 1);
}

#[test]
fn what_may_pass_is_tried_again_and_then_given_up() {
    let service = Service::start(|number, asked| match number {
        0 => Reply::of(503, "<html>"),
        1 => Reply::of(500, ""),
        _ => Reply::vectors(asked),
    });
    assert_eq!(embed(&embedder(config(&service)), &["a"]).unwrap(), [unit("a")]);

    let (error, asked) = refused_by(|_, _| Reply::of(500, r#"{"error":{"message":"out of memory"}}"#));
    assert_unavailable(&error, &["500", "out of memory", "after 4 attempts"]);
    assert_eq!(asked, 4);
}

#[test]
fn an_answer_that_is_not_what_was_asked_for_is_refused_and_not_asked_for_again() {
    let vectors = |first: &[u8], second: serde_json::Value| {
        json!({"data": [{"index": 0, "embedding": first}, {"index": 1, "embedding": second}]}).to_string()
    };
    let answers = [
        (json!({"data": [{"index": 0, "embedding": [1, 2, 3]}]}).to_string(), "1 vectors for 2 texts"),
        (vectors(&[1, 2], json!([1, 2])), "2 values in a vector, not 3"),
        // A NaN and two zeros, in base64.
        (vectors(&[1, 2, 3], json!("AADAfwAAAAAAAAAA")), "no finite number"),
        (r#"{"data":[{"index":0,"embedding":[NaN,1,2]}"#.to_owned(), "not as it should be"),
        ("x".repeat(1 << 20), "longer than"),
    ];
    for (answer, expected) in answers {
        let (error, asked) = refused_by(move |_, _| Reply::of(200, answer.clone()));
        assert_unavailable(&error, &[expected]);
        assert_eq!(asked, 1, "{expected}");
    }
}

#[test]
fn a_service_that_dawdles_is_not_waited_for_for_ever() {
    let service = Service::start(|_, asked| Reply::vectors(asked).after(Duration::from_secs(30)));
    let config = HttpConfig {
        timeout: Duration::from_millis(100),
        attempts: NonZeroU32::new(2).unwrap(),
        ..config(&service)
    };
    assert_unavailable(&embed(&embedder(config), &["a"]).unwrap_err(), &["in time", "after 2 attempts"]);
    assert_eq!(service.asked().len(), 2);
}

#[test]
fn a_service_that_is_not_there_is_said_to_be_so() {
    // A port that was somebody's a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = HttpConfig {
        backoff: Duration::ZERO,
        attempts: NonZeroU32::new(2).unwrap(),
        ..HttpConfig::new(format!("http://127.0.0.1:{port}/v1"), "m")
    };
    assert_unavailable(&embed(&embedder(config), &["a"]).unwrap_err(), &["connection", "after 2 attempts"]);
}

#[test]
fn a_service_that_is_not_secure_though_it_should_be_is_not_spoken_to() {
    let service = Service::start(|_, asked| Reply::vectors(asked));
    let config = HttpConfig { base_url: service.url().replace("http:", "https:"), ..config(&service) };
    assert_unavailable(&embed(&embedder(config), &["a"]).unwrap_err(), &["cannot be asked"]);
    assert!(service.asked().is_empty());
}

#[test]
fn a_service_that_sends_on_is_not_followed() {
    let elsewhere = Service::start(|_, asked| Reply::vectors(asked));
    for status in [301, 302, 307, 308] {
        let location = elsewhere.url();
        let (error, asked) = refused_by(move |_, _| Reply::of(status, "").with("Location", location.clone()));
        assert_unavailable(&error, &[&status.to_string(), "127.0.0.1"]);
        assert_eq!(asked, 1);
    }
    assert!(elsewhere.asked().is_empty(), "the key went elsewhere");
}

#[test]
fn a_key_that_is_missing_or_wrong_is_named_and_not_shown() {
    // As some do, it says which key it was.
    let answer = |_: usize, asked: &Asked| match &asked.authorization {
        None => Reply::of(401, r#"{"error":{"message":"no key"}}"#),
        Some(key) => {
            Reply::of(401, json!({"error": {"message": format!("wrong: {}", &key[..20])}}).to_string())
        }
    };
    let (error, asked) = refused_by(answer);
    assert_unavailable(&error, &["401", "whether the key is the right one"]);
    assert_eq!(asked, 1);

    let service = Service::start(answer);
    let without = HttpConfig { key: None, ..config(&service) };
    assert_unavailable(
        &embed(&embedder(without), &["a"]).unwrap_err(),
        &["401", "wants a key and there is none"],
    );

    let (error, _) = refused_by(|_, asked| {
        let key = asked.authorization.clone().unwrap_or_default();
        Reply::of(404, json!({"error": {"message": format!("no model m for {key}")}}).to_string())
    });
    assert_unavailable(&error, &["404", "no model m for Bearer ***"]);
}

#[test]
fn of_a_batch_that_is_refused_only_the_text_at_fault_is() {
    let service = Service::start(|_, asked| match asked.texts().iter().any(|text| text.contains("poison")) {
        true => Reply::of(400, r#"{"error":{"message":"too long"}}"#),
        false => Reply::vectors(asked),
    });
    let embedder = embedder(config(&service));
    // Nothing was ever embedded: the settings may be wrong.
    assert_unavailable(&embed(&embedder, &["poison"]).unwrap_err(), &["400", "too long"]);
    assert_eq!(embed(&embedder, &["a", "b", "c"]).unwrap().len(), 3);
    let error = embed(&embedder, &["a", "b", "poison"]).unwrap_err();
    assert!(matches!(error, EmbedError::Model { .. }), "{error}");
    // As a whole it would be too much; in halves it is not.
    let service = Service::start(|_, asked| match asked.texts().len() > 2 {
        true => Reply::of(413, ""),
        false => Reply::vectors(asked),
    });
    let texts = ["a", "bb", "ccc", "dddd", "eeeee"];
    let expected: Vec<Vec<f32>> = texts.into_iter().map(unit).collect();
    assert_eq!(embed(&self::embedder(config(&service)), &texts).unwrap(), expected);
}

#[test]
fn what_is_cached_is_known_by_all_that_is_sent() {
    let service = Service::start(|_, asked| Reply::vectors(asked));
    let embedder = embedder(config(&service));
    assert!(embedder.is_costly());
    let input = EmbedInput { name: "a", path: "x.rs", doc: "Adds.", code: "fn a() {}" };
    let key = |input: EmbedInput<'_>| embedder.cache_key(&input);
    assert_eq!(key(input), key(EmbedInput { path: "y.rs", ..input }));
    assert_ne!(key(input), key(EmbedInput { doc: "Subtracts.", ..input }));
    assert_ne!(key(input), key(EmbedInput { name: "b", ..input }));
    let mut vectors = Vec::new();
    embedder.embed(&[input], &mut vectors).unwrap();
    assert_eq!(service.asked()[0].texts(), ["a\nAdds.\nfn a() {}"]);
}
