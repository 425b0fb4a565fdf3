//! Does what the host page of a frame asks for, and tells it what happens.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlTextAreaElement, MessagePort};

use super::content_height;
use super::context::{EventListener, Page, fresh_seed};
use super::host_link::HostLink;
use super::worker_bridge::{EngineSource, SharedEngine};
use crate::protocol::{Event, LoadStage};
use crate::state::PageState;
use crate::state::frame_message::{
    Answer, Control, FrameEvent, FrameMessage, HostMessage, HostTheme, Look,
};
use crate::state::settings::Settings;

/// Tokens and progress of this time are told together.
const TOGETHER_MS: u32 = 40;

/// The property of the page for each custom property of the element.
const STYLES: [(&str, &str); 10] = [
    ("accent", "--bot"),
    ("accent", "--bot-strong"),
    ("on-accent", "--on-bot"),
    ("tint", "--bot-tint"),
    ("background", "--sheet"),
    ("text", "--ink"),
    ("muted", "--ink-2"),
    ("line", "--line"),
    ("radius", "--radius"),
    ("font", "--font"),
];

/// A call of the host that has not been answered.
struct Call {
    number: u32,
    settings_before: Settings,
    has_begun: bool,
}

/// The host, and what it knows.
#[derive(Clone)]
struct Host {
    link: HostLink,
    engine: SharedEngine,
    call: Rc<RefCell<Option<Call>>>,
    /// The prompt that both sides know.
    prompt: Rc<RefCell<String>>,
    events: Rc<RefCell<Vec<FrameEvent>>>,
}

/// Shows `state` on the engine that the frames of the host share, follows the host's messages, and tells it the height
/// of `content`.
pub fn start(link: &HostLink, state: PageState, content: NodeRef<html::Div>) -> Page {
    let engine = SharedEngine::new({
        let link = link.clone();
        move || link.post(FrameMessage::Connect)
    });
    let host = Host {
        link: link.clone(),
        engine: engine.clone(),
        call: Rc::default(),
        prompt: Rc::new(RefCell::new(state.texts().prompt.clone())),
        events: Rc::default(),
    };
    let listener: EventListener = {
        let host = host.clone();
        Rc::new(move |page, event| host.hear_engine(page, event))
    };
    let page = Page::start_on(state, EngineSource::Host(engine), Some(listener));
    host.follow_state(page);
    Effect::new({
        let host = host.clone();
        move |_| {
            if let Some(content) = content.get() {
                let link = host.link.clone();
                content_height::follow(content.unchecked_into(), move |height| {
                    link.post(FrameMessage::Height { height });
                });
                host.link.post(FrameMessage::Here);
            }
        }
    });
    link.follow(move |message, port| host.hear(page, message, port));
    page
}

impl Host {
    fn hear(&self, page: Page, message: HostMessage, port: Option<MessagePort>) {
        match message {
            HostMessage::Set(look) => {
                page.change(|state| state.follow_host(&look.settings));
                dress(&look);
            }
            HostMessage::Write { text } => {
                self.prompt.borrow_mut().clone_from(&text);
                page.change(|state| state.edit_prompt(&text));
            }
            HostMessage::Load => {
                if page.with_untracked(|state| state.needs_load()) {
                    page.act(PageState::load);
                }
            }
            HostMessage::Generate { call, options } => self.generate(page, call, &options),
            HostMessage::Abort => page.act(PageState::stop),
            HostMessage::Focus { on, selection } => focus(on, selection),
            HostMessage::Engine => {
                if let Some(port) = port {
                    self.engine.arrived(port);
                }
            }
            HostMessage::Lost => page.act(PageState::lose_engine),
        }
    }

    fn generate(
        &self,
        page: Page,
        number: u32,
        options: &serde_json::Map<String, serde_json::Value>,
    ) {
        let mut taken = None;
        page.change(|state| taken = Some(state.take_options(options)));
        match taken {
            Some(Ok(settings_before)) => {
                *self.call.borrow_mut() = Some(Call {
                    number,
                    settings_before,
                    has_begun: false,
                });
                page.act(|state| state.generate(fresh_seed()));
                self.follow_call(page);
            }
            Some(Err(error)) => self.link.post(FrameMessage::Answer {
                call: number,
                answer: Answer::Error(error),
            }),
            None => {}
        }
    }

    /// Answers the call once nothing is left to write.
    fn follow_call(&self, page: Page) {
        let (has_text, is_writing) =
            page.with_untracked(|state| (state.has_text_to_write(), state.is_generating()));
        let ended = {
            let mut call = self.call.borrow_mut();
            if let Some(call) = &mut *call {
                call.has_begun |= is_writing;
            }
            call.take_if(|_| !has_text)
        };
        if let Some(call) = ended {
            self.link.post(FrameMessage::Answer {
                call: call.number,
                answer: page.with_untracked(|state| state.answer(call.has_begun)),
            });
            page.change(|state| state.restore_settings(call.settings_before));
        }
    }

    fn follow_state(&self, page: Page) {
        let writing = page.memo(|state| (state.has_text_to_write(), state.is_generating()));
        let host = self.clone();
        Effect::new(move |_| {
            let _ = writing.get();
            host.follow_call(page);
        });
        let prompt = page.memo(|state| state.texts().prompt.clone());
        let host = self.clone();
        Effect::new(move |_| {
            let text = prompt.get();
            if *host.prompt.borrow() != text {
                host.prompt.borrow_mut().clone_from(&text);
                host.link.post(FrameMessage::Input { text });
            }
        });
        let problem = page.memo(|state| state.problem().map(|problem| problem.report.clone()));
        let host = self.clone();
        Effect::new(move |_| {
            if let Some(report) = problem.get() {
                host.tell(FrameEvent::Error(report), true);
            }
        });
    }

    fn hear_engine(&self, page: Page, event: &Event) {
        match event {
            Event::Progress {
                stage: LoadStage::Downloading { loaded, total },
                ..
            } => {
                let progress = FrameEvent::Progress {
                    status: "progress",
                    file: page.with_untracked(|state| state.choice().name.clone()),
                    loaded: *loaded,
                    total: *total,
                };
                self.tell(progress, false);
            }
            Event::Ready { model, .. } => {
                let ready = FrameEvent::Ready {
                    status: "ready",
                    task: "text-generation",
                    model: model.name.clone(),
                };
                self.tell(ready, true);
            }
            Event::Token { token, .. } => self.tell(FrameEvent::Token(token.clone()), false),
            Event::Result { sequence, .. } => {
                let result = FrameEvent::Result {
                    sequence: sequence.sequence,
                    generated_text: sequence.generated_text.clone(),
                };
                self.tell(result, true);
            }
            _ => {}
        }
    }

    /// Tells the host an event, together with others unless it is urgent.
    fn tell(&self, event: FrameEvent, is_urgent: bool) {
        let is_first = {
            let mut events = self.events.borrow_mut();
            events.push(event);
            events.len() == 1
        };
        if is_urgent {
            self.tell_waiting();
        } else if is_first {
            let host = self.clone();
            Timeout::new(TOGETHER_MS, move || host.tell_waiting()).forget();
        }
    }

    fn tell_waiting(&self) {
        let list = self.events.take();
        if !list.is_empty() {
            self.link.post(FrameMessage::Events { list });
        }
    }
}

/// Takes on the look of the element.
fn dress(look: &Look) {
    let Some(root) = document().document_element() else {
        return;
    };
    let theme = match look.theme {
        HostTheme::Light => "light",
        HostTheme::Dark => "dark",
    };
    let direction = if look.is_right_to_left { "rtl" } else { "ltr" };
    let _ = root.set_attribute("data-theme", theme);
    let _ = root.set_attribute("dir", direction);
    let root: HtmlElement = root.unchecked_into();
    for (name, property) in STYLES {
        let value = look.styles.get(name).map_or("", String::as_str);
        let _ = match value {
            "" => root.style().remove_property(property).map(drop),
            value => root.style().set_property(property, value),
        };
    }
}

fn focus(on: Control, selection: [u32; 2]) {
    let found = match on {
        Control::Prompt => document().query_selector("#prompt"),
        Control::Button => document().query_selector("[data-testid='generate']"),
    };
    let Ok(Some(found)) = found else { return };
    if let Some(prompt) = found.dyn_ref::<HtmlTextAreaElement>() {
        let [start, end] = selection;
        let _ = prompt.set_selection_range(start, end);
    }
    let _ = found.unchecked_into::<HtmlElement>().focus();
}
