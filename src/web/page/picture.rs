//! `Picture`: a shared text drawn as SVG in the browser's own fonts, and turned into a PNG.

use js_sys::Promise;
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement, HtmlImageElement};

use crate::state::share::SharedText;
use crate::state::share_picture::{self, FONT, HEIGHT, WIDTH};

/// Size of the font in which widths are measured, in pixels.
const MEASURED_AT: f64 = 100.0;
const NAME: &str = "huggingtweets";

/// A drawn text.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The SVG as a `data:` address: one from a `blob:` would taint a canvas.
    address: String,
}

impl Picture {
    /// Draws the text; `None` in a browser without a canvas.
    pub fn draw(shared: &SharedText) -> Option<Picture> {
        let (_, context) = canvas(1, 1)?;
        let measure = |text: &str, weight: &str| {
            context.set_font(&format!("{weight} {MEASURED_AT}px {FONT}"));
            let measured = context.measure_text(text);
            measured.map_or(0.0, |measured| measured.width() / MEASURED_AT)
        };
        let svg = share_picture::svg(shared, &measure);
        let escaped = String::from(js_sys::encode_uri_component(&svg));
        Some(Picture {
            address: format!("data:image/svg+xml,{escaped}"),
        })
    }

    /// Its address, for an image.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Saves it as SVG.
    pub fn save_svg(&self) {
        save(&self.address, "svg");
    }

    /// Saves it as PNG; `false` where the browser draws no SVG on a canvas.
    pub async fn save_png(&self) -> bool {
        let Some(png) = self.png().await else {
            return false;
        };
        save(&png, "png");
        true
    }

    /// Its bytes as PNG; `None` where the browser draws no SVG on a canvas.
    pub async fn png_file(&self) -> Option<Blob> {
        let canvas = self.drawn().await?;
        let file = Promise::new(&mut |resolve, _| {
            if canvas.to_blob(&resolve).is_err() {
                let _ = resolve.call1(&JsValue::NULL, &JsValue::NULL);
            }
        });
        JsFuture::from(file).await.ok()?.dyn_into().ok()
    }

    async fn png(&self) -> Option<String> {
        self.drawn().await?.to_data_url().ok()
    }

    async fn drawn(&self) -> Option<HtmlCanvasElement> {
        let image = HtmlImageElement::new().ok()?;
        image.set_src(&self.address);
        JsFuture::from(image.decode()).await.ok()?;
        let (canvas, context) = canvas(WIDTH, HEIGHT)?;
        context
            .draw_image_with_html_image_element(&image, 0.0, 0.0)
            .ok()?;
        Some(canvas)
    }
}

fn canvas(width: u32, height: u32) -> Option<(HtmlCanvasElement, CanvasRenderingContext2d)> {
    let canvas = document().create_element("canvas").ok()?;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d").ok()??;
    Some((canvas, context.unchecked_into()))
}

/// Saves what a `data:` address holds, as a link to it would.
fn save(address: &str, ending: &str) {
    let Ok(link) = document().create_element("a") else {
        return;
    };
    // Attributes of a fresh element can always be set.
    let _ = link.set_attribute("href", address);
    let _ = link.set_attribute("download", &format!("{NAME}.{ending}"));
    link.unchecked_ref::<HtmlElement>().click();
}
