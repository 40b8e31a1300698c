//! The world as it stands, saved as a scenario. Read first: [`save`].

use crate::{
    scenario::{
        self, Episode, Scenario,
        write::{frozen, naming, to_ron, told_from},
    },
    setup::Setup,
};
use forethought_interface::{Num, Pose};
use forethought_world::{Sandbox, WorldSpec};
use std::path::{Path, PathBuf};

/// Save it into this folder under a name that no file has yet, once it is known to be sound. Gives the file.
///
/// # Errors
/// What is wrong with the world as a scenario, or why it cannot be written.
pub fn save(setup: &Setup, episode: &Episode, sandbox: &Sandbox, folder: &Path) -> Result<PathBuf, String> {
    let own = &setup.loaded;
    let (name, file) = free_name(folder, &own.scenario.name);
    let record = sandbox.record();
    let agents: Vec<Pose> = record.agents.iter().map(|agent| agent.pose).collect();
    let beside = own.path.parent().unwrap_or(Path::new("."));
    let models = |model: &str| told_from(folder, &beside.join(model));
    let mut scenario = frozen(&own.scenario, episode, &record.bodies, &agents, &name, models);
    for (item, food) in record.foods.iter().enumerate().filter(|(_, food)| food.present) {
        if let Some(patch) = sandbox.patch_of(item).and_then(|patch| scenario.foods.get_mut(patch)) {
            patch.places_m.push(food.position_m.map(tenths_of_mm));
        }
    }
    // Where all of it was taken away, a patch is no more.
    scenario.foods.retain(|food| food.count.value() > 0.5);
    let text = sound_text(&scenario, episode, &file)?;
    let comment = format!(
        "// The world of {}, seed {}, as a hand left it after {} control steps. Nothing in it varies.\n",
        own.scenario.name, setup.seed, record.step
    );
    std::fs::write(&file, comment + &text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(file)
}

/// No hand is finer.
fn tenths_of_mm(metres: f32) -> Num {
    Num::Literal((f64::from(metres) * 1e4).round() / 1e4)
}

/// Its text, with factors only where it does not do without.
fn sound_text(scenario: &Scenario, episode: &Episode, file: &Path) -> Result<String, String> {
    let text = |scenario: &Scenario| to_ron(scenario).map_err(|error| error.to_string());
    let plain = text(scenario)?;
    let Err(problems) = scenario::parse(&plain, file) else { return Ok(plain) };
    let named = text(&naming(scenario, episode))?;
    match scenario::parse(&named, file) {
        Ok(_) => Ok(named),
        Err(_) => Err(format!("the world as it stands is no scenario:\n{problems}")),
    }
}

/// `two_rooms_edited`, or the first number behind it that no file has.
fn free_name(folder: &Path, own: &str) -> (String, PathBuf) {
    let base = own.split("_edited").next().unwrap_or(own);
    let name = |count: u32| if count == 1 { format!("{base}_edited") } else { format!("{base}_edited_{count}") };
    let file = |name: &str| folder.join(format!("{name}.ron"));
    let free = (1..1000).map(name).find(|name| !file(name).exists()).unwrap_or_else(|| name(1));
    let path = file(&free);
    (free, path)
}

/// How large the arena is, in metres.
pub fn size_m(world: &WorldSpec) -> [f32; 2] {
    [world.arena.size_m[0].value_f32(), world.arena.size_m[1].value_f32()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{episode::Runner, setup::SetupOptions, window::hands::edit};
    use forethought_interface::{Detail, Edit, FoodItem, Thing};
    use forethought_world::StepRecord;
    use std::sync::Arc;

    #[test]
    fn a_world_changed_by_hand_is_a_scenario_that_begins_so() {
        for name in ["two_rooms", "foraging", "maze", "clutter"] {
            let file = format!("{}/../../scenarios/{name}.ron", env!("CARGO_MANIFEST_DIR"));
            let setup = Arc::new(Setup::load(Path::new(&file), &SetupOptions::default()).unwrap());
            let mut runner = Runner::new(setup.clone(), Detail::Full);
            let mut current = runner.begin(0).unwrap();
            for _ in 0..3 {
                runner.step(&mut current).unwrap();
            }
            if name == "foraging" {
                edit(&mut runner, &mut current.drawn, Edit::AddFood { at_m: [6.0, 1.0] }).unwrap();
                edit(&mut runner, &mut current.drawn, Edit::Remove(Thing::Food(0))).unwrap();
            }
            if name == "two_rooms" {
                let wall = Edit::AddWall { from_m: [0.5, 5.0], to_m: [1.5, 5.2] };
                edit(&mut runner, &mut current.drawn, wall).unwrap();
            }
            let folder = tempfile::tempdir().unwrap();
            let saved = save(&setup, &current.drawn, runner.sandbox(), folder.path()).unwrap();
            let again = scenario::load(&saved).unwrap_or_else(|errors| panic!("{name}: {errors}"));
            let again = Arc::new(Setup::of(again, &SetupOptions::default()).unwrap());
            let mut other = Runner::new(again, Detail::Full);
            let begun = other.begin(9).unwrap();
            let (now, then) = (runner.sandbox().record(), other.sandbox().record());
            assert_eq!(now.bodies.len(), then.bodies.len(), "{name}");
            let off = |a: Pose, b: Pose| (a.position_m[0] - b.position_m[0]).hypot(a.position_m[1] - b.position_m[1]);
            assert!(off(now.agents[0].pose, then.agents[0].pose) < 1e-3, "{name}");
            assert_eq!(begun.drawn.world.foods.len(), current.drawn.world.foods.len(), "{name}");
            let lies_at = |food: &FoodItem| food.position_m.map(|metres| (metres * 100.0).round());
            let places = |record: &StepRecord| record.foods.iter().map(lies_at).collect::<Vec<_>>();
            assert_eq!(places(now), places(then), "{name}");
            let second = save(&setup, &current.drawn, runner.sandbox(), folder.path()).unwrap();
            assert!(second != saved && second.exists(), "nothing is written over");
        }
    }

    #[test]
    fn what_cannot_be_a_scenario_is_told() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let setup = Arc::new(Setup::load(file, &SetupOptions::default()).unwrap());
        let mut runner = Runner::new(setup.clone(), Detail::Full);
        let mut current = runner.begin(0).unwrap();
        // Into the wall.
        let wall = runner.sandbox().record().bodies[0].position_m;
        let door = current.drawn.factors.iter().find(|(name, _)| name == "door_y").unwrap().1 as f32;
        let to_m = [wall[0], if door > 5.0 { 1.0 } else { 9.0 }];
        edit(&mut runner, &mut current.drawn, Edit::Move { what: Thing::Agent(0), to_m }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let told = save(&setup, &current.drawn, runner.sandbox(), folder.path()).unwrap_err();
        assert!(told.contains("overlaps"), "{told}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
