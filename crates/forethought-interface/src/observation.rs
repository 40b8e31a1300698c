//! What an agent senses and what it does. Read first: [`Observation`] and its [`ObservationLayout`].

use serde::{Deserialize, Serialize};

/// One moment of an agent's senses: all channels in one flat vector, in the order of an [`ObservationLayout`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// `[layout.len()]`, in each channel's own unit; normalising them is perception's task.
    pub values: Vec<f32>,
}

/// One sense's place in an [`Observation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The channel's name, for example `proprioception.position_m` or `lidar.range_m`.
    pub name: String,
    /// Its shape; `[2]` for a position, `[32]` for 32 rays, `[height, width, 3]` for a raster.
    pub shape: Vec<usize>,
}

impl Channel {
    /// How many values the channel has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True for a channel without values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The channels of an agent's observations, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationLayout {
    /// In the order in which they stand in [`Observation::values`].
    pub channels: Vec<Channel>,
}

impl ObservationLayout {
    /// How many values an observation has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.channels.iter().map(Channel::len).sum()
    }

    /// True without any channel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The range of `name` in [`Observation::values`].
    #[must_use]
    pub fn range(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let mut start = 0;
        for channel in &self.channels {
            let end = start + channel.len();
            if channel.name == name {
                return Some(start..end);
            }
            start = end;
        }
        None
    }
}

/// What an agent does for one control step: each value in `[-1, 1]`, scaled by the actuator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// `[action_len]`; the actuator says what each one moves.
    pub values: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_each_other() {
        let channel = |name: &str, shape: &[usize]| Channel { name: name.into(), shape: shape.into() };
        let layout =
            ObservationLayout { channels: vec![channel("a", &[2]), channel("b", &[4, 3]), channel("c", &[1])] };
        assert_eq!(layout.len(), 15);
        assert_eq!(layout.range("b"), Some(2..14));
        assert_eq!(layout.range("c"), Some(14..15));
        assert_eq!(layout.range("d"), None);
    }
}
