//! The world in the words of those who draw it: the window and recordings. Read first: [`scene`].

use crate::{scenario::Episode, setup::Setup};
use forethought_interface::{Marker, Num, Pose, Scene, SceneBody, SceneFood, SceneZone};
#[cfg(feature = "view")]
use forethought_interface::{Outcome, Snapshot};
#[cfg(feature = "view")]
use forethought_world::StepRecord;
use forethought_world::{AgentBodySpec, BodySpec, FoodSpec, TargetSpec, ZoneSpec, outlines};

/// What stays the same during this episode.
pub fn scene(setup: &Setup, drawn: &Episode, index: u64) -> Scene {
    let world = &drawn.world;
    Scene {
        title: setup.name().to_owned(),
        episode: index,
        seed: setup.seed,
        actor: setup.actor_name().to_owned(),
        size_m: pair(&world.arena.size_m),
        control_period_s: world.timing.control_period_s as f32,
        max_steps: drawn.episode.max_steps,
        bodies: world.bodies.iter().map(body).collect(),
        agents: world.agents.iter().map(agent).collect(),
        targets: world.targets.iter().map(target).collect(),
        zones: world.zones.iter().map(zone).collect(),
        foods: world.foods.iter().flat_map(food).collect(),
        factors: drawn.factors.clone(),
        settings: vec![],
    }
}

/// The world after the latest control step.
#[cfg(feature = "view")]
pub fn snapshot(record: &StepRecord, outcome: Option<Outcome>, tally: (u32, u32)) -> Snapshot {
    let agents = &record.agents;
    Snapshot {
        step: record.step,
        time_s: record.time_s,
        bodies: record.bodies.clone(),
        agents: agents.iter().map(|agent| agent.pose).collect(),
        foods: record.foods.clone(),
        vitals: agents.iter().map(|agent| agent.vitals).collect(),
        light: record.light,
        rays: agents.iter().map(|agent| agent.rays.clone()).collect(),
        thoughts: agents.iter().map(|agent| agent.thought.clone()).collect(),
        think_ms: agents.iter().map(|agent| agent.think_time.as_secs_f32() * 1e3).collect(),
        contacts: agents.iter().map(|agent| agent.contacts.clone()).collect(),
        outcome,
        tally,
        ..Snapshot::default()
    }
}

fn body(spec: &BodySpec) -> SceneBody {
    SceneBody { name: spec.name.clone(), outlines: outlines(&spec.shape), color: color(&spec.color) }
}

fn agent(spec: &AgentBodySpec) -> SceneBody {
    SceneBody { name: spec.name.clone(), outlines: outlines(&spec.shape), color: color(&spec.color) }
}

fn target(spec: &TargetSpec) -> Marker {
    Marker { name: spec.name.clone(), position_m: pair(&spec.position_m), radius_m: spec.radius_m.value_f32() }
}

fn zone(spec: &ZoneSpec) -> SceneZone {
    SceneZone {
        name: spec.name.clone(),
        pose: Pose { position_m: pair(&spec.position_m), angle_rad: spec.angle_rad.value_f32() },
        outlines: outlines(&spec.shape),
        color: color(&spec.color),
    }
}

/// A patch's items, which look alike.
fn food(spec: &FoodSpec) -> Vec<SceneFood> {
    let item = SceneFood { name: spec.name.clone(), radius_m: spec.radius_m.value_f32(), color: color(&spec.color) };
    vec![item; spec.count.value() as usize]
}

fn pair(numbers: &[Num; 2]) -> [f32; 2] {
    [numbers[0].value_f32(), numbers[1].value_f32()]
}

fn color(numbers: &[Num; 3]) -> [f32; 3] {
    [numbers[0].value_f32(), numbers[1].value_f32(), numbers[2].value_f32()]
}
