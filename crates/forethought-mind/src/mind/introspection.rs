//! Looking into a mind while it lives, and changing how it acts. Read first: `Mind::introspect`.
//!
//! Nothing here draws a random number or touches what is decided by, but for what `adjust` is told to change: an episode that
//! is looked into is the same bits as one that is not.

use super::{Lately, Mind, Present, check_actor};
use crate::{
    actor::{ActorSpec, Mode, planners::PlannerName},
    cost::{Cost, Extent, Imagined},
    world_model::Model,
};
use forethought_energy::distance::Distance;
use forethought_interface::{
    Action, Detail, DriveCost, Foretold, Inspect, Introspection, MindSettings, Observation, Thought,
};

/// What one more error moves the usual one by.
const USUAL_RATE: f32 = 0.05;

/// What the world model foretold lately, to be compared with what came.
#[derive(Debug, Clone, Default)]
pub(super) struct Foresight {
    lately: Lately,
    usual: f32,
}

impl Foresight {
    /// What was foretold of this latent one prediction ago.
    fn see(&mut self, model: &Model, latent: &[f32], map: &[f32]) -> Option<Foretold> {
        let (then, actions) = self.lately.since(model.stride())?;
        // Of several values of a latent variable, the one that came true.
        let foretold = model.predictors().iter().map(|predictor| {
            let foretold = predictor.imagine(then, &actions, map);
            (Distance::Squared.of(&foretold, latent).sqrt(), foretold)
        });
        let (error, foretold) = foretold.min_by(|a, b| a.0.total_cmp(&b.0))?;
        let first = self.usual == 0.0;
        self.usual = if first { error } else { self.usual + USUAL_RATE * (error - self.usual) };
        let position_m = model.card().readout.position_m(&foretold);
        Some(Foretold { error, usual: self.usual, position_m })
    }
}

impl Mind {
    /// What goes on at this control step, where `action` is what was decided.
    pub(super) fn introspect(&mut self, model: &Model, present: &Present, action: &[f32]) -> Introspection {
        let foretold = self.foresight.see(model, &present.latent, &present.map);
        self.foresight.lately.remember(model.stride(), &present.latent, action);
        let expects = self.actor.critic && model.critic().is_some();
        Introspection {
            percept: present.percept.clone(),
            latent: present.latent.clone(),
            drives: self.drive_costs(present, action),
            critic: expects.then(|| self.cost.expected(&present.latent, &present.goal)),
            foretold,
            memory: self.cost.novelty().map(|novelty| (self.memory.len(), novelty.remembers)),
        }
    }

    /// What each drive costs in this state under this action.
    fn drive_costs(&self, present: &Present, action: &[f32]) -> Vec<DriveCost> {
        let mut needs = self.costs(present, action).into_iter();
        let drives = self.cost.drives().iter();
        let cost = drives.map(|drive| {
            let (name, weight) = (drive.name().to_owned(), drive.weight().value_f32());
            let cost = match drive.name() {
                "novelty" => self.familiarity(&present.latent).unwrap_or_default(),
                "reach" => {
                    let extent = Extent { steps: 1, stride: 1 };
                    let now = Imagined { latents: &present.latent, actions: action, batch: 1, extent };
                    self.cost.alone(drive).of_states(&now, &present.goal)
                }
                _ => needs.next().unwrap_or_default(),
            };
            DriveCost { name, cost, weight }
        });
        cost.collect()
    }
}

impl Inspect for Mind {
    fn settings(&self) -> Option<MindSettings> {
        let model = self.model.as_ref()?;
        let (actor, cost) = &*self.own;
        let planners = PlannerName::ALL.iter();
        let planners = planners.filter(|name| **name != PlannerName::Hierarchical || !model.levels().is_empty());
        let modes = Mode::ALL.iter().filter(|mode| **mode == Mode::Mode2 || model.policy().is_some());
        Some(MindSettings {
            planner: actor.planner.as_str().to_owned(),
            planners: planners.map(|name| name.as_str().to_owned()).collect(),
            mode: actor.mode.as_str().to_owned(),
            modes: modes.map(|mode| mode.as_str().to_owned()).collect(),
            horizon: actor.horizon,
            stride: u32::try_from(model.stride()).unwrap_or(1),
            starts: actor.gradient.starts,
            critic: actor.critic,
            has_critic: model.critic().is_some(),
            drives: cost.drives().iter().map(|drive| (drive.name().to_owned(), drive.weight().value_f32())).collect(),
        })
    }

    fn adjust(&mut self, settings: &MindSettings) -> Result<(), String> {
        let model = self.model.as_ref().ok_or("an agent without a model acts at random")?.clone();
        let actor = adjusted(&self.own.0, settings)?;
        check_actor(&actor, &model).map_err(|error| error.to_string())?;
        if let Some((name, weight)) = settings.drives.iter().find(|(_, weight)| !weight.is_finite() || *weight < 0.0) {
            return Err(format!("the drive `{name}` cannot weigh {weight}: give it 0 or more"));
        }
        let critic = model.critic().filter(|_| actor.critic).cloned();
        let mut cost: Cost = self.own.1.clone().foreseen_by(critic);
        cost.set_weights(&settings.drives);
        (self.actor, self.cost) = (actor.clone(), cost.clone());
        *self.own = (actor, cost);
        self.take_up();
        self.drop_plan();
        Ok(())
    }

    fn energies(&self, observations: &[Observation], goal: Option<&Observation>) -> Option<Vec<f32>> {
        let model = self.model.as_ref()?;
        let perception = &model.card().perception;
        let goal = match goal {
            Some(goal) => model.encode(&perception.perceive(goal).ok()?),
            None if self.cost.needs_goal() => return None,
            None => vec![],
        };
        let mut latents = Vec::new();
        for observation in observations {
            // What is in mind now is what would be in mind there, and nothing is noted of this.
            let mut recall = self.recall.clone();
            let completed = recall.as_mut().map(|recall| recall.complete(observation));
            let mut percept = perception.perceive(completed.as_deref().unwrap_or(observation)).ok()?;
            self.ignore(&mut percept);
            latents.extend(model.encode(&percept));
        }
        let stride = model.stride();
        let (batch, extent) = (observations.len(), Extent { steps: 1, stride });
        // Being there and doing nothing.
        let actions = vec![0.0; batch * stride * self.action_len];
        // Plans look back when they are made; between them places have been added.
        let mut cost = self.cost.clone();
        cost.recall(self.memory.iter().filter_map(|moment| moment.place_m));
        let energies = cost.energies(&Imagined { latents: &latents, actions: &actions, batch, extent }, &goal);
        energies.iter().all(|energy| energy.is_finite()).then_some(energies)
    }

    fn preview(&self, observation: &Observation, goal: Option<&Observation>) -> Option<Thought> {
        let mut other = self.clone();
        other.drop_plan();
        let model = other.model.clone().filter(|_| other.own.0.planner != PlannerName::Random)?;
        let present = other.perceive(&model, observation, goal).ok()?;
        other.live(&model, present, Detail::Full).ok()
    }

    fn reconsider(&mut self) {
        self.drop_plan();
    }

    fn acted(&mut self, action: &Action) {
        self.foresight.lately.correct(&action.values);
        self.surprise.lately.correct(&action.values);
    }
}

/// An actor with these settings.
fn adjusted(own: &ActorSpec, settings: &MindSettings) -> Result<ActorSpec, String> {
    let unknown = |what: &str, name: &str| format!("there is no {what} `{name}`");
    let mut actor = own.clone();
    actor.planner = PlannerName::from_name(&settings.planner).ok_or_else(|| unknown("planner", &settings.planner))?;
    actor.mode = Mode::from_name(&settings.mode).ok_or_else(|| unknown("mode", &settings.mode))?;
    if settings.horizon == 0 || settings.starts == 0 {
        return Err("an agent that plans needs a horizon and a start".into());
    }
    (actor.horizon, actor.critic) = (settings.horizon, settings.critic);
    if settings.starts != own.gradient.starts {
        // As many are refined as before, or all of them where all were.
        let all = own.gradient.refined >= own.gradient.starts;
        actor.gradient.refined = if all { settings.starts } else { own.gradient.refined.min(settings.starts) };
        actor.gradient.starts = settings.starts;
        actor.proposed = own.proposed.min(settings.starts);
    }
    Ok(actor)
}
