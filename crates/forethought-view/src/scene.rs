//! Draws the world: floor, zones, targets, food, bodies, night, agents. Read first: [`draw_ground`] and [`draw_bodies`].

use crate::{brush::Brush, camera::Mapping, palette, story::Picture};
use bevy::{color::Srgba, math::Vec2};
use forethought_interface::{FoodItem, Outline, Pose, Scene, SceneBody};

/// The floor.
pub fn draw_floor(brush: &mut Brush, mapping: Mapping) {
    // Its edge lies below the boundary's line.
    brush.shaded(arena(mapping), [palette::FLOOR; 4]);
}

/// A line each metre, or each ten.
pub fn draw_grid(brush: &mut Brush, mapping: Mapping) {
    let Vec2 { x: width, y: height } = mapping.size_m;
    let apart = grid_step(width.max(height));
    for index in 1..(width / apart).ceil() as u32 {
        let x = index as f32 * apart;
        brush.line(&[mapping.to_canvas([x, 0.0]), mapping.to_canvas([x, height])], 1.0, palette::GRID);
    }
    for index in 1..(height / apart).ceil() as u32 {
        let y = index as f32 * apart;
        brush.line(&[mapping.to_canvas([0.0, y]), mapping.to_canvas([width, y])], 1.0, palette::GRID);
    }
}

/// What lies on the floor: zones and targets.
pub fn draw_ground(brush: &mut Brush, scene: &Scene, mapping: Mapping) {
    for zone in &scene.zones {
        let color = palette::scenario(zone.color);
        for corners in shapes(&zone.outlines, zone.pose, mapping) {
            corners.fill(brush, Srgba { alpha: palette::ZONE[0], ..color });
            corners.outline(brush, 1.5, Srgba { alpha: palette::ZONE[1], ..palette::darker(color) });
        }
    }
    for target in &scene.targets {
        let center = mapping.to_canvas(target.position_m);
        let radius = target.radius_m * mapping.px_per_m;
        brush.disc(center, radius, Srgba { alpha: 0.25, ..palette::TARGET });
        brush.ring(center, radius, 2.5, palette::TARGET);
        brush.disc(center, 3.0_f32.min(radius / 2.0), palette::TARGET);
    }
}

/// Food that is there to be eaten.
pub fn draw_foods(brush: &mut Brush, scene: &Scene, items: &[FoodItem], mapping: Mapping) {
    for (food, item) in scene.foods.iter().zip(items).filter(|(_, item)| item.present) {
        let (center, radius) = (mapping.to_canvas(item.position_m), food.radius_m * mapping.px_per_m);
        let color = palette::scenario(food.color);
        // As far as it can be eaten from, and the thing itself.
        brush.disc(center, radius, Srgba { alpha: 0.22, ..color });
        brush.ring(center, 0.5 * radius, 2.0, palette::darker(color));
        brush.disc(center, 0.5 * radius, color);
    }
}

/// The dark of the night over all that was drawn before.
pub fn draw_night(brush: &mut Brush, light: f32, mapping: Mapping) {
    let dark = 1.0 - light.clamp(0.0, 1.0);
    if dark > 0.0 {
        brush.polygon(&arena(mapping), Srgba { alpha: palette::DARKEST * dark, ..palette::NIGHT });
    }
}

/// The arena's edge.
pub fn draw_boundary(brush: &mut Brush, mapping: Mapping) {
    brush.outline(&arena(mapping), 3.0, palette::INK);
}

/// Bodies that are no agents.
pub fn draw_bodies(brush: &mut Brush, scene: &Scene, picture: &Picture, mapping: Mapping) {
    for (body, pose) in scene.bodies.iter().zip(&picture.bodies) {
        draw_body(brush, body, *pose, mapping);
    }
}

/// Agents, each with a mark that shows where it is heading.
pub fn draw_agents(brush: &mut Brush, scene: &Scene, picture: &Picture, mapping: Mapping) {
    for (agent, pose) in scene.agents.iter().zip(&picture.agents) {
        draw_body(brush, agent, *pose, mapping);
        let color = palette::scenario(agent.color);
        let light = 0.3 * color.red + 0.6 * color.green + 0.1 * color.blue;
        let mark = if light > 0.6 { palette::INK } else { palette::FLOOR };
        let front = front_m(agent);
        let corner = |along: f32, across: f32| place(*pose, [front * along, front * across], mapping);
        brush.polygon(&[corner(0.85, 0.0), corner(-0.35, 0.36), corner(-0.35, -0.36)], mark);
    }
}

fn draw_body(brush: &mut Brush, body: &SceneBody, pose: Pose, mapping: Mapping) {
    let color = palette::scenario(body.color);
    let parts: Vec<Shape> = shapes(&body.outlines, pose, mapping).collect();
    // All edges first, so that the parts of one body have none between them.
    for part in &parts {
        part.outline(brush, 3.0, palette::darker(color));
    }
    for part in &parts {
        part.fill(brush, color);
    }
}

/// A part of a body on the canvas.
enum Shape {
    Disc(Vec2, f32),
    Polygon(Vec<Vec2>),
}

impl Shape {
    fn fill(&self, brush: &mut Brush, color: Srgba) {
        match self {
            Self::Disc(center, radius) => brush.disc(*center, *radius, color),
            Self::Polygon(corners) => brush.polygon(corners, color),
        }
    }

    fn outline(&self, brush: &mut Brush, width: f32, color: Srgba) {
        match self {
            Self::Disc(center, radius) => brush.ring(*center, *radius, width, color),
            Self::Polygon(corners) => brush.outline(corners, width, color),
        }
    }
}

fn shapes(outlines: &[Outline], pose: Pose, mapping: Mapping) -> impl Iterator<Item = Shape> {
    outlines.iter().map(move |outline| match outline {
        Outline::Disc { center_m, radius_m } => {
            Shape::Disc(place(pose, *center_m, mapping), radius_m * mapping.px_per_m)
        }
        Outline::Polygon { vertices_m } => {
            Shape::Polygon(vertices_m.iter().map(|vertex| place(pose, *vertex, mapping)).collect())
        }
    })
}

/// From a body's own frame to the canvas.
fn place(pose: Pose, local_m: [f32; 2], mapping: Mapping) -> Vec2 {
    mapping.to_canvas(Vec2::from(pose.position_m) + Vec2::from_angle(pose.angle_rad).rotate(local_m.into()))
}

fn arena(mapping: Mapping) -> [Vec2; 4] {
    let Vec2 { x, y } = mapping.size_m;
    [[0.0, 0.0], [x, 0.0], [x, y], [0.0, y]].map(|corner| mapping.to_canvas(corner))
}

/// How far an agent reaches forward, in metres.
fn front_m(agent: &SceneBody) -> f32 {
    let reach = agent.outlines.iter().map(|outline| match outline {
        Outline::Disc { center_m, radius_m } => center_m[0] + radius_m,
        Outline::Polygon { vertices_m } => vertices_m.iter().map(|vertex| vertex[0]).fold(0.0, f32::max),
    });
    reach.fold(0.0, f32::max)
}

/// How far a body reaches from its middle, in metres.
pub fn reach_m(body: &SceneBody) -> f32 {
    outlines_reach_m(&body.outlines)
}

/// How far these parts reach from their middle, in metres.
pub fn outlines_reach_m(outlines: &[Outline]) -> f32 {
    let reach = outlines.iter().map(|outline| match outline {
        Outline::Disc { center_m, radius_m } => Vec2::from(*center_m).length() + radius_m,
        Outline::Polygon { vertices_m } => vertices_m.iter().map(|at| Vec2::from(*at).length()).fold(0.0, f32::max),
    });
    reach.fold(0.0, f32::max)
}

/// How far apart grid lines are, in metres: a power of ten that gives at most a dozen or so.
fn grid_step(longest_m: f32) -> f32 {
    10_f32.powf((longest_m / 12.0).log10().ceil())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Layout;

    #[test]
    fn poses_place_parts() {
        let mapping = Mapping::new([10.0, 10.0], &Layout::default());
        let pose = Pose { position_m: [5.0, 5.0], angle_rad: std::f32::consts::FRAC_PI_2 };
        let placed = place(pose, [1.0, 0.0], mapping);
        assert!((placed - mapping.to_canvas([5.0, 6.0])).length() < 1e-2);
    }

    #[test]
    fn grids_are_round_numbers() {
        for (longest_m, apart) in [(10.0, 1.0), (12.0, 1.0), (1.0, 0.1), (40.0, 10.0), (130.0, 100.0)] {
            assert!((grid_step(longest_m) - apart).abs() < 1e-3 * apart, "{longest_m} {}", grid_step(longest_m));
        }
    }
}
