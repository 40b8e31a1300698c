//! What can be said of a scenario without drawing it: names, references, counts and rates. Read first: [`check`].

mod memory;

use super::{
    AgentSpec, Condition, Draw, FactorSpec, Scenario, expression,
    nearest::{listed, nearest},
    problem::Finding,
};
use forethought_interface::{Num, Numbers};
use forethought_mind::{
    actor::{
        ActorSpec,
        planners::{PlannerName, Uncertainty},
    },
    cost::drives::{DriveSpec, KeepClearSpec, Likeness},
    training::{
        LearnedConfiguratorSpec, TrainingSpec,
        objectives::{
            BarlowTwinsSpec, ByolSpec, InfoNceSpec, Objective, PairwiseHingeSpec, SigRegSpec, SimSiamSpec, VicRegSpec,
        },
    },
    world_model::LatentVariableSpec,
};
use std::{
    collections::HashSet,
    fmt::Display,
    path::{Component, Path, PathBuf},
};

/// The version of the format.
pub(super) const SCHEMA: u32 = 1;

/// What is wrong with the scenario by itself. `partly` tells lists that could not be read whole, in which a name that
/// is missed may well be.
pub(super) fn check(scenario: &Scenario, partly: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut check = Check { scenario, partly, findings: Vec::new() };
    check.head();
    check.factors();
    check.names();
    for (index, agent) in scenario.agents.iter().enumerate() {
        let path = format!("agents[{index}]");
        check.agent(&path, agent);
        check.memory(&path, agent);
        check.actor(&format!("{path}.actor"), &agent.actor);
    }
    check.conditions();
    check.training("training", &scenario.training);
    check.findings
}

/// The longest expression: the time to read one grows with its square.
const LONGEST_EXPRESSION: usize = 400;
/// The longest name.
const LONGEST_NAME: usize = 64;
/// The most shapes that grow by themselves, and the most factors that do.
const MOST_GROWN: usize = 8;
/// The longest of the lists whose items meet each other.
const MOST: [(&str, usize); 6] =
    [("factors", 256), ("bodies", 4096), ("agents", 256), ("targets", 4096), ("zones", 4096), ("foods", 256)];

/// What nobody writes by hand, and nobody should wait for: too much of a thing.
pub(super) fn check_size(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lengths = [
        scenario.factors.len(),
        scenario.bodies.len(),
        scenario.agents.len(),
        scenario.targets.len(),
        scenario.zones.len(),
        scenario.foods.len(),
    ];
    for ((list, most), length) in MOST.into_iter().zip(lengths) {
        if length > most {
            findings.push(Finding::new(list, format!("{length} of them"), format!("at most {most}"), "write fewer"));
        }
    }
    let is_maze = |factor: &&FactorSpec| matches!(factor.draw, Draw::Maze { .. });
    let zones = scenario.zones.iter().map(|zone| zone.shape.grown());
    let shapes: usize = scenario.bodies.iter().map(|body| body.shape.grown()).chain(zones).sum();
    let mazes = scenario.factors.iter().filter(is_maze).count();
    for (list, what, count) in [("bodies", "shapes", shapes), ("factors", "factors", mazes)] {
        if count > MOST_GROWN {
            let found = format!("{count} {what} that are generated, such as `Maze`");
            findings.push(Finding::new(list, found, format!("at most {MOST_GROWN}"), "write fewer"));
        }
    }
    for (path, name) in names(scenario) {
        if name.len() > LONGEST_NAME {
            let (found, expected) = (format!("a name of {} letters", name.len()), format!("at most {LONGEST_NAME}"));
            findings.push(Finding::new(path, found, expected, "write a shorter one"));
        }
    }
    scenario.clone().numbers("", &mut |path, num| {
        if let Num::Expression(text) = num
            && text.len() > LONGEST_EXPRESSION
        {
            let found = format!("an expression of {} characters", text.len());
            let remedy = "give its parts names, as `Fixed` factors";
            findings.push(Finding::new(path, found, format!("at most {LONGEST_EXPRESSION}"), remedy));
        }
    });
    findings
}

/// Everything that has a name, and where the name stands.
fn names(scenario: &Scenario) -> impl Iterator<Item = (String, &str)> {
    let factors = scenario.factors.iter().map(|factor| ("factors", factor.name.as_str())).enumerate();
    let bodies = scenario.bodies.iter().map(|body| ("bodies", body.name.as_str())).enumerate();
    let agents = scenario.agents.iter().map(|agent| ("agents", agent.name.as_str())).enumerate();
    let targets = scenario.targets.iter().map(|target| ("targets", target.name.as_str())).enumerate();
    let zones = scenario.zones.iter().map(|zone| ("zones", zone.name.as_str())).enumerate();
    let foods = scenario.foods.iter().map(|food| ("foods", food.name.as_str())).enumerate();
    let all = factors.chain(bodies).chain(agents).chain(targets).chain(zones).chain(foods);
    all.map(|(index, (list, name))| (format!("{list}[{index}].name"), name))
}

struct Check<'a> {
    scenario: &'a Scenario,
    partly: &'a dyn Fn(&str) -> bool,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn report(
        &mut self,
        path: impl Into<String>,
        found: impl Display,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.findings.push(Finding::new(path, found.to_string(), expected, remedy));
    }

    /// A number with bounds that belong to it.
    fn within<T: PartialOrd + Display>(&mut self, path: String, value: T, low: T, high: T, remedy: &str) {
        if !(value >= low && value <= high) {
            self.report(path, value, format!("a number from {low} to {high}"), remedy);
        }
    }

    fn at_least(&mut self, path: String, value: u32, low: u32, remedy: &str) {
        if value < low {
            self.report(path, value, format!("at least {low}"), remedy);
        }
    }

    fn positive(&mut self, path: String, value: f32, remedy: &str) {
        if !(value > 0.0 && value.is_finite()) {
            self.report(path, value, "a number above 0", remedy);
        }
    }

    fn not_negative(&mut self, path: String, value: f32, remedy: &str) {
        if !(value >= 0.0 && value.is_finite()) {
            self.report(path, value, "0 or more", remedy);
        }
    }

    fn head(&mut self) {
        let scenario = self.scenario;
        if scenario.schema != SCHEMA {
            let expected = format!("{SCHEMA}, the version that this program reads");
            let remedy = "write 1, or use a version of the program that reads this one";
            self.report("schema", scenario.schema, expected, remedy);
        }
        let name = &scenario.name;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let remedy = "name it as its file, for example \"two_rooms\"";
            self.report("name", format!("\"{name}\""), "letters, digits and underscores", remedy);
        }
        if scenario.agents.is_empty() {
            self.report("agents", "an empty list", "at least one agent", "add one");
        }
        if scenario.episode.max_steps == 0 {
            self.report("episode.max_steps", 0, "at least 1 control step", "write how long an episode may last");
        }
    }

    fn factors(&mut self) {
        let mut seen: HashSet<String> = HashSet::new();
        for (index, factor) in self.scenario.factors.iter().enumerate() {
            let name = &factor.name;
            let path = format!("factors[{index}].name");
            let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if name.is_empty() || !letters || name.starts_with(|c: char| c.is_ascii_digit()) {
                let expected = "letters, digits and underscores, not beginning with a digit";
                self.report(path, format!("\"{name}\""), expected, "rename it, for example \"wall_x\"");
            } else if name.len() <= LONGEST_NAME && !expression::is_free(name) {
                let found = format!("\"{name}\", which expressions read as something else");
                self.report(path, found, "a name of its own", "rename it, for example by adding a unit");
            } else {
                // A maze gives several names. All are taken, but the first that was is told.
                let taken: Vec<String> = factor.names().into_iter().filter(|name| !seen.insert(name.clone())).collect();
                if let Some(name) = taken.first() {
                    let found = format!("a second factor \"{name}\"");
                    self.report(path, found, "a name of its own", "rename one of them");
                }
            }
        }
    }

    /// Names say something. That they are unique, the world sees to.
    fn names(&mut self) {
        let named = names(self.scenario).filter(|(path, name)| name.trim().is_empty() && !path.starts_with("factors"));
        for (path, _) in named {
            self.report(path, "an empty text", "a name", "write what it is");
        }
    }

    fn agent(&mut self, path: &str, agent: &AgentSpec) {
        if agent.sensors.is_empty() {
            let remedy = "add one, such as `Proprioception()`";
            self.report(format!("{path}.sensors"), "an empty list", "at least one sensor", remedy);
        }
        let mut first: Option<&str> = None;
        for (index, drive) in agent.drives.iter().enumerate() {
            if let DriveSpec::KeepClear(KeepClearSpec { distance_m: Num::Literal(distance_m), .. }) = drive {
                let at = format!("{path}.drives[{index}].distance_m");
                self.within(at, *distance_m, 0.01, 2.0, "write how near is too near, for example 0.5");
            }
            let DriveSpec::Reach(reach) = drive else { continue };
            if reach.by == Likeness::Place && agent.actor.critic {
                let found = "`Place`, but the actor's critic expects distances of latents";
                let remedy = "write `critic: false` in `actor`, or leave out `by`";
                self.report(format!("{path}.drives[{index}].by"), found, "`Latent`", remedy);
            }
            let path = format!("{path}.drives[{index}].target");
            self.known(path.clone(), &reach.target, "target", &["targets"]);
            match first {
                Some(first) if first != reach.target => {
                    let expected = format!("`{first}`, as in the `Reach` before");
                    let remedy = "an agent imagines one goal at a time: remove one of the two";
                    self.report(path, format!("`{}`", reach.target), expected, remedy);
                }
                _ => first = Some(&reach.target),
            }
        }
    }

    fn actor(&mut self, path: &str, actor: &ActorSpec) {
        let of = |field: &str| format!("{path}.{field}");
        self.within(of("horizon"), actor.horizon, 1, 10_000, "write how many control steps to imagine");
        if actor.horizon > 0 && !(1..=actor.horizon).contains(&actor.replan_every) {
            let expected = format!("a number from 1 to the horizon, {}", actor.horizon);
            self.report(of("replan_every"), actor.replan_every, expected, "write a smaller one, or a longer `horizon`");
        }
        if let Uncertainty::RiskAverse { spread } = actor.uncertainty {
            self.not_negative(of("uncertainty.spread"), spread, "write about 2");
        }
        let gradient = &actor.gradient;
        self.within(of("gradient.starts"), gradient.starts, 1, 1_000_000, "write how many futures to imagine first");
        self.within(of("gradient.iterations"), gradient.iterations, 0, 100_000, "write fewer");
        self.positive(of("gradient.learning_rate"), gradient.learning_rate, "write about 0.15");
        self.at_least(of("cem.iterations"), actor.cem.iterations, 1, "write about 4");
        let elite = actor.cem.elite_fraction;
        if !(elite > 0.0 && elite <= 1.0) {
            self.report(of("cem.elite_fraction"), elite, "a share above 0, up to 1", "write about 0.15");
        }
        self.at_least(of("mppi.iterations"), actor.mppi.iterations, 1, "write about 4");
        self.positive(of("mppi.temperature"), actor.mppi.temperature, "write about 0.1");
        self.positive(of("mppi.noise"), actor.mppi.noise, "write about 0.6");
    }

    fn conditions(&mut self) {
        let end = &self.scenario.episode;
        let lists = [("success", &end.success), ("failure", &end.failure)];
        for (list, conditions) in lists {
            for (index, condition) in conditions.iter().enumerate() {
                let of = |field: &str| format!("episode.{list}[{index}].{field}");
                match condition {
                    Condition::Reached { agent, target } => {
                        self.known(of("agent"), agent, "agent", &["agents"]);
                        self.known(of("target"), target, "target", &["targets"]);
                    }
                    Condition::Inside { body, zone } => {
                        self.known(of("body"), body, "agent or body", &["agents", "bodies"]);
                        self.known(of("zone"), zone, "zone", &["zones"]);
                    }
                    Condition::Bumped { agent, into, impulse_n_s } => {
                        self.known(of("agent"), agent, "agent", &["agents"]);
                        if let Some(into) = into {
                            self.known(of("into"), into, "agent or body", &["agents", "bodies"]);
                        }
                        if impulse_n_s.value() < 0.0 {
                            let found = impulse_n_s.value();
                            self.report(of("impulse_n_s"), found, "0 or more", "write 0 for the slightest touch");
                        }
                    }
                    Condition::LeftArena { agent } => self.known(of("agent"), agent, "agent", &["agents"]),
                    Condition::Died { agent } => self.mortal(of("agent"), agent),
                    Condition::Survived { agent, steps } => {
                        self.mortal(of("agent"), agent);
                        if !(1..=end.max_steps).contains(steps) {
                            let expected = format!("a number from 1 to `max_steps`, {}", end.max_steps);
                            self.report(of("steps"), steps, expected, "write fewer, or a longer `max_steps`");
                        }
                    }
                    Condition::AllArrived => {
                        let reaches =
                            |agent: &AgentSpec| agent.drives.iter().any(|drive| matches!(drive, DriveSpec::Reach(_)));
                        if !self.scenario.agents.iter().any(reaches) && !(self.partly)("agents") {
                            let found = "`AllArrived`, but no agent has a target";
                            let remedy = "give the agents a drive such as `Reach(target: \"goal\")`";
                            self.report(format!("episode.{list}[{index}]"), found, "an agent with a target", remedy);
                        }
                    }
                }
            }
        }
    }

    /// The name of an agent that can die.
    fn mortal(&mut self, path: String, name: &str) {
        self.known(path.clone(), name, "agent", &["agents"]);
        let named = self.scenario.agents.iter().find(|agent| agent.name == name);
        if named.is_some_and(|agent| agent.metabolism.is_none()) {
            let found = format!("`{name}`, which has no metabolism and cannot die");
            self.report(path, found, "an agent with a metabolism", "write `metabolism: ()` beside its sensors");
        }
    }

    /// A name that refers to something in one of these lists.
    fn known(&mut self, path: String, name: &str, what: &str, lists: &[&str]) {
        let scenario = self.scenario;
        let mut names: Vec<&str> = Vec::new();
        for list in lists {
            match *list {
                "agents" => names.extend(scenario.agents.iter().map(|agent| agent.name.as_str())),
                "bodies" => names.extend(scenario.bodies.iter().map(|body| body.name.as_str())),
                "targets" => names.extend(scenario.targets.iter().map(|target| target.name.as_str())),
                _ => names.extend(scenario.zones.iter().map(|zone| zone.name.as_str())),
            }
        }
        if names.contains(&name) || lists.iter().any(|list| (self.partly)(list)) {
            return;
        }
        let list = lists.last().copied().unwrap_or_default();
        let (expected, remedy) = match (&names[..], nearest(name, names.iter().copied())) {
            ([], _) => (format!("the name of a {what}, but there are none"), format!("add one to `{list}`")),
            ([_, _, ..], Some(meant)) => (listed(names.iter().copied()), format!("did you mean `{meant}`?")),
            _ => (listed(names.iter().copied()), format!("correct the name, or add it to `{list}`")),
        };
        self.report(path, format!("`{name}`, which is no {what}"), expected, remedy);
    }

    fn training(&mut self, path: &str, training: &TrainingSpec) {
        let of = |field: &str| format!("{path}.{field}");
        self.at_least(of("episodes"), training.episodes, 1, "write how many episodes to explore");
        self.at_least(of("updates"), training.updates, 1, "write how many gradient updates to make");
        self.at_least(of("batch"), training.batch, 1, "write how many sequences an update takes");
        self.at_least(of("unroll"), training.unroll, 1, "write how many predictions to make in a row");
        let span = u64::from(training.unroll).saturating_mul(training.world_model.stride as u64);
        if u64::from(training.steps) <= span {
            let expected = format!("more than `unroll` times `world_model.stride`, {span}");
            self.report(of("steps"), training.steps, expected, "write longer episodes, or a smaller `unroll`");
        }
        self.positive(of("learning_rate"), training.learning_rate, "write about 0.001");
        let learn = &training.learn;
        self.at_least(of("learn.every"), learn.every, 1, "write about 2000");
        self.at_least(of("learn.memory"), learn.memory, learn.every.max(1), "write about ten times `learn.every`");
        self.at_least(of("learn.batch"), learn.batch, 1, "write how many sequences an update takes");
        self.at_least(of("learn.unroll"), learn.unroll, 1, "write how many predictions to make in a row");
        self.not_negative(of("learn.margin"), learn.margin, "write about 1");
        self.positive(of("learn.learning_rate"), learn.learning_rate, "write about 0.0005");
        self.positive(of("learn.behaviour_learning_rate"), learn.behaviour_learning_rate, "write about 0.0003");
        self.not_negative(of("weight_decay"), training.weight_decay, "write 0 for none");
        self.positive(of("clip_norm"), training.clip_norm, "write about 1");
        let exploration = &training.exploration;
        self.not_negative(of("exploration.heading_noise_rad"), exploration.heading_noise_rad, "write 0 for none");
        let ratio = exploration.timescale_ratio;
        if !(ratio >= 1.0 && ratio.is_finite()) {
            self.report(of("exploration.timescale_ratio"), ratio, "1 or more", "write 1 for walks all alike");
        }
        let fresh = exploration.fresh_probability;
        self.within(of("exploration.fresh_probability"), fresh, 0.0, 1.0, "write a probability");
        let loss = &training.loss;
        for (field, weight) in [
            ("prediction", loss.prediction),
            ("temporal_similarity", loss.temporal_similarity),
            ("inverse_dynamics", loss.inverse_dynamics),
        ] {
            self.not_negative(of(&format!("loss.{field}")), weight, "write 0 to leave the term out");
        }
        self.objective(&of("objective"), &training.objective);
        if let Some(tasks) = training.practice.as_ref().and_then(|practice| practice.configurator.as_ref()) {
            self.tasks(&of("practice.configurator"), tasks);
        }
        let model = &training.world_model;
        self.within(of("world_model.stride"), model.stride, 1, 1000, "write the control steps of one prediction");
        self.within(of("world_model.latent"), model.latent, 1, 4096, "write the latent's width, for example 32");
        if let Some(LatentVariableSpec { codes, random_share }) = &model.latent_variable {
            let (at, most) = (of("world_model.latent_variable.codes"), LatentVariableSpec::MOST_CODES);
            self.within(at, *codes, 2, most, "write 2 for what goes one of two ways, or leave the latent variable out");
            let at = of("world_model.latent_variable.random_share");
            self.within(at, *random_share, 0.0, 1.0, "write a share, about 0.1");
        }
        for (field, widths) in [
            ("encoder_hidden", &model.encoder_hidden),
            ("predictor_hidden", &model.predictor_hidden),
            ("inverse_hidden", &model.inverse_hidden),
        ] {
            self.widths(&of(&format!("world_model.{field}")), widths);
        }
    }

    /// How the agent learns which task to be at.
    fn tasks(&mut self, path: &str, spec: &LearnedConfiguratorSpec) {
        let of = |field: &str| format!("{path}.{field}");
        let has_tasks = |agent: &AgentSpec| agent.configurator.as_ref().is_some_and(|own| !own.tasks.is_empty());
        if self.scenario.agents.first().is_some_and(|agent| !has_tasks(agent)) {
            let remedy = "give it `configurator: (tasks: [(name: \"eat\"), (name: \"rest\")])`, or leave this out";
            self.report(path, "nothing to learn: the first agent has no tasks", "an agent with tasks", remedy);
        }
        if !(0.0..1.0).contains(&spec.discount) {
            self.report(of("discount"), spec.discount, "a number from 0 to 1, below 1", "write about 0.97");
        }
        self.within(of("explore"), spec.explore, 0.0, 1.0, "write a share, about 0.3");
        self.not_negative(of("hysteresis"), spec.hysteresis, "write about 0.02");
        self.positive(of("learning_rate"), spec.learning_rate, "write about 0.001");
        self.at_least(of("decide_every"), spec.decide_every, 1, "write about 10 control steps");
        self.at_least(of("lasts"), spec.lasts, 1, "write about 40 control steps");
        self.at_least(of("updates"), spec.updates, 1, "write how many gradient updates to make");
        self.widths(&of("hidden"), &spec.hidden);
    }

    fn objective(&mut self, path: &str, objective: &Objective) {
        let of = |field: &str| format!("{path}.{field}");
        match objective {
            Objective::VicReg(VicRegSpec { variance, covariance, invariance, expander }) => {
                for (field, weight) in [("variance", variance), ("covariance", covariance), ("invariance", invariance)]
                {
                    self.not_negative(of(field), *weight, "write 0 to leave the term out");
                }
                self.widths(&of("expander"), expander);
            }
            Objective::BarlowTwins(BarlowTwinsSpec { weight, off_diagonal, expander }) => {
                self.not_negative(of("weight"), *weight, "write about 5");
                self.not_negative(of("off_diagonal"), *off_diagonal, "write about 0.05");
                self.widths(&of("expander"), expander);
            }
            Objective::Byol(ByolSpec { momentum, weight }) => {
                self.within(of("momentum"), *momentum, 0.0, 1.0, "write about 0.99");
                self.not_negative(of("weight"), *weight, "write about 1");
            }
            Objective::SimSiam(SimSiamSpec { weight }) => self.not_negative(of("weight"), *weight, "write about 1"),
            Objective::SigReg(SigRegSpec { weight, projections }) => {
                self.not_negative(of("weight"), *weight, "write about 0.05");
                self.within(of("projections"), *projections, 1, 4096, "write about 64");
            }
            Objective::InfoNce(InfoNceSpec { weight, temperature }) => {
                self.not_negative(of("weight"), *weight, "write about 1");
                self.positive(of("temperature"), *temperature, "write about 0.1");
            }
            Objective::PairwiseHinge(PairwiseHingeSpec { weight, margin }) => {
                self.not_negative(of("weight"), *weight, "write about 1");
                self.positive(of("margin"), *margin, "write about 1");
            }
        }
    }

    /// The widths of a network's layers.
    fn widths(&mut self, path: &str, widths: &[usize]) {
        if widths.len() > 16 {
            self.report(path, widths.len(), "at most 16 layers", "write fewer");
        }
        for (index, width) in widths.iter().enumerate() {
            self.within(format!("{path}[{index}]"), *width, 1, 8192, "write a layer's width, for example 256");
        }
    }
}

/// What is missing of the models that the scenario names. `file` is the scenario's own.
pub(super) fn check_models(scenario: &Scenario, file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, agent) in scenario.agents.iter().enumerate() {
        let Some(model) = &agent.model else { continue };
        let path = format!("agents[{index}].model");
        let wanted = tidy(&file.parent().unwrap_or(Path::new("")).join(model));
        let train = format!("forethought train {} --out {}", file.display(), wanted.display());
        if wanted.is_dir() {
            let remedy = format!("name a file in it, trained with `{train}/MODEL.safetensors`");
            findings.push(Finding::new(path, format!("\"{model}\", a folder"), "a model file", remedy));
        } else if !wanted.is_file() {
            let found = format!("\"{model}\", but there is no file {}", wanted.display());
            let remedy = format!("train it with `{train}`, or correct the path, which begins at the scenario's folder");
            findings.push(Finding::new(path, found, "a trained model", remedy));
        }
        if agent.drives.is_empty() && agent.actor.planner != PlannerName::Random {
            let path = format!("agents[{index}].drives");
            let remedy = "add one, such as `Reach(target: \"goal\")`, or write `actor: (planner: Random)`";
            findings.push(Finding::new(path, "none", "something that the agent plans for", remedy));
        }
    }
    findings
}

/// A path without detours through `..`, where that is sure to be the same.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        let into_folder = matches!(tidy.components().next_back(), Some(Component::Normal(_)));
        match component {
            Component::ParentDir if into_folder => drop(tidy.pop()),
            Component::CurDir => {}
            _ => tidy.push(component),
        }
    }
    tidy
}
