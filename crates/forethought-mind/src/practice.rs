//! Practice: a life in a world of training, led to learn from. Read first: [`Practice`].

use crate::{
    Mind, Model,
    memory::{Moment, ShortTermMemory},
    mind::Present,
    training::{Life, PracticeSpec},
};
use forethought_interface::{Detail, Observation, Think, ThinkError, Thought};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::{Arc, Mutex};

/// A mind that remembers what it goes through. Where its drives ask for a goal, it first explores at random and then pursues
/// the target and places that it remembers, by turns, each for a while. It plans (Mode-2), or acts by the policy that it has
/// (Mode-1) and plans beside that, from what the policy would do on: so the policy learns the way down from where it is, and not the
/// mean of two ways round something.
pub struct Practice {
    mind: Mind,
    model: Arc<Model>,
    spec: PracticeSpec,
    /// Whether the policy acts half of the time.
    by_policy: bool,
    memory: Arc<Mutex<ShortTermMemory>>,
    rng: ChaCha8Rng,
    step: u32,
    pursuit: Option<Pursuit>,
}

/// What it is doing for a while.
#[derive(Debug, Clone)]
struct Pursuit {
    /// None where it goes for the target.
    goal: Option<Arc<[f32]>>,
    until: u32,
    by_policy: bool,
}

/// Control steps between two plans that are only made to learn from.
const LABEL_EVERY: u32 = 5;

impl Practice {
    /// A practising mind, and where its memories can be had afterwards.
    #[must_use]
    pub fn new(
        mind: Mind,
        model: Arc<Model>,
        spec: &PracticeSpec,
        by_policy: bool,
    ) -> (Self, Arc<Mutex<ShortTermMemory>>) {
        let memory = Arc::new(Mutex::new(ShortTermMemory::new(spec.steps as usize)));
        let (rng, by_policy) = (ChaCha8Rng::seed_from_u64(0), by_policy && model.policy().is_some());
        let practice =
            Self { mind, model, spec: spec.clone(), by_policy, memory: memory.clone(), rng, step: 0, pursuit: None };
        (practice, memory)
    }

    /// What is remembered of the life that was led with this memory.
    #[must_use]
    pub fn life(memory: &Mutex<ShortTermMemory>) -> Life {
        memory.lock().map_or_else(|_| vec![], |mut memory| memory.take())
    }

    /// Go on with what it is at, or choose something else.
    fn pursue(&mut self) -> Pursuit {
        if let Some(pursuit) = self.pursuit.as_ref().filter(|pursuit| self.step < pursuit.until) {
            return pursuit.clone();
        }
        self.mind.drop_plan();
        let was_target = self.pursuit.as_ref().is_some_and(|pursuit| pursuit.goal.is_none());
        let [low, high] = self.spec.pursue;
        let lasts = self.rng.gen_range(low.max(1)..=high.max(low).max(1));
        let remembered = self.memory.lock().ok().filter(|_| was_target && self.mind.needs_goal()).and_then(|memory| {
            let index = self.rng.gen_range(0..memory.len().max(1));
            memory.get(index).map(|moment| Arc::from(&moment.latent[..]))
        });
        let by_policy = self.by_policy && self.rng.gen_bool(0.5);
        let pursuit = Pursuit { goal: remembered, until: self.step + lasts, by_policy };
        self.pursuit = Some(pursuit.clone());
        pursuit
    }
}

impl Think for Practice {
    fn begin(&mut self, seed: u64) {
        self.mind.begin(seed);
        self.rng = ChaCha8Rng::seed_from_u64(seed ^ 1);
        self.step = 0;
        self.pursuit = None;
        if let Ok(mut memory) = self.memory.lock() {
            memory.clear();
        }
    }

    fn think(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        _: Detail,
    ) -> Result<Thought, ThinkError> {
        let model = self.model.clone();
        let mut present = self.mind.perceive(&model, observation, goal)?;
        let exploring = self.mind.needs_goal() && self.step < self.spec.explore;
        let mut plan = None;
        let thought = if exploring {
            self.mind.explore()
        } else {
            let pursuit = self.pursue();
            if let Some(goal) = pursuit.goal {
                present.goal = goal;
            }
            if pursuit.by_policy {
                if self.step.is_multiple_of(LABEL_EVERY) {
                    plan = self.mind.improve(&model, &present)?;
                }
                self.mind.react(&model, &present)?
            } else {
                let thought = self.mind.act(&model, present.clone(), Detail::Brief)?;
                if thought.planned {
                    plan = self.mind.planned(model.stride());
                }
                thought
            }
        };
        let costs = self.mind.costs(&present, &thought.action.values);
        let Present { latent, goal, .. } = present;
        let goal = (self.mind.needs_goal() && !exploring).then_some(goal);
        let action = thought.action.values.clone();
        if let Ok(mut memory) = self.memory.lock() {
            memory.remember(Moment { latent, action, costs, goal, plan, place_m: None });
        }
        self.step += 1;
        Ok(thought)
    }
}
