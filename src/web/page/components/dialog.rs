//! `Dialog`: a dialog above the page; one is open at a time.

use leptos::html;
use leptos::prelude::*;

use super::icon::{Drawing, Icon};
use crate::web::page::browser_window::focus_title;

/// The dialogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A model from a file or an address.
    OpenModel,
    /// The models and settings saved on this device.
    Storage,
    /// A description of this page.
    About,
    /// The permission to fetch original pictures.
    Pictures,
    /// One text on its way out of the page.
    Share,
    /// The code that shows a bot in other pages.
    Embed,
}

/// Which dialog is open.
#[derive(Clone, Copy)]
pub struct Overlay {
    view: RwSignal<Option<View>>,
    /// The name that the dialog for a model looks up as soon as it opens.
    name: RwSignal<Option<String>>,
    /// The place of the text that is shared.
    place: RwSignal<usize>,
}

impl Overlay {
    /// No dialog is open.
    pub fn closed() -> Overlay {
        Overlay {
            view: RwSignal::new(None),
            name: RwSignal::new(None),
            place: RwSignal::new(0),
        }
    }

    /// Opens a dialog in place of another.
    pub fn open(self, view: View) {
        self.view.set(Some(view));
    }

    /// Opens the dialog for a model, which looks up this name.
    pub fn look_up(self, name: String) {
        self.name.set(Some(name));
        self.open(View::OpenModel);
    }

    /// Opens the dialog that shares the text at a place.
    pub fn share(self, place: usize) {
        self.place.set(place);
        self.open(View::Share);
    }

    /// The place of the text that is shared.
    pub fn place(self) -> usize {
        self.place.get_untracked()
    }

    /// Takes the name to look up; later calls return `None`.
    pub fn take_name(self) -> Option<String> {
        self.name.try_update_untracked(Option::take).flatten()
    }

    /// Closes the open dialog.
    pub fn close(self) {
        self.view.set(None);
    }

    /// Whether this dialog is open.
    pub fn shows(self, view: View) -> bool {
        self.view.get() == Some(view)
    }
}

/// Moves the focus to the dialog's heading, from a button that goes away.
pub fn focus_heading(view: View) {
    focus_title(&heading_of(view));
}

/// The id of a dialog's heading.
fn heading_of(view: View) -> String {
    format!("dialog-{view:?}")
}

/// A dialog with a heading. The cross, Escape and a press beside it close it; the focus moves in and back.
#[component]
pub fn Dialog(
    /// Which dialog it is.
    view: View,
    /// Its heading.
    title: &'static str,
    /// Name for tests.
    #[prop(optional)]
    testid: Option<&'static str>,
    /// Its content.
    children: ChildrenFn,
) -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    let element = NodeRef::<html::Dialog>::new();
    let heading = heading_of(view);
    Effect::new(move |_| {
        let is_shown = overlay.shows(view);
        let Some(element) = element.get() else { return };
        if is_shown && !element.open() {
            let _ = element.show_modal();
        } else if !is_shown && element.open() {
            element.close();
        }
    });
    let closed = move |_| {
        if overlay.view.get_untracked() == Some(view) {
            overlay.close();
        }
    };
    let pressed = move |event: leptos::ev::MouseEvent| {
        // The backdrop belongs to the dialog element itself; everything inside has another target.
        let is_backdrop = event
            .target()
            .zip(element.get_untracked())
            .is_some_and(|(target, element)| js_sys::Object::is(&target, &element));
        if is_backdrop {
            overlay.close();
        }
    };
    let labelled_by = heading.clone();
    let body = move || overlay.shows(view).then(|| children());
    view! {
        <dialog class="dialog" node_ref=element aria-labelledby=labelled_by data-testid=testid on:close=closed on:click=pressed>
            <div class="dialog-body">
                <header class="dialog-head">
                    <h2 id=heading>{title}</h2>
                    <button type="button" class="icon-button" aria-label="Close" on:click=move |_| overlay.close()>
                        <Drawing icon=Icon::Close/>
                    </button>
                </header>
                {body}
            </div>
        </dialog>
    }
}
