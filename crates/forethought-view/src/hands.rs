//! The mouse in the world: what is under it, and what is done to it. Read first: [`Hands::act`].

use crate::{
    brush::Brush,
    camera::Mapping,
    input::{Ask, Tool},
    palette,
    scene::{outlines_reach_m, reach_m},
    story::Story,
};
use bevy::{color::Srgba, math::Vec2, prelude::Resource};
use bevy_egui::egui::{CursorIcon, Response};
use forethought_interface::{Edit, Outline, Pose, Scene, Snapshot, Thing};

/// How near to a small thing the pointer must be, in pixels.
const REACH_PX: f32 = 9.0;
/// Between two places of a dragged thing, in metres.
const LEAST_MOVE_M: f32 = 0.01;
/// A push of a metre's length is so fast, in 1/s.
const PUSH_PER_S: f32 = 2.0;
/// What is drawn while something is held.
const MARK: Srgba = palette::CHOSEN;

/// What the mouse holds.
#[derive(Resource, Debug, Default)]
pub struct Hands {
    held: Option<Held>,
    /// Where the pointer is in the world, in metres.
    pointer_m: Option<Vec2>,
    hovered: Option<Thing>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    tool: Tool,
    what: Option<Thing>,
    /// Where it was taken hold of, in metres.
    from_m: Vec2,
    /// From the pointer to the thing's middle.
    offset_m: Vec2,
    /// Where it was put last.
    put_m: Vec2,
}

impl Hands {
    /// What is asked for by what the mouse did since the last frame.
    pub fn act(&mut self, response: &Response, mapping: Mapping, story: &Story, tool: Tool) -> Vec<Ask> {
        let (Some(scene), Some(now)) = (&story.scene, &story.now) else { return vec![] };
        let at = response.interact_pointer_pos().or(response.hover_pos());
        self.pointer_m = at.map(|at| mapping.to_metres(Vec2::new(at.x, at.y)));
        let Some(pointer_m) = self.pointer_m else {
            self.hovered = None;
            return vec![];
        };
        let reach_m = REACH_PX / mapping.px_per_m.max(1e-3);
        let under = under(scene, now, pointer_m, reach_m).filter(|thing| tool_takes(tool, *thing));
        self.hovered = under;
        response.ctx.set_cursor_icon(cursor(tool, under, self.held.is_some()));
        // What is past cannot be changed.
        if story.looks_back() || story.ended {
            self.held = None;
            return vec![];
        }
        if response.clicked() {
            return click(tool, under, pointer_m);
        }
        if response.drag_started() {
            // Where the button went down, not where the pointer has come to be a drag.
            let pressed = response.ctx.input(|input| input.pointer.press_origin());
            let from_m = pressed.map_or(pointer_m, |at| mapping.to_metres(Vec2::new(at.x, at.y)));
            let what = crate::hands::under(scene, now, from_m, reach_m).filter(|thing| tool_takes(tool, *thing));
            let middle = what.and_then(|what| middle_m(scene, now, what)).unwrap_or(from_m);
            self.held = Some(Held { tool, what, from_m, offset_m: middle - from_m, put_m: middle });
        }
        let Some(held) = &mut self.held else { return vec![] };
        let mut asks = vec![];
        if let (Tool::Move, Some(what)) = (held.tool, held.what) {
            let to_m = pointer_m + held.offset_m;
            if to_m.distance(held.put_m) >= LEAST_MOVE_M {
                held.put_m = to_m;
                asks.push(Ask::Edit(Edit::Move { what, to_m: to_m.into() }));
            }
        }
        if response.drag_stopped() {
            let by = (pointer_m - held.from_m) * PUSH_PER_S;
            match (held.tool, held.what) {
                (Tool::Push, Some(what)) => asks.push(Ask::Edit(Edit::Push { what, by_m_s: by.into() })),
                (Tool::Wall, _) => {
                    asks.push(Ask::Edit(Edit::AddWall { from_m: held.from_m.into(), to_m: pointer_m.into() }));
                }
                _ => {}
            }
            self.held = None;
        }
        asks
    }

    /// What is held, and what could be.
    pub fn draw(&self, brush: &mut Brush, story: &Story, mapping: Mapping) {
        let (Some(scene), Some(now)) = (&story.scene, &story.now) else { return };
        if let Some(thing) = self.held.and_then(|held| held.what).or(self.hovered)
            && let Some(middle) = middle_m(scene, now, thing)
        {
            let radius = radius_m(scene, thing) * mapping.px_per_m + 5.0;
            brush.ring(mapping.to_canvas(middle), radius, 2.5, MARK);
        }
        let (Some(held), Some(pointer_m)) = (self.held, self.pointer_m) else { return };
        let ends = [held.from_m, pointer_m].map(|end| mapping.to_canvas(end));
        match held.tool {
            Tool::Wall => {
                brush.line(&ends, 0.2 * mapping.px_per_m, Srgba { alpha: 0.55, ..palette::FAINT_INK });
            }
            Tool::Push if held.what.is_some() => {
                brush.line(&ends, 4.0, MARK);
                brush.disc(ends[1], 6.0, MARK);
            }
            _ => {}
        }
    }
}

fn click(tool: Tool, under: Option<Thing>, at_m: Vec2) -> Vec<Ask> {
    let at_m = at_m.into();
    match (tool, under) {
        (Tool::Box, _) => vec![Ask::Edit(Edit::AddBox { at_m })],
        (Tool::Food, _) => vec![Ask::Edit(Edit::AddFood { at_m })],
        (Tool::Erase, Some(what)) => vec![Ask::Edit(Edit::Remove(what))],
        (Tool::Move, Some(Thing::Agent(agent))) => vec![Ask::LookInto(agent)],
        _ => vec![],
    }
}

fn cursor(tool: Tool, under: Option<Thing>, holds: bool) -> CursorIcon {
    match (tool, under) {
        _ if holds && tool != Tool::Wall => CursorIcon::Grabbing,
        (Tool::Move | Tool::Push, Some(_)) => CursorIcon::Grab,
        (Tool::Wall | Tool::Box | Tool::Food, _) => CursorIcon::Crosshair,
        (Tool::Erase, Some(_)) => CursorIcon::NotAllowed,
        _ => CursorIcon::Default,
    }
}

fn tool_takes(tool: Tool, thing: Thing) -> bool {
    match tool {
        Tool::Move => true,
        Tool::Push => matches!(thing, Thing::Agent(_) | Thing::Body(_)),
        Tool::Erase => matches!(thing, Thing::Body(_) | Thing::Food(_)),
        Tool::Wall | Tool::Box | Tool::Food => false,
    }
}

/// What is at a place: what is drawn last first, for it lies on top.
fn under(scene: &Scene, now: &Snapshot, at_m: Vec2, reach_m: f32) -> Option<Thing> {
    let near = |poses: &[Pose], outlines: &dyn Fn(usize) -> Vec<Outline>| {
        (0..poses.len()).rev().find(|index| covers(&outlines(*index), poses[*index], at_m, reach_m))
    };
    let agent = near(&now.agents, &|index| scene.agents.get(index).map_or(vec![], |agent| agent.outlines.clone()));
    if let Some(agent) = agent {
        return Some(Thing::Agent(agent));
    }
    let items = now.foods.iter().zip(&scene.foods).enumerate();
    let mut food = items.filter(|(_, (item, _))| item.present);
    if let Some((index, _)) =
        food.find(|(_, (item, look))| within(item.position_m, at_m, 0.5 * look.radius_m + reach_m))
    {
        return Some(Thing::Food(index));
    }
    let mut targets = scene.targets.iter().enumerate();
    if let Some((index, _)) = targets.find(|(_, target)| within(target.position_m, at_m, target.radius_m)) {
        return Some(Thing::Target(index));
    }
    let body = near(&now.bodies, &|index| scene.bodies.get(index).map_or(vec![], |body| body.outlines.clone()));
    if let Some(body) = body {
        return Some(Thing::Body(body));
    }
    let mut zones = scene.zones.iter().enumerate().rev();
    zones.find(|(_, zone)| covers(&zone.outlines, zone.pose, at_m, reach_m)).map(|(index, _)| Thing::Zone(index))
}

fn within(middle_m: [f32; 2], at_m: Vec2, radius_m: f32) -> bool {
    Vec2::from(middle_m).distance(at_m) <= radius_m
}

/// Whether a body covers a place, or nearly.
fn covers(outlines: &[Outline], pose: Pose, at_m: Vec2, reach_m: f32) -> bool {
    let local = Vec2::from_angle(-pose.angle_rad).rotate(at_m - Vec2::from(pose.position_m));
    outlines.iter().any(|outline| match outline {
        Outline::Disc { center_m, radius_m } => within(*center_m, local, radius_m + 0.3 * reach_m),
        Outline::Polygon { vertices_m } => {
            let next = vertices_m.iter().cycle().skip(1);
            let mut sides = vertices_m.iter().zip(next).map(|(a, b)| {
                let (a, b) = (Vec2::from(*a), Vec2::from(*b));
                (b - a).perp_dot(local - a) / (b - a).length().max(1e-6)
            });
            // Inside of all edges of an anticlockwise polygon, or a little beside.
            sides.all(|side| side >= -0.3 * reach_m)
        }
    })
}

fn middle_m(scene: &Scene, now: &Snapshot, thing: Thing) -> Option<Vec2> {
    let position_m = match thing {
        Thing::Agent(index) => now.agents.get(index)?.position_m,
        Thing::Body(index) => now.bodies.get(index)?.position_m,
        Thing::Target(index) => scene.targets.get(index)?.position_m,
        Thing::Food(index) => now.foods.get(index)?.position_m,
        Thing::Zone(index) => scene.zones.get(index)?.pose.position_m,
    };
    Some(position_m.into())
}

/// How far a thing reaches from its middle; a long one is marked at its middle only.
fn radius_m(scene: &Scene, thing: Thing) -> f32 {
    let radius = match thing {
        Thing::Agent(index) => scene.agents.get(index).map(reach_m),
        Thing::Body(index) => scene.bodies.get(index).map(reach_m),
        Thing::Target(index) => scene.targets.get(index).map(|target| target.radius_m),
        Thing::Food(index) => scene.foods.get(index).map(|food| 0.5 * food.radius_m),
        Thing::Zone(index) => scene.zones.get(index).map(|zone| outlines_reach_m(&zone.outlines)),
    };
    radius.unwrap_or(0.0).min(0.7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{FoodItem, Marker, SceneBody, SceneFood, SceneZone};

    fn world() -> (Scene, Snapshot) {
        let body = |outline: Outline| SceneBody { name: "a".into(), outlines: vec![outline], color: [0.0; 3] };
        let vertices_m = vec![[-2.0, -0.1], [2.0, -0.1], [2.0, 0.1], [-2.0, 0.1]];
        let scene = Scene {
            size_m: [10.0; 2],
            agents: vec![body(Outline::Disc { center_m: [0.0; 2], radius_m: 0.3 })],
            bodies: vec![body(Outline::Polygon { vertices_m })],
            targets: vec![Marker { name: "goal".into(), position_m: [8.0, 8.0], radius_m: 0.5 }],
            zones: vec![SceneZone {
                name: "mud".into(),
                pose: Pose { position_m: [2.0, 7.0], angle_rad: 0.0 },
                outlines: vec![Outline::Disc { center_m: [0.0; 2], radius_m: 1.0 }],
                color: [0.0; 3],
            }],
            foods: vec![SceneFood { name: "food".into(), radius_m: 0.4, color: [0.0; 3] }; 2],
            ..Scene::default()
        };
        let upright = Pose { position_m: [5.0, 5.0], angle_rad: std::f32::consts::FRAC_PI_2 };
        let now = Snapshot {
            agents: vec![Pose { position_m: [5.0, 6.0], angle_rad: 0.0 }],
            bodies: vec![upright],
            foods: [true, false].map(|present| FoodItem { position_m: [1.0, 1.0], present }).to_vec(),
            ..Snapshot::default()
        };
        (scene, now)
    }

    #[test]
    fn what_lies_on_top_is_taken() {
        let (scene, now) = world();
        let at = |x: f32, y: f32| under(&scene, &now, Vec2::new(x, y), 0.05);
        assert_eq!(at(5.0, 6.1), Some(Thing::Agent(0)), "it stands on the wall");
        assert_eq!(at(5.0, 3.2), Some(Thing::Body(0)), "a wall that is turned upright");
        assert_eq!(at(6.8, 5.0), None);
        assert_eq!(at(8.3, 8.2), Some(Thing::Target(0)));
        assert_eq!(at(1.1, 1.0), Some(Thing::Food(0)));
        assert_eq!(at(2.5, 7.5), Some(Thing::Zone(0)));
        assert!(tool_takes(Tool::Move, Thing::Zone(0)) && !tool_takes(Tool::Erase, Thing::Zone(0)));
        assert!(!tool_takes(Tool::Erase, Thing::Agent(0)) && tool_takes(Tool::Erase, Thing::Food(0)));
    }

    #[test]
    fn clicks_add_and_take_away() {
        let at = Vec2::new(1.0, 2.0);
        assert_eq!(click(Tool::Box, None, at), [Ask::Edit(Edit::AddBox { at_m: [1.0, 2.0] })]);
        assert_eq!(click(Tool::Erase, Some(Thing::Body(2)), at), [Ask::Edit(Edit::Remove(Thing::Body(2)))]);
        assert_eq!(click(Tool::Move, Some(Thing::Body(2)), at), []);
        assert_eq!(click(Tool::Move, Some(Thing::Agent(4)), at), [Ask::LookInto(4)]);
    }
}
