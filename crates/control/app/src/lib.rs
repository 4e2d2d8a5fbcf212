//! The use cases, one noun a module; portal, API, command line and background work all call them.
