//! Short-term memory: what the agent went through lately, and what it cost (Dawid & LeCun 2023, Sec. 2.3; LeCun 2022, Sec. 4.1).
//! The critic and the policy learn from it. Read first: [`ShortTermMemory`] and [`Moment`].

use std::{collections::VecDeque, sync::Arc};

/// A control step as it is remembered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moment {
    /// The state of the world as perceived, `[latent]`.
    pub latent: Vec<f32>,
    /// What the agent then did, `[action]`.
    pub action: Vec<f32>,
    /// The intrinsic cost of that, before its weight, for each drive but `Reach`, in the agent's order.
    pub costs: Vec<f32>,
    /// Where it wanted to be, `[latent]`; none without such a drive, and while it explored.
    pub goal: Option<Arc<[f32]>>,
    /// What Mode-2 would do in the control steps of the next prediction, `[stride, action]`, where it planned.
    pub plan: Option<Vec<f32>>,
    /// Where it was, as decoded from that state, in metres: remembered for the drive for novelty.
    pub place_m: Option<[f32; 2]>,
}

/// The latest moments of a life, oldest first: bounded, so that it is as large after a million control steps as after some
/// thousand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShortTermMemory {
    moments: VecDeque<Moment>,
    capacity: usize,
    /// Moments that came before those that are left.
    forgotten: u64,
}

impl ShortTermMemory {
    /// An empty memory for so many moments.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { moments: VecDeque::new(), capacity, forgotten: 0 }
    }

    /// Remember one more moment, and forget the oldest where there is no room.
    pub fn remember(&mut self, moment: Moment) {
        if self.moments.len() >= self.capacity.max(1) {
            self.moments.pop_front();
            self.forgotten += 1;
        }
        self.moments.push_back(moment);
    }

    /// Forget everything: a new life begins.
    pub fn clear(&mut self) {
        self.moments.clear();
        self.forgotten = 0;
    }

    /// How many moments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// True where nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// How many moments have been forgotten.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The moments, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Moment> + ExactSizeIterator + Clone {
        self.moments.iter()
    }

    /// The moment number `index` of those that are left, the oldest first.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Moment> {
        self.moments.get(index)
    }

    /// Give away all that is remembered.
    pub fn take(&mut self) -> Vec<Moment> {
        self.forgotten = 0;
        std::mem::take(&mut self.moments).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let moment = |value: f32| Moment { latent: vec![value], ..Moment::default() };
        let mut memory = ShortTermMemory::new(3);
        (0..5_u8).for_each(|value| memory.remember(moment(value.into())));
        let left: Vec<f32> = memory.iter().map(|moment| moment.latent[0]).collect();
        assert_eq!((left, memory.len(), memory.forgotten()), (vec![2.0, 3.0, 4.0], 3, 2));
        assert_eq!(memory.get(0).unwrap().latent, [2.0]);
        assert_eq!(memory.take().len(), 3);
        assert!(memory.is_empty() && memory.forgotten() == 0);
    }
}
