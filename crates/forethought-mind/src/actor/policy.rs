//! Mode-1: a policy that acts at once, without imagining anything (Dawid & LeCun 2023, Sec. 2.3): what Mode-2's plans have in
//! common, compiled into one network. Read first: [`Policy`].

use crate::{
    cost::critic::beside,
    network::Mlp,
    world_model::{encoder::Encoder, predictor::Predictor},
};
use serde::{Deserialize, Serialize};

/// What a policy says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyCard {
    /// Hidden layers of its network.
    pub hidden: Vec<usize>,
    /// Whether it reads a goal.
    pub goals: bool,
    /// Plans that it was distilled from.
    pub plans: usize,
    /// The share of the plans' variance that it explains, on lives that it did not learn from.
    pub r2: f32,
    /// Updates after that by the energy of what it is imagined to do.
    #[serde(default)]
    pub by_energy: u32,
}

/// A network from a latent, and the goal's where there is one, to the actions of the control steps that one prediction
/// spans: those that Mode-2 would most likely plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub(crate) card: PolicyCard,
    /// `[latent]` or `[latent + latent]` to `[stride * action]`, before their squashing.
    pub(crate) network: Encoder,
}

impl Policy {
    pub(crate) fn new(card: PolicyCard, mlp: Mlp) -> Self {
        Self { card, network: Encoder::new(mlp) }
    }

    /// What it says of itself.
    #[must_use]
    pub fn card(&self) -> &PolicyCard {
        &self.card
    }

    /// What to do in each state of `latents` `[rows, latent]`: `[rows, stride * action]`, each value in `[-1, 1]`.
    #[must_use]
    pub fn act(&self, latents: &[f32], goal: &[f32]) -> Vec<f32> {
        let mut actions = if self.card.goals {
            self.network.forward(&beside(latents, goal), false).0
        } else {
            self.network.forward(latents, false).0
        };
        actions.iter_mut().for_each(|action| *action = action.clamp(-1.0, 1.0));
        actions
    }

    /// What becomes of a state `[latent]` under the policy, as the world model imagines it: the states after each of so many
    /// predictions, `[steps, latent]`, and the actions that lead there, `[steps, stride * action]`.
    pub(crate) fn imagine(
        &self,
        predictor: &Predictor,
        latent: &[f32],
        goal: &[f32],
        map: &[f32],
        steps: usize,
    ) -> (Vec<f32>, Vec<f32>) {
        let (mut latents, mut actions) = (Vec::with_capacity(steps * latent.len()), Vec::new());
        let mut state = latent.to_vec();
        for _ in 0..steps {
            let chosen = self.act(&state, goal);
            state = predictor.imagine(&state, &chosen, map);
            latents.extend_from_slice(&state);
            actions.extend(chosen);
        }
        (latents, actions)
    }
}
