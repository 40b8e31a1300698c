//! Draws what an agent senses, imagines and remembers: rays, rollouts, its trail. Read first: [`draw_rollouts`].

use crate::{
    brush::Brush,
    camera::Mapping,
    palette,
    story::{AgentStory, Picture},
};
use bevy::{color::Srgba, math::Vec2};
use forethought_interface::{Ray, Rollout, Scene};

/// A dot on the chosen future every so many control steps.
const DOT_EVERY: u32 = 4;
/// A thing that was sensed so many seconds ago is drawn half as strong.
const FADES_S: f32 = 20.0;
/// The trail shows so many of the latest control steps.
const TRAIL_LEN: usize = 400;

/// Sensor rays, with a dot where each one hit.
pub fn draw_rays(brush: &mut Brush, rays: &[Ray], mapping: Mapping) {
    for ray in rays {
        let ends = [ray.from_m, ray.to_m].map(|end| mapping.to_canvas(end));
        brush.line(&ends, 1.0, Srgba { alpha: 0.55, ..palette::RAY });
    }
    for ray in rays {
        brush.disc(mapping.to_canvas(ray.to_m), 3.2, palette::RAY);
    }
}

/// Where the agent has really been, up to where the picture shows it.
pub fn draw_trail(brush: &mut Brush, agent: &AgentStory, index: usize, picture: &Picture, mapping: Mapping) {
    // The latest snapshot's position is still ahead of the picture.
    let passed = agent.trail_m.len().saturating_sub(1);
    let mut points: Vec<Vec2> = agent.trail_m[passed.saturating_sub(TRAIL_LEN)..passed]
        .iter()
        .map(|position| mapping.to_canvas(*position))
        .collect();
    points.extend(picture.agents.get(index).map(|pose| mapping.to_canvas(pose.position_m)));
    brush.fading_line(&points, 3.5, Srgba { alpha: 0.75, ..palette::TRAIL });
}

/// The imagined futures that were weighed, faint, and the chosen one, strong, under each value of the latent variable in a
/// colour of its own: of each what still lies ahead. Without `all` only the chosen one.
pub fn draw_rollouts(brush: &mut Brush, agent: &AgentStory, step: u32, all: bool, mapping: Mapping) {
    let passed = step.saturating_sub(agent.imagined_at);
    let (chosen, others) = agent.rollouts.split_at(values(&agent.rollouts).min(agent.rollouts.len()));
    let several = chosen.len() > 1;
    // The more there are, the fainter each one.
    let alpha = (3.0 / (others.len() as f32).sqrt().max(1.0)).clamp(0.3, 0.7);
    for rollout in others.iter().rev().filter(|_| all) {
        let points: Vec<Vec2> = rollout.ahead(passed).map(|(_, position)| mapping.to_canvas(position)).collect();
        let color = if several { of_value(rollout.z) } else { palette::CANDIDATE };
        brush.line(&points, 1.5, Srgba { alpha, ..color });
    }
    for rollout in chosen.iter().rev() {
        draw_chosen(brush, rollout, passed, if several { of_value(rollout.z) } else { palette::CHOSEN }, mapping);
    }
}

fn draw_chosen(brush: &mut Brush, chosen: &Rollout, passed: u32, color: Srgba, mapping: Mapping) {
    let (steps, points): (Vec<u32>, Vec<Vec2>) =
        chosen.ahead(passed).map(|(step, position)| (step, mapping.to_canvas(position))).unzip();
    // A white edge keeps it apart from whatever it crosses.
    brush.line(&points, 6.0, Srgba { alpha: 0.8, ..palette::FLOOR });
    brush.line(&points, 3.5, color);
    // Each dot stays where it was imagined while the agent comes nearer.
    let dots = steps.iter().zip(&points).skip(1).filter(|(step, _)| step.is_multiple_of(DOT_EVERY));
    for &dot in dots.map(|(_, dot)| dot).chain(points.last()) {
        brush.disc(dot, 5.5, palette::FLOOR);
        brush.disc(dot, 4.2, color);
    }
}

/// How many values the latent variable has under which futures were imagined: 1 without one.
pub fn values(rollouts: &[Rollout]) -> usize {
    rollouts.iter().map(|rollout| rollout.z as usize + 1).max().unwrap_or(1)
}

/// The colour of futures under this value.
pub fn of_value(z: u32) -> Srgba {
    palette::FUTURES[z as usize % palette::FUTURES.len()]
}

/// Where an agent is touched: a star at each contact.
pub fn draw_contacts(brush: &mut Brush, contacts: &[[f32; 2]], mapping: Mapping) {
    for contact in contacts {
        let at = mapping.to_canvas(*contact);
        for turn in 0..4_u8 {
            let arm = 8.0 * Vec2::from_angle(std::f32::consts::FRAC_PI_4 * f32::from(turn));
            brush.line(&[at - arm, at + arm], 2.5, palette::CONTACT);
        }
    }
}

/// Which agent is looked into.
pub fn draw_focus(brush: &mut Brush, agent: usize, picture: &Picture, scene: &Scene, mapping: Mapping) {
    let (Some(pose), Some(body)) = (picture.agents.get(agent), scene.agents.get(agent)) else { return };
    let radius = 1.25 * crate::scene::reach_m(body) * mapping.px_per_m + 3.0;
    brush.ring(mapping.to_canvas(pose.position_m), radius, 2.5, palette::INK);
}

/// Where the latest prediction that came due had the agent, and a line to where it is.
pub fn draw_foretold(brush: &mut Brush, agent: &AgentStory, index: usize, picture: &Picture, mapping: Mapping) {
    let (Some(foretold), Some(pose)) = (agent.inside.foretold, picture.agents.get(index)) else { return };
    let ends = [foretold.position_m, pose.position_m].map(|end| mapping.to_canvas(end));
    brush.line(&ends, 1.5, Srgba { alpha: 0.7, ..palette::INK });
    brush.ring(ends[0], 6.0, 2.0, palette::INK);
}

/// Where each level above the first means to be, the highest below the others: squares on a line, the further in the future
/// the smaller.
pub fn draw_subgoals(brush: &mut Brush, agent: &AgentStory, mapping: Mapping) {
    for (level, positions_m) in agent.subgoals.iter().enumerate().rev() {
        let color = palette::SUBGOALS[level % palette::SUBGOALS.len()];
        let points: Vec<Vec2> = positions_m.iter().map(|position| mapping.to_canvas(*position)).collect();
        brush.line(&points, 2.0, Srgba { alpha: 0.7, ..color });
        for (index, &point) in points.iter().enumerate().skip(1).rev() {
            let half = 3.0 + 2.0 * level as f32 + 3.0 / index as f32;
            let corners = [[-half, -half], [half, -half], [half, half], [-half, half], [-half, -half]];
            let corners: Vec<Vec2> = corners.iter().map(|corner| point + Vec2::from(*corner)).collect();
            brush.line(&corners, 2.5, color);
        }
    }
}

/// Where the agent keeps in mind that something is, be it in sight or not: hollow rings, the longer ago it was sensed the fainter.
pub fn draw_remembered(brush: &mut Brush, agent: &AgentStory, mapping: Mapping) {
    for thing in &agent.remembered {
        let alpha = (1.0 / (1.0 + thing.age_s / FADES_S)).max(0.3);
        brush.ring(mapping.to_canvas(thing.position_m), 7.0, 2.0, Srgba { alpha, ..palette::REMEMBERED });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_latent_variable_there_is_one_value() {
        let rollout = |z| Rollout { z, ..Rollout::default() };
        assert_eq!((values(&[]), values(&[rollout(0), rollout(0)]), values(&[rollout(0), rollout(2)])), (1, 1, 3));
    }
}
