//! What tests share: a running installation, network namespaces, a browser.
