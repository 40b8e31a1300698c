//! The window's colours, and the table of those that a file may hold. Read first: [`Table`].

use forethought_interface::Scene;
pub use forethought_interface::palette::{
    BAD, CANDIDATE, CHOSEN, Color, DARKEST, FAINT_INK, FLOOR, GOOD, GRID, INK, NIGHT, RAY, REMEMBERED, RULE, STORE,
    SUBGOALS, SURROUND, TARGET, TRAIL, ZONE,
};
use std::collections::{HashMap, HashSet};

/// Steps from day to night: with a step for each shade, every frame of a dusk would be a whole picture.
pub const SHADES: u8 = 6;

/// The table's first entry: what stays as it was in the frame before.
pub const UNCHANGED: u8 = 0;
/// So many colours of a grid over all of them are in every table, whatever else is.
const GRID_SIDE: u8 = 4;
const GRID_LEN: usize = 64;

/// A scenario's colour; what is no colour is grey.
pub fn scenario(rgb: [f32; 3]) -> Color {
    rgb.map(|value| if value.is_finite() { (value.clamp(0.0, 1.0) * 255.0).round() as u8 } else { 128 })
}

/// Darker, for outlines.
pub fn darker(color: Color) -> Color {
    color.map(|value| (f32::from(value) * 0.6) as u8)
}

/// `over` laid on `under`.
pub fn mix(under: Color, over: Color, alpha: f32) -> Color {
    std::array::from_fn(|channel| {
        let [under, over] = [under, over].map(|color| f32::from(color[channel]));
        (under + (over - under) * alpha).round() as u8
    })
}

/// How dark the night is in this light, in a few steps.
pub fn night_alpha(light: f32) -> f32 {
    let shades = f32::from(SHADES);
    DARKEST * ((1.0 - light.clamp(0.0, 1.0)) * shades).round() / shades
}

/// The colours that a file may hold, and for any colour the nearest of them.
pub struct Table {
    colors: Vec<Color>,
    nearest: HashMap<Color, u8>,
}

impl Table {
    /// For a scene; `nights` where it gets dark.
    pub fn of(scene: &Scene, nights: bool) -> Self {
        // The first is never shown.
        let mut colors = vec![[0; 3]];
        let mut put = |color: Color, most: usize| {
            if colors.len() < most && !colors[1..].contains(&color) {
                colors.push(color);
            }
        };
        let room = 256 - GRID_LEN;
        for color in solid(scene, nights) {
            put(color, room);
        }
        // Half of a line's edge is what it crosses. Few shades look as well as many here, and files stay small.
        for alpha in [0.5, 0.25, 0.75] {
            for [under, over] in
                [[FLOOR, CHOSEN], [FLOOR, CANDIDATE], [FLOOR, INK], [SURROUND, INK], [SURROUND, FAINT_INK]]
            {
                put(mix(under, over, alpha), room);
            }
        }
        for color in lines(scene) {
            put(mix(FLOOR, color, 0.5), room);
        }
        let shade = |index: u8| index * (255 / (GRID_SIDE - 1));
        for red in 0..GRID_SIDE {
            for green in 0..GRID_SIDE {
                for blue in 0..GRID_SIDE {
                    put([red, green, blue].map(shade), 256);
                }
            }
        }
        Self { colors, nearest: HashMap::new() }
    }

    /// The table as it stands in a file.
    pub fn bytes(&self) -> Vec<u8> {
        self.colors.concat()
    }

    /// The entry that looks most like this colour.
    pub fn nearest(&mut self, color: Color) -> u8 {
        let Self { colors, nearest } = self;
        *nearest.entry(color).or_insert_with(|| {
            let shown = colors.iter().enumerate().skip(1);
            shown.min_by_key(|(_, shown)| distance(**shown, color)).map_or(1, |(index, _)| index as u8)
        })
    }
}

/// How unlike two colours look, roughly.
fn distance(one: Color, other: Color) -> i32 {
    let apart = |channel: usize| (i32::from(one[channel]) - i32::from(other[channel])).pow(2);
    2 * apart(0) + 4 * apart(1) + 3 * apart(2)
}

/// What is drawn as a line or a small thing.
fn lines(scene: &Scene) -> impl Iterator<Item = Color> {
    let fixed = [CHOSEN, CANDIDATE, RAY, TARGET, TRAIL, INK].into_iter().chain(SUBGOALS);
    fixed.chain(scene.agents.iter().map(|agent| scenario(agent.color)))
}

/// What fills areas, the most important first.
fn solid(scene: &Scene, nights: bool) -> Vec<Color> {
    let (zone_fill, zone_edge) = (|color| mix(FLOOR, color, ZONE[0]), |color| mix(FLOOR, darker(color), ZONE[1]));
    let mut ground = vec![FLOOR, GRID, TARGET, mix(FLOOR, TARGET, 0.25)];
    for zone in &scene.zones {
        ground.extend([zone_fill(scenario(zone.color)), zone_edge(scenario(zone.color))]);
    }
    for color in scene.foods.iter().map(|food| food.color).chain(scene.bodies.iter().map(|body| body.color)) {
        ground.extend([scenario(color), darker(scenario(color))]);
    }
    ground.extend(scene.foods.iter().map(|food| mix(FLOOR, scenario(food.color), 0.22)));
    let mut seen = HashSet::new();
    ground.retain(|color| seen.insert(*color));
    let mut solid = vec![SURROUND, INK, FAINT_INK, RULE, GOOD, BAD, STORE];
    solid.extend(lines(scene));
    solid.extend(scene.agents.iter().map(|agent| darker(scenario(agent.color))));
    solid.extend(&ground);
    for shade in (1..=SHADES).rev().filter(|_| nights) {
        let alpha = DARKEST * f32::from(shade) / f32::from(SHADES);
        solid.extend(ground.iter().map(|color| mix(*color, NIGHT, alpha)));
    }
    solid
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::SceneBody;

    fn scene(agents: u8) -> Scene {
        let agent = |index: u8| SceneBody {
            name: String::new(),
            outlines: vec![],
            color: [f32::from(index) / 255.0, 0.3, 0.7],
        };
        Scene { agents: (0..agents).map(agent).collect(), ..Scene::default() }
    }

    #[test]
    fn what_fills_areas_is_exact_and_the_rest_is_near() {
        let mut table = Table::of(&scene(12), true);
        assert!(table.colors.len() <= 256);
        for color in [FLOOR, SURROUND, INK, CHOSEN, TARGET, mix(FLOOR, NIGHT, DARKEST)] {
            let index = table.nearest(color);
            assert_eq!(table.colors[usize::from(index)], color);
            assert_ne!(index, UNCHANGED);
        }
        assert_ne!(table.nearest([0; 3]), UNCHANGED, "the first entry is no colour");
    }

    #[test]
    fn any_number_of_colours_leaves_room_for_all_others() {
        let mut table = Table::of(&scene(255), false);
        assert!(table.colors.len() <= 256);
        let index = table.nearest([255, 0, 0]);
        assert_eq!(table.colors[usize::from(index)], [255, 0, 0]);
    }

    #[test]
    fn nights_fall_in_steps() {
        assert!(night_alpha(1.0) == 0.0 && night_alpha(2.0) == 0.0);
        assert!((night_alpha(0.0) - DARKEST).abs() < 1e-6);
        assert!((night_alpha(0.5) - night_alpha(0.52)).abs() < 1e-6);
    }
}
