//! The window of the gallery: an energy-based model, while it trains. Read first: [`open`] and [`crate::gallery_panel`].
//!
//! What is shown comes as plain shapes from the thread that trains; the window only draws them, and says what is turned.

use crate::{
    ViewError, capture, display,
    gallery_panel::{self, Hall},
    shell::{self, Dressed, dress},
};
use bevy::{
    prelude::*,
    render::{
        view::Msaa,
        view::screenshot::{Screenshot, ScreenshotCaptured},
    },
    winit::WinitSettings,
};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
use crossbeam::channel::{Receiver, Sender};
use forethought_interface::{GalleryCommand, GalleryMessage};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

/// From picture to picture while it trains, and while nothing moves. What trains needs the processor more than the window does.
const FRAME: Duration = Duration::from_micros(33_333);
const IDLE: Duration = Duration::from_millis(100);
/// Pictures drawn before one is kept: sizes settle first.
const FRAMES_FIRST: u32 = 8;

/// How to open the gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GalleryOptions {
    /// The window's first width and height in logical pixels.
    pub size_px: (u32, u32),
    /// Save a PNG of the window here after so many slices of work, or at their end, and close it.
    pub screenshot: Option<(PathBuf, u32)>,
}

impl Default for GalleryOptions {
    fn default() -> Self {
        Self { size_px: (1440, 860), screenshot: None }
    }
}

/// The other thread's ends of the two channels.
#[derive(Resource)]
struct Worker {
    messages: Receiver<GalleryMessage>,
    commands: Sender<GalleryCommand>,
}

/// The picture that was asked for.
#[derive(Resource)]
struct Wanted {
    picture: Option<(PathBuf, u32)>,
    frames: u32,
    error: Arc<Mutex<Option<ViewError>>>,
}

/// Show what `messages` tell until the window is closed, and send what the user asks for to `commands`; the last is always
/// [`GalleryCommand::Quit`]. Blocks; must run on the main thread, once in a process.
///
/// # Errors
/// As [`crate::open`].
pub fn open_gallery(
    messages: Receiver<GalleryMessage>,
    commands: Sender<GalleryCommand>,
    options: GalleryOptions,
) -> Result<(), ViewError> {
    display::check()?;
    let error = Arc::new(Mutex::new(None));
    let wanted = Wanted { picture: options.screenshot.clone(), frames: 0, error: error.clone() };
    let worker = Worker { messages, commands: commands.clone() };
    let shown = shell::run(move || build(worker, wanted, options.size_px));
    // The worker may have gone first; then nobody needs to be told.
    let _ = commands.send(GalleryCommand::Quit);
    shown?;
    error.lock().ok().and_then(|mut error| error.take()).map_or(Ok(()), Err)
}

fn build(worker: Worker, wanted: Wanted, size_px: (u32, u32)) -> App {
    let mut app = shell::window("Forethought: the gallery".into(), size_px, FRAME);
    app.insert_resource(worker)
        .insert_resource(wanted)
        .init_resource::<Hall>()
        .add_systems(Startup, |mut commands: Commands| {
            commands.spawn((Camera2d, Msaa::Off));
        })
        .add_systems(Update, (keep_picture, rest))
        .add_systems(
            EguiPrimaryContextPass,
            (show.run_if(resource_exists::<Dressed>), dress.run_if(not(resource_exists::<Dressed>))).chain(),
        );
    app
}

/// Hear what the worker says, draw it, and tell what was asked for.
fn show(mut contexts: EguiContexts, worker: Res<Worker>, wanted: Res<Wanted>, mut hall: ResMut<Hall>) {
    let Ok(ctx) = contexts.ctx_mut() else { return };
    if wanted.picture.is_some() {
        // Wherever the mouse happens to be, a picture that is made by a command does not show it.
        ctx.input_mut(|input| input.pointer = egui::PointerState::default());
    }
    for message in worker.messages.try_iter() {
        hall.hear(ctx, message);
    }
    for command in gallery_panel::show(ctx, &mut hall) {
        let _ = worker.commands.send(command);
    }
}

/// Take the picture that was asked for once it is time.
fn keep_picture(mut wanted: ResMut<Wanted>, hall: Res<Hall>, mut commands: Commands) {
    let Some((_, slices)) = &wanted.picture else { return };
    if !hall.reached(*slices) {
        return;
    }
    wanted.frames += 1;
    if wanted.frames != FRAMES_FIRST {
        return;
    }
    commands.spawn(Screenshot::primary_window()).observe(
        |captured: On<ScreenshotCaptured>, mut wanted: ResMut<Wanted>, mut exit: MessageWriter<AppExit>| {
            let Some((path, _)) = wanted.picture.take() else { return };
            if let Err(reason) = capture::save(&captured.image, &path)
                && let Ok(mut error) = wanted.error.lock()
            {
                *error = Some(ViewError::Screenshot { path, reason });
            }
            exit.write(AppExit::Success);
        },
    );
}

/// Draw seldom while nothing moves.
fn rest(hall: Res<Hall>, mut settings: ResMut<WinitSettings>) {
    shell::keep_pace(&mut settings, if hall.rests() { IDLE } else { FRAME });
}
