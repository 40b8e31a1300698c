//! The latest lives of an agent, bounded, some of them set apart to measure on. Read first: [`Chronicle`].

use crate::{memory::Moment, training::Life};
use std::collections::VecDeque;

/// No chapter is longer, in control steps: of a long life, too, some is set apart.
const LONGEST: usize = 500;
/// Of so many chapters one is set apart, and never learnt from.
const HELD_OUT: u64 = 5;
/// Which of these: an early one, for a short history is measured on too.
const WHICH: u64 = 1;

/// What an agent went through lately, in chapters: a short life is one, a long one several. Forgets the oldest chapters.
#[derive(Debug, Clone)]
pub(crate) struct Chronicle {
    /// Each with its number, counted from the first ever.
    chapters: VecDeque<(u64, Life)>,
    begun: u64,
    moments: usize,
    capacity: usize,
}

/// What there is to learn from, and what to measure on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Recalled {
    pub(crate) learnt: Vec<Life>,
    pub(crate) held: Vec<Life>,
}

impl Chronicle {
    /// An empty one for so many moments.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { chapters: VecDeque::new(), begun: 0, moments: 0, capacity }
    }

    /// A new life begins.
    pub(crate) fn begin(&mut self) {
        if self.chapters.back().is_none_or(|(_, chapter)| !chapter.is_empty()) {
            self.chapters.push_back((self.begun, vec![]));
            self.begun += 1;
        }
    }

    /// Remember one more moment of it.
    pub(crate) fn remember(&mut self, moment: Moment) {
        if self.chapters.back().is_none_or(|(_, chapter)| chapter.len() >= LONGEST) {
            self.begin();
        }
        if let Some((_, chapter)) = self.chapters.back_mut() {
            chapter.push(moment);
            self.moments += 1;
        }
        while self.moments > self.capacity && self.chapters.len() > 1 {
            self.moments -= self.chapters.pop_front().map_or(0, |(_, chapter)| chapter.len());
        }
    }

    /// All of it. A chapter stays on its side for good: what was measured on once is not learnt from later.
    pub(crate) fn recall(&self) -> Recalled {
        let mut recalled = Recalled::default();
        for (number, chapter) in self.chapters.iter().filter(|(_, chapter)| !chapter.is_empty()) {
            let side = if number % HELD_OUT == WHICH { &mut recalled.held } else { &mut recalled.learnt };
            side.push(chapter.clone());
        }
        recalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(value: usize) -> Moment {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let latent = vec![value as f32];
        Moment { latent, ..Moment::default() }
    }

    fn first_of(lives: &[Life]) -> Vec<f32> {
        lives.iter().map(|life| life[0].latent[0]).collect()
    }

    #[test]
    fn whole_chapters_are_forgotten_and_every_fifth_is_never_learnt_from() {
        let mut chronicle = Chronicle::new(100);
        let mut held = Vec::new();
        for life in 0..40 {
            chronicle.begin();
            chronicle.begin();
            (0..10).for_each(|_| chronicle.remember(moment(life)));
            let recalled = chronicle.recall();
            held.extend(first_of(&recalled.held));
            assert!(first_of(&recalled.learnt).iter().all(|number| !held.contains(number)));
        }
        let Recalled { learnt, held } = chronicle.recall();
        assert_eq!((first_of(&held), learnt.len()), (vec![31.0, 36.0], 8));
        assert!(learnt.iter().chain(&held).all(|life| life.len() == 10));
    }

    #[test]
    fn a_long_life_has_chapters() {
        let mut chronicle = Chronicle::new(10_000);
        chronicle.begin();
        (0..2 * LONGEST + 1).for_each(|step| chronicle.remember(moment(step)));
        let Recalled { learnt, held } = chronicle.recall();
        assert_eq!((first_of(&learnt), first_of(&held)), (vec![0.0, 1000.0], vec![500.0]));
        chronicle.begin();
        assert_eq!(chronicle.recall().learnt.len(), 2, "nothing of the next life yet");
    }
}
