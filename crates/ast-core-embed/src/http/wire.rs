//! What goes over the wire: the request, and the vectors of an answer.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) input: &'a [String],
    pub(super) encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Values,
}

/// The values of a vector: numbers, or their bytes in little-endian order in base64.
struct Values(Vec<f32>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, or a text in base64")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = numbers.next_element()? {
            values.push(value);
        }
        Ok(Values(values))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Values, E> {
        let bytes = BASE64_STANDARD.decode(text).map_err(E::custom)?;
        let (values, []) = bytes.as_chunks::<4>() else {
            return Err(E::custom(format!("{} bytes are no numbers of 4 bytes", bytes.len())));
        };
        Ok(Values(values.iter().map(|value| f32::from_le_bytes(*value)).collect()))
    }
}

/// The bytes that an answer of so many vectors may have: of each some thirty a value, and room for what is round it.
pub(super) fn most_bytes(vectors: usize, dimension: usize) -> u64 {
    (vectors as u64).saturating_mul(dimension as u64 * 32 + 1024).saturating_add(1 << 16)
}

/// The vectors of an answer, of length 1, in the order of the texts that were sent; the reason if they are not what was
/// asked for. Of what dimension they are is checked if that is known.
pub(super) fn vectors_of(
    body: &[u8],
    texts: usize,
    dimension: Option<usize>,
) -> Result<Vec<Vec<f32>>, String> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|error| format!("its answer is not as it should be: {error}"))?;
    if answer.data.len() != texts {
        return Err(format!("it answered with {} vectors for {texts} texts", answer.data.len()));
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
    for (place, Item { index, embedding: Values(mut vector) }) in answer.data.into_iter().enumerate() {
        let index = index.unwrap_or(place);
        match dimension {
            Some(dimension) if vector.len() != dimension => {
                return Err(format!("it answered with {} values in a vector, not {dimension}", vector.len()));
            }
            None if vector.is_empty() => return Err("it answered with a vector without values".to_owned()),
            _ => {}
        }
        if vector.iter().any(|value| !value.is_finite()) {
            return Err("it answered with a value that is no finite number".to_owned());
        }
        crate::feature_hash::normalize(&mut vector);
        match vectors.get_mut(index) {
            Some(free @ None) => *free = Some(vector),
            Some(_) => return Err(format!("it answered twice for text {index}")),
            None => return Err(format!("it answered for text {index} of {texts}")),
        }
    }
    // As many as texts, each in a place of its own.
    Ok(vectors.into_iter().flatten().collect())
}

/// What a service says is wrong, in one short line; `None` if it says nothing of use.
pub(super) fn complaint_of(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = value.get("error").unwrap_or(&value);
    let said = error.get("message").or_else(|| value.get("message")).unwrap_or(error).as_str()?;
    let line: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str, texts: usize, dimension: Option<usize>) -> Result<Vec<Vec<f32>>, String> {
        vectors_of(body.as_bytes(), texts, dimension)
    }

    #[test]
    fn an_answer_is_read_by_index_in_either_form() {
        // 3.0 and 4.0.
        let body = r#"{"object":"list","data":[{"index":1,"embedding":"AABAQAAAgEA="},
                       {"object":"embedding","index":0,"embedding":[0,-2]}],"usage":{"total_tokens":2}}"#;
        assert_eq!(read(body, 2, Some(2)).unwrap(), [[0.0, -1.0], [0.6, 0.8]]);
        // Some services leave the index out.
        let body = r#"{"data":[{"embedding":[1]},{"embedding":[-7]}]}"#;
        assert_eq!(read(body, 2, None).unwrap(), [[1.0], [-1.0]]);
    }

    #[test]
    fn what_is_not_as_asked_is_said() {
        let cases = [
            (r#"{"data":[{"index":0,"embedding":[1,2]}]}"#, "1 vectors for 2 texts"),
            (r#"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#, "twice for text 0"),
            (r#"{"data":[{"index":0,"embedding":[1,2]},{"index":2,"embedding":[1,2]}]}"#, "text 2 of 2"),
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}"#,
                "1 values in a vector, not 2",
            ),
            // NaN and 0, in base64.
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"AADAfwAAAAA="}]}"#,
                "no finite number",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1e39,0]}]}"#,
                "no finite number",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[NaN,0]}]}"#,
                "not as it should be",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[null,0]}]}"#,
                "not as it should be",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"AAAAAAA="}]}"#,
                "numbers of 4 bytes",
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"!"}]}"#,
                "not as it should be",
            ),
            (r#"<html>"#, "not as it should be"),
            ("", "not as it should be"),
        ];
        for (body, expected) in cases {
            let error = read(body, 2, Some(2)).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
        assert!(
            read(r#"{"data":[{"index":0,"embedding":[]}]}"#, 1, None).unwrap_err().contains("without values")
        );
    }

    #[test]
    fn a_complaint_is_one_short_line() {
        assert_eq!(complaint_of(br#"{"error":{"message":"no such\nmodel"}}"#).unwrap(), "no such model");
        assert_eq!(complaint_of(br#"{"error":"too long"}"#).unwrap(), "too long");
        assert_eq!(complaint_of(br#"{"object":"error","message":"bad"}"#).unwrap(), "bad");
        assert_eq!(complaint_of(b"<html>"), None);
        assert_eq!(complaint_of(br#"{"error":{"message":""}}"#), None);
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(1000));
        assert_eq!(complaint_of(long.as_bytes()).unwrap().len(), 200);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(body in any::<Vec<u8>>(), texts in 0usize..4) {
            let _ = vectors_of(&body, texts, None);
            let _ = complaint_of(&body);
        }

        #[test]
        fn numbers_and_base64_say_the_same(vector in proptest::collection::vec(-1e3f32..1e3, 1..20)) {
            let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
            let encoded = format!(r#"{{"data":[{{"embedding":"{}"}}]}}"#, BASE64_STANDARD.encode(bytes));
            let plain = format!(r#"{{"data":[{{"embedding":{vector:?}}}]}}"#);
            prop_assert_eq!(read(&encoded, 1, None), read(&plain, 1, None));
        }
    }
}
