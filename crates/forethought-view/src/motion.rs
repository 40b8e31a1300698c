//! Smooth motion between two control steps. Read first: [`Glide`].

use bevy::math::Vec2;
use forethought_interface::{Pose, Ray};
use std::f32::consts::{PI, TAU};

/// Shown for a step asked for by hand.
const STEP_SPAN_S: f64 = 0.15;
/// A thought that takes longer than this is waited for, not stretched over.
const LONGEST_GAP_S: f64 = 0.5;
/// So slow is the slowest motion.
const LONGEST_SPAN_S: f64 = 1.5;

/// The way from the picture shown when a snapshot came to that snapshot's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Glide {
    began_s: f64,
    span_s: f64,
    gap_s: f64,
}

impl Glide {
    /// A snapshot came. `expected_s` is when the next one is due at this speed, or none while paused.
    pub fn begin(&mut self, now_s: f64, expected_s: Option<f64>) {
        if let Some(expected_s) = expected_s {
            // Thinking may take longer than the control period: then the motion takes as long as snapshots do.
            let gap_s = (now_s - self.began_s).clamp(0.0, LONGEST_GAP_S);
            self.gap_s += 0.3 * (gap_s - self.gap_s);
            self.span_s = expected_s.max(self.gap_s).min(LONGEST_SPAN_S);
        } else {
            self.span_s = STEP_SPAN_S;
        }
        self.began_s = now_s;
    }

    /// Be there at once.
    pub fn jump(&mut self, now_s: f64) {
        *self = Self { began_s: now_s, span_s: 0.0, gap_s: 0.0 };
    }

    /// How much of the way is done, in `[0, 1]`.
    pub fn progress(&self, now_s: f64) -> f32 {
        if self.span_s <= 0.0 { 1.0 } else { ((now_s - self.began_s) / self.span_s).clamp(0.0, 1.0) as f32 }
    }
}

/// Between two poses, turning the shorter way.
pub fn between(from: Pose, to: Pose, progress: f32) -> Pose {
    // The end exactly, even where the start is no number.
    if progress >= 1.0 {
        return to;
    }
    let turn = (to.angle_rad - from.angle_rad + PI).rem_euclid(TAU) - PI;
    Pose {
        position_m: Vec2::from(from.position_m).lerp(to.position_m.into(), progress).into(),
        angle_rad: from.angle_rad + turn * progress,
    }
}

/// Between two poses each; those without a counterpart are where they are now.
pub fn between_all(from: &[Pose], to: &[Pose], progress: f32) -> Vec<Pose> {
    let start = |index: usize, end: Pose| from.get(index).copied().unwrap_or(end);
    to.iter().enumerate().map(|(index, &end)| between(start(index, end), end, progress)).collect()
}

/// Between two scans. A ray whose end leaps, past a corner, does not sweep through the air between.
pub fn between_rays(from: &[Ray], to: &[Ray], progress: f32) -> Vec<Ray> {
    if from.len() != to.len() || progress >= 1.0 {
        return to.to_vec();
    }
    let glide = |start: [f32; 2], end: [f32; 2]| -> [f32; 2] { Vec2::from(start).lerp(end.into(), progress).into() };
    let pairs = from.iter().zip(to);
    pairs
        .map(|(start, end)| {
            let moved = Vec2::from(start.from_m).distance(end.from_m.into());
            let leapt = Vec2::from(start.to_m).distance(end.to_m.into()) > 4.0 * moved + 0.05;
            let to_m = match (leapt, progress < 0.5) {
                (false, _) => glide(start.to_m, end.to_m),
                (true, true) => start.to_m,
                (true, false) => end.to_m,
            };
            Ray { from_m: glide(start.from_m, end.from_m), to_m }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(x: f32, angle_rad: f32) -> Pose {
        Pose { position_m: [x, 0.0], angle_rad }
    }

    #[test]
    fn turns_the_shorter_way() {
        let half = between(pose(0.0, 3.0), pose(2.0, -3.0), 0.5);
        assert!((half.position_m[0] - 1.0).abs() < 1e-6);
        assert!((half.angle_rad - PI).abs() < 1e-5, "{half:?}");
        assert_eq!(between(pose(f32::NAN, 0.0), pose(2.0, -3.0), 1.0), pose(2.0, -3.0));
        assert_eq!(between_all(&[], &[pose(1.0, 1.0)], 0.2), [pose(1.0, 1.0)]);
    }

    #[test]
    fn takes_as_long_as_snapshots_do() {
        let mut glide = Glide::default();
        assert!((glide.progress(5.0) - 1.0).abs() < 1e-6);
        glide.begin(10.0, Some(0.1));
        assert!((glide.progress(10.0)).abs() < 1e-6);
        for count in 1..=20 {
            glide.begin(10.0 + 0.1 * f64::from(count), Some(0.1));
        }
        assert!((glide.progress(12.05) - 0.5).abs() < 0.05, "{}", glide.progress(12.05));
        // At full speed nothing is expected, and the gaps themselves are what is glided over.
        for count in 1..=40 {
            glide.begin(12.0 + 0.01 * f64::from(count), Some(0.0));
        }
        assert!(glide.progress(12.412) > 0.99);
        glide.jump(20.0);
        assert!((glide.progress(20.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn rays_glide_or_leap() {
        let ray = |x: f32, to_x: f32| Ray { from_m: [x, 0.0], to_m: [to_x, 1.0] };
        let half = between_rays(&[ray(0.0, 1.0), ray(0.0, 1.0)], &[ray(0.2, 1.2), ray(0.2, 6.0)], 0.25);
        assert!((half[0].to_m[0] - 1.05).abs() < 1e-6);
        assert!((half[1].to_m[0] - 1.0).abs() < 1e-6 && (half[1].from_m[0] - 0.05).abs() < 1e-6);
        assert_eq!(between_rays(&[], &[ray(0.0, 1.0)], 0.5), [ray(0.0, 1.0)]);
    }
}
