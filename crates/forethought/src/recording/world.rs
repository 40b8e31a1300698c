//! Draws the world: floor, zones, targets, food, bodies, night, agents. Read first: [`ground`] and [`agents`].

use super::{
    canvas::{Canvas, Px},
    layout::Layout,
    palette::{self, Color},
};
use forethought_interface::{Outline, Pose, Scene, SceneBody};
use forethought_world::StepRecord;

/// The floor and what lies on it: a grid, zones, targets, food.
pub fn ground(canvas: &mut Canvas, scene: &Scene, record: &StepRecord, layout: &Layout) {
    let [width, height] = layout.size_m;
    canvas.polygon(&layout.arena(), palette::FLOOR, 1.0);
    let apart = grid_step(width.max(height));
    // A thumbnail is too small for it.
    if layout.words.is_some() {
        for index in 1..(width / apart).ceil() as u32 {
            let x = index as f32 * apart;
            canvas.line(&crisp([layout.px([x, 0.0]), layout.px([x, height])]), 1.0, palette::GRID, 1.0);
        }
        for index in 1..(height / apart).ceil() as u32 {
            let y = index as f32 * apart;
            canvas.line(&crisp([layout.px([0.0, y]), layout.px([width, y])]), 1.0, palette::GRID, 1.0);
        }
    }
    for zone in &scene.zones {
        let color = palette::scenario(zone.color);
        for part in shapes(&zone.outlines, zone.pose, layout) {
            part.fill(canvas, color, palette::ZONE[0]);
            part.outline(canvas, 1.5 * layout.pen, palette::darker(color), palette::ZONE[1]);
        }
    }
    targets(canvas, scene, layout);
    foods(canvas, scene, record, layout);
}

fn targets(canvas: &mut Canvas, scene: &Scene, layout: &Layout) {
    for target in &scene.targets {
        let (center, radius) = (layout.px(target.position_m), target.radius_m * layout.px_per_m);
        canvas.disc(center, radius, palette::TARGET, 0.25);
        canvas.ring(center, radius, (2.5 * layout.pen).max(1.2), palette::TARGET, 1.0);
        canvas.disc(center, (3.0 * layout.pen).min(radius / 2.0), palette::TARGET, 1.0);
    }
}

/// Food that is there to be eaten.
fn foods(canvas: &mut Canvas, scene: &Scene, record: &StepRecord, layout: &Layout) {
    for (food, item) in scene.foods.iter().zip(&record.foods).filter(|(_, item)| item.present) {
        let (center, radius) = (layout.px(item.position_m), food.radius_m * layout.px_per_m);
        let color = palette::scenario(food.color);
        // As far as it can be eaten from, and the thing itself.
        canvas.disc(center, radius, color, 0.22);
        canvas.ring(center, 0.5 * radius, 2.0 * layout.pen, palette::darker(color), 1.0);
        canvas.disc(center, 0.5 * radius, color, 1.0);
    }
}

/// Bodies that are no agents, and the dark of the night over all.
pub fn bodies(canvas: &mut Canvas, scene: &Scene, record: &StepRecord, layout: &Layout) {
    for (index, pose) in record.bodies.iter().enumerate() {
        if let Some(body) = scene.bodies.get(index) {
            draw_body(canvas, body, *pose, layout);
        }
    }
    let dark = record.light.map_or(0.0, palette::night_alpha);
    if dark > 0.0 {
        canvas.polygon(&layout.arena(), palette::NIGHT, dark);
    }
    canvas.outline(&layout.arena(), (3.0 * layout.pen).max(1.5), palette::INK, 1.0);
}

/// Agents, each with a mark that shows where it is heading.
pub fn agents(canvas: &mut Canvas, scene: &Scene, record: &StepRecord, layout: &Layout) {
    for (agent, now) in scene.agents.iter().zip(&record.agents) {
        draw_body(canvas, agent, now.pose, layout);
        let [red, green, blue] = palette::scenario(agent.color).map(f32::from);
        let light = (0.3 * red + 0.6 * green + 0.1 * blue) / 255.0;
        let mark = if light > 0.6 { palette::INK } else { palette::FLOOR };
        let front = front_m(agent);
        let corner = |along: f32, across: f32| layout.place(now.pose, [front * along, front * across]);
        canvas.polygon(&[corner(0.85, 0.0), corner(-0.35, 0.36), corner(-0.35, -0.36)], mark, 1.0);
    }
}

fn draw_body(canvas: &mut Canvas, body: &SceneBody, pose: Pose, layout: &Layout) {
    let color = palette::scenario(body.color);
    let parts: Vec<Shape> = shapes(&body.outlines, pose, layout).collect();
    // All edges first, so that the parts of one body have none between them.
    for part in &parts {
        part.outline(canvas, (3.0 * layout.pen).max(1.5), palette::darker(color), 1.0);
    }
    for part in &parts {
        part.fill(canvas, color, 1.0);
    }
}

/// A part of a body, in pixels.
enum Shape {
    Disc(Px, f32),
    Polygon(Vec<Px>),
}

impl Shape {
    fn fill(&self, canvas: &mut Canvas, color: Color, alpha: f32) {
        match self {
            Self::Disc(center, radius) => canvas.disc(*center, *radius, color, alpha),
            Self::Polygon(corners) => canvas.polygon(corners, color, alpha),
        }
    }

    fn outline(&self, canvas: &mut Canvas, width: f32, color: Color, alpha: f32) {
        match self {
            Self::Disc(center, radius) => canvas.ring(*center, *radius, width, color, alpha),
            Self::Polygon(corners) => canvas.outline(corners, width, color, alpha),
        }
    }
}

fn shapes(outlines: &[Outline], pose: Pose, layout: &Layout) -> impl Iterator<Item = Shape> {
    outlines.iter().map(move |outline| match outline {
        Outline::Disc { center_m, radius_m } => Shape::Disc(layout.place(pose, *center_m), radius_m * layout.px_per_m),
        Outline::Polygon { vertices_m } => {
            Shape::Polygon(vertices_m.iter().map(|vertex| layout.place(pose, *vertex)).collect())
        }
    })
}

/// How far an agent reaches forward, in metres.
fn front_m(agent: &SceneBody) -> f32 {
    let reach = agent.outlines.iter().map(|outline| match outline {
        Outline::Disc { center_m, radius_m } => center_m[0] + radius_m,
        Outline::Polygon { vertices_m } => vertices_m.iter().map(|vertex| vertex[0]).fold(0.0, f32::max),
    });
    reach.fold(0.0, f32::max)
}

/// How far apart grid lines are, in metres: a power of ten that gives at most a dozen or so.
fn grid_step(longest_m: f32) -> f32 {
    10_f32.powf((longest_m / 12.0).log10().ceil())
}

/// On the middle of a pixel a line is one pixel wide, between two it is two faint ones.
fn crisp(ends: [Px; 2]) -> [Px; 2] {
    ends.map(|end| end.map(|number| number.floor() + 0.5))
}
