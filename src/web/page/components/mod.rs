//! The page's parts, one file each; they read the state, send wishes, and hold no rules.

pub mod avatar;
pub mod bot_header;
pub mod card_body;
pub mod copy_button;
pub mod dialog;
pub mod gallery;
pub mod how_to_use;
pub mod icon;
pub mod kept_models;
pub mod kept_page;
pub mod load_progress;
pub mod measure_device;
pub mod model_line;
pub mod offer_panel;
pub mod open_model;
pub mod pipeline;
pub mod problem;
pub mod prompt_box;
pub mod results;
pub mod settings_panel;
pub mod storage_view;
pub mod top_bar;
pub mod training_data;
pub mod tweet;
pub mod update_bar;
pub mod widget;
