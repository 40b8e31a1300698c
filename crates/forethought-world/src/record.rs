//! What a control step left behind. Read first: [`StepRecord`].

use bevy::prelude::Resource;
use forethought_interface::{FoodItem, Observation, Pose, Ray, Thought, Vitals};
use std::time::Duration;

/// The world after a control step, and what led there.
#[derive(Debug, Clone, Default, PartialEq, Resource)]
pub struct StepRecord {
    /// Control steps done.
    pub step: u32,
    /// Simulated seconds.
    pub time_s: f64,
    /// Where the bodies are now, in scenario order.
    pub bodies: Vec<Pose>,
    /// The agents, in scenario order.
    pub agents: Vec<AgentRecord>,
    /// Every item of food, patch after patch in scenario order.
    pub foods: Vec<FoodItem>,
    /// The light: 1 by day, 0 at night; none without a climate.
    pub light: Option<f32>,
}

/// One agent's part of a [`StepRecord`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentRecord {
    /// Where it is now.
    pub pose: Pose,
    /// Its velocity now: that of its centre of mass.
    pub velocity_m_s: [f32; 2],
    /// Its angular velocity now.
    pub angular_velocity_rad_s: f32,
    /// What it sensed at the start of this control step; at step 0, and in a [`crate::Sandbox::sensing_ahead`], what it
    /// senses now.
    pub observation: Observation,
    /// What it would have sensed, at the start of this control step, standing at rest at its target with the angle
    /// that it had at the episode's start; none without a target.
    pub goal: Option<Observation>,
    /// What it thought; none before the first step.
    pub thought: Option<Thought>,
    /// How long it thought. The only part that differs between two runs of the same seed.
    pub think_time: Duration,
    /// Its lidar's rays from where it is now; empty unless [`forethought_interface::Detail::Full`] was asked for.
    pub rays: Vec<Ray>,
    /// Where its body was touched in this control step, in metres; empty unless [`forethought_interface::Detail::Full`] was asked
    /// for.
    pub contacts: Vec<[f32; 2]>,
    /// The sum of all contact impulses on its body in this control step, in N s.
    pub bump_impulse_n_s: f32,
    /// How it is now; none without a metabolism.
    pub vitals: Option<Vitals>,
}
