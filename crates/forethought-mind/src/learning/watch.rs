//! Whether the agent does worse since it took something up. Read first: [`Watch`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What tells how well an agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JudgedBy {
    /// Whether its lives succeed.
    Success,
    /// What its lives cost: the intrinsic cost of a control step, on average.
    Cost,
}

/// How well an agent did under some model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Lives, or blocks of control steps, that were looked at.
    pub samples: u32,
    /// The mean of success, or of what was spared: the more, the better.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
}

impl Standing {
    /// Count one more (Welford, 1962).
    fn count(&mut self, merit: f64) {
        self.samples += 1;
        let (count, before) = (f64::from(self.samples), merit - self.mean);
        self.mean += before / count;
        self.variance += (before * (merit - self.mean) - self.variance) / count;
    }

    /// Whether there is enough to judge by.
    fn tells(&self) -> bool {
        self.samples >= ENOUGH
    }

    /// Whether this is worse than `other` by more than chance explains: Welch's test of two means.
    fn clearly_below(&self, other: &Self) -> bool {
        let error = |standing: &Self| standing.variance / f64::from(standing.samples.max(2) - 1);
        let spread = (error(self) + error(other)).sqrt();
        self.tells() && other.tells() && other.mean - self.mean > CLEARLY * spread.max(1e-9)
    }
}

/// Samples below which nothing is concluded.
const ENOUGH: u32 = 10;
/// A difference is clear from so many of its standard errors on.
const CLEARLY: f64 = 2.5;
/// Control steps whose mean cost is one sample.
const BLOCK: u32 = 100;

/// Keeps count of how well the agent does, and what it did best with. A model is judged together with those before it that were
/// not in use for long enough.
#[derive(Debug, Clone)]
pub(crate) struct Watch<M> {
    judged_by: JudgedBy,
    present: Standing,
    best: Option<(M, Standing)>,
    /// The sum of the costs of the block under way, and its control steps.
    block: (f64, u32),
}

impl<M: Clone> Watch<M> {
    pub(crate) fn new(judged_by: JudgedBy) -> Self {
        Self { judged_by, present: Standing::default(), best: None, block: (0.0, 0) }
    }

    /// A life has ended.
    pub(crate) fn ended(&mut self, success: bool) {
        if self.judged_by == JudgedBy::Success {
            self.present.count(f64::from(u8::from(success)));
        }
    }

    /// A control step cost so much.
    pub(crate) fn cost(&mut self, cost: f32) {
        if self.judged_by == JudgedBy::Cost && cost.is_finite() {
            self.block = (self.block.0 + f64::from(cost), self.block.1 + 1);
            if self.block.1 == BLOCK {
                self.present.count(-self.block.0 / f64::from(BLOCK));
                self.block = (0.0, 0);
            }
        }
    }

    /// How well it does now.
    pub(crate) fn present(&self) -> Standing {
        self.present
    }

    /// How well it did with what it did best with.
    pub(crate) fn best(&self) -> Option<Standing> {
        self.best.as_ref().map(|(_, standing)| *standing)
    }

    /// What to go back to, where the agent does clearly worse with `present` than it did before: it is then as well known as it
    /// was.
    pub(crate) fn back(&mut self) -> Option<M> {
        let (model, standing) = self.best.as_ref().filter(|(_, best)| self.present.clearly_below(best))?;
        let model = model.clone();
        self.present = *standing;
        self.best = None;
        self.block = (0.0, 0);
        Some(model)
    }

    /// `present` is about to give way to another model.
    pub(crate) fn giving_way(&mut self, present: &M) {
        if !self.present.tells() {
            return;
        }
        if self.best.as_ref().is_none_or(|(_, best)| self.present.mean >= best.mean) {
            self.best = Some((present.clone(), self.present));
        }
        self.present = Standing::default();
        self.block = (0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(watch: &mut Watch<&'static str>, successes: u32, of: u32) {
        (0..of).for_each(|life| watch.ended(life < successes));
    }

    #[test]
    fn goes_back_to_what_was_clearly_better_only() {
        let mut watch = Watch::new(JudgedBy::Success);
        lives(&mut watch, 18, 20);
        watch.giving_way(&"first");
        assert_eq!((watch.present().samples, watch.best().unwrap().mean), (0, 0.9));
        lives(&mut watch, 15, 20);
        assert_eq!(watch.back(), None, "it may be chance");
        watch.giving_way(&"second");
        lives(&mut watch, 3, 9);
        assert_eq!(watch.back(), None, "too few lives");
        watch.giving_way(&"hardly used");
        lives(&mut watch, 6, 15);
        assert_eq!(watch.present().samples, 24);
        assert_eq!(watch.back(), Some("first"));
        assert_eq!(watch.present().mean, 0.9);
        assert_eq!(watch.back(), None);
    }

    #[test]
    fn costs_are_judged_in_blocks() {
        let mut watch = Watch::new(JudgedBy::Cost);
        watch.ended(true);
        (0..12 * BLOCK).for_each(|step| watch.cost(if step % 2 == 0 { 1.0 } else { 2.0 }));
        assert_eq!((watch.present().samples, watch.present().mean), (12, -1.5));
        watch.giving_way(&"cheap");
        (0..12 * BLOCK).for_each(|step| watch.cost(if step % 2 == 0 { 1.0 } else { 3.0 }));
        assert_eq!(watch.back(), Some("cheap"));
    }
}
