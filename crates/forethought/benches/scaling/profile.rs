//! Where the time of a control step goes on two_rooms with its committed model. The gradient planner's decision is made again
//! out of the same public operations with a clock between them, once with dfdx's own operations and once with the fused ones.
//! Read first: [`profile`].

use crate::{
    measure::median,
    unrolling::{Fused, Stock, Unrolling},
};
use dfdx::prelude::{Backward, Cpu, OwnedTape, PutTape, SplitTape, SumTo, Tape, Tensor, TensorFromVec, Trace};
use forethought::{
    locate,
    scenario::Episode,
    setup::{Setup, SetupOptions, drives_of},
};
use forethought_energy::{TapedScalar, distance::Distance, numbers};
use forethought_interface::{Detail, Observation, Think};
use forethought_mind::{
    Mind, Model,
    actor::{ActorSpec, exploration::ExplorationSpec, planners::PlannerName},
    cost::drives::DriveSpec,
};
use forethought_world::{Sandbox, observation_layout};
use indicatif::ProgressBar;
use std::{
    array,
    hint::black_box,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

const SCENARIO: &str = "two_rooms";
/// Control steps of each episode that is played: in the scenario's episodes the agent is then on its way.
const STEPS: u32 = 30;
/// Bounds of a start's actions before `atanh`, as in the planner.
const BOUND: f32 = 0.97;

/// What a decision takes beyond the parts that are timed.
pub const REST: &str = "ranking and the rest";

/// What one part takes, in seconds.
pub struct Row {
    pub part: &'static str,
    /// With dfdx's own operations.
    pub before: f64,
    /// With the fused ones.
    pub after: f64,
}

/// Where the time goes.
pub struct Profile {
    /// The sizes of the model and of a plan.
    pub about: String,
    pub iteration: Vec<Row>,
    pub decision: Vec<Row>,
    /// What the mind itself takes for a decision, without clocks between its parts.
    pub think: f64,
    pub step: Vec<Row>,
}

/// How much to measure: so many rounds of decisions, so many episodes of control steps.
#[derive(Clone, Copy)]
pub struct Rounds {
    pub decisions: usize,
    pub episodes: u64,
}

impl Rounds {
    pub const FULL: Self = Self { decisions: 60, episodes: 24 };
    pub const TRIAL: Self = Self { decisions: 1, episodes: 1 };
}

/// Seconds of one planning iteration's parts, or of several iterations'.
#[derive(Clone, Copy, Default)]
struct Parts {
    forward: f64,
    energy: f64,
    adjoint: f64,
    update: f64,
}

impl Parts {
    const NAMES: [&str; 4] = ["rollout, forward", "energy, there and back", "rollout, adjoint", "tanh and Adam"];

    fn values(&self) -> [f64; 4] {
        [self.forward, self.energy, self.adjoint, self.update]
    }

    fn add(&mut self, other: &Self) {
        self.forward += other.forward;
        self.energy += other.energy;
        self.adjoint += other.adjoint;
        self.update += other.update;
    }
}

/// Everything that a decision starts from.
struct Case {
    setup: Setup,
    model: Arc<Model>,
    file: PathBuf,
    actor: ActorSpec,
    drives: Vec<DriveSpec>,
    episode: Episode,
    observation: Observation,
    goal: Observation,
}

impl Case {
    fn load() -> Self {
        let path = locate::scenario_file(SCENARIO).expect("the scenario is there");
        let options = SetupOptions { seed: 0, actor: Some(PlannerName::Gradient), ..SetupOptions::default() };
        let setup = Setup::load(&path, &options).expect("the scenario and its model load");
        let agent = &setup.loaded.scenario.agents[0];
        let model = agent.model.as_ref().expect("the agent has a model");
        let file = path.parent().map_or_else(|| PathBuf::from(model), |folder| folder.join(model));
        let actor = ActorSpec { planner: PlannerName::Gradient, ..agent.actor.clone() };
        let episode = setup.draw(0).expect("an episode can be drawn");
        let drives = drives_of(agent, &episode);
        let model = Arc::new(Model::load(&file).expect("the model loads"));
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(setup.minds(&episode).expect("the model fits"));
        sandbox.reset(&episode.world, episode.seed).expect("the world is in order");
        (0..5).for_each(|_| sandbox.control_step().expect("the step succeeds"));
        let record = &sandbox.record().agents[0];
        let (observation, goal) = (record.observation.clone(), record.goal.clone().expect("the agent has a target"));
        Self { setup, model, file, actor, drives, episode, observation, goal }
    }

    /// A mind that plans anew each time, or acts at random.
    fn mind(&self, planner: PlannerName) -> Mind {
        let body = &self.episode.world.agents[0];
        let actor = ActorSpec { planner, replan_every: 1, ..self.actor.clone() };
        let exploration: &ExplorationSpec = &self.setup.loaded.scenario.training.exploration;
        let (layout, action_len) = (observation_layout(body), self.model.card().action_len);
        let mut mind = Mind::new(Some(self.model.clone()), &layout, action_len, &actor, &self.drives, exploration)
            .expect("the model fits");
        mind.begin(1);
        mind
    }

    fn think(&self, mind: &mut Mind) -> Vec<f32> {
        mind.think(&self.observation, Some(&self.goal), Detail::Brief).expect("it can think").action.values
    }

    /// The latent of the present and that of the goal.
    fn encode(&self) -> [Vec<f32>; 2] {
        let perceive = |observation| self.model.card().perception.perceive(observation).expect("the senses are sound");
        [&self.observation, &self.goal].map(|observation| self.model.encode(&perceive(observation)))
    }

    /// How many calls of the predictor a future takes. One call stands for several control steps, and takes their actions
    /// side by side.
    fn horizon(&self) -> usize {
        self.actor.horizon as usize / self.model.stride()
    }

    fn about(&self) -> String {
        let (spec, plan) = (&self.model.card().world_model, &self.actor.gradient);
        format!(
            "{SCENARIO}: latent {}, predictor's hidden layers {:?}, horizon {} in predictions of {} control steps, {} starts of \
             which {} are refined {} times, planned anew every {} steps",
            spec.latent,
            spec.predictor_hidden,
            self.actor.horizon,
            spec.stride,
            plan.starts,
            plan.refined.min(plan.starts),
            plan.iterations,
            self.actor.replan_every
        )
    }
}

/// A decision under way.
struct Plan<'a> {
    case: &'a Case,
    horizon: usize,
    latent: Vec<f32>,
    goal: Vec<f32>,
    u: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    batch: usize,
    /// The energies at the last iteration.
    energies: Vec<f32>,
}

/// Seconds since `at`, which then is now.
fn lap(at: &mut Instant) -> f64 {
    let now = Instant::now();
    let seconds = (now - *at).as_secs_f64();
    *at = now;
    seconds
}

/// Has the way back say when it passes here.
fn stamp(tape: &mut OwnedTape<f32, Cpu>) -> Arc<Mutex<Instant>> {
    let passed = Arc::new(Mutex::new(Instant::now()));
    let at = passed.clone();
    tape.add_backward_op(move |_| {
        *at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(())
    });
    passed
}

impl<'a> Plan<'a> {
    /// From `batch` sequences of `actions`.
    fn new(case: &'a Case, actions: &[f32], batch: usize) -> Self {
        let [latent, goal] = case.encode();
        let count = case.horizon() * batch * case.model.predictor().action_len();
        let u: Vec<f32> = actions[..count].iter().map(|action| action.clamp(-BOUND, BOUND).atanh()).collect();
        let (first, second) = (vec![0.0; count], vec![0.0; count]);
        Self { case, horizon: case.horizon(), latent, goal, u, first, second, batch, energies: vec![] }
    }

    /// One planning iteration.
    fn iterate(&mut self, way: &impl Unrolling, number: u32) -> Parts {
        let (device, mut parts, mut at) = (Cpu::default(), Parts::default(), Instant::now());
        let rows = self.horizon * self.batch;
        let start = device.tensor_from_vec(self.latent.repeat(self.batch), (self.batch, self.latent.len()));
        let leaf = device.tensor_from_vec(self.u.clone(), (rows, self.u.len() / rows));
        let (actions, mut tape) = leaf.leaky_trace().tanh().split_tape();
        let out_of_rollout = stamp(&mut tape);
        parts.update += lap(&mut at);
        let (latents, mut tape) = way.unroll(&start, actions.clone().put_tape(tape));
        parts.forward += lap(&mut at);
        let into_rollout = stamp(&mut tape);
        let total = self.total(way, &latents, &actions, tape);
        self.energies = self.judge(latents.iter().flat_map(numbers), &numbers(&actions));
        parts.energy += lap(&mut at);
        let gradient = total.backward().get(&leaf).as_vec();
        let [into, out] = [into_rollout, out_of_rollout].map(|t| *t.lock().unwrap_or_else(PoisonError::into_inner));
        parts.energy += (into - at).as_secs_f64();
        parts.adjoint += (out - into).as_secs_f64();
        at = out;
        self.update(&gradient, number);
        parts.update += lap(&mut at);
        parts
    }

    /// The sum of all energies, on the tape.
    fn total(
        &self,
        way: &impl Unrolling,
        latents: &[forethought_energy::Matrix],
        actions: &forethought_energy::Matrix,
        tape: OwnedTape<f32, Cpu>,
    ) -> TapedScalar {
        let zero: Tensor<(), f32, Cpu> = Cpu::default().tensor_from_vec(vec![0.0], ());
        let (mut total, mut tape) = (zero, tape);
        for drive in &self.case.drives {
            match drive {
                DriveSpec::Reach(reach) => {
                    for latents in latents {
                        let distance = way.distance(latents.clone().put_tape(tape), &self.goal);
                        (total, tape) =
                            (distance * (reach.weight.value_f32() / self.horizon as f32) + total).split_tape();
                    }
                }
                DriveSpec::Effort(effort) => {
                    let squares = actions.clone().put_tape(tape).square().sum();
                    (total, tape) =
                        (squares * (effort.weight.value_f32() / self.case.actor.horizon as f32) + total).split_tape();
                }
                // It profiles scenarios that have neither others nor needs.
                _ => {}
            }
        }
        total.put_tape(tape)
    }

    /// The energy of each future: from its latents and actions, time first.
    fn judge(&self, latents: impl IntoIterator<Item = f32>, actions: &[f32]) -> Vec<f32> {
        let latents: Vec<f32> = latents.into_iter().collect();
        let mut energies = vec![0.0; self.batch];
        for drive in &self.case.drives {
            match drive {
                DriveSpec::Reach(_) => {
                    for (row, latent) in latents.chunks_exact(self.goal.len()).enumerate() {
                        energies[row % self.batch] += Distance::Smooth.of(latent, &self.goal);
                    }
                }
                DriveSpec::Effort(_) => {
                    for (row, action) in actions.chunks_exact(self.u.len() / (self.horizon * self.batch)).enumerate() {
                        energies[row % self.batch] += action.iter().map(|a| a * a).sum::<f32>();
                    }
                }
                _ => {}
            }
        }
        energies
    }

    fn update(&mut self, gradient: &[f32], number: u32) {
        let rate = self.case.actor.gradient.learning_rate;
        let (correct1, correct2) = (1.0 - 0.9_f32.powf(number as f32), 1.0 - 0.999_f32.powf(number as f32));
        for (i, g) in gradient.iter().enumerate() {
            self.first[i] += 0.1 * (g - self.first[i]);
            self.second[i] += 0.001 * (g * g - self.second[i]);
            self.u[i] -= rate * (self.first[i] / correct1) / ((self.second[i] / correct2).sqrt() + 1e-8);
        }
    }

    /// Imagine without a gradient.
    fn look(&self, way: &impl Unrolling) -> Parts {
        let (mut parts, mut at) = (Parts::default(), Instant::now());
        let actions: Vec<f32> = self.u.iter().map(|u| u.tanh()).collect();
        parts.update += lap(&mut at);
        let latents = way.look(&self.latent.repeat(self.batch), &actions, self.batch);
        parts.forward += lap(&mut at);
        black_box(self.judge(latents, &actions));
        parts.energy += lap(&mut at);
        parts
    }
}

/// What the planner does from the drawn starts on: choose where it chooses, refine, and look at the last plans.
fn decide(case: &Case, way: &impl Unrolling, actions: &[f32]) -> Parts {
    let spec = &case.actor.gradient;
    let (starts, refined) = (spec.starts as usize, spec.refined.min(spec.starts) as usize);
    let mut parts = Parts::default();
    if refined < starts {
        parts.add(&Plan::new(case, actions, starts).look(way));
    }
    let mut plan = Plan::new(case, actions, refined);
    for number in 1..=spec.iterations {
        parts.add(&plan.iterate(way, number));
    }
    parts.add(&plan.look(way));
    parts
}

/// The parts of a first planning iteration, and the energies that it finds.
fn first_iteration(case: &Case, way: &impl Unrolling, actions: &[f32], batch: usize) -> (Parts, Vec<f32>) {
    let mut plan = Plan::new(case, actions, batch);
    (plan.iterate(way, 1), plan.energies)
}

/// What the second of two runs gives: the first finds the caches and the allocator as the work before it left them.
fn warm<R>(mut work: impl FnMut() -> R) -> R {
    black_box(work());
    work()
}

fn timed<R>(work: impl FnOnce() -> R) -> f64 {
    let began = Instant::now();
    black_box(work());
    began.elapsed().as_secs_f64()
}

/// The median of each column.
fn medians<const N: usize>(rounds: &[[f64; N]]) -> [f64; N] {
    array::from_fn(|column| median(rounds.iter().map(|round| round[column]).collect()))
}

/// Seconds of a control step of the scenario, on average: all of it, the mind's thoughts, sensing.
fn control_steps(case: &Case, episodes: u64, bar: &ProgressBar) -> [f64; 3] {
    let mut rounds = Vec::new();
    for index in 0..episodes {
        let episode = case.setup.draw(index).expect("an episode can be drawn");
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(case.setup.minds(&episode).expect("the model fits"));
        sandbox.reset(&episode.world, episode.seed).expect("the world is in order");
        let mut sums = [0.0; 3];
        for _ in 0..STEPS {
            sums[0] += timed(|| sandbox.control_step().expect("the step succeeds"));
            sums[1] += sandbox.record().agents[0].think_time.as_secs_f64();
            sums[2] += timed(|| sandbox.observe(0));
        }
        rounds.push(sums.map(|sum| sum / f64::from(STEPS)));
        bar.inc(1);
    }
    medians(&rounds)
}

/// Measure all of it, on the calling thread's pool. The bar moves by [`moves`].
pub fn profile(rounds: Rounds, bar: &ProgressBar) -> Profile {
    let case = Case::load();
    let (fused, stock) = (Fused(case.model.predictor().clone()), Stock::load(&case.file));
    let (mut planner, mut walker) = (case.mind(PlannerName::Gradient), case.mind(PlannerName::Random));
    let sequences = case.actor.gradient.starts as usize * case.actor.horizon as usize;
    let refined = case.actor.gradient.refined.min(case.actor.gradient.starts) as usize;
    let (mut iterations, mut decisions, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds.decisions {
        let mut actions = Vec::with_capacity(sequences * case.model.card().action_len);
        let draw = timed(|| (0..sequences).for_each(|_| actions.extend(case.think(&mut walker))));
        others.push([warm(|| timed(|| case.encode())), draw, warm(|| timed(|| case.think(&mut planner)))]);
        let [before, after] = [
            warm(|| first_iteration(&case, &stock, &actions, refined)),
            warm(|| first_iteration(&case, &fused, &actions, refined)),
        ];
        if round == 0 {
            check_alike(&before.1, &after.1);
        }
        iterations.push([before.0.values(), after.0.values()].concat());
        let parts = [warm(|| decide(&case, &stock, &actions)), warm(|| decide(&case, &fused, &actions))];
        decisions.push(parts.map(|parts| parts.values()).concat());
        bar.inc(1);
    }
    let step = control_steps(&case, rounds.episodes, bar);
    let [iterations, decisions] = [iterations, decisions].map(|rounds| {
        let rounds: Vec<[f64; 8]> = rounds.into_iter().map(|round| array::from_fn(|column| round[column])).collect();
        medians(&rounds)
    });
    let [encode, draw, think] = medians(&others);
    let decision = decision([encode, draw, think], decisions);
    let step = control_step(step, &decision, case.actor.replan_every);
    Profile { about: case.about(), iteration: rows(iterations), decision, think, step }
}

/// How often [`profile`] moves the bar.
pub fn moves(rounds: Rounds) -> u64 {
    rounds.decisions as u64 + rounds.episodes
}

/// Both ways must imagine the same.
fn check_alike(before: &[f32], after: &[f32]) {
    for (before, after) in before.iter().zip(after) {
        assert!(
            (before - after).abs() < 1e-2 * before.abs(),
            "dfdx's own operations say {before}, the fused ones {after}"
        );
    }
}

fn rows(parts: [f64; 8]) -> Vec<Row> {
    Parts::NAMES.iter().enumerate().map(|(i, part)| Row { part, before: parts[i], after: parts[4 + i] }).collect()
}

/// A whole decision; what the mind took beyond the parts is the rest.
fn decision([encode, draw, think]: [f64; 3], parts: [f64; 8]) -> Vec<Row> {
    let alike = |part, seconds| Row { part, before: seconds, after: seconds };
    let mut all = vec![alike("perceive and encode", encode), alike("draw the starts", draw)];
    all.extend(rows(parts));
    let rest = think - all.iter().map(|row| row.after).sum::<f64>();
    if rest > 0.0 {
        all.push(alike(REST, rest));
    }
    all
}

fn control_step([whole, think, sense]: [f64; 3], decision: &[Row], replan_every: u32) -> Vec<Row> {
    let saved: f64 = decision.iter().map(|row| row.before - row.after).sum();
    vec![
        Row { part: "senses, rays", before: sense, after: sense },
        Row { part: "mind", before: think + saved / f64::from(replan_every), after: think },
        Row { part: "physics and records", before: whole - think - sense, after: whole - think - sense },
    ]
}
