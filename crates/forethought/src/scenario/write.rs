//! A scenario as a RON file that people can read: what its defaults say is left out. Read first: [`to_ron`].

use super::{AgentSpec, Draw, Episode, FactorSpec, Scenario};
use forethought_interface::{FactorValues, Num, Numbers, Pose};
use ron::{extensions::Extensions, ser::PrettyConfig};
use std::path::{Path, PathBuf};

/// No line is joined to be wider than this.
const WIDEST: usize = 116;

/// The scenario's text, without what its defaults say anyway.
///
/// # Errors
/// Where RON cannot express it.
pub fn to_ron(scenario: &Scenario) -> Result<String, ron::Error> {
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let pretty = PrettyConfig::new().struct_names(false).extensions(extensions).compact_arrays(false);
    let text = ron::Options::default().with_default_extension(extensions).to_string_pretty(scenario, pretty)?;
    // The reader knows these extensions without being told.
    let text = text.lines().filter(|line| !line.starts_with("#!")).collect::<Vec<_>>();
    Ok(without_defaults(text, scenario))
}

/// Leave out each field, with all within it, without which the text says the same; the outermost first.
fn without_defaults(mut lines: Vec<&str>, scenario: &Scenario) -> String {
    let mut at = 0;
    while at < lines.len() {
        let end = field_end(&lines, at);
        if let Some(end) = end {
            let rest: Vec<&str> = lines[..at].iter().chain(&lines[end..]).copied().collect();
            if says(&rest.join("\n"), scenario) {
                lines = rest;
                continue;
            }
        }
        at += 1;
    }
    compact(&lines)
}

/// Put what stands in brackets onto one line, where it is short enough.
fn compact(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < lines.len() {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let end = lines[at + 1..].iter().position(|line| indent(line) <= indent(lines[at])).map(|after| at + after + 2);
        let joined =
            end.filter(|_| indent(lines[at]) > 0 && opens(lines[at])).map(|end| (joined(&lines[at..end]), end));
        match joined.filter(|(line, _)| line.len() <= WIDEST) {
            Some((line, end)) => {
                text.push_str(&line);
                at = end;
            }
            None => {
                text.push_str(lines[at]);
                at += 1;
            }
        }
        text.push('\n');
    }
    text
}

fn opens(line: &str) -> bool {
    line.ends_with(['(', '[', '{'])
}

/// Several lines as one, without the commas before brackets that close.
fn joined(lines: &[&str]) -> String {
    let mut line = lines[0].to_owned();
    for next in &lines[1..] {
        let next = next.trim_start();
        if next.starts_with([')', ']', '}']) {
            line.truncate(line.trim_end_matches([' ', ',']).len());
        }
        line.push_str(next);
        if next.ends_with(',') {
            line.push(' ');
        }
    }
    line.trim_end().to_owned()
}

/// Where the field that begins in this line ends; none where none begins there.
fn field_end(lines: &[&str], at: usize) -> Option<usize> {
    let line = lines[at];
    let indent = line.len() - line.trim_start().len();
    let name = line.trim_start().split(':').next()?;
    let is_field = line.contains(':') && !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_field || indent == 0 {
        return None;
    }
    if line.ends_with(',') {
        return Some(at + 1);
    }
    let closes = |line: &&str| line.len() - line.trim_start().len() == indent;
    lines[at + 1..].iter().position(closes).map(|after| at + after + 2)
}

/// Whether a text is this scenario.
fn says(text: &str, scenario: &Scenario) -> bool {
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let read = ron::Options::default().with_default_extension(extensions).from_str::<Scenario>(text);
    read.is_ok_and(|read| read == *scenario)
}

/// The scenario whose every episode is this one as it stands now: bodies and agents are where `bodies` and `agents` say, and
/// nothing varies any more. `name` is its own name, `models` where its models' paths are told from.
#[must_use]
pub fn frozen(
    scenario: &Scenario,
    episode: &Episode,
    bodies: &[Pose],
    agents: &[Pose],
    name: &str,
    models: impl Fn(&str) -> PathBuf,
) -> Scenario {
    let factors: FactorValues = episode.factors.iter().cloned().collect();
    let mut frozen = Scenario {
        name: name.to_owned(),
        factors: vec![],
        bodies: episode.world.bodies.clone(),
        targets: episode.world.targets.clone(),
        zones: episode.world.zones.clone(),
        foods: episode.world.foods.clone(),
        ..scenario.clone()
    };
    for (body, pose) in frozen.bodies.iter_mut().zip(bodies) {
        put(&mut body.position_m, &mut body.angle_rad, *pose);
    }
    for (agent, pose) in frozen.agents.iter_mut().zip(agents) {
        put(&mut agent.position_m, &mut agent.angle_rad, *pose);
        agent.model = agent.model.as_ref().map(|model| models(model).display().to_string());
    }
    // A number that has no value stays as it was written, and the check of what is saved tells it.
    frozen.numbers("", &mut |_, number| {
        if matches!(number, Num::Expression(_)) {
            let _ = number.resolve(&factors);
        }
    });
    frozen.agents.iter_mut().for_each(once);
    frozen
}

/// The same with a factor for each number that was drawn, for those that ask for a factor by name.
#[must_use]
pub fn naming(scenario: &Scenario, episode: &Episode) -> Scenario {
    let fixed = |(name, value): &(String, f64)| FactorSpec {
        name: name.clone(),
        copies: 1,
        draw: Draw::Fixed { value: Num::Literal(*value) },
        explore: None,
    };
    Scenario { factors: episode.factors.iter().map(fixed).collect(), ..scenario.clone() }
}

/// Copies were written out when the scenario was read.
fn once(agent: &mut AgentSpec) {
    agent.copies = 1;
}

/// To whole tenths of a millimetre and of a thousandth of a radian: no hand is finer. What was not moved keeps its digits.
fn put(position_m: &mut [Num; 2], angle_rad: &mut Num, pose: Pose) {
    let set = |number: &mut Num, now: f32| {
        // An expression has no value yet.
        let stays = (number.value() - f64::from(now)).abs() <= 1e-4;
        if !stays {
            *number = Num::Literal((f64::from(now) * 1e4).round() / 1e4);
        }
    };
    position_m.iter_mut().zip(pose.position_m).for_each(|(number, now)| set(number, now));
    set(angle_rad, pose.angle_rad);
}

/// A path as it is told from this folder: below it where it is, else in full.
#[must_use]
pub fn told_from(folder: &Path, path: &Path) -> PathBuf {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.strip_prefix(&folder).map_or_else(|_| whole.clone(), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{load_without_models, parse};

    /// Every scenario that comes along, frozen as it begins, is a scenario whose episodes all begin so.
    #[test]
    fn what_is_saved_loads_and_begins_as_it_was() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "ron") {
                continue;
            }
            let loaded = load_without_models(&path).unwrap();
            let episode = loaded.draw(5).unwrap();
            let pose = |position: &[Num; 2], angle: &Num| Pose {
                position_m: [position[0].value_f32(), position[1].value_f32()],
                angle_rad: angle.value_f32(),
            };
            let bodies: Vec<Pose> = episode.world.bodies.iter().map(|b| pose(&b.position_m, &b.angle_rad)).collect();
            let agents: Vec<Pose> = episode.world.agents.iter().map(|a| pose(&a.position_m, &a.angle_rad)).collect();
            let frozen = frozen(&loaded.scenario, &episode, &bodies, &agents, "saved", |model| model.into());
            let text = to_ron(&frozen).unwrap();
            let read = parse(&text, Path::new("saved.ron"))
                .or_else(|_| parse(&to_ron(&naming(&frozen, &episode)).unwrap(), Path::new("saved.ron")));
            let read = read.unwrap_or_else(|errors| panic!("{}: {errors}\n{text}", path.display()));
            let again = read.draw(77).unwrap();
            assert_eq!(again.world.targets, episode.world.targets, "{}", path.display());
            assert_eq!(again.world.bodies.len(), episode.world.bodies.len());
            assert!(text.lines().count() < 260, "{}: {} lines", path.display(), text.lines().count());
        }
    }

    #[test]
    fn what_was_moved_is_where_it_was_put() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let loaded = load_without_models(path).unwrap();
        let mut episode = loaded.draw(1).unwrap();
        let wall = Pose { position_m: [3.0, 5.0], angle_rad: std::f32::consts::FRAC_PI_2 };
        let agent = Pose { position_m: [1.234_567, 2.0], angle_rad: 0.0 };
        episode.world.targets[0].position_m = [8.0, 8.0].map(Num::Literal);
        let models = |model: &str| Path::new("../there").join(model);
        let frozen = frozen(&loaded.scenario, &episode, &[wall], &[agent], "mine", models);
        let text = to_ron(&frozen).unwrap();
        assert!(text.contains("name: \"mine\"") && text.contains("1.2346"), "{text}");
        assert!(!text.contains("linear_damping_per_s") && !text.contains("copies"), "defaults are left out: {text}");
        let episode = parse(&text, Path::new("mine.ron")).unwrap().draw(0).unwrap();
        assert_eq!(episode.world.targets[0].position_m[0].value(), 8.0);
        assert_eq!(episode.world.bodies[0].position_m[0].value(), 3.0);
        assert_eq!(frozen.agents[0].model.as_deref(), Some("../there/../assets/two_rooms.safetensors"));
    }
}
