//! A tree of imagined states that spreads over where the agent could go, as rapidly exploring random trees do (LaValle 1998;
//! in a learned latent space Ichter & Pavone 2019): what leads through it to the goal is a start for the gradient, where no
//! random walk would get. Read first: [`TreeSpec`] and [`grow`].

use super::{Imagination, Starts, gradient::BOUND};
use crate::world_model::hjepa::LevelCard;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// States imagined together.
const TOGETHER: usize = 16;
/// Two places nearer than this are the same, in parts of what the agent moves during one prediction.
const SAME: f32 = 0.7;
/// Where nothing is left to go on from, the tree goes on with this part of its novelty, for as long as predictions are left and
/// the novelty has not fallen to `FINEST` of what it was: narrow ways have no room for states far from each other.
const FINER: f32 = 0.9;
const FINEST: f32 = 0.3;

/// How a tree of imagined states grows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TreeSpec {
    /// Predictions to spend on it; 0 grows none.
    pub predictions: u32,
    /// A state is kept if its place, decoded, is this far from those of all others, in parts of what the agent moves during
    /// one prediction; less where the tree would end before it is at the goal.
    pub novelty: f32,
    /// How often each state is gone on from.
    pub tries: u32,
}

impl Default for TreeSpec {
    fn default() -> Self {
        Self { predictions: 600, novelty: 0.6, tries: 12 }
    }
}

/// What is known besides the world model's predictions.
pub(crate) struct Known<'a> {
    /// The level's readout and distances.
    pub(crate) scale: &'a LevelCard,
    /// Ways that could not be gone, from place to place in metres.
    pub(crate) blocked: &'a VecDeque<[[f32; 2]; 2]>,
}

/// The states so far.
struct Tree {
    /// `[states, latent]`.
    latents: Vec<f32>,
    /// Where each state is, decoded.
    places_m: Vec<[f32; 2]>,
    nodes: Vec<Node>,
}

struct Node {
    /// The state before, and the action in between.
    before: usize,
    action: Vec<f32>,
    depth: usize,
    /// How often it was gone on from.
    tried: u32,
    /// Metres from its place to the goal's.
    to_goal: f32,
}

/// Grow a tree from the present and give up to `count` sequences of `imagination.steps` actions: to the states nearest to
/// the goal, and of those at the goal to the soonest.
pub(crate) fn grow(
    spec: &TreeSpec,
    count: usize,
    known: &Known,
    imagination: &mut Imagination,
    starts: &Starts,
    rng: &mut impl Rng,
) -> Vec<Vec<f32>> {
    let Known { scale, blocked } = known;
    let width = imagination.latent.len();
    let root = Node { before: 0, action: vec![], depth: 0, tried: 0, to_goal: f32::INFINITY };
    let goal_m = scale.readout.position_m(imagination.goal);
    let place = |latent: &[f32]| scale.readout.position_m(latent);
    let same_m = SAME * scale.stride_m;
    let near = |a: [f32; 2], b: [f32; 2]| apart(a, b) < same_m;
    let mut tree =
        Tree { latents: imagination.latent.to_vec(), places_m: vec![place(imagination.latent)], nodes: vec![root] };
    let span = starts.horizon / imagination.steps.max(1);
    let (mut left, mut novelty) = (spec.predictions as usize, spec.novelty);
    while left > 0 {
        let together = TOGETHER.min(left);
        let from: Vec<usize> = (0..together).filter_map(|_| tree.choose(spec, imagination.steps)).collect();
        let arrived = tree.nodes.iter().filter(|node| node.to_goal < same_m).map(|node| node.depth).min();
        if arrived.is_some_and(|depth| from.iter().all(|node| tree.nodes[*node].depth > depth)) {
            break;
        }
        if from.is_empty() {
            novelty *= FINER;
            if novelty < FINEST * spec.novelty {
                break;
            }
            tree.nodes.iter_mut().for_each(|node| node.tried = 0);
            continue;
        }
        left -= from.len();
        let states: Vec<f32> = from.iter().flat_map(|node| tree.latent(*node, width)).copied().collect();
        let mut actions: Vec<Vec<f32>> = from.iter().map(|_| starts.dash(span, rng)).collect();
        // As the gradient will take them: over a long way a slightly other action ends elsewhere.
        actions.iter_mut().flatten().for_each(|value| *value = value.clamp(-BOUND, BOUND));
        let reached = imagination.step(&states, &actions.concat());
        for ((before, action), latent) in from.into_iter().zip(actions).zip(reached.chunks_exact(width)) {
            let (here, there) = (tree.places_m[before], place(latent));
            if blocked.iter().any(|[from, to]| near(here, *from) && near(there, *to)) {
                continue;
            }
            tree.consider(before, action, latent, there, novelty * scale.stride_m, goal_m);
        }
    }
    let mut best: Vec<usize> = (1..tree.nodes.len()).collect();
    // All that are within a prediction of the goal are at it.
    let rank = |node: &usize| {
        let node = &tree.nodes[*node];
        let at_goal = node.to_goal < same_m;
        (!at_goal, if at_goal { node.depth as f32 } else { node.to_goal })
    };
    best.sort_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let rest = starts.abstracted(vec![0.0; span * starts.action_len]);
    best.into_iter().take(count).map(|node| tree.path(node, imagination.steps, &rest)).collect()
}

/// Metres between two places.
fn apart(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

impl Tree {
    fn latent(&self, node: usize, width: usize) -> &[f32] {
        &self.latents[node * width..(node + 1) * width]
    }

    /// The shallowest state that has not been tried often enough, and of these the least tried: the tree spreads in waves, so
    /// that a place is first reached by a short way. None where all have been.
    fn choose(&mut self, spec: &TreeSpec, deepest: usize) -> Option<usize> {
        let open = |(_, node): &(usize, &Node)| node.tried < spec.tries && node.depth < deepest;
        let nodes = self.nodes.iter().enumerate().filter(open);
        let (node, _) = nodes.min_by_key(|(_, node)| (node.depth, node.tried))?;
        self.nodes[node].tried += 1;
        Some(node)
    }

    /// Keep a state if there is none like it.
    fn consider(
        &mut self,
        before: usize,
        action: Vec<f32>,
        latent: &[f32],
        place_m: [f32; 2],
        apart_m: f32,
        goal_m: [f32; 2],
    ) {
        let far = |other: &[f32; 2]| apart(*other, place_m) > apart_m;
        if latent.iter().all(|value| value.is_finite()) && self.places_m.iter().all(far) {
            self.places_m.push(place_m);
            self.latents.extend_from_slice(latent);
            let depth = self.nodes[before].depth + 1;
            self.nodes.push(Node { before, action, depth, tried: 0, to_goal: apart(place_m, goal_m) });
        }
    }

    /// The actions that lead to a state, and then to rest.
    fn path(&self, mut node: usize, steps: usize, rest: &[f32]) -> Vec<f32> {
        let mut actions = Vec::new();
        while node > 0 {
            actions.push(&self.nodes[node].action[..]);
            node = self.nodes[node].before;
        }
        actions.into_iter().rev().chain(std::iter::repeat(rest)).take(steps).flatten().copied().collect()
    }
}
