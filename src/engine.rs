//! `Engine`: owns model, tokenizer and jobs; takes a `Request`, yields `Event`s, one step at a time.
