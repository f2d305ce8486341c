//! Do prints find texts of one origin, and only those?
//!
//! Made-up templates with slots filled and words changed, against made-up prompts that have nothing in
//! common. `cargo test -p weir-engine --test prints -- --nocapture` shows the table.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use weir_engine::detect::{FieldPrint, Printer, PromptPrint, SystemPrint, UserPrint, tools_hash};
use weir_engine::endpoint::Endpoint;
use weir_engine::facts;

/// Templates as a pipeline would have them; `{}` is a slot.
const TEMPLATES: [&str; 8] = [
    "You will be shown a coding task. Work out a complete solution and, before the final answer, set down every step of your reasoning in numbered form.\n\nTask: {}\n\nWrite the reasoning first, then the solution between two markers.",
    "Below is an answer that another model gave to a user. Imagine and articulate the internal reasoning behind the completed response.\n\n### Answer\n{}\n\n### Instructions\nDo not mention that the answer was given to you. Think in the first person.",
    "{}\n\nSolve the problem above as a senior engineer would: list the files you would touch, the tests you would write first and the risks of each change.",
    "Grade the following submission by the rubric. Correctness counts 5 points, clarity 3 and style 2. Submission: {} Give the three scores as JSON and one sentence of justification for each.",
    "Act as an agent with a shell and a browser. Goal: {}. Plan at least eight actions, and for each name the tool, its arguments and what you expect to observe.",
    "Rewrite this instruction so that it becomes harder while a person can still answer it; add one more constraint or replace a general idea by a specific one. Instruction: {} Rewritten instruction:",
    "Please prove or disprove the claim and show all intermediate steps without skipping algebra. Claim: {}\nEnd with QED or with a counterexample, never with both.",
    "Given the repository summary {} propose a migration plan over twelve weeks with milestones, owners and a rollback for every phase; assume that nobody may be paged at night.",
];

/// Beginnings of prompts that people write for themselves.
const OPENINGS: [&str; 24] = [
    "can you help me with",
    "hi, i need",
    "what is the best way to",
    "i have been trying to",
    "explain",
    "why does my",
    "write a short note about",
    "my teacher asked us about",
    "is it normal that",
    "give me ideas for",
    "how would you say",
    "fix this:",
    "what happens when",
    "could you check",
    "translate to spanish:",
    "make a table of",
    "i'm planning",
    "list ten",
    "we are a small company and",
    "compare",
    "in plain words,",
    "who was",
    "draft an email about",
    "what do you think of",
];

const SYLLABLES: [&str; 40] = [
    "ba", "cor", "den", "el", "fi", "gan", "hol", "in", "ja", "ker", "lo", "mar", "ne", "or",
    "pel", "qui", "ra", "sto", "tur", "ul", "ven", "wi", "xan", "yor", "zim", "ate", "bri", "cla",
    "dro", "est", "fla", "gri", "hy", "ith", "kno", "lum", "mon", "nor", "ost", "pra",
];

/// Little words, as they make up half of any text.
const LITTLE: [&str; 30] = [
    "the", "of", "and", "to", "a", "in", "is", "it", "that", "for", "with", "as", "on", "was",
    "be", "at", "by", "not", "are", "from", "or", "an", "this", "which", "but", "we", "they",
    "have", "has", "will",
];

struct Words(u64);

impl Words {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// One of about 1,600 words of content, or a little one.
    fn one(&mut self) -> String {
        if self.below(100) < 45 {
            return LITTLE[self.below(LITTLE.len())].to_owned();
        }
        format!("{}{}", SYLLABLES[self.below(40)], SYLLABLES[self.below(40)])
    }

    fn prose(&mut self, words: usize) -> String {
        let mut text = String::new();
        for nth in 0..words {
            text.push_str(&self.one());
            text.push_str(if nth % 11 == 10 { ". " } else { " " });
        }
        text
    }

    fn prompt(&mut self, template: &str, slot: usize) -> String {
        let slot = self.prose(slot);
        template.replace("{}", slot.trim_end())
    }

    /// `percent` of the words replaced.
    fn changed(&mut self, template: &str, percent: usize) -> String {
        let words: Vec<String> = template
            .split(' ')
            .map(|word| {
                if word.contains("{}") || self.below(100) >= percent {
                    word.to_owned()
                } else {
                    self.one()
                }
            })
            .collect();
        words.join(" ")
    }
}

fn shared(a: &FieldPrint, b: &FieldPrint) -> usize {
    let kept = |print: &FieldPrint| print.shingles[..usize::from(print.len)].to_vec();
    let b = kept(b);
    kept(a).iter().filter(|shingle| b.contains(shingle)).count()
}

/// Share of pairs that share `least` shingles or more.
fn pairs(prints: &[FieldPrint], least: usize) -> f64 {
    let (mut hits, mut all) = (0_u32, 0_u32);
    for (at, a) in prints.iter().enumerate() {
        for b in &prints[at + 1..] {
            hits += u32::from(shared(a, b) >= least);
            all += 1;
        }
    }
    f64::from(hits) / f64::from(all)
}

/// The mean over templates of the share of pairs that are found, `text` giving each prompt.
fn found(mut text: impl FnMut(&mut Words, &str) -> String) -> f64 {
    let mut words = Words(7);
    let shares = TEMPLATES.map(|template| {
        let prints: Vec<FieldPrint> = (0..60)
            .map(|_| UserPrint::of(&text(&mut words, template)).field)
            .collect();
        pairs(&prints, 2)
    });
    shares.iter().sum::<f64>() / 8.0
}

#[test]
fn texts_of_one_template_are_found_and_unrelated_ones_are_not() {
    let mut table = vec![];
    for slot in [3, 12, 40, 120, 300, 1000] {
        table.push((
            format!("L0: slot of {slot} words"),
            found(|words, template| words.prompt(template, slot)),
        ));
    }
    for percent in [15, 40] {
        for slot in [12, 120] {
            // Fifty variants of a template, each used again and again.
            let variant = found(|words, template| {
                let nth = words.below(50) as u64;
                let template = Words(nth * 977 + 13).changed(template, percent);
                words.prompt(&template, slot)
            });
            table.push((
                format!("L1: {percent} % of words, 50 variants, slot {slot}"),
                variant,
            ));
            let unique = found(|words, template| {
                let template = words.changed(template, percent);
                words.prompt(&template, slot)
            });
            table.push((
                format!("L2: {percent} % of words, each anew, slot {slot}"),
                unique,
            ));
        }
    }
    let mut words = Words(99);
    let organic: Vec<(usize, FieldPrint)> = (0..1500)
        .map(|_| {
            let opening = words.below(OPENINGS.len());
            let len = 4 + words.below(8) * words.below(40);
            let text = format!("{} {}", OPENINGS[opening], words.prose(len));
            (opening, UserPrint::of(&text).field)
        })
        .collect();
    // People who begin with the same five words do share those; the rest should share nothing.
    let (mut all, mut any, mut two) = (0_u32, 0_u32, 0_u32);
    for (at, (opening, print)) in organic.iter().enumerate() {
        for (_, other) in organic[at + 1..]
            .iter()
            .filter(|(other, _)| other != opening)
        {
            let shared = shared(print, other);
            all += 1;
            any += u32::from(shared >= 1);
            two += u32::from(shared >= 2);
        }
    }
    let (any, two) = (
        f64::from(any) / f64::from(all),
        f64::from(two) / f64::from(all),
    );
    let crossed = {
        let prints = TEMPLATES.map(|template| UserPrint::of(&words.prompt(template, 40)).field);
        pairs(&prints, 1)
    };
    for (name, share) in &table {
        println!("{name:<48} {share:.3}");
    }
    println!("{:<48} {any:.6}", "unrelated: any shingle");
    println!("{:<48} {two:.6}", "unrelated: two shingles");
    println!("{:<48} {crossed:.6}", "different templates: any shingle");

    let share = |name: &str| {
        table
            .iter()
            .find(|(row, _)| row.starts_with(name))
            .unwrap()
            .1
    };
    assert!(share("L0: slot of 3 ") > 0.99 && share("L0: slot of 1000") > 0.9);
    assert!(share("L1: 15 %") > 0.8 && share("L2: 15 %") > 0.8);
    assert!(any < 0.002 && two < 0.0001 && crossed < 0.04);
}

#[test]
fn a_body_read_by_the_printer_prints_what_its_texts_print() {
    let body = br#"{"model":"m","tools":[{"type":"function","function":{"name":"write"}},{"function":{"name":"read"}}],"messages":[
        {"role":"system","content":"Be a careful\nengineer."},{"role":"developer","content":[{"type":"text","text":"No "},{"type":"text","text":"jokes."}]},
        {"content":"Fix \"this\" \u0062ug in the parser please","role":"user"},{"role":"assistant","content":"done"},{"role":"user","content":"thanks"}]}"#;
    let mut printer = Printer::new();

    facts::read(Endpoint::OpenAiChat, body, false, &mut printer).unwrap();

    let wanted = PromptPrint::compose(
        SystemPrint::of("Be a careful\nengineer.\nNo jokes."),
        UserPrint::of("Fix \"this\" bug in the parser please"),
        tools_hash(["read", "write"]),
    );
    assert_eq!(printer.finish(), wanted);
}
