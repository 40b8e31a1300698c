//! Rehearsal: draw many episodes and see whether each world can be built, with every factor at its extremes.
//! Read first: [`rehearse`].

use super::{
    Draw, FactorSpec, Scenario,
    draw::{DrawError, factor_values, random_positions, world_of},
    expression,
    problem::Finding,
};
use forethought_interface::{FactorValues, Num, NumError, Numbers};
use forethought_world::{Maze, MazeError, WorldProblem, check_world};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Random episodes to draw.
const SEEDS: u64 = 64;
/// Up to this many factors, every combination of their extremes is drawn.
const MOST_CORNERS: usize = 8;
/// Numbers to evaluate in all, so that a huge scenario is checked in time too.
const BUDGET: usize = 400_000;
/// Problems to look into; a file with more has them all for the same reason.
const MOST_PROBLEMS: usize = 200;

/// What goes wrong in some episode. `silent` tells paths about which nothing more need be said.
pub(super) fn rehearse(scenario: &Scenario, silent: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut rehearsal = Rehearsal::default();
    let mut template = scenario.clone();
    let mut count = 1;
    template.numbers("", &mut |_, _| count += 1);
    count += scenario.factors.iter().map(maze_effort).sum::<usize>();
    let positions = positions(&scenario.factors);
    let draws = (BUDGET / count).clamp(8, positions.len().max(8));
    for position in positions.iter().take(draws) {
        if rehearsal.problems.len() >= MOST_PROBLEMS {
            break;
        }
        rehearsal.draw(scenario, position, silent);
    }
    rehearsal.findings(scenario)
}

/// What a maze and its way take to draw, in numbers to evaluate.
fn maze_effort(factor: &FactorSpec) -> usize {
    let Draw::Maze { cells, .. } = factor.draw else { return 0 };
    let [columns, rows] = cells.map(|count| count.min(Maze::MOST_CELLS) as usize);
    (columns * rows).pow(2) / 100
}

/// The problems so far.
#[derive(Default)]
struct Rehearsal {
    draws: usize,
    seen: HashMap<String, usize>,
    problems: Vec<Seen>,
}

/// A problem, and when it was first seen.
struct Seen {
    finding: Finding,
    factors: Vec<(String, f64)>,
    times: usize,
}

impl Rehearsal {
    fn draw(&mut self, scenario: &Scenario, position: &[f64], silent: &dyn Fn(&str) -> bool) {
        self.draws += 1;
        let mut found = Vec::new();
        let values = draw_factors(&scenario.factors, position, &mut found);
        // What has no value is NaN; nothing is concluded from it, and what caused it is reported once.
        let mut without_value: HashSet<String> = HashSet::new();
        let mut evaluate = |path: &str, num: &mut Num| {
            let value = number(num, path, &values, &scenario.factors, &mut found);
            *num = Num::Literal(value.unwrap_or_else(|| {
                without_value.insert(path.to_owned());
                f64::NAN
            }));
        };
        let mut world = world_of(scenario);
        world.numbers("", &mut evaluate);
        scenario.episode.clone().numbers("episode", &mut evaluate);
        for (index, agent) in scenario.agents.iter().enumerate() {
            agent.drives.clone().numbers(&format!("agents[{index}].drives"), &mut evaluate);
        }
        for WorldProblem { path, found: value, expected, remedy } in check_world(&world) {
            if !without_value.iter().any(|other| related(&path, other)) {
                found.push(Finding::new(path, value, expected, remedy));
            }
        }
        // A problem counts once an episode, however often it is found in it.
        let mut counted = HashSet::new();
        for finding in found {
            let key = kind(&finding);
            if silent(&finding.path) || !counted.insert(key.clone()) {
                continue;
            }
            let next = if self.problems.len() < MOST_PROBLEMS { self.problems.len() } else { usize::MAX };
            let index = *self.seen.entry(key).or_insert(next);
            if let Some(seen) = self.problems.get_mut(index) {
                seen.times += 1;
            } else if index < MOST_PROBLEMS {
                let in_order = |name: String| values.get(&name).copied().map(|value| (name, value));
                let factors = scenario.factors.iter().flat_map(FactorSpec::names).filter_map(in_order).collect();
                self.problems.push(Seen { finding, factors, times: 1 });
            }
        }
    }

    /// What happens in some episodes only is told with the factors it depends on.
    fn findings(self, scenario: &Scenario) -> Vec<Finding> {
        let draws = self.draws;
        let told = |mut seen: Seen| {
            if seen.times < draws {
                let used = factors_behind(scenario, &seen.finding);
                let shown = seen
                    .factors
                    .iter()
                    .filter(|(name, value)| value.is_finite() && (used.is_empty() || used.contains(name)));
                let shown: Vec<String> =
                    shown.take(6).map(|(name, value)| format!("{name} = {}", short(*value))).collect();
                if !shown.is_empty() {
                    seen.finding.found = format!("{} when {}", seen.finding.found, shown.join(", "));
                }
            }
            seen.finding
        };
        self.problems.into_iter().map(told).collect()
    }
}

/// Where in their ranges to draw the factors: the middle, each at its extremes, all at their extremes, at random.
fn positions(factors: &[FactorSpec]) -> Vec<Vec<f64>> {
    let options = |factor: &FactorSpec| -> Vec<f64> {
        match &factor.draw {
            Draw::Uniform { .. } => vec![0.0, 1.0],
            #[expect(clippy::cast_precision_loss, reason = "a short list")]
            Draw::Choice { of } => (0..of.len().min(64)).map(|i| (i as f64 + 0.5) / of.len() as f64).collect(),
            Draw::Fixed { .. } => Vec::new(),
            Draw::Maze { .. } => (0..8).map(|i| f64::from(i) / 8.0).collect(),
        }
    };
    let options: Vec<Vec<f64>> = factors.iter().map(options).collect();
    let middle = vec![0.5; factors.len()];
    let mut positions = vec![middle.clone()];
    let varying: Vec<usize> = (0..factors.len()).filter(|index| !options[*index].is_empty()).collect();
    if varying.is_empty() {
        return positions;
    }
    for &index in &varying {
        for &option in &options[index] {
            let mut position = middle.clone();
            position[index] = option;
            positions.push(position);
        }
    }
    if varying.len() <= MOST_CORNERS {
        for corner in 0..1_usize << varying.len() {
            let mut position = middle.clone();
            for (bit, &index) in varying.iter().enumerate() {
                let ends = [options[index].first(), options[index].last()];
                position[index] = ends[corner >> bit & 1].copied().unwrap_or(0.5);
            }
            positions.push(position);
        }
    }
    positions.extend((0..SEEDS).map(|seed| random_positions(seed).take(factors.len()).collect()));
    positions
}

/// The factors at these positions; what cannot be drawn is NaN.
fn draw_factors(factors: &[FactorSpec], position: &[f64], found: &mut Vec<Finding>) -> FactorValues {
    let mut values = FactorValues::new();
    for (index, (factor, at)) in factors.iter().zip(position).enumerate() {
        let before = &factors[..index];
        let nothing = || factor.names().into_iter().map(|name| (name, f64::NAN)).collect();
        let drawn: Vec<(String, f64)> = match factor_values(factor, index, *at, &values) {
            Ok(drawn) => drawn,
            Err(DrawError::Number { path, source }) => {
                let follows = matches!(&source, NumError::NotFinite { expression, .. }
                    if expression::names(expression).any(|name| values.get(name).is_some_and(|value| value.is_nan())));
                if !follows {
                    found.push(no_value(&path, &source, before, factors));
                }
                nothing()
            }
            Err(DrawError::Bounds { path, low, high }) => {
                let value = format!("the lower bound {} above the upper bound {}", short(low), short(high));
                found.push(Finding::new(path, value, "low <= high", "swap them, or narrow the factors that they use"));
                nothing()
            }
            Err(DrawError::Maze { path, source: MazeError::Cells(count) }) => {
                let expected = format!("1 to {} cells along each side", Maze::MOST_CELLS);
                found.push(Finding::new(path, count.to_string(), expected, "write columns and rows, such as (7, 7)"));
                nothing()
            }
            Err(DrawError::Maze { path, source: MazeError::Loops(share) }) => {
                let remedy = "write 0 for one way between any two cells, 1 for no dead end";
                found.push(Finding::new(path, share.to_string(), "a number from 0 to 1", remedy));
                nothing()
            }
            Err(DrawError::Empty { path }) => {
                let remedy = "write the values to choose from, such as `of: [0, 1]`";
                found.push(Finding::new(path, "an empty list", "at least one value", remedy));
                nothing()
            }
        };
        values.extend(drawn);
    }
    values
}

/// The number's value; none where it has none, which is reported unless a factor without a value is the cause.
fn number(
    num: &Num,
    path: &str,
    values: &FactorValues,
    factors: &[FactorSpec],
    found: &mut Vec<Finding>,
) -> Option<f64> {
    match num.evaluate(values) {
        Ok(value) => Some(value),
        Err(error) => {
            let follows = matches!((num, &error), (Num::Expression(text), NumError::NotFinite { .. })
                if expression::names(text).any(|name| values.get(name).is_some_and(|value| value.is_nan())));
            if !follows {
                found.push(no_value(path, &error, factors, factors));
            }
            None
        }
    }
}

fn no_value(path: &str, error: &NumError, usable: &[FactorSpec], all: &[FactorSpec]) -> Finding {
    let names = |factors: &[FactorSpec]| factors.iter().flat_map(FactorSpec::names).collect::<Vec<_>>();
    expression::finding(path, error, &names(usable), &names(all))
}

/// What makes two problems the same: their place and their words, without the numbers.
fn kind(finding: &Finding) -> String {
    let mut kind = finding.path.clone();
    let words = format!("\n{}\n{}", finding.expected, finding.found);
    let mut in_name = false;
    for c in words.chars() {
        // Digits within a name are part of it.
        if !(c.is_ascii_digit() || "+-.e".contains(c)) || in_name {
            kind.push(c);
        }
        in_name = c.is_alphabetic() && c != 'e' || c == '_' || in_name && c.is_ascii_digit();
    }
    kind
}

/// Whether one path is the other or within it.
pub(super) fn related(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    long.strip_prefix(short).is_some_and(|rest| short.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The factors that the expressions behind a problem use: those at its place, and at the things that it names.
fn factors_behind(scenario: &Scenario, finding: &Finding) -> BTreeSet<String> {
    let mut roots = vec![finding.path.clone()];
    let named = |name: &str| finding.found.contains(&format!("`{name}`"));
    roots.extend(
        (0..scenario.bodies.len()).filter(|i| named(&scenario.bodies[*i].name)).map(|i| format!("bodies[{i}]")),
    );
    roots.extend(
        (0..scenario.agents.len()).filter(|i| named(&scenario.agents[*i].name)).map(|i| format!("agents[{i}]")),
    );
    let mut used = BTreeSet::new();
    scenario.clone().numbers("", &mut |path, num| {
        if let Num::Expression(text) = num
            && roots.iter().any(|root| related(root, path))
        {
            used.extend(expression::names(text).map(str::to_owned));
        }
    });
    let known: HashSet<String> = scenario.factors.iter().flat_map(FactorSpec::names).collect();
    used.retain(|name| known.contains(name));
    used
}

/// A number as people write it.
fn short(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    if value.abs() < 1e9 { format!("{rounded}") } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_related_by_parts() {
        for (a, b) in [("a", "a"), ("a", "a.b"), ("a[1].b", "a[1]"), ("", "a")] {
            assert!(related(a, b) && related(b, a), "{a} {b}");
        }
        for (a, b) in [("a", "ab"), ("a[1]", "a[10]"), ("a.b", "a.c")] {
            assert!(!related(a, b) && !related(b, a), "{a} {b}");
        }
    }

    #[test]
    fn problems_differ_by_their_words_not_their_numbers() {
        let finding = |found: &str| kind(&Finding::new("a", found, "at most 2.5", ""));
        assert_eq!(finding("-1.5e3"), finding("7"));
        assert_eq!(finding("(1, 2), which overlaps `wall`"), finding("(3.5, 2), which overlaps `wall`"));
        assert_ne!(finding("(1, 2), which overlaps `wall_1`"), finding("(1, 2), which overlaps `wall_2`"));
        assert_ne!(finding("1"), kind(&Finding::new("b", "1", "at most 2.5", "")));
    }

    #[test]
    fn every_factor_is_drawn_at_its_extremes() {
        let uniform = Draw::Uniform { low: 0.0.into(), high: 1.0.into() };
        let choice = Draw::Choice { of: vec![1.0.into(), 2.0.into(), 3.0.into()] };
        let fixed = Draw::Fixed { value: 4.0.into() };
        let factor = |name: &str, draw| FactorSpec { name: name.into(), copies: 1, draw, explore: None };
        let factors = [factor("a", uniform), factor("b", choice), factor("c", fixed)];
        let mut found = Vec::new();
        let drawn: Vec<FactorValues> =
            positions(&factors).iter().map(|position| draw_factors(&factors, position, &mut found)).collect();
        assert!(found.is_empty());
        for (a, b) in [(0.0, 1.0), (0.0, 3.0), (1.0, 1.0), (1.0, 3.0), (0.5, 2.0)] {
            assert!(drawn.iter().any(|values| (values["a"], values["b"], values["c"]) == (a, b, 4.0)), "{a} {b}");
        }
    }
}
