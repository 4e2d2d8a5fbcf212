//! Benchmarks, each with its peers measured in the same run: `cargo run --release -p warren-bench -- <what>`.
//!
//! Those of the whole program start the `warren` that stands beside this one: `cargo build --release -p warren` first.

mod api;
mod breaker;
mod client;
mod database;
mod figures;
mod jobs;
mod latency;
mod page;
mod start;
mod throughput;
mod warren;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// TCP through a gateway, beside stock gotatun and wireguard-go (root; iproute2, iperf3, wireguard-go, wireguard-tools).
    Throughput(throughput::Arguments),
    /// Serves as the gateway of one measurement, in the namespace that it is started in.
    #[command(hide = true)]
    ThroughputGateway(throughput::gateway::Arguments),
    /// From the API call that changes a device to its peer in force on the gateway (root; iproute2, nftables).
    Latency(latency::Arguments),
    /// Measures for one number of devices, and prints the figures for the process that started it.
    #[command(hide = true)]
    LatencyOnce(latency::once::Arguments),
    /// Requests per second for listing and enrolling devices, beside a bare axum handler with the same statements.
    Api(api::Arguments),
    /// Serves as the bare handler of a measurement, until it is killed.
    #[command(hide = true)]
    ApiBare(api::bare::Arguments),
    /// A call through a closed circuit breaker, beside recloser and failsafe; with `--features allocations` theirs are counted.
    Breaker(breaker::Arguments),
    /// Pools, models, writers and ten thousand organisations, beside plain drivers and other pools (Debian's mariadb-server and
    /// postgresql).
    Database(database::Arguments),
    /// Measures many organisations, and prints the figures for the process that started it.
    #[command(hide = true)]
    DatabaseTenants(database::tenants::once::Arguments),
    /// The job queue beside BullMQ, and how it treats a quiet organisation (Debian's mariadb-server, postgresql and redis-server;
    /// npm).
    Jobs(jobs::Arguments),
    /// Start-up time and idle memory of the control plane and the gateway (root; iproute2, nftables).
    Start(start::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Throughput(arguments) => throughput::run(&arguments),
        What::ThroughputGateway(arguments) => throughput::gateway::serve(&arguments),
        What::Latency(arguments) => latency::run(&arguments),
        What::LatencyOnce(arguments) => latency::once::run(&arguments),
        What::Api(arguments) => api::run(&arguments),
        What::ApiBare(arguments) => api::bare::serve(&arguments),
        What::Breaker(arguments) => breaker::run(&arguments),
        What::Database(arguments) => database::run(&arguments),
        What::DatabaseTenants(arguments) => database::tenants::once::run(&arguments),
        What::Jobs(arguments) => jobs::run(&arguments),
        What::Start(arguments) => start::run(&arguments),
    }
}
