//! Native: finds or installs the wasm tools, builds `dist/`, serves it.
