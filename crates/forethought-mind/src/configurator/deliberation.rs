//! When to plan and when the policy may act alone: by uncertainty and by what is at stake. Read first: [`MixedSpec`] and
//! [`Deliberation`].

use crate::{
    actor::policy::Policy,
    cost::{Cost, Extent, Imagined},
    world_model::predictor::Predictor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When an agent of mixed mode plans (Mode-2) and when its policy acts alone (Mode-1).
///
/// Every `check_every` control steps it imagines, once, what the policy would do, and what that would cost until the horizon
/// and, by the critic's estimate, afterwards. Where that is more than the critic expects of the present state, the policy cannot
/// be relied on here. Where the critic's expectation has not fallen for a while, neither of them can.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MixedSpec {
    /// Control steps between two checks while the policy acts.
    pub check_every: u32,
    /// It plans where the policy is imagined to cost more than was expected by more than this share of it: the uncertainty that
    /// it puts up with.
    pub doubt: f32,
    /// It plans where what it expects to cost has not reached a new low for so many control steps.
    pub patience: u32,
    /// A low counts as new where it is lower by this share.
    pub progress: f32,
    /// It plans wherever the drives but `Reach` cost more than this now, weighed: what is at stake. Without it that is never
    /// too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stakes: Option<f32>,
    /// For how many control steps it then plans, at least.
    pub plans_for: u32,
}

impl Default for MixedSpec {
    fn default() -> Self {
        Self { check_every: 5, doubt: 0.5, patience: 15, progress: 0.02, stakes: None, plans_for: 10 }
    }
}

/// Why an agent of mixed mode plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The policy is imagined to do worse than expected.
    Doubt,
    /// It has not come on for a while.
    Stalled,
    /// Much is at stake.
    Stakes,
}

impl Reason {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Doubt => "Mode-2: doubts the policy",
            Self::Stalled => "Mode-2: no progress lately",
            Self::Stakes => "Mode-2: much is at stake",
        }
    }
}

/// What mixed mode remembers from step to step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deliberation {
    /// Until when it plans, and why.
    planning: Option<(u32, Reason)>,
    next_check: u32,
    /// The lowest expectation so far, and when it was.
    low: Option<(f32, u32)>,
}

/// What there is to judge by.
pub(crate) struct Outlook<'a> {
    pub(crate) predictor: &'a Predictor,
    pub(crate) policy: &'a Policy,
    pub(crate) cost: &'a Cost,
    pub(crate) latent: &'a [f32],
    pub(crate) goal: &'a [f32],
    pub(crate) map: &'a [f32],
    /// Predictions until the horizon, and control steps of each.
    pub(crate) extent: Extent,
    /// What the drives but `Reach` cost now, weighed.
    pub(crate) at_stake: f32,
}

impl Deliberation {
    /// Whether to plan at control step `now`, and why; and how often the predictor was called to find out.
    pub(crate) fn choose(&mut self, spec: &MixedSpec, now: u32, outlook: &Outlook) -> (Option<Reason>, u64) {
        if let Some((until, reason)) = self.planning
            && now < until
        {
            return (Some(reason), 0);
        }
        let at_stake = spec.stakes.is_some_and(|stakes| outlook.at_stake > stakes);
        if now < self.next_check && !at_stake {
            return (None, 0);
        }
        self.next_check = now + spec.check_every.max(1);
        let expected = outlook.cost.expected(outlook.latent, outlook.goal);
        if self.low.is_none_or(|(low, _)| expected < low * (1.0 - spec.progress)) {
            self.low = Some((expected, now));
        }
        let stalled = self.low.is_some_and(|(_, at)| now >= at + spec.patience);
        let (imagined, evaluations) = outlook.imagine();
        let reason = if at_stake {
            Some(Reason::Stakes)
        } else if imagined > expected * (1.0 + spec.doubt) {
            Some(Reason::Doubt)
        } else if stalled {
            // Another low is to be found from here on.
            self.low = Some((expected, now));
            Some(Reason::Stalled)
        } else {
            None
        };
        self.planning = reason.map(|reason| (now + spec.plans_for.max(1), reason));
        (reason, evaluations)
    }
}

impl Outlook<'_> {
    /// What the policy alone would cost, as the critic counts it: the discounted mean of the states that it leads to and of what
    /// follows on the last.
    fn imagine(&self) -> (f32, u64) {
        let steps = self.extent.steps.max(1);
        let (latents, _) = self.policy.imagine(self.predictor, self.latent, self.goal, self.map, steps);
        let last = &latents[latents.len() - self.latent.len()..];
        let discount = self.cost.discount();
        let (mut sum, mut share) = (0.0, 1.0 - discount);
        for latent in latents.chunks_exact(self.latent.len()) {
            let one = Imagined { latents: latent, actions: &[], batch: 1, extent: Extent { steps: 1, ..self.extent } };
            sum += share * self.cost.of_states(&one, self.goal);
            share *= discount;
        }
        let later = share / (1.0 - discount) * self.cost.expected(last, self.goal);
        (sum + later, steps as u64)
    }
}
