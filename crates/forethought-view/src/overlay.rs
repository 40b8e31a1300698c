//! Words over the world: what the lines mean, how the episode ended, names, messages. Read first: [`show`].

use crate::{
    camera::{Layout, Mapping},
    input::{Ask, Controls, KEYS},
    palette,
    story::Story,
    style::strong,
};
use bevy::{color::Srgba, prelude::Resource};
use bevy_egui::egui::{
    Align2, Color32, Context, FontId, Grid, Id, LayerId, Order, Painter, Pos2, Rect, RichText, Stroke, StrokeKind,
    Vec2, Window, pos2, vec2,
};
use forethought_interface::Outcome;

/// How long a note is shown, in seconds.
const NOTE_S: f64 = 5.0;

/// Something to say for a while.
#[derive(Resource, Debug, Default)]
pub struct Notes {
    shown: Vec<(String, f64)>,
}

impl Notes {
    /// Say this from now on for a while.
    pub fn say(&mut self, text: String, now_s: f64) {
        self.shown.push((text, now_s + NOTE_S));
    }
}

/// Draw all of it and say what was asked for.
pub fn show(
    ctx: &Context,
    layout: &Layout,
    story: &Story,
    controls: &mut Controls,
    notes: &mut Notes,
    clock: &Clock,
) -> Vec<Ask> {
    let painter = ctx.layer_painter(LayerId::background());
    let world = crate::app::rect(layout.world);
    name_things(&painter.with_clip_rect(world), story, layout);
    match layout.strip.map(crate::app::rect) {
        Some(strip) if outcome_words(story).is_none() => legend(&painter, strip, story, controls),
        _ => {}
    }
    banner(&painter, layout, story);
    if story.ended {
        let at = world.center_bottom() - vec2(0.0, 26.0);
        boxed(&painter, at, Align2::CENTER_BOTTOM, "The run has ended; this is its last picture.", palette::INK, 15.0);
    }
    notes.shown.retain(|(_, until)| *until > clock.now_s);
    let above = ctx.layer_painter(LayerId::new(Order::Tooltip, Id::new("notes")));
    for (index, (text, _)) in notes.shown.iter().rev().enumerate() {
        let at = world.center_bottom() - vec2(0.0, 14.0 + 40.0 * index as f32);
        boxed(&above, at, Align2::CENTER_BOTTOM, text, palette::INK, 15.0);
    }
    help(ctx, controls, clock);
    failure(ctx, world, story)
}

/// The wall clock as the words need it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Seconds since the window opened.
    pub now_s: f64,
    /// Pictures a second.
    pub frames_per_s: f64,
}

/// Targets' names below them, and zones' in their middle.
fn name_things(painter: &Painter, story: &Story, layout: &Layout) {
    let Some(scene) = &story.scene else { return };
    let mapping = Mapping::new(scene.size_m, layout);
    if mapping.px_per_m * mapping.size_m.max_element() < 240.0 {
        return;
    }
    for zone in &scene.zones {
        let at = mapping.to_screen(zone.pose.position_m);
        name(painter, pos2(at.x, at.y), Align2::CENTER_CENTER, &zone.name, palette::INK, Srgba::NONE);
    }
    for target in &scene.targets {
        let center = mapping.to_screen(target.position_m);
        let down = target.radius_m * mapping.px_per_m + 4.0;
        // Below the ring, or above it where the arena ends or an agent comes from below.
        let covers = |agent: &[f32; 2]| {
            let away = mapping.to_screen(*agent) - center;
            away.y > 0.0 && away.length() < down + 0.3 * mapping.px_per_m + 20.0
        };
        let covered = story.now.iter().flat_map(|now| &now.agents).any(|agent| covers(&agent.position_m));
        let below = !covered && center.y + down + 20.0 < mapping.to_screen([0.0, 0.0]).y;
        let (y, align) =
            if below { (center.y + down, Align2::CENTER_TOP) } else { (center.y - down, Align2::CENTER_BOTTOM) };
        name(painter, pos2(center.x, y), align, &target.name, palette::GOOD, palette::FLOOR);
    }
}

/// Words on a patch, readable over any line.
fn name(painter: &Painter, at: Pos2, align: Align2, text: &str, color: Srgba, patch: Srgba) {
    let words = painter.layout_no_wrap(text.into(), strong(15.0), palette::egui(color));
    let rect = align.anchor_size(at, words.size() + vec2(10.0, 0.0));
    painter.rect_filled(rect, 4.0, palette::egui(patch));
    painter.galley(rect.center() - words.size() / 2.0, words, palette::egui(color));
}

/// What the lines mean, as far as there is room.
fn legend(painter: &Painter, strip: Rect, story: &Story, controls: &Controls) {
    let any = |shown: bool, has: bool| shown && has;
    let has_rays = story.now.as_ref().is_some_and(|now| now.rays.iter().any(|rays| !rays.is_empty()));
    let has_futures = story.agents.iter().any(|agent| !agent.rollouts.is_empty());
    let others = story.agents.iter().map(|agent| agent.rollouts.len().saturating_sub(1)).max().unwrap_or(0);
    let weighed = format!("{others} other futures");
    let has_remembered = story.agents.iter().any(|agent| !agent.remembered.is_empty());
    let levels = story.agents.iter().map(|agent| agent.subgoals.len()).max().unwrap_or(0);
    let subgoals: Vec<String> = (0..levels).map(|level| format!("level {}'s subgoals", level + 2)).collect();
    let subgoals = subgoals.iter().enumerate().map(|(level, text)| {
        let color = palette::SUBGOALS[level % palette::SUBGOALS.len()];
        (controls.futures, text.as_str(), color, 2.0, true)
    });
    let entries = [
        (any(controls.futures, has_futures), "chosen future", palette::CHOSEN, 3.5, true),
        (any(controls.futures, others > 0), weighed.as_str(), palette::CANDIDATE, 1.5, false),
        (any(controls.futures, has_remembered), "remembered", palette::REMEMBERED, 2.0, false),
        (any(controls.trail, story.step() > 0), "path so far", palette::TRAIL, 3.5, false),
        (any(controls.rays, has_rays), "sensor rays", palette::RAY, 1.2, true),
    ];
    let mut x = strip.left() + 18.0;
    for (_, text, color, width, dot) in entries.into_iter().chain(subgoals).filter(|entry| entry.0) {
        let ink = palette::egui(palette::INK);
        let words = painter.layout_no_wrap(text.into(), FontId::proportional(15.0), ink);
        let end = x + 40.0 + words.size().x;
        if end > strip.right() - 8.0 {
            break;
        }
        let (y, color) = (strip.center().y + 3.0, palette::egui(color));
        painter.hline(x..=x + 30.0, y, Stroke::new(width, color));
        if dot {
            painter.circle_filled(pos2(x + if width > 2.0 { 15.0 } else { 30.0 }, y), 4.0, color);
        }
        painter.galley(pos2(x + 38.0, y - words.size().y / 2.0), words, ink);
        x = end + 22.0;
    }
}

fn outcome_words(story: &Story) -> Option<(String, Srgba)> {
    let now = story.now.as_ref()?;
    let steps = now.step;
    Some(match now.outcome? {
        Outcome::Success => (format!("Reached in {steps} steps"), palette::GOOD),
        Outcome::Failure => (format!("Failed after {steps} steps"), palette::BAD),
        Outcome::TimeLimit => (format!("Time is up after {steps} steps"), palette::BAD),
    })
}

/// How the episode ended, where the legend was.
fn banner(painter: &Painter, layout: &Layout, story: &Story) {
    let Some((text, color)) = outcome_words(story) else { return };
    let place = layout.strip.map_or(layout.world, |strip| strip);
    let at = pos2(place.center().x, place.min.y + 5.0);
    let words = painter.layout_no_wrap(text, strong(19.0), Color32::WHITE);
    let size = words.size() + vec2(36.0, 8.0);
    let rect = Rect::from_min_size(at - vec2(size.x / 2.0, 0.0), size);
    painter.rect_filled(rect, 6.0, palette::egui(color));
    painter.galley(rect.center() - words.size() / 2.0, words, Color32::WHITE);
}

/// Words on a card.
fn boxed(painter: &Painter, at: Pos2, align: Align2, text: &str, color: Srgba, size: f32) {
    let room = (painter.clip_rect().width() * 0.6).max(120.0);
    let words = painter.layout(text.into(), FontId::proportional(size), palette::egui(color), room);
    let rect = align.anchor_size(at, words.size() + Vec2::new(24.0, 12.0));
    painter.rect_filled(rect, 6.0, palette::egui(palette::PAPER));
    painter.rect_stroke(rect, 6.0, Stroke::new(1.0, palette::egui(palette::FAINT_INK)), StrokeKind::Inside);
    painter.galley(rect.center() - words.size() / 2.0, words, palette::egui(color));
}

fn help(ctx: &Context, controls: &mut Controls, clock: &Clock) {
    let window = Window::new("Keys").open(&mut controls.help).collapsible(false).resizable(false);
    window.anchor(Align2::CENTER_CENTER, Vec2::ZERO).show(ctx, |ui| {
        Grid::new("keys").num_columns(2).spacing(vec2(24.0, 5.0)).show(ui, |ui| {
            for (keys, what) in KEYS {
                ui.label(RichText::new(keys).font(strong(15.0)));
                ui.label(what);
                ui.end_row();
            }
        });
        let rate = format!("{:.0} pictures a second", clock.frames_per_s);
        ui.label(RichText::new(rate).color(palette::egui(palette::FAINT_INK)));
    });
}

/// Why the episode failed, and what can be done.
fn failure(ctx: &Context, world: Rect, story: &Story) -> Vec<Ask> {
    let Some(text) = &story.failed else { return vec![] };
    let mut asks = vec![];
    let window = Window::new("The episode failed").collapsible(false).resizable(false).constrain_to(world);
    let width = (world.width() - 60.0).clamp(160.0, 520.0);
    window.anchor(Align2::CENTER_CENTER, Vec2::ZERO).max_width(width).show(ctx, |ui| {
        ui.set_max_width(width);
        ui.label(RichText::new(text).color(palette::egui(palette::BAD)));
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            for (name, ask) in [("Reset (R)", Ask::Reset), ("Next episode (N)", Ask::Next), ("Quit (Q)", Ask::Quit)] {
                if ui.button(name).clicked() {
                    asks.push(ask);
                }
            }
        });
    });
    asks
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::{Snapshot, ViewMessage};

    #[test]
    fn says_how_it_ended() {
        let mut story = Story::default();
        assert_eq!(outcome_words(&story), None);
        let snapshot = Snapshot { step: 43, outcome: Some(Outcome::Success), ..Snapshot::default() };
        story.hear(ViewMessage::Snapshot(Box::new(snapshot)), 0.0, None);
        assert_eq!(outcome_words(&story).unwrap().0, "Reached in 43 steps");
    }
}
