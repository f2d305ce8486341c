//! Starts a real Envoy with the plugin, and a mock LLM upstream behind it.
