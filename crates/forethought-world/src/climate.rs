//! Climate: day and night, and the cold of the night. Read first: [`ClimateSpec`].

use crate::shape::zero;
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A day, then a night, and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClimateSpec {
    /// How long a day lasts, in seconds.
    pub day_s: Num,
    /// How long a night lasts, in seconds.
    pub night_s: Num,
    /// The light grows from 0 to 1 for so long at the day's beginning and falls for so long at its end, in seconds.
    #[serde(default = "zero")]
    pub dusk_s: Num,
    /// How far into the cycle the episode begins, in seconds from a day's beginning.
    #[serde(default = "zero")]
    pub phase_s: Num,
    /// Health that an agent with a metabolism loses a second at night outside of a shelter, of 1 in all.
    #[serde(default = "zero")]
    pub cold_harm_per_s: Num,
}

impl_numbers!(struct ClimateSpec { day_s, night_s, dusk_s, phase_s, cold_harm_per_s });

/// More than the rounding of a time, in seconds.
const ROUNDING_S: f64 = 1e-9;

/// The sky at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sky {
    /// 1 in daylight, 0 at night.
    pub light: f32,
    /// How much of the day is left until nightfall: 1 at its beginning, 0 at its end and at night.
    pub dusk_in: f32,
    /// Health lost a second without shelter.
    pub cold_harm_per_s: f32,
}

impl Default for Sky {
    /// Where there is no climate it is always day.
    fn default() -> Self {
        Self { light: 1.0, dusk_in: 1.0, cold_harm_per_s: 0.0 }
    }
}

impl ClimateSpec {
    /// The sky after so many seconds of the episode.
    pub(crate) fn sky(&self, time_s: f64) -> Sky {
        let (day, dusk) = (self.day_s.value(), self.dusk_s.value());
        // A step at the very end of a day is not put off by rounding.
        let at = (time_s + self.phase_s.value() + ROUNDING_S).rem_euclid(day + self.night_s.value());
        if at >= day {
            return Sky { light: 0.0, dusk_in: 0.0, cold_harm_per_s: self.cold_harm_per_s.value_f32() };
        }
        let at = (at - ROUNDING_S).max(0.0);
        let to_edge = at.min(day - at);
        let light = if to_edge < dusk { to_edge / dusk } else { 1.0 };
        Sky { light: light as f32, dusk_in: (1.0 - at / day) as f32, cold_harm_per_s: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climate(phase: f64) -> ClimateSpec {
        let [day_s, night_s, dusk_s, phase_s, cold_harm_per_s] = [20.0, 8.0, 4.0, phase, 0.2].map(Num::Literal);
        ClimateSpec { day_s, night_s, dusk_s, phase_s, cold_harm_per_s }
    }

    #[test]
    fn days_and_nights_follow_each_other() {
        let near = |sky: Sky, light: f32, dusk_in: f32, cold: f32| {
            let off = [sky.light - light, sky.dusk_in - dusk_in, sky.cold_harm_per_s - cold];
            assert!(off.iter().all(|off| off.abs() < 1e-6), "{sky:?} is not {light} {dusk_in} {cold}");
        };
        for phase in [0.0, 28.0, -56.0] {
            near(climate(phase).sky(0.0), 0.0, 1.0, 0.0);
            near(climate(phase).sky(1.0), 0.25, 0.95, 0.0);
            near(climate(phase).sky(10.0), 1.0, 0.5, 0.0);
            near(climate(phase).sky(18.0), 0.5, 0.1, 0.0);
            near(climate(phase).sky(20.0), 0.0, 0.0, 0.2);
            near(climate(phase).sky(27.9), 0.0, 0.0, 0.2);
            near(climate(phase).sky(28.0 + 18.0), 0.5, 0.1, 0.0);
        }
        near(climate(21.0).sky(0.0), 0.0, 0.0, 0.2);
        // A hundred and ninety-nine tenths of a second are day still, whatever their sum in binary.
        assert!(climate(0.0).sky(199.0 * 0.1).cold_harm_per_s == 0.0 && climate(0.0).sky(200.0 * 0.1).light == 0.0);
    }

    #[test]
    fn without_dusk_the_light_goes_out_at_once() {
        let sudden = ClimateSpec { dusk_s: Num::Literal(0.0), ..climate(0.0) };
        assert_eq!([0.0, 19.9, 20.0, 28.0].map(|time| sudden.sky(time).light), [1.0, 1.0, 0.0, 1.0]);
    }
}
