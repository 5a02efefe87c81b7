//! A copy of the facts, and what an action does to it.
