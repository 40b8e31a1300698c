//! Touch: what the body bumped into. Read first: [`TouchSpec`].

use super::Moment;
use bevy::prelude::{Component, Entity};
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{Channel, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// Channel `touch.impulse_n_s` `[sectors]`: the contact impulse of the last control step in N s, summed over the
/// contacts whose direction from the body's centre lies in each sector. Sector 0 is centred on the body's x axis, the
/// others follow anticlockwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TouchSpec {
    /// How many sectors the body's outline is split into.
    pub sectors: u32,
}

impl Default for TouchSpec {
    fn default() -> Self {
        Self { sectors: 4 }
    }
}

impl_numbers!(
    struct TouchSpec {}
);

/// What touched an agent's body during a control step.
#[derive(Component, Debug, Clone, Default)]
pub(crate) struct Contacts(pub Vec<Contact>);

/// A contact during one physics step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact {
    /// Where, in the body's frame.
    pub place: Vector,
    /// The impulse along the contact's normal, in N s.
    pub impulse: f32,
    /// The bits of the other body's entity; 0 for the arena's walls.
    pub with: u128,
}

impl Contacts {
    /// The sum of all impulses.
    pub(crate) fn total(&self) -> f32 {
        self.0.iter().map(|contact| contact.impulse).sum()
    }

    /// The sum of the impulses with one other body.
    pub(crate) fn with(&self, entity: Entity) -> f32 {
        let with = u128::from(entity.to_bits());
        self.0.iter().filter(|contact| contact.with == with).map(|contact| contact.impulse).sum()
    }
}

impl TouchSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        vec![Channel { name: "touch.impulse_n_s".into(), shape: vec![self.sectors as usize] }]
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let begin = values.len();
        let sectors = self.sectors as usize;
        values.resize(begin + sectors, 0.0);
        for contact in moment.contacts {
            let turns = contact.place.y.atan2(contact.place.x) / TAU;
            let sector = (turns * sectors as f32).round().rem_euclid(sectors as f32) as usize;
            values[begin + sector % sectors] += contact.impulse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::Surroundings;
    use bevy_rapier2d::rapier::math::Pose as Frame;

    fn felt(sectors: u32, contacts: &[(f32, f32)]) -> Vec<f32> {
        let contacts: Vec<Contact> = contacts
            .iter()
            .map(|(angle, impulse)| Contact { place: Vector::from_angle(*angle) * 0.3, impulse: *impulse, with: 0 })
            .collect();
        let moment = Moment {
            own: 0,
            frame: Frame::IDENTITY,
            velocity: Vector::ZERO,
            angular_velocity: 0.0,
            contacts: &contacts,
            surroundings: &Surroundings::default(),
        };
        let mut values = vec![7.0];
        TouchSpec { sectors }.measure(&moment, &mut values);
        assert_eq!(values.remove(0), 7.0);
        values
    }

    #[test]
    fn sectors_are_centred_and_anticlockwise() {
        use std::f32::consts::{FRAC_PI_2, PI};
        assert_eq!(felt(4, &[]), [0.0; 4]);
        assert_eq!(felt(4, &[(0.0, 1.0), (FRAC_PI_2, 2.0), (PI, 3.0), (-FRAC_PI_2, 4.0)]), [1.0, 2.0, 3.0, 4.0]);
        // An eighth of a turn is the border between two sectors.
        assert_eq!(felt(4, &[(0.78, 1.0), (-0.78, 1.0)]), [2.0, 0.0, 0.0, 0.0]);
        assert_eq!(felt(4, &[(0.79, 1.0), (-0.79, 1.0)]), [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(felt(1, &[(1.0, 1.0), (-2.0, 1.0), (3.1, 1.0)]), [3.0]);
        assert_eq!(felt(3, &[(3.1, 1.0)]), [0.0, 1.0, 0.0]);
    }
}
