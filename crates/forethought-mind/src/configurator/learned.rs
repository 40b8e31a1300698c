//! What taking up each task is expected to cost, learnt from lives in which tasks were tried: the configurator without rules.
//! Read first: [`Learned`].

use super::TaskSpec;
use crate::{network::Mlp, world_model::encoder::Encoder};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a learned configurator says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnedCard {
    /// The tasks that it chooses among, by name.
    pub tasks: Vec<String>,
    /// Hidden layers of its network.
    pub hidden: Vec<usize>,
    /// What a cost counts one prediction later.
    pub discount: f32,
    /// For how many control steps, on average, a task is thought to be on once it is taken up.
    pub lasts: u32,
    /// Control steps between two decisions.
    pub decide_every: u32,
    /// Another task is taken up where it is expected to cost less by this share.
    pub hysteresis: f32,
    /// Lives that it was learnt from.
    pub lives: usize,
    /// How well its estimates agree with what came, on lives that it did not learn from.
    pub calibration: Vec<TaskCalibration>,
}

/// Expected against realised cost of the moments at one task, in the latest round of practice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskCalibration {
    /// The task.
    pub task: String,
    /// States that were looked at.
    pub states: usize,
    /// The share of the realised costs' variance that the estimates explain.
    pub r2: f32,
    /// The estimates' mean error: above 0 where they are too high.
    pub bias: f32,
}

impl LearnedCard {
    /// What about it makes no sense, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.tasks.is_empty() {
            return Some("a configurator without tasks");
        }
        let sound = (0.0..1.0).contains(&self.discount) && self.decide_every > 0 && self.hysteresis >= 0.0;
        (!sound).then_some("a configurator that never decides")
    }
}

/// For each task `o` a network tells `Q(s, o) = (1 - g) E sum_i g^(i-1) c(s_i)`: the mean of the agent's intrinsic cost, weighed
/// as its own drives weigh whatever the task, in the states `s_1, s_2, ...` one prediction apart that follow on `s` if the task
/// is taken up there, goes on for a while, and the configurator then decides again. What comes later counts less by the discount
/// `g`. A task is an option (Sutton, Precup & Singh, 1999); a better one may interrupt it at every decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    pub(crate) card: LearnedCard,
    /// `[latent + 1]` to a value for each task.
    pub(crate) network: Encoder,
}

impl Learned {
    pub(crate) fn new(card: LearnedCard, mlp: Mlp) -> Self {
        Self { card, network: Encoder::new(mlp) }
    }

    /// What it says of itself.
    #[must_use]
    pub fn card(&self) -> &LearnedCard {
        &self.card
    }

    /// What each task of the card is expected to cost by each row of `signs` `[rows, latent + 1]`, a state and how familiar its
    /// place is: `[rows, tasks]`.
    #[must_use]
    pub fn expected(&self, signs: &[f32]) -> Vec<f32> {
        self.network.forward(signs, false).0
    }
}

/// A learned configurator that knows an agent's tasks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adviser {
    learned: Arc<Learned>,
    /// For each of the agent's tasks, where it stands in the card.
    order: Vec<usize>,
}

impl Adviser {
    /// None where it knows other tasks than these, or not all of them.
    pub(crate) fn new(learned: Arc<Learned>, tasks: &[TaskSpec]) -> Option<Self> {
        let known = &learned.card.tasks;
        let order = tasks.iter().map(|task| known.iter().position(|name| *name == task.name));
        let order: Option<Vec<usize>> = order.collect();
        let order = order.filter(|order| order.len() == known.len())?;
        Some(Self { learned, order })
    }

    /// At a step where there is something to decide: the task that costs least by these signs `[latent + 1]`, and why. Another than
    /// the present one only where it is worth it; at the first step none is on yet.
    pub(crate) fn choose(&self, signs: &[f32], now: u32, current: usize) -> Option<(usize, String)> {
        let card = &self.learned.card;
        if !now.is_multiple_of(card.decide_every) {
            return None;
        }
        let told = self.learned.expected(signs);
        let expected: Vec<f32> = self.order.iter().map(|at| told[*at]).collect();
        let mut ranked: Vec<usize> = (0..expected.len()).collect();
        ranked.sort_by(|a, b| expected[*a].total_cmp(&expected[*b]));
        let (best, present) = (ranked[0], expected[current]);
        if now > 0 && expected[best] >= present - card.hysteresis * present.abs() {
            return None;
        }
        let each = ranked.iter().map(|task| format!("{:.2} by {}", expected[*task], card.tasks[self.order[*task]]));
        Some((best, format!("expects {}", each.collect::<Vec<_>>().join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Dense;

    fn task(name: &str) -> TaskSpec {
        TaskSpec { name: name.into(), ..TaskSpec::default() }
    }

    /// Expects of `rest` what the state says, and of `eat` always 0.5.
    fn learned() -> Arc<Learned> {
        let card = LearnedCard {
            tasks: vec!["rest".into(), "eat".into()],
            hidden: vec![],
            discount: 0.9,
            lasts: 20,
            decide_every: 10,
            hysteresis: 0.1,
            lives: 1,
            calibration: vec![],
        };
        let layer = Dense { inputs: 1, outputs: 2, weight: vec![1.0, 0.0], bias: vec![0.0, 0.5] };
        Arc::new(Learned::new(card, Mlp { layers: vec![layer] }))
    }

    #[test]
    fn the_cheapest_task_is_taken_up_where_it_is_worth_it() {
        // The agent has them the other way round: 0 is eating, 1 resting.
        let adviser = Adviser::new(learned(), &[task("eat"), task("rest")]).unwrap();
        let chosen = |resting: f32, now, current| adviser.choose(&[resting], now, current).map(|(task, _)| task);
        assert_eq!(adviser.choose(&[0.25], 0, 0), Some((1, "expects 0.25 by rest, 0.50 by eat".into())));
        assert_eq!(chosen(0.25, 20, 0), Some(1));
        // Between decisions, and where it makes little difference, the task goes on.
        assert_eq!((chosen(0.25, 25, 0), chosen(0.46, 20, 0), chosen(0.54, 20, 1)), (None, None, None));
        assert_eq!((chosen(0.44, 20, 0), chosen(0.57, 20, 1)), (Some(1), Some(0)));
        // At the first step there is none to go on with.
        assert_eq!((chosen(0.46, 0, 0), chosen(0.54, 0, 0)), (Some(1), Some(0)));
    }

    #[test]
    fn other_tasks_are_told() {
        for tasks in [&["eat"][..], &["eat", "flee"], &["eat", "rest", "flee"]] {
            let tasks: Vec<TaskSpec> = tasks.iter().map(|name| task(name)).collect();
            assert_eq!(Adviser::new(learned(), &tasks), None, "{tasks:?}");
        }
        assert_eq!(learned().card.fault(), None);
        let none = LearnedCard { tasks: vec![], ..learned().card.clone() };
        let never = LearnedCard { decide_every: 0, ..learned().card.clone() };
        assert!(none.fault().is_some() && never.fault().is_some());
    }
}
