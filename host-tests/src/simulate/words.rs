//! Text of our own for simulations without corpora: sentence patterns with slots.
//!
//! `{slot}` is replaced by one of its words. Data only; [`super::text`] does the filling.

/// The words of each slot.
pub(super) const SLOTS: &[(&str, &[&str])] = &[
    ("lang", &["Python", "Rust", "Go", "TypeScript", "Java", "C++", "Kotlin", "Ruby", "SQL", "Bash", "Swift", "Scala"]),
    ("thing", &["parser", "queue", "cache", "scheduler", "web scraper", "rate limiter", "log viewer", "invoice form", "search index", "chat widget", "backup script", "state machine", "priority list", "image gallery", "unit converter", "calendar"]),
    ("data", &["a CSV file", "a list of orders", "sensor readings", "a directed graph", "customer emails", "JSON records", "a binary tree", "chess positions", "weather reports", "bus timetables", "a log file", "bank transfers", "song lyrics"]),
    ("topic", &["photosynthesis", "compound interest", "the French Revolution", "sourdough", "tides", "vaccines", "plate tectonics", "jazz harmony", "supply and demand", "the immune system", "sleep", "glaciers", "inflation", "bee colonies", "tax brackets", "medieval trade", "solar panels", "black holes"]),
    ("person", &["my manager", "a new neighbour", "a ten-year-old", "our landlord", "my grandmother", "a hiring committee", "the school board", "an angry customer", "my flatmate", "a first-year student"]),
    ("place", &["Lisbon", "Osaka", "Nairobi", "Tromsø", "Córdoba", "Hanoi", "Quebec", "Tbilisi", "Cape Town", "Zürich", "Oaxaca", "Riga"]),
    ("tone", &["politely", "in plain words", "in two paragraphs", "as a table", "with an example", "step by step", "in a friendly tone", "without jargon", "as bullet points", "in under 200 words", "with numbers"]),
    ("flaw", &["fails on empty input", "is slow for large files", "loses the last element", "prints the wrong total", "hangs after a minute", "mixes up time zones", "crashes on Windows", "returns null sometimes", "leaks memory"]),
    ("goal", &["reduce waiting times", "cut the energy bill", "move to a new office", "launch a newsletter", "migrate a database", "learn to swim", "plan a wedding", "open a small bakery", "train for a marathon", "split a monolith into services", "renovate a kitchen"]),
    ("n", &["3", "4", "5", "6", "7", "8", "10", "12", "15", "20"]),
    ("field", &["operations research", "compiler construction", "distributed systems", "organic chemistry", "contract law", "robotics", "statistics", "logistics", "network security", "bioinformatics", "game theory", "control theory"]),
    ("task", &["scheduling deliveries", "merging two branches", "proving termination", "estimating demand", "finding a race condition", "balancing load", "designing an index", "choosing a data layout", "recovering from a partial failure", "migrating without downtime", "testing a state machine", "compressing a trace"]),
    ("limit", &["memory is scarce", "two services disagree", "the budget is fixed", "inputs arrive out of order", "no downtime is allowed", "the tests are flaky", "half of the data is missing", "the deadline is tomorrow", "users may not be identified"]),
    ("file", &["src/main.rs", "lib/parser.py", "app/models.ts", "cmd/server.go", "core/queue.rs", "tests/test_api.py", "web/index.tsx", "pkg/store/store.go", "src/ledger.rs", "scripts/deploy.sh"]),
    ("name", &["total", "items", "cursor", "window", "buffer", "result", "config", "index", "batch", "client", "offset", "limit"]),
    ("verb", &["loads", "counts", "merges", "filters", "sorts", "writes", "checks", "groups", "splits", "retries"]),
];

/// What ordinary users type.
pub(super) const ORGANIC: &[&str] = &[
    "Explain {topic} to {person} {tone}.",
    "What is the best way to {goal} in {place}? I have {n} weeks.",
    "Write a short message to {person} about {topic}. Keep it warm.",
    "My {lang} {thing} {flaw}. It reads {data} and then {verb} the {name}. What should I check first?",
    "Give me {n} ideas to {goal}, {tone}.",
    "Translate the menu of a small place in {place} and tell me which {n} dishes I should try.",
    "How does {topic} relate to {topic}? Answer {tone}.",
    "Can you review this {lang} function? It {verb} {data} but it {flaw}.",
    "Plan a trip to {place} for {n} days. {person} comes along and we like {topic}.",
    "Summarise what I need to know about {topic} before I meet {person}.",
    "I want to {goal}. {person} says it is impossible because {limit}. Who is right?",
    "Write a poem about {place} and {topic}.",
    "What does this error mean when my {thing} {verb} {data}? It {flaw} since yesterday.",
    "Compare {lang} and {lang} for a {thing} that {verb} {data}.",
    "Make a quiz of {n} questions on {topic} for {person}.",
    "hey, quick one: how do i {goal} if {limit}?",
    "Draft an agenda for {n} people who want to {goal}. Put {topic} last.",
    "Rewrite this so that {person} understands it: {topic} matters because {limit}.",
];

/// Instructions in the manner of people who collect training data.
pub(super) const EXTRACTION: &[&str] = &[
    "You are an expert in {field}. Solve the following problem and show every step of your reasoning before the answer. Problem: {task} where {limit}, given {data} and a {thing} in {lang} with {n} workers.",
    "Act as a senior engineer. Write a complete {lang} program for {task} over {data}. First plan, then implement, then verify against {n} edge cases. Constraint: {limit}.",
    "Generate a difficult question about {task} in {field}, then a full chain of thought, then a final answer that a grader could check. Difficulty: {n} of 20. Context: {limit}.",
    "Here is a task for an autonomous agent: {task} for a {thing} that {verb} {data}. List the tools it needs, the plan with {n} milestones, and what to do when {limit}.",
    "Rate the following answer about {task} on a scale of 1 to {n} and justify each point with the rubric of {field}. The answer claims that {limit} does not matter for {data}.",
    "Decompose into sub-tasks: {task} using {lang} in a repository whose {file} {verb} {data} while {limit}. For each sub-task write the reasoning, the code and {n} tests.",
];

/// What applications put before the user's words.
pub(super) const SYSTEM: &[&str] = &[
    "You are a helpful assistant. Answer {tone}.",
    "You help customers of a shop in {place}. Never promise refunds. Answer {tone}.",
    "You are a coding assistant inside an editor. The project is written in {lang}. Read files before you change them, run the tests after you changed them, and stop when they pass. Prefer small changes. Never invent a function that you have not seen.",
    "You are a tutor for {field}. Ask one question at a time and answer {tone}.",
    "Classify the text by topic. Topics: {topic}, {topic}, {topic}, other. Reply with JSON only.",
    "You write release notes from commits, {tone}.",
];

/// Sentences of answers.
pub(super) const ANSWERS: &[&str] = &[
    "The short answer is that {limit}, so start with {topic}.",
    "First look at `{name}` in {file}; it {verb} {data} before anything else happens.",
    "There are {n} reasons for this, and most people only think of {topic}.",
    "You could {goal} in {place} without spending more than planned.",
    "In {lang} the usual way is a {thing} that {verb} the {name}.",
    "This works because {task} does not depend on {data}.",
    "Check whether it still {flaw} once the {name} is empty.",
    "Think of {topic} as a {thing}: what comes in must go out.",
    "I would tell {person} the same, only {tone}.",
    "A good next step is {task}, even if {limit}.",
    "To be safe, keep {n} copies and test each of them in {place}.",
    "That is different in {field}, where \"{name}\" means something else.",
];

/// Lines of files and tool output.
pub(super) const CODE: &[&str] = &[
    "fn {name}(&self) -> usize { self.{name}.len() + {n} }",
    "    if {name} > {n} { return Err(\"{limit}\".into()); }",
    "def {name}({name}, {name}):\n    \"\"\"{verb} {data}.\"\"\"\n    return {name}[{n}:]",
    "test {name}::{verb}_{name} ... ok",
    "error: {name} not found in {file} at line {n}",
    "for (const {name} of {name}s) {\n  {name}.push({n});\n}",
    "SELECT {name}, COUNT(*) FROM {name}s GROUP BY {name} LIMIT {n};",
    "# {task}: {limit}",
    "{file}:{n}: {name} = {name}.{verb}({name})",
    "\treturn {name}, fmt.Errorf(\"{name}: %w\", err) // {limit}",
];
