//! What agents with a configurator were at, when that changed and why. Read first: [`TaskLog`], then [`Tasks`]; [`TasksBy`] is
//! what a user may choose of it.

use forethought_interface::Vitals;
use forethought_mind::configurator::{By, ConfiguratorSpec};
use forethought_world::{AgentBodySpec, StepRecord};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// No more switches of an episode are kept.
pub const MOST_SWITCHES: usize = 1000;

/// The tasks of one episode's agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskLog {
    /// When tasks began, in order: the first one of each agent, and all others until there are 1,000.
    pub switches: Vec<Switch>,
    /// Switches after those that are kept.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_out: u64,
    /// How much of the time each task was on, by name.
    pub at: BTreeMap<String, TimeAt>,
    /// The agents that had tasks, by number.
    pub agents: BTreeSet<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A task that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The agent's name.
    pub agent: String,
    /// Control steps that had been done before: 0 where it is the agent's first.
    pub step: u32,
    /// The task's name.
    pub task: String,
    /// Why the configurator chose it.
    pub reason: String,
}

/// The time at one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeAt {
    /// Control steps, of all agents together.
    pub steps: u64,
    /// The same as a share of those at any task.
    pub share: f64,
    /// How often it was taken up in place of another.
    pub taken_up: u64,
}

impl TaskLog {
    /// Count the latest control step of these agents; the log begins with the first task. The dead are at none.
    pub fn count(log: &mut Option<Self>, bodies: &[AgentBodySpec], record: &StepRecord) {
        for (index, agent) in record.agents.iter().enumerate() {
            let task = agent.thought.as_ref().and_then(|thought| thought.task.as_ref());
            let Some(task) = task.filter(|_| agent.vitals.as_ref().is_none_or(Vitals::alive)) else { continue };
            let log = log.get_or_insert_default();
            log.agents.insert(index);
            let at = log.at.entry(task.name.clone()).or_default();
            at.steps += 1;
            let step = record.step.saturating_sub(1);
            at.taken_up += u64::from(task.began && step > 0);
            if task.began && log.switches.len() < MOST_SWITCHES {
                let agent = bodies.get(index).map_or_else(String::new, |body| body.name.clone());
                log.switches.push(Switch { agent, step, task: task.name.clone(), reason: task.reason.clone() });
            } else if task.began {
                log.left_out += 1;
            }
        }
    }

    /// The same with the shares, at the episode's end.
    #[must_use]
    pub fn ended(mut self) -> Self {
        let all: u64 = self.at.values().map(|at| at.steps).sum();
        self.at.values_mut().for_each(|at| at.share = at.steps as f64 / all.max(1) as f64);
        self
    }
}

/// The tasks of a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tasks {
    /// How often an agent took up another task in a life, on average.
    pub switches_per_life: f64,
    /// Each task, by name.
    pub at: BTreeMap<String, AtTask>,
}

/// One task of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct AtTask {
    /// The share of all control steps that it was on.
    pub share: f64,
    /// How often an agent took it up in place of another in a life, on average.
    pub taken_up_per_life: f64,
}

/// The tasks of a batch as its episodes end.
#[derive(Debug, Clone, Default)]
pub struct TasksTotal {
    lives: usize,
    at: BTreeMap<String, TimeAt>,
}

impl TasksTotal {
    /// Count one more episode.
    pub fn count(&mut self, log: &TaskLog) {
        self.lives += log.agents.len();
        for (name, time) in &log.at {
            let sum = self.at.entry(name.clone()).or_default();
            sum.steps += time.steps;
            sum.taken_up += time.taken_up;
        }
    }

    /// The numbers of these episodes; none without any task.
    #[must_use]
    pub fn tasks(&self) -> Option<Tasks> {
        let all: u64 = self.at.values().map(|time| time.steps).sum();
        let per_life = |count: u64| count as f64 / self.lives as f64;
        let of = |time: &TimeAt| AtTask {
            share: time.steps as f64 / all as f64,
            taken_up_per_life: per_life(time.taken_up),
        };
        (all > 0).then(|| Tasks {
            switches_per_life: per_life(self.at.values().map(|time| time.taken_up).sum()),
            at: self.at.iter().map(|(name, time)| (name.clone(), of(time))).collect(),
        })
    }
}

/// Shares of the time for people, the largest first.
pub fn shares<'a>(shares: impl Iterator<Item = (&'a String, f64)>) -> String {
    let mut shares: Vec<(&String, f64)> = shares.collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    let each = shares.into_iter().map(|(name, share)| format!("{:.0}% at {name}", share * 100.0));
    each.collect::<Vec<_>>().join(", ")
}

/// What sets the tasks, in place of what the scenario says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TasksBy {
    /// The configurators' rules.
    #[default]
    Rules,
    /// What the agents' models have learnt that tasks cost.
    Learned,
    /// Nothing: the agents do as their drives and their actors say.
    Nothing,
}

impl TasksBy {
    /// All there is.
    pub const ALL: [Self; 3] = [Self::Rules, Self::Learned, Self::Nothing];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Learned => "learned",
            Self::Nothing => "none",
        }
    }

    /// What a command-line name stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }

    /// The configurator as it then is.
    #[must_use]
    pub fn apply(self, spec: ConfiguratorSpec) -> Option<ConfiguratorSpec> {
        match self {
            Self::Rules => Some(ConfiguratorSpec { by: By::Rules, ..spec }),
            Self::Learned => Some(ConfiguratorSpec { by: By::Learned, ..spec }),
            Self::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{Death, Task, Thought};
    use forethought_world::AgentRecord;

    fn record(step: u32, task: &str, began: bool, died_of: Option<Death>) -> StepRecord {
        let task = Task { name: task.into(), reason: format!("at {step}"), began };
        let vitals =
            Vitals { energy_j: 1.0, energy: 0.5, health: 1.0, harm_per_s: 0.0, effort: 0.0, meals: 0, died_of };
        let thought = Some(Thought { task: Some(task), ..Thought::default() });
        let agent = AgentRecord { thought, vitals: Some(vitals), ..AgentRecord::default() };
        StepRecord { step, agents: vec![AgentRecord::default(), agent], ..StepRecord::default() }
    }

    /// An episode of so many steps in which the task is another one at every fourth.
    fn episode(steps: u32) -> TaskLog {
        let mut log = None;
        for step in 1..=steps {
            let task = if (step - 1) % 8 < 4 { "eat" } else { "rest" };
            TaskLog::count(&mut log, &[], &record(step, task, (step - 1) % 4 == 0, None));
        }
        TaskLog::count(&mut log, &[], &record(steps + 1, "rest", true, Some(Death::Starved)));
        log.unwrap().ended()
    }

    #[test]
    fn switches_and_time_are_counted_until_the_end() {
        let log = episode(12);
        let steps: Vec<(u32, &str)> = log.switches.iter().map(|switch| (switch.step, &switch.task[..])).collect();
        assert_eq!(steps, [(0, "eat"), (4, "rest"), (8, "eat")]);
        assert_eq!(log.switches[1].reason, "at 5");
        let eat = log.at["eat"];
        assert_eq!((eat.steps, eat.taken_up, log.at["rest"].taken_up, log.left_out), (8, 1, 1, 0));
        assert!((eat.share - 2.0 / 3.0).abs() < 1e-9);
        let read: TaskLog = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
        assert_eq!(read, log);

        let mut total = TasksTotal::default();
        [log, episode(4)].iter().for_each(|log| total.count(log));
        let tasks = total.tasks().unwrap();
        assert_eq!((tasks.switches_per_life, tasks.at["rest"].taken_up_per_life), (1.0, 0.5));
        assert!((tasks.at["eat"].share - 0.75).abs() < 1e-9, "{tasks:?}");
        assert_eq!(shares(tasks.at.iter().map(|(name, at)| (name, at.share))), "75% at eat, 25% at rest");
        assert_eq!(TasksTotal::default().tasks(), None);
    }

    #[test]
    fn the_log_is_bounded_and_tells_what_it_leaves_out() {
        let log = episode(4 * 1500);
        assert_eq!((log.switches.len(), log.left_out), (1000, 500));
        assert_eq!(log.at["eat"].taken_up + log.at["rest"].taken_up, 1499);
        // What nobody is at is no log.
        let mut none = None;
        TaskLog::count(&mut none, &[], &StepRecord::default());
        assert_eq!(none, None);
    }
}
