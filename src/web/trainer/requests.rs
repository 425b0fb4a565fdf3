//! The requests of the page: starts to take them, and does or begins each.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};

use super::failure::Failure;
use super::host::{Host, NextTurn, now, post, report_panics};
use crate::parallel::Threads;
use crate::trainer::{Event, Request};

/// Begins to take requests, computes on `threads`, and posts [`Event::Started`].
pub fn start(threads: Threads) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    report_panics();
    let channel = MessageChannel::new().expect("every browser with workers has message channels");
    let n_threads = threads.count();
    let host = Rc::new(Host {
        scope: scope.clone(),
        threads,
        state: RefCell::default(),
        turn: channel.port2(),
        has_turn: Cell::default(),
    });
    let turns = channel.port1();
    let on_turn = Rc::clone(&host);
    EventListener::new(&turns, "message", move |_| on_turn.take_turn()).forget();
    // Unlike `onmessage`, a listener does not start the port.
    turns.start();
    let on_message = Rc::clone(&host);
    EventListener::new(&scope, "message", move |event| {
        on_message.receive(event.unchecked_ref::<MessageEvent>().data());
    })
    .forget();
    post(&scope, &Event::Started { threads: n_threads }, None);
}

impl Host {
    fn receive(self: &Rc<Self>, message: JsValue) {
        let Ok(request) = serde_wasm_bindgen::from_value::<Request>(message.clone()) else {
            return self.fail(Failure {
                message: "page and trainer come from different versions".to_owned(),
                hint: "reload the page".to_owned(),
            });
        };
        match request {
            Request::Prepare { plan, now_ms } => {
                let host = Rc::clone(self);
                spawn_local(async move {
                    let prepared = host.prepare(*plan, &message, now_ms).await;
                    prepared.unwrap_or_else(|failure| host.fail(failure));
                });
            }
            Request::Train => {
                let mut state = self.state.borrow_mut();
                if state.training.is_some() && matches!(state.task, NextTurn::None) {
                    state.task = NextTurn::Step;
                    (state.checkpoint_ms, state.samples_ms) = (now(), now());
                    drop(state);
                    self.ask_for_turn();
                }
            }
            Request::Pause => {
                self.state.borrow_mut().task = NextTurn::None;
                self.keep_checkpoint();
                self.post(&Event::Paused);
            }
            Request::Finish => {
                self.state.borrow_mut().task = NextTurn::None;
                self.finish_later();
            }
            Request::Pack { bot } => self.pack_later(bot, None),
            Request::PackSite { bot, folder_url } => self.pack_later(bot, Some(folder_url)),
        }
    }
}
