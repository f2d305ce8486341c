use super::super::printer::{SystemPrint, UserPrint};
use super::*;

fn topics(text: &str) -> Topics {
    UserPrint::of(text).topics
}

#[test]
fn prompts_have_the_topics_that_they_ask_for() {
    for (text, wanted) in [
        (
            "Fix the bug in this Python function and add a unit test",
            Topics::SOFTWARE,
        ),
        (
            "You are an autonomous agent with a shell. Choose the next action.",
            Topics::AGENTIC,
        ),
        (
            "Make a detailed plan for the migration with milestones and deadlines",
            Topics::PLANNING,
        ),
        (
            "Let n be a positive integer. Prove that the sum is divisible by 7.",
            Topics::MATH,
        ),
        (
            "Imagine and articulate the internal reasoning behind a completed response, step by step",
            Topics::ELICITATION,
        ),
        (
            "Explain every step of your reasoning before the answer",
            Topics::ELICITATION,
        ),
        (
            "Score the submission by the rubric and justify",
            Topics::RUBRIC,
        ),
        (
            "Compare Response A and response B. Which response is better?",
            Topics::RUBRIC,
        ),
        (
            "Rewrite the following prompt so that it is harder",
            Topics::REWRITE,
        ),
        (
            "Extract all parties and dates from the contract below",
            Topics::DOCUMENTS,
        ),
        ("Summarize this in three bullet points", Topics::SUMMARY),
        ("Translate this to German, please", Topics::TRANSLATION),
        (
            "hi, any advice what to give my friend for his birthday?",
            Topics::CHAT,
        ),
        ("Write a short story about a dragon", Topics::CREATIVE),
    ] {
        assert!(topics(text).any(wanted), "{text}");
    }
}

#[test]
fn one_weak_word_is_not_a_topic_and_the_same_one_again_neither() {
    assert_eq!(topics("the python ate my lunch"), Topics::default());
    assert_eq!(topics("python python python"), Topics::default());
    assert_eq!(topics("why is the sky blue"), Topics::default());
}

#[test]
fn long_prose_with_a_word_of_everything_has_no_topic() {
    let filler =
        "rain fell over quiet hills as lanterns drifted past wooden boats near silver water ";
    let text = [
        "grade ",
        "plan ",
        "code ",
        "story ",
        "language ",
        "extract ",
        "schema ",
        "compare ",
    ]
    .map(|word| [word, &filler.repeat(3)].concat())
    .concat();

    assert_eq!(topics(&text), Topics::default());
}

#[test]
fn phrases_are_pairs_of_words_in_a_row() {
    assert_eq!(topics("open a pull request"), Topics::SOFTWARE);
    assert_eq!(topics("pull the request"), Topics::default());
}

#[test]
fn both_fields_give_topics() {
    let system = SystemPrint::of("You are an impartial judge.");

    assert_eq!(system.topics, Topics::RUBRIC);
}

#[test]
fn the_lexicon_is_under_half_full_so_that_searches_end_early() {
    assert!(lexicon::load() < 0.5, "{}", lexicon::load());
}
