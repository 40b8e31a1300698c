//! A hash over a whole trajectory: two runs are the same if their digests are. Read first: [`Digest`].

use crate::StepRecord;
use bevy::prelude::Resource;
use forethought_interface::{Pose, Vitals};
use xxhash_rust::xxh3::Xxh3Default;

/// xxh3 over the bits of every step's poses, velocities, observations, actions, vitals and food so far.
#[derive(Resource, Default)]
pub(crate) struct Digest {
    hash: Xxh3Default,
    /// One step's bytes, gathered so that the hash is fed once a step.
    bytes: Vec<u8>,
}

impl Digest {
    /// Forget everything.
    pub(crate) fn restart(&mut self) {
        self.hash.reset();
    }

    /// Add a step. `body_velocities` holds `[x, y, angular]` for each body of the record.
    pub(crate) fn add(&mut self, record: &StepRecord, body_velocities: &[[f32; 3]]) {
        self.bytes.clear();
        self.bytes.extend(record.step.to_le_bytes());
        self.bytes.extend(record.time_s.to_bits().to_le_bytes());
        for (pose, velocity) in record.bodies.iter().zip(body_velocities) {
            self.pose(pose);
            self.floats(velocity);
        }
        for agent in &record.agents {
            self.pose(&agent.pose);
            self.floats(&agent.velocity_m_s);
            self.floats(&[agent.angular_velocity_rad_s]);
            self.floats(&agent.observation.values);
            if let Some(thought) = &agent.thought {
                self.floats(&thought.action.values);
            }
            if let Some(vitals) = &agent.vitals {
                self.vitals(vitals);
            }
        }
        for item in &record.foods {
            self.floats(&item.position_m);
            self.bytes.push(u8::from(item.present));
        }
        self.hash.update(&self.bytes);
    }

    /// The hash so far.
    pub(crate) fn value(&self) -> u64 {
        self.hash.digest()
    }

    fn vitals(&mut self, vitals: &Vitals) {
        self.floats(&[vitals.energy_j, vitals.health, vitals.harm_per_s, vitals.effort]);
        self.bytes.extend(vitals.meals.to_le_bytes());
        self.bytes.push(vitals.died_of.map_or(0, |death| 1 + death as u8));
    }

    fn pose(&mut self, pose: &Pose) {
        self.floats(&pose.position_m);
        self.floats(&[pose.angle_rad]);
    }

    fn floats(&mut self, values: &[f32]) {
        let begin = self.bytes.len();
        self.bytes.resize(begin + 4 * values.len(), 0);
        for (bytes, value) in self.bytes[begin..].chunks_exact_mut(4).zip(values) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }
}
