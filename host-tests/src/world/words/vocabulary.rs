//! Word lists, the commonest first. Data only; entries are separated by a comma and a space.

/// Index of `adj` in [`LISTS`].
pub(super) const ADJECTIVES: usize = 0;

/// Lists that patterns name.
pub(super) const LISTS: [(&str, &str); 20] = [
    (
        "adj",
        "new, small, old, simple, long, main, slow, large, local, missing, broken, whole, second, weekly, public, short, internal, \
        shared, single, quiet, custom, external, annual, early, hidden, final, noisy, spare, legacy, empty, partial, nested, remote, \
        regional, secondary, cheap, heavy, basic, daily, urgent, informal, stale, narrow, generic, rough, seasonal, complete, damaged, \
        portable, mixed, modern, optional, brittle, temporary, detailed, reliable, ordinary, pending, colourful, rural, urban, dense, \
        sparse, gentle, ambitious, redundant, verbose, awkward, verified, unverified, wooden, metallic, digital, printed, handwritten, \
        fragile, dynamic, static, sturdy, ancient, foreign, domestic, coastal, northern, southern, private, municipal, academic, \
        commercial, clinical, industrial, agricultural, circular, parallel, sequential, nominal, bitter, salty, smoky, crisp, pale, \
        crowded, deserted, humid, frozen, muddy, glossy, matte, wireless, rotating, folding, inflatable, reversible, adjustable",
    ),
    (
        "lang",
        "Python, JavaScript, TypeScript, Java, Go, Rust, C++, C#, SQL, PHP, Kotlin, Swift, Ruby, Bash, Scala, R, Dart, Elixir, Haskell, \
        Lua, Julia, Perl, C, Zig, OCaml, Clojure, F#, MATLAB, Erlang, Fortran, COBOL, Groovy",
    ),
    (
        "tech",
        "React, Postgres, Docker, Django, Spring Boot, Kubernetes, Redis, FastAPI, Node, pandas, Next.js, Terraform, MongoDB, Kafka, \
        Vue, Flask, Rails, Laravel, Angular, SQLite, Elasticsearch, NumPy, Android, Svelte, Nginx, RabbitMQ, GraphQL, gRPC, Tailwind, \
        PyTorch, Spark, Airflow, Ansible, Prometheus, Grafana, Unity, Electron, Flutter, SwiftUI, Tokio, Celery, Webpack, Vite, Jest, \
        Cypress, DuckDB, ClickHouse, Snowflake, dbt, Hibernate, Qt, OpenGL, WebSockets, OAuth, Arduino, systemd",
    ),
    (
        "place",
        "Lisbon, Osaka, Toronto, Nairobi, Berlin, Leeds, Chicago, Valencia, Tromsø, Melbourne, Córdoba, Hanoi, Quebec, Tbilisi, Cape Town, \
        Zürich, Oaxaca, Riga, Porto, Bologna, Ghent, Kraków, Austin, Denver, Pune, Chennai, Accra, Lagos, Cairo, Tallinn, Bergen, Graz, \
        Lyon, Nantes, Bilbao, Seville, Cork, Cardiff, Aberdeen, Halifax, Calgary, Boise, Tucson, Memphis, Montevideo, Rosario, Cusco, \
        Medellín, Santiago, Recife, Da Nang, Cebu, Penang, Busan, Sapporo, Taipei, Almaty, Izmir, Split, Ljubljana, Varna, Cluj, Lviv",
    ),
    (
        "person",
        "my manager, my son, my landlord, a friend, our teacher, my sister, a customer, my flatmate, our accountant, a neighbour, my boss, \
        the new intern, my grandmother, a colleague, our tenant, the school board, my cousin, the caretaker, our supplier, my coach, \
        the hiring team, the bank clerk, my dentist, a first-year student, the editor, my father in law, the project lead, our vet, \
        a recruiter, the referee, my tutor, the plumber, the committee, my best man, the night shift, an old classmate, the curator",
    ),
    (
        "audience",
        "customers, readers, our team, beginners, students, clients, patients, managers, parents, engineers, new hires, visitors, members, \
        investors, tenants, farmers, teachers, drivers, auditors, volunteers, subscribers, shoppers, retirees, nurses, analysts, pilots, \
        moderators, translators, researchers, citizens, contractors, dealers, librarians, hobbyists, buyers, operators",
    ),
    (
        "tone",
        "friendly, concise, professional, warm, neutral, formal, plain, calm, casual, encouraging, patient, direct, polite, playful, dry, \
        upbeat, measured, matter-of-fact, respectful, sober, cheerful, modest, confident, humorous, gentle, brisk, diplomatic, academic",
    ),
    (
        "format",
        "JSON, Markdown, a table, bullet points, plain text, a numbered list, YAML, CSV, HTML, one paragraph, XML, a short list, LaTeX, \
        two sentences, headings with short paragraphs, an ordered outline, key-value pairs, a single line, a checklist",
    ),
    (
        "quality",
        "accuracy, clarity, brevity, completeness, correctness, readability, consistency, usefulness, tone, relevance, originality, depth, \
        structure, fairness, safety, precision, style, grammar, coherence, evidence, feasibility, cost, simplicity, speed, robustness",
    ),
    (
        "tongue",
        "Spanish, French, German, Japanese, Portuguese, Italian, Chinese, Korean, Dutch, Polish, Arabic, Turkish, Swedish, Hindi, Czech, \
        Greek, Danish, Vietnamese, Finnish, Thai, Romanian, Hungarian, Ukrainian, Indonesian, Hebrew, Catalan, Swahili, Icelandic",
    ),
    (
        "field",
        "retail, logistics, insurance, healthcare, real estate, accounting, tourism, education, farming, banking, gaming, publishing, \
        recruiting, manufacturing, telecoms, law, energy, construction, fitness, veterinary care, music, fashion, aviation, shipping, \
        museums, charity work, water supply, chemistry, robotics, statistics, bioinformatics, network security, control theory, \
        operations research, compilers, linguistics, economics, astronomy, geology, philosophy, psychology, sports coaching, catering, \
        waste management, public transport, wine making, archaeology, journalism, dentistry, forestry, fisheries, textiles",
    ),
    (
        "role",
        "assistant, expert, specialist, advisor, engineer, analyst, tutor, editor, agent, consultant, reviewer, planner, writer, coach, \
        researcher, guide, architect, developer, support agent, concierge, mentor, strategist, examiner, auditor, translator, curator",
    ),
    (
        "when",
        "today, this week, yesterday, by Friday, next month, last night, since Monday, tomorrow, this morning, over the weekend, before lunch, \
        in March, after the update, every night, since the move, at the end of the quarter, during the holidays, within two days",
    ),
    (
        "reason",
        "the budget is fixed, memory is limited, half of the data is missing, nobody owns it, the deadline moved, it rains a lot, \
        the tests are flaky, inputs arrive late, two people disagree, the licence ran out, we only have one car, the room is small, \
        the client is picky, no downtime is allowed, the vendor went quiet, it has to work offline, the old one broke, prices went up, \
        the rules changed, the sensors drift, our accountant is away, users share logins, the kids are bored, parts are scarce, \
        the battery dies, the network drops, the manual is lost, the paint is wet, the map is outdated, we lost the keys, \
        the venue was double booked, the neighbours complain, my knee hurts, the oven runs hot, the lease ends soon",
    ),
    (
        "fault",
        "fails on empty input, is slow on big files, loses the last row, prints the wrong total, hangs after a minute, mixes up time zones, \
        crashes on Windows, returns null sometimes, leaks memory, ignores the flag, skips duplicates, times out, shows old values, \
        breaks on umlauts, rounds the wrong way, deadlocks under load, double counts, drops the header, never retries, sorts backwards, \
        overflows on large ids, forgets the session, flickers, parses dates as text, swallows errors, sends everything twice",
    ),
    (
        "hobby",
        "gardening, chess, baking, hiking, photography, knitting, cycling, fishing, pottery, climbing, sailing, birdwatching, karaoke, \
        woodwork, badminton, astronomy, calligraphy, running, board games, swimming, genealogy, jazz, model trains, origami, beekeeping",
    ),
    (
        "field_name",
        "name, title, summary, score, category, answer, reason, date, label, confidence, language, sentiment, amount, email, priority, \
        steps, tags, id, rationale, verdict, source, entities, notes, status, quote, currency, address, quantity, owner, keywords",
    ),
    (
        "thing",
        "phone bill, garden, kitchen, bike, laptop, car, wedding, dog, cat, flat, essay, CV, boiler, passport, budget, roof, balcony, camera, \
        guitar, novel, tax return, visa, dishwasher, thesis, tent, sofa, bathroom, router, printer, freezer, heat pump, bookshelf, tattoo, \
        mortgage, greenhouse, aquarium, podcast, driving test, piano, fence, sourdough, lawn, attic, van, allotment, telescope, drone",
    ),
    (
        "verbed",
        "changed, moved, delayed, replaced, found, lost, approved, opened, measured, reported, closed, blocked, improved, reviewed, dropped, \
        shaped, rejected, rebuilt, tested, caused, followed, supported, described, weakened, doubled, repaired, questioned, ignored, \
        surprised, covered, delivered, exposed, inherited, limited, polished, postponed, recorded, restored, sold, split, survived",
    ),
    (
        "prep",
        "near, after, before, without, despite, for, beside, beyond, against, inside, along with, instead of, because of, next to, behind",
    ),
];

/// Nouns of each topic, in the order of [`TOPICS`](crate::world::TOPICS).
pub(super) const NOUNS: [&str; 12] = [
    // software
    "function, class, test, server, query, file, bug, parser, module, endpoint, cache, string, loop, script, component, thread, queue, \
    database, array, schema, migration, config, build, package, branch, commit, pipeline, token, request, handler, index, logger, stack trace, \
    dependency, container, struct, iterator, regex, callback, socket, buffer, scheduler, compiler, linter, header, middleware, webhook, \
    hash map, binary tree, linked list, mutex, decorator, closure, interface, enum, generics, trait, wrapper, timeout, rate limiter, \
    state machine, serializer, foreign key, join, cursor, transaction, semaphore, service worker, stylesheet, form validation, pagination, \
    upload, session cookie, feature flag, changelog, pull request, repository, submodule, debugger, breakpoint, profiler, heap, pointer, \
    allocator, bytecode, opcode, kernel module, driver, firmware, checksum, codec, shader, viewport, tooltip, dropdown, sidebar, router",
    // agents
    "agent, tool, workflow, step, browser, task, memory, orchestrator, function call, subagent, environment, terminal, command, screenshot, \
    search tool, observation, action, retry, plan, state, sandbox, controller, planner, tool result, API call, inbox, ticket, calendar, \
    crawler, worker, trigger, handoff, goal, budget, guardrail, connector, queue, dispatcher, mailbox, scratchpad, event, permission, \
    approval, rollback, checkpoint, knowledge base, retriever, router, policy, monitor, alert, runbook, incident, robot, gripper, sensor, \
    waypoint, simulator, reward, episode, trajectory, toolchain, playbook, escalation, backlog, spreadsheet, form, checkout, login page",
    // planning
    "plan, schedule, budget, roadmap, milestone, trip, team, deadline, project, launch, week, route, phase, risk, meeting, resource, \
    timeline, itinerary, training, sprint, renovation, move, wedding, conference, curriculum, menu, campaign, inventory, shift, rota, \
    dependency, rehearsal, harvest, marathon, fundraiser, workshop, retreat, migration, relocation, audit, festival, exhibition, hire, \
    handover, contingency, supplier, shipment, fleet, depot, crew, scaffold, permit, survey, tender, forecast, stocktake, timetable, \
    garden bed, meal, savings goal, study block, syllabus, quarter, objective, stakeholder, agenda, checkpoint, buffer, critical path",
    // math
    "equation, integral, matrix, proof, triangle, sequence, probability, function, prime, polynomial, limit, vector, derivative, theorem, \
    graph, set, series, circle, variable, inequality, fraction, angle, eigenvalue, expectation, variance, lemma, permutation, group, ring, \
    field, root, determinant, basis, tangent, sphere, distribution, estimator, sample, recurrence, coefficient, remainder, modulus, \
    bijection, manifold, topology, metric, norm, kernel, gradient, hyperbola, ellipse, parabola, cone, tetrahedron, lattice, partition, \
    binomial, dice roll, coin toss, card hand, urn, random walk, martingale, conjecture, axiom, corollary, factorial, logarithm, residue",
    // reasoning
    "puzzle, argument, assumption, clue, premise, conclusion, contradiction, scenario, riddle, hypothesis, cause, consequence, case, \
    statement, rule, dilemma, analogy, pattern, fallacy, witness, suspect, island, guard, door, hat, colour, seat, order, constraint, \
    counterexample, inference, paradox, bias, trade-off, decision, evidence, explanation, possibility, knight, liar, river crossing, \
    scale, weighing, domino, tournament, queue, timetable, truth table, implication, quantifier, syllogism, thought experiment, intuition, \
    prediction, base rate, incentive, equilibrium, auction, vote, promise, alibi, footprint, message, code word, key, lock, switch, lamp",
    // grading
    "answer, essay, response, rubric, score, criterion, student, submission, grade, candidate, comparison, ranking, feedback, mark, \
    justification, reference, question, model answer, evaluation, report, point, weakness, strength, draft, translation, review, rating, \
    test item, quiz, interview, presentation, portfolio, code sample, thesis chapter, lab report, summary, dialogue, transcript, proposal, \
    application, cover letter, benchmark, baseline, judge, panel, deduction, threshold, level, band, descriptor, exemplar, peer review, \
    plagiarism, citation, spelling, handwriting, debate, recital, solo, dive, routine, jump, vault, dish, wine, photograph, poster",
    // rewriting
    "paragraph, sentence, email, text, headline, draft, tone, version, message, article, post, description, title, caption, letter, bio, \
    summary, script, instruction, question, variation, example, slogan, product page, review, reply, announcement, newsletter, abstract, \
    introduction, speech, tweet, menu, label, sign, complaint, apology, invitation, reminder, memo, notice, disclaimer, manual, tutorial, \
    FAQ, blurb, pitch, resume, cover letter, recommendation, testimonial, press release, statement, lyric, dialogue, clause, footnote, \
    glossary, dataset, record, entry, prompt, synonym, phrase, idiom, verse, toast, eulogy, wedding vow, love letter, haiku, dedication",
    // documents
    "document, contract, invoice, report, table, page, policy, receipt, passage, clause, section, form, record, statement, appendix, email, \
    manual, paper, citation, date, amount, party, term, payment, notice, warranty, lease, order, delivery note, certificate, transcript, \
    minutes, prescription, lab result, claim, deed, will, tender, specification, drawing, datasheet, brochure, catalogue, ledger, payslip, \
    tax form, bank statement, permit, licence, registration, application, resume, reference letter, survey, questionnaire, footnote, figure, \
    exhibit, affidavit, ruling, statute, regulation, directive, standard, patent, abstract, chapter, index, glossary, archive, scan",
    // summary
    "article, meeting, paper, chapter, report, video, podcast, thread, book, lecture, interview, call, transcript, email, paragraph, notes, \
    speech, review, debate, documentary, study, proposal, discussion, update, bulletin, briefing, hearing, keynote, webinar, panel, memo, \
    brief, essay, column, editorial, blog post, press release, case study, court case, earnings call, field report, trip report, diary, \
    logbook, changelog, incident, survey, poll, forecast, statement, manifesto, biography, memoir, novel, play, episode, season, match, \
    race, tournament, concert, exhibition, audit, inspection, inventory, negotiation, strike, election, merger, recall, launch",
    // translation
    "sentence, phrase, letter, menu, sign, subtitle, contract, email, word, idiom, poem, manual, label, song, message, website, caption, \
    brochure, recipe, dialogue, proverb, speech, certificate, form, chapter, headline, slogan, notice, error message, button, app store text, \
    invitation, greeting, apology, complaint, prescription, leaflet, warranty, guidebook, museum text, travel tip, timetable, ticket, \
    announcement, diary, postcard, testimony, glossary, dialect, expression, pun, nickname, address, date format, unit, honorific, tense, \
    gender, plural, accent, spelling, script, footnote, interview, lyric, prayer, toast, fairy tale, nursery rhyme, legal term, dosage",
    // advice
    "job, friend, sleep, money, diet, relationship, exercise, habit, interview, stress, rent, gift, career, boss, holiday, party, child, \
    savings, weight, skin, headache, salary, neighbour, dog, partner, loan, insurance, degree, course, apartment, dinner, recipe, garden, \
    haircut, outfit, phone, camera, bike, flight, visa, backpack, hostel, museum, beach, mattress, vacuum, coffee, knee, back pain, vitamin, \
    allergy, toddler, teenager, homework, bedtime, screen time, divorce, reunion, roommate, landlord, deposit, mould, commute, parking, \
    retirement, pension, hobby, language course, breakfast, meal prep, budget, subscription, gym, treadmill, swim, puppy, litter box",
    // stories
    "story, dragon, village, character, poem, ship, detective, forest, king, robot, scene, ending, ghost, city, sister, storm, castle, \
    planet, witch, train, letter, garden, night, winter, mountain, river, lighthouse, thief, soldier, painter, baker, orphan, wolf, raven, \
    mirror, clock, song, secret, map, treasure, island, captain, harbour, tower, library, market, circus, desert, oasis, caravan, prophecy, \
    curse, spell, potion, knight, sword, duel, tavern, innkeeper, widow, twin, inventor, machine, airship, comet, moon, astronaut, colony, \
    signal, echo, attic, cellar, violin, dancer, mask, carnival, fog, bridge, ferry, orchard, beekeeper, clockmaker, cartographer, gardener",
];

/// What one does in each topic, in the order of [`TOPICS`](crate::world::TOPICS).
pub(super) const VERBS: [&str; 12] = [
    "fix, write, test, refactor, debug, parse, implement, deploy, build, call, sort, validate, cache, log, import, optimise, migrate, render, \
    compile, merge, mock, profile, serialize, batch, paginate, encrypt, stream, lock, retry, benchmark, patch, lint, bundle, inject, index",
    "run, call, plan, check, search, open, schedule, monitor, route, execute, retry, delegate, collect, submit, click, browse, inspect, \
    coordinate, verify, update, dispatch, approve, escalate, recover, automate, observe, explore, book, file, notify, poll, resume, halt",
    "plan, organise, schedule, prepare, launch, finish, estimate, prioritise, move, book, arrange, split, coordinate, budget, train for, \
    renovate, negotiate, assign, forecast, postpone, stage, review, track, allocate, sequence, host, fund, pack, staff, rehearse, deliver",
    "solve, prove, compute, find, simplify, show, evaluate, differentiate, integrate, count, factor, derive, bound, minimise, estimate, \
    construct, expand, approximate, invert, project, classify, diagonalise, maximise, verify, enumerate, colour, tile, partition, bisect",
    "explain, decide, deduce, compare, infer, justify, find, work out, question, rule out, predict, argue, resolve, identify, weigh, order, \
    match, refute, assume, doubt, connect, reconstruct, balance, untangle, interpret, distinguish, eliminate, generalise, test, imagine",
    "grade, rate, score, compare, rank, evaluate, judge, review, mark, assess, check, justify, criticise, annotate, calibrate, moderate, \
    deduct, award, validate, comment on, weigh, audit, verify, classify, correct, benchmark, inspect, summarise, verify, reconsider",
    "rewrite, shorten, improve, rephrase, edit, simplify, expand, polish, paraphrase, correct, translate, soften, tighten, reformat, vary, \
    restructure, condense, adapt, modernise, clarify, tone down, personalise, proofread, trim, split, merge, spice up, localise, retitle",
    "extract, find, read, list, check, compare, summarise, quote, parse, locate, sort, match, verify, redact, classify, tag, file, scan, \
    reconcile, transcribe, convert, highlight, cross-check, index, sign, amend, archive, date, count, flag, cite, audit, validate, merge",
    "summarise, condense, outline, explain, list, shorten, recap, cover, highlight, compare, digest, review, note, capture, distil, report, \
    trace, group, rank, introduce, simplify, contrast, quote, frame, retell, abridge, annotate, interpret, map, organise, skim, discuss",
    "translate, say, write, explain, render, localise, pronounce, adapt, spell, check, compare, convert, phrase, correct, transcribe, subtitle, \
    interpret, proofread, transliterate, align, annotate, gloss, shorten, proof, romanise, dub, quote, label, decline, conjugate",
    "choose, improve, buy, avoid, start, change, fix, save, cook, learn, manage, handle, ask for, quit, plan, reduce, tell, keep, cancel, find, \
    compare, clean, train, explain, stop, return, renew, repair, pack, rent, sell, adopt, apologise for, negotiate, stretch, store, prepare",
    "write, describe, imagine, continue, invent, tell, name, end, rhyme, rewrite, begin, set, develop, outline, sketch, narrate, picture, \
    dream up, plot, voice, cast, haunt, rescue, chase, remember, forgive, betray, explore, build, bury, wake, follow, leave, hide, return",
];

/// Beginnings of a name's syllables.
pub(super) const ONSETS: &[&str] = &[
    "b", "br", "c", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "kr", "l", "m", "n", "p",
    "pl", "qu", "r", "s", "sk", "st", "t", "tr", "v", "w", "x", "y", "z", "sh",
];
/// Ends of a name's syllables.
pub(super) const RHYMES: &[&str] = &[
    "a", "an", "ar", "e", "el", "en", "er", "i", "ia", "ik", "in", "io", "is", "o", "on", "or",
    "os", "u", "um", "us", "ay", "ex", "ix", "ox", "yl", "eo", "au", "ora", "ent", "ill",
];
