//! Patterns of instruction frames: what stays the same while slots change.
//!
//! Data collectors and ordinary programs use the same ones, so a frame by itself gives nobody away.

/// Openings that name a persona or none.
pub(super) const PERSONAS: &[&str] = &[
    "You are an expert {role} in {field}.",
    "You are a {tone} {role} who knows {field} and {field} well.",
    "Act as a senior {field} {role}.",
    "As a {field} {role}, you {verb} {np}s.",
    "Imagine you are a {role} with {n} years in {field}.",
    "Assume the role of {name}, a {adj} {field} {role}.",
    "Task for the {field} {role}:",
    "[Hello|Dear] {role},",
    "### Instruction",
    "[INSTRUCTION]",
    "Below is a {noun} that [describes|belongs to] a {noun}.",
    "Please [help|assist] {audience} with the following.",
    "{name} pipeline, stage {n}.",
];

/// What is to be done, by topic; `{+...}` changes from one request to the next.
pub(super) const TASKS: [&[&str]; 12] = [
    // software
    &[
        "Write a [complete|working|self-contained] {+lang} [program|module|function] that can {+verb} a {+np}[ and {verb} the {noun}|].",
        "Implement {+ident} in {+lang} [on top of|using|with] {tech}, so that it does not [break|fail] when the {+noun} is {+adj}.",
        "[Review|Inspect|Audit] the {+lang} code below for {quality} and {quality} [and propose a fix|, line by line|].",
        "[Explain|Describe] what this {+lang} {noun} does and [why|where] it {+flaw}.",
        "[Generate|Produce] {n} unit tests for a {+lang} {+noun} which must {+verb} a {+np}.",
        "[Refactor|Rewrite] the {+noun} in {+lang}; [keep|preserve] its {noun} and {verb} the {+noun}.",
    ],
    // agents
    &[
        "You control a {noun} with tools. Goal: {+verb} the {+np} and {+verb} a {+noun}. [List|Give] the tool calls in order.",
        "[Simulate|Play out] an agent that has to {+verb} a {+np} in {n} steps; [after each|per] step [state|give] thought, action, observation.",
        "[Choose|Select] the next action for the {+noun} agent, given that it {+flaw}.",
        "Write the [trajectory|run] of a {field} agent that {+verb}s {+np}s until the {+noun} {+flaw}.",
        "[Decompose|Split] \"{+verb} the {+np}\" into sub-tasks for {n} workers and a {noun}.",
    ],
    // planning
    &[
        "[Create|Draw up|Design] a plan with {n} milestones to {+verb} a {+np} in {+place}, [knowing|given] that {+why}.",
        "[Schedule|Arrange] {+n} {+noun}s for {audience} [without|avoiding] any {noun}; note: {+why}.",
        "[Estimate|Work out] time and cost to {+verb} the {+np} for {+n} {audience}.",
        "[Build|Give] a roadmap for a {+field} team that must {+verb} its {+noun} {+when}.",
        "[Find|Spot] the critical path: {+np}, {+np}, {+np}, {+np}.",
    ],
    // math
    &[
        "[Solve|Work on] the problem and [show|write down] every step: {+ask}",
        "[Prove|Refute]: a {+np} with {+n} {+noun}s has a {+adj} {+noun}. [State|Name] each lemma.",
        "[Generate|Invent] a [hard|contest-level|novel] question on the {+noun} of a {+np}, then [solve it|give a full solution].",
        "[Compute|Determine] the {+noun} of the {+np} for n = {+n} and [verify|check] the result [in another way|numerically].",
        "[Find the error|What is wrong] in this {noun} about {+noun}s: {+sentence}",
    ],
    // reasoning
    &[
        "[Think|Reason] [step by step|aloud] and [write out|show] [all of |]your reasoning before the final answer. Question: {+ask}",
        "[Imagine|Reconstruct] the [internal|hidden] reasoning behind this conclusion and articulate it in {n} steps: {+why}, so {+why}.",
        "[Answer|Decide] the question, [then|and] [list|name] {n} assumptions that could be wrong: {+ask}",
        "[Evaluate|Analyse] the argument: {+why}. {+why}. Therefore the {+np} {+flaw}.",
        "[Create|Compose] a logic puzzle with {+n} {+noun}s and a {+np}, its solution and [the|a] chain of deductions.",
    ],
    // grading
    &[
        "[Grade|Score] the answer below on {quality}, {quality} and {quality}, 1 to {n} each, [with a justification|and explain]. Topic: {+np}",
        "[Compare|Contrast] answer A and answer B on {quality}; [declare|name] a winner. A: {+sentence} B: {+sentence}",
        "[Write|Give] a rubric with {n} levels for a {+noun} on {+np}s.",
        "[Rank|Order] these by {quality}: {+np}; {+np}; {+np}.",
        "You are the judge. [Assess|Rate] the {+noun} of {+name}: {+sentence}",
    ],
    // rewriting
    &[
        "[Rewrite|Rephrase] the text for {audience} in a {tone} tone: {+sentence}",
        "[Produce|Generate] {n} [diverse|different] instructions like: {+ask}",
        "[Evolve|Complicate|Make harder] the prompt by adding a constraint on {noun}s: {+ask}",
        "[Create|Write] {n} paraphrases that keep the {noun}: {+sentence}",
        "[Turn|Convert] the {+noun} into a question and an answer: {+sentence}",
        "[Clean|Correct] spelling and {quality} of this {+noun}: {+sentence}",
    ],
    // documents
    &[
        "[Extract|Pull] {field_name}, {field_name} and {field_name} from the {noun}: {+sentence}",
        "[Answer|Reply] [only |]from the {noun} given. {+ask}",
        "[Does|Say whether] the {noun} [mention|mentions] a {+np}[?| and where.] {+sentence}",
        "[Classify|Label] the {noun} as {noun}, {noun} or {noun}: {+sentence}",
        "[List|Collect] all {noun}s with their {noun}: {+sentence} {+sentence}",
    ],
    // summary
    &[
        "[Summarise|Condense] the {noun} [into|in] {n} [sentences|bullets]: {+sentence}",
        "[Write|Give] a {tone} abstract of: {+sentence} {+sentence}",
        "[Note|List] decisions and open points: {+sentence}",
        "[Headline|Title] and {n} key points for {audience}: {+sentence}",
        "[Merge|Combine] both {noun}s into one summary: {+sentence} --- {+sentence}",
    ],
    // translation
    &[
        "Translate from {tongue} [to|into] {+tongue}, keep {noun}s: {+sentence}",
        "[Localise|Adapt] this {noun} for {+place}: {+sentence}",
        "[Check|Judge] the {+tongue} translation of \"{+np}\" for {quality}.",
        "[Give|Provide] {n} {+tongue} sentences with \"{+noun}\" and their translation.",
    ],
    // advice
    &[
        "[Advise|Counsel] a {+adj} {role} from {+place}: {+ask}",
        "[Write|Draft] a {tone} reply to this user: {+ask}",
        "[Role-play|Play] a {field} coach; the client says: {+why}. {+ask}",
        "[Suggest|Recommend] {n} {noun}s for someone who likes {+hobby} and {+hobby}.",
    ],
    // stories
    &[
        "[Write|Tell] a {n}{n} word story with a {+np}, a {+noun} and a {+noun} in {+place}.",
        "[Continue|Finish] the story in a {tone} style: {+sentence}",
        "[Create|Invent] a character: {+adj} {+noun}, likes {+hobby}, fears {+noun}s.",
        "[Compose|Write] a dialogue between a {+noun} and a {+noun} about {+np}s.",
    ],
];

/// Constraints by concept.
pub(super) const CONSTRAINTS: &[&[&str]] = &[
    &[
        "[Do not|Never] [use|mention] {noun}s.",
        "{noun}s are [not allowed|forbidden].",
    ],
    &[
        "[Constraint|Limit]: {+why}.",
        "[Assume|Suppose] that {+why}.",
    ],
    &[
        "[Show|Include|Write] [your|the full|all] [reasoning|chain of thought|thinking] [before|ahead of] the [answer|result].",
        "[Explain|Justify] [each|every] [step|choice|decision].",
    ],
    &[
        "[First|Begin by] [plan|outline], then [solve|write|execute], [finally|then] [verify|check].",
        "Three parts: plan, {noun}, verification.",
    ],
    &[
        "[Difficulty|Level]: {+n} of {n}{n}.",
        "[Make it|Aim for] {+adj} and {+adj}.",
    ],
    &[
        "[Consider|Cover] {n} edge cases[.| such as a {+adj} {noun}.]",
        "Edge cases: {+adj} {noun}, {+adj} {noun}.",
    ],
    &["[Be|Stay] {tone} and {tone}.", "Tone: {tone}."],
    &[
        "[Use|Write] [at most|about|no more than] {n}{n}{n} words.",
        "Length: {n}{n} [words|lines|tokens].",
    ],
    &[
        "[Domain|Area]: {+field}.",
        "[The|Our] {audience} work in {+field}.",
    ],
    &[
        "[Avoid|No] [repetition|filler|jargon|lists|apologies].",
        "[Skip|Leave out] the {noun} and any {noun}.",
    ],
    &[
        "[Give|Add] an example about {+hobby}.",
        "Example domain: {+hobby}.",
    ],
    &[
        "[Weigh|Trade off] {quality} [against|and] {quality}.",
        "{quality} [first|over {quality}].",
    ],
    &[
        "[State|Name|List] your assumptions.",
        "[Mark|Flag] what you [assume|guess].",
    ],
    &[
        "[It|The {noun}] must [work|hold] for a {np} too.",
        "Also [handle|consider] a {np}.",
    ],
    &[
        "[Audience|Readers]: {audience}[ in {place}|].",
        "Written for {audience}.",
    ],
    &[
        "[Cite|Quote] the {noun} [word for word|exactly].",
        "[Quotes|Citations] in brackets.",
    ],
];

/// How the answer is to look.
pub(super) const OUTPUTS: &[&str] = &[
    "[Output|Answer|Respond] [as|in] {format}.",
    "Return JSON with {field_name}, {field_name} and {field_name}.",
    "[End|Finish] with \"[Answer|Final answer|Result|Verdict]: ...\".",
    "Use the tags <{field_name}> and <{field_name}>.",
    "[Sections|Headings]: {noun}, {noun}, {noun}.",
    "Only the {noun}, no [explanation|preamble|comment].",
    "Format: [{field_name}] - [{field_name}]",
    "### Response",
    "{field_name}:",
];

/// What the frame is applied to.
pub(super) const INPUTS: &[&str] = &[
    "Input: {+ask}",
    "### Input\n{+ask}",
    "[Question|Task|Problem|Query|Item]: {+ask}",
    "Text:\n\"\"\"{+sentence} {+sentence}\"\"\"",
    "<{field_name}>{+sentence}</{field_name}>",
    "Code:\n```\n{+code}\n```",
    "{field_name}: {+np}\n{field_name}: {+np}\n{field_name}: {+noun}",
    "Here is the {noun}: {+sentence} {+ask}",
    "Subject: {+np}. Details: {+sentence}",
    "{+code}",
    "- {+np}\n- {+np}\n- {+np}",
    "Context: {+sentence} {+why}.",
    "Seed: {+name} {+field} {+n}",
];
