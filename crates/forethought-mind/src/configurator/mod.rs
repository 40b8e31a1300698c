//! The configurator: sets the agent's task, moment by moment, by configuring the other modules: which drives count and how much,
//! how far ahead to plan and in which mode, what perception attends to (Dawid & LeCun 2023, Sec. 2.3). Read first:
//! [`ConfiguratorSpec`] and `Configurator`.

mod deliberation;
mod learned;
mod trial;

pub use deliberation::{MixedSpec, Reason};
pub use learned::{Learned, LearnedCard, TaskCalibration};
pub use trial::TaskPractice;

pub(crate) use deliberation::{Deliberation, Outlook};
pub(crate) use learned::Adviser;
pub(crate) use trial::Trial;

use crate::actor::{ActorSpec, Mode, planners::PlannerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tasks, and what says which of them is on.
///
/// By rules, the first one decides at each control step whose conditions all hold; where none does, the task stays what it is,
/// and the agent begins with the first task. A learned configurator decides now and then which task costs least in the long run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfiguratorSpec {
    /// What the agent may be at.
    pub tasks: Vec<TaskSpec>,
    /// When it is at what, the most pressing first.
    #[serde(default)]
    pub rules: Vec<RuleSpec>,
    /// Whether these rules decide, or what the agent has learnt in practice (`training.practice.configurator`); `--configurator`
    /// overrides it.
    #[serde(default)]
    pub by: By,
}

/// What decides which task is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum By {
    /// The configurator's rules.
    #[default]
    Rules,
    /// What the agent's model has learnt that each task costs.
    Learned,
}

impl ConfiguratorSpec {
    /// Leave out what is said of drives that the agent lives without; a rule that asks for one never holds.
    pub fn forget(&mut self, drives: &[String]) {
        self.tasks.iter_mut().for_each(|task| task.weights.retain(|name, _| !drives.contains(name)));
        let gone = |test: &Test| {
            let signal = test.signal();
            drives.iter().any(|drive| signal == drive || signal.strip_prefix("critic.") == Some(drive))
        };
        self.rules.retain(|rule| !rule.when.iter().any(gone));
    }
}

/// A task: how the other modules are configured. What it does not say stays as the agent's own settings have it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// Its name.
    pub name: String,
    /// What the drives' weights are multiplied by, by the drive's name (`hunger`, `keep_clear`, ...); 1 for those not named.
    #[serde(default)]
    pub weights: BTreeMap<String, f32>,
    /// How the actor comes to its actions.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// The planner: with [`PlannerName::Hierarchical`] all levels of the world model plan.
    #[serde(default)]
    pub planner: Option<PlannerName>,
    /// Control steps that are imagined.
    #[serde(default)]
    pub horizon: Option<u32>,
    /// How much of a random walk Mode-1 adds.
    #[serde(default)]
    pub restless: Option<f32>,
    /// Senses that perception does not attend to, by what their channels' names begin with (`scent.food`): they seem to sense
    /// what they mostly do.
    #[serde(default)]
    pub ignores: Vec<String>,
}

impl TaskSpec {
    /// The actor, configured for this task.
    pub(crate) fn configure(&self, actor: &ActorSpec) -> ActorSpec {
        ActorSpec {
            mode: self.mode.unwrap_or(actor.mode),
            planner: self.planner.unwrap_or(actor.planner),
            horizon: self.horizon.unwrap_or(actor.horizon),
            restless: self.restless.unwrap_or(actor.restless),
            ..actor.clone()
        }
    }
}

/// A rule: a task for when all its conditions hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The conditions; without any the rule always holds.
    #[serde(default)]
    pub when: Vec<Test>,
    /// The task's name.
    pub task: String,
    /// For how many control steps the task is then on at least: only rules above this one can end it earlier.
    #[serde(default)]
    pub at_least: u32,
}

/// A condition on a signal: a drive's present cost before its weight (`hunger`), what the critic expects it to cost
/// (`critic.hunger`), how familiar the present place is (`novelty`), one of the body's own senses (`energy`, `health`, `light`, `dusk_in`, ...), or `surprise`, the world model's
/// latest error of prediction in units of what it has mostly been in this life: the uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Test {
    /// The signal is above this.
    Above(String, f32),
    /// The signal is below this.
    Below(String, f32),
}

impl Test {
    /// The signal's name.
    #[must_use]
    pub fn signal(&self) -> &str {
        match self {
            Self::Above(signal, _) | Self::Below(signal, _) => signal,
        }
    }

    /// Why it holds, in words; none where it does not.
    fn holds(&self, signal: &dyn Fn(&str) -> Option<f32>) -> Option<String> {
        let value = signal(self.signal())?;
        match self {
            Self::Above(signal, than) => (value > *than).then(|| format!("{signal} {value:.2} above {than}")),
            Self::Below(signal, than) => (value < *than).then(|| format!("{signal} {value:.2} below {than}")),
        }
    }
}

/// Which task is on, since when, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Configurator {
    spec: ConfiguratorSpec,
    /// Who decides in place of the rules.
    chooser: Option<Chooser>,
    current: usize,
    /// The rule that chose it, and when that last held.
    chosen: Option<(usize, u32)>,
    reason: String,
}

/// Who decides where no rules do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Chooser {
    /// Who has learnt what tasks cost.
    Adviser(Adviser),
    /// Who wants to know.
    Trial(Box<Trial>),
}

impl Configurator {
    /// The first task is on.
    pub(crate) fn new(spec: &ConfiguratorSpec, chooser: Option<Chooser>) -> Self {
        Self { spec: spec.clone(), chooser, current: 0, chosen: None, reason: "the first task".into() }
    }

    /// Back to the first task; what chance there is comes from `seed`.
    pub(crate) fn restart(&mut self, seed: u64) {
        let mut chooser = self.chooser.take();
        if let Some(Chooser::Trial(trial)) = &mut chooser {
            trial.restart(seed);
        }
        *self = Self::new(&self.spec, chooser);
    }

    /// Whether rules decide.
    pub(crate) fn is_by_rules(&self) -> bool {
        self.chooser.is_none()
    }

    /// Where the task that is on stands among the tasks.
    pub(crate) fn task_index(&self) -> usize {
        self.current
    }

    /// The task that is on.
    pub(crate) fn task(&self) -> Option<&TaskSpec> {
        self.spec.tasks.get(self.current)
    }

    /// Why it is on.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether some rule asks for this signal.
    pub(crate) fn asks_for(&self, signal: &str) -> bool {
        self.is_by_rules() && self.spec.rules.iter().flat_map(|rule| &rule.when).any(|test| test.signal() == signal)
    }

    /// Decide by these signs `[latent + 1]` at control step `now`; true where another task begins.
    pub(crate) fn choose(&mut self, signs: &[f32], now: u32) -> bool {
        let choice = match &mut self.chooser {
            None => None,
            Some(Chooser::Adviser(adviser)) => adviser.choose(signs, now, self.current),
            Some(Chooser::Trial(trial)) => trial.choose(signs, now, self.current),
        };
        let Some((task, reason)) = choice else { return false };
        let changed = task != self.current;
        if changed || now == 0 {
            (self.current, self.reason) = (task, reason);
        }
        changed
    }

    /// Decide by the rules and by what each `signal` now is at control step `now`; true where another task begins.
    pub(crate) fn configure(&mut self, signal: &dyn Fn(&str) -> Option<f32>, now: u32) -> bool {
        for (index, rule) in self.spec.rules.iter().enumerate() {
            if let Some((held, at)) = self.chosen
                && index > held
                && now < at.saturating_add(self.spec.rules[held].at_least)
            {
                return false;
            }
            let reasons: Option<Vec<String>> = rule.when.iter().map(|test| test.holds(signal)).collect();
            let (Some(reasons), Some(task)) = (reasons, self.spec.tasks.iter().position(|task| task.name == rule.task))
            else {
                continue;
            };
            self.chosen = Some((index, now));
            if task == self.current {
                return false;
            }
            self.current = task;
            self.reason = if reasons.is_empty() { "nothing else presses".into() } else { reasons.join(", ") };
            return true;
        }
        false
    }
}

/// What is wrong with a configurator for an agent with these drives and body senses, if anything: at which path, and what.
#[must_use]
pub fn fault(spec: &ConfiguratorSpec, drives: &[&str], senses: &[String]) -> Option<(String, String)> {
    if spec.tasks.is_empty() {
        return Some(("tasks".into(), "there is no task".into()));
    }
    for (index, task) in spec.tasks.iter().enumerate() {
        if let Some(unknown) = task.weights.keys().find(|name| !drives.contains(&name.as_str())) {
            let what = format!("`{unknown}` is no drive of this agent; it has {}", drives.join(", "));
            return Some((format!("tasks[{index}].weights"), what));
        }
    }
    for (index, rule) in spec.rules.iter().enumerate() {
        if !spec.tasks.iter().any(|task| task.name == rule.task) {
            return Some((format!("rules[{index}].task"), format!("there is no task `{}`", rule.task)));
        }
        for (at, test) in rule.when.iter().enumerate() {
            let signal = test.signal();
            let drive = |name: &str| name != "reach" && drives.contains(&name);
            let known = signal == "surprise"
                || drive(signal)
                || signal.strip_prefix("critic.").is_some_and(|name| drives.contains(&name))
                || senses.iter().any(|sense| sense == signal);
            if !known {
                let what = format!(
                    "`{signal}` is no signal of this agent; there are its drives ({}), each with `critic.` before it, its body's senses ({}) and `surprise`",
                    drives.join(", "),
                    senses.join(", ")
                );
                return Some((format!("rules[{index}].when[{at}]"), what));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ConfiguratorSpec {
        let task = |name: &str| TaskSpec { name: name.into(), ..TaskSpec::default() };
        let rule = |when: &[Test], task: &str, at_least| RuleSpec { when: when.to_vec(), task: task.into(), at_least };
        ConfiguratorSpec {
            tasks: vec![task("rest"), task("eat"), task("flee")],
            rules: vec![
                rule(&[Test::Above("pain".into(), 0.1)], "flee", 3),
                rule(&[Test::Below("energy".into(), 0.5)], "eat", 5),
                rule(&[], "rest", 0),
            ],
            by: By::Rules,
        }
    }

    #[test]
    fn the_most_pressing_rule_decides_and_holds_for_a_while() {
        let mut configurator = Configurator::new(&spec(), None);
        let signals = |pain: f32, energy: f32| {
            move |name: &str| match name {
                "pain" => Some(pain),
                "energy" => Some(energy),
                _ => None,
            }
        };
        let name = |configurator: &Configurator| configurator.task().unwrap().name.clone();
        assert!(!configurator.configure(&signals(0.0, 0.9), 0) && name(&configurator) == "rest");
        assert!(configurator.configure(&signals(0.0, 0.4), 1) && name(&configurator) == "eat");
        assert_eq!(configurator.reason(), "energy 0.40 below 0.5");
        // It has eaten, and stays at it for the while that was asked for.
        assert!(!configurator.configure(&signals(0.0, 0.9), 2) && name(&configurator) == "eat");
        // What presses more ends it.
        assert!(configurator.configure(&signals(0.2, 0.9), 3) && name(&configurator) == "flee");
        assert!(!configurator.configure(&signals(0.0, 0.4), 5) && name(&configurator) == "flee");
        assert!(configurator.configure(&signals(0.0, 0.4), 6) && name(&configurator) == "eat");
        assert!(configurator.configure(&signals(0.0, 0.9), 11) && name(&configurator) == "rest");
        assert_eq!(configurator.reason(), "nothing else presses");
        assert!(configurator.asks_for("energy") && !configurator.asks_for("surprise"));
        configurator.restart(0);
        assert_eq!(configurator, Configurator::new(&spec(), None));
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        let senses = ["energy".to_owned()];
        let of = |spec: &ConfiguratorSpec| fault(spec, &["pain"], &senses).map(|(path, _)| path);
        assert_eq!(of(&spec()), None);
        assert_eq!(of(&ConfiguratorSpec::default()), Some("tasks".into()));
        let mut wrong = spec();
        wrong.tasks[1].weights.insert("thirst".into(), 2.0);
        assert_eq!(of(&wrong), Some("tasks[1].weights".into()));
        let mut wrong = spec();
        wrong.rules[2].task = "sleep".into();
        assert_eq!(of(&wrong), Some("rules[2].task".into()));
        let mut wrong = spec();
        wrong.rules[1].when.push(Test::Above("critic.hunger".into(), 1.0));
        assert_eq!(of(&wrong), Some("rules[1].when[1]".into()));
    }
}
