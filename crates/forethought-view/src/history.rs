//! The episode so far, to look back at. Read first: [`History`].

use forethought_interface::{Scene, Snapshot};
use std::{collections::VecDeque, sync::Arc};

/// What may be kept of an episode, roughly: the oldest is forgotten first.
const MOST_BYTES: usize = 96 << 20;

/// A control step as it was shown.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was there.
    pub scene: Arc<Scene>,
    /// Where it was, and what was thought.
    pub snapshot: Arc<Snapshot>,
}

/// The latest control steps of an episode, oldest first.
#[derive(Debug, Default)]
pub struct History {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl History {
    /// One control step more; one that was changed by hand takes the place of what it was.
    pub fn push(&mut self, entry: Entry) {
        while let Some(last) = self.entries.back().filter(|last| last.snapshot.step >= entry.snapshot.step) {
            self.bytes -= bytes(&last.snapshot);
            self.entries.pop_back();
        }
        self.bytes += bytes(&entry.snapshot);
        self.entries.push_back(entry);
        while self.bytes > MOST_BYTES && self.entries.len() > 1 {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= bytes(&oldest.snapshot);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number `index` of those that are left, the oldest first.
    pub fn get(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// The one that shows this control step, or the next one that is left.
    pub fn index_of(&self, step: u32) -> Option<usize> {
        let index = self.entries.partition_point(|entry| entry.snapshot.step < step);
        (!self.entries.is_empty()).then(|| index.min(self.entries.len() - 1))
    }

    /// The first and the last control step that is left.
    pub fn range(&self) -> Option<(u32, u32)> {
        Some((self.entries.front()?.snapshot.step, self.entries.back()?.snapshot.step))
    }

    /// All up to number `index`, the oldest first.
    pub fn until(&self, index: usize) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.range(..(index + 1).min(self.entries.len()))
    }

    /// The latest ones, the latest first.
    pub fn latest(&self, count: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev().take(count)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

/// What a snapshot takes up, roughly.
fn bytes(snapshot: &Snapshot) -> usize {
    let thought = |thought: &forethought_interface::Thought| {
        let rollouts: usize = thought.rollouts.iter().map(|rollout| 48 + 8 * rollout.positions_m.len()).sum();
        let inside =
            thought.introspection.as_ref().map_or(0, |inside| 4 * (inside.percept.len() + inside.latent.len()));
        512 + rollouts + inside
    };
    let rays: usize = snapshot.rays.iter().map(|rays| 16 * rays.len()).sum();
    256 + 24 * snapshot.bodies.len() + rays + snapshot.thoughts.iter().flatten().map(thought).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{Rollout, Thought};

    fn entry(step: u32, positions: usize) -> Entry {
        let rollouts = vec![Rollout { positions_m: vec![[0.0; 2]; positions], ..Rollout::default() }];
        let thoughts = vec![Some(Thought { rollouts, ..Thought::default() })];
        let snapshot = Snapshot { step, thoughts, ..Snapshot::default() };
        Entry { scene: Arc::default(), snapshot: Arc::new(snapshot) }
    }

    #[test]
    fn steps_are_found_and_the_oldest_are_forgotten() {
        let mut history = History::default();
        (0..100).for_each(|step| history.push(entry(step, 1)));
        assert_eq!((history.len(), history.range(), history.index_of(40)), (100, Some((0, 99)), Some(40)));
        assert_eq!(history.index_of(1000), Some(99));
        history.push(entry(99, 1));
        assert_eq!(history.len(), 100, "changed by hand");
        history.push(entry(50, 1));
        assert_eq!(history.range(), Some((0, 50)), "gone back");
        assert_eq!(history.until(3).count(), 4);
        let large = MOST_BYTES / 8 / 4;
        (51..60).for_each(|step| history.push(entry(step, large)));
        assert!(history.len() <= 4 && history.range().is_some_and(|(_, last)| last == 59));
        assert_eq!(history.index_of(0), Some(0), "the oldest that is left");
        assert!(History::default().index_of(0).is_none() && History::default().range().is_none());
    }
}
