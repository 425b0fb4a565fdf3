//! `Icon`: the drawings on the page's buttons.

use leptos::prelude::*;

/// A drawing, as strokes in a square of 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Two sheets: copy.
    Copy,
    /// A tick: done.
    Check,
    /// A circular arrow: once more.
    Again,
    /// A line that goes on.
    Continue,
    /// A cross: close.
    Close,
    /// A square: stop.
    Stop,
    /// A folder: open.
    Open,
    /// A drum: storage.
    Storage,
    /// An i: about.
    About,
    /// Half a disc: as the system.
    Auto,
    /// A sun.
    Light,
    /// A moon.
    Dark,
    /// An arrow out of a box: leaves this page.
    Leave,
    /// Sliders: settings.
    Settings,
    /// A pin: keep this seed.
    Pin,
    /// A triangle with a mark: something is wrong.
    Warning,
    /// A downwards angle: more below.
    Down,
    /// Three knots: share.
    Share,
    /// A plus: make.
    Make,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Icon::Copy => "M9 9h10v11H9zM15 9V4H5v11h4",
            Icon::Check => "M5 12.5l4.5 4.5L19 7.5",
            Icon::Again => "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5",
            Icon::Continue => "M4 7h16M4 12h7M4 17h5M13 17h7m-3-3l3 3-3 3",
            Icon::Close => "M6 6l12 12M18 6L6 18",
            Icon::Stop => "M7 7h10v10H7z",
            Icon::Make => "M12 5v14M5 12h14",
            Icon::Open => "M3.5 18.5v-13h6l2 2.5h9v10.5z",
            Icon::Storage => {
                "M5 6.5c0-1.7 3.1-3 7-3s7 1.3 7 3v11c0 1.7-3.1 3-7 3s-7-1.3-7-3zM5 6.5c0 1.7 3.1 3 7 3s7-1.3 7-3M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3"
            }
            Icon::About => "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 11v5.5M12 7.6v.1",
            Icon::Auto => {
                "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 3.5v17M12 8h6.5M12 12h8.5M12 16h6.5"
            }
            Icon::Light => {
                "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"
            }
            Icon::Dark => "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
            Icon::Leave => "M14 4.5h5.5V10M19.5 4.5L11 13M17 14v5.5H4.5V7H10",
            Icon::Settings => {
                "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4zM9 14.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z"
            }
            Icon::Pin => "M9 3.5h6l-.8 6 3.3 3.5h-11l3.3-3.5zM12 13v7.5",
            Icon::Warning => "M12 4l9 16H3zM12 10v4.5M12 17.3v.1",
            Icon::Down => "M6 9.5l6 6 6-6",
            Icon::Share => {
                "M8.4 10.8l7.2-3.9M8.4 13.2l7.2 3.9M6 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM18 3.2a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM18 15.8a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z"
            }
        }
    }
}

/// One drawing. Screen readers skip it: the button has words.
#[component]
pub fn Drawing(
    /// The drawing.
    icon: Icon,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=icon.path()/>
        </svg>
    }
}
