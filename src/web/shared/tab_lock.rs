//! `TabLock`: a lock that one tab at a time can hold.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// A lock, held until it is dropped.
pub struct TabLock {
    release: Option<Function>,
}

impl TabLock {
    /// Waits for the right to write the model stored under `key`; see [`TabLock::take`].
    pub async fn of_model(key: &str, signal: &AbortSignal, on_wait: impl FnOnce()) -> Self {
        Self::take(&of_model(key), signal, on_wait).await
    }

    /// The lock if it is free; `None` if another tab has it.
    pub async fn of_model_at_once(key: &str) -> Option<Self> {
        match Locks::here() {
            Some(locks) => Self::ask(&locks, &of_model(key), &if_available()).await,
            None => Some(Self { release: None }),
        }
    }

    /// A shared lock for the use of the database; `None` over plain http, where the browser has no locks and two tabs
    /// could write one model.
    ///
    /// Browsers discard most pages that are left while they hold a lock. Without a lock, a page may be frozen for the
    /// back button, and a database that it was creating stays closed to all others.
    pub async fn of_database() -> Option<Self> {
        let options = if_available();
        // A plain object takes any field.
        let _ = Reflect::set(
            &options,
            &JsValue::from_str("mode"),
            &JsValue::from_str("shared"),
        );
        Self::ask(&Locks::here()?, "huggingtweets-database", &options).await
    }

    /// Waits for the lock; `on_wait` is called first if another tab has it.
    /// `signal` ends the waiting; the lock is then not held.
    async fn take(name: &str, signal: &AbortSignal, on_wait: impl FnOnce()) -> Self {
        let Some(locks) = Locks::here() else {
            return Self { release: None };
        };
        if let Some(lock) = Self::ask(&locks, name, &if_available()).await {
            return lock;
        }
        on_wait();
        let options = js_sys::Object::new();
        // A plain object takes any field.
        let _ = Reflect::set(&options, &JsValue::from_str("signal"), signal);
        let lock = Self::ask(&locks, name, &options).await;
        lock.unwrap_or(Self { release: None })
    }

    /// The lock, or `None` if it was not available and `options` ask not to wait.
    async fn ask(locks: &Locks, name: &str, options: &js_sys::Object) -> Option<Self> {
        let (held, release) = deferred();
        let (granted, grant) = deferred();
        let on_granted = Closure::once_into_js(move |lock: JsValue| -> Promise {
            // The function is our own and does not throw.
            let _ = grant.call1(&JsValue::NULL, &JsValue::from_bool(!lock.is_null()));
            held
        });
        let name = JsValue::from_str(name);
        let asked = locks
            .request
            .call3(&locks.manager, &name, options, &on_granted)
            .ok()?;
        // A refused request, for instance in a document without storage, never calls back.
        let settled = Promise::race(&js_sys::Array::of2(&granted, &asked));
        let is_granted = JsFuture::from(settled).await.ok()?.is_truthy();
        if !is_granted {
            let _ = release.call0(&JsValue::NULL);
            return None;
        }
        Some(Self {
            release: Some(release),
        })
    }
}

impl Drop for TabLock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            let _ = release.call0(&JsValue::NULL);
        }
    }
}

/// `navigator.locks`, in a page or a worker.
struct Locks {
    manager: JsValue,
    request: Function,
}

impl Locks {
    fn here() -> Option<Self> {
        let navigator = Reflect::get(&js_sys::global(), &JsValue::from_str("navigator")).ok()?;
        let manager = Reflect::get(&navigator, &JsValue::from_str("locks")).ok()?;
        let request = Reflect::get(&manager, &JsValue::from_str("request")).ok()?;
        Some(Self {
            request: request.dyn_into().ok()?,
            manager,
        })
    }
}

fn of_model(key: &str) -> String {
    format!("huggingtweets-model-{key}")
}

fn if_available() -> js_sys::Object {
    let options = js_sys::Object::new();
    // A plain object takes any field.
    let _ = Reflect::set(&options, &JsValue::from_str("ifAvailable"), &JsValue::TRUE);
    options
}

/// A promise, and the function that resolves it.
fn deferred() -> (Promise, Function) {
    let mut fulfil = None;
    let promise = Promise::new(&mut |resolve, _| fulfil = Some(resolve));
    (
        promise,
        fulfil.expect("a promise passes its functions on at once"),
    )
}
