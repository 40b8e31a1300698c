//! Trying tasks out: a life in which they are taken up at random, or half at random, to learn which is worth it when. Read first:
//! [`TaskPractice`].

use super::learned::Adviser;
use crate::{
    Mind, Model,
    training::{LearnedConfiguratorSpec, TaskMoment},
};
use forethought_interface::{Detail, Observation, Think, ThinkError, Thought};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::{Arc, Mutex};

/// Which task to try.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    /// What is known already; nothing in the first round.
    adviser: Option<Adviser>,
    tasks: usize,
    decide_every: u32,
    /// The chances that a task that is tried goes on, and that one is tried in place of what is known to be best.
    goes_on: f64,
    tries: f64,
    trying: bool,
    rng: ChaCha8Rng,
}

impl Trial {
    pub(crate) fn new(spec: &LearnedConfiguratorSpec, tasks: usize, adviser: Option<Adviser>) -> Self {
        let ends = (f64::from(spec.decide_every) / f64::from(spec.lasts.max(1))).clamp(1e-3, 1.0);
        // A task that is tried lasts `1 / ends` decisions, one that is not a single one: so much of the time is spent on trying.
        let share = f64::from(spec.explore).clamp(0.0, 1.0);
        let tries = if adviser.is_some() { share * ends / (1.0 - share + share * ends) } else { 1.0 };
        Self {
            adviser,
            tasks,
            decide_every: spec.decide_every.max(1),
            goes_on: 1.0 - ends,
            tries,
            trying: false,
            rng: ChaCha8Rng::seed_from_u64(0),
        }
    }

    /// A new life.
    pub(crate) fn restart(&mut self, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed ^ 2);
        self.trying = false;
    }

    /// The task to be at from now on; none where it stays what it is.
    pub(crate) fn choose(&mut self, signs: &[f32], now: u32, current: usize) -> Option<(usize, String)> {
        if !now.is_multiple_of(self.decide_every) || self.trying && self.rng.gen_bool(self.goes_on) {
            return None;
        }
        self.trying = self.rng.gen_bool(self.tries);
        match &self.adviser {
            Some(adviser) if !self.trying => adviser.choose(signs, now, current),
            _ => Some((self.rng.gen_range(0..self.tasks), "tries it".into())),
        }
    }
}

/// A mind that tries its tasks, and remembers what its life cost meanwhile.
pub struct TaskPractice {
    mind: Mind,
    model: Arc<Model>,
    memory: Arc<Mutex<Vec<TaskMoment>>>,
}

impl TaskPractice {
    /// A mind that was made with [`Mind::trying_tasks`], and where its memories can be had afterwards.
    #[must_use]
    pub fn new(mind: Mind, model: Arc<Model>) -> (Self, Arc<Mutex<Vec<TaskMoment>>>) {
        let memory = Arc::new(Mutex::new(vec![]));
        (Self { mind, model, memory: memory.clone() }, memory)
    }
}

impl Think for TaskPractice {
    fn begin(&mut self, seed: u64) {
        self.mind.begin(seed);
        if let Ok(mut memory) = self.memory.lock() {
            memory.clear();
        }
    }

    fn think(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        let model = self.model.clone();
        let present = self.mind.perceive(&model, observation, goal)?;
        let thought = self.mind.live(&model, present.clone(), detail)?;
        let cost = self.mind.own_cost(&present, &thought.action.values);
        let moment = TaskMoment { signs: self.mind.signs(&present), task: self.mind.task_index(), cost };
        if let Ok(mut memory) = self.memory.lock() {
            memory.push(moment);
        }
        Ok(thought)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        configurator::{
            TaskSpec,
            learned::{Learned, LearnedCard},
        },
        network::{Dense, Mlp},
    };

    fn spec() -> LearnedConfiguratorSpec {
        LearnedConfiguratorSpec { decide_every: 10, lasts: 40, explore: 0.3, ..LearnedConfiguratorSpec::default() }
    }

    /// The tasks of a long life.
    fn life(trial: &mut Trial, seed: u64) -> Vec<usize> {
        trial.restart(seed);
        let mut current = 0;
        let step = |now| {
            current = trial.choose(&[0.0], now, current).map_or(current, |(task, _)| task);
            current
        };
        (0..20_000).map(step).collect()
    }

    fn share(life: &[usize], task: usize) -> f32 {
        life.iter().filter(|other| **other == task).count() as f32 / life.len() as f32
    }

    #[test]
    fn at_first_all_are_tried_alike_and_for_as_long_as_was_asked_for() {
        let mut trial = Trial::new(&spec(), 4, None);
        let tried = life(&mut trial, 5);
        assert!((0..4).all(|task| (share(&tried, task) - 0.25).abs() < 0.08));
        // One in four is the same as before.
        let switches = tried.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!((300..450).contains(&switches), "{switches}");
        assert_eq!(tried, life(&mut trial, 5));
        assert_ne!(tried, life(&mut trial, 6));
    }

    #[test]
    fn later_so_much_of_the_time_is_spent_on_trying() {
        let tasks = ["a", "b", "c"].map(str::to_owned).to_vec();
        let card = LearnedCard {
            tasks: tasks.clone(),
            hidden: vec![],
            discount: 0.9,
            lasts: 40,
            decide_every: 10,
            hysteresis: 0.0,
            lives: 1,
            calibration: vec![],
        };
        // The second is always best.
        let layer = Dense { inputs: 1, outputs: 3, weight: vec![0.0; 3], bias: vec![1.0, 0.0, 1.0] };
        let learned = Arc::new(Learned::new(card, Mlp { layers: vec![layer] }));
        let tasks: Vec<TaskSpec> = tasks.into_iter().map(|name| TaskSpec { name, ..TaskSpec::default() }).collect();
        let mut trial = Trial::new(&spec(), 3, Adviser::new(learned, &tasks));
        let tried = life(&mut trial, 5);
        // Two thirds of the trials are of the other two.
        assert!((share(&tried, 1) - 0.8).abs() < 0.06, "{}", share(&tried, 1));
    }
}
