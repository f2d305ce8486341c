//! What layers have locked for those above them.
use super::node::{Data, Node};
use super::problem::Problems;
use super::{Layer, Site};
use serde_json::Value;
use std::collections::BTreeMap;
use weir_engine::policy::{Code, is_lock};

/// Addresses that are locked, and where that is said.
#[derive(Default)]
pub(super) struct Locks(BTreeMap<String, Site>);

impl Locks {
    /// Adds those of one layer, taken from its `locked`.
    pub(super) fn add(&mut self, locked: Node, layer: &Layer, problems: &mut Problems) {
        let help = "list sections, or paths into them: `locked: [detection, budgets.account-requests.limit]`";
        let mut wrong = |site: Site, path: &str, code, message: String| {
            problems.error(code, &layer.file, Some(site.at), path, message, help);
        };
        let site = locked.site;
        let Data::List(paths) = locked.data else {
            let message = "it is no list of paths".to_owned();
            return wrong(site, "locked", Code::WrongValue, message);
        };
        for (index, node) in paths.into_iter().enumerate() {
            let path = format!("locked[{index}]");
            match node.data {
                Data::Scalar(Value::String(lock)) if is_lock(&lock) => {
                    // Who locked it first is who has to be asked.
                    self.0.entry(lock).or_insert(node.site);
                }
                Data::Scalar(Value::String(lock)) => {
                    let lock: String = lock.chars().take(60).collect();
                    let message = format!("a policy has nothing at `{}`", lock.escape_debug());
                    wrong(node.site, &path, Code::UnknownLock, message);
                }
                _ => {
                    let message = "it is no path".to_owned();
                    wrong(node.site, &path, Code::WrongValue, message);
                }
            }
        }
    }

    /// Where exactly this address was locked. Who walks down from the top needs to ask nothing else.
    pub(super) fn of(&self, address: &str) -> Option<Site> {
        self.0.get(address).copied()
    }

    /// Where something below this address was locked, which goes when the whole is replaced or removed.
    pub(super) fn below(&self, address: &str) -> Option<Site> {
        let below = format!("{address}.");
        let (lock, site) = self.0.range(below.clone()..).next()?;
        lock.starts_with(&below).then_some(*site)
    }
}
