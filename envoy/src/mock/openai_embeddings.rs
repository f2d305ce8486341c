//! Answers in the words of `POST /v1/embeddings`: a vector for each input, as numbers or as bytes.
use serde_json::{Map, Value, json};

use super::answer::Part;
use super::asked::{number, set};
use super::ledger::Tokens;

/// Length of a vector where the request names none.
const DIMENSIONS: u32 = 8;
/// Longest vector.
const MOST: u32 = 4096;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The answer; there are no others, this API has no streams.
pub(super) fn whole(request: &Map<String, Value>, input_tokens: u64, tell: bool) -> Part {
    let inputs = match request.get("input") {
        Some(Value::Array(many)) if many.iter().any(|one| !one.is_number()) => many.len(),
        _ => 1, // one text, or one text as tokens
    };
    let dimensions = number(request, "dimensions")
        .unwrap_or(DIMENSIONS)
        .min(MOST);
    let as_bytes = request.get("encoding_format") == Some(&Value::from("base64"));
    let data: Vec<Value> = (0..inputs)
        .map(|index| {
            let vector = vector(index, dimensions);
            let embedding = if as_bytes {
                Value::from(base64(
                    &vector
                        .iter()
                        .flat_map(|number| number.to_le_bytes())
                        .collect::<Vec<u8>>(),
                ))
            } else {
                Value::from(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let mut body = json!({"object": "list", "data": data, "model": request.get("model")});
    let mut told = Tokens::default();
    if tell {
        set(
            &mut body,
            "/usage",
            json!({"prompt_tokens": input_tokens, "total_tokens": input_tokens}),
        );
        told.input = input_tokens;
    }
    Part::with_usage(body.to_string(), told)
}

/// Sixteenths, exact in every format.
fn vector(index: usize, dimensions: u32) -> Vec<f32> {
    let start = u32::try_from(index % 7).unwrap_or(0);
    let sixteenth = |place: u32| (place.wrapping_add(start) % 31) as f32 / 16.0 - 1.0;
    (0..dimensions).map(sixteenth).collect()
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4_usize {
            let sextet = (bits >> (18 - 6 * place)) & 0x3f;
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if place <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_padded_to_groups_of_four_letters() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }

    #[test]
    fn there_is_a_vector_for_each_text_and_one_for_a_text_as_tokens() {
        let count = |input: Value| {
            let request = json!({"model": "m", "input": input, "dimensions": 3});
            let part = whole(request.as_object().unwrap(), 9, true);
            assert_eq!(
                part.usage,
                Tokens {
                    input: 9,
                    output: 0
                }
            );
            let body: Value = serde_json::from_slice(&part.bytes).unwrap();
            assert_eq!(body["data"][0]["embedding"].as_array().unwrap().len(), 3);
            body["data"].as_array().unwrap().len()
        };

        assert_eq!(count(json!("a")), 1);
        assert_eq!(count(json!(["a", "b"])), 2);
        assert_eq!(count(json!([1, 2, 3])), 1);
    }
}
