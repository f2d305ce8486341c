//! Shared data as Envoy keeps it: one map per `vm_id` under one mutex of the process.
//!
//! Nothing is ever deleted singly; a namespace goes when the last VM (and plugin) with its id has gone.
//! Every write takes a fresh CAS from one 32-bit counter that starts at 1 and skips 0.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::shared_queues::Queues;
use crate::status::Status;

/// Size of one namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedDataBytes {
    /// Number of keys.
    pub keys: u64,
    /// Bytes of all keys and values, without the map's own overhead.
    pub bytes: u64,
}

#[derive(Default)]
struct Values {
    handles: usize,
    size: SharedDataBytes,
    entries: HashMap<Box<[u8]>, (Vec<u8>, u32)>,
}

#[derive(Default)]
struct Namespaces {
    last_cas: u32,
    by_vm_id: HashMap<Arc<str>, Values>,
    queues: Queues,
}

/// All namespaces of the process.
#[derive(Clone, Default)]
pub(crate) struct SharedData(Arc<Mutex<Namespaces>>);

impl SharedData {
    pub(crate) fn namespace(&self, vm_id: &str) -> Namespace {
        let vm_id: Arc<str> = vm_id.into();
        self.lock()
            .by_vm_id
            .entry(Arc::clone(&vm_id))
            .or_default()
            .handles += 1;
        Namespace {
            data: self.clone(),
            vm_id,
        }
    }
    pub(crate) fn size(&self, vm_id: &str) -> SharedDataBytes {
        self.lock()
            .by_vm_id
            .get(vm_id)
            .map(|values| values.size)
            .unwrap_or_default()
    }
    pub(crate) fn entries(&self, vm_id: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let namespaces = self.lock();
        let mut entries: Vec<_> = namespaces
            .by_vm_id
            .get(vm_id)
            .into_iter()
            .flat_map(|values| {
                values
                    .entries
                    .iter()
                    .map(|(key, (value, _))| (key.to_vec(), value.clone()))
            })
            .collect();
        entries.sort();
        entries
    }
    /// No invariant spans two statements under the lock, so a poisoned one is as good as new.
    fn lock(&self) -> MutexGuard<'_, Namespaces> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One VM's access to its `vm_id`'s data; keeps that data alive.
pub(crate) struct Namespace {
    data: SharedData,
    vm_id: Arc<str>,
}

impl Namespace {
    /// Copies the value into `out` and returns its CAS; `None` when the key was never written.
    pub(crate) fn get(&self, key: &[u8], out: &mut Vec<u8>) -> Option<u32> {
        out.clear();
        let namespaces = self.data.lock();
        let (value, cas) = namespaces.by_vm_id.get(&self.vm_id)?.entries.get(key)?;
        out.extend_from_slice(value);
        Some(*cas)
    }
    /// Writes: `cas` 0 always, on a missing key always, otherwise only if it is the current one.
    pub(crate) fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<(), Status> {
        let mut namespaces = self.data.lock();
        let fresh = match namespaces.last_cas.wrapping_add(1) {
            0 => 1,
            next => next,
        };
        let Some(values) = namespaces.by_vm_id.get_mut(&self.vm_id) else {
            return Err(Status::InternalFailure);
        };
        if let Some((stored, current)) = values.entries.get_mut(key) {
            if cas != 0 && cas != *current {
                return Err(Status::CasMismatch);
            }
            values.size.bytes = values.size.bytes - stored.len() as u64 + value.len() as u64;
            stored.clear();
            stored.extend_from_slice(value);
            *current = fresh;
        } else {
            values.size.keys += 1;
            values.size.bytes += (key.len() + value.len()) as u64;
            values.entries.insert(key.into(), (value.to_vec(), fresh));
        }
        namespaces.last_cas = fresh;
        Ok(())
    }
}

impl Namespace {
    /// The process's queues and this `vm_id`, under the lock.
    pub(crate) fn with_queues<R>(&self, act: impl FnOnce(&mut Queues, &Arc<str>) -> R) -> R {
        act(&mut self.data.lock().queues, &self.vm_id)
    }
}

impl Clone for Namespace {
    fn clone(&self) -> Self {
        self.data.namespace(&self.vm_id)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let mut namespaces = self.data.lock();
        if let Some(values) = namespaces.by_vm_id.get_mut(&self.vm_id) {
            values.handles -= 1;
            if values.handles == 0 {
                namespaces.by_vm_id.remove(&self.vm_id);
                namespaces.queues.remove(&self.vm_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_with_a_stale_cas_is_refused_and_one_on_a_missing_key_is_not() {
        let space = SharedData::default().namespace("vm");
        let mut value = Vec::new();

        assert_eq!(space.set(b"k", b"1", 77), Ok(()));
        let first = space.get(b"k", &mut value).unwrap();
        assert_eq!(space.set(b"k", b"2", first), Ok(()));

        assert_eq!(space.set(b"k", b"3", first), Err(Status::CasMismatch));
        assert_eq!(space.set(b"k", b"4", 0), Ok(()));
        assert!(space.get(b"k", &mut value).unwrap() > first);
        assert_eq!(value, b"4");
    }

    #[test]
    fn bytes_count_keys_and_values_and_a_namespace_dies_with_its_last_handle() {
        let data = SharedData::default();
        let space = data.namespace("vm");
        let other = space.clone();

        space.set(b"key", b"12345", 0).unwrap();
        other.set(b"key", b"1", 0).unwrap();
        other.set(b"", b"", 0).unwrap();
        assert_eq!(data.size("vm"), SharedDataBytes { keys: 2, bytes: 4 });

        drop(space);
        assert_eq!(data.size("vm").keys, 2);
        drop(other);
        assert_eq!(data.size("vm"), SharedDataBytes::default());
    }
}
