//! Can a window be opened here? Asked first, because the engine panics where it cannot. Read first: [`check`].

use crate::ViewError;
use std::any::Any;

/// A display that answers and a driver that can draw on it.
pub fn check() -> Result<(), ViewError> {
    check_display()?;
    check_adapter()
}

#[cfg(target_os = "linux")]
fn check_display() -> Result<(), ViewError> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if cfg!(feature = "wayland") && named("WAYLAND_DISPLAY").is_some() {
        return Ok(());
    }
    let no_display = |reason| Err(ViewError::NoDisplay { reason });
    let Some(display) = named("DISPLAY") else {
        return no_display(if named("WAYLAND_DISPLAY").is_some() {
            "DISPLAY is not set, and this build reaches Wayland through XWayland only".into()
        } else {
            "DISPLAY is not set".into()
        });
    };
    match x11rb::rust_connection::RustConnection::connect(None) {
        Ok(_) => Ok(()),
        Err(error) => no_display(one_line(&format!("DISPLAY={}: {error}", display.to_string_lossy()))),
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
fn check_display() -> Result<(), ViewError> {
    Ok(())
}

/// Without a surface: a driver that can draw at all is what is missing in practice.
fn check_adapter() -> Result<(), ViewError> {
    let backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all());
    let descriptor = wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
    let instance = wgpu::Instance::new(descriptor);
    let request = instance.request_adapter(&wgpu::RequestAdapterOptions::default());
    match bevy::tasks::block_on(request) {
        Ok(_) => Ok(()),
        Err(error) => {
            // What follows is a list of what each backend said, for those who build one.
            let text = error.to_string();
            let first = text.split(';').next().unwrap_or(&text);
            Err(ViewError::NoAdapter { reason: one_line(first) })
        }
    }
}

/// What a panic said, on one line.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    one_line(text.unwrap_or("it gave no reason"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_and_say_what_to_do() {
        let panic: Box<dyn Any + Send> = Box::new("no\n  library.".to_owned());
        assert_eq!(panic_text(&*panic), "no library");
        for error in
            [ViewError::NoDisplay { reason: "x".into() }, ViewError::NoAdapter { reason: one_line("none\nfound") }]
        {
            let text = error.to_string();
            assert!(text.contains("--headless") && !text.contains('\n'), "{text}");
        }
    }
}
