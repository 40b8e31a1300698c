//! Draws what an agent senses, imagines and remembers: rays, its trail, rollouts. Read first: [`rollouts`].

use super::{
    canvas::{Canvas, Px},
    layout::Layout,
    palette,
    story::AgentStory,
};
use forethought_interface::{Ray, Thought};

/// A dot on the chosen future every so many control steps.
const DOT_EVERY: u32 = 4;
/// A thing that was sensed so many seconds ago is drawn half as strong.
const FADES_S: f32 = 20.0;
/// So much of the trail is strong; what is older is faint.
const FRESH: usize = 60;

/// Sensor rays, with a dot where each one hit.
pub fn rays(canvas: &mut Canvas, rays: &[Ray], layout: &Layout) {
    for ray in rays {
        let ends = [layout.px(ray.from_m), layout.px(ray.to_m)];
        canvas.line(&ends, layout.pen.max(0.6), palette::RAY, 0.45);
    }
    hits(canvas, rays, layout);
}

/// Where each sensor ray hit.
pub fn hits(canvas: &mut Canvas, rays: &[Ray], layout: &Layout) {
    for ray in rays {
        canvas.disc(layout.px(ray.to_m), (3.2 * layout.pen).max(1.0), palette::RAY, 1.0);
    }
}

/// Where the agent has really been.
pub fn trail(canvas: &mut Canvas, agent: &AgentStory, layout: &Layout) {
    let points: Vec<Px> = agent.trail_m.iter().map(|position| layout.px(*position)).collect();
    // Two strengths and no more: a line that fades all along is another picture with each step.
    let fresh = points.len().saturating_sub(FRESH);
    let width = (3.5 * layout.pen).max(1.2);
    canvas.line(&points[..points.len().min(fresh + 1)], width, palette::TRAIL, 0.22);
    canvas.line(&points[fresh..], width, palette::TRAIL, 0.7);
}

/// All that a thought shows; of the futures that were not chosen the best `others`.
pub fn thought(canvas: &mut Canvas, agent: &AgentStory, others: usize, layout: &Layout) {
    if let Some(thought) = &agent.thought {
        remembered(canvas, thought, layout);
        subgoals(canvas, thought, layout);
        rollouts(canvas, thought, agent.passed, others, layout);
    }
}

/// The imagined futures that were weighed, faint, and the chosen one, strong: of each what still lies ahead.
fn rollouts(canvas: &mut Canvas, thought: &Thought, passed: u32, others: usize, layout: &Layout) {
    let Some((chosen, weighed)) = thought.rollouts.split_first() else { return };
    let others = &weighed[..weighed.len().min(others)];
    // The more there are, the fainter each one.
    let alpha = (3.0 / (others.len() as f32).sqrt().max(1.0)).clamp(0.25, 0.6);
    for rollout in others.iter().rev() {
        let points: Vec<Px> = rollout.ahead(passed).map(|(_, position)| layout.px(position)).collect();
        canvas.line(&points, (1.5 * layout.pen).max(0.8), palette::CANDIDATE, alpha);
    }
    let (steps, points): (Vec<u32>, Vec<Px>) =
        chosen.ahead(passed).map(|(step, position)| (step, layout.px(position))).unzip();
    // A white edge keeps it apart from whatever it crosses.
    let width = (3.5 * layout.pen).max(1.5);
    canvas.line(&points, width + 2.5 * layout.pen, palette::FLOOR, 0.8);
    canvas.line(&points, width, palette::CHOSEN, 1.0);
    // Each dot stays where it was imagined while the agent comes nearer.
    let dots = steps.iter().zip(&points).skip(1).filter(|(step, _)| step.is_multiple_of(DOT_EVERY));
    for &dot in dots.map(|(_, dot)| dot).chain(points.last()) {
        canvas.disc(dot, 5.5 * layout.pen, palette::FLOOR, 1.0);
        canvas.disc(dot, 4.2 * layout.pen, palette::CHOSEN, 1.0);
    }
}

/// Where each level above the first means to be, the highest below the others: squares on a line, the further in the future
/// the smaller.
fn subgoals(canvas: &mut Canvas, thought: &Thought, layout: &Layout) {
    for (level, positions_m) in thought.subgoals.iter().enumerate().rev() {
        let color = palette::SUBGOALS[level % palette::SUBGOALS.len()];
        let points: Vec<Px> = positions_m.iter().map(|position| layout.px(*position)).collect();
        canvas.line(&points, (2.0 * layout.pen).max(1.0), color, 0.7);
        for (index, [x, y]) in points.iter().enumerate().skip(1).rev() {
            let half = (3.0 + 2.0 * level as f32 + 3.0 / index as f32) * layout.pen;
            let corners = [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]];
            canvas.outline(&corners, (2.5 * layout.pen).max(1.0), color, 1.0);
        }
    }
}

/// Where the agent keeps in mind that something is, be it in sight or not: hollow rings, the longer ago it was sensed the fainter.
fn remembered(canvas: &mut Canvas, thought: &Thought, layout: &Layout) {
    for thing in &thought.remembered {
        let alpha = (1.0 / (1.0 + thing.age_s / FADES_S)).max(0.3);
        let width = (2.0 * layout.pen).max(1.0);
        canvas.ring(layout.px(thing.position_m), 7.0 * layout.pen, width, palette::REMEMBERED, alpha);
    }
}
