//! A model of a few kilobytes with the architecture of MiniLM, and weights that follow from a number.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(crate) const HIDDEN: usize = 8;
const WIDE: usize = 12;
const HEADS: usize = 2;
const LAYERS: usize = 2;
const POSITIONS: usize = 32;
const WORDS: [&str; 16] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "parse", "##r", "##s", "file", "read", "write", "the", "a", "(", ")",
    "_", "of",
];

/// Names and shapes of its tensors.
pub(crate) fn shapes() -> BTreeMap<String, Vec<usize>> {
    let mut shapes = BTreeMap::from([
        ("embeddings.word_embeddings.weight".to_owned(), vec![WORDS.len(), HIDDEN]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![POSITIONS, HIDDEN]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
    ]);
    let mut norm = |name: String| {
        shapes.insert(format!("{name}.weight"), vec![HIDDEN]);
        shapes.insert(format!("{name}.bias"), vec![HIDDEN]);
    };
    norm("embeddings.LayerNorm".into());
    for layer in 0..LAYERS {
        norm(format!("encoder.layer.{layer}.attention.output.LayerNorm"));
        norm(format!("encoder.layer.{layer}.output.LayerNorm"));
    }
    for layer in 0..LAYERS {
        for (part, to, from) in [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", WIDE, HIDDEN),
            ("output.dense", HIDDEN, WIDE),
        ] {
            shapes.insert(format!("encoder.layer.{layer}.{part}.weight"), vec![to, from]);
            shapes.insert(format!("encoder.layer.{layer}.{part}.bias"), vec![to]);
        }
    }
    shapes
}

pub(crate) fn config() -> Value {
    json!({
        "model_type": "bert", "hidden_act": "gelu", "vocab_size": WORDS.len(), "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": WIDE,
        "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    })
}

pub(crate) fn tokenizer() -> Value {
    let vocabulary: BTreeMap<&str, usize> = WORDS.into_iter().zip(0..).collect();
    json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [
                {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
            },
        },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    })
}

/// The file format safetensors: the length of a JSON header in 8 bytes, the header, numbers in little-endian order.
pub(crate) fn safetensors(shapes: &BTreeMap<String, Vec<usize>>, seed: u64) -> Vec<u8> {
    let (mut header, mut data, mut state) = (serde_json::Map::new(), Vec::new(), seed);
    for (name, shape) in shapes {
        let begin = data.len();
        for _ in 0..shape.iter().product() {
            // Knuth's linear congruential generator, as numbers from -0.5 to 0.5.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
            data.extend(value.to_le_bytes());
        }
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
        header.insert(name.clone(), entry);
    }
    let header = Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

/// Writes a model whose weights follow from this number.
pub(crate) fn write(folder: &Path, seed: u64) {
    fs::write(folder.join("config.json"), config().to_string()).unwrap();
    fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).unwrap();
    fs::write(folder.join("model.safetensors"), safetensors(&shapes(), seed)).unwrap();
}
