//! Draws what an agent senses, imagines and remembers: rays, rollouts, its trail. Read first: [`draw_rollouts`].

use crate::{
    brush::Brush,
    camera::Mapping,
    palette,
    story::{AgentStory, Picture},
};
use bevy::{color::Srgba, math::Vec2};
use forethought_interface::Ray;

/// A dot on the chosen future every so many control steps.
const DOT_EVERY: usize = 4;
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

/// The imagined futures that were weighed, faint, and the chosen one, strong: of each what still lies ahead.
pub fn draw_rollouts(brush: &mut Brush, agent: &AgentStory, step: u32, mapping: Mapping) {
    let passed = step.saturating_sub(agent.imagined_at) as usize;
    let line = |positions_m: &[[f32; 2]]| -> Vec<Vec2> {
        positions_m.iter().skip(passed).map(|position| mapping.to_canvas(*position)).collect()
    };
    let Some((chosen, others)) = agent.rollouts.split_first() else { return };
    // The more there are, the fainter each one.
    let alpha = (3.0 / (others.len() as f32).sqrt().max(1.0)).clamp(0.3, 0.7);
    for rollout in others.iter().rev() {
        brush.line(&line(&rollout.positions_m), 1.5, Srgba { alpha, ..palette::CANDIDATE });
    }
    let points = line(&chosen.positions_m);
    // A white edge keeps it apart from whatever it crosses.
    brush.line(&points, 6.0, Srgba { alpha: 0.8, ..palette::FLOOR });
    brush.line(&points, 3.5, palette::CHOSEN);
    // Each dot stays where it was imagined while the agent comes nearer.
    let dots = points.iter().enumerate().filter(|(index, _)| *index > 0 && (index + passed).is_multiple_of(DOT_EVERY));
    let dots = dots.map(|(_, dot)| dot);
    for &dot in dots.chain(points.last()) {
        brush.disc(dot, 5.5, palette::FLOOR);
        brush.disc(dot, 4.2, palette::CHOSEN);
    }
}
