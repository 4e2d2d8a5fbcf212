//! The web faces: REST API, pages, live streams, and the link that gateways hold.
