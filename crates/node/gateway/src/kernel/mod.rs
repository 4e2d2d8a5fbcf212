//! WireGuard in the kernel, through netlink, where the module exists.
