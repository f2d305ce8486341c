//! Layers on top of one another: maps merge by key, `null` removes a key, lists of named entries merge by name
//! (`entries.rs`), everything else is replaced whole.
use super::locks::Locks;
use super::node::{Data, Member, Node, take};
use super::problem::Problems;
use super::{Layer, Site};
use crate::policy_file::PolicyFile;
use crate::yaml::Place;
use serde_json::Value;
use std::collections::HashMap;
use weir_engine::policy::Code;

/// Where in a layer the merge is: the address is what locks call it, the path what its own file does.
#[derive(Clone, Debug, Default)]
pub(super) struct Here {
    pub(super) address: String,
    pub(super) path: String,
}

/// A merge under way.
pub(super) struct Merge<'a> {
    layers: &'a [Layer],
    locks: Locks,
    pub(super) problems: &'a mut Problems,
}

/// Merges layers, base first, into a policy and the sites of its values.
pub(super) fn all(chain: Vec<PolicyFile>, problems: &mut Problems) -> (Value, Place<Site>) {
    let layers: Vec<Layer> = chain.iter().map(Layer::of).collect();
    let is_alone = chain.len() == 1;
    let mut merge = Merge {
        layers: &layers,
        locks: Locks::default(),
        problems,
    };
    let mut nodes = chain.into_iter().enumerate().map(|(index, file)| {
        let document = file.into_document();
        Node::of(document.value, document.place, index)
    });
    let Some(mut merged) = nodes.next() else {
        // A chain has one layer at least.
        let at = Site {
            layer: 0,
            at: Default::default(),
        };
        let nothing = Node {
            site: at,
            data: Data::Scalar(Value::Null),
        };
        return nothing.into_parts();
    };
    if !is_alone {
        merge.take_locks(&mut merged);
    }
    for mut over in nodes {
        let mut locked = None;
        if let Data::Map(members) = &mut over.data {
            for key in ["apiVersion", "kind", "extends"] {
                take(members, key);
            }
            locked = take(members, "locked");
        }
        merged = merge.values(merged, over, &Here::default()).0;
        if let Some((_, _, locked)) = locked {
            merge.add_locks(locked);
        }
    }
    merged.into_parts()
}

impl Here {
    /// A member of the map here.
    pub(super) fn member(&self, key: &str) -> Self {
        let below = |parent: &str| {
            if parent.is_empty() {
                key.to_owned()
            } else {
                format!("{parent}.{key}")
            }
        };
        Self {
            address: below(&self.address),
            path: below(&self.path),
        }
    }

    /// An entry of the list here, which is addressed by its name.
    pub(super) fn entry(&self, name: &str, index: usize) -> Self {
        Self {
            address: format!("{}.{name}", self.address),
            path: format!("{}[{index}]", self.path),
        }
    }
}

impl Merge<'_> {
    fn take_locks(&mut self, base: &mut Node) {
        if let Data::Map(members) = &mut base.data
            && let Some((_, _, locked)) = take(members, "locked")
        {
            self.add_locks(locked);
        }
    }

    fn add_locks(&mut self, locked: Node) {
        if let Some(layer) = self.layers.get(locked.site.layer) {
            self.locks.add(locked, layer, self.problems);
        }
    }

    /// `over` on top of `base`; true where it took its place.
    pub(super) fn values(&mut self, base: Node, over: Node, here: &Here) -> (Node, bool) {
        let site = base.site;
        match (base.data, over.data) {
            (Data::Map(base), Data::Map(over)) => {
                let data = Data::Map(self.members(base, over, here));
                (Node { site, data }, false)
            }
            (Data::List(base), Data::List(over)) if super::entries::are(&base, &over, here) => {
                let data = Data::List(self.entries(base, over, here));
                (Node { site, data }, false)
            }
            (base, data) => {
                let over = Node {
                    site: over.site,
                    data,
                };
                if let Some(lock) = self.locks.below(&here.address) {
                    self.locked(here, over.site, lock);
                    return (Node { site, data: base }, false);
                }
                (self.fresh(over, here), true)
            }
        }
    }

    /// A value that nothing stands below: the same rules, on nothing.
    pub(super) fn fresh(&mut self, over: Node, here: &Here) -> Node {
        let site = over.site;
        let data = match over.data {
            Data::Map(over) => Data::Map(self.members(Vec::new(), over, here)),
            Data::List(over) if super::entries::are(&[], &over, here) => {
                Data::List(self.entries(Vec::new(), over, here))
            }
            data => data,
        };
        Node { site, data }
    }

    /// Members of one map on top of those of another.
    pub(super) fn members(
        &mut self,
        base: Vec<Member>,
        over: Vec<Member>,
        here: &Here,
    ) -> Vec<Member> {
        let mut merged: Vec<Option<Member>> = base.into_iter().map(Some).collect();
        let mut index: HashMap<String, usize> = HashMap::new();
        for (at, (key, _, _)) in merged.iter().flatten().enumerate() {
            index.insert(key.clone(), at);
        }
        for (key, site, node) in over {
            let here = here.member(&key);
            if self.is_locked(&here, site) {
                continue;
            }
            let below = index
                .get(&key)
                .and_then(|at| Some((*at, merged.get_mut(*at)?.take()?)));
            let put = match below {
                None if node.is_null() => {
                    let message = "there is nothing below that could be removed";
                    let help = "remove the key here, or mend its name";
                    self.error(Code::NothingThere, site, &here, message, help);
                    continue;
                }
                None => {
                    index.insert(key.clone(), merged.len());
                    merged.push(Some((key, site, self.fresh(node, &here))));
                    continue;
                }
                Some((at, below)) if node.is_null() => {
                    let lock = self.locks.below(&here.address);
                    let kept = lock.map(|lock| {
                        self.locked(&here, site, lock);
                        below
                    });
                    if kept.is_none() {
                        index.remove(&key);
                    }
                    (at, kept)
                }
                Some((at, (key, below_site, below))) => {
                    let (node, replaced) = self.values(below, node, &here);
                    let site = if replaced { site } else { below_site };
                    (at, Some((key, site, node)))
                }
            };
            if let (at, Some(member)) = put
                && let Some(slot) = merged.get_mut(at)
            {
                *slot = Some(member);
            }
        }
        merged.into_iter().flatten().collect()
    }

    /// Whether exactly this was locked; told where it is.
    pub(super) fn is_locked(&mut self, here: &Here, site: Site) -> bool {
        let lock = self.locks.of(&here.address);
        if let Some(lock) = lock {
            self.locked(here, site, lock);
        }
        lock.is_some()
    }

    /// Whether something below was locked; told where it is.
    pub(super) fn holds_lock(&mut self, here: &Here, site: Site) -> bool {
        let lock = self.locks.below(&here.address);
        if let Some(lock) = lock {
            self.locked(here, site, lock);
        }
        lock.is_some()
    }

    fn locked(&mut self, here: &Here, site: Site, lock: Site) {
        let file = self.file(lock);
        let message = format!(
            "`{}` is locked by {file}:{}:{}",
            here.address, lock.at.line, lock.at.column
        );
        let owner = "remove it here, or ask the owner of that file for the change";
        self.error(Code::Locked, site, here, message, owner);
    }

    fn file(&self, site: Site) -> String {
        let layer = self.layers.get(site.layer);
        layer.map(|layer| layer.file.clone()).unwrap_or_default()
    }

    pub(super) fn error(
        &mut self,
        code: Code,
        site: Site,
        here: &Here,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let file = self.file(site);
        self.problems
            .error(code, &file, Some(site.at), &here.path, message, help);
    }
}
