//! Lists whose entries have names: an overlay's entry is merged into the one of its name, removes it (`remove: true`),
//! or is new, at the end or `before` another.
use super::Site;
use super::merge::{Here, Merge};
use super::node::{Data, Node, take};
use serde_json::Value;
use std::collections::HashMap;
use weir_engine::policy::Code;

/// What tells entries of a list apart.
#[derive(Clone, Copy)]
enum Identity {
    /// `name`.
    Name,
    /// `id`.
    Id,
    /// `account` or `organization`.
    Subject,
}

impl Identity {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["name"],
            Self::Id => &["id"],
            Self::Subject => &["account", "organization"],
        }
    }

    /// Which key names the entry, and the name.
    fn of(self, entry: &Node) -> Option<(&'static str, String)> {
        let mut given = self
            .keys()
            .iter()
            .filter_map(|key| Some((*key, entry.text(key)?.to_owned())));
        let named = given.next()?;
        given.next().is_none().then_some(named)
    }

    fn help(self) -> &'static str {
        match self {
            Self::Name => "give every entry a `name`",
            Self::Id => "give every key an `id`",
            Self::Subject => "write `account:` or `organization:`, not both",
        }
    }
}

/// What tells entries of the list at `address` apart; `None` where nothing does.
fn identity(address: &str) -> Option<Identity> {
    match address {
        "tiers" | "budgets" | "shaping.rules" | "verification.thresholds" => Some(Identity::Name),
        "lists.deny" | "lists.exempt" | "lists.states" => Some(Identity::Subject),
        "verification.attestation.keys" => Some(Identity::Id),
        _ => None,
    }
}

/// Whether the lists here merge by name: those that are known to, and others whose entries all have one.
pub(super) fn are(base: &[Node], over: &[Node], here: &Here) -> bool {
    let named = |entry: &Node| entry.text("name").is_some();
    identity(&here.address).is_some() || (!over.is_empty() && base.iter().chain(over).all(named))
}

/// A list under way. New entries that stand before another one are kept with it.
#[derive(Default)]
struct Entries {
    nodes: Vec<Option<Node>>,
    before: Vec<Vec<usize>>,
    /// Entries at the end of no other: the list itself, in order.
    order: Vec<usize>,
    named: HashMap<(&'static str, String), usize>,
}

impl Entries {
    fn add(&mut self, node: Node, before: Option<usize>) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Some(node));
        self.before.push(Vec::new());
        match before.and_then(|before| self.before.get_mut(before)) {
            Some(list) => list.push(at),
            None => self.order.push(at),
        }
        at
    }

    /// Position of the entry that is called so, whatever kind of name that is.
    fn find(&self, identity: Identity, name: &str) -> Option<usize> {
        let mut keys = identity.keys().iter();
        keys.find_map(|key| self.named.get(&(*key, name.to_owned())).copied())
    }

    /// In order; a stack, since entries can stand before one another in a long chain.
    fn into_list(mut self) -> Vec<Node> {
        let mut list = Vec::new();
        let mut stack: Vec<usize> = self.order.iter().rev().copied().collect();
        while let Some(at) = stack.pop() {
            let first = self.before.get_mut(at).map(std::mem::take);
            let first = first.unwrap_or_default();
            if first.is_empty() {
                list.extend(self.nodes.get_mut(at).and_then(Option::take));
            } else {
                stack.push(at);
                stack.extend(first.into_iter().rev());
            }
        }
        list
    }
}

impl Merge<'_> {
    /// Entries of one list on top of those of another.
    pub(super) fn entries(&mut self, base: Vec<Node>, over: Vec<Node>, here: &Here) -> Vec<Node> {
        let identity = identity(&here.address).unwrap_or(Identity::Name);
        let mut entries = Entries::default();
        for (index, node) in base.into_iter().enumerate() {
            let name = identity.of(&node);
            let site = node.site;
            let at = entries.add(node, None);
            // What has no name is left alone; the engine says what is missing.
            let Some((key, name)) = name else { continue };
            let here = here.entry(&name, index);
            if entries.named.insert((key, name), at).is_some() {
                self.repeated(site, &here);
            }
        }
        let mut seen: HashMap<(&'static str, String), Site> = HashMap::new();
        for (index, node) in over.into_iter().enumerate() {
            let site = node.site;
            let Some((key, name)) = identity.of(&node) else {
                let here = here.entry("", index);
                let message = "the entry has no name, so it cannot be merged";
                self.error(Code::UnnamedEntry, site, &here, message, identity.help());
                continue;
            };
            let here = here.entry(&name, index);
            if seen.insert((key, name.clone()), site).is_some() {
                self.repeated(site, &here);
                continue;
            }
            self.entry(&mut entries, identity, (key, name), node, &here);
        }
        entries.into_list()
    }

    fn entry(
        &mut self,
        entries: &mut Entries,
        identity: Identity,
        name: (&'static str, String),
        mut node: Node,
        here: &Here,
    ) {
        let site = node.site;
        if self.is_locked(here, site) {
            return;
        }
        let (mut before, mut remove) = (None, None);
        if let Data::Map(members) = &mut node.data {
            before = take(members, "before");
            remove = take(members, "remove");
        }
        let below = entries.named.get(&name).copied();
        if let Some((_, site, remove)) = remove {
            match remove.data {
                Data::Scalar(Value::Bool(true)) => {
                    return self.remove(entries, name, site, here);
                }
                Data::Scalar(Value::Bool(false)) => {}
                _ => {
                    let message = "it is neither true nor false";
                    let help = "write `remove: true`, or leave it out";
                    return self.error(Code::WrongValue, site, here, message, help);
                }
            }
        }
        let mut target = None;
        if let Some((_, site, before)) = before {
            if below.is_some() {
                let message = "the entry has its place already";
                let help = "remove `before`: it places new entries";
                return self.error(Code::WrongValue, site, here, message, help);
            }
            let named = match &before.data {
                Data::Scalar(Value::String(named)) => entries.find(identity, named),
                _ => None,
            };
            if named.is_none() {
                let message = "there is no entry of that name to stand before";
                let help = "name an entry of this list, or leave `before` out to stand at the end";
                return self.error(Code::NothingThere, site, here, message, help);
            }
            target = named;
        }
        let Some(at) = below else {
            let fresh = self.fresh(node, here);
            let at = entries.add(fresh, target);
            entries.named.insert(name, at);
            return;
        };
        let base = entries.nodes.get_mut(at).and_then(Option::take);
        if let (Some(base), Data::Map(mut members)) = (base, node.data) {
            take(&mut members, name.0);
            let data = Data::Map(members);
            let merged = self.values(base, Node { site, data }, here).0;
            if let Some(slot) = entries.nodes.get_mut(at) {
                *slot = Some(merged);
            }
        }
    }

    fn remove(
        &mut self,
        entries: &mut Entries,
        name: (&'static str, String),
        site: Site,
        here: &Here,
    ) {
        let Some(at) = entries.named.get(&name).copied() else {
            let message = "there is no entry of this name below that could be removed";
            let help = "remove the entry here, or mend its name";
            return self.error(Code::NothingThere, site, here, message, help);
        };
        if self.holds_lock(here, site) {
            return;
        }
        entries.named.remove(&name);
        if let Some(slot) = entries.nodes.get_mut(at) {
            *slot = None;
        }
    }

    fn repeated(&mut self, site: Site, here: &Here) {
        let message = "an entry of this name stands above already";
        let help = "keep one of the two";
        self.error(Code::RepeatedEntry, site, here, message, help);
    }
}
