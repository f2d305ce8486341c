//! Log probabilities of the tokens of a text: made up, exact in binary, the same for the same text.
use serde_json::{Value, json};

use super::asked::set;

/// Characters of one token.
const TOKEN: usize = 4;
/// Most alternatives that are told for one token, as in the APIs.
const MOST: usize = 20;

/// A token, its log probability, and alternatives beginning with itself.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) logprob: f64,
    pub(super) top: Vec<(String, f64)>,
}

/// The tokens of a text; `top` alternatives for each.
pub(super) fn tokens(text: &str, top: usize) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let token = |characters: &[char]| {
        let text: String = characters.iter().collect();
        let logprob = -0.125 * (1 + text.len() % 7) as f64;
        let alternative = |rank: usize| {
            let word = if rank == 0 {
                text.clone()
            } else {
                format!(" or{rank}")
            };
            (word, logprob - 0.5 * rank as f64)
        };
        Token {
            top: (0..top.min(MOST)).map(alternative).collect(),
            text,
            logprob,
        }
    };
    characters.chunks(TOKEN).map(token).collect()
}

/// As chat completions and responses word them.
pub(super) fn openai(text: &str, top: usize) -> Value {
    let entry = |text: &str, logprob: f64| json!({"token": text, "logprob": logprob, "bytes": text.as_bytes()});
    tokens(text, top)
        .iter()
        .map(|token| {
            let mut told = entry(&token.text, token.logprob);
            set(
                &mut told,
                "/top_logprobs",
                token
                    .top
                    .iter()
                    .map(|(text, logprob)| entry(text, *logprob))
                    .collect(),
            );
            told
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_make_up_the_text_and_stand_first_among_their_alternatives() {
        let text = "Das Wehr 水は静か";

        let found = tokens(text, 3);

        let joined: String = found.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(joined, text);
        for token in &found {
            assert_eq!(token.top.len(), 3);
            assert_eq!(token.top[0], (token.text.clone(), token.logprob));
        }
        assert_eq!(openai(text, 1)[0]["top_logprobs"][0]["token"], "Das ");
    }
}
