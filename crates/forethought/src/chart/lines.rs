//! Lines, as much of them as lies within a frame. Read first: [`within`].

use forethought_interface::Px;

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// The upper left corner.
    pub min: Px,
    /// The lower right corner.
    pub max: Px,
}

impl Frame {
    /// How wide and high it is.
    pub fn size(self) -> Px {
        [self.max[0] - self.min[0], self.max[1] - self.min[1]]
    }

    /// Whether a place lies in it; what is no number does not.
    pub fn holds(self, [x, y]: Px) -> bool {
        (self.min[0] - 0.5..=self.max[0] + 0.5).contains(&x) && (self.min[1] - 0.5..=self.max[1] + 0.5).contains(&y)
    }
}

/// Nearer places than these many pixels are one.
const NEAR: f32 = 0.35;

/// The pieces of a line through these places that lie within a frame; it is broken where a place is no number.
pub fn within(frame: Frame, places: impl IntoIterator<Item = Px>) -> Vec<Vec<Px>> {
    let mut pieces: Vec<Vec<Px>> = vec![];
    let mut before: Option<Px> = None;
    // Whether the latest piece goes on to where the line is.
    let mut goes_on = false;
    for place in places {
        if !place[0].is_finite() || !place[1].is_finite() {
            (before, goes_on) = (None, false);
            continue;
        }
        let from = before.replace(place);
        let Some(from) = from else { continue };
        let Some([start, end]) = segment_within(frame, [from, place]) else {
            goes_on = false;
            continue;
        };
        match pieces.last_mut().filter(|_| goes_on && start == from) {
            Some(piece) => extend(piece, end),
            None => pieces.push(vec![start, end]),
        }
        goes_on = end == place;
    }
    pieces
}

/// One more place; where it is next to the last one, in its stead.
fn extend(piece: &mut Vec<Px>, place: Px) {
    if let [.., last, end] = &mut piece[..]
        && (end[0] - last[0]).hypot(end[1] - last[1]) < NEAR
    {
        *end = place;
        return;
    }
    piece.push(place);
}

/// The part of a segment that lies within a frame (Liang & Barsky, 1984).
pub fn segment_within(frame: Frame, [from, to]: [Px; 2]) -> Option<[Px; 2]> {
    let (mut enters, mut leaves) = (0.0_f32, 1.0_f32);
    for axis in 0..2 {
        let along = to[axis] - from[axis];
        let [low, high] = [frame.min[axis] - from[axis], frame.max[axis] - from[axis]];
        if along == 0.0 {
            if low > 0.0 || high < 0.0 {
                return None;
            }
            continue;
        }
        let [first, second] = if along > 0.0 { [low / along, high / along] } else { [high / along, low / along] };
        (enters, leaves) = (enters.max(first), leaves.min(second));
    }
    let at = |share: f32| [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
    // Ends that are not cut stay the same bits.
    let [start, end] = [if enters > 0.0 { at(enters) } else { from }, if leaves < 1.0 { at(leaves) } else { to }];
    (enters < leaves).then_some([start, end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { min: [0.0, 0.0], max: [10.0, 10.0] };

    #[test]
    fn lines_end_at_the_frame() {
        let line =
            [[-5.0, 5.0], [5.0, 5.0], [5.0, 15.0], [8.0, 15.0], [8.0, 5.0], [f32::NAN, 0.0], [1.0, 1.0], [2.0, 2.0]];
        assert_eq!(
            within(FRAME, line),
            [vec![[0.0, 5.0], [5.0, 5.0], [5.0, 10.0]], vec![[8.0, 10.0], [8.0, 5.0]], vec![[1.0, 1.0], [2.0, 2.0]]]
        );
        assert!(within(FRAME, [[-1.0, -1.0], [-1.0, 20.0]]).is_empty());
        assert_eq!(within(FRAME, (0..1000).map(|step| [step as f32 / 1000.0, 1.0])).concat().len(), 4);
    }
}
