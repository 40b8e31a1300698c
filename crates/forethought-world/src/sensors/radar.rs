//! Radar: from where, and from how far, what can move echoes. Read first: [`RadarSpec`].

use super::Moment;
use forethought_interface::{Channel, Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// Channel `radar.echo` `[beams]`: a moving-target radar, which nothing fixed echoes or stops. Beam `k` looks in the direction
/// `2 pi k / beams` from the body's x axis, anticlockwise; a body or agent that can move, whose centre is at distance `r` in the
/// direction `phi`, adds `max(0, cos(phi - 2 pi k / beams)) / (1 + r / range_m)` to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RadarSpec {
    /// How many beams look around.
    pub beams: u32,
    /// The distance from which an echo is half as strong, in metres.
    pub range_m: Num,
}

impl Default for RadarSpec {
    fn default() -> Self {
        Self { beams: 12, range_m: Num::Literal(2.0) }
    }
}

impl_numbers!(struct RadarSpec { range_m });

impl RadarSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        vec![Channel { name: "radar.echo".into(), shape: vec![self.beams as usize] }]
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let begin = values.len();
        values.resize(begin + self.beams as usize, 0.0);
        let range_m = self.range_m.value_f32();
        for (index, solid) in moment.surroundings.solids.iter().enumerate() {
            if solid.fixed || index == moment.own {
                continue;
            }
            let to = moment.frame.inverse_transform_point(solid.frame.translation);
            let (r, phi) = (to.length(), to.y.atan2(to.x));
            for (beam, echo) in values[begin..].iter_mut().enumerate() {
                let direction = TAU * beam as f32 / self.beams as f32;
                *echo += (phi - direction).cos().max(0.0) / (1.0 + r / range_m);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShapeSpec;
    use crate::surroundings::{Solid, Surroundings};
    use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};

    #[test]
    fn hears_what_can_move_and_from_where() {
        let number = Num::Literal;
        let solid = |x: f64, y: f64, fixed: bool| Solid {
            fixed,
            ..Solid::new(
                "solid",
                &ShapeSpec::Disc { radius_m: number(0.3) },
                &[number(x), number(y)],
                &number(0.0),
                &[const { Num::Literal(0.5) }; 3],
            )
        };
        // Itself, a mover 2 m above, a wall beside.
        let surroundings = Surroundings {
            solids: vec![solid(1.0, 1.0, false), solid(1.0, 3.0, false), solid(2.0, 1.0, true)],
            ..Surroundings::default()
        };
        let heard = |turn: f32| {
            let moment = Moment {
                own: 0,
                frame: Frame::new(Vector::new(1.0, 1.0), turn),
                velocity: Vector::ZERO,
                angular_velocity: 0.0,
                contacts: &[],
                surroundings: &surroundings,
            };
            let mut values = vec![7.0];
            RadarSpec { beams: 4, range_m: number(2.0) }.measure(&moment, &mut values);
            values.split_off(1)
        };
        let near = |got: &[f32], expected: [f32; 4]| got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(&heard(0.0), [0.0, 0.5, 0.0, 0.0]), "{:?}", heard(0.0));
        assert!(near(&heard(std::f32::consts::FRAC_PI_2), [0.5, 0.0, 0.0, 0.0]));
    }
}
