//! The sentence transformer: a small one that the test makes, and the real one where its files are.

mod model;

use ast_core_embed::{EmbedError, EmbedInput, Embedder, MiniLmConfig, MiniLmEmbedder};
use model::HIDDEN;
use proptest::prelude::*;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Has the folder of the real model.
const FOLDER: &str = "AST_CORE_MINILM";

fn open(folder: &Path) -> Result<MiniLmEmbedder, EmbedError> {
    MiniLmEmbedder::open(&MiniLmConfig { threads: NonZeroUsize::new(2), ..MiniLmConfig::new(folder) })
}

fn small(seed: u64) -> (TempDir, MiniLmEmbedder) {
    let folder = tempfile::tempdir().unwrap();
    model::write(folder.path(), seed);
    let embedder = open(folder.path()).unwrap();
    (folder, embedder)
}

fn shared() -> &'static MiniLmEmbedder {
    static SHARED: OnceLock<MiniLmEmbedder> = OnceLock::new();
    SHARED.get_or_init(|| small(7).1)
}

fn embed(embedder: &MiniLmEmbedder, texts: &[&str]) -> Vec<Vec<f32>> {
    let inputs: Vec<EmbedInput<'_>> =
        texts.iter().map(|code| EmbedInput { code, ..EmbedInput::default() }).collect();
    let mut vectors = Vec::new();
    embedder.embed(&inputs, &mut vectors).unwrap();
    vectors.chunks_exact(embedder.model().dimension).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn a_model_is_read_and_named_by_its_weights() {
    let (folder, embedder) = small(7);
    assert_eq!(embedder.model().dimension, HIDDEN);
    assert!(embedder.model().id.starts_with("minilm-8-"), "{}", embedder.model().id);
    assert_eq!(open(folder.path()).unwrap().model(), embedder.model());
    let (_other, other) = small(8);
    assert_ne!(other.model().id, embedder.model().id);
    assert_ne!(embed(&other, &["parse"]), embed(&embedder, &["parse"]));
    // The words of a model are of it, too.
    let words = fs::read_to_string(folder.path().join("tokenizer.json")).unwrap();
    fs::write(
        folder.path().join("tokenizer.json"),
        words.replace("\"lowercase\":true", "\"lowercase\":false"),
    )
    .unwrap();
    assert_ne!(open(folder.path()).unwrap().model().id, embedder.model().id);
}

#[test]
fn a_vector_is_what_the_architecture_says() {
    // By reference.py, for the very weights that the test makes.
    let expected: [f32; HIDDEN] =
        [-0.411_577, 0.394_074, 0.198_391, 0.193_451, 0.433_171, 0.073_017, -0.419_622, -0.479_037];
    let vectors = embed(shared(), &["parser of the file"]);
    assert!(cosine(&vectors[0], &expected) > 0.999_999, "{vectors:?}");
}

#[test]
fn a_text_is_read_with_its_names_and_its_documentation_and_not_its_path() {
    let input = EmbedInput { name: "parser", path: "a/b.rs", doc: "the file", code: "read(a)" };
    let vector = |input: EmbedInput<'_>| {
        let mut vectors = Vec::new();
        shared().embed(&[input], &mut vectors).unwrap();
        vectors
    };
    assert_eq!(vector(input), embed(shared(), &["parser\nthe file\nread(a)"])[0]);
    assert_eq!(vector(input), vector(EmbedInput { path: "c", ..input }));
    assert_eq!(shared().cache_key(&input), shared().cache_key(&EmbedInput { path: "c", ..input }));
    assert_ne!(shared().cache_key(&input), shared().cache_key(&EmbedInput { name: "c", ..input }));
    assert_eq!(shared().embed_query("read the file").unwrap(), embed(shared(), &["read the file"])[0]);
    assert!(shared().is_costly());
}

#[test]
fn of_a_long_text_the_beginning_is_read() {
    // Of 32 positions two are for the ends.
    let (long, longer) = ("parse ".repeat(30), format!("{}read write file", "parse ".repeat(30)));
    assert_eq!(embed(shared(), &[&long]), embed(shared(), &[&longer]));
    assert_ne!(embed(shared(), &[&long]), embed(shared(), &["parse"]));
}

#[test]
fn files_that_are_not_of_a_model_are_named_with_what_was_expected() {
    let (folder, _) = small(7);
    let path = |name: &str| folder.path().join(name);
    let refused = |name: &str, content: Option<Vec<u8>>, expected: &str| {
        let before = fs::read(path(name)).unwrap();
        match content {
            Some(content) => fs::write(path(name), content).unwrap(),
            None => fs::remove_file(path(name)).unwrap(),
        }
        let error = open(folder.path()).unwrap_err();
        let is_named = matches!(&error, EmbedError::ModelFile { path: named, .. } if *named == path(name));
        assert!(is_named, "{name}: {error}");
        assert!(error.to_string().contains(expected), "{expected:?} is not in {error}");
        fs::write(path(name), before).unwrap();
    };
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        refused(name, None, "expected");
        refused(name, Some(b"{".to_vec()), "expected");
        refused(name, Some(Vec::new()), "expected");
    }
    let config = |key: &str, value: serde_json::Value| {
        let mut config = model::config();
        config[key] = value;
        Some(config.to_string().into_bytes())
    };
    refused("config.json", config("model_type", "roberta".into()), "\"bert\"");
    refused("config.json", config("hidden_act", "relu".into()), "\"gelu\"");
    refused("config.json", config("num_attention_heads", 3.into()), "divides");
    refused("config.json", config("num_attention_heads", 0.into()), "sizes from 1");
    refused("config.json", config("hidden_size", (-1).into()), "bert");
    refused("config.json", config("hidden_size", u64::MAX.into()), "sizes from 1");
    refused("config.json", config("layer_norm_eps", 0.into()), "layer_norm_eps");

    let mut words = model::tokenizer();
    words["model"]["vocab"]["more"] = 16.into();
    refused("tokenizer.json", Some(words.to_string().into_bytes()), "at most 16");

    let whole = model::safetensors(&model::shapes(), 7);
    refused("model.safetensors", Some(whole[..whole.len() - 1].to_vec()), "safetensors");
    refused("model.safetensors", Some(whole[..100].to_vec()), "safetensors");
    let mut huge = whole.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    refused("model.safetensors", Some(huge), "safetensors");
    for name in model::shapes().into_keys() {
        let mut shapes = model::shapes();
        let mut other = shapes.remove(&name).unwrap();
        refused("model.safetensors", Some(model::safetensors(&shapes, 7)), &name);
        other[0] += 1;
        shapes.insert(name.clone(), other);
        refused("model.safetensors", Some(model::safetensors(&shapes, 7)), &name);
    }
    assert!(open(folder.path()).is_ok());
}

#[test]
fn a_model_with_a_head_is_read_without_it() {
    let (folder, embedder) = small(7);
    let shapes = model::shapes().into_iter().map(|(name, shape)| (format!("bert.{name}"), shape)).collect();
    fs::write(folder.path().join("model.safetensors"), model::safetensors(&shapes, 7)).unwrap();
    let with_head = open(folder.path()).unwrap();
    assert_eq!(embed(&with_head, &["parser"]), embed(&embedder, &["parser"]));
}

proptest! {
    #[test]
    fn no_text_makes_it_fail_and_vectors_are_of_length_one(text in any::<String>()) {
        let vector = shared().embed_query(&text).unwrap();
        prop_assert_eq!(vector.len(), HIDDEN);
        prop_assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4);
        let norm: f32 = vector.iter().map(|value| value * value).sum();
        prop_assert!((norm - 1.0).abs() < 1e-4, "{}", norm);
    }

    #[test]
    fn batches_are_as_singles_to_the_last_bit(
        texts in proptest::collection::vec("(parse|file|read|\\(|of|ß| ){0,40}", 0..12),
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let together = embed(shared(), &texts);
        for (text, vector) in texts.iter().zip(&together) {
            prop_assert_eq!(&shared().embed_query(text).unwrap(), vector);
        }
        let mut reversed = texts.clone();
        reversed.reverse();
        let mut again = embed(shared(), &reversed);
        again.reverse();
        prop_assert_eq!(again, together);
    }
}

/// The folder of all-MiniLM-L6-v2, if there is one; otherwise says so.
#[expect(clippy::print_stdout, reason = "what was not tested is part of the result")]
fn real() -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: {FOLDER} does not name the folder of all-MiniLM-L6-v2");
    }
    folder
}

#[test]
fn the_real_model_gives_the_vectors_of_the_reference() {
    let Some(folder) = real() else { return };
    let embedder = open(&folder).unwrap();
    // By reference.py: a text, and its vector with two hexadecimal digits a value, of which the largest is 127.
    let fixture = include_str!("fixtures/reference.jsonl");
    let mut texts = 0;
    for line in fixture.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["text"].as_str().unwrap();
        let hex = case["vector"].as_str().unwrap().as_bytes();
        let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap() as u8;
        let expected: Vec<f32> = hex
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[a, b]| f32::from((digit(a) << 4 | digit(b)).cast_signed()))
            .collect();
        let vector = embedder.embed_query(text).unwrap();
        assert!(cosine(&vector, &expected) > 0.999, "{}: {text}", cosine(&vector, &expected));
        texts += 1;
    }
    assert!(texts >= 30, "{texts}");
}

#[test]
fn the_real_model_gives_the_same_vector_alone_and_among_others() {
    let Some(folder) = real() else { return };
    let embedder = open(&folder).unwrap();
    let one =
        MiniLmEmbedder::open(&MiniLmConfig { threads: NonZeroUsize::new(1), ..MiniLmConfig::new(&folder) })
            .unwrap();
    let texts: Vec<String> =
        (1..40).map(|n| format!("fn f{n}() {{ {} }}", "let x = parse(y);\n".repeat(n))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = embed(&embedder, &texts);
    assert_eq!(embed(&one, &texts), together);
    for (text, vector) in texts.iter().zip(&together) {
        assert_eq!(&embedder.embed_query(text).unwrap(), vector);
    }
}
