//! Queues of the process, as Envoy keeps them beside shared data: by `vm_id` and name, with tokens from 1.
//!
//! Whoever registers a queue last owns its ready callback. One is posted for each item that is put in, to the owner's
//! thread, and is made there even when the item is gone by then. Queues go with their `vm_id`'s last VM.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::shared_data::Namespace;
use crate::status::Status;

/// A callback that was posted: root context and queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) root: u32,
    pub(crate) token: u32,
}

/// What was posted to one VM and is still to be run. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<VecDeque<Ready>>>);

impl Inbox {
    fn post(&self, ready: Ready) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(ready);
    }
    pub(crate) fn take(&self) -> Option<Ready> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

struct Queue {
    owner: Inbox,
    root: u32,
    items: VecDeque<Vec<u8>>,
}

/// All queues of the process.
#[derive(Default)]
pub(crate) struct Queues {
    last: u32,
    by_name: HashMap<(Arc<str>, Box<[u8]>), u32>,
    by_token: BTreeMap<u32, Queue>,
}

impl Queues {
    /// The queues of a `vm_id` go.
    pub(crate) fn remove(&mut self, vm_id: &str) {
        let by_token = &mut self.by_token;
        self.by_name.retain(|(own, _), token| {
            let stays = **own != *vm_id;
            if !stays {
                by_token.remove(token);
            }
            stays
        });
    }
    fn queue(&mut self, token: u32) -> Result<&mut Queue, Status> {
        self.by_token.get_mut(&token).ok_or(Status::NotFound)
    }
}

impl Namespace {
    /// The token of the queue `name`, made if there is none; `root` behind `owner` is called when it fills from now on.
    pub(crate) fn register_queue(&self, name: &[u8], owner: &Inbox, root: u32) -> u32 {
        let owner = owner.clone();
        self.with_queues(|queues, vm_id| {
            let key = (Arc::clone(vm_id), name.into());
            if let Some(token) = queues.by_name.get(&key).copied() {
                if let Ok(queue) = queues.queue(token) {
                    (queue.owner, queue.root) = (owner, root);
                }
                return token;
            }
            let token = queues.last.wrapping_add(1);
            queues.last = token;
            queues.by_name.insert(key, token);
            let items = VecDeque::new();
            queues.by_token.insert(token, Queue { owner, root, items });
            token
        })
    }
    /// The token of a queue of `vm_id`, the own one where it is empty.
    pub(crate) fn resolve_queue(&self, vm_id: &str, name: &[u8]) -> Result<u32, Status> {
        self.with_queues(|queues, own| {
            let vm_id = if vm_id.is_empty() {
                Arc::clone(own)
            } else {
                vm_id.into()
            };
            let token = queues.by_name.get(&(vm_id, name.into()));
            token.copied().ok_or(Status::NotFound)
        })
    }
    /// Puts an item in and tells the owner.
    pub(crate) fn enqueue(&self, token: u32, item: Vec<u8>) -> Result<(), Status> {
        self.with_queues(|queues, _| {
            let queue = queues.queue(token)?;
            queue.items.push_back(item);
            let root = queue.root;
            queue.owner.post(Ready { root, token });
            Ok(())
        })
    }
    /// Takes the oldest item out.
    pub(crate) fn dequeue(&self, token: u32) -> Result<Vec<u8>, Status> {
        self.with_queues(|queues, _| {
            let queue = queues.queue(token)?;
            queue.items.pop_front().ok_or(Status::Empty)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_data::SharedData;

    #[test]
    fn the_last_to_register_is_told_of_every_item() {
        let data = SharedData::default();
        let space = data.namespace("vm");
        let (first, second) = (Inbox::default(), Inbox::default());
        let token = space.register_queue(b"q", &first, 1);

        assert_eq!(space.register_queue(b"q", &second, 7), token);
        space.enqueue(token, b"a".to_vec()).unwrap();
        space.enqueue(token, Vec::new()).unwrap();
        assert_eq!(space.dequeue(token), Ok(b"a".to_vec()));

        assert_eq!(first.take(), None);
        assert_eq!(second.take(), Some(Ready { root: 7, token }));
        assert_eq!(second.take(), Some(Ready { root: 7, token }));
        assert_eq!(space.dequeue(token), Ok(Vec::new()));
        assert_eq!(space.dequeue(token), Err(Status::Empty));
        assert_eq!(space.dequeue(0), Err(Status::NotFound));
    }

    #[test]
    fn names_belong_to_a_vm_id_and_go_with_its_last_vm() {
        let data = SharedData::default();
        let (one, other) = (data.namespace("one"), data.namespace("other"));
        let token = one.register_queue(b"q", &Inbox::default(), 1);

        assert_eq!(one.resolve_queue("", b"q"), Ok(token));
        assert_eq!(other.resolve_queue("one", b"q"), Ok(token));
        assert_eq!(other.resolve_queue("", b"q"), Err(Status::NotFound));
        drop(one);

        assert_eq!(other.resolve_queue("one", b"q"), Err(Status::NotFound));
        assert_eq!(other.enqueue(token, Vec::new()), Err(Status::NotFound));
    }
}
