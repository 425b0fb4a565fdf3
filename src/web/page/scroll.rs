//! Bringing a part of the page into sight, by no more than it takes.

use web_sys::{Element, ScrollIntoViewOptions};

/// Scrolls until `element` can be seen; not at all if it can.
pub fn scroll_near(element: &Element) {
    let options = ScrollIntoViewOptions::new();
    for axis in ["block", "inline"] {
        // A fresh plain object always takes a new field.
        let _ = js_sys::Reflect::set(&options, &axis.into(), &"nearest".into());
    }
    element.scroll_into_view_with_scroll_into_view_options(&options);
}
