//! What each window of this crate begins with and ends as. Read first: [`window`].

use crate::{ViewError, display::panic_text, palette, style};
use bevy::{
    app::{PanicHandlerPlugin, TaskPoolPlugin, TerminalCtrlCHandlerPlugin},
    ecs::schedule::SingleThreadedExecutor,
    log::LogPlugin,
    prelude::*,
    render::{RenderApp, RenderPlugin},
    window::{PresentMode, WindowResolution},
    winit::{UpdateMode, WinitSettings},
};
use bevy_egui::{EguiContexts, EguiInput, EguiPlugin, EguiPreUpdateSet, egui};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// The words' library has its fonts, from the frame after they were set.
#[derive(Resource)]
pub struct Dressed;

/// An app with an empty window of this size in logical pixels, and so much time from picture to picture.
pub fn window(title: String, (width, height): (u32, u32), frame: Duration) -> App {
    let window = Window {
        title,
        name: Some("forethought".into()),
        resolution: WindowResolution::new(width.max(1), height.max(1)),
        present_mode: PresentMode::AutoVsync,
        ..default()
    };
    keep_freed_memory();
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .build()
            // Logging, signals and panics belong to the program that opens the window.
            .disable::<LogPlugin>()
            .disable::<TerminalCtrlCHandlerPlugin>()
            .disable::<PanicHandlerPlugin>()
            // The cores belong to who thinks or trains.
            .set(TaskPoolPlugin { task_pool_options: TaskPoolOptions::with_num_threads(2) })
            .set(WindowPlugin { primary_window: Some(window), ..default() })
            // The first picture is whole, not empty until its shaders are ready.
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() }),
    );
    app.add_plugins(EguiPlugin::default());
    app.insert_resource(ClearColor(palette::SURROUND.into())).insert_resource(pace(frame));
    let heard = EguiPreUpdateSet::ProcessInput;
    app.add_systems(PreUpdate, leave_out_repeated.after(heard).before(EguiPreUpdateSet::BeginPass));
    app
}

/// The words' library is told before each picture which of Ctrl, Shift and Alt are down, and asks for another picture because it was
/// told something: there would be no end of them, and no pace. It needs to be told of a change alone.
fn leave_out_repeated(mut inputs: Query<&mut EguiInput>, mut known: Local<egui::Modifiers>) {
    for mut input in &mut inputs {
        input.events.retain(|event| match event {
            egui::Event::ModifiersChanged(now) => std::mem::replace(&mut *known, *now) != *now,
            _ => true,
        });
    }
}

/// What C libraries free, they keep for their next picture. A driver that draws on the CPU takes megabytes for each picture and gives
/// them back; to get fresh pages for them cost it as much time as to draw.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "glibc's mallopt has no safe wrapper")]
fn keep_freed_memory() {
    // SAFETY: both take and change a number. No other thread allocates by malloc yet: Rust's own memory is mimalloc's, and the engine,
    // which loads the driver, has not begun.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 256 << 20);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_freed_memory() {}

fn pace(frame: Duration) -> WinitSettings {
    let mode = UpdateMode::reactive_low_power(frame);
    WinitSettings { focused_mode: mode, unfocused_mode: mode }
}

/// Let so much time pass from picture to picture.
pub fn keep_pace(settings: &mut ResMut<WinitSettings>, frame: Duration) {
    let pace = pace(frame);
    if settings.focused_mode != pace.focused_mode {
        **settings = pace;
    }
}

/// Choose how words look, once.
pub fn dress(mut contexts: EguiContexts, mut commands: Commands) {
    if let Ok(ctx) = contexts.ctx_mut() {
        style::set(ctx);
        commands.insert_resource(Dressed);
    }
}

/// One system after another: there are many and each does little, so that to hand them to other threads costs more than they do.
/// What is drawn is still drawn beside what comes next.
fn in_turn(app: &mut App) {
    if let Some(drawn) = app.get_sub_app_mut(RenderApp) {
        each_in_turn(drawn.world_mut());
    }
    each_in_turn(app.world_mut());
}

fn each_in_turn(world: &mut World) {
    for (_, schedule) in world.resource_mut::<Schedules>().iter_mut() {
        schedule.set_executor(SingleThreadedExecutor::new());
    }
}

/// Run a window until it is closed.
///
/// # Errors
/// Where it ended by itself.
pub fn run(app: impl FnOnce() -> App) -> Result<(), ViewError> {
    let run = || {
        let mut app = app();
        in_turn(&mut app);
        app.run()
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(AppExit::Success) => Ok(()),
        Ok(AppExit::Error(code)) => Err(ViewError::Failed { reason: format!("it ended with status {code}") }),
        Err(panic) => Err(ViewError::Failed { reason: panic_text(&*panic) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Event, Modifiers};

    #[test]
    fn modifier_keys_are_told_of_when_they_change_and_all_else_always() {
        let mut world = World::new();
        let window = world.spawn(EguiInput::default()).id();
        let mut left = |now: Modifiers| {
            let told = vec![Event::ModifiersChanged(now), Event::Copy];
            world.get_mut::<EguiInput>(window).unwrap().events = told;
            world.run_system_cached(leave_out_repeated).unwrap();
            world.get::<EguiInput>(window).unwrap().events.len()
        };
        assert_eq!(left(Modifiers::NONE), 1, "egui begins with none");
        assert_eq!([left(Modifiers::CTRL), left(Modifiers::CTRL), left(Modifiers::NONE)], [2, 1, 2]);
    }
}
