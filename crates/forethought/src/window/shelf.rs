//! The scenarios to choose from. Read first: [`cards`].

use crate::{
    locate, picture,
    scenario::{self, LoadedScenario, Scenario},
    setup::{Setup, SetupOptions},
};
use forethought_interface::{Detail, Difficulty, Num, ScenarioCard, derive_seed};
use forethought_mind::actor::planners::PlannerName;
use forethought_world::{BodySpec, Sandbox};
use std::path::Path;

/// A card for each scenario that comes along, the easiest first.
#[must_use]
pub fn cards(options: &SetupOptions) -> Vec<ScenarioCard> {
    let mut cards: Vec<ScenarioCard> = locate::scenario_files().iter().map(|file| card(file, options)).collect();
    cards.sort_by(|a, b| (a.difficulty, &a.name).cmp(&(b.difficulty, &b.name)));
    cards
}

fn card(file: &Path, options: &SetupOptions) -> ScenarioCard {
    let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (path, nothing) = (file.to_owned(), String::new());
    match scenario::load_without_models(file) {
        Ok(loaded) => {
            let asks = asks(&loaded.scenario);
            ScenarioCard {
                name,
                path,
                description: loaded.scenario.description.clone(),
                difficulty: difficulty(&asks),
                asks: asks.into_iter().map(ToOwned::to_owned).collect(),
                picture: picture_of(loaded, options).map(Box::new),
                problem: None,
            }
        }
        Err(errors) => {
            let problem = Some(errors.to_string());
            let asks = vec![];
            ScenarioCard {
                name,
                path,
                description: nothing,
                difficulty: Difficulty::Hard,
                asks,
                picture: None,
                problem,
            }
        }
    }
}

/// What an agent must cope with beyond getting somewhere.
fn asks(scenario: &Scenario) -> Vec<&'static str> {
    let any_agent = |is: &dyn Fn(&scenario::AgentSpec) -> bool| scenario.agents.iter().any(is);
    let moves = |body: &BodySpec| body.kind == forethought_world::BodyKind::Kinematic || body.pursues.is_some();
    let grown = scenario.bodies.iter().any(|body| matches!(body.shape, forethought_world::ShapeSpec::Maze { .. }));
    let harms = scenario.zones.iter().any(|zone| !matches!(&zone.harm_per_s, Num::Literal(harm) if *harm == 0.0));
    let said = [
        (any_agent(&|agent| agent.metabolism.is_some()), "needs"),
        (harms, "what harms"),
        (scenario.bodies.iter().any(|body| body.pursues.is_some()), "a hunter"),
        (scenario.climate.is_some(), "nights"),
        (any_agent(&|agent| agent.memory.is_some()), "memory"),
        (grown, "planning on two levels"),
        (scenario.bodies.iter().any(|body| body.pursues.is_none() && moves(body)), "what cannot be foretold"),
        (scenario.agents.len() > 1, "others"),
    ];
    said.into_iter().filter_map(|(so, what)| so.then_some(what)).collect()
}

fn difficulty(asks: &[&str]) -> Difficulty {
    match asks.len() {
        0 => Difficulty::Easy,
        1 => Difficulty::Medium,
        _ => Difficulty::Hard,
    }
}

/// The first episode's world.
fn picture_of(
    loaded: LoadedScenario,
    options: &SetupOptions,
) -> Option<(forethought_interface::Scene, forethought_interface::Snapshot)> {
    let random = SetupOptions { actor: Some(PlannerName::Random), seed: options.seed, ..SetupOptions::default() };
    let setup = Setup::of(loaded, &random).ok()?;
    let episode = setup.draw(0).ok()?;
    let mut sandbox = Sandbox::new();
    sandbox.set_detail(Detail::Brief);
    sandbox.reset(&episode.world, derive_seed(setup.seed, "episode", 0)).ok()?;
    let snapshot = picture::snapshot(sandbox.record(), None, (0, 0));
    Some((picture::scene(&setup, &episode, 0), snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_come_along_have_a_card_and_a_picture() {
        let cards = cards(&SetupOptions::default());
        let named = |name: &str| cards.iter().find(|card| card.name == name).unwrap();
        assert!(cards.len() >= 10);
        assert!(
            cards.iter().all(|card| card.problem.is_none() && card.picture.is_some() && !card.description.is_empty())
        );
        assert_eq!(named("two_rooms").difficulty, Difficulty::Easy);
        assert_eq!(named("crowd").difficulty, Difficulty::Medium);
        assert_eq!(named("way_home").difficulty, Difficulty::Hard);
        assert!(named("predator").asks.iter().any(|ask| ask == "a hunter"));
    }

    #[test]
    fn a_bad_file_has_a_card_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bad.ron");
        std::fs::write(&file, "(schema: 1, name: ").unwrap();
        let card = card(&file, &SetupOptions::default());
        assert!(card.name == "bad" && card.problem.is_some());
    }
}
