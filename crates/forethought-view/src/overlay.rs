//! Words over the world: what the lines mean, how the episode ended, names, messages. Read first: [`show`].

use crate::{
    bar::slowness,
    camera::{Layout, Mapping},
    heat,
    input::{Ask, Controls, KEYS},
    palette,
    plot::number,
    story::Story,
    style::strong,
    thoughts,
};
use bevy::{color::Srgba, prelude::Resource};
use bevy_egui::egui::{
    Align2, Color32, Context, FontId, Grid, Id, Label, LayerId, Order, Painter, Pos2, Rect, RichText, ScrollArea,
    Stroke, StrokeKind, Vec2, Window, pos2, vec2,
};
use forethought_interface::{Outcome, Touched};

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
    if story.shelf.is_none() {
        chips(&painter.with_clip_rect(world), world, story, controls);
    }
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
    let mut asks = failure(ctx, world, story);
    asks.extend(problems(ctx, world, story));
    asks.extend(saved(ctx, world, story));
    asks
}

/// What sets this episode apart, on cards in the world's upper right corner.
fn chips(painter: &Painter, world: Rect, story: &Story, controls: &Controls) {
    let mut told: Vec<(String, Srgba)> = vec![];
    if let Some(words) = story.now.as_ref().and_then(|now| touched_words(now.touched)) {
        told.push((words, palette::BAD));
    }
    if story.now.as_ref().is_some_and(|now| now.touched.world && now.outcome.is_some()) {
        told.push(("It stays. N: next, R: from the start, or change it and it goes on".into(), palette::INK));
    }
    if story.looks_back() {
        let last = story.history.range().map_or(0, |(_, last)| last);
        told.push((format!("Looking back: step {} of {last}. Backspace: now", story.step()), palette::CANDIDATE));
    } else if controls.paused {
        told.push(("Paused".into(), palette::FAINT_INK));
    }
    if let Some(pace) = slowness(story, controls) {
        let (speed, think) = (controls.speed, number(story.thinking_ms()));
        let words = format!("Slower than time: {pace:.1}x of {speed}x. Thinking takes {think} ms a step");
        told.push((words, palette::BAD));
    }
    if controls.leads {
        told.push(("You lead: arrow keys. G: let go".into(), palette::CHOSEN));
    } else if controls.tool != crate::input::Tool::Move {
        let (name, hint) = controls.tool.words();
        told.push((format!("{name}: {hint}. 1: move"), palette::INK));
    }
    let mut y = world.top() + 8.0;
    for (text, color) in told {
        let words = painter.layout(text, FontId::proportional(14.5), Color32::WHITE, (world.width() - 40.0).max(80.0));
        let size = words.size() + vec2(18.0, 6.0);
        let rect = Rect::from_min_size(pos2(world.right() - 10.0 - size.x, y), size);
        painter.rect_filled(rect, 5.0, palette::egui(color));
        painter.galley(rect.center() - words.size() / 2.0, words, Color32::WHITE);
        y = rect.bottom() + 5.0;
    }
}

/// What a hand did to the episode; none where nothing.
fn touched_words(touched: Touched) -> Option<String> {
    let parts =
        [(touched.world, "its world was changed"), (touched.mind, "its mind was changed"), (touched.led, "it was led")];
    let parts: Vec<&str> = parts.iter().filter_map(|(so, what)| so.then_some(*what)).collect();
    touched.any().then(|| format!("Touched: {}; no longer a batch's episode", parts.join(", ")))
}

/// What is wrong with the scenario's file, as `check` tells it.
fn problems(ctx: &Context, world: Rect, story: &Story) -> Vec<Ask> {
    if story.problems.is_empty() {
        return vec![];
    }
    let mut asks = vec![];
    let window = Window::new("The scenario has problems").collapsible(false).resizable(true).constrain_to(world);
    let width = (world.width() - 60.0).clamp(160.0, 860.0);
    window.anchor(Align2::CENTER_TOP, vec2(0.0, 24.0)).max_width(width).show(ctx, |ui| {
        ui.set_max_width(width);
        let plays = if story.scene.is_some() {
            "What plays goes on as it was. Save the file again once it is mended."
        } else {
            ""
        };
        ui.label(RichText::new(plays).color(palette::egui(palette::FAINT_INK)));
        ScrollArea::both().max_height((world.height() - 160.0).max(80.0)).show(ui, |ui| {
            // What is marked below a line must stay below it.
            let text = RichText::new(&story.problems).monospace().size(12.5).color(palette::egui(palette::BAD));
            ui.add(Label::new(text).extend());
        });
        if ui.button("Close").clicked() {
            asks.push(Ask::Dismiss);
        }
    });
    asks
}

/// Where the world was saved.
fn saved(ctx: &Context, world: Rect, story: &Story) -> Vec<Ask> {
    let Some(file) = &story.saved else { return vec![] };
    let mut asks = vec![];
    let window = Window::new("The world is saved").collapsible(false).resizable(false).constrain_to(world);
    window.anchor(Align2::CENTER_BOTTOM, vec2(0.0, -20.0)).show(ctx, |ui| {
        let shown = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        ui.label(RichText::new(shown.display().to_string()).font(strong(15.0)));
        ui.label("It passes `forethought check`.");
        ui.horizontal(|ui| {
            if ui.button("Open it").clicked() {
                asks.push(Ask::Open(file.clone()));
                asks.push(Ask::Dismiss);
            }
            if ui.button("Close").clicked() {
                asks.push(Ask::Dismiss);
            }
        });
    });
    asks
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
    let mut x = strip.left() + 14.0;
    for Entry { text, color, width, dot } in entries(story, controls) {
        let ink = palette::egui(palette::INK);
        let words = painter.layout_no_wrap(text, FontId::proportional(14.5), ink);
        let end = x + 33.0 + words.size().x;
        if end > strip.right() - 8.0 {
            return;
        }
        let (y, color) = (strip.center().y + 2.0, palette::egui(color));
        painter.hline(x..=x + 25.0, y, Stroke::new(width, color));
        if dot {
            painter.circle_filled(pos2(x + if width > 2.0 { 12.0 } else { 25.0 }, y), 4.0, color);
        }
        painter.galley(pos2(x + 31.0, y - words.size().y / 2.0), words, ink);
        x = end + 15.0;
    }
    if let Some(scale) = story.landscape_in_sight().filter(|_| controls.landscape).and_then(heat::Scale::of) {
        shades(painter, strip, x, scale);
    }
}

/// From the lowest energy to the highest.
fn shades(painter: &Painter, strip: Rect, x: f32, scale: heat::Scale) {
    let text = format!("energy {} to {}", number(scale.low), number(scale.high));
    let words = painter.layout_no_wrap(text, FontId::proportional(14.5), palette::egui(palette::INK));
    let place = Rect::from_center_size(pos2(x + 30.0, strip.center().y + 2.0), vec2(60.0, 14.0));
    if place.right() + words.size().x + 14.0 > strip.right() {
        return;
    }
    for part in 0..12_u8 {
        let (left, width) = (place.left() + 5.0 * f32::from(part), 5.0);
        let cell = Rect::from_min_size(pos2(left, place.top()), vec2(width, place.height()));
        painter.rect_filled(cell, 0.0, palette::egui(heat::color(f32::from(part) / 11.0)));
    }
    painter.rect_stroke(place, 0.0, Stroke::new(1.0, palette::egui(palette::RULE)), StrokeKind::Outside);
    let at = pos2(place.right() + 7.0, place.center().y - words.size().y / 2.0);
    painter.galley(at, words, palette::egui(palette::INK));
}

/// A line of the legend.
struct Entry {
    text: String,
    color: Srgba,
    width: f32,
    dot: bool,
}

fn entries(story: &Story, controls: &Controls) -> Vec<Entry> {
    let mut entries = vec![];
    let mut add = |shown: bool, text: String, color: Srgba, width: f32, dot: bool| {
        if shown {
            entries.push(Entry { text, color, width, dot });
        }
    };
    let futures = controls.futures;
    let values = story.agents.iter().map(|agent| thoughts::values(&agent.rollouts)).max().unwrap_or(1);
    let most = story.agents.iter().map(|agent| agent.rollouts.len()).max().unwrap_or(0);
    let others = most.saturating_sub(values);
    if values > 1 {
        for z in 0..values as u32 {
            add(futures, format!("future if z = {z}"), thoughts::of_value(z), 3.5, true);
        }
        add(futures && others > 0, "fainter: weighed".into(), palette::RULE, 1.5, false);
    } else {
        add(futures && most > 0, "chosen future".into(), palette::CHOSEN, 3.5, true);
        add(futures && others > 0, format!("{others} others"), palette::CANDIDATE, 1.5, false);
    }
    let levels = story.agents.iter().map(|agent| agent.subgoals.len()).max().unwrap_or(0);
    for level in 0..levels {
        let color = palette::SUBGOALS[level % palette::SUBGOALS.len()];
        add(futures, format!("level {}'s subgoals", level + 2), color, 2.0, true);
    }
    let has_remembered = story.agents.iter().any(|agent| !agent.remembered.is_empty());
    add(futures && has_remembered, "remembered".into(), palette::REMEMBERED, 2.0, false);
    let foretold = story.agents.iter().any(|agent| agent.inside.foretold.is_some());
    add(futures && foretold, "foretold of now".into(), palette::INK, 1.2, true);
    add(controls.trail && story.step() > 0, "path so far".into(), palette::TRAIL, 3.5, false);
    let has_rays = story.now.as_ref().is_some_and(|now| now.rays.iter().any(|rays| !rays.is_empty()));
    add(controls.rays && has_rays, "rays".into(), palette::RAY, 1.2, true);
    let touches = story.now.as_ref().is_some_and(|now| now.contacts.iter().any(|contacts| !contacts.is_empty()));
    add(controls.rays && touches, "contact".into(), palette::CONTACT, 3.0, false);
    entries
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
        Grid::new("sides").num_columns(2).spacing(vec2(36.0, 10.0)).min_col_width(300.0).show(ui, |ui| {
            for sides in KEYS.chunks(2) {
                for (heading, keys) in sides {
                    ui.vertical(|ui| {
                        ui.label(RichText::new(*heading).font(strong(16.0)).color(palette::egui(palette::GOOD)));
                        Grid::new(*heading).num_columns(2).spacing(vec2(18.0, 4.0)).show(ui, |ui| {
                            for (keys, what) in *keys {
                                ui.label(RichText::new(*keys).font(strong(15.0)));
                                ui.label(*what);
                                ui.end_row();
                            }
                        });
                    });
                }
                ui.end_row();
            }
        });
        let rate = format!("{:.0} pictures a second. Panels are dragged by their names.", clock.frames_per_s);
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
    fn what_was_touched_is_said() {
        assert_eq!(touched_words(Touched::default()), None);
        let words = touched_words(Touched { world: true, led: true, mind: false }).unwrap();
        assert!(words.contains("world") && words.contains("led") && !words.contains("mind"), "{words}");
    }

    #[test]
    fn says_how_it_ended() {
        let mut story = Story::default();
        assert_eq!(outcome_words(&story), None);
        let snapshot = Snapshot { step: 43, outcome: Some(Outcome::Success), ..Snapshot::default() };
        story.hear(ViewMessage::Snapshot(Box::new(snapshot)), 0.0, None);
        assert_eq!(outcome_words(&story).unwrap().0, "Reached in 43 steps");
    }
}
