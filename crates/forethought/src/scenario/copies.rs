//! What is written once and meant several times: factors, agents and targets with `copies`. Read first: [`expand`].

use super::{Scenario, problem::Finding};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashSet;

/// What stands for the number of a copy, from 0.
pub(super) const INDEX: &str = "{i}";
/// The most copies of a thing.
const MOST_COPIES: u32 = 256;

/// A scenario with all copies in the place of what they are copies of, and where each was written.
pub(super) struct Expanded {
    pub scenario: Scenario,
    pub origins: Origins,
}

/// For each item of a list that may hold copies, the number of the item that was written.
pub(super) struct Origins([(&'static str, Vec<usize>); 3]);

/// Where a path leads.
struct Place<'a> {
    list: &'a str,
    /// For each item among all copies the number of the one that was written.
    origins: &'a [usize],
    number: usize,
    rest: &'a str,
}

/// Write out all copies, and tell those that cannot be.
pub(super) fn expand(written: &Scenario) -> (Expanded, Vec<Finding>) {
    let (mut scenario, mut findings) = (written.clone(), Vec::new());
    let (factors, agents, targets) = (&mut scenario.factors, &mut scenario.agents, &mut scenario.targets);
    let origins = Origins([
        ("factors", expand_list("factors", factors, |factor| (&factor.name, &mut factor.copies), &mut findings)),
        ("agents", expand_list("agents", agents, |agent| (&agent.name, &mut agent.copies), &mut findings)),
        ("targets", expand_list("targets", targets, |target| (&target.name, &mut target.copies), &mut findings)),
    ]);
    (Expanded { scenario, origins }, findings)
}

/// Write out the copies of a list's items; for each item of the longer list the number of the one that was written.
fn expand_list<T: Serialize + DeserializeOwned>(
    list: &str,
    items: &mut Vec<T>,
    parts: impl Fn(&mut T) -> (&String, &mut u32),
    findings: &mut Vec<Finding>,
) -> Vec<usize> {
    let mut origins = Vec::new();
    for (index, mut item) in std::mem::take(items).into_iter().enumerate() {
        let (name, copies) = parts(&mut item);
        let count = std::mem::replace(copies, 1);
        let path = |field: &str| format!("{list}[{index}]{field}");
        let mut told = None;
        if !(1..=MOST_COPIES).contains(&count) {
            let expected = format!("a number from 1 to {MOST_COPIES}");
            told = Some(Finding::new(path(".copies"), count.to_string(), expected, "write how many there are"));
        } else if count > 1 && !name.contains(INDEX) {
            let remedy = format!("write, for example, \"{name}_{INDEX}\"");
            told = Some(Finding::new(
                path(".name"),
                format!("\"{name}\" for {count} of them"),
                format!("a name with `{INDEX}`, so that each has its own"),
                remedy,
            ));
        } else if count > 1 {
            let copies: Option<Vec<T>> = (0..count).map(|number| copy(&item, number)).collect();
            if let Some(copies) = copies {
                origins.resize(origins.len() + copies.len(), index);
                items.extend(copies);
                continue;
            }
            let remedy = "write them out one by one";
            told = Some(Finding::new(path(""), "a value that cannot be copied", "what RON can write", remedy));
        }
        findings.extend(told);
        origins.push(index);
        items.push(item);
    }
    origins
}

/// The copy of this number: the index stands in texts and expressions, wherever they are.
fn copy<T: Serialize + DeserializeOwned>(item: &T, number: u32) -> Option<T> {
    // Only texts can hold the index, for RON writes a brace nowhere else in these types.
    ron::from_str(&ron::to_string(item).ok()?.replace(INDEX, &number.to_string())).ok()
}

impl Origins {
    /// The list that this path leads into, and what was written of its items; the number of the item and the rest of the path.
    fn place<'a>(&'a self, path: &'a str) -> Option<Place<'a>> {
        self.0.iter().find_map(|(list, origins)| {
            let (number, rest) = path.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
            Some(Place { list, origins, number: number.parse().ok()?, rest })
        })
    }

    /// The path in the file of what is at this path among all copies.
    pub fn written(&self, path: &str) -> String {
        let written = self.place(path).and_then(|Place { list, origins, number, rest }| {
            origins.get(number).map(|origin| format!("{list}[{origin}]{rest}"))
        });
        written.unwrap_or_else(|| path.to_owned())
    }

    /// These problems at their places in the file. What is wrong with several copies is told of the first.
    pub fn told_once(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let mut told: HashSet<(String, usize)> = HashSet::new();
        findings.retain_mut(|finding| {
            let Some(Place { origins, number, .. }) = self.place(&finding.path) else { return true };
            let written = self.written(&finding.path);
            let of_other = origins.get(number).is_some_and(|origin| {
                let first = origins.iter().position(|other| other == origin).unwrap_or(number);
                (first..number).any(|other| told.contains(&(written.clone(), other)))
            });
            told.insert((written.clone(), number));
            finding.path = written;
            !of_other
        });
        findings
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::parse;
    use forethought_interface::Num;
    use std::path::Path;

    fn scenario(agent: &str) -> String {
        format!(
            r#"(
                schema: 1,
                name: "many",
                description: "Many.",
                factors: [(name: "y_{{i}}", copies: 3, draw: Uniform(low: "{{i}} + 1", high: "{{i}} + 1.2"))],
                arena: (size_m: (10.0, 10.0)),
                agents: [({agent}
                    shape: Disc(radius_m: 0.3),
                    position_m: ("2 * {{i}} + 1", "y_{{i}}"),
                    actuator: VelocityCommand(),
                    sensors: [Proprioception()],
                    drives: [Reach(target: "goal_{{i}}")],
                )],
                targets: [(name: "goal_{{i}}", copies: 3, position_m: ("{{i}} + 1", 9.0), radius_m: 0.5)],
                episode: (success: [AllArrived], max_steps: 10),
            )"#
        )
    }

    fn told(agent: &str) -> Vec<String> {
        let errors = parse(&scenario(agent), Path::new("many.ron")).unwrap_err();
        errors.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.found)).collect()
    }

    #[test]
    fn each_copy_has_its_number() {
        let loaded = parse(&scenario("name: \"agent_{i}\", copies: 3,"), Path::new("many.ron")).unwrap();
        let episode = loaded.draw(4).unwrap();
        let names: Vec<&str> = episode.world.agents.iter().map(|agent| agent.name.as_str()).collect();
        assert_eq!(names, ["agent_0", "agent_1", "agent_2"]);
        for (index, agent) in episode.world.agents.iter().enumerate() {
            assert_eq!(agent.target, Some(format!("goal_{index}")));
            let (name, y) = &episode.factors[index];
            assert_eq!((name, agent.position_m[1].value()), (&format!("y_{index}"), *y));
            assert_eq!(agent.position_m[0], Num::Literal(2.0 * index as f64 + 1.0));
            assert_eq!(episode.world.targets[index].name, format!("goal_{index}"));
        }
    }

    #[test]
    fn what_is_wrong_with_copies_is_told_once_and_where_it_is_written() {
        assert_eq!(told("name: \"agent\", copies: 3,"), ["agents[0].name: \"agent\" for 3 of them"]);
        for count in [0, 4_000_000_000_u32] {
            let found = told(&format!("name: \"agent_{{i}}\", copies: {count},"));
            assert!(found.contains(&format!("agents[0].copies: {count}")), "{found:?}");
        }
        let found = told("name: \"agent_{i}\", copies: 3, angle_rad: \"{i} + wall\",");
        assert_eq!(found, ["agents[0].angle_rad: the unknown name `wall`"]);
        let found = told("name: \"agent_{i}\", copies: 5,");
        assert!(found.iter().any(|found| found.starts_with("agents[0].drives[0].target: `goal_3`")), "{found:?}");
    }
}
