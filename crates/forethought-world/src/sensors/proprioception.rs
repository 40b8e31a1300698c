//! Proprioception: where the agent's own body is and how it moves. Read first: [`ProprioceptionSpec`].

use super::Moment;
use crate::geometry::direction;
use forethought_interface::{Channel, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channels `proprioception.position_m` `[2]`, `proprioception.velocity_m_s` `[2]` and, where `heading` is set,
/// `proprioception.heading` `[3]` (cosine and sine of the angle, angular velocity in rad/s).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProprioceptionSpec {
    /// Sense the body's angle too; needed by an actuator that turns the body.
    pub heading: bool,
}

impl_numbers!(
    struct ProprioceptionSpec {}
);

impl ProprioceptionSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        let channel = |name: &str, len| Channel { name: format!("proprioception.{name}"), shape: vec![len] };
        let mut channels = vec![channel("position_m", 2), channel("velocity_m_s", 2)];
        if self.heading {
            channels.push(channel("heading", 3));
        }
        channels
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        values.extend(moment.frame.translation.to_array());
        values.extend(moment.velocity.to_array());
        if self.heading {
            values.extend(direction(moment.frame.rotation).to_array());
            values.push(moment.angular_velocity);
        }
    }
}
