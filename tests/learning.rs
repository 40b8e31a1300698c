//! Learning, from experience to reaching goals, on a world small enough to train on in seconds: a point with inertia in a
//! walled square. Each figure asserted is one that an untrained or broken model does not reach, and that is checked too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use forethought_interface::{Action, Channel, Detail, Observation, ObservationLayout, Think, derive_seed};
use forethought_mind::{
    Mind, Model, ModelError, Practice,
    actor::{
        AboveSpec, ActorSpec, HierarchySpec, LowestSpec, Mode,
        exploration::ExplorationSpec,
        planners::{GradientSpec, PlannerName},
    },
    configurator::{By, ConfiguratorSpec, TaskPractice, TaskSpec},
    cost::drives::{DriveSpec, EffortSpec, Likeness, ReachSpec},
    learning::{JudgedBy, LearnSpec, Learning, LearningOptions, Living, Pace, Report},
    memory::Moment,
    training::{
        CriticSpec, Experience, ForesightSpec, LearnedConfiguratorSpec, Life, LossWeights, Objective, Part, PolicySpec,
        PracticeSpec, TaskMoment, TrainContext, TrainOutcome, TrainProgress, TrainState, TrainingSpec, Trajectory,
        fit_predictor, foresight_error, learn_tasks,
        objectives::{BarlowTwinsSpec, ByolSpec, InfoNceSpec, PairwiseHingeSpec, SigRegSpec, SimSiamSpec, VicRegSpec},
        practise, train,
    },
    world_model::{LevelSpec, WorldModelSpec},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

/// A point in the unit square: its velocity goes halfway to the commanded one at each step, walls stop it.
#[derive(Clone)]
struct Square {
    position: [f32; 2],
    velocity: [f32; 2],
}

const TOP_SPEED: f32 = 0.06;

impl Square {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        Self { position: [rng.gen_range(0.05..0.95), rng.gen_range(0.05..0.95)], velocity: [0.0; 2] }
    }

    fn step(&mut self, action: &[f32]) {
        for (axis, command) in action.iter().enumerate() {
            self.velocity[axis] += 0.5 * (TOP_SPEED * command.clamp(-1.0, 1.0) - self.velocity[axis]);
            let next = self.position[axis] + self.velocity[axis];
            self.position[axis] = next.clamp(0.0, 1.0);
            if next != self.position[axis] {
                self.velocity[axis] = 0.0;
            }
        }
    }

    fn observe(&self) -> Vec<f32> {
        let ([x, y], [u, v]) = (self.position, self.velocity);
        // Distances to the walls along the diagonals, besides position and velocity: more than two numbers to encode.
        vec![x, y, u, v, x.min(y), x.min(1.0 - y), (1.0 - x).min(y), (1.0 - x).min(1.0 - y)]
    }
}

fn layout() -> ObservationLayout {
    let channel = |name: &str, length: usize| Channel { name: name.into(), shape: vec![length] };
    ObservationLayout { channels: vec![channel("position", 2), channel("velocity", 2), channel("walls", 4)] }
}

fn explore(episodes: u32, steps: usize) -> Experience {
    let random = ActorSpec { planner: PlannerName::Random, ..ActorSpec::default() };
    let mut mind = Mind::new(None, &layout(), 2, &random, &[], &ExplorationSpec::default()).unwrap();
    let episodes = (0..episodes).map(|episode| {
        let seed = derive_seed(1, "train", u64::from(episode));
        mind.begin(seed);
        let mut world = Square::new(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut trajectory =
            Trajectory { observations: world.observe(), positions_m: vec![world.position], ..Trajectory::default() };
        for _ in 0..steps {
            let observation = Observation { values: world.observe() };
            let action = mind.think(&observation, None, Detail::Brief).unwrap().action;
            world.step(&action.values);
            trajectory.actions.extend(action.values);
            trajectory.observations.extend(world.observe());
            trajectory.positions_m.push(world.position);
        }
        trajectory
    });
    Experience { layout: layout(), action_len: 2, recalls: vec![], arena_m: [1.0, 1.0], episodes: episodes.collect() }
}

fn spec(updates: u32) -> TrainingSpec {
    // Little weight on slowness: in a few hundred updates it would win over all else.
    let loss = LossWeights { temporal_similarity: 0.1, ..LossWeights::default() };
    TrainingSpec {
        updates,
        loss,
        batch: 64,
        unroll: 6,
        learning_rate: 2e-3,
        world_model: WorldModelSpec {
            latent: 8,
            stride: 2,
            encoder_hidden: vec![64, 64],
            predictor_hidden: vec![64, 64],
            inverse_hidden: vec![64],
            ..WorldModelSpec::default()
        },
        ..TrainingSpec::default()
    }
}

/// A second level on the first, which predicts four control steps at once.
fn two_levels(updates: u32, above: u32) -> TrainingSpec {
    let level = LevelSpec { latent: 8, action: 4, updates: above, unroll: 4, ..LevelSpec::default() };
    let mut spec = spec(updates);
    spec.world_model.levels = vec![level];
    spec
}

fn context(jobs: usize) -> TrainContext {
    TrainContext { scenario: "square".into(), scenario_hash: 7, seed: 1, jobs }
}

/// Train to the end; also what was reported on the way.
fn trained(experience: &Experience, spec: &TrainingSpec, jobs: usize) -> (Model, Vec<TrainProgress>) {
    let mut reports = vec![];
    let outcome = train(experience, spec, &context(jobs), None, &mut |report| {
        reports.push(report.clone());
        ControlFlow::Continue(())
    });
    match outcome.unwrap() {
        TrainOutcome::Finished(model) => (*model, reports),
        TrainOutcome::Stopped(_) => unreachable!("nobody stopped it"),
    }
}

fn term(report: &TrainProgress, name: &str) -> f32 {
    report.terms.get(name).unwrap()
}

/// How many of `episodes` new starts and goals an actor reaches within 40 steps, to 0.05.
fn reached(model: &Arc<Model>, planner: PlannerName, episodes: u64) -> usize {
    reached_as(model, &ActorSpec { planner, ..ActorSpec::default() }, episodes)
}

/// The same, with levels that plan as `actor` says.
fn reached_as(model: &Arc<Model>, actor: &ActorSpec, episodes: u64) -> usize {
    let gradient = GradientSpec { starts: 64, refined: 8, iterations: 8, learning_rate: 0.15 };
    let actor = ActorSpec { horizon: 20, replan_every: 4, gradient, ..actor.clone() };
    let drives = [DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: 1.0.into(), by: Likeness::Latent })];
    let exploration = ExplorationSpec::default();
    let mut mind = Mind::new(Some(model.clone()), &layout(), 2, &actor, &drives, &exploration).unwrap();
    let attempt = |episode: &u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(2, "episode", *episode));
        let (mut world, goal) = (Square::new(&mut rng), Square::new(&mut rng));
        let target = Observation { values: goal.observe() };
        mind.begin(*episode);
        (0..40).any(|_| {
            let observation = Observation { values: world.observe() };
            let Action { values } = mind.think(&observation, Some(&target), Detail::Brief).unwrap().action;
            world.step(&values);
            let away = (world.position[0] - goal.position[0]).hypot(world.position[1] - goal.position[1]);
            away < 0.05
        })
    };
    (0..episodes).filter(attempt).count()
}

#[test]
fn a_trained_mind_reaches_goals_and_an_untrained_one_does_not() {
    let experience = explore(200, 40);
    let (model, reports) = trained(&experience, &spec(600), 2);
    let last = &reports[reports.len() - 1];
    // Not knowing the actions costs their variance, about a third.
    assert!(term(last, "inverse_dynamics") < 0.15, "{last:?}");
    assert!(last.effective_rank > 3.0, "collapsed: {last:?}");
    assert!(model.card().readout.r2.iter().all(|r2| *r2 > 0.97), "{:?}", model.card().readout.r2);

    let (untrained, _) = trained(&experience, &spec(0), 1);
    let (model, untrained) = (Arc::new(model), Arc::new(untrained));
    let (with, without) = (reached(&model, PlannerName::Gradient, 40), reached(&untrained, PlannerName::Gradient, 40));
    assert!(with >= 36, "trained: {with} of 40");
    assert!(without <= 20, "untrained: {without} of 40");
    assert!(reached(&model, PlannerName::Random, 40) <= 20);
}

/// Lives of practice in the square, each towards one target after another.
fn live(model: &Arc<Model>, practice: &PracticeSpec, round: u64, lives: u64) -> Vec<Life> {
    let gradient = GradientSpec { starts: 16, refined: 8, iterations: 6, learning_rate: 0.2 };
    let actor = ActorSpec { horizon: 20, replan_every: 4, gradient, ..ActorSpec::default() };
    let drives = [DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: 1.0.into(), by: Likeness::Latent })];
    let lead = |life: u64| {
        let mind = Mind::new(Some(model.clone()), &layout(), 2, &actor, &drives, &ExplorationSpec::default()).unwrap();
        let (mut practising, memory) = Practice::new(mind, model.clone(), practice, round > 0);
        let seed = derive_seed(3, "practice", 1000 * round + life);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut world, target) = (Square::new(&mut rng), Square::new(&mut rng));
        let target = Observation { values: target.observe() };
        practising.begin(seed);
        for _ in 0..practice.steps {
            let observation = Observation { values: world.observe() };
            let thought = practising.think(&observation, Some(&target), Detail::Brief).unwrap();
            world.step(&thought.action.values);
        }
        Practice::life(&memory)
    };
    (0..lives).map(lead).collect()
}

#[test]
fn practice_makes_a_policy_that_reaches_goals_and_a_critic_that_knows_how_far_they_are() {
    let (model, _) = trained(&explore(200, 40), &spec(600), 2);
    let policy = PolicySpec { hidden: vec![64, 64], updates: 800, learning_rate: 5e-3 };
    let critic = CriticSpec { hidden: vec![64], updates: 400, learning_rate: 3e-3, ..CriticSpec::default() };
    let practice =
        PracticeSpec { steps: 160, explore: 40, pursue: [15, 30], critic, policy, ..PracticeSpec::default() };
    let practised = |updates: Option<u32>| {
        let mut model = model.clone();
        let mut spec = practice.clone();
        (spec.policy.updates, spec.critic.updates) = (updates.unwrap_or(800), updates.unwrap_or(400));
        for round in 0..2 {
            let lives = live(&Arc::new(model.clone()), &spec, round, 40);
            model = practise(&model, &lives, &[], &spec, 5, &mut |_| ());
        }
        Arc::new(model)
    };
    let (learnt, ignorant) = (practised(None), practised(Some(1)));
    let mode1 = ActorSpec { mode: Mode::Mode1, ..ActorSpec::default() };
    let mixed = ActorSpec { mode: Mode::Mixed, critic: true, ..ActorSpec::default() };
    let by_policy = [reached_as(&learnt, &mode1, 40), reached_as(&ignorant, &mode1, 40)];
    assert!(by_policy[0] >= 30 && by_policy[1] <= 12, "of 40, the policy alone: {by_policy:?}");
    assert!(reached_as(&learnt, &mixed, 40) >= 36);

    // Of what lies ahead the critic tells the far from the near: its highest tenth of states did cost more than its lowest.
    let tenths = |model: &Model| {
        let tenths = model.critic().unwrap().card().calibration[0].tenths.clone();
        [tenths[0], tenths[tenths.len() - 1]]
    };
    let ([low, high], [dull, duller]) = (tenths(&learnt), tenths(&ignorant));
    assert!(high[0] > low[0] + 0.5 && high[1] > low[1] + 1.0 && duller[0] < dull[0] + 0.2, "{low:?}, {high:?}");
    // What is to be kept is not learnt anew.
    let mut spec = PracticeSpec { keeps: vec![Part::Critic], ..practice.clone() };
    spec.policy.updates = 1;
    assert_eq!((practice.updates(&learnt), spec.updates(&learnt)), (1200, 1));
    let again = practise(&learnt, &live(&learnt, &spec, 2, 2), &[], &spec, 5, &mut |_| ());
    assert!(again.critic() == learnt.critic() && again.policy() != learnt.policy());
    // Both survive their file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("practised.safetensors");
    learnt.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), *learnt);
    // What asks for them says so where they are missing.
    let refused = |actor: &ActorSpec| {
        let drives = [DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: 1.0.into(), by: Likeness::Latent })];
        let mind = Mind::new(Some(Arc::new(model.clone())), &layout(), 2, actor, &drives, &ExplorationSpec::default());
        mind.unwrap_err().to_string()
    };
    assert!(refused(&ActorSpec { horizon: 20, ..mode1 }).contains("needs a model with a policy"));
    assert!(refused(&ActorSpec { critic: true, ..ActorSpec::default() }).contains("needs a model with a critic"));
}

/// The world as it is where commands count for less, as it is remembered with this model.
fn slowed(model: &Model, share: f32) -> Vec<Life> {
    let mut walked = explore(60, 40);
    for episode in &mut walked.episodes {
        let mut world = Square { position: episode.positions_m[0], velocity: [0.0; 2] };
        episode.observations = world.observe();
        for action in episode.actions.chunks(2) {
            world.step(&action.iter().map(|command| share * command).collect::<Vec<_>>());
            episode.observations.extend(world.observe());
        }
    }
    let life = |episode: &Trajectory| {
        let view = &model.views(episode)[0];
        let moments = episode.actions.chunks(2).enumerate();
        let moment = |(at, action): (usize, &[f32])| Moment {
            latent: view.latent(at).to_vec(),
            action: action.to_vec(),
            ..Moment::default()
        };
        moments.map(moment).collect()
    };
    walked.episodes.iter().map(life).collect()
}

#[test]
fn a_predictor_learns_from_lives_that_the_world_has_changed() {
    let (model, _) = trained(&explore(200, 40), &spec(600), 2);
    let error = |model: &Model, lives: &[Life]| foresight_error(model, lives, 6).unwrap();
    let (same, changed) = (slowed(&model, 1.0), slowed(&model, 0.3));
    let (lived, held) = changed.split_at(45);
    let foresight =
        ForesightSpec { updates: 300, batch: 64, unroll: 6, learning_rate: 2e-3, ..ForesightSpec::default() };
    let learn = |updates, jobs| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().unwrap();
        let spec = ForesightSpec { updates, ..foresight.clone() };
        pool.install(|| fit_predictor(lived, &model, &spec, 5, &mut |_| ())).unwrap()
    };
    let (learnt, ignorant) = (learn(300, 2), learn(1, 2));
    let [before, after] = [error(&model, held), error(&learnt, held)];
    assert!(before > 3.0 * error(&model, &same) && after < 0.3 * before, "{before}, {after}");
    assert!(error(&ignorant, held) > 0.8 * before);
    assert_eq!(learnt, learn(300, 1));
    // Latents are what they were.
    assert_eq!(slowed(&learnt, 1.0), same);
    let short = &[lived[0][..12].to_vec()];
    let refused = fit_predictor(short, &model, &foresight, 5, &mut |_| ()).unwrap_err();
    assert!(refused.to_string().contains("no life is longer than the 12 control steps"), "{refused}");
    assert_eq!(foresight_error(&model, short, 6), None);
}

/// Two tasks of somebody whom effort costs: to run about, and to rest, for which walls need not be seen.
fn tasks(by: By) -> ConfiguratorSpec {
    let task = |name: &str, planner, ignores: &[&str]| TaskSpec {
        name: name.into(),
        planner,
        ignores: ignores.iter().map(|sense| (*sense).to_owned()).collect(),
        ..TaskSpec::default()
    };
    let tasks = vec![task("run", Some(PlannerName::Random), &[]), task("rest", None, &["walls"])];
    ConfiguratorSpec { tasks, rules: vec![], by }
}

/// A mind without tasks yet, with nothing to do but to spend little.
fn idle(model: &Arc<Model>) -> Mind {
    let drives = [DriveSpec::Effort(EffortSpec { weight: 2.0.into() })];
    let gradient = GradientSpec { starts: 4, iterations: 4, ..GradientSpec::default() };
    let actor = ActorSpec { horizon: 8, gradient, ..ActorSpec::default() };
    Mind::new(Some(model.clone()), &layout(), 2, &actor, &drives, &ExplorationSpec::default()).unwrap()
}

/// Lives in which the two are tried.
fn try_tasks(model: &Arc<Model>, how: &LearnedConfiguratorSpec, lives: u64) -> Vec<Vec<TaskMoment>> {
    let lead = |life| {
        let mind = idle(model).trying_tasks(&tasks(By::Learned), how).unwrap();
        let (mut trying, memory) = TaskPractice::new(mind, model.clone());
        let seed = derive_seed(4, "practice", life);
        trying.begin(seed);
        let mut world = Square::new(&mut ChaCha8Rng::seed_from_u64(seed));
        for step in 0..80 {
            let observation = Observation { values: world.observe() };
            let thought = trying.think(&observation, None, Detail::Brief).unwrap();
            world.step(&thought.action.values);
            // Whatever the task does not attend to, the configurator does.
            let seen = model.encode(&model.card().perception.perceive(&observation).unwrap());
            // An agent without a drive for novelty finds nothing familiar.
            assert_eq!(memory.lock().unwrap()[step].signs, [seen, vec![0.0]].concat());
        }
        std::mem::take(&mut *memory.lock().unwrap())
    };
    (0..lives).map(lead).collect()
}

#[test]
fn a_learned_configurator_finds_the_task_that_costs_least_and_says_why() {
    let (model, _) = trained(&explore(30, 30), &spec(60), 2);
    let how = LearnedConfiguratorSpec {
        hidden: vec![16],
        lasts: 20,
        discount: 0.9,
        updates: 300,
        learning_rate: 5e-3,
        ..LearnedConfiguratorSpec::default()
    };
    let lives = try_tasks(&Arc::new(model.clone()), &how, 12);
    assert_eq!(lives, try_tasks(&Arc::new(model.clone()), &how, 12));
    let at_rest = lives.iter().flatten().filter(|moment| moment.task == 1).count();
    assert!((300..660).contains(&at_rest), "{at_rest} of 960 moments");
    let names = ["run", "rest"].map(str::to_owned);
    let learnt = learn_tasks(&model, &lives, 0, &names, &how, 5, &mut |_| ()).unwrap();

    // What it does with it in lives of its own.
    let learnt = Arc::new(learnt);
    let mut mind = idle(&learnt).configured_by(&tasks(By::Learned), None).unwrap();
    let mut rested = 0;
    for seed in 100..110 {
        mind.begin(seed);
        let world = Square::new(&mut ChaCha8Rng::seed_from_u64(seed));
        let thought = mind.think(&Observation { values: world.observe() }, None, Detail::Brief).unwrap();
        let task = thought.task.unwrap();
        assert!(task.began && task.reason.starts_with("expects ") && task.reason.contains(" by run"), "{task:?}");
        rested += u32::from(task.name == "rest");
    }
    assert_eq!(rested, 10);

    // It survives its file, and what does not go together is told.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("configured.safetensors");
    learnt.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), *learnt);
    let refused = |model: Arc<Model>, spec| idle(&model).configured_by(&spec, None).unwrap_err().to_string();
    assert!(refused(Arc::new(model), tasks(By::Learned)).contains("--only configurator"));
    let mut other = tasks(By::Learned);
    other.tasks[0].name = "wander".into();
    assert!(refused(learnt.clone(), other).contains("the tasks run, rest, and the agent's are wander, rest"));
    // One task throughout asks nothing of it.
    idle(&learnt).configured_by(&tasks(By::Learned), Some("run")).unwrap();
}

/// Live where commands count for less and learn meanwhile, on so many threads: what was done in the last life, the model that is
/// left and what was reported.
fn live_and_learn(model: &Arc<Model>, learn: &LearnSpec, threads: usize) -> (Vec<f32>, Model, Vec<Report>) {
    let reach = DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: 1.0.into(), by: Likeness::Latent });
    let actor = ActorSpec { horizon: 16, ..ActorSpec::default() };
    let reports = Arc::new(Mutex::new(vec![]));
    let heard = reports.clone();
    let options = LearningOptions {
        spec: learn.clone(),
        seed: 3,
        threads,
        pace: Pace::InStep,
        judged_by: JudgedBy::Success,
        drives: vec![],
        optimism: 0.7,
    };
    let on_report = Box::new(move |report: &Report, _: &Model| heard.lock().unwrap().push(report.clone()));
    let learning = Learning::begin(model.clone(), model.clone(), options, on_report).unwrap();
    let learning = Arc::new(Mutex::new(learning));
    let mind = Mind::new(Some(model.clone()), &layout(), 2, &actor, &[reach], &ExplorationSpec::default()).unwrap();
    let mut living = Living::new(mind, learning.clone(), true);
    let mut done = vec![];
    for life in 0..30 {
        let seed = derive_seed(3, "life", life);
        let mut world = Square::new(&mut ChaCha8Rng::seed_from_u64(seed));
        let goal = Observation { values: Square::new(&mut ChaCha8Rng::seed_from_u64(seed + 1)).observe() };
        living.begin(seed);
        done.clear();
        for _ in 0..60 {
            let observation = Observation { values: world.observe() };
            let action = living.think(&observation, Some(&goal), Detail::Brief).unwrap().action;
            world.step(&action.values.iter().map(|command| 0.3 * command).collect::<Vec<_>>());
            done.extend(action.values);
        }
        learning.lock().unwrap().ended(true);
    }
    let mut learning = learning.lock().unwrap();
    learning.finish().unwrap();
    let model = Model::clone(learning.model());
    let reports = reports.lock().unwrap().clone();
    (done, model, reports)
}

#[test]
fn who_learns_while_living_foretells_a_changed_world_again() {
    let (model, _) = trained(&explore(200, 40), &spec(600), 2);
    let model = Arc::new(model);
    let learn = LearnSpec {
        every: 400,
        memory: 2000,
        updates: 200,
        batch: 32,
        unroll: 6,
        learning_rate: 2e-3,
        ..LearnSpec::default()
    };
    let (done, learnt, reports) = live_and_learn(&model, &learn, 2);
    // On walks in that world, which it never lived itself.
    let changed = slowed(&model, 0.3);
    let error = |model: &Model| foresight_error(model, &changed, 6).unwrap();
    assert!(error(&learnt) < 0.4 * error(&model), "{} of {}", error(&learnt), error(&model));
    assert_eq!(reports.iter().map(|report| report.steps).collect::<Vec<_>>(), [800, 1200, 1600, 1800]);
    assert!(!reports[0].taken_up(), "of seven lives two are held out: too few to judge by");
    assert!(reports[1].taken_up() && reports.iter().all(|report| report.held_out > 0 && report.problem.is_none()));
    let last = reports[3].prediction.unwrap();
    assert!(last.before < 0.5 * last.original, "{last:?}");
    // The same bits however many threads learn; and without learning nothing changes.
    let again = live_and_learn(&model, &learn, 1);
    assert!(again.0 == done && again.1 == learnt && again.2 == reports);
    let (idle, same, none) = live_and_learn(&model, &LearnSpec { every: 100_000, ..learn }, 1);
    assert!(idle != done && same == *model && none.is_empty());
}

#[test]
fn two_levels_reach_goals_from_the_top_down_and_an_untrained_second_level_does_not() {
    let experience = explore(200, 40);
    let (model, reports) = trained(&experience, &two_levels(600, 600), 2);
    assert_eq!(reports[reports.len() - 1].level, 2);
    let level = &model.levels()[0];
    assert_eq!(level.span(), 4);
    assert!(level.card().readout.r2.iter().all(|r2| *r2 > 0.95), "{:?}", level.card().readout.r2);

    let (untrained, _) = trained(&experience, &two_levels(600, 0), 1);
    let (model, untrained) = (Arc::new(model), Arc::new(untrained));
    let with = reached(&model, PlannerName::Hierarchical, 40);
    let without = reached(&untrained, PlannerName::Hierarchical, 40);
    assert!(with >= 34, "trained: {with} of 40");
    assert!(without <= 20, "untrained: {without} of 40");

    // A model of two levels survives its file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.safetensors");
    model.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), *model);
}

#[test]
fn three_levels_reach_goals_and_untrained_ones_above_the_first_do_not() {
    let experience = explore(200, 40);
    let three = |above| {
        let mut spec = two_levels(600, above);
        // Eight control steps: the square takes about twenty to cross.
        let third = LevelSpec { unroll: 3, ..spec.world_model.levels[0].clone() };
        spec.world_model.levels.push(third);
        spec
    };
    let (model, reports) = trained(&experience, &three(600), 2);
    let levels: Vec<usize> = reports.iter().map(|report| report.level).collect();
    assert_eq!((levels[0], levels[levels.len() / 2], levels[levels.len() - 1]), (1, 2, 3));
    assert_eq!(model.levels().iter().map(|level| level.span()).collect::<Vec<_>>(), [4, 8]);

    let (untrained, _) = trained(&experience, &three(0), 1);
    let (model, untrained) = (Arc::new(model), Arc::new(untrained));
    // No level need look further than it takes to get there.
    let mut top = AboveSpec { horizon: 6, ..AboveSpec::default() };
    (top.gradient.starts, top.gradient.refined) = (8, 8);
    let hierarchy = HierarchySpec { above: vec![LowestSpec::default().into(), top], ..HierarchySpec::default() };
    let actor = ActorSpec { planner: PlannerName::Hierarchical, hierarchy, ..ActorSpec::default() };
    let (with, without) = (reached_as(&model, &actor, 40), reached_as(&untrained, &actor, 40));
    assert!(with >= 34, "trained: {with} of 40");
    assert!(without <= 20, "untrained: {without} of 40");
}

#[test]
fn hierarchical_planning_asks_for_a_second_level() {
    let (model, _) = trained(&explore(20, 30), &spec(1), 1);
    let actor = ActorSpec { planner: PlannerName::Hierarchical, ..ActorSpec::default() };
    let drives = [DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: 1.0.into(), by: Likeness::Latent })];
    let mind = Mind::new(Some(Arc::new(model)), &layout(), 2, &actor, &drives, &ExplorationSpec::default());
    assert!(mind.unwrap_err().to_string().contains("levels"));
}

#[test]
fn without_its_regularisers_the_representation_collapses_and_the_log_shows_it() {
    let experience = explore(100, 40);
    let mut bare = spec(400);
    bare.objective = Objective::VicReg(VicRegSpec { variance: 0.0, covariance: 0.0, ..VicRegSpec::default() });
    bare.loss.inverse_dynamics = 0.0;
    let (_, with) = trained(&experience, &spec(400), 2);
    let (_, without) = trained(&experience, &bare, 2);
    // All that is left to the loss is to make everything the same.
    assert!(term(&without[without.len() - 1], "variance") > 0.8, "{without:?}");
    assert!(term(&with[with.len() - 1], "variance") < 0.3, "{with:?}");
}

/// With nothing but the objective against it, for prediction and slowness would have everything the same.
#[test]
fn objectives_keep_the_representation_from_collapsing() {
    let experience = explore(100, 40);
    let last = |objective: Objective| {
        let mut spec = TrainingSpec { objective, ..spec(400) };
        spec.loss.inverse_dynamics = 0.0;
        let (model, mut reports) = trained(&experience, &spec, 2);
        (model, reports.remove(reports.len() - 1))
    };
    let nothing = VicRegSpec { variance: 0.0, covariance: 0.0, ..VicRegSpec::default() };
    let (_, collapsed) = last(Objective::VicReg(nothing));
    assert!(collapsed.deviation < 0.03, "{collapsed:?}");
    for objective in [
        Objective::default(),
        Objective::VicReg(VicRegSpec { expander: vec![32, 32], ..VicRegSpec::default() }),
        Objective::BarlowTwins(BarlowTwinsSpec::default()),
        Objective::BarlowTwins(BarlowTwinsSpec { expander: vec![32, 32], ..BarlowTwinsSpec::default() }),
        Objective::SigReg(SigRegSpec::default()),
        Objective::InfoNce(InfoNceSpec::default()),
        Objective::PairwiseHinge(PairwiseHingeSpec::default()),
        Objective::Byol(ByolSpec::default()),
        Objective::SimSiam(SimSiamSpec::default()),
    ] {
        let (model, report) = last(objective.clone());
        println!("{objective:?}: {} {} {:?}", report.effective_rank, report.deviation, model.card().readout.r2);
        let r2 = &model.card().readout.r2;
        assert!(report.deviation > 0.1 && report.effective_rank > 2.0, "{objective:?}: {report:?}");
        assert!(r2.iter().all(|r2| *r2 > 0.9), "{objective:?}: {r2:?}");
    }
}

/// Train, stop at an update, go through a file and on: as if nothing had happened.
fn stopped_and_resumed(experience: &Experience, spec: &TrainingSpec, at: u32) -> (TrainOutcome, TrainState) {
    let mut stop = |report: &TrainProgress| {
        if report.update == at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let TrainOutcome::Stopped(state) = train(experience, spec, &context(2), None, &mut stop).unwrap() else {
        panic!("it was told to stop");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.partial");
    state.save(&path).unwrap();
    let state = TrainState::load(&path).unwrap();
    assert_eq!(state.updates(), at);
    let mut go_on = |_: &TrainProgress| ControlFlow::Continue(());
    (train(experience, spec, &context(2), Some(state.clone()), &mut go_on).unwrap(), state)
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_after_an_interruption() {
    let experience = explore(30, 30);
    let levels = two_levels(120, 100);
    let (model, _) = trained(&experience, &levels, 1);
    assert_eq!(model, trained(&experience, &levels, 3).0);
    // On the first level, and on the second.
    for at in [50, 170] {
        let (resumed, _) = stopped_and_resumed(&experience, &levels, at);
        assert_eq!(resumed, TrainOutcome::Finished(Box::new(model.clone())), "{at}");
    }
    for objective in [
        Objective::default(),
        Objective::VicReg(VicRegSpec { expander: vec![16, 24], ..VicRegSpec::default() }),
        Objective::Byol(ByolSpec { momentum: 0.9, ..ByolSpec::default() }),
        Objective::SigReg(SigRegSpec::default()),
    ] {
        let spec = TrainingSpec { objective, ..spec(120) };
        let (model, _) = trained(&experience, &spec, 1);
        assert_eq!(model, trained(&experience, &spec, 3).0, "{:?}", spec.objective);
        let (resumed, state) = stopped_and_resumed(&experience, &spec, 50);
        assert_eq!(resumed, TrainOutcome::Finished(Box::new(model)), "{:?}", spec.objective);

        let mut go_on = |_: &TrainProgress| ControlFlow::Continue(());
        let other = TrainContext { seed: 2, ..context(1) };
        let refused = train(&experience, &spec, &other, Some(state.clone()), &mut go_on);
        assert!(refused.unwrap_err().to_string().contains("--seed 1"));
        let other = TrainingSpec { objective: Objective::SimSiam(SimSiamSpec::default()), ..spec.clone() };
        let refused = train(&experience, &other, &context(1), Some(state.clone()), &mut go_on);
        assert!(refused.unwrap_err().to_string().contains("settings have changed"));
        let mut other = experience.clone();
        other.episodes[7].actions[3] += 1e-3;
        let refused = train(&other, &spec, &context(1), Some(state), &mut go_on);
        assert!(refused.unwrap_err().to_string().contains("another experience of the same length"));
    }
}

#[test]
fn diverging_and_useless_experience_is_reported() {
    let mut experience = explore(10, 30);
    let mut wild = spec(200);
    wild.learning_rate = 1e30;
    let result = train(&experience, &wild, &context(1), None, &mut |_| ControlFlow::Continue(()));
    assert!(result.unwrap_err().to_string().contains("diverged"), "a huge learning rate");
    experience.episodes[3].observations[5] = f32::NAN;
    let result = train(&experience, &spec(10), &context(1), None, &mut |_| ControlFlow::Continue(()));
    assert!(result.unwrap_err().to_string().contains("episode 3"));
}

#[test]
fn broken_model_files_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (model, _) = trained(&explore(10, 20), &spec(5), 1);
    model.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), model);
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() < 200_000);

    let refuse = |bytes: &[u8]| {
        let path = folder.path().join("broken.safetensors");
        std::fs::write(&path, bytes).unwrap();
        Model::load(&path).unwrap_err()
    };
    for cut in [0, 1, 7, 8, 9, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(refuse(&bytes[..cut]), ModelError::Damaged { .. }), "cut at {cut}");
    }
    assert!(matches!(refuse(b"\x89PNG\r\n\x1a\n and what follows"), ModelError::Damaged { .. }));
    assert!(matches!(refuse(b"\x02\0\0\0\0\0\0\0{}"), ModelError::Foreign { .. }), "no card");
    let text = |from: &str, to: &str| {
        let header_len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header = String::from_utf8(bytes[8..8 + header_len].to_vec()).unwrap();
        assert!(header.contains(from), "{from}");
        let header = header.replacen(from, to, 1);
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &bytes[8 + header_len..]].concat()
    };
    assert!(matches!(refuse(&text("forethought.model", "somebody.else")), ModelError::Foreign { .. }));
    assert!(matches!(refuse(&text("\\\"format\\\":2", "\\\"format\\\":9")), ModelError::Card { .. }));
    assert!(matches!(
        refuse(&text("\\\"latent\\\":8", "\\\"latent\\\":9")),
        ModelError::Card { .. } | ModelError::Tensor { .. }
    ));
    assert!(matches!(refuse(&text("encoder.0.weight", "encoder.9.weight")), ModelError::Tensor { .. }));
    let mut holed = bytes.clone();
    let last = holed.len() - 4;
    holed[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = refuse(&holed);
    assert!(matches!(error, ModelError::NotFinite { .. }), "{error}");
    assert!(error.to_string().contains("not finite"));
    assert!(matches!(Model::load(&folder.path().join("none")).unwrap_err(), ModelError::Io { .. }));
    assert!(matches!(TrainState::load(&path).unwrap_err(), ModelError::Foreign { .. }));
}
