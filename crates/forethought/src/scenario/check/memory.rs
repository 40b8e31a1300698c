//! What can be said of an agent's memory without drawing the scenario. Read first: [`Check::memory`].

use super::{AgentSpec, Check, listed};
use forethought_mind::recall::FEWEST_BEAMS;
use forethought_world::{ActuatorSpec, SensorSpec};

impl Check<'_> {
    /// An agent remembers what it can place, and places it by where it is itself.
    pub(super) fn memory(&mut self, path: &str, agent: &AgentSpec) {
        let Some(memory) = agent.memory.as_ref().filter(|_| !(self.partly)(&format!("{path}.sensors"))) else { return };
        let scents = agent.sensors.iter().filter_map(|sensor| match sensor {
            SensorSpec::Scent(scent) => Some(scent),
            _ => None,
        });
        let scents: Vec<(String, u32)> = scents.map(|scent| (scent.channel(), scent.beams)).collect();
        for (index, name) in memory.recall.iter().enumerate() {
            let at = format!("{path}.memory.recall[{index}]");
            match scents.iter().find(|(channel, _)| channel == name) {
                _ if memory.recall[..index].contains(name) => {
                    self.report(at, format!("a second `{name}`"), "each scent once", "remove one of them");
                }
                Some((_, beams)) if (*beams as usize) < FEWEST_BEAMS => {
                    let found = format!("`{name}`, which is smelt by {beams} beams");
                    let remedy = format!("write `beams: 12` in that `Scent`, or leave `{name}` out");
                    self.report(at, found, format!("a scent of {FEWEST_BEAMS} beams or more"), remedy);
                }
                Some(_) => {}
                None => {
                    let names = scents.iter().map(|(channel, _)| channel.as_str());
                    let expected = if scents.is_empty() { "a scent, but it has none".into() } else { listed(names) };
                    let remedy = "add the sensor, such as `Scent(of: Food)` for `scent.food`, or remove the name";
                    self.report(at, format!("`{name}`, which it does not smell"), expected, remedy);
                }
            }
        }
        if memory.recall.is_empty() {
            let remedy = "write `recall: [\"scent.food\"]`, or remove `memory`";
            self.report(format!("{path}.memory.recall"), "an empty list", "at least one scent", remedy);
        }
        self.within(format!("{path}.memory.keeps"), memory.keeps, 1, 256, "write how many things to keep in mind");
        self.positive(format!("{path}.memory.forgets_s"), memory.forgets_s, "write about 60");
        let body = agent.sensors.iter().find_map(|sensor| match sensor {
            SensorSpec::Proprioception(body) => Some(body),
            _ => None,
        });
        let turns = !matches!(agent.actuator, ActuatorSpec::VelocityCommand(_));
        if body.is_none_or(|body| turns && !body.heading) {
            let (found, wanted) = if turns {
                ("no sense of where it is and how it is turned", "`Proprioception(heading: true)`")
            } else {
                ("no sense of where it is", "`Proprioception()`")
            };
            let remedy = format!("add {wanted}, or remove `memory`");
            self.report(format!("{path}.sensors"), found, format!("{wanted}, for `memory`"), remedy);
        }
    }
}
