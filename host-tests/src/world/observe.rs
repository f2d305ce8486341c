//! The fast path from a turn to what the detector is told of it, without a request in between.
//!
//! Gives exactly what a plugin would read off the rendered line: prints come from the same engine code
//! on the same text, and whatever a program always sends alike is rendered and read once. Texts of a
//! conversation are printed once, as long as it is among the last few thousand.
use super::program::Program;
use super::render::body::{BodyWriter, Request, tool_results, user_turns};
use super::render::{self, Identity, client_address, is_extraction};
use super::{Corpora, MODELS, Person, ProgramSpec, Rewrite, Source, SystemText, Text, Turn, Words};
use crate::simulate::random::mix;
use weir_engine::detect::{
    Observation, Plan, PromptPrint, SystemPrint, UserPrint, Verification, tools_hash,
};
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, RawText, Role, TextSink};
use weir_engine::hash::HashKey;
use weir_engine::time::Timestamp;
use weir_engine::{network, origin};

/// First user turns whose prints are kept: 3 MiB.
const USERS: usize = 1 << 15;
/// System prompts that follow the conversation, whose prints are kept: 6 MiB.
const SYSTEMS: usize = 1 << 16;
/// Networks whose hashes are kept: 1 MiB.
const NETWORKS: usize = 1 << 16;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// Makes observations of turns. Memory: 10 MiB, 72 bytes for each account and 184 for each program that was
/// seen, and the words' drafts.
pub struct Observer {
    key: HashKey,
    words: Words,
    people: Vec<Option<Known>>,
    programs: Vec<Option<Seen>>,
    models: [u32; MODELS.len()],
    users: Kept<UserPrint>,
    systems: Kept<SystemPrint>,
    networks: Kept<u32>,
    body: BodyWriter,
    text: String,
    bytes: Vec<u8>,
}

/// What headers always say of an account.
#[derive(Clone, Copy)]
struct Known {
    id: u64,
    account: u64,
    organization: u64,
    created: Timestamp,
    verification: Verification,
    plan: Plan,
    payment: u32,
    asn: u32,
}

/// What a program's requests always show.
struct Seen {
    shape: u32,
    /// `None` where the system prompt follows the conversation.
    system: Option<SystemPrint>,
    tools_hash: u64,
    tools: bool,
    reasoning: bool,
    samples: bool,
    usage_told: bool,
    /// Of each version.
    clients: Vec<u32>,
}

impl Observer {
    /// For the world with this seed; identities are hashed with `key`, `corpora` as in [`Words::new`].
    pub fn new(seed: u64, key: HashKey, corpora: Corpora) -> Self {
        Self {
            key,
            words: Words::new(seed, corpora),
            people: Vec::new(),
            programs: Vec::new(),
            models: MODELS.map(|model| origin::tag(&key, "model", model.as_bytes())),
            users: Kept::new(USERS),
            systems: Kept::new(SYSTEMS),
            networks: Kept::new(NETWORKS),
            body: BodyWriter::default(),
            text: String::new(),
            bytes: Vec::new(),
        }
    }

    /// What a plugin would tell the detector of the turn. Served in full: whoever refuses it says so in
    /// [`Observation::refused`] and takes the tokens away.
    pub fn observation(&mut self, turn: &Turn, person: &Person, spec: &ProgramSpec) -> Observation {
        let known = self.known(turn.account, person);
        let network = self.network(turn);
        let number = turn.program as usize;
        if self.programs.get(number).is_none_or(Option::is_none) {
            self.learn(turn, spec);
        }
        let prompt = self.prompt(turn, person, spec);
        let client = self.client(number, person, spec);
        let model = usize::from(turn.model);
        let model = self.models.get(model).or(self.models.first()).copied();
        let mut observation = Observation {
            time: shown(turn.time),
            account: known.account,
            organization: known.organization,
            created: Some(known.created),
            verification: known.verification,
            plan: known.plan,
            payment: known.payment,
            network,
            asn: known.asn,
            client,
            model: model.unwrap_or_default(),
            prompt,
            user_turns: user_turns(turn),
            tool_results: tool_results(turn),
            ..Observation::default()
        };
        if let Some(Some(seen)) = self.programs.get(number) {
            observation.shape = seen.shape;
            observation.tools = seen.tools;
            observation.reasoning = seen.reasoning;
            observation.samples = seen.samples;
            if seen.usage_told {
                observation.input_tokens = turn.input_tokens;
                observation.output_tokens = turn.output_tokens.max(1); // an answer has a token
            }
        }
        observation
    }

    /// The hash by which observations and standings name this person's account; never 0.
    pub fn account(&mut self, number: u32, person: &Person) -> u64 {
        self.known(number, person).account
    }

    fn known(&mut self, number: u32, person: &Person) -> Known {
        let number = number as usize;
        match self.people.get(number) {
            Some(Some(known)) if known.id == person.id => return *known,
            Some(_) => {}
            None => self.people.resize(number + 1, None),
        }
        let key = self.key;
        let mut hash = |identity, domain: &str| {
            self.bytes.clear();
            render::identity(identity, person, &mut self.bytes);
            key.hash64(domain, &[&self.bytes])
        };
        let account = hash(Identity::Account, "account").max(1);
        let organization = hash(Identity::Organization, "organization");
        self.bytes.clear();
        render::identity(Identity::Payment, person, &mut self.bytes);
        let known = Known {
            id: person.id,
            account,
            organization,
            created: shown(person.created),
            verification: person
                .verification
                .map(Verification::parse)
                .unwrap_or_default(),
            plan: Plan::parse(person.plan),
            payment: origin::tag(&key, "payment", &self.bytes),
            asn: origin::tag(&key, "asn", person.asn.to_string().as_bytes()),
        };
        if let Some(place) = self.people.get_mut(number) {
            *place = Some(known);
        }
        known
    }

    fn network(&mut self, turn: &Turn) -> u32 {
        let name = mix(turn.address >> 32, 1) | 1;
        if let Some(network) = self.networks.get(name) {
            return *network;
        }
        self.text.clear();
        client_address(turn, &mut self.text);
        let address = network::address(self.text.as_bytes());
        let network = address.map_or(0, |address| origin::network(&self.key, address));
        self.networks.put(name, network);
        network
    }

    /// The print of the prompt, of parts that are kept while they are among the latest.
    fn prompt(&mut self, turn: &Turn, person: &Person, spec: &ProgramSpec) -> PromptPrint {
        let (system, tools) = match self.programs.get(turn.program as usize) {
            Some(Some(seen)) => (seen.system, seen.tools_hash),
            _ => (None, 0),
        };
        let system = system.unwrap_or_else(|| self.system(turn, spec));
        let extraction = is_extraction(turn, person);
        PromptPrint::compose(system, self.user(&turn.text, extraction), tools)
    }

    fn user(&mut self, text: &Text, extraction: bool) -> UserPrint {
        let name = name(text, extraction);
        if let Some(print) = self.users.get(name) {
            return *print;
        }
        self.text.clear();
        self.words.user(text, extraction, &mut self.text);
        let print = UserPrint::of(&self.text);
        self.users.put(name, print);
        print
    }

    fn system(&mut self, turn: &Turn, spec: &ProgramSpec) -> SystemPrint {
        let filling = Words::filling(spec, &turn.text);
        let name = mix(mix(filling, 2), u64::from(turn.program)) | 1;
        if let Some(print) = self.systems.get(name) {
            return *print;
        }
        self.text.clear();
        self.words.system(spec, &turn.text, &mut self.text);
        let print = SystemPrint::of(&self.text);
        self.systems.put(name, print);
        print
    }

    fn client(&mut self, number: usize, person: &Person, spec: &ProgramSpec) -> u32 {
        let version = usize::from(person.client_version);
        let Some(Some(seen)) = self.programs.get_mut(number) else {
            return 0;
        };
        if let Some(client) = seen.clients.get(version) {
            return *client;
        }
        let program = Program::new(spec, &self.words);
        for version in seen.clients.len()..=version {
            program.user_agent(version.min(255) as u8, &mut self.text);
            seen.clients
                .push(origin::tag(&self.key, "client", self.text.as_bytes()));
        }
        seen.clients.get(version).copied().unwrap_or_default()
    }

    /// Renders one request of the program and reads what all of them show.
    fn learn(&mut self, turn: &Turn, spec: &ProgramSpec) {
        let program = Program::new(spec, &self.words);
        let first = Turn {
            step: 0,
            tool_results: 0,
            ..*turn
        };
        let request = Request {
            turn: &first,
            spec,
            program: &program,
            extraction: false,
        };
        self.bytes.clear();
        self.body.write(request, &mut self.words, &mut self.bytes);
        let endpoint = Endpoint::of("POST", program.path());
        let facts = facts::read(endpoint, &self.bytes, false, &mut Nobody).unwrap_or_default();
        let always = matches!(
            spec.system,
            SystemText::None | SystemText::Fixed(_) | SystemText::Own(_)
        );
        let system = always.then(|| {
            self.text.clear();
            self.words.system(spec, &turn.text, &mut self.text);
            SystemPrint::of(&self.text)
        });
        let seen = Seen {
            shape: facts.shape,
            system,
            tools_hash: tools_hash(program.tool_names.iter().map(String::as_str)),
            tools: facts.tools > 0,
            reasoning: facts.reasoning.visible || facts.logprobs,
            samples: facts.samples > 1,
            usage_told: !program.stream || program.stream_usage,
            clients: Vec::new(),
        };
        let number = turn.program as usize;
        if self.programs.len() <= number {
            self.programs.resize_with(number + 1, || None);
        }
        if let Some(place) = self.programs.get_mut(number) {
            *place = Some(seen);
        }
    }
}

/// A point in time as a line shows it: whole milliseconds.
fn shown(time: Timestamp) -> Timestamp {
    let nanos = time.as_unix_nanos();
    Timestamp::from_unix_nanos(nanos - nanos % NANOS_PER_MILLI)
}

/// Names a first user turn; never 0.
fn name(text: &Text, extraction: bool) -> u64 {
    let (kind, number, topic) = match text.source {
        Source::Free(topic) => (1, 0, topic),
        Source::Template(number, topic) => (2, number, topic),
        Source::Verbatim(number, topic) => (3, number, topic),
    };
    let rewrite = match text.rewrite {
        Rewrite::Not => 0,
        Rewrite::Words(share) => 1 | u64::from(share.to_bits()) << 2,
        Rewrite::Whole => 2,
    };
    let source =
        u64::from(number) << 16 | u64::from(topic) << 8 | kind << 1 | u64::from(extraction);
    // Only a disguise makes two copies of one fixed text differ.
    let seed = if kind == 3 && rewrite == 0 {
        0
    } else {
        text.seed
    };
    mix(mix(mix(seed, rewrite), source), 3) | 1
}

/// The latest values by name: one place for each name, so that a new one takes the place of an old one.
struct Kept<T>(Box<[(u64, T)]>);

impl<T: Copy + Default> Kept<T> {
    fn new(places: usize) -> Self {
        Self(vec![(0, T::default()); places].into_boxed_slice())
    }

    fn place(&self, name: u64) -> usize {
        (name >> 32) as usize % self.0.len().max(1)
    }

    /// The value of this name, which is not 0.
    fn get(&self, name: u64) -> Option<&T> {
        let (kept, value) = self.0.get(self.place(name))?;
        (*kept == name).then_some(value)
    }

    fn put(&mut self, name: u64, value: T) {
        let place = self.place(name);
        if let Some(kept) = self.0.get_mut(place) {
            *kept = (name, value);
        }
    }
}

/// Takes no text.
struct Nobody;

impl TextSink for Nobody {
    fn text(&mut self, _: Role, _: RawText<'_>) {}
}

#[cfg(test)]
mod tests;
