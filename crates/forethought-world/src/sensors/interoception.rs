//! Interoception: how the agent's own body is, and what its clock tells. Read first: [`InteroceptionSpec`].

use super::Moment;
use forethought_interface::{Channel, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of an agent with a metabolism; one value each. Channels `interoception.energy` and `interoception.health`, shares of 1;
/// `interoception.harm_per_s`, the health lost a second during the latest control step; `interoception.effort`, the mean
/// square of the latest action's values; `interoception.light`, 1 by day and 0 at night; `interoception.dusk_in`, the share
/// of the day that is left until nightfall, 0 at night; `interoception.warmth`, that of the place: the light, and in a shelter
/// 1. Without a climate the last three are 1. At a goal the warmth is that of the goal, and the rest as it is now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InteroceptionSpec {}

impl_numbers!(
    struct InteroceptionSpec {}
);

impl InteroceptionSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        let names = ["energy", "health", "harm_per_s", "effort", "light", "dusk_in", "warmth"];
        names.map(|name| Channel { name: format!("interoception.{name}"), shape: vec![1] }).to_vec()
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let needs = &moment.surroundings.needs;
        let agent = moment.own.checked_sub(moment.surroundings.first_agent);
        let vitals = agent.and_then(|agent| needs.vitals.get(agent).copied().flatten());
        // Checks see to it that there are some.
        let own = vitals.map_or([0.0; 4], |own| [own.energy, own.health, own.harm_per_s, own.effort]);
        values.extend(own);
        let (light, shelter) = (needs.sky.light, moment.surroundings.shelter_at(moment.frame.translation));
        values.extend([light, needs.sky.dusk_in, light + (1.0 - light) * shelter]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::climate::Sky;
    use crate::needs::Needs;
    use crate::surroundings::Surroundings;
    use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
    use forethought_interface::Vitals;

    #[test]
    fn tells_the_agents_own_state_and_the_light() {
        let vitals =
            Vitals { energy_j: 30.0, energy: 0.3, health: 0.9, harm_per_s: 0.25, effort: 0.5, meals: 2, died_of: None };
        let sky = Sky { light: 0.4, dusk_in: 0.1, cold_harm_per_s: 0.0 };
        let needs = Needs { vitals: vec![None, Some(vitals)], sky, ..Needs::default() };
        let surroundings = Surroundings { needs, first_agent: 3, ..Surroundings::default() };
        let moment = Moment {
            own: 4,
            frame: Frame::IDENTITY,
            velocity: Vector::ZERO,
            angular_velocity: 0.0,
            contacts: &[],
            surroundings: &surroundings,
        };
        let mut values = Vec::new();
        InteroceptionSpec {}.measure(&moment, &mut values);
        assert_eq!(values, [0.3, 0.9, 0.25, 0.5, 0.4, 0.1, 0.4]);
        let channels = InteroceptionSpec {}.channels();
        assert_eq!(channels.len(), 7);
        assert!(channels.iter().all(|channel| channel.len() == 1));
        let plain = Surroundings::default();
        let mut values = Vec::new();
        InteroceptionSpec {}.measure(&Moment { surroundings: &plain, ..moment }, &mut values);
        assert_eq!(values[4..], [1.0, 1.0, 1.0], "without a climate it is day");
    }
}
