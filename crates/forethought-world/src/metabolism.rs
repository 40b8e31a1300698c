//! Metabolism: energy that living and acting use up, health that harm takes. Read first: [`MetabolismSpec`].

use forethought_interface::{Death, Num, Vitals, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an agent lives on. It dies where its energy or its health comes to 0, and then moves no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetabolismSpec {
    /// The most energy that it can store, in joules.
    pub capacity_j: Num,
    /// What is in store at the start, in joules.
    pub start_j: Num,
    /// What it uses whatever it does, in watts.
    pub resting_w: Num,
    /// What acting uses besides, in watts: this times the mean square of the action's values, each in `[-1, 1]`.
    pub acting_w: Num,
    /// Health regained a second while nothing harms it, of 1 in all.
    pub heals_per_s: Num,
}

impl Default for MetabolismSpec {
    fn default() -> Self {
        Self {
            capacity_j: Num::Literal(100.0),
            start_j: Num::Literal(70.0),
            resting_w: Num::Literal(1.0),
            acting_w: Num::Literal(1.0),
            heals_per_s: Num::Literal(0.02),
        }
    }
}

impl_numbers!(struct MetabolismSpec { capacity_j, start_j, resting_w, acting_w, heals_per_s });

/// What is left in the stores of an agent that cannot die, as a share.
const LEAST: f32 = 0.02;

/// An agent's metabolism with its numbers resolved.
#[derive(Debug, Clone)]
pub(crate) struct Metabolism {
    capacity_j: f32,
    start_j: f32,
    resting_w: f32,
    acting_w: f32,
    heals_per_s: f32,
    /// The share of either store that cannot be lost.
    floor: f32,
}

impl Metabolism {
    /// One that is `immortal` never runs out.
    pub(crate) fn new(spec: &MetabolismSpec, immortal: bool) -> Self {
        Self {
            capacity_j: spec.capacity_j.value_f32(),
            start_j: spec.start_j.value_f32(),
            resting_w: spec.resting_w.value_f32(),
            acting_w: spec.acting_w.value_f32(),
            heals_per_s: spec.heals_per_s.value_f32(),
            floor: if immortal { LEAST } else { 0.0 },
        }
    }

    /// How the agent is at the start: unhurt.
    pub(crate) fn start(&self) -> Vitals {
        let energy_j = self.start_j.max(self.floor * self.capacity_j);
        Vitals {
            energy_j,
            energy: energy_j / self.capacity_j,
            health: 1.0,
            harm_per_s: 0.0,
            effort: 0.0,
            meals: 0,
            died_of: None,
        }
    }

    /// A control step of `dt` seconds: living and acting cost, food fills, harm takes health, or rest gives some back. Who
    /// is dead stays as it was.
    pub(crate) fn live(&self, vitals: &mut Vitals, dt: f32, effort: f32, eaten: &[f32], harm_per_s: f32) {
        if !vitals.alive() {
            (vitals.harm_per_s, vitals.effort) = (0.0, 0.0);
            return;
        }
        let spent_j = (self.resting_w + self.acting_w * effort) * dt;
        let filled_j = (vitals.energy_j - spent_j + eaten.iter().sum::<f32>()).min(self.capacity_j);
        let healed = if harm_per_s > 0.0 { 0.0 } else { self.heals_per_s * dt };
        vitals.energy_j = filled_j.max(self.floor * self.capacity_j);
        vitals.energy = vitals.energy_j / self.capacity_j;
        vitals.health = (vitals.health - harm_per_s * dt + healed).clamp(self.floor, 1.0);
        (vitals.harm_per_s, vitals.effort) = (harm_per_s, effort);
        vitals.meals += eaten.len() as u32;
        vitals.died_of = if vitals.health <= 0.0 {
            Some(Death::Hurt)
        } else if vitals.energy_j <= 0.0 {
            Some(Death::Starved)
        } else {
            None
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metabolism(immortal: bool) -> Metabolism {
        Metabolism::new(&MetabolismSpec::default(), immortal)
    }

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-3
    }

    #[test]
    fn resting_costs_and_acting_costs_more() {
        let metabolism = metabolism(false);
        let mut vitals = metabolism.start();
        assert_eq!((vitals.energy_j, vitals.energy, vitals.health), (70.0, 0.7, 1.0));
        for _ in 0..100 {
            metabolism.live(&mut vitals, 0.1, 0.0, &[], 0.0);
        }
        assert!(near(vitals.energy_j, 60.0), "{vitals:?}");
        metabolism.live(&mut vitals, 0.1, 0.5, &[], 0.0);
        assert!(near(vitals.energy_j, 59.85) && near(vitals.energy, 0.5985) && vitals.effort == 0.5, "{vitals:?}");
    }

    #[test]
    fn food_fills_up_to_the_brim() {
        let metabolism = metabolism(false);
        let mut vitals = metabolism.start();
        metabolism.live(&mut vitals, 0.1, 0.0, &[20.0], 0.0);
        assert!(near(vitals.energy_j, 89.9) && vitals.meals == 1);
        metabolism.live(&mut vitals, 0.1, 0.0, &[20.0, 20.0], 0.0);
        assert!(vitals.energy_j == 100.0 && vitals.energy == 1.0 && vitals.meals == 3);
    }

    #[test]
    fn harm_takes_health_and_rest_gives_it_back() {
        let metabolism = metabolism(false);
        let mut vitals = metabolism.start();
        metabolism.live(&mut vitals, 0.1, 0.0, &[], 0.5);
        assert!(near(vitals.health, 0.95) && vitals.harm_per_s == 0.5, "{vitals:?}");
        metabolism.live(&mut vitals, 0.1, 0.0, &[], 0.0);
        assert!(near(vitals.health, 0.952) && vitals.harm_per_s == 0.0, "{vitals:?}");
        for _ in 0..1000 {
            metabolism.live(&mut vitals, 0.1, 0.0, &[], 0.0);
        }
        assert!(vitals.health == 1.0, "{vitals:?}");
    }

    #[test]
    fn the_dead_stay_dead() {
        for (harm_per_s, expected) in [(0.0, Death::Starved), (0.1, Death::Hurt)] {
            let metabolism = metabolism(false);
            let mut vitals = metabolism.start();
            let mut steps = 0;
            while vitals.alive() {
                metabolism.live(&mut vitals, 0.1, 1.0, &[], harm_per_s);
                steps += 1;
            }
            // 70 J at 2 W last 35 s, and health 10 s at 0.1 a second.
            let due = if harm_per_s > 0.0 { 100 } else { 350 };
            assert!((due..=due + 1).contains(&steps) && vitals.died_of == Some(expected), "{steps}: {vitals:?}");
            let before = vitals;
            metabolism.live(&mut vitals, 0.1, 1.0, &[50.0], 1.0);
            assert_eq!(vitals, Vitals { harm_per_s: 0.0, effort: 0.0, ..before });
        }
    }

    #[test]
    fn an_immortal_one_never_runs_out() {
        let metabolism = metabolism(true);
        let mut vitals = metabolism.start();
        for _ in 0..2000 {
            metabolism.live(&mut vitals, 0.1, 1.0, &[], 0.3);
        }
        assert_eq!((vitals.energy_j, vitals.health, vitals.alive()), (2.0, 0.02, true));
        metabolism.live(&mut vitals, 0.1, 0.0, &[30.0], 0.0);
        assert!(near(vitals.energy_j, 31.9) && near(vitals.health, 0.022), "{vitals:?}");
    }
}
