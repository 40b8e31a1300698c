//! The list of what there is, the picture, and what can be turned. Read first: [`show`].

use crate::{drawing::Easel, palette, plot::number, style::strong};
use bevy::prelude::Resource;
use bevy_egui::egui::{
    Button, Context, DragValue, Frame, Grid, Id, Key, Label, LayerId, Margin, Panel, ProgressBar, Rect, RichText,
    ScrollArea, Slider, Ui, UiBuilder, vec2,
};
use forethought_interface::{EntryCard, Exhibit, GalleryCommand, GalleryMessage, KnobCard, Px};

/// How wide the list and the panel of knobs are.
const LIST: f32 = 250.0;
const KNOBS: f32 = 340.0;

/// What is known of the gallery.
#[derive(Resource, Default)]
pub struct Hall {
    entries: Vec<EntryCard>,
    exhibit: Exhibit,
    easel: Easel,
    /// What knobs are being turned to: the answer takes a moment, and a slider must not jump back meanwhile.
    values: Vec<f64>,
    seed: u64,
    /// The room for a picture that was told last.
    room: Px,
}

impl Hall {
    /// Take in what the worker says.
    pub fn hear(&mut self, ctx: &Context, message: GalleryMessage) {
        match message {
            GalleryMessage::Entries(entries) => self.entries = entries,
            GalleryMessage::Exhibit(exhibit) => {
                self.easel.take(ctx, &exhibit.drawing);
                let holds = ctx.input(|input| input.pointer.any_down()) || ctx.text_edit_focused();
                if !holds || exhibit.entry != self.exhibit.entry {
                    (self.values, self.seed) = (exhibit.values.clone(), exhibit.seed);
                }
                self.exhibit = *exhibit;
            }
        }
    }

    /// Whether so many slices of work are shown, or all there are.
    pub fn reached(&self, slices: u32) -> bool {
        let Exhibit { slices: done, progress, problem, drawing, .. } = &self.exhibit;
        let settled = drawing.size == self.room;
        problem.is_some() || (settled && !drawing.marks.is_empty() && (*done >= slices || *progress >= 1.0))
    }

    /// Whether nothing moves.
    pub fn rests(&self) -> bool {
        let Exhibit { progress, paused, problem, .. } = &self.exhibit;
        *progress >= 1.0 || *paused || problem.is_some()
    }

    fn card(&self) -> Option<&EntryCard> {
        self.entries.iter().find(|card| card.name == self.exhibit.entry)
    }
}

/// Draw everything; says what was asked for.
pub fn show(ctx: &Context, hall: &mut Hall) -> Vec<GalleryCommand> {
    let mut asks = keys(ctx, hall);
    let builder = UiBuilder::new().layer_id(LayerId::background()).max_rect(ctx.content_rect());
    let mut ui = Ui::new(ctx.clone(), Id::new("gallery"), builder);
    let paper = Frame::new().fill(palette::egui(palette::PAPER)).inner_margin(Margin::symmetric(14, 12));
    Panel::left("list").exact_size(LIST).resizable(false).frame(paper).show(&mut ui, |ui| list(ui, hall, &mut asks));
    Panel::right("knobs")
        .exact_size(KNOBS)
        .resizable(false)
        .frame(paper)
        .show(&mut ui, |ui| about(ui, hall, &mut asks));
    let place = ui.available_rect_before_wrap();
    picture(&mut ui, place, hall, &mut asks);
    asks
}

fn keys(ctx: &Context, hall: &Hall) -> Vec<GalleryCommand> {
    if ctx.text_edit_focused() {
        return vec![];
    }
    let pressed = |key| ctx.input(|input| input.key_pressed(key));
    let asks = [
        pressed(Key::Space).then_some(GalleryCommand::Pause(!hall.exhibit.paused)),
        pressed(Key::R).then_some(GalleryCommand::Again),
    ];
    asks.into_iter().flatten().collect()
}

fn list(ui: &mut Ui, hall: &Hall, asks: &mut Vec<GalleryCommand>) {
    ui.label(RichText::new("The gallery").font(strong(22.0)));
    ui.label(RichText::new("Energy-based models of the theory").color(palette::egui(palette::FAINT_INK)));
    ui.add_space(8.0);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for card in &hall.entries {
            let chosen = card.name == hall.exhibit.entry;
            let button = Button::new(&card.title).selected(chosen).frame(chosen).wrap();
            let hint = format!("{}\nforethought gallery {}", card.source, card.name);
            if ui.add(button).on_hover_text(hint).clicked() && !chosen {
                asks.push(GalleryCommand::Choose(card.name.clone()));
            }
        }
    });
}

fn picture(ui: &mut Ui, place: Rect, hall: &mut Hall, asks: &mut Vec<GalleryCommand>) {
    ui.painter().rect_filled(place, 0.0, palette::egui(palette::FLOOR));
    let room = [place.width().round(), place.height().round()];
    if room != hall.room && room.iter().all(|side| *side > 50.0) {
        hall.room = room;
        asks.push(GalleryCommand::Room(room));
    }
    hall.easel.paint(&ui.painter_at(place), place.min, &hall.exhibit.drawing);
}

/// What it is, what can be turned, and what it is judged by.
fn about(ui: &mut Ui, hall: &mut Hall, asks: &mut Vec<GalleryCommand>) {
    let Some(card) = hall.card().cloned() else { return };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
        ui.add(Label::new(RichText::new(&card.title).font(strong(18.0))).wrap());
        ui.label(faint(&card.source));
        ui.add(Label::new(RichText::new(&card.about).size(13.5)).wrap());
        ui.separator();
        course(ui, hall, asks);
        ui.separator();
        let room = ui.available_width();
        for (knob, value) in card.knobs.iter().zip(&mut hall.values) {
            turn(ui, knob, value, room, asks);
        }
        if !card.knobs.is_empty() {
            ui.separator();
        }
        if let Some(problem) = &hall.exhibit.problem {
            ui.add(Label::new(RichText::new(problem).color(palette::egui(palette::BAD))).wrap());
        }
        measures(ui, &hall.exhibit);
    });
}

/// How far it is, and how it goes on.
fn course(ui: &mut Ui, hall: &mut Hall, asks: &mut Vec<GalleryCommand>) {
    ui.add(ProgressBar::new(hall.exhibit.progress).desired_height(10.0));
    ui.horizontal(|ui| {
        let paused = hall.exhibit.paused;
        let word = if paused { "Go on" } else { "Pause" };
        if ui.button(word).on_hover_text("Space").clicked() {
            asks.push(GalleryCommand::Pause(!paused));
        }
        if ui.button("Again").on_hover_text("R: from the start, with what is set").clicked() {
            asks.push(GalleryCommand::Again);
        }
        if ui.button("Defaults").on_hover_text("as it is unless set").clicked() {
            asks.push(GalleryCommand::Defaults);
        }
        ui.label("seed");
        if ui.add(DragValue::new(&mut hall.seed).speed(0.1)).changed() {
            asks.push(GalleryCommand::Seed(hall.seed));
        }
    });
}

/// One knob.
fn turn(ui: &mut Ui, knob: &KnobCard, value: &mut f64, room: f32, asks: &mut Vec<GalleryCommand>) {
    let [low, high] = knob.range;
    ui.label(RichText::new(knob.name.replace('_', " ")).font(strong(14.0)));
    ui.spacing_mut().slider_width = (room - 90.0).max(60.0);
    let slider = Slider::new(value, low..=high).logarithmic(knob.log);
    let slider = if knob.whole { slider.integer() } else { slider.max_decimals(3) };
    if ui.add(slider).changed() {
        asks.push(GalleryCommand::Turn { knob: knob.name.clone(), value: *value });
    }
    ui.add(Label::new(faint(&knob.about)).wrap());
}

fn measures(ui: &mut Ui, exhibit: &Exhibit) {
    let room = ui.available_width() - 130.0;
    Grid::new("measures").num_columns(3).striped(true).spacing(vec2(10.0, 4.0)).show(ui, |ui| {
        for head in ["", "value", "expected"] {
            ui.label(faint(head));
        }
        ui.end_row();
        for (about, value, expected) in &exhibit.measures {
            ui.scope(|ui| {
                ui.set_max_width(room.max(60.0));
                ui.add(Label::new(RichText::new(about).size(13.0)).wrap());
            });
            let yet = !value.is_finite() && exhibit.progress < 1.0;
            let said = if yet { "not yet".into() } else { number(*value as f32) };
            ui.label(RichText::new(said).size(13.0));
            ui.label(RichText::new(expected.map_or(String::new(), |value| number(value as f32))).size(13.0));
            ui.end_row();
        }
    });
}

fn faint(text: &str) -> RichText {
    RichText::new(text).size(12.5).color(palette::egui(palette::FAINT_INK))
}
