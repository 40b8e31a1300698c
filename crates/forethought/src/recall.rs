//! Memory of what is out of sight, made ready for a body's senses. Read first: [`recall_of`].

use crate::{error::Error, scenario::AgentSpec};
use forethought_interface::ObservationLayout;
use forethought_mind::{
    MindError,
    recall::{Eyes, Nose, Recall, Senses},
};
use forethought_world::{AgentBodySpec, ScentSpec, SensorSpec, TimingSpec, observation_layout};

/// The memory of an agent with this body, all its numbers resolved, if its scenario gives it one: empty, for one life.
///
/// # Errors
/// Where it does not sense what it is to remember, or where it is itself.
pub fn recall_of(agent: &AgentSpec, body: &AgentBodySpec, timing: &TimingSpec) -> Result<Option<Recall>, Error> {
    let Some(spec) = &agent.memory else { return Ok(None) };
    let layout = observation_layout(body);
    let mut senses = Senses { noses: vec![], eyes: None, angle_rad: body.angle_rad.value_f32() };
    for sensor in &body.sensors {
        match sensor {
            SensorSpec::Scent(scent) => senses.noses.extend(nose(scent, &layout)),
            SensorSpec::Lidar(lidar) => {
                let rays = layout.range("lidar.range_m");
                let field_of_view_rad = lidar.field_of_view_rad.value_f32();
                senses.eyes = rays.map(|rays| Eyes { rays, field_of_view_rad });
            }
            _ => {}
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a period of some milliseconds")]
    let period_s = timing.control_period_s as f32;
    let recall = Recall::new(spec, &layout, senses, period_s);
    let refuse = |what| Error::Mind { agent: agent.name.clone(), source: MindError::Memory(what) };
    recall.map(Some).map_err(refuse)
}

/// How this scent is sensed.
fn nose(scent: &ScentSpec, layout: &ObservationLayout) -> Option<Nose> {
    let channel = scent.channel();
    Some(Nose {
        beams: layout.range(&channel)?,
        channel,
        range_m: scent.range_m.value_f32(),
        sharpness: scent.sharpness.value_f32(),
        reach_m: scent.reach_m.value_f32(),
        fades_from_m: scent.fades_from_m(),
        occluded: scent.occluded,
    })
}
