//! Patterns of what people ask, write and paste. Data only; [`super::grammar`] explains the notation.
pub(super) use super::frame_patterns::{CONSTRAINTS, INPUTS, OUTPUTS, PERSONAS, TASKS};
pub(super) use super::system_patterns::{CONTEXT, GUIDELINES, OPENINGS};

/// Lines of source code.
pub(super) const CODE: &[&str] = &[
    "def {ident}({noun}, {noun}):",
    "    return {ident}({noun})",
    "    if {noun} is None or {noun} > {n}:",
    "const {ident} = await {ident}({noun});",
    "fn {ident}(&self, {noun}: usize) -> Option<u32> {",
    "    self.{ident}.get({noun}).copied()",
    "for {noun} in {ident}({n}):",
    "    {ident}.append({noun}) # {np}",
    "SELECT {noun}, COUNT(*) FROM {noun} WHERE {noun} > {n} GROUP BY {noun};",
    "public static void {ident}(List<String> {noun}) {",
    "    System.out.println(\"{np}: \" + {ident});",
    "if err := {ident}(ctx, {noun}); err != nil {",
    "// {np}",
    "import {ident} from './{noun}'",
    "let mut {ident} = Vec::with_capacity({n});",
    "<div className=\"{noun}\">{np}</div>",
    "assert {ident}({n}) == {n}",
    "console.log('{noun}', {ident})",
    "Error: {ident} is not defined at line {n}",
    "  File \"{ident}.py\", line {n}, in {ident}",
    "{ident}: {np} ({n} ms)",
    "#include \"{noun}.h\"",
    "while ({noun} < {n}) { {ident}({noun}++); }",
    "    raise ValueError(f\"{np} {n}\")",
    "{noun},{noun},{n},{n}",
    "docker run -p {n}:{n} {noun}/{noun}",
];

/// Prose.
pub(super) const SENTENCES: &[&str] = &[
    "the {np} {verbed} the {np} {prep} the {noun}.",
    "{name} {verbed} {n} {noun}s {when}[, because {why}|, although {why}|].",
    "[most|some|few|many] {audience} {verb} the {np} {prep} {place}.",
    "{prep} the {np}, {name} {verbed} a {np}.",
    "in {place}, the {noun} was {verbed} {when}[ and the {np} followed|].",
    "a {np} [is not|is hardly|differs from|beats|turns into|looks like] a {np}[: {why}|, says {name}|].",
    "{person} {verbed} the {adj} {noun}, [but|and|so] {why}.",
    "the {noun} costs {n} [euros|dollars|pounds|a month], which {person} {verbed}.",
    "{name} and {name} {verb} {adj} {noun}s for {audience}.",
    "{why}, so the {np} {verbed} {when}.",
    "between {n} and {n} {audience} {verbed} the {noun} of {name}.",
    "[only|even|not even] the {np} {prep} the {np} {verbed} it.",
    "{when} the {np} of {place} {verbed} its {noun}.",
    "it {flaw} whenever the {np} is {adj}.",
    "the {noun}'s {adj} {noun} {verbed} {name} in {place}.",
    "[without a|no] {np}[ means|:| and] [there is no|nothing about the|no] {np}.",
];

/// Why something is as it is.
pub(super) const REASONS: &[&str] = &[
    "{reason}",
    "{reason}",
    "the {adj} {noun} is {adj}",
    "{name} {verbed} the {noun}",
    "[we have|there is|I see] no {adj} {noun}",
    "{n} {noun}s are {adj}",
    "{person} {verbed} [my|our|the] {noun}",
    "the {noun} and the {noun} are {adj}",
    "[nobody|only {name}] can {verb} the {noun}",
    "{audience} want a {np}",
    "[the|our] {thing} is {adj}",
    "{place} has no {noun}",
];

/// What something does that it should not.
pub(super) const FLAWS: &[&str] = &[
    "{fault}",
    "{fault}",
    "{fault}",
    "needs {n} {noun}s",
    "shows a {adj} {noun}",
    "loses the {np}",
    "looks {adj}",
    "[breaks|blocks|forgets] the {noun}",
    "{verbed} the {adj} {noun}",
    "stops at {n}",
    "wants a {noun}",
];

/// What people say around their question.
pub(super) const CONTEXT_SENTENCES: &[&str] = &[
    "{why}.",
    "[i tried|I've tried|already tried] a {np} [but|and|though] it {flaw}.",
    "it's for {person}.",
    "[we use|using|i'm on] {tech} and {tech}.",
    "{person} says {why}.",
    "[the thing is|problem is|note that|fyi] {why} and the {np} {flaw}.",
    "I live in {place} and work in {field}.",
    "[budget is|we have|there are] about {n} [euros|people|days|rows|hours].",
    "I'm a {role} in {field}, [not great with|new to|bored of] {noun}s.",
    "[last time|before that|originally] the {np} {verbed} the {noun}.",
    "it [has to|must|should|needs to] be ready {when}.",
    "the {adj} {noun} [worked|was fine] until {name} {verbed} it.",
    "[oh and|also|plus], {person} is into {hobby}.",
    "[ideally|if possible|preferably] with a {np}.",
    "no {np} [please|pls|thanks].",
    "it's a {adj} {thing} from {name}.",
    "[currently|right now|so far] I {verb} the {np} by hand.",
    "the {np} {flaw} {when}.",
    "[something like|e.g.|for example] a {np} or {np}.",
    "{name} ({place}) {verbed} our {np} {when}.",
    "{person} hates {hobby}, [sadly|so|haha].",
    "I {verbed} {n} {noun}s and only {n} are {adj}.",
];

/// How people close.
pub(super) const CLOSERS: &[&str] = &[
    "thanks!",
    "Thanks in advance.",
    "any ideas?",
    "what am I missing?",
    "please be {tone}.",
    "in {format} please",
    "Keep it {tone}.",
    "thx",
    "I need it {when}.",
    "explain like I'm {n}",
    "be honest",
    "no more than {n} words.",
    "(in {tongue} if you can)",
    "which one would you pick?",
    "Is that normal?",
    "cheers",
    "just the code",
    "sources?",
];

/// Short things people say to begin with.
pub(super) const OPENERS: &[&str] = &[
    "hi",
    "hey,",
    "Hello!",
    "quick question:",
    "ok so",
    "Good morning.",
    "hi there,",
    "so",
    "Dear AI,",
    "yo",
    "help",
    "question about {noun}s:",
    "{name} here.",
    "sorry if this is dumb but",
    "continuing from {when}:",
    "random one:",
    "hmm",
];

/// What is asked, by topic.
pub(super) const ASKS: [&[&str]; 12] = [
    // software
    &[
        "[why does|how come|any idea why] my {lang} {np} {flaw}[?| when I {verb} the {noun}?]",
        "[write|give me|I need] a {lang} {noun} that [can {verb}|{verb}s] a {np}[ and a {noun}|, no {noun}|].",
        "[how do I|how to|what's the way to] {verb} a {np} in {tech}[?| without the {noun}?]",
        "{tech} or {tech} for a {np}?",
        "[review|check|look over] this {lang} {noun}: it should {verb} the {np} but {flaw}.",
        "[convert|port|translate] this {noun} from {lang} to {lang}[.|, keep the {noun}.]",
        "unit tests for {ident} [please|in {lang}|with a {noun} mock].",
        "my {tech} {noun} throws \"{np} {n}\" [since I {verbed} the {noun}|{when}|on {place} time].",
        "[explain|what is] {ident} [in|from] {tech}[?| like the {noun} is {adj}.]",
        "implement a {adj} {noun} in {lang}[ with {n} {noun}s| using a {noun}|].",
        "{ident} vs {ident} in {lang}, [difference?|when to use which?|which is faster?]",
    ],
    // agents
    &[
        "[open|check|go to] the {np} and {verb} every {noun}[ from {place}|].",
        "[build|design|set up] an agent that can {verb} a {np} and then {verb} the {noun}.",
        "{verb} the {np}, then {verb} the {noun}, [tell me|report] when the {noun} {flaw}.",
        "[which|what] tools does a {adj} {noun} need to {verb} a {np}?",
        "find all {adj} {noun}s {when} and {verb} them [one by one|in {format}].",
        "my {noun} agent {flaw}, [how should it|what's the way to] {verb} the {np}?",
        "use the {noun} to {verb} the {np} of {name}.",
        "the {np} needs a {noun} for {audience}; {verb} it and keep the {noun}.",
    ],
    // planning
    &[
        "[plan|help me plan|sketch] a {n} day {noun} in {place} for {person}.",
        "[make|draft|I need] a {adj} {noun} plan for {n} {audience} [with|without] a {np}.",
        "how [long|much] does it take to {verb} a {np} if {why}?",
        "we want to {verb} the {np} {when}: [milestones?|what comes first?|what can go wrong?]",
        "[break down|split] the {np} into {n} steps for a {field} team.",
        "what should I {verb} first, the {np} or the {np}?",
        "weekly {noun} for {hobby} and {hobby}, {n} hours [max|total|a day].",
        "{person} and I {verb} a {thing} {when}, what's the {noun}?",
    ],
    // math
    &[
        "[find|compute|what is] the {noun} of a {np} with {n} {noun}s.",
        "[prove|show] that every {np} has a {adj} {noun}[.| if n > {n}.]",
        "{verb} x^{n} + {n}x = {n}[.| for real x.| mod {n}.]",
        "how many {np}s [are there|exist] with {n} {noun}s and no {noun}?",
        "if a {noun} has {n} {adj} {noun}s, what is the {noun} of the {noun}?",
        "[why is|is] the {np} of a {noun} [always |]{adj}?",
        "{n} {audience} draw from {n} {noun}s, [odds|chance|probability] that {n} match?",
        "{verb} the {np} [between|from] {n} [and|to] {n}.",
    ],
    // reasoning
    &[
        "[if|suppose] {why} and {why}, [does it follow that|can we say] {name} {verbed} the {noun}?",
        "{n} {audience} and a {np}: who {verbed} the {noun} if {name} lies?",
        "[what's wrong with|is there a hole in] this {noun}: {why}, therefore the {np} {flaw}.",
        "[settle this|who is right]: {person} says {why}, I say the {np} {flaw}.",
        "[why would|would] a {adj} {noun} {verbed} a {noun} [?|if {why}?]",
        "{name}, {name} and {name} each own a {adj} {noun}, [who has|find] the {noun}?",
        "give me a {noun} about a {np}[ with {n} {noun}s|].",
        "what [follows from|explains] a {np} {prep} a {np}?",
    ],
    // grading
    &[
        "[grade|mark|rate] this {noun} from 1 to {n} for {quality} and {quality}.",
        "which {noun} is better, the {adj} one or the {adj} one? [judge on|look at] {quality}.",
        "[is|was] my {np} good enough for a {field} {noun}?",
        "[give|I want] feedback on a {np} about {hobby} by {person}.",
        "make a rubric for a {adj} {noun} on {noun}s, {n} points[ each|].",
        "{verb} {n} {noun}s by {quality}[: the first one {flaw}|, tell me why].",
        "would this {np} pass in {place}? it {verbed} the {noun}.",
    ],
    // rewriting
    &[
        "[rewrite|redo|fix] this {noun} so it sounds {tone}[ for {audience}|]: {sentence}",
        "[make|can you make] this {adj} {noun} shorter: {sentence}",
        "{n} {adj} variations of \"{np} {prep} the {noun}\"",
        "[correct|check] my {noun} to {person}: {sentence}",
        "turn these notes into a {tone} {noun}: {np}, {np}, {why}.",
        "[reply|answer] to {person} about the {np}, {tone} [tone|but firm].",
        "a {noun} for my {field} [shop|site|profile], {tone}, mention {place}.",
    ],
    // documents
    &[
        "[what does|where does] the {noun} say about the {np}? {sentence}",
        "[extract|pull out|list] every {noun} and {noun} from this {noun}: {sentence}",
        "is there a {np} in [this|the] {noun} from {name}? {sentence}",
        "{sentence} [who signed it?|what is the {noun}?|how much is the {noun}?]",
        "compare the {noun} of {name} with the {noun} of {name}: {sentence}",
        "[when|by when] must the {np} be {verbed}? {sentence}",
        "find the {noun} number: {name} {n} {place} {n}, {sentence}",
    ],
    // summary
    &[
        "[summarise|tl;dr|sum up] this {noun}: {sentence}",
        "main points of the {np} by {name}?",
        "[what happened|what was decided] in the {np}? {sentence}",
        "[summary|overview] of {field} {noun}s in {n} [bullets|lines|words].",
        "{sentence} [shorten that.|key takeaways?|in one line.]",
        "recap the {noun} for {person} who missed the {noun}.",
        "what is \"{name} and the {noun}\" about?",
    ],
    // translation
    &[
        "[translate|put|how do you say] \"{np} {prep} the {noun}\" [to|into|in] {tongue}",
        "{tongue} for \"{why}\"?",
        "[is|would] this {tongue} {noun} [natural|polite|correct]: {name} {name} {name}?",
        "translate for {person}, {tone}: {sentence}",
        "what does the {tongue} {noun} on my {thing} mean?",
        "[difference|which is better] between {noun} and {noun} in {tongue}?",
        "subtitle this into {tongue}: {sentence}",
    ],
    // advice
    &[
        "[should I|is it ok to] {verb} my {noun} if {why}?",
        "how do I {verb} a {np} [with|without] {person}?",
        "[best|cheapest|any good] {noun} for {hobby} in {place}?",
        "my {thing} {flaw}, {verb} or {verb} it?",
        "{person} wants to {verb} the {noun}, [what do I say|help|is that weird]?",
        "[ideas|tips] for a {adj} {noun} {when}, {n} [people|guests|euros].",
        "is {n} [a lot|too much|enough] for a {np}?",
        "what to {verb} with {n} {noun}s and a {adj} {thing}?",
        "I {verbed} my {noun} and now the {np} [hurts|is gone|smells]. [normal?|what now?]",
    ],
    // stories
    &[
        "[write|tell me] a {adj} story about a {noun} and a {noun} in {place}.",
        "[poem|haiku|limerick] about {person}'s {thing} and {hobby}.",
        "names for a {adj} {noun} who {verbed} a {noun}.",
        "continue: \"{name} {verbed} the {np} {prep} the {noun}.\"",
        "[what if|imagine] the {noun} {verbed} the {np}? write the {noun}.",
        "a bedtime story for {person} with a {np}, a {noun} and {hobby}.",
        "{n} plot twists for a {field} novel [where|in which] the {noun} lies.",
        "describe a {np} {prep} a {np} [at dawn|in winter|without colours].",
    ],
];

#[cfg(test)]
pub(super) fn all() -> Vec<&'static str> {
    let mut all = [
        CODE,
        SENTENCES,
        CONTEXT_SENTENCES,
        CLOSERS,
        OPENERS,
        REASONS,
        FLAWS,
    ]
    .concat();
    all.extend(ASKS.iter().flat_map(|asks| asks.iter()));
    all.extend(TASKS.iter().flat_map(|tasks| tasks.iter()));
    all.extend([CONSTRAINTS, GUIDELINES].concat().into_iter().flatten());
    all.extend([INPUTS, OUTPUTS, PERSONAS, CONTEXT, OPENINGS].concat());
    all
}
