//! What the mock says: sentences of several scripts, so that a cut anywhere also cuts characters and escapes.

const WORDS: [&str; 24] = [
    "The",
    " weir",
    " lets",
    " the",
    " river",
    " through",
    ";",
    " naïve",
    " Größe",
    ",",
    " déjà",
    " vu",
    ".\n",
    " 水は",
    "静かに",
    "流れる",
    "。",
    " Река",
    " течёт",
    " 🌊",
    " \"quoted\"",
    " \\back",
    "\tand",
    " on",
];

/// `tokens` tokens beginning at a place that `seed` chooses, spread evenly over at most `pieces` pieces.
pub(super) fn pieces(seed: u64, tokens: u32, pieces: usize) -> Vec<String> {
    let tokens = usize::try_from(tokens).unwrap_or(usize::MAX);
    let start = usize::try_from(seed % WORDS.len() as u64).unwrap_or(0);
    let per_piece = tokens.div_ceil(pieces.max(1)).max(1);
    let mut words = WORDS.iter().cycle().skip(start).take(tokens);
    (0..tokens.div_ceil(per_piece))
        .map(|_| words.by_ref().take(per_piece).copied().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_same_text_however_many_they_are() {
        let whole = pieces(7, 100, 1).concat();

        for count in [1, 3, 99, 100, 1000] {
            let cut = pieces(7, 100, count);
            assert_eq!(cut.concat(), whole);
            assert!(cut.len() <= count);
        }
        assert!(pieces(7, 0, 5).is_empty());
    }
}
